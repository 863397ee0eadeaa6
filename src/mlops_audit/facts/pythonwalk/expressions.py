"""Expressions: calls, comparisons, texts, and the tests that guard what comes after them."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from mlops_audit.facts.code import Branch, Call, Compare, Guard, Text
from mlops_audit.facts.pythonwalk.names import Names
from mlops_audit.facts.pythonwalk.nodes import alike, parts, walk
from mlops_audit.facts.pythonwalk.shapes import attribute_place, line_range

__all__ = ["Expressions"]

_NAMES = (ast.Name, ast.Attribute)
_OR_EQUAL = (ast.LtE, ast.GtE)
_ORDERS = (*_OR_EQUAL, ast.Lt, ast.Gt)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_OPS = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
    ast.In: "in", ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is not",
}  # fmt: skip


class Expressions(Names):
    """Collects what expressions tell."""

    def expression(self, node: ast.AST) -> None:  # noqa: C901, PLR0912 -- one arm a kind of expression
        """Collect what an expression and its parts tell."""
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
            said = [v.value if isinstance(v, ast.Constant) else "{}" for v in node.values]
            self._string("".join(str(p) for p in said), node)
            for v in node.values:
                if isinstance(v, ast.FormattedValue):
                    self.expression(v.value)
            return
        elif isinstance(node, ast.Compare):
            self.compares.extend(self.comparisons(node))
        elif isinstance(node, ast.IfExp):
            guard = self.guard(node.test)
            self.branch("ifexp", node.test, [node.body], [node.orelse], node, guard)
        elif isinstance(node, ast.Lambda):
            self._lambda(node)
            return
        elif isinstance(node, _COMPREHENSIONS):
            self._comprehension(node)
            return
        elif isinstance(node, ast.NamedExpr):
            self.expression(node.value)
            self.bind_target(node.target, self.inferred(node.value))
            return
        elif isinstance(node, ast.Dict):
            self._mapping(node)
            return
        for child in parts(node):
            self.expression(child)

    def _lambda(self, node: ast.Lambda) -> None:
        saved = self.targets
        self.targets = ()
        self.envs.append({a.arg: "" for a in node.args.args})
        self.expression(node.body)
        self.envs.pop()
        self.targets = saved

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
    ) -> None:
        self.envs.append({})
        for generator in node.generators:
            self.expression(generator.iter)
            self.bind_target(generator.target, "")
        self.loops += 1
        for child in parts(node):
            if not isinstance(child, ast.comprehension):
                self.expression(child)
        for generator in node.generators:
            for test in generator.ifs:
                self.expression(test)
        self.loops -= 1
        self.envs.pop()

    def _mapping(self, node: ast.Dict) -> None:
        """A dictionary: what stands under a key has the key as its context."""
        for key, item in zip(node.keys, node.values, strict=True):
            saved = self.context
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                self.context = key.value
            elif key is not None:
                self.expression(key)
            self.expression(item)
            self.context = saved

    def call(self, node: ast.Call) -> None:
        """Collect a call, then what stands in it."""
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
                self.span(node if not isinstance(func, ast.Attribute) else attribute_place(func)),
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

    def comparisons(self, node: ast.Compare) -> list[Compare]:
        """The comparisons of a chain, two sides at a time."""
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

    def guard(self, test: ast.expr) -> Guard:
        """A test as the guard of what it decides."""
        names = tuple(dict.fromkeys(
            n.id if isinstance(n, ast.Name) else n.attr
            for n in walk(test) if isinstance(n, _NAMES)
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
            held = [self._constant(v) for v in test.values]
            if decides in held:
                return decides
            return None if None in held else not decides
        # A value compared with itself; `x == x` and `x != x` ask for NaN.
        if (
            isinstance(test, ast.Compare)
            and len(test.ops) == 1
            and isinstance(test.ops[0], _ORDERS)
            and alike(test.left, test.comparators[0])
        ):
            return isinstance(test.ops[0], _OR_EQUAL)
        return None

    def _shadowed(self, name: str) -> bool:
        return any(name in env for env in self.envs[1:])

    def branch(self, kind: str, test: ast.expr, body: Sequence[ast.AST], orelse: Sequence[ast.AST],
                node: ast.AST, guard: Guard) -> None:  # fmt: skip
        """Collect a place where a test decides."""
        self.branches.append(
            Branch(
                kind,
                guard.text,
                guard.names,
                tuple(
                    c
                    for part in walk(test)
                    if isinstance(part, ast.Compare)
                    for c in self.comparisons(part)
                ),
                self.span(node),
                line_range(body),
                line_range(orelse) if orelse else None,
                self.scope,
                self.guards,
                guard.constant,
            )
        )
