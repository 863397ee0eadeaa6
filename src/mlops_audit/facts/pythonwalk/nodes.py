"""Ways over a syntax tree, without the nodes that say nothing: contexts and operators.

`ast` visits those too, and they are every third node; reading code is the largest part of an audit.
"""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterator

__all__ = ["alike", "parts", "statements", "walk"]

# Fields that never hold an expression, a statement or what groups them.
_SILENT = frozenset(
    {"ctx", "op", "ops", "id", "attr", "arg", "name", "names", "level", "module", "asname", "kind",
     "conversion", "simple", "type_comment", "is_async", "rest", "kwd_attrs", "lineno"}
)  # fmt: skip
_BLOCKS = frozenset({"body", "orelse", "handlers", "finalbody", "cases"})
_fields: dict[type[ast.AST], tuple[str, ...]] = {}
_blocks: dict[type[ast.AST], tuple[str, ...]] = {}


def parts(node: ast.AST) -> list[ast.AST]:
    """The nodes directly below a node, in the order of `ast.iter_child_nodes`."""
    kind = type(node)
    fields = _fields.get(kind)
    if fields is None:
        fields = _fields[kind] = tuple(f for f in kind._fields if f not in _SILENT)
    found: list[ast.AST] = []
    for field in fields:
        value = getattr(node, field, None)
        if isinstance(value, ast.AST):
            found.append(value)
        elif isinstance(value, list):
            found += [item for item in value if isinstance(item, ast.AST)]
    return found


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it, level by level, as `ast.walk`."""
    queue = deque([node])
    while queue:
        node = queue.popleft()
        queue.extend(parts(node))
        yield node


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """A statement and all statements in it, those of nested functions too, level by level.

    Handlers and cases count as a level, as for `ast.walk`.
    """
    queue = deque([node])
    while queue:
        node = queue.popleft()
        kind = type(node)
        blocks = _blocks.get(kind)
        if blocks is None:
            blocks = _blocks[kind] = tuple(f for f in kind._fields if f in _BLOCKS)
        for field in blocks:
            value = getattr(node, field)
            if isinstance(value, list):  # the body of a lambda or a conditional is none
                queue.extend(value)
        yield node


def alike(one: ast.AST, other: ast.AST) -> bool:
    """Whether two expressions are written with the same words."""
    return type(one) is type(other) and ast.dump(one) == ast.dump(other)
