"""The reader of Python source: bytes -> `Module`, by the `ast` module and nothing executed."""

from __future__ import annotations

import ast
import warnings
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
    Module,
    Param,
    Raise,
    Text,
    Value,
)
from mlops_audit.model import Span

__all__ = ["read_python", "read_source"]

MAX_BYTES = 2_000_000
_TEXT = 300
_SEGMENTS = 8
# Annotations that say nothing about the methods of what they annotate.
_PLAIN_TYPES = frozenset(
    {"?", "None", "str", "int", "float", "bool", "dict", "list", "Any", "object", "typing.Any"}
)
_LOADERS = (".load", ".loads")
_VALUE_DEPTH = 4
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_OPS = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
    ast.In: "in", ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is not",
}  # fmt: skip
# Wrappers of a type that say nothing about the receiver's methods.
_TYPE_WRAPPERS = ("Optional", "Annotated", "Union", "Final", "ClassVar")


def read_python(path: str, data: bytes) -> Module:
    """Read one module. A file that does not parse gives a `Module` whose `error` says why."""
    if len(data) > MAX_BYTES:
        return Module(path, error=f"larger than {MAX_BYTES // 1_000_000} MB")
    return read_source(path, data)


def read_source(
    path: str,
    source: bytes,
    *,
    cells: Sequence[tuple[int, int]] = (),
    notebook: bool = False,
) -> Module:
    """Read source text; `cells` gives (flat line before the cell, cell number) of a notebook."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the audited code's own SyntaxWarnings
            tree = ast.parse(source)
        walker = _Walker(path, source, cells)
        walker.module(tree)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = f" at line {line}" if line else ""
        return Module(path, notebook=notebook, error=f"not valid Python{where}")
    except (RecursionError, MemoryError):
        return Module(path, notebook=notebook, error="nested too deeply to be read")
    return walker.result(tree, notebook=notebook)


class _Walker:
    """One walk over a syntax tree that collects all facts, keeping scope, guards and names."""

    def __init__(self, path: str, source: bytes, cells: Sequence[tuple[int, int]]) -> None:
        self.path = path
        self.source_lines = source.splitlines(keepends=True)
        self.cells = tuple(cells)
        self.scope = ""
        self.owner = ""
        self.guards: tuple[Guard, ...] = ()
        self.loops = 0
        self.tries = 0  # handlers around in the function that catch anything and go on
        self.targets: tuple[str, ...] = ()
        self.context = ""
        self.envs: list[dict[str, str]] = [{}]
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

    def result(self, tree: ast.Module, *, notebook: bool) -> Module:
        return Module(
            self.path,
            notebook=notebook,
            doc=ast.get_docstring(tree) or "",
            lines=len(self.source_lines),
            imports=tuple(self.imports),
            calls=tuple(self.calls),
            functions=tuple(self.functions),
            classes=tuple(self.classes),
            assigns=tuple(self.assigns),
            branches=tuple(self.branches),
            compares=tuple(self.compares),
            asserts=tuple(self.asserts),
            raises=tuple(self.raises),
            texts=tuple(self.texts),
            names=frozenset(self.names),
            main_line=self.main_line,
            cell_starts=self.cells,
        )

    # -- places and texts ------------------------------------------------------------------

    def span(self, node: ast.AST) -> Span:
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

    # -- names -----------------------------------------------------------------------------

    def lookup(self, name: str) -> str:
        for env in reversed(self.envs):
            if name in env:
                return env[name]
        return ""

    def resolve(self, node: ast.AST) -> str:
        """The dotted name of an expression as far as this module tells; `?` when unknown."""
        if isinstance(node, ast.Name):
            return self.lookup(node.id) or ("?" if self._is_local(node.id) else node.id)
        if isinstance(node, ast.Attribute):
            return self._resolve_attribute(node)
        if isinstance(node, ast.Call):
            return self.resolve(node.func)
        if isinstance(node, ast.Await | ast.Starred):
            return self.resolve(node.value)
        if isinstance(node, ast.Subscript):
            inner = self.resolve(node.value)
            return inner if inner not in {"?", ""} else "?"
        if isinstance(node, ast.BoolOp | ast.IfExp):
            options = node.values if isinstance(node, ast.BoolOp) else [node.body, node.orelse]
            return next((r for o in options if (r := self.resolve(o)) not in {"?", ""}), "?")
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return "str"
        return "?"

    def _is_local(self, name: str) -> bool:
        return any(name in env for env in self.envs)

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
        return _shorten(f"{inner}.{node.attr}" if not inner.endswith(".") else inner + node.attr)

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
        if isinstance(node, ast.Name | ast.Attribute):
            found = self.resolve(node)
            return "" if found in _PLAIN_TYPES else found
        return ""

    # -- values ----------------------------------------------------------------------------

    def value(self, node: ast.AST, depth: int = 0) -> Value:
        text = self.text(node)
        literal = _literal(node)
        if literal is not None:
            return Value(text, literal[0], is_literal=True)
        if depth > _VALUE_DEPTH:
            return Value(text)
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            return Value(text, items=tuple(self.value(e, depth + 1) for e in node.elts[:200]))
        if isinstance(node, ast.Dict):
            pairs = [(k, v) for k, v in zip(node.keys, node.values, strict=True)][:200]
            keys = tuple(_key(k, self) if k is not None else "**" for k, _ in pairs)
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
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Await):
            return Value(text, name=self.resolve(node))
        if isinstance(node, ast.JoinedStr):
            return Value(text, literal=None, name="str")
        if isinstance(node, ast.BinOp | ast.BoolOp | ast.IfExp | ast.Compare | ast.UnaryOp):
            parts = (c for c in ast.iter_child_nodes(node) if isinstance(c, ast.expr))
            return Value(text, items=tuple(self.value(c, depth + 1) for c in parts))
        return Value(text)

    # -- the walk --------------------------------------------------------------------------

    def module(self, tree: ast.Module) -> None:
        self._declare(tree.body, self.envs[0], "")
        self._mark_doc(tree)
        self.block(tree.body)

    def _declare(self, body: Iterable[ast.stmt], env: dict[str, str], prefix: str) -> None:
        """Bind what a body defines or imports, before walking it: uses may come first."""
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                env[node.name] = f":{prefix}{node.name}"
            elif isinstance(node, ast.If | ast.Try | ast.With):
                for part in ("body", "orelse", "finalbody"):
                    self._declare(getattr(node, part, []), env, prefix)
                for handler in getattr(node, "handlers", []):
                    self._declare(handler.body, env, prefix)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                self._bind_import(node, env)
            elif isinstance(node, ast.Assign) and len(node.targets) == 1 and not prefix:
                target = node.targets[0]
                if isinstance(target, ast.Name) and isinstance(node.value, ast.Constant):
                    # A constant set twice is no constant.
                    known = target.id in self.literals
                    value = node.value.value
                    self.literals[target.id] = (
                        value if isinstance(value, bool) and not known else None
                    )

    def _bind_import(self, node: ast.Import | ast.ImportFrom, env: dict[str, str]) -> None:
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

    def block(self, body: Iterable[ast.stmt]) -> None:
        saved = self.guards
        for node in body:
            self.statement(node)
            if isinstance(node, ast.Return | ast.Raise | ast.Continue | ast.Break):
                # What follows can never run.
                never = Guard("False", (), constant=False, negated=False, line=node.lineno)
                self.guards = (*self.guards, never)
        self.guards = saved

    def statement(self, node: ast.stmt) -> None:  # noqa: C901, PLR0912 -- one arm a kind of statement
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            self.function(node)
        elif isinstance(node, ast.ClassDef):
            self.klass(node)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            self.import_(node)
        elif isinstance(node, ast.If):
            self.if_(node)
        elif isinstance(node, ast.While):
            self.while_(node)
        elif isinstance(node, ast.For | ast.AsyncFor):
            self.expression(node.iter)
            self._bind_target(node.target, "")
            self._inner_loop(node.body)
            self.block(node.orelse)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            self.assign(node)
        elif isinstance(node, ast.With | ast.AsyncWith):
            self.with_(node)
        elif isinstance(node, ast.Assert):
            self.assertion(node)
        elif isinstance(node, ast.Raise):
            self.raise_(node)
        elif isinstance(node, ast.Try | ast.TryStar):
            self.tries += _goes_on(node.handlers)
            self.block(node.body)
            self.tries -= _goes_on(node.handlers)
            for handler in node.handlers:
                self.block(handler.body)
            self.block(node.orelse)
            self.block(node.finalbody)
        elif isinstance(node, ast.Match):
            self.expression(node.subject)
            for case in node.cases:
                self.block(case.body)
        elif isinstance(node, ast.Return):
            self.targets = ()
            if node.value is not None:
                self.expression(node.value)
        else:
            for child in ast.iter_child_nodes(node):
                self.expression(child)

    def import_(self, node: ast.Import | ast.ImportFrom) -> None:
        self._bind_import(node, self.envs[-1])
        span = self.span(node)
        if isinstance(node, ast.Import):
            for a in node.names:
                self.imports.append(Import(a.name, "", a.asname or a.name, span, self.scope))
            return
        module = "." * node.level + (node.module or "")
        for a in node.names:
            self.imports.append(Import(module, a.name, a.asname or a.name, span, self.scope))

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        qualname = (
            f"{self.scope or self.owner}.{node.name}".lstrip(".")
            if (self.scope or self.owner)
            else node.name
        )
        self.envs[-1].setdefault(node.name, f":{qualname}")
        self._mark_doc(node)
        decorators = tuple(self._decorator(d, qualname) for d in node.decorator_list)
        params = self._params(node.args)
        self.functions.append(
            Function(
                qualname,
                self.span(node),
                node.end_lineno or node.lineno,
                params=params,
                decorators=decorators,
                doc=ast.get_docstring(node) or "",
                is_async=isinstance(node, ast.AsyncFunctionDef),
                stub=_is_stub(node.body),
                owner=self.owner if not self.scope else "",
                returns=tuple(
                    self.value(r.value) for r in _returns(node.body) if r.value is not None
                ),
                annotation=self.text(node.returns) if node.returns is not None else "",
            )
        )
        env = {p.name: p.annotation for p in params}
        saved = (self.scope, self.guards, self.loops, self.owner, self.targets)
        self.scope, self.guards, self.loops, self.targets = qualname, (), 0, ()
        tries, self.tries = self.tries, 0
        self.envs.append(env)
        self._declare(node.body, env, f"{qualname}.")
        self.block(node.body)
        self.envs.pop()
        self.scope, self.guards, self.loops, self.owner, self.targets = saved
        self.tries = tries

    def _params(self, args: ast.arguments) -> tuple[Param, ...]:
        plain = [*args.posonlyargs, *args.args]
        defaults: list[ast.expr | None] = [None] * (len(plain) - len(args.defaults))
        defaults += args.defaults
        pairs = [
            *zip(plain, defaults, strict=True),
            *zip(args.kwonlyargs, args.kw_defaults, strict=True),
        ]
        pairs += [(a, None) for a in (args.vararg, args.kwarg) if a is not None]
        found = []
        for arg, default in pairs:
            if default is not None:
                self.expression(default)
            if arg.annotation is not None:
                self.expression(arg.annotation)
            value = self.value(default) if default is not None else None
            written = self.text(arg.annotation) if arg.annotation is not None else ""
            found.append(Param(arg.arg, self.annotation(arg.annotation), value, written))
        return tuple(found)

    def _decorator(self, node: ast.expr, qualname: str) -> str:
        name = self.resolve(node)
        if isinstance(node, ast.Call):
            before = len(self.calls)
            self.expression(node)
            # The outermost call is appended first; mark it as the decorator.
            if before < len(self.calls):
                self.calls[before] = _decorating(self.calls[before], qualname)
        else:
            self.names.add(name.rsplit(".", 1)[-1])
            receiver, _, _ = self.text(node).rpartition(".")
            self.calls.append(
                Call(name, receiver, (), (), self.span(node), node.end_lineno or node.lineno,
                     self.scope, self.guards, self.loops, decorates=qualname, text=self.text(node))
            )  # fmt: skip
        return name

    def klass(self, node: ast.ClassDef) -> None:
        qualname = (
            f"{self.scope or self.owner}.{node.name}" if (self.scope or self.owner) else node.name
        )
        self._mark_doc(node)
        decorators = tuple(self._decorator(d, qualname) for d in node.decorator_list)
        for base in [*node.bases, *(k.value for k in node.keywords)]:
            self.expression(base)
        fields: list[Param] = []
        for item in node.body:
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                default = self.value(item.value) if item.value is not None else None
                fields.append(Param(item.target.id, self.text(item.annotation), default))
            elif isinstance(item, ast.Assign):
                fields += [
                    Param(t.id, "", self.value(item.value))
                    for t in item.targets
                    if isinstance(t, ast.Name)
                ]
        self.classes.append(
            Class(
                qualname,
                self.span(node),
                node.end_lineno or node.lineno,
                bases=tuple(self.resolve(b) for b in node.bases),
                decorators=decorators,
                fields=tuple(fields),
                doc=ast.get_docstring(node) or "",
            )
        )
        saved = (self.owner, self.scope)
        self.owner, self.scope = qualname, ""
        self.attributes[qualname] = {}
        self._learn_attributes(node, qualname)
        self.envs.append({})
        self.block(node.body)
        self.envs.pop()
        self.owner, self.scope = saved

    def _learn_attributes(self, node: ast.ClassDef, qualname: str) -> None:
        """Types of `self.x`, from constructors, annotated parameters and fields."""
        known = self.attributes[qualname]
        for item in node.body:
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                known[item.target.id] = self.annotation(item.annotation)
            if not isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            types = {a.arg: self.annotation(a.annotation) for a in item.args.args}
            for inner in ast.walk(item):
                if not isinstance(inner, ast.Assign | ast.AnnAssign) or inner.value is None:
                    continue
                targets = inner.targets if isinstance(inner, ast.Assign) else [inner.target]
                for target in targets:
                    if (
                        isinstance(target, ast.Attribute)
                        and isinstance(target.value, ast.Name)
                        and target.value.id == "self"
                    ):
                        name = self._constructed(inner.value, types)
                        # A loader gives any type; the constructor in the other branch names it.
                        held = known.get(target.attr)
                        if name and (held is None or held.endswith(_LOADERS)):
                            known[target.attr] = name

    def _constructed(self, node: ast.expr, types: dict[str, str]) -> str:
        if isinstance(node, ast.Name):
            return types.get(node.id, "")
        if isinstance(node, ast.Call):
            found = self.resolve(node.func)
            return "" if found.startswith("?") else found
        return ""

    def if_(self, node: ast.If) -> None:
        guard = self._guard(node.test)
        if self.main_line is None and "__name__" in guard.names and not self.scope:
            self.main_line = node.lineno
        self.expression(node.test)
        self._branch("if", node.test, node.body, node.orelse, node, guard)
        saved = self.guards
        self.guards = (*saved, guard) if "__name__" not in guard.names else saved
        self.block(node.body)
        self.guards = (
            *saved,
            Guard(guard.text, guard.names, guard.constant, not guard.negated, guard.line),
        )
        self.block(node.orelse)
        self.guards = saved

    def while_(self, node: ast.While) -> None:
        self.expression(node.test)
        guard = self._guard(node.test)
        self._branch("while", node.test, node.body, node.orelse, node, guard)
        self._inner_loop(node.body)
        self.block(node.orelse)

    def _inner_loop(self, body: list[ast.stmt]) -> None:
        self.loops += 1
        self.block(body)
        self.loops -= 1

    def _branch(self, kind: str, test: ast.expr, body: Sequence[ast.AST], orelse: Sequence[ast.AST],
                node: ast.AST, guard: Guard) -> None:  # fmt: skip
        self.branches.append(
            Branch(
                kind,
                guard.text,
                guard.names,
                tuple(
                    c
                    for part in ast.walk(test)
                    if isinstance(part, ast.Compare)
                    for c in self._comparisons(part)
                ),
                self.span(node),
                _range(body),
                _range(orelse) if orelse else None,
                self.scope,
                self.guards,
                guard.constant,
            )
        )

    def _guard(self, test: ast.expr) -> Guard:
        names = tuple(dict.fromkeys(
            n.id if isinstance(n, ast.Name) else n.attr
            for n in ast.walk(test) if isinstance(n, ast.Name | ast.Attribute)
        ))  # fmt: skip
        return Guard(self.text(test), names, self._constant(test), negated=False, line=test.lineno)

    def _constant(self, test: ast.expr) -> bool | None:
        """The truth of a test that the module fixes: a literal, or a name bound once to a bool."""
        if isinstance(test, ast.Constant):
            return bool(test.value)
        if isinstance(test, ast.Name) and not self._shadowed(test.id):
            return self.literals.get(test.id)
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            inner = self._constant(test.operand)
            return None if inner is None else not inner
        if isinstance(test, ast.BoolOp):
            decides = isinstance(test.op, ast.Or)  # one such part decides, whatever the others are
            parts = [self._constant(v) for v in test.values]
            if decides in parts:
                return decides
            return None if None in parts else not decides
        # A value compared with itself; `x == x` and `x != x` ask for NaN.
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            same = ast.dump(test.left) == ast.dump(test.comparators[0])
            if same and isinstance(test.ops[0], ast.LtE | ast.GtE | ast.Lt | ast.Gt):
                return isinstance(test.ops[0], ast.LtE | ast.GtE)
        return None

    def _shadowed(self, name: str) -> bool:
        return any(name in env for env in self.envs[1:])

    def assign(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> None:
        if node.value is None:
            return
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        texts = tuple(self.text(t) for t in targets)
        flat = tuple(
            self.text(e)
            for t in targets
            for e in (t.elts if isinstance(t, ast.Tuple | ast.List) else [t])
        )
        self.assigns.append(
            Assign(flat or texts, self.value(node.value), self.span(node), self.scope, self.guards,
                   augmented=isinstance(node, ast.AugAssign))
        )  # fmt: skip
        saved = (self.targets, self.context)
        self.targets, self.context = flat, flat[0] if flat else ""
        self.expression(node.value)
        self.targets, self.context = saved
        for target in targets:
            if not isinstance(target, ast.Name):
                self.expression(target)
        inferred = self._inferred(node.value)
        if isinstance(node, ast.AnnAssign):
            inferred = self.annotation(node.annotation) or inferred
        if not isinstance(node, ast.AugAssign):
            for target in targets:
                self._bind_target(target, inferred)

    def _inferred(self, node: ast.expr) -> str:
        """What a variable holds, as a dotted name: its constructor, function result or alias."""
        if isinstance(
            node,
            ast.Call
            | ast.Await
            | ast.Name
            | ast.Attribute
            | ast.Subscript
            | ast.IfExp
            | ast.BoolOp,
        ):
            found = self.resolve(node)
            return "" if found.startswith("?") else found
        return ""

    def _bind_target(self, target: ast.expr, name: str) -> None:
        if isinstance(target, ast.Name):
            # Rebinding to something unknown hides what was known, also for later lines.
            known = self.envs[-1].get(target.id, "")
            if name or not known.startswith(":"):
                self.envs[-1][target.id] = name
        elif isinstance(target, ast.Tuple | ast.List):
            for item in target.elts:
                self._bind_target(item, name if name and not name.startswith(":") else "")
        elif isinstance(target, ast.Starred):
            self._bind_target(target.value, "")

    def with_(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            self.expression(item.context_expr)
            if item.optional_vars is not None:
                self._bind_target(item.optional_vars, self._inferred(item.context_expr))
        self.block(node.body)

    def assertion(self, node: ast.Assert) -> None:
        guard = self._guard(node.test)
        compares = tuple(
            c
            for part in ast.walk(node.test)
            if isinstance(part, ast.Compare)
            for c in self._comparisons(part)
        )
        self.expression(node.test)
        self.asserts.append(
            Assert(guard.text, guard.names, compares, self.span(node), self.scope,
                   constant=_cannot_fail(node.test), guards=self.guards)
        )  # fmt: skip

    def raise_(self, node: ast.Raise) -> None:
        name = self.resolve(node.exc) if node.exc is not None else ""
        text = self.text(node)
        self.raises.append(
            Raise(
                name,
                self.span(node),
                self.scope,
                self.guards,
                text,
                swallowed=self.tries > 0 and node.exc is not None,
            )
        )
        if node.exc is not None:
            self.expression(node.exc)

    # -- expressions -----------------------------------------------------------------------

    def expression(self, node: ast.AST) -> None:  # noqa: C901, PLR0912 -- one arm a kind of expression
        if isinstance(node, ast.Call):
            self.call(node)
            return
        if isinstance(node, ast.Name):
            self.names.add(node.id)
            return
        if isinstance(node, ast.Attribute):
            self.names.add(node.attr)
        elif isinstance(node, ast.Constant):
            if isinstance(node.value, str) and node.value:
                self._string(node.value, node)
            return
        elif isinstance(node, ast.JoinedStr):
            parts = [v.value if isinstance(v, ast.Constant) else "{}" for v in node.values]
            self._string("".join(str(p) for p in parts), node)
            for v in node.values:
                if isinstance(v, ast.FormattedValue):
                    self.expression(v.value)
            return
        elif isinstance(node, ast.Compare):
            self.compares.extend(self._comparisons(node))
        elif isinstance(node, ast.IfExp):
            guard = self._guard(node.test)
            self._branch("ifexp", node.test, [node.body], [node.orelse], node, guard)
        elif isinstance(node, ast.Lambda):
            saved = self.targets
            self.targets = ()
            self.envs.append({a.arg: "" for a in node.args.args})
            self.expression(node.body)
            self.envs.pop()
            self.targets = saved
            return
        elif isinstance(node, _COMPREHENSIONS):
            self.envs.append({})
            for generator in node.generators:
                self.expression(generator.iter)
                self._bind_target(generator.target, "")
            self.loops += 1
            for child in ast.iter_child_nodes(node):
                if not isinstance(child, ast.comprehension):
                    self.expression(child)
            for generator in node.generators:
                for test in generator.ifs:
                    self.expression(test)
            self.loops -= 1
            self.envs.pop()
            return
        elif isinstance(node, ast.NamedExpr):
            self.expression(node.value)
            self._bind_target(node.target, self._inferred(node.value))
            return
        elif isinstance(node, ast.Dict):
            for key, item in zip(node.keys, node.values, strict=True):
                saved_context = self.context
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    self.context = key.value
                elif key is not None:
                    self.expression(key)
                self.expression(item)
                self.context = saved_context
            return
        for child in ast.iter_child_nodes(node):
            self.expression(child)

    def call(self, node: ast.Call) -> None:
        func = node.func
        name = self.resolve(func)
        if name == "?":
            name = f"?.{func.id}" if isinstance(func, ast.Name) else "?.()"
        receiver = self.text(func.value) if isinstance(func, ast.Attribute) else ""
        self.calls.append(
            Call(
                name,
                receiver,
                tuple(self.value(a) for a in node.args[:60]),
                tuple((k.arg or "**", self.value(k.value)) for k in node.keywords),
                self.span(node if not isinstance(func, ast.Attribute) else _attribute_place(func)),
                node.end_lineno or node.lineno,
                self.scope,
                self.guards,
                self.loops,
                self.targets,
                text=self.text(node),
            )
        )
        saved = (self.targets, self.context)
        self.targets = ()
        if isinstance(func, ast.Attribute):
            self.names.add(func.attr)
            self.expression(func.value)
        else:
            self.expression(func)
        for arg in node.args:
            self.expression(arg)
        for keyword in node.keywords:
            self.context = keyword.arg or ""
            self.expression(keyword.value)
        self.targets, self.context = saved

    def _comparisons(self, node: ast.Compare) -> list[Compare]:
        sides = [node.left, *node.comparators]
        return [
            Compare(
                self.value(a),
                _OPS.get(type(op), "?"),
                self.value(b),
                self.span(node),
                self.scope,
                self.guards,
            )
            for a, op, b in zip(sides, node.ops, sides[1:], strict=False)
        ]

    def _string(self, value: str, node: ast.AST) -> None:
        self.texts.append(
            Text(
                value[:20_000],
                self.span(node),
                self.scope,
                doc=id(node) in self.docs,
                context=self.context,
            )
        )

    def _mark_doc(
        self, node: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    ) -> None:
        if (
            node.body
            and isinstance(node.body[0], ast.Expr)
            and isinstance(node.body[0].value, ast.Constant)
        ):
            self.docs.add(id(node.body[0].value))


def _attribute_place(node: ast.Attribute) -> ast.AST:
    """Where the method's name stands: the last line of its receiver, in a chain over lines."""
    place = ast.Name(id=node.attr)
    place.lineno = node.end_lineno or node.lineno
    return place


