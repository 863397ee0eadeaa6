"""nox: the sessions of a noxfile, read from its syntax tree."""

from __future__ import annotations

import ast
import posixpath

from msgspec import Struct, field

from mlops_audit.facts.pytext import (
    constants,
    dotted,
    literal_words,
    parse_python,
    text_of,
    walk_body,
)
from mlops_audit.facts.types import Command, Target, Unreadable
from mlops_audit.model import Span

__all__ = ["read_nox"]

_RUNS = frozenset({"run", "run_always", "run_install", "_run"})
_MAX_HELPERS = 3
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class _Reader(Struct):
    path: str
    values: dict[str, ast.expr]
    functions: dict[str, _Function]
    commands: list[Command] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)
    installs: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    cwd: str = ""

    def body(self, function: _Function, depth: int = 0) -> None:
        """Read what a session (or a helper it hands itself to) runs."""
        name = function.args.args[0].arg if function.args.args else "session"
        local = dict(self.values)
        outer, self.values = self.values, local
        for statement, condition, soft in walk_body(function.body):
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                local[statement.targets[0].id] = statement.value
            for call in _calls(statement):
                self._call(call, name, condition, depth, soft=soft)
        self.values = outer

    def _call(
        self, call: ast.Call, session: str, condition: str, depth: int, *, soft: bool
    ) -> None:
        target = dotted(call.func)
        method = target.removeprefix(f"{session}.")
        keywords = {k.arg: k.value for k in call.keywords if k.arg}
        if target.startswith(f"{session}."):
            if method in _RUNS:
                self._run(call, keywords, condition, soft=soft)
            elif method in {"install", "conda_install", "poetry.install"}:
                words = literal_words(call.args, self.values)
                self.installs += words
                argv = ("pip", "install", *words) if method == "install" else (method, *words)
                self._add(argv, call, condition, soft=soft)
            elif method in {"chdir", "cd"} and call.args:
                self.cwd = text_of(call.args[0], self.values)
            elif method == "notify" and call.args:
                self.needs.append(text_of(call.args[0], self.values))
            return
        hands_over = any(isinstance(a, ast.Name) and a.id == session for a in call.args)
        if hands_over and target in self.functions and depth < _MAX_HELPERS:
            self.body(self.functions[target], depth + 1)

    def _run(
        self, call: ast.Call, keywords: dict[str, ast.expr], condition: str, *, soft: bool
    ) -> None:
        if call.args and dotted(call.args[0]) and not isinstance(call.args[0], ast.Constant):
            first = call.args[0]
            if not (isinstance(first, ast.Name) and first.id in self.values):
                self.calls.append(dotted(first))  # session.run(function)
                return
        words = literal_words(call.args, self.values)
        codes = keywords.get("success_codes")
        allowed = literal_words([codes], self.values) if codes is not None else []
        ignores = any(code not in {"0", ""} for code in allowed)
        self._add(tuple(words), call, condition, soft=soft or ignores)

    def _add(self, argv: tuple[str, ...], call: ast.Call, condition: str, *, soft: bool) -> None:
        if not argv or len(self.commands) > 500:  # noqa: PLR2004 -- a cap
            return
        why = "the session accepts its failure" if soft else ""
        self.commands.append(
            Command(
                argv,
                Span(self.path, call.lineno),
                " ".join(argv)[:2000],
                cwd=self.cwd,
                soft=soft,
                why_soft=why,
                condition=condition,
            )
        )


def _calls(statement: ast.stmt) -> list[ast.Call]:
    """The calls of a statement itself, bodies left out, in order."""
    nested = ("body", "orelse", "finalbody", "handlers")
    found: list[ast.Call] = []
    roots = [
        value
        for name, value in ast.iter_fields(statement)
        if name not in nested or not isinstance(statement, ast.stmt)
    ]
    for root in roots:
        for item in root if isinstance(root, list) else [root]:
            if isinstance(item, ast.AST):
                found += [n for n in ast.walk(item) if isinstance(n, ast.Call)]
    return sorted(found, key=lambda n: (n.lineno, n.col_offset))


def read_nox(data: bytes, path: str) -> tuple[Target, ...] | Unreadable:
    """Read a noxfile's sessions.

    Returns:
        One `Target` a session; `default` follows `nox.options.sessions` and `default=False`.
    """
    tree = parse_python(data)
    if tree is None:
        return Unreadable(Span(path), "not valid Python")
    values = constants(tree)
    functions = {n.name: n for n in tree.body if isinstance(n, _Function)}
    chosen = values.get("nox.options.sessions")
    listed = set(literal_words([chosen], values)) if chosen is not None else None
    found: list[Target] = []
    for function in functions.values():
        keywords = _session(function)
        if keywords is None:
            continue
        reader = _Reader(path, dict(values), functions)
        reader.body(function)
        name = text_of(keywords.get("name"), values) or function.name
        switched = text_of(keywords.get("default"), values)
        names = {name, function.name}
        found.append(
            Target(
                runner="nox",
                name=name,
                span=Span(path, function.lineno),
                commands=tuple(reader.commands),
                needs=tuple(literal_words([keywords["requires"]], values))
                if "requires" in keywords
                else tuple(reader.needs),
                folder=posixpath.dirname(path),
                doc=(ast.get_docstring(function) or "").split("\n")[0],
                calls=tuple(reader.calls),
                default=bool(names & listed) if listed is not None else switched != "False",
                installs=tuple(reader.installs),
            )
        )
    return tuple(found)


def _session(function: _Function) -> dict[str, ast.expr] | None:
    """The keywords of the session decorator, or None where there is none."""
    for decorator in function.decorator_list:
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        if dotted(call) in {"nox.session", "session", "nox_poetry.session"}:
            if isinstance(decorator, ast.Call):
                return {k.arg: k.value for k in decorator.keywords if k.arg}
            return {}
    return None
