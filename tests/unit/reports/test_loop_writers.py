"""Whatever a repository's names are, the loop's formats stay what they are."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.model import Evidence, Loop, LoopNode, LoopStep, Span
from mlops_audit.reports.html import code, e
from mlops_audit.reports.loop import draw, fitted

KINDS = ("trigger", "job", "stage", "code", "data", "model", "registry", "service", "monitor")
names = st.text(min_size=1, max_size=120)


def loop(name: str) -> Loop:
    """A loop in which everything is called that."""
    place = Evidence(Span(name), name)
    steps = [
        LoopStep(a, b, "missing", name, name, (place,))
        for a, b in zip(KINDS, (*KINDS[1:], KINDS[0]), strict=True)
    ]
    nodes = tuple(LoopNode(kind, name, place) for kind in KINDS)
    return Loop(dict(zip(KINDS, KINDS, strict=True)), nodes, (), tuple(steps))


@given(names)
def test_svg_is_always_well_formed(name: str) -> None:
    """Any name gives XML with nine cards and no element of the name's own."""
    root = ET.fromstring(draw(loop(name), "svg"))  # noqa: S314 -- written here
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "title", "desc", "style", "rect", "text", "g", "path", "circle"}


@given(names)
def test_mermaid_holds_no_character_that_means_something(name: str) -> None:
    """Labels are quoted, and what ends a quote or begins a tag became an entity."""
    for line in draw(loop(name), "mermaid").splitlines():
        for label in re.findall(r'\["(.*)"\]', line):
            assert not re.search(r'["<>`\[\]{}|]', label)


@given(names)
def test_json_and_text_take_any_name(name: str) -> None:
    """JSON keeps the name; the text shows it without a control character."""
    assert json.loads(draw(loop(name), "json"))["nodes"][0]["name"] == name
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", draw(loop(name), "text"))


@given(st.text(max_size=300), st.integers(min_value=8, max_value=60))
def test_labels_never_grow_beyond_their_columns(text: str, columns: int) -> None:
    """A label takes at most its columns."""
    assert len(fitted(text, columns)) <= columns


@given(st.text(max_size=200))
def test_html_text_is_escaped(text: str) -> None:
    """No text opens a tag, ends an attribute or brings a character reference of its own."""
    assert not re.search(r"[<>\"']", e(text))
    assert not re.search(r"<(?!/?code>)", code(text))