def _decorating(call: Call, qualname: str) -> Call:
    return Call(
        call.name, call.receiver, call.args, call.kwargs, call.span, call.end_line, call.scope,
        call.guards, call.loops, call.targets, qualname, call.text,
    )  # fmt: skip


def _shorten(name: str) -> str:
    """Bound a name that grew by fluent chains: its root and its last segment tell enough."""
    parts = name.split(".")
    return name if len(parts) <= _SEGMENTS else ".".join([*parts[:3], parts[-1]])


def _literal(node: ast.AST) -> tuple[str | int | float | bool | None] | None:
    if isinstance(node, ast.Constant) and isinstance(
        node.value, str | int | float | bool | type(None)
    ):
        return (node.value,)
    if (
        isinstance(node, ast.UnaryOp)
        and isinstance(node.op, ast.USub)
        and isinstance(node.operand, ast.Constant)
    ):
        value = node.operand.value
        if isinstance(value, int | float):
            return (-value,)
    return None


def _key(node: ast.expr, walker: _Walker) -> str:
    return (
        node.value
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        else walker.text(node)
    )


def _range(body: Sequence[ast.AST]) -> tuple[int, int]:
    first = body[0].lineno  # type: ignore[attr-defined]
    last = body[-1].end_lineno or first  # type: ignore[attr-defined]
    return (first, last)


