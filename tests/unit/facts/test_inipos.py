"""INI files with the lines of their keys."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.inipos import load_ini
from mlops_audit.facts.nodes import Node


def test_sections_keys_and_git_style() -> None:
    """Values over several lines and keys that git indents keep their places."""
    text = "[a]\nx = 1\ny =\n  one\n  two\n# c\n['remote \"s\"']\n    url = s3://b\n    v = 2\n"
    root = load_ini(text, "x")
    assert isinstance(root, Node)
    assert (root.str_at("a", "x"), root.line_of("a", "x")) == ("1", 2)
    y = root.get("a", "y")
    assert y is not None
    assert (y.text, y.text_line) == ("one\ntwo", 4)
    assert root.str_at("'remote \"s\"'", "v") == "2"


@given(st.binary(max_size=200) | st.text("[]=:\n ab#", max_size=80).map(str.encode))
def test_any_bytes(data: bytes) -> None:
    """No bytes raise."""
    load_ini(data, "x")
