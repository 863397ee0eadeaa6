"""Small Python files that are settings (noxfile, setup.py, tasks.py): a guarded parse, literals."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Mapping

__all__ = ["constants", "dotted", "literal_words", "parse_python", "text_of", "walk_body"]

_MAX_BYTES = 512 * 1024
_MAX_DEPTH = 40


def parse_python(data: bytes | str) -> ast.Module | None:
    """Parse a file, or say None where it is no Python (or too large, or too deep)."""
    if len(data) > _MAX_BYTES:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the audited code's own SyntaxWarnings
            return ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def dotted(node: ast.expr) -> str:
    """`a.b.c` of a name or attribute, else an empty string."""
    parts: list[str] = []
    for _ in range(_MAX_DEPTH):
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Name):
            return ".".join([node.id, *reversed(parts)])
        else:
            return ""
    return ""


Values = Mapping[str, ast.expr]


def constants(tree: ast.Module) -> dict[str, ast.expr]:
    """The module's names that are assigned once at its top."""
    found: dict[str, ast.expr] = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                name = dotted(target)
                if name:
                    found[name] = statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            name = dotted(statement.target)
            if name:
                found[name] = statement.value
    return found


def text_of(node: ast.expr | None, values: Values, depth: int = 0) -> str:
    """A string expression as text; what only a run would know stands as `{expression}`."""
    if node is None or depth > _MAX_DEPTH:
        return ""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.Name) and node.id in values:
        return text_of(values[node.id], values, depth + 10)
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part, values, depth + 1) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return text_of(node.value, values, depth + 1)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return text_of(node.left, values, depth + 1) + text_of(node.right, values, depth + 1)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        left, right = (text_of(n, values, depth + 1) for n in (node.left, node.right))
        return f"{left}/{right}"
    if (
        isinstance(node, ast.Call)
        and node.args
        and dotted(node.func) in {"str", "Path", "pathlib.Path"}
    ):
        return text_of(node.args[0], values, depth + 1)
    try:
        return "{" + ast.unparse(node)[:80] + "}"
    except (RecursionError, ValueError):
        return "{…}"


def literal_words(nodes: list[ast.expr], values: Values, depth: int = 0) -> list[str]:
    """Arguments as words: lists and starred names are spread, unknown starred ones left out."""
    words: list[str] = []
    for node in nodes[:200]:
        inner: ast.expr = node.value if isinstance(node, ast.Starred) else node
        if isinstance(inner, ast.Name) and inner.id in values:
            inner = values[inner.id]
        if isinstance(inner, (ast.List, ast.Tuple, ast.Set)) and depth < 4:  # noqa: PLR2004 -- bound
            words.extend(literal_words(list(inner.elts), values, depth + 1))
        elif isinstance(inner, ast.BinOp) and depth < 4 and _is_list(inner, values):  # noqa: PLR2004
            words.extend(literal_words([inner.left, inner.right], values, depth + 1))
        elif not isinstance(node, ast.Starred):
            words.append(text_of(inner, values))
    return words


def _is_list(node: ast.BinOp, values: Values) -> bool:
    sides = [values.get(n.id, n) if isinstance(n, ast.Name) else n for n in (node.left, node.right)]
    return any(isinstance(n, (ast.List, ast.Tuple)) for n in sides)


def walk_body(body: list[ast.stmt]) -> Iterator[tuple[ast.stmt, str, bool]]:
    """Statements in order with the `if` around them and whether a `try` swallows failures.

    Compound statements are entered; nested functions and classes are not.
    """
    stack: list[tuple[ast.stmt, str, bool]] = [(s, "", False) for s in reversed(body)]
    while stack:
        statement, condition, soft = stack.pop()
        yield statement, condition, soft
        inner: list[tuple[ast.stmt, str, bool]] = []
        if isinstance(statement, ast.If):
            try:
                test = ast.unparse(statement.test)[:120]
            except (RecursionError, ValueError):
                test = "…"
            inner += [(s, test, soft) for s in statement.body]
            inner += [(s, f"not ({test})", soft) for s in statement.orelse]
        elif isinstance(statement, ast.Try):
            swallows = bool(statement.handlers) and not any(
                isinstance(s, ast.Raise) for h in statement.handlers for s in ast.walk(h)
            )
            inner += [(s, condition, soft or swallows) for s in statement.body]
            inner += [(s, condition, soft) for s in (*statement.orelse, *statement.finalbody)]
        elif isinstance(statement, (ast.For, ast.While, ast.With, ast.AsyncFor, ast.AsyncWith)):
            inner += [(s, condition, soft) for s in statement.body]
        stack.extend(reversed(inner))
