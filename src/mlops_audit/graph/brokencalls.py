"""Calls of the project's own functions with arguments that they do not take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_audit.facts.code import Call, Function, Module

if TYPE_CHECKING:  # the project asks for its tests, which are read from the project
    from mlops_audit.graph.project import Project

__all__ = ["impossible_call"]


def impossible_call(project: Project, module: Module, scope: str) -> str:
    """What a test hands to a function of the project that it does not take, as a clause."""
    calls = module.calls_in(scope)
    if any(_expects_it(c) for c in calls):
        return ""
    for call in calls:
        if call.decorates or call.guards or not call.kwargs:
            continue
        function = _plain(project, module, call)
        if function is None or any(p.gathers == "**" for p in function.params):
            continue
        known = {p.name for p in function.params if not p.gathers}
        wrong = next((k for k, _ in call.kwargs if k != "**" and k not in known), "")
        if wrong:
            return f"hands {wrong} to {function.name}, which does not take it"
    return ""


def _plain(project: Project, module: Module, call: Call) -> Function | None:
    """The undecorated function of the project that a call surely means."""
    if call.name.startswith("?"):
        return None
    symbol = project.index.resolve(call.name, module.path)
    if symbol is None or symbol.kind != "function" or symbol.path == module.path:
        return None
    if symbol.qualname != call.method:  # a method, or another function's result
        return None
    function = project.index.function_of(symbol)
    return None if function is None or function.decorators or function.owner else function


def _expects_it(call: Call) -> bool:
    """Whether a test wants the error that a wrong argument makes."""
    return call.method in {"raises", "assertRaises", "assertRaisesRegex"} and any(
        "TypeError" in v.text or v.text in {"Exception", "BaseException"} for v in call.args
    )
