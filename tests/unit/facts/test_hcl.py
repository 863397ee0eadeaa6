"""What the scanner makes of expressions that encode an object."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.hcl import scan_hcl
from mlops_audit.facts.nodes import Node


def _body(text: str) -> Node:
    blocks = scan_hcl(f'resource "a" "b" {{\n{text}\n}}\n')
    assert blocks
    return blocks[0].body


def test_encoded_object() -> None:
    """An object that `jsonencode` is given is read as one, with the lines of its keys."""
    body = _body('definition = jsonencode({\n  Steps = [{ Name = "train" }]\n})\nnext = 1')
    steps = body.get("definition", "Steps")
    assert steps is not None
    assert [n.str_at("Name") for n in steps.list()] == ["train"]
    assert body.line_of("definition", "Steps") == 3
    assert body.str_at("next") == "1"


def test_other_calls() -> None:
    """What is joined to it, or given to another function, stays an expression's text."""
    body = _body(
        'a = base64encode({ b = 1 })\nc = "${jsonencode({ d = 1 })}x"\ne = jsonencode(var.f)'
    )
    kinds = [body.get(key) for key in ("a", "c", "e")]
    assert [n.kind for n in kinds if n is not None] == ["scalar"] * 3


@given(st.text(alphabet='jsonencode(){}[]=,"\n x1', max_size=80))
def test_any_text(text: str) -> None:
    """No text makes the scanner fail."""
    scan_hcl(f"x = jsonencode({text}")
    scan_hcl(f'resource "a" "b" {{ x = jsonencode({text} }}')
