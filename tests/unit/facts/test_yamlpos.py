"""Guarded YAML with positions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.types import Unreadable
from mlops_audit.facts.yamlpos import Node, load_yaml, load_yaml_all


def read(text: str | bytes) -> Node:
    """The root of a text that must be readable."""
    node = load_yaml(text, "a.yaml")
    assert isinstance(node, Node), node
    return node


def refused(text: str | bytes) -> Unreadable:
    """The reason for a text that must not be readable."""
    found = load_yaml(text, "a.yaml")
    assert isinstance(found, Unreadable)
    return found


def test_values_follow_yaml_1_2() -> None:
    """`on` and `yes` stay strings, `1e-05` is a float, quotes make strings."""
    node = read("on: yes\na: 1e-05\nb: '1'\nc: 0x10\nd: off\ne: true\nf: ~\ng: -3\nh: .inf\n")
    assert node.plain() == {
        "on": "yes",
        "a": 1e-05,
        "b": "1",
        "c": 16,
        "d": "off",
        "e": True,
        "f": None,
        "g": -3,
        "h": float("inf"),
    }


def test_lines_of_keys_values_and_block_texts() -> None:
    """A key, its value and the text of a block scalar each know their line."""
    node = read("jobs:\n  a:\n    run: |\n\n      make\n    b:\n      - x\n")
    run = node.get("jobs", "a", "run")
    assert run is not None
    assert (run.line, run.text_line, run.text) == (3, 4, "\nmake\n")
    assert node.line_of("jobs", "a", "b") == 6
    assert node.line_of("jobs", "nothing") == 1


def test_merge_keys_are_applied_and_own_keys_win() -> None:
    """`<<` brings the keys of one or several maps, the map's own come first."""
    node = read("a: &a {x: 1, y: 2}\nb: &b {z: 3}\nc:\n  <<: [*a, *b]\n  y: 9\n")
    c = node.get("c")
    assert c is not None
    assert c.plain() == {"y": 9, "x": 1, "z": 3}


def test_unknown_tags_are_kept_beside_plain_nodes() -> None:
    """CloudFormation's and GitLab's tags do not hide the nodes below them."""
    node = read("a: !Ref Bucket\nb: !GetAtt [X, Arn]\nc: !Sub '1'\nd: !!python/object:os.x {}\n")
    found = {key: (child.kind, child.tag) for key, child in node.items()}
    assert found == {
        "a": ("scalar", "!Ref"),
        "b": ("list", "!GetAtt"),
        "c": ("scalar", "!Sub"),
        "d": ("map", "!!python/object:os.x"),
    }


def test_scalar_counts_as_list_of_one_only_when_asked() -> None:
    """`many` lists a scalar, `list` does not."""
    node = read("a: x\nb: [x, y]\nc:\n")
    a, b, c = (node.get(key) for key in "abc")
    assert a is not None
    assert b is not None
    assert c is not None
    assert (a.list(), a.strings(), b.strings(), c.many()) == ((), ("x",), ("x", "y"), ())


def test_last_of_two_equal_keys_counts() -> None:
    """A key that stands twice has its last value, as the systems read it."""
    assert read("a: 1\nb: 2\na: 3\n").plain() == {"b": 2, "a": 3}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: &a [x]\n" + "".join(f"b{i}: &b{i} [{'*a,' * 9}]\n" for i in range(3)), None),
        ("a0: &a0 [x]\n" + "".join(
            f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 20)}]\n" for i in range(1, 12)
        ), "aliases"),
        ("a: &a [*a]\n", "contains itself"),
        ("a: *b\n", "names no anchor"),
        ("[" * 5000, "deeper"),
        ("{{ x }}: [\n", "template"),
        ("a: [\n", "no YAML"),
        ("a: b\n\tc: d\n", "no YAML"),
    ],
)  # fmt: skip
def test_hostile_and_broken_texts_have_reasons(text: str, reason: str | None) -> None:
    """Bombs, cycles, depth, templates and broken texts are Unreadable facts, not exceptions."""
    found = load_yaml(text, "a.yaml")
    if reason is None:
        assert isinstance(found, Node)
    else:
        assert isinstance(found, Unreadable)
        assert reason in found.reason


def test_depth_through_chained_aliases_is_bounded() -> None:
    """A chain of aliases that each nest once is refused before anything can recurse into it."""
    text = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 400))
    assert "too deep" in refused(text).reason


def test_bytes_that_are_no_text_are_unreadable() -> None:
    """Binary data is refused with a reason; a byte order mark is not."""
    assert refused(b"\xff\x00\xfe").reason == "not UTF-8 text"
    assert read(b"\xef\xbb\xbfa: 1\n").plain() == {"a": 1}
    assert read("a: é\n".encode("utf-16")).plain() == {"a": "é"}


def test_all_documents() -> None:
    """Every document of a stream is given; the first alone where one is asked for."""
    both = load_yaml_all("a: 1\n---\nb: 2\n", "a.yaml")
    assert isinstance(both, tuple)
    assert [(node.plain(), node.line) for node in both] == [({"a": 1}, 1), ({"b": 2}, 3)]
    assert read("").kind == "null"


@given(st.one_of(st.binary(max_size=200), st.text("&*a: -[]{}|>!?\n\t'\"#%<~", max_size=200)))
def test_arbitrary_input_never_raises(data: bytes | str) -> None:
    """Whatever the bytes, the answer is nodes that can be walked or a reason."""
    found = load_yaml_all(data, "a.yaml")
    if isinstance(found, tuple):
        for document in found:
            document.plain()
            assert all(node.line >= 1 for node in document.walk())
