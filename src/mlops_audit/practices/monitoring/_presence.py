"""What a route's code checks of its input short of values: decoding, presence and types."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.code import Call, Function, Module
from mlops_audit.graph import Project
from mlops_audit.graph.scopes import Scope, scopes
from mlops_audit.model import Evidence
from mlops_audit.practices.monitoring._refusals import bounds_a_value, refuses_client
from mlops_audit.regex import regex

__all__ = ["decoders", "described_inputs", "presence"]

_DECODES = regex(
    r"^PIL\.Image\.open$|(^|\.)(imread|imdecode|b64decode|frombuffer|read_csv|read_parquet|decode|"
    r"read_image|decode_image|from_buffer|loads)$"
)
_WORKS = regex(r"predict|infer|generate|score|transform|forward")
_NEAR = 10  # lines between what decodes and what its error is answered with
_ASSERTS_OF = regex(
    r"\b(request|data|payload|body|inputs?|json|form|features?|event|text|query|columns?)\b",
    re.IGNORECASE,
)
_COLUMNS = regex(r"missing|columns|required_(fields|features)", re.IGNORECASE)
_OF_FORM = regex(
    r"^(float|int)\(\s*(await )?(self\.)?(flask\.)?(request|form|payload|body|req|form_data|"
    r"json_data|request_data)\b\s*(\.|\[)"
)
_DESCRIPTORS = regex(r"^bentoml\.io\.(Image|NumpyNdarray|PandasDataFrame|PandasSeries|File)$")


def decoders(project: Project, module: Module, function: Function) -> Iterator[Evidence]:
    """Errors of a decoder that the route, or a function behind it, answers with a client error."""
    for home, scope in _behind(project, module, function):
        places = [(r.span, r.text) for r in home.raises if r.scope == scope]
        places += [(c.span, c.text) for c in home.calls_in(scope) if c.method == "abort"]
        for span, text in places:
            if not refuses_client(text) or home.notebook:
                continue
            line = home.flat(span)
            above = [c for c in home.calls_in(scope) if line - _NEAR <= home.flat(c.span) < line]
            if any(_WORKS.search(c.method) for c in above):
                continue
            if any(_DECODES.search(c.name) for c in above):
                yield Evidence(span, f"an error of the decoder: {text}")


def presence(
    project: Project, module: Module, function: Function
) -> Iterator[tuple[str, Evidence]]:
    """Asserted or raised conditions on the input, and casts of its fields, with their strength."""
    for home, scope in _behind(project, module, function):
        own = (home.path, scope) == (module.path, function.qualname)
        for item in home.asserts:
            if item.scope != scope or item.swallowed or not _ASSERTS_OF.search(item.test):
                continue
            if own or _COLUMNS.search(item.test):
                kind = "strict" if own and bounds_a_value(item.test) else "plain"
                yield kind, Evidence(item.span, f"assert {item.test}")
        for raised in home.raises if not own else ():
            test = raised.guards[-1].text if raised.guards else ""
            if raised.scope == scope and not raised.swallowed and _COLUMNS.search(test):
                yield "plain", Evidence(raised.span, f"if {test}: {raised.text}")
        for call in home.calls_in(scope):
            if call.method == "astype" and _by_column(home, call):
                yield "plain", Evidence(call.span, f"columns and their types: {call.text}")
            if call.name in {"float", "int"} and _OF_FORM.search(call.text):
                yield "plain", Evidence(call.span, f"what is no number is an error: {call.text}")


def _by_column(home: Module, call: Call) -> bool:
    """Whether a cast names columns with their types, so that one that is missing is an error."""
    given = call.arg(0, "dtype")
    errors = call.kw("errors")
    if given is None or (errors is not None and errors.literal == "ignore"):
        return False
    told = home.constants.get(given.text, given).text
    return told.startswith("{") and ":" in told


def described_inputs(module: Module, function: Function) -> Iterator[Evidence]:
    """What a decorator of BentoML says that a service takes: its kind, shape or type."""
    for call in module.calls:
        given = call.kw("input") if call.decorates == function.qualname else None
        if given is not None and given.is_call and _DESCRIPTORS.search(given.name):
            yield Evidence(call.span, f"input={given.text}")


def _behind(project: Project, module: Module, function: Function) -> Iterator[tuple[Module, str]]:
    """The route's function and those that it calls, outside the code that trains."""
    yield module, function.qualname
    for scope in scopes(project, [Scope(module.path, function.qualname)]):
        home = project.modules.get(scope.path)
        if home is None or (scope.path, scope.qualname) == (module.path, function.qualname):
            continue
        if scope.path not in project.roles.training or scope.path in project.roles.serving:
            yield home, scope.qualname
