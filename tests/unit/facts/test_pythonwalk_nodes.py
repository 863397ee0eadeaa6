"""Our ways over a syntax tree give what `ast` gives, without the nodes that say nothing."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import mlops_audit
from mlops_audit.facts.pythonwalk.nodes import alike, parts, statements, walk

SILENT = (
    ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop, ast.alias, ast.type_ignore
)  # fmt: skip
GROUPS = (ast.mod, ast.stmt, ast.ExceptHandler, ast.match_case)
ODD = """
match point:
    case {"x": [1, *rest], **more} if rest:
        with open(f"{a!r:>{w}}") as b, c() as (d, e):
            x: int = await (yield (lambda q, /, *, k=1: q if k else -q))
    case Point(x=0) | None:
        del a[1:2, ...], b.c
try:
    global z
except* (A, B) as error:
    async def f(a, b: str = "", *c, d=1, **e) -> list[int]:
        return {**g, "k": [i async for i in h if i if not j]}
else:
    y = (n := 1) < 2 <= 3
finally:
    class K(Base, metaclass=M): "said"
"""
FILES = sorted(Path(mlops_audit.__file__).parent.glob("facts/*.py"))[::6]


@pytest.mark.parametrize("source", [ODD, *(p.read_text() for p in FILES)])
def test_the_same_nodes_in_the_same_order(source: str) -> None:
    """Level by level, as evidence is told in that order."""
    tree = ast.parse(source)
    every = list(ast.walk(tree))
    assert list(walk(tree)) == [n for n in every if not isinstance(n, SILENT)]
    assert list(statements(tree)) == [n for n in every if isinstance(n, GROUPS)]
    for node in every:
        loud = [n for n in ast.iter_child_nodes(node) if not isinstance(n, SILENT)]
        assert parts(node) == loud


def test_alike() -> None:
    """White space does not tell expressions apart, words do."""
    one, two, other = (ast.parse(t, mode="eval").body for t in ("a . b(1)", "a.b( 1 )", "a.b(2)"))
    assert alike(one, two)
    assert not alike(one, other)
    assert not alike(one, ast.Name("a"))