def _is_stub(body: Sequence[ast.stmt]) -> bool:
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


def _returns(body: Sequence[ast.stmt]) -> list[ast.Return]:
    """The returns of a function itself, not those of functions nested in it."""
    found: list[ast.Return] = []
    stack: list[ast.AST] = list(body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Return):
            found.append(node)
        elif not isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
        ):
            stack.extend(
                c
                for c in ast.iter_child_nodes(node)
                if isinstance(c, ast.stmt | ast.ExceptHandler | ast.match_case)
            )
    return sorted(found, key=lambda r: r.lineno)


def _goes_on(handlers: Sequence[ast.ExceptHandler]) -> bool:
    """Whether a handler catches every error and neither raises nor leaves the program."""
    for handler in handlers:
        caught = handler.type
        named = caught.id if isinstance(caught, ast.Name) else ""
        if caught is not None and named not in {"Exception", "BaseException"}:
            continue
        inside = [n for s in handler.body for n in ast.walk(s)]
        leaves = any(
            isinstance(n, ast.Raise | ast.Return)
            or (isinstance(n, ast.Call) and _ends_program(n.func))
            for n in inside
        )
        if not leaves:
            return True
    return False


def _ends_program(func: ast.expr) -> bool:
    name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
    return name in {"exit", "_exit", "quit", "abort", "fail"}


def _cannot_fail(test: ast.expr) -> bool:
    """Whether an assertion is true whatever the code does: a constant, a literal with itself."""
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if isinstance(test, ast.Tuple):
        return bool(test.elts)
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        left, right = test.left, test.comparators[0]
        if isinstance(left, ast.Constant) and isinstance(right, ast.Constant):
            return True
        return ast.dump(left) == ast.dump(right) and isinstance(
            test.ops[0], ast.Eq | ast.Is | ast.LtE | ast.GtE
        )
    return False
