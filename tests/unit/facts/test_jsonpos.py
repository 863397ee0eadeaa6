"""Guarded JSON with positions."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.jsonpos import load_json
from mlops_audit.facts.types import Unreadable
from mlops_audit.facts.yamlpos import Node


def test_values_and_lines() -> None:
    """Keys know their lines and values are what JSON says."""
    node = load_json('{\n "a": [1, 2.5,\n  "\\ud83d\\ude00"],\n "b": {"c": null}\n}\n', "a.json")
    assert isinstance(node, Node)
    assert node.plain() == {"a": [1, 2.5, "\U0001f600"], "b": {"c": None}}
    assert (node.line_of("a"), node.line_of("b", "c")) == (2, 4)


def test_comments_and_trailing_commas_are_read_over() -> None:
    """Editors' JSON files are readable."""
    node = load_json('{ // x\n "a": 1, /* y\n */ "b": [1,],}', "a.json")
    assert isinstance(node, Node)
    assert node.plain() == {"a": 1, "b": [1]}
    assert node.line_of("b") == 3


@pytest.mark.parametrize("text", ["", "{", "[1", "[1 2]", '{"a" 1}', "{1: 2}", "[]]", "[" * 9999])
def test_broken_texts_have_reasons(text: str) -> None:
    """What is no JSON, or too deep, is an Unreadable fact."""
    found = load_json(text, "a.json")
    assert isinstance(found, Unreadable)
    assert found.reason.startswith("no JSON")


@given(st.one_of(st.binary(max_size=200), st.text('{}[],:"\\0e-. \n/*', max_size=200)))
def test_arbitrary_input_never_raises(data: bytes | str) -> None:
    """Whatever the bytes, the answer is a node or a reason."""
    found = load_json(data, "a.json")
    if isinstance(found, Node):
        found.plain()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=10,
    )
)
def test_what_json_writes_is_read_back(data: object) -> None:
    """Every value that the standard library writes comes back equal."""
    node = load_json(json.dumps(data), "a.json")
    assert isinstance(node, Node)
    assert node.plain() == data
