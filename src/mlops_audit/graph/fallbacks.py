"""Answers that serving code gives when the model cannot: defaults in handlers of failures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Function, Module
from mlops_audit.graph.memo import once
from mlops_audit.graph.predicting import PREDICT_METHODS, PREDICT_NAME
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["default_answers"]

_NUMBER = regex(r"return\s+\(?\s*-?\d+\.\d")
_RETURN = regex(
    r"return\s+(?!None\b|False\b|True\b|\{?\s*[\"'](error|status)|\w*Error|\w*Response\b)\S"
)
_SAID = regex(r"\b(default|fall_?back|neutral)", re.IGNORECASE)
_MAX_LINES = 300  # of one function


@once
def default_answers(project: Project) -> tuple[Evidence, ...]:
    """Where a function of a service that predicts answers by a default after a failure."""
    found: list[Evidence] = []
    services = {p.path for p in project.predictions if p.kind in {"service", "stream"}}
    for path in sorted(services | _near(project, services)):
        module = project.modules.get(path)
        if module is None or module.notebook or path in project.test_files:
            continue
        for function in module.functions:
            if not function.stub and _predicts(module, function):
                found += _in_handlers(project, module, function)
    return tuple(found)


def _near(project: Project, services: set[str]) -> set[str]:
    """The modules that a service imports itself."""
    found = set()
    for path in services:
        module = project.modules.get(path)
        for item in module.imports if module else ():
            for name in (item.dotted, item.module):
                symbol = project.index.resolve(name, path)
                if symbol is not None:
                    found.add(symbol.path)
    return found - project.roles.training


def _predicts(module: Module, function: Function) -> bool:
    return any(
        c.method in PREDICT_METHODS or PREDICT_NAME.search(c.method)
        for c in module.calls_in(function.qualname)
    )


def _in_handlers(project: Project, module: Module, function: Function) -> Iterator[Evidence]:
    first = function.span.line or 1
    lines = project.lines(module.path)[: function.end_line]
    depth, said = -1, False
    for number, line in enumerate(lines[first - 1 :][:_MAX_LINES], first):
        bare = line.strip()
        if not bare:
            continue
        inside = len(line) - len(line.lstrip())
        if depth >= 0 and inside <= depth:
            depth, said = -1, False
        if bare.startswith("except") and bare.endswith(":"):
            depth, said = inside, False
        elif depth >= 0:
            said = said or bool(_SAID.search(bare))
            if _NUMBER.match(bare) or (said and _RETURN.match(bare)):
                yield Evidence(Span(module.path, number), bare)
