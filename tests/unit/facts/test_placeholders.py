"""Texts that wait to be filled in, and texts that say something."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.placeholders import _PLACEHOLDER, _SUSPECT, is_placeholder


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("TODO", True),
        ("- TBD\n- [More Information Needed]", True),
        ("<your description here>", True),
        ("Lorem ipsum", True),
        ("<!-- describe the data -->", True),
        ("The model predicts churn of monthly customers. TODO: more figures.", False),
        ("The model predicts which customers leave within 30 days, from usage and bills.", False),
    ],
)
def test_placeholder(text: str, expected: bool) -> None:  # noqa: FBT001 -- a table's column
    """Template text that nobody filled in says nothing; a text with one TODO does."""
    assert is_placeholder(text) is expected


@given(st.from_regex(re.compile(_PLACEHOLDER.pattern, re.IGNORECASE | re.ASCII)))
def test_each_placeholder_holds_a_word_that_makes_suspicious(text: str) -> None:
    """The quick look for words lets nothing pass that the expression would find."""
    assert any(word in text.lower() for word in _SUSPECT)


@given(st.text(alphabet="<!->[]{}. \ntodoyur*#`_", max_size=200))
def test_any_text_is_judged(text: str) -> None:
    """Whatever the markup, there is an answer."""
    assert is_placeholder(text) in {True, False}
