"""Text from the bytes of a file, or why it is none."""

from __future__ import annotations

import pytest

from mlops_audit.facts.decoding import decode, text_to_read
from mlops_audit.facts.types import Unreadable


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\xef\xbb\xbfa", "a"),
        ("\ufeffa", "a"),
        ("a\u00e9".encode("utf-16"), "a\u00e9"),
        (b"\xff\xfe\x00", None),
        (b"\xe9", None),
    ],
)
def test_decode(data: bytes | str, text: str | None) -> None:
    """UTF-8 and UTF-16 are text, with or without a mark; other bytes are not."""
    assert decode(data) == text


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"a" * 2049, "larger than 2 KiB, not read as YAML"),
        (b"\xe9", "not UTF-8 text"),
    ],
)
def test_what_a_reader_does_not_take_has_a_reason(data: bytes, reason: str) -> None:
    """A file that is too large or no text is told apart, on its own path."""
    found = text_to_read(data, "a.yaml", "YAML", 2048)
    assert isinstance(found, Unreadable)
    assert (found.reason, found.span.path) == (reason, "a.yaml")


def test_text_within_the_bound_is_given() -> None:
    """What is small enough comes as text."""
    assert text_to_read(b"a: 1", "a.yaml", "YAML", 4) == "a: 1"
