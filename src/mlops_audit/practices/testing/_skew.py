"""Code that the training and the predicting side of one module share."""

from __future__ import annotations

import re

from mlops_audit.facts.code import Module
from mlops_audit.graph import Project
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

__all__ = ["shared_within"]

_TRAINS = regex(r"_?(train|fit)(_|$)", re.IGNORECASE)
_PREDICTS = regex(r"_?(predict|infer|score|serve)(_|$)", re.IGNORECASE)
_DEPTH = 2  # functions between a side and what both sides share


def shared_within(project: Project, shared: re.Pattern[str]) -> list[Evidence]:
    """Calls of one function by the training and by the predicting method of a module.

    Args:
        project: the project.
        shared: what the name of a function that makes features looks like.
    """
    found = []
    for path in sorted(project.roles.training):
        module = project.modules.get(path)
        if module is None or module.notebook or path in project.test_files:
            continue
        training, predicting = (
            _own_calls(module, [f.qualname for f in module.functions if verb.match(f.name)])
            for verb in (_TRAINS, _PREDICTS)
        )
        for name in sorted(set(training) & set(predicting)):
            if shared.search(name):
                sides = (("predicting", predicting[name]), ("training", training[name]))
                found += [Evidence(e.span, f"{side} calls {e.detail}") for side, e in sides]
    return found


def _own_calls(module: Module, scopes: list[str]) -> dict[str, Evidence]:
    """The module's own functions that these functions call, directly or over two others."""
    found: dict[str, Evidence] = {}
    queue = [(scope, _DEPTH) for scope in scopes]
    while queue:
        scope, depth = queue.pop(0)
        for call in module.calls_in(scope):
            name = call.name.removeprefix(":")
            if call.name.startswith(":") and name not in found and module.function(name):
                text = call.told
                found[name] = Evidence(call.span, text)
                if depth:
                    queue.append((name, depth - 1))
    return found
