"""The functions at which input comes in from outside: behind routes, and handlers of a platform."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.code import Call, Function, Module
from mlops_audit.graph import Project
from mlops_audit.graph.hintedmodels import hinted_models
from mlops_audit.graph.scopes import Scope, scopes, uses_of
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = ["asking_entries"]

_HANDLERS = frozenset({"run", "lambda_handler", "handler", "input_fn", "predict", "decode_request",
                       "post"})  # fmt: skip
_PREDICTS = frozenset({"predict.call", "model.load", "registry.load", "trace.llm"})
_ASKED = regex(
    r"predict|infer|scor(e|ing)|forecast|classif|recommend|detect|generat|answer|chat|query|invo|"
    r"transcri|translat|summar|embed|segment|price|estimate",
    re.IGNORECASE,
)


def asking_entries(project: Project) -> list[tuple[Module, Function]]:
    """The entry points that ask the model, or all of them where none shows that it does."""
    entries = list(_entries(project))
    # What signs people in or lists things takes input too, and asks the model nothing.
    return [e for e in entries if _asks(project, *e)] or entries


def _entries(project: Project) -> Iterator[tuple[Module, Function]]:
    """The functions behind routes that take input, and handlers of a platform."""
    seen: set[Span] = set()
    for use in project.uses("serve.route", test=False, notebook=False):
        module = project.modules.get(use.path)
        if use.call is None or module is None or project.is_example(use.path):
            continue
        function = _decorated(module, use.call)
        if function is not None and function.span not in seen:
            seen.add(function.span)
            yield module, function
    for item in project.predictions:
        module = project.modules.get(item.path)
        if (
            module is None
            or item.kind not in {"service", "stream"}
            or project.is_example(item.path)
        ):
            continue
        for function in module.functions:
            if function.name in _HANDLERS and function.span not in seen:
                seen.add(function.span)
                yield module, function
    for module, function, _ in hinted_models(project):
        if function.span not in seen:
            seen.add(function.span)
            yield module, function


def _asks(project: Project, module: Module, function: Function) -> bool:
    """Whether an entry point predicts, by its name, its path or by what it runs."""
    if _ASKED.search(f"{function.name} {' '.join(function.decorators)}"):
        return True
    if function.name in _HANDLERS:
        return True
    walked = scopes(project, [Scope(module.path, function.qualname)])
    return any(u.capability in _PREDICTS for u in uses_of(project, walked))


def _decorated(module: Module, call: Call) -> Function | None:
    """The function under a route; a module may hold several of one name."""
    line = module.flat(call.span)
    below = [
        f for f in module.functions if f.qualname == call.decorates and module.flat(f.span) >= line
    ]
    return min(below, key=lambda f: module.flat(f.span), default=None)
