"""The reader of Python source: bytes -> `Module`, by the `ast` module and nothing executed."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterable, Sequence

from mlops_audit.facts.code import Assert, Assign, Guard, Import, Module, Raise
from mlops_audit.facts.pythonwalk.definitions import Definitions
from mlops_audit.facts.pythonwalk.nodes import parts, walk
from mlops_audit.facts.pythonwalk.shapes import cannot_fail, goes_on, only_tells

__all__ = ["read_python", "read_source"]

MAX_BYTES = 2_000_000


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
    extend: Callable[[ast.Module], None] | None = None,
) -> Module:
    """Read source text; `cells` gives (flat line before the cell, cell number) of a notebook.

    `extend` may add to the syntax tree what a language that builds on Python knows besides.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the audited code's own SyntaxWarnings
            tree = ast.parse(source)
        if extend is not None:
            extend(tree)
        walker = _Walker(path, source, cells)
        walker.module(tree)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = f" at line {line}" if line else ""
        return Module(path, notebook=notebook, error=f"not valid Python{where}")
    except (RecursionError, MemoryError):
        return Module(path, notebook=notebook, error="nested too deeply to be read")
    return walker.result(tree, notebook=notebook)


_LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_IMPORTS = (ast.Import, ast.ImportFrom)
_FORS = (ast.For, ast.AsyncFor)
_ASSIGNS = (ast.Assign, ast.AnnAssign, ast.AugAssign)
_WITHS = (ast.With, ast.AsyncWith)
_TRIES = (ast.Try, ast.TryStar)
_UNPACKED = (ast.Tuple, ast.List)


class _Walker(Definitions):
    """One walk over a syntax tree that collects all facts, statement by statement."""

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
            main_line=self.main_line or self._from_platform(),
            cell_starts=self.cells,
        )

    def _from_platform(self) -> int | None:
        """The first line of a notebook that Databricks keeps as source: all of it is run."""
        first = self.source_lines[0] if self.source_lines else b""
        return 1 if first.startswith(b"# Databricks notebook source") else None

    def module(self, tree: ast.Module) -> None:
        self.declare(tree.body, self.envs[0], "")
        if any(line.lstrip().startswith(b"global ") for line in self.source_lines):
            self.share(tree)
        self.mark_doc(tree)
        self.block(tree.body)

    def block(self, body: Iterable[ast.stmt]) -> None:
        saved = self.guards
        for node in body:
            self.statement(node)
            if isinstance(node, _LEAVES):
                if self.cells and node.col_offset == 0:
                    continue  # a cell that raises stops those who run all; the next ones are there
                # What follows can never run.
                never = Guard("False", (), constant=False, negated=False, line=node.lineno)
                self.guards = (*self.guards, never)
        self.guards = saved

    def statement(self, node: ast.stmt) -> None:  # noqa: C901, PLR0912 -- one arm a kind of statement
        if isinstance(node, _FUNCTIONS):
            self.function(node)
        elif isinstance(node, ast.ClassDef):
            self.klass(node)
        elif isinstance(node, _IMPORTS):
            self.import_(node)
        elif isinstance(node, ast.If):
            self.if_(node)
        elif isinstance(node, ast.While):
            self.while_(node)
        elif isinstance(node, _FORS):
            self.expression(node.iter)
            self.bind_target(node.target, "")
            self._inner_loop(node.body)
            self.block(node.orelse)
        elif isinstance(node, _ASSIGNS):
            self.assign(node)
        elif isinstance(node, _WITHS):
            self.with_(node)
        elif isinstance(node, ast.Assert):
            self.assertion(node)
        elif isinstance(node, ast.Raise):
            self.raise_(node)
        elif isinstance(node, _TRIES):
            around, self.tries = self.tries, self.tries | goes_on(node.handlers)
            self.told += only_tells(node.handlers)
            self.block(node.body)
            self.tries = around
            self.told -= only_tells(node.handlers)
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
            for child in parts(node):
                self.expression(child)

    def import_(self, node: ast.Import | ast.ImportFrom) -> None:
        self.bind_import(node, self.envs[-1])
        span = self.span(node)
        if isinstance(node, ast.Import):
            for a in node.names:
                self.imports.append(Import(a.name, "", a.asname or a.name, span, self.scope))
            return
        module = "." * node.level + (node.module or "")
        for a in node.names:
            self.imports.append(Import(module, a.name, a.asname or a.name, span, self.scope))

    def if_(self, node: ast.If) -> None:
        guard = self.guard(node.test)
        if self.main_line is None and "__name__" in guard.names and not self.scope:
            self.main_line = node.lineno
        self.expression(node.test)
        self.branch("if", node.test, node.body, node.orelse, node, guard)
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
        guard = self.guard(node.test)
        self.branch("while", node.test, node.body, node.orelse, node, guard)
        self._inner_loop(node.body)
        self.block(node.orelse)

    def _inner_loop(self, body: list[ast.stmt]) -> None:
        self.loops += 1
        self.block(body)
        self.loops -= 1

    def assign(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> None:
        if node.value is None:
            return
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        texts = tuple(self.text(t) for t in targets)
        flat = tuple(
            self.text(e) for t in targets for e in (t.elts if isinstance(t, _UNPACKED) else [t])
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
        inferred = self.inferred(node.value)
        if isinstance(node, ast.AnnAssign):
            inferred = self.annotation(node.annotation) or inferred
        if not isinstance(node, ast.AugAssign):
            for target in targets:
                self.bind_target(target, inferred)

    def with_(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            self.expression(item.context_expr)
            if item.optional_vars is not None:
                self.bind_target(item.optional_vars, self.inferred(item.context_expr))
        self.block(node.body)

    def assertion(self, node: ast.Assert) -> None:
        guard = self.guard(node.test)
        compares = tuple(
            c
            for part in walk(node.test)
            if isinstance(part, ast.Compare)
            for c in self.comparisons(part)
        )
        self.expression(node.test)
        self.asserts.append(
            Assert(guard.text, guard.names, compares, self.span(node), self.scope,
                   constant=cannot_fail(node.test) or self._imported(node.test),
                   guards=self.guards,
                   swallowed=self.told > 0)
        )  # fmt: skip

    def _imported(self, node: ast.expr) -> bool:
        """Whether a test is nothing but a function, class or module that is imported."""
        return isinstance(node, ast.Name) and any(
            item.alias == node.id and not node.id.isupper() for item in self.imports
        )

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
                swallowed=node.exc is not None
                and bool({"Exception", name.rsplit(".", 1)[-1]} & self.tries),
            )
        )
        if node.exc is not None:
            self.expression(node.exc)
