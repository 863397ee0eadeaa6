"""What own functions and modules hold: `build_trainer()` may be a library's `Trainer`.

So may `trainer`, which another module of the project sets when it is imported.
"""

from __future__ import annotations

from mlops_audit.facts.code import Function, Module, Value
from mlops_audit.graph.index import CodeIndex

__all__ = ["Builders"]

_HOPS = 8


class Builders:
    """Finds the class of what functions of the project build, across its modules."""

    def __init__(self, index: CodeIndex) -> None:
        self.index = index
        self._known: dict[tuple[str, str, int], str] = {}

    def name(self, name: str, path: str) -> str:
        """The library's name of a method of what an own function gives back, else the name itself.

        `:client.log_metric` after `def client(): return MlflowClient()` is one of that class, and
        so is `pkg.build.client.log_metric` where another module defines the function, or sets the
        variable: `pipe.fit` after `from pkg.pipeline import pipe`.
        """
        builder, dot, method = name.rpartition(".")
        if not dot or not builder or builder.startswith("?"):
            return name
        if not builder.startswith((":", ".")) and builder.split(".", 1)[0] not in self.index.roots:
            return name
        kind = self._kind(builder, path, _HOPS)
        return f"{kind}.{method}" if kind else name

    def _kind(self, builder: str, path: str, hops: int) -> str:
        # By the hops that are left: a function that calls itself builds nothing known, and what
        # it calls on the way must not be remembered as if it had been asked by itself.
        key = (builder, path, hops)
        if key not in self._known:
            self._known[key] = self._built(builder, path, hops)
        return self._known[key]

    def _built(self, builder: str, path: str, hops: int) -> str:
        if hops <= 0:
            return ""
        symbol = self.index.resolve(builder, path)
        last = builder.rsplit(".", 1)[-1].lstrip(":")
        # A name that is no function's own: a variable, a method, or a result's method.
        if symbol is None or symbol.kind != "function" or symbol.qualname != last:
            return self._set(builder, path, hops)
        module = self.index.modules[symbol.path]
        function = module.function(symbol.qualname)
        if function is None or not function.returns:
            return ""
        found = {self._of_value(module, function, value, hops) for value in function.returns}
        return found.pop() if len(found) == 1 else ""

    def _set(self, name: str, path: str, hops: int) -> str:
        """The class of a variable that a module of the project sets, or imports from another."""
        owner, _, variable = name.rpartition(".")
        symbol = self.index.resolve(owner, path) if owner else None
        if symbol is None or symbol.kind != "module":
            return ""
        module = self.index.modules[symbol.path]
        value = module.constants.get(variable)
        if value is None:
            bound = [i.dotted for i in module.imports if i.alias == variable and i.name != "*"]
            return self._kind(bound[0], symbol.path, hops - 1) if bound else ""
        return self._class_of(value, symbol.path, hops) if value.is_call else ""

    def _of_value(self, module: Module, function: Function, value: Value, hops: int) -> str:
        """The class that a returned expression is one of: a constructor's call, or a variable."""
        if not value.is_call and value.text.isidentifier():
            given = [
                a.value
                for a in module.assigns
                if a.scope == function.qualname and value.text in a.targets
            ]
            if len(given) != 1 or not given[0].is_call:
                return ""
            value = given[0]
        return self._class_of(value, module.path, hops) if value.is_call else ""

    def _class_of(self, value: Value, path: str, hops: int) -> str:
        """The class that a call makes one of: the library's, or what an own function gives back."""
        if not value.name or value.name.startswith("?"):
            return ""
        if value.name.startswith((":", ".")) or value.name.split(".", 1)[0] in self.index.roots:
            return self._kind(value.name, path, hops - 1)
        return value.name
