"""Three-valued CI conditions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.conditions import evaluate, unwrap


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("false", False),
        ("!true", False),
        ("1 == 2", False),
        ("'a' == 'A'", True),
        ("x && false", False),
        ("x || true", True),
        ("x && y", None),
        ("(x || 'a' == 'b') && 0", False),
        ("and(succeeded(), false)", False),
        ("and(eq(variables['Build.Reason'], 'Schedule'), succeeded())", False),
        ("in(variables['Build.Reason'], 'IndividualCI', 'BatchedCI')", True),
        ("not(eq('a', 'b'))", True),
        ("startsWith(unset, 'x')", False),
        ("$BRANCH =~ /^rel/ || $BRANCH == 'x'", False),
        ("$BRANCH =~ /^ma/i", True),
        ("$BRANCH =~ /(a+)+$/", None),
        ("$UNSET", False),
        ("eq('${x}', 'y')", None),
        ("a == ", None),
        ("((((", None),
        ("", None),
    ],
)
def test_values(text: str, value: bool | None) -> None:  # noqa: FBT001 -- a table's column
    """Constants, names that are known and names that are not."""
    known = {"variables.build.reason": "IndividualCI", "branch": "main", "unset": None}
    assert evaluate(text, known) is value


def test_unwrap() -> None:
    """Braces around the whole are dropped; beside text they make it always true."""
    assert unwrap("${{ a == 'b' }}") == ("a == 'b'", "")
    assert unwrap("a") == ("a", "")
    assert unwrap("${{ a }} == ${{ b }}")[1]
    assert unwrap("!${{ a }}")[1]


@given(st.text("ab'\"()!&|=~/$ ,.0[]{}\n", max_size=60))
def test_arbitrary_text_never_raises(text: str) -> None:
    """Whatever the text, the answer is true, false or unknown."""
    assert evaluate(text) in (True, False, None)
    unwrap(text)
