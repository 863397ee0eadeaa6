"""Gates that pipeline tools know: thresholds, blessings, conditions and choices."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Call, Module
from mlops_audit.graph.comparisons import mentions_metric
from mlops_audit.graph.gatechecks import Checks, Gate
from mlops_audit.graph.promotions import promotions
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["gates_of_tools"]

_BLESSING_OF = regex(r"""\w+\[["']model_blessing["']\]$""")
_ON_TRAINING = regex(r"train(ing)?_?(metric|rmse|acc|loss|error|score)", re.IGNORECASE)


def gates_of_tools(project: Project, checks: Checks) -> Iterator[Gate]:
    """Thresholds and conditions that pipeline tools know."""
    for use, call in _gating(project):
        name = call.method
        if name in {"GenericValueThreshold", "GenericChangeThreshold", "MetricThreshold"}:
            blessed = _blessed(project)
            if blessed is not None:
                yield Gate("metric", (use.evidence(), blessed))
        elif name in {"evaluate", "validate_evaluation_results"} and call.kw(
            "validation_thresholds"
        ):
            later = _later(project, project.modules[use.path])
            if later is not None:
                yield Gate("metric", (use.evidence(), later))
        elif name == "ConditionStep" and not re.search(r"if_steps=\[\]", call.text):
            yield Gate("metric", (use.evidence(),))
    pipelines = (m for p, m in sorted(project.modules.items()) if p not in project.test_files)
    for module in pipelines:  # of notebooks too: the pipeline that one defines runs elsewhere
        for call in module.calls:
            if (
                re.search(r"(^|\.)dsl\.(Condition|If)$", call.name)
                and call.args
                and (mentions_metric(call.args[0].text) or "output" in call.args[0].text)
                # A switch, or whether something exists already.
                and not re.search(
                    r"launch|enable|skip|[!=]=\s*[\"'](None|null)?[\"']", call.args[0].text
                )
            ):
                yield Gate("metric", (Evidence(call.span, call.told),))
            decision = call.kw("deploy_decision")
            if decision is not None:
                yield from _decision(checks, module, call, decision.text)
    yield from _choices(project)
    yield from _choice_rules(project)


def _gating(project: Project) -> Iterator[tuple[Use, Call]]:
    """Calls that gate: of a notebook, the steps of a pipeline that it defines and others run."""
    for use in sorted(project.uses("evaluate.gate"), key=lambda u: u.notebook):
        call = use.call
        if call is not None and (not use.notebook or call.method == "ConditionStep"):
            yield use, call


def _later(project: Project, module: Module) -> Evidence | None:
    """The promotion that reads what a module notes down where MLflow finds a threshold missed."""
    if not any(i.name == "ModelValidationFailedException" for i in module.imports):
        return None
    noted = {
        key
        for call in module.calls
        for key, value in call.kwargs
        if value.is_literal and value.literal in {None, False}
    }
    for promotion in promotions(project):
        if noted & {text.value for text in promotion.module.texts if not text.doc}:
            return promotion.evidence
    return None


def _blessed(project: Project) -> Evidence | None:
    """The step that pushes a model and takes the evaluator's blessing, also in `**arguments`."""
    for module in project.source:
        for call in module.calls:
            if not call.method.endswith("Pusher"):
                continue
            spread = {v.text for v in call.spreads}
            filled = any(
                a.scope == call.scope
                and (
                    (a.value.get("model_blessing") is not None and spread & set(a.targets))
                    or any(_BLESSING_OF.match(t) and t.split("[")[0] in spread for t in a.targets)
                )
                for a in module.assigns
            )
            if call.kw("model_blessing") or filled:
                return Evidence(call.span, f"{call.method} takes the blessing")
    return None


def _decision(checks: Checks, module: Module, call: Call, name: str) -> Iterator[Gate]:
    """ZenML's deployers take a decision; the step that makes it compares a metric."""
    place = Evidence(call.span, call.told)
    if name == "True":
        yield Gate("constant", (place,))
        return
    for assign in module.assigns:
        if name in assign.targets and assign.value.is_call:
            for kind, places in checks.from_function(module, assign.value.name, place, flip=False):
                yield Gate(kind, places)


def _choices(project: Project) -> Iterator[Gate]:
    """Step Functions: a Choice on a metric that leads to Fail."""
    for path in project.glob("**/*.json", "**/*.y*ml"):
        text = project.text(path) if project.entry(path).size else None
        if not text or len(text) > 400_000 or "Choice" not in text:  # noqa: PLR2004
            continue
        lines = text.splitlines()
        for number, line in enumerate(lines, 1):
            if re.search(r"Numeric(Greater|Less)Than", line):
                near = "\n".join(lines[max(0, number - 8) : number + 8])
                if mentions_metric(near):
                    yield Gate("metric", (Evidence(Span(path, number), line.strip()),))
                    return


def _choice_rules(project: Project) -> Iterator[Gate]:
    """The same with the Data Science SDK: a rule on a number, and a state that fails."""
    for module in project.source:
        if "stepfunctions" not in module.roots:
            continue
        fails = any(c.method == "Fail" for c in module.calls)
        chosen = any(c.method in {"add_choice", "default_choice"} for c in module.calls) or any(
            c.method == "Choice" for c in module.calls
        )
        for call in module.calls:
            if not re.match(r"Numeric(Greater|Less)Than", call.method) or not (fails and chosen):
                continue
            text = " ".join(v.text for _, v in call.kwargs) or call.text
            if mentions_metric(text):
                kind = "training" if _ON_TRAINING.search(text) else "metric"
                yield Gate(kind, (Evidence(call.span, call.told),))
