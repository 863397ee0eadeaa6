"""Conditions on the input that end in a refusal: what a route or a function behind it answers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.code import Call, Function, Module
from mlops_audit.graph import Project
from mlops_audit.graph.scopes import Scope, scopes
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

__all__ = ["bounds_a_value", "refusals", "refuses_client"]

# Lengths and the presence of fields are no ranges of values.
_NO_VALUE = regex(
    r"len\(|\.headers|not in (request|data|payload|body|json|form|req|content)\b|"
    r"not in \w{1,30}\.(json|files|form|args|keys)|"
    r"[\"'][^\"'\n]{1,60}[\"'] not in [A-Za-z_]|columns"
)
_RANGE = regex(r"<|>|\bnot in\b|\bin \[|\bisin\b|re\.(full)?match|between")
_CLIENT = regex(
    r"\bHTTPException\([\s\S]{0,60}?(\b|HTTP_)(400|413|415|422)(?!\d)|\bBadRequest\b|"
    r"\babort\(\s*(400|413|415|422)\b|\bRequestValidationError\b"
)
_REFUSES = regex(r"HTTPException|BadRequest|abort|ValidationError|ValueError|status.HTTP_4")
_PRESENT = regex(r"\bnot\b|is None|not in|len\(|isinstance")
_CLIENT_ERROR = regex(
    r"\breturn\b[^\n]{0,200}(,\s*|status(_code)?\s*=\s*|HTTP_)(400|413|415|422)\b|"
    r"\babort\(\s*(400|413|415|422)\b|[\"']statusCode[\"']\s*:\s*[\"']?(400|413|415|422)\b|"
    r"\breturn\b\s*\(?\s*(\w*jsonify|\w*JSONResponse|json\.dumps)?\s*\(?\s*\{\s*[\"']error[\"']\s*:"
)
_SHORT_BODY = 5  # lines in which a refusal answers
_REQUEST = regex(
    r"request|data|payload|body|input|json|form|features?|file|text|query|event", re.IGNORECASE
)


def bounds_a_value(test: str) -> bool:
    """Whether a part of a condition holds a value against a range, categories or a format."""
    parts = re.split(r"\s(?:or|and)\s", test)
    return any(_RANGE.search(part) and not _NO_VALUE.search(part) for part in parts)


def refuses_client(text: str) -> bool:
    """Whether a statement answers with an error of the client's."""
    return bool(_CLIENT.search(text))


def refusals(
    project: Project, module: Module, function: Function
) -> Iterator[tuple[str, Evidence]]:
    """Conditions on the input of a route, `strict` where they hold a value, else `plain`."""
    yield from _by_hand(module, function)
    yield from _answered(project, module, function)
    yield from _in_helpers(project, module, function)


def _by_hand(module: Module, function: Function) -> Iterator[tuple[str, Evidence]]:
    """Conditions on the request that end in a refusal."""
    for raised in module.raises:
        if raised.scope != function.qualname or not raised.guards:
            continue
        refuses = _REFUSES.search(f"{raised.name} {raised.text}") and not re.search(
            r"\b5\d\d\b|500", raised.text
        )
        guard = raised.guards[-1]
        test = f"not {guard.text}" if guard.negated and guard.text.isidentifier() else guard.text
        if refuses and _REQUEST.search(test):
            kind = "strict" if bounds_a_value(test) else "plain"
            if kind == "strict" or _PRESENT.search(test):
                yield kind, Evidence(raised.span, f"if {test}: {raised.text}")


def _in_helpers(
    project: Project, module: Module, function: Function
) -> Iterator[tuple[str, Evidence]]:
    """Values that a function behind the route answers with a client error."""
    for scope in scopes(project, [Scope(module.path, function.qualname)]):
        helper = project.modules[scope.path]
        if (scope.path, scope.qualname) == (module.path, function.qualname):
            continue
        refused = [
            (r.span, r.guards, r.text)
            for r in helper.raises
            if r.scope == scope.qualname and refuses_client(r.text)
        ]
        refused += [
            (c.span, c.guards, c.text)
            for c in helper.calls_in(scope.qualname)
            if _only_refuses(project, helper, c)
        ]
        for span, guards, text in refused:
            test = guards[-1].text if guards else ""
            if bounds_a_value(test):
                yield "strict", Evidence(span, f"if {test}: {text}")


def _only_refuses(project: Project, module: Module, call: Call) -> bool:
    """Whether a call goes to a function of the project that does no more than refuse."""
    for symbol in project.index.targets(call, module.path):
        owner = project.modules.get(symbol.path)
        if owner is not None and symbol.kind == "function":
            raised = [r for r in owner.raises if r.scope == symbol.qualname]
            return any(not r.guards and refuses_client(r.text) for r in raised)
    return False


def _answered(
    project: Project, module: Module, function: Function
) -> Iterator[tuple[str, Evidence]]:
    """Conditions that a route answers with a client error: `return {...}, 400`."""
    lines = project.lines(module.path)
    for branch in module.branches:
        if branch.scope != function.qualname or branch.kind != "if":
            continue
        start, end = branch.body
        body = "\n".join(lines[start - 1 : min(end, start + _SHORT_BODY)])
        if module.notebook or not _CLIENT_ERROR.search(body):
            continue
        evidence = Evidence(branch.span, f"if {branch.test}")
        if bounds_a_value(branch.test):
            yield "strict", evidence
        elif _PRESENT.search(branch.test):
            yield "plain", evidence
