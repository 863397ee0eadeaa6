"""MON11: the entry point that is deployed checks its input and refuses bad input."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.code import Function, Module, Param
from mlops_audit.graph import Project
from mlops_audit.graph.called import is_called
from mlops_audit.graph.scopes import Scope, calls_of, scopes, uses_of
from mlops_audit.graph.sightings import sightings
from mlops_audit.graph.sourcelines import declared_span
from mlops_audit.model import Evidence, Verdict, failed, hollow, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.monitoring._entry_points import asking_entries
from mlops_audit.practices.monitoring._presence import decoders, described_inputs, presence
from mlops_audit.practices.monitoring._refusals import refusals
from mlops_audit.practices.monitoring._request_schemas import is_bounded, schema_checks
from mlops_audit.practices.monitoring._roles import nothing_served
from mlops_audit.regex import regex

_LOOKED_FOR = (
    "a schema with ranges, categories or formats at the entry point that is deployed, by which bad "
    "input is refused"
)
_PLAIN = regex(r"\b(int|float|str|bool|list|List|dict|Dict|UploadFile|Optional|bytes)\b")
_ENFORCING = frozenset({"fastapi", "pydantic", "flask_pydantic", "flask_openapi3", "apiflask"})
_BOUNDS = frozenset({"min_value", "max_value", "minimum", "maximum", "options", "choices"})
_VALIDATES = frozenset({"model_validate", "validate_python", "parse_obj"})
_WIDGETS = frozenset({"number_input", "slider", "selectbox", "radio", "Slider", "Dropdown", "Radio",
                      "multiselect", "select_slider"})  # fmt: skip


@practice(
    id="MON11",
    title="The deployed entry point refuses bad input",
    assets="data",
    level="3s",
    sources="S1 S2 S4",
    fix="Give each field of the request's schema its range, categories or format.",
    needs=("prediction",),
    template=("src/<package>/serving/schema.py",),
)
def serving_input_schema(project: Project) -> Verdict:
    """Schemas of routes, checks by hand, and schemas that a batch job applies to its input."""
    if verdict := nothing_served(project):
        return verdict
    found: dict[str, list[Evidence]] = {"strict": [], "plain": [], "mistaken": []}
    for module, function in asking_entries(project):
        for kind, evidence in _checked(project, module, function):
            found[kind].append(evidence)
    strict = found["strict"] + _applied(project)
    if strict:
        return passed("Bad input is refused by ranges, categories or formats.", strict)
    plain, mistaken = found["plain"], found["mistaken"]
    plain += [
        s.evidence for s in sightings(project, "input.schema") if not s.notebook and not s.kind
    ]
    plain += [*_signatures(project), *_widgets(project)]
    if plain:
        return partial("Input is checked for names and types only.", [*plain, *mistaken])
    if mistaken:
        return hollow("A default is taken for a check.", mistaken, looked_for=_LOOKED_FOR)
    return failed("The entry point takes any input.", looked_for=_LOOKED_FOR)


def _checked(
    project: Project, module: Module, function: Function
) -> Iterator[tuple[str, Evidence]]:
    """How a route checks what it takes: `strict`, `plain` or by a `mistaken` default."""
    for param in function.params:
        default = param.default.text if param.default else ""
        if is_bounded(param.written, default):
            place = declared_span(project, function.span, param.name)
            told = f"{param.written} {default}".strip()
            yield "strict", Evidence(place, f"{param.name}: {told}")
        elif found := schema_checks(project, module, param.written):
            yield from found
        elif _typed(param) and not _ignores_types(module):
            place = declared_span(project, function.span, param.name)
            yield "plain", Evidence(place, f"{param.name}: {param.written}")
    yield from refusals(project, module, function)
    yield from presence(project, module, function)
    for evidence in (*decoders(project, module, function), *described_inputs(module, function)):
        yield "plain", evidence


def _ignores_types(module: Module) -> bool:
    """Whether the framework of a module's routes takes no notice of annotations."""
    return "flask" in module.roots and not module.roots & _ENFORCING


def _typed(param: Param) -> bool:
    """Whether a framework enforces the parameter's type."""
    if param.name in {"self", "cls"} or not _PLAIN.search(param.written):
        return False
    default = param.default.text if param.default else ""
    return not re.search(r"Request|Depends|dict", f"{param.written} {default}", re.IGNORECASE)


def _applied(project: Project) -> list[Evidence]:
    """Schemas that a batch job, or the code behind a route, applies to its input."""
    roots = []
    # A command for a person is no entry point that is deployed, where a service or job is.
    deployed = {"service", "stream", "batch"}
    kinds = deployed if any(p.kind in deployed for p in project.predictions) else {"command"}
    for item in project.predictions:
        module = project.modules.get(item.path)
        if module is None or item.kind not in kinds:
            continue
        if project.is_example(item.path):
            continue
        names = [item.scope] if item.scope else ["", *(f.qualname for f in module.functions)]
        roots += [Scope(item.path, name) for name in names]
    checks = {
        c.evidence.span: c for c in project.validation.checks if c.stops and c.where == "code"
    }
    walked = scopes(project, roots)
    found = [
        u.evidence()
        for u in uses_of(project, walked)
        if u.capability == "data.validate"
        and u.tool.lower().startswith(("pandera", "great"))
        and u.path not in project.roles.training
        and is_called(project, u.path, u.scope)
    ]
    reached = {(s.path, s.qualname) for s in walked}
    for span, check in checks.items():
        module = project.modules.get(span.path)
        if module is None or not check.tool.lower().startswith(("pandera", "patito")):
            continue
        scope = next((c.scope for c in module.calls if c.span == span), "")
        if (span.path, scope) in reached:
            found.append(check.evidence)
    return [*found, *_validated(project, walked)]


def _validated(project: Project, walked: tuple[Scope, ...]) -> Iterator[Evidence]:
    """Rows that go through a record's own check, such as `Row.model_validate(...)`."""
    for module, call in calls_of(project, walked):
        if call.method not in _VALIDATES or not call.receiver:
            continue
        place, _, name = call.name.rpartition(".")[0].lstrip(":").rpartition(".")
        path = (project.index.module(place, module.path) if place else "") or module.path
        owner = project.modules[path]
        adapter = next(
            (c for c in owner.calls if c.method == "TypeAdapter" and name in c.targets), None
        )
        checked = schema_checks(project, owner, adapter.text if adapter is not None else name)
        if any(kind == "strict" for kind, _ in checked):
            yield Evidence(call.span, call.told)


def _signatures(project: Project) -> list[Evidence]:
    """Signatures of models that a server enforces: names, types and shapes."""
    if not sightings(project, "serve.model"):
        return []
    return [
        Evidence(c.span, c.text)
        for module in project.source
        for c in module.calls
        if c.method == "save" and c.kw("signatures") is not None
    ]


def _widgets(project: Project) -> list[Evidence]:
    """Fields of a demo that offer bounded values only."""
    found = []
    for item in project.predictions:
        module = project.modules.get(item.path)
        if item.kind == "demo" and module is not None:
            found += [
                Evidence(c.span, c.text)
                for c in module.calls
                if c.method in _WIDGETS and (len(c.args) > 1 or _BOUNDS & {k for k, _ in c.kwargs})
            ]
    return found[:5]
