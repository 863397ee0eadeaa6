"""What a node of a read file gives below a path."""

from __future__ import annotations

import pytest

from mlops_audit.facts.nodes import EMPTY, Node
from mlops_audit.facts.yamlpos import load_yaml

TEXT = b"one: a\nmany: [a, {b: c}, d]\nnone:\nmap: {deep: [x]}\n"


def root() -> Node:
    """The node of the text above."""
    node = load_yaml(TEXT, "x.yaml")
    assert isinstance(node, Node)
    return node


@pytest.mark.parametrize(
    ("path", "texts", "members"),
    [
        (("one",), ("a",), 0),
        (("many",), ("a", "d"), 3),
        (("none",), (), 0),
        (("map",), (), 0),
        (("map", "deep"), ("x",), 1),
        (("missing", "deep"), (), 0),
    ],
)
def test_texts_and_members_below_a_path(
    path: tuple[str, ...], texts: tuple[str, ...], members: int
) -> None:
    """A scalar is one text and no list; what is not there gives neither."""
    assert root().strings_at(*path) == texts
    assert len(root().list_at(*path)) == members


def test_what_stands_for_a_missing_map_holds_nothing() -> None:
    """The empty map can be asked like any other."""
    assert (EMPTY.get("a"), EMPTY.strings_at("a"), EMPTY.keys()) == (None, (), ())
