"""The text of a file from its bytes."""

from __future__ import annotations

from mlops_audit.facts.types import Unreadable
from mlops_audit.model import Span

__all__ = ["decode", "text_to_read"]


def decode(data: bytes | str) -> str | None:
    """Text of a file: UTF-8 with or without a byte order mark, or UTF-16 with one; else None."""
    if isinstance(data, str):
        return data.removeprefix("\ufeff")
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def text_to_read(data: bytes | str, path: str, language: str, most: int) -> str | Unreadable:
    """Text that is to be read as a language such as `YAML`, or why it is not read.

    Args:
        data: the file's bytes or text.
        path: its path in the repository.
        language: for the reason.
        most: the largest length that is read, in bytes.
    """
    if len(data) > most:
        return Unreadable(Span(path), f"larger than {most // 1024} KiB, not read as {language}")
    text = decode(data)
    return Unreadable(Span(path), "not UTF-8 text") if text is None else text
