"""The words that all modules share: places, evidence and what is shown of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.model import Evidence, Span, shortened


def test_a_long_detail_is_cut_at_a_word_and_says_so() -> None:
    """Evidence shows one line; what does not fit ends with an ellipsis after a whole word."""
    detail = Evidence(Span("a.py", 3), "word " * 40).detail
    assert detail == "word " * 23 + "word…"


def test_lines_become_one() -> None:
    """A call over several lines is shown in one, and in full where it fits."""
    text = 'log_metrics(\n    {"loss": loss},\n)'
    assert Evidence(Span("a.py", 3), text).detail == 'log_metrics({"loss": loss})'


@given(st.text(max_size=400))
def test_nothing_is_longer_than_a_line(text: str) -> None:
    """Whatever the text, what is shown fits; short texts in one line stay as they are."""
    found = shortened(text, 60)
    assert len(found) <= 60
    assert "\n" not in found
    if len(text) <= 60 and "\n" not in text and "\r" not in text:
        assert found == text
