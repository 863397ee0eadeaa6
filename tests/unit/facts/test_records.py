"""Tests of telling data from settings in JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.records import holds_records

_ROWS = [{"question": f"how {n}", "score": n} for n in range(12)]


@pytest.mark.parametrize("found", [_ROWS, {"config": {"seed": 1}, "results": _ROWS}])
def test_many_rows_of_one_shape_are_data(found: object) -> None:
    """A long list of like objects is data, at the top or one level below."""
    assert holds_records(json.dumps(found))


@pytest.mark.parametrize(
    "found", [{"seed": 1, "layers": [{"units": 2}, {"units": 3}]}, [1, 2, 3], "text", None]
)
def test_settings_are_no_data(found: object) -> None:
    """A few repeated blocks, plain lists and scalars are no records."""
    assert not holds_records(json.dumps(found))


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    """No text makes it raise."""
    assert holds_records(text) in {True, False}


def test_deep_nesting_is_no_data() -> None:
    """A text nested too deeply to read holds no records."""
    assert not holds_records("[" * 100_000)
