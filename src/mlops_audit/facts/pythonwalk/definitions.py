"""Definitions: functions with their parameters and decorators, classes with their attributes."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from mlops_audit.facts.code import Call, Class, Function, Param
from mlops_audit.facts.pythonwalk.expressions import Expressions
from mlops_audit.facts.pythonwalk.nodes import statements
from mlops_audit.facts.pythonwalk.shapes import decorating, is_stub, returns_of

__all__ = ["Definitions"]

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_ASSIGNS = (ast.Assign, ast.AnnAssign)
_LOADERS = (".load", ".loads")


class Definitions(Expressions):
    """Collects what is defined; the statements of a body are walked by the room above."""

    def block(self, body: Iterable[ast.stmt]) -> None:
        """Walk the statements of a body."""
        raise NotImplementedError

    def share(self, tree: ast.Module) -> None:
        """Bind what functions set through `global`, before the walk: others use it anywhere."""
        for function in statements(tree):
            if not isinstance(function, _FUNCTIONS):
                continue
            inner = list(statements(function))
            names = {n for s in inner if isinstance(s, ast.Global) for n in s.names}
            for part in inner if names else ():
                if not isinstance(part, ast.Assign):
                    continue
                held = self.inferred(part.value)
                given = {t.id for t in part.targets if isinstance(t, ast.Name)} & names
                if held and held not in names:
                    self.shared |= given
                    self.envs[0].update({n: held for n in given if n not in self.envs[0]})

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Collect a function, then walk its body in a scope of its own."""
        qualname = (
            f"{self.scope or self.owner}.{node.name}".lstrip(".")
            if (self.scope or self.owner)
            else node.name
        )
        self.envs[-1].setdefault(node.name, f":{qualname}")
        self.mark_doc(node)
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
                stub=is_stub(node.body),
                owner=self.owner if not self.scope else "",
                returns=tuple(
                    self.value(r.value) for r in returns_of(node.body) if r.value is not None
                ),
                annotation=self.text(node.returns) if node.returns is not None else "",
            )
        )
        env = {p.name: p.annotation for p in params}
        saved = (self.scope, self.guards, self.loops, self.owner, self.targets)
        self.scope, self.guards, self.loops, self.targets = qualname, (), 0, ()
        tries, self.tries = self.tries, frozenset()
        told, self.told = self.told, 0
        # A class's own names are not in reach of its methods' bodies: `predict()` in the method
        # `predict` is the module's function.
        method = bool(self.owner) and not saved[0]
        names = self.envs.pop() if method else None
        self.envs.append(env)
        self.declare(node.body, env, f"{qualname}.")
        self.block(node.body)
        self.envs.pop()
        if names is not None:
            self.envs.append(names)
        self.scope, self.guards, self.loops, self.owner, self.targets = saved
        self.tries, self.told = tries, told

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
            gathers = "*" if arg is args.vararg else "**" if arg is args.kwarg else ""
            found.append(Param(arg.arg, self.annotation(arg.annotation), value, written, gathers))
        return tuple(found)

    def _decorator(self, node: ast.expr, qualname: str) -> str:
        name = self.resolve(node)
        if isinstance(node, ast.Call):
            before = len(self.calls)
            self.expression(node)
            # The outermost call is appended first; mark it as the decorator.
            if before < len(self.calls):
                self.calls[before] = decorating(self.calls[before], qualname)
        else:
            self.names.add(name.rsplit(".", 1)[-1])
            receiver, _, _ = self.text(node).rpartition(".")
            self.calls.append(
                Call(name, receiver, (), (), self.span(node), node.end_lineno or node.lineno,
                     self.scope, self.guards, self.loops, decorates=qualname, text=self.text(node))
            )  # fmt: skip
        return name

    def klass(self, node: ast.ClassDef) -> None:
        """Collect a class, then walk its body."""
        qualname = (
            f"{self.scope or self.owner}.{node.name}" if (self.scope or self.owner) else node.name
        )
        self.mark_doc(node)
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
            if not isinstance(item, _FUNCTIONS):
                continue
            types = {a.arg: self.annotation(a.annotation) for a in item.args.args}
            for inner in statements(item):
                if not isinstance(inner, _ASSIGNS) or inner.value is None:
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

    def mark_doc(
        self, node: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    ) -> None:
        """Remember that a string is documentation."""
        if (
            node.body
            and isinstance(node.body[0], ast.Expr)
            and isinstance(node.body[0].value, ast.Constant)
        ):
            self.docs.add(id(node.body[0].value))
