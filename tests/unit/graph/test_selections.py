"""Which tests a run of pytest takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.graph.selections import Selection, selection_of


@pytest.mark.parametrize(
    ("words", "taken"),
    [
        (("-m", "unit"), False),
        (("-m", "slow"), True),
        (("-m", "not slow"), False),
        (("-mnot slow",), False),
        (("-m", "slow and (gpu or cpu)"), False),
        (("-m", "slow or gpu"), True),
        (("-k", "train"), True),
        (("-k", "Fit and not train"), False),
        (("-k", "fit", "-m", "slow"), True),
        (("tests", "-v", "--maxfail=1"), True),
        (("-m",), True),
        (("-m", "slow(reason='x')"), True),
        (("-m", "(slow"), True),
        (("-m", "$MARK"), True),
    ],
)
def test_taken(words: tuple[str, ...], taken: bool) -> None:  # noqa: FBT001 -- a table's column
    """A test with the mark `slow` in TestFit is taken as pytest would take it."""
    assert selection_of(words).takes(("slow",), ("TestFit", "test_train", "a.py")) is taken


def test_last_holds() -> None:
    """A command's own expression stands above that of the configuration."""
    chosen = selection_of(("-m", "slow")).above(Selection("not slow", "train"))
    assert chosen == Selection("slow", "train")


@given(st.text(max_size=200), st.lists(st.text(max_size=20), max_size=4))
def test_never_raises(text: str, names: list[str]) -> None:
    """Any expression is read or taken for none."""
    assert selection_of(("-m", text, "-k", text)).takes(names, names) in {True, False}
