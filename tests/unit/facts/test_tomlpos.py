"""TOML with the lines of its keys."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_audit.facts.nodes import Node
from mlops_audit.facts.tomlpos import load_toml
from mlops_audit.facts.types import Unreadable

TEXT = """\
[project]
name = "x"
dependencies = [
  "a>=1",
  "b",
]
[tool.poe.tasks]
test.cmd = "pytest"
long = '''
one
two = 3
'''
[[tool.uv.index]]
url = "u"
[[tool.uv.index]]
url = "v"
n = 3
on = true
"""


def test_positions() -> None:
    """Keys, dotted keys, tables, list members and members of lists of tables know their line."""
    root = load_toml(TEXT, "pyproject.toml")
    assert isinstance(root, Node)
    assert root.line_of("project", "name") == 2
    dependencies = root.get("project", "dependencies")
    assert dependencies is not None
    assert [(n.text, n.line) for n in dependencies.list()] == [("a>=1", 4), ("b", 5)]
    assert root.line_of("tool", "poe", "tasks", "test", "cmd") == 8
    long = root.get("tool", "poe", "tasks", "long")
    assert long is not None
    assert (long.line, long.text_line) == (9, 10)
    index = root.get("tool", "uv", "index")
    assert index is not None
    assert [n.line_of("url") for n in index.list()] == [14, 16]
    assert (index.list()[1].get("n"), index.list()[1].get("on")) != (None, None)
    assert index.list()[1].plain() == {"url": "v", "n": 3, "on": True}


def test_broken() -> None:
    """A broken file is a fact with the line, not an exception."""
    assert isinstance(load_toml(b"a = [1,\nb = ", "x"), Unreadable)
    assert isinstance(load_toml("a = " + "[" * 5000, "x"), Unreadable)
    assert isinstance(load_toml(b"\xff\xfe\x00", "x"), Unreadable)


@given(st.binary(max_size=200) | st.text("[]=\"a.\n'1{},", max_size=100).map(str.encode))
@settings(max_examples=200, deadline=None)
def test_any_bytes(data: bytes) -> None:
    """No bytes raise."""
    load_toml(data, "x")
