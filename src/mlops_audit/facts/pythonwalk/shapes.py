"""Questions about single nodes of a syntax tree, without a walk."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from mlops_audit.facts.code import Call
from mlops_audit.facts.pythonwalk.nodes import alike, parts, walk

__all__ = [
    "attribute_place",
    "cannot_fail",
    "decorating",
    "goes_on",
    "is_stub",
    "line_range",
    "literal_of",
    "only_tells",
    "returns_of",
    "shorten",
]

_SEGMENTS = 8
_LEAVES = (ast.Raise, ast.Return)
_QUIET = (ast.Return, ast.Pass, ast.Continue)
_PLAIN = (str, int, float, bool, type(None))
_APART = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_STATEMENTS = (ast.stmt, ast.ExceptHandler, ast.match_case)
_HOLD_ALIKE = (ast.Eq, ast.Is, ast.LtE, ast.GtE)


def attribute_place(node: ast.Attribute) -> ast.AST:
    """Where the method's name stands: the last line of its receiver, in a chain over lines."""
    place = ast.Name(id=node.attr)
    place.lineno = node.end_lineno or node.lineno
    return place


def decorating(call: Call, qualname: str) -> Call:
    """The same call, marked as the decorator of a definition."""
    return Call(
        call.name, call.receiver, call.args, call.kwargs, call.span, call.end_line, call.scope,
        call.guards, call.loops, call.targets, qualname, call.text,
    )  # fmt: skip


def shorten(name: str) -> str:
    """Bound a name that grew by fluent chains: its root and its last segment tell enough."""
    parts = name.split(".")
    return name if len(parts) <= _SEGMENTS else ".".join([*parts[:3], parts[-1]])


def literal_of(node: ast.AST) -> tuple[str | int | float | bool | None] | None:
    """The value of a literal in a tuple of one; None for anything else."""
    if isinstance(node, ast.Constant):
        return (node.value,) if isinstance(node.value, _PLAIN) else None
    if (
        isinstance(node, ast.UnaryOp)
        and isinstance(node.op, ast.USub)
        and isinstance(node.operand, ast.Constant)
    ):
        value = node.operand.value
        if isinstance(value, int | float):
            return (-value,)
    return None


def line_range(body: Sequence[ast.AST]) -> tuple[int, int]:
    """First and last line of a body."""
    first = body[0].lineno  # type: ignore[attr-defined]
    last = body[-1].end_lineno or first  # type: ignore[attr-defined]
    return (first, last)


def is_stub(body: Sequence[ast.stmt]) -> bool:
    """Whether a body only holds a docstring, `pass`, `...` or `raise NotImplementedError`."""
    for node in body:
        if isinstance(node, ast.Pass):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(node, ast.Raise) and node.exc is not None:
            exc = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if isinstance(exc, ast.Name) and exc.id == "NotImplementedError":
                continue
        return False
    return True


def returns_of(body: Sequence[ast.stmt]) -> list[ast.Return]:
    """The returns of a function itself, not those of functions nested in it."""
    found: list[ast.Return] = []
    stack: list[ast.AST] = list(body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Return):
            found.append(node)
        elif not isinstance(node, _APART):
            stack.extend(c for c in parts(node) if isinstance(c, _STATEMENTS))
    return sorted(found, key=lambda r: r.lineno)


def goes_on(handlers: Sequence[ast.ExceptHandler]) -> frozenset[str]:
    """The errors whose handler neither raises nor leaves the program; `Exception` for all."""
    found: set[str] = set()
    for handler in handlers:
        inside = [n for s in handler.body for n in walk(s)]
        leaves = any(
            isinstance(n, _LEAVES) or (isinstance(n, ast.Call) and _ends_program(n.func))
            for n in inside
        )
        if not leaves:
            found |= _caught(handler)
    return frozenset(found)


def _caught(handler: ast.ExceptHandler) -> set[str]:
    """The last names of the errors that a handler takes."""
    if handler.type is None:
        return {"Exception"}
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {t.attr if isinstance(t, ast.Attribute) else getattr(t, "id", "") for t in types}
    return {"Exception" if name == "BaseException" else name for name in names if name}


def only_tells(handlers: Sequence[ast.ExceptHandler]) -> bool:
    """Whether a handler takes a failed assertion and does no more than print or return."""
    for handler in handlers:
        caught = handler.type
        types = caught.elts if isinstance(caught, ast.Tuple) else [caught]
        names = {t.id for t in types if isinstance(t, ast.Name)}
        takes = caught is None or names & {"Exception", "BaseException", "AssertionError"}
        if takes and all(_tells(s) for s in handler.body):
            return True
    return False


def _tells(statement: ast.stmt) -> bool:
    if isinstance(statement, _QUIET):
        return True
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call):
        return isinstance(call, ast.Constant)
    func = call.func
    if isinstance(func, ast.Attribute):
        return func.attr in _LOGS or func.attr == "print_exc"
    return isinstance(func, ast.Name) and func.id == "print"


_LOGS = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "log"})


def _ends_program(func: ast.expr) -> bool:
    name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
    return name in {"exit", "_exit", "quit", "abort", "fail"}


def cannot_fail(test: ast.expr) -> bool:
    """Whether an assertion is true whatever the code does: a constant, a literal with itself."""
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if isinstance(test, ast.Tuple):
        return bool(test.elts)
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        left, right = test.left, test.comparators[0]
        if isinstance(left, ast.Constant) and isinstance(right, ast.Constant):
            return True
        return isinstance(test.ops[0], _HOLD_ALIKE) and alike(left, right)
    return False
