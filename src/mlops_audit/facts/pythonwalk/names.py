"""Places, texts, names and values: what an expression is called and what it holds."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from mlops_audit.facts.code import (
    Assert,
    Assign,
    Branch,
    Call,
    Class,
    Compare,
    Function,
    Guard,
    Import,
    Raise,
    Text,
    Value,
)
from mlops_audit.facts.pythonwalk.nodes import parts
from mlops_audit.facts.pythonwalk.shapes import literal_of, shorten
from mlops_audit.model import Span

__all__ = ["Names"]

_TEXT = 300
# Kinds of nodes, put together once: this is asked of every node of every file.
_WRAPPERS = (ast.Await, ast.Starred)
_CHOICES = (ast.BoolOp, ast.IfExp)
_NAMES = (ast.Name, ast.Attribute)
_NAMED = (*_NAMES, ast.Subscript, ast.Await)
_HOLDING = (*_NAMED, *_CHOICES, ast.Call)
_UNPACKED = (ast.Tuple, ast.List)
_SEQUENCES = (*_UNPACKED, ast.Set)
_JOINED = (*_CHOICES, ast.BinOp, ast.Compare, ast.UnaryOp)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_BLOCKS = (ast.If, ast.Try, ast.With)
_IMPORTS = (ast.Import, ast.ImportFrom)
# Annotations that say nothing about the methods of what they annotate.
_PLAIN_TYPES = frozenset(
    {"?", "None", "str", "int", "float", "bool", "dict", "list", "Any", "object", "typing.Any"}
)
_VALUE_DEPTH = 4
# Wrappers of a type that say nothing about the receiver's methods.
_TYPE_WRAPPERS = ("Optional", "Annotated", "Union", "Final", "ClassVar")


class Names:
    """What the walk has collected and where it is: scope, guards, loops, names in reach."""

    def __init__(self, path: str, source: bytes, cells: Sequence[tuple[int, int]]) -> None:
        self.path = path
        self.source_lines = source.splitlines(keepends=True)
        self.cells = tuple(cells)
        self.scope = ""
        self.owner = ""
        self.guards: tuple[Guard, ...] = ()
        self.loops = 0
        self.tries: frozenset[str] = frozenset()  # errors that handlers around take and go on
        self.told = 0  # handlers around in the function that only tell of a failed assertion
        self.targets: tuple[str, ...] = ()
        self.context = ""
        self.envs: list[dict[str, str]] = [{}]
        self.shared: set[str] = set()  # module names that functions set through `global`
        self.attributes: dict[str, dict[str, str]] = {}
        self.literals: dict[str, bool | None] = {}
        self.imports: list[Import] = []
        self.calls: list[Call] = []
        self.functions: list[Function] = []
        self.classes: list[Class] = []
        self.assigns: list[Assign] = []
        self.branches: list[Branch] = []
        self.compares: list[Compare] = []
        self.asserts: list[Assert] = []
        self.raises: list[Raise] = []
        self.texts: list[Text] = []
        self.names: set[str] = set()
        self.main_line: int | None = None
        self.docs: set[int] = set()

    def span(self, node: ast.AST) -> Span:
        """Where a node stands, in a notebook by its cell."""
        line: int = getattr(node, "lineno", 1)
        for base, cell in reversed(self.cells):
            if line > base:
                return Span(self.path, line - base, cell)
        return Span(self.path, line)

    def text(self, node: ast.AST) -> str:
        """The source of a node, cut to `_TEXT` characters; cheaper than `ast.unparse`."""
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1  # type: ignore[attr-defined]
        start, end = node.col_offset, node.end_col_offset or 0  # type: ignore[attr-defined]
        if first >= len(self.source_lines):
            return ""
        if first == last:
            raw: bytes = self.source_lines[first][start:end]
        else:
            parts = [self.source_lines[first][start:]]
            parts += self.source_lines[first + 1 : min(last, first + 8)]
            if last < len(self.source_lines):
                parts.append(self.source_lines[last][:end])
            raw = b"".join(parts)
        return raw[: 4 * _TEXT].decode("utf-8", "replace")[:_TEXT]

    def lookup(self, name: str) -> str:
        """What a bare name stands for here, empty when nothing tells."""
        for env in reversed(self.envs):
            if name in env:
                return env[name]
        return ""

    def resolve(self, node: ast.AST) -> str:
        """The dotted name of an expression as far as this module tells; `?` when unknown."""
        if isinstance(node, ast.Name):
            for env in reversed(self.envs):
                if node.id in env:
                    return env[node.id] or "?"
            return node.id
        if isinstance(node, ast.Attribute):
            return self._resolve_attribute(node)
        if isinstance(node, ast.Call):
            return self.resolve(node.func)
        if isinstance(node, _WRAPPERS):
            return self.resolve(node.value)
        if isinstance(node, ast.Subscript):
            inner = self.resolve(node.value)
            return inner if inner not in {"?", ""} else "?"
        if isinstance(node, _CHOICES):
            options = node.values if isinstance(node, ast.BoolOp) else [node.body, node.orelse]
            return next((r for o in options if (r := self.resolve(o)) not in {"?", ""}), "?")
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return "str"
        return "?"

    def _resolve_attribute(self, node: ast.Attribute) -> str:
        base = node.value
        if isinstance(base, ast.Name) and base.id in {"self", "cls"} and self.owner:
            known = self.attributes.get(self.owner, {}).get(node.attr)
            return known or f":{self.owner}.{node.attr}"
        if (
            isinstance(base, ast.Call)
            and isinstance(base.func, ast.Name)
            and base.func.id == "super"
        ):
            return f"super.{node.attr}"
        inner = self.resolve(base)
        if not inner or inner == "?":
            return f"?.{node.attr}"
        return shorten(f"{inner}.{node.attr}" if not inner.endswith(".") else inner + node.attr)

    def annotation(self, node: ast.AST | None) -> str:
        """The resolved name of a type, unwrapped from Optional, unions and quotes."""
        if node is None:
            return ""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            head = node.value.split("[", 1)[0].split("|", 1)[0].strip()
            root, _, rest = head.partition(".")
            known = self.lookup(root)
            return (f"{known}.{rest}" if rest else known) if known else ""
        if isinstance(node, ast.BinOp):
            return self.annotation(node.left) or self.annotation(node.right)
        if isinstance(node, ast.Subscript):
            outer = self.resolve(node.value)
            if outer.rsplit(".", 1)[-1] in _TYPE_WRAPPERS:
                inner = (
                    node.slice.elts[0]
                    if isinstance(node.slice, ast.Tuple) and node.slice.elts
                    else node.slice
                )
                return self.annotation(inner)
            return outer
        if isinstance(node, _NAMES):
            found = self.resolve(node)
            return "" if found in _PLAIN_TYPES else found
        return ""

    def value(self, node: ast.AST, depth: int = 0) -> Value:
        """An argument or right side as a typed value, to a bounded depth."""
        text = self.text(node)
        literal = literal_of(node)
        if literal is not None:
            return Value(text, literal[0], is_literal=True)
        if depth > _VALUE_DEPTH:
            return Value(text)
        if isinstance(node, _SEQUENCES):
            return Value(text, items=tuple(self.value(e, depth + 1) for e in node.elts[:200]))
        if isinstance(node, ast.Dict):
            pairs = [(k, v) for k, v in zip(node.keys, node.values, strict=True)][:200]
            keys = tuple(self._key(k) if k is not None else "**" for k, _ in pairs)
            return Value(text, items=tuple(self.value(v, depth + 1) for _, v in pairs), keys=keys)
        if isinstance(node, ast.Call):
            return Value(
                text,
                name=self.resolve(node.func),
                is_call=True,
                items=tuple(self.value(a, depth + 1) for a in node.args[:40]),
                kwargs=tuple(
                    (k.arg or "**", self.value(k.value, depth + 1)) for k in node.keywords
                ),
            )
        if isinstance(node, _NAMED):
            return Value(text, name=self.resolve(node))
        if isinstance(node, ast.JoinedStr):
            return Value(text, literal=None, name="str")
        if isinstance(node, _JOINED):
            return Value(text, items=tuple(self.value(c, depth + 1) for c in parts(node)))
        return Value(text)

    def declare(self, body: Iterable[ast.stmt], env: dict[str, str], prefix: str) -> None:
        """Bind what a body defines or imports, before walking it: uses may come first."""
        for node in body:
            if isinstance(node, _DEFINITIONS):
                env[node.name] = f":{prefix}{node.name}"
            elif isinstance(node, _BLOCKS):
                for part in ("body", "orelse", "finalbody"):
                    self.declare(getattr(node, part, []), env, prefix)
                for handler in getattr(node, "handlers", []):
                    self.declare(handler.body, env, prefix)
            elif isinstance(node, _IMPORTS):
                self.bind_import(node, env)
            elif isinstance(node, ast.Assign) and len(node.targets) == 1 and not prefix:
                target = node.targets[0]
                if isinstance(target, ast.Name) and isinstance(node.value, ast.Constant):
                    # A constant set twice is no constant.
                    known = target.id in self.literals
                    value = node.value.value
                    self.literals[target.id] = (
                        value if isinstance(value, bool) and not known else None
                    )

    def bind_import(self, node: ast.Import | ast.ImportFrom, env: dict[str, str]) -> None:
        """Bind the names that an import brings."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                env[alias.asname or alias.name.split(".", 1)[0]] = (
                    alias.name if alias.asname else alias.name.split(".", 1)[0]
                )
            return
        module = "." * node.level + (node.module or "")
        joint = "" if module.endswith(".") else "."
        for alias in node.names:
            if alias.name != "*":
                env[alias.asname or alias.name] = f"{module}{joint}{alias.name}"

    def inferred(self, node: ast.expr) -> str:
        """What a variable holds, as a dotted name: its constructor, function result or alias."""
        if isinstance(node, _HOLDING):
            # A factory of the class gives an object of it: `Trainer.from_argparse_args(args)`.
            found = self.resolve(node).removesuffix(".from_argparse_args")
            return "" if found.startswith("?") else found
        return ""

    def bind_target(self, target: ast.expr, name: str) -> None:
        """Bind what an assignment, loop or `with` gives a name."""
        if isinstance(target, ast.Name):
            # Rebinding to something unknown hides what was known, also for later lines.
            known = self.envs[-1].get(target.id, "")
            kept = known.startswith(":") or (len(self.envs) == 1 and target.id in self.shared)
            if name or not kept:
                self.envs[-1][target.id] = name
        elif isinstance(target, _UNPACKED):
            for item in target.elts:
                self.bind_target(item, name if name and not name.startswith(":") else "")
        elif isinstance(target, ast.Starred):
            self.bind_target(target.value, "")

    def _key(self, node: ast.expr) -> str:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        return self.text(node)
