"""Drift and quality that code computes itself: two samples compared, a metric per time window."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Call, Function, Module
from mlops_audit.facts.types import TriggerKind
from mlops_audit.graph.called import is_called
from mlops_audit.graph.memo import once
from mlops_audit.graph.sightings import Sighting, sightings
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = [
    "compares_truth",
    "drift_code",
    "production_evaluations",
    "scheduled_modules",
    "windowed_quality",
]

_DRIFT_NAME = regex(
    r"(^|_)(psi|drift\w*|population_stability\w*|data_shift|covariate_shift|distribution_shift|"
    r"\w*_drift|skew_check|check_skew)(_|$)",
    re.IGNORECASE,
)
_STATISTIC = regex(
    r"quantile|percentile|histogram|ks_2samp|kstest|chi2|wasserstein|jensenshannon|entropy|kl_div|"
    r"\bpsi\b|\.mean\(|\.std\(|\.var\(|value_counts|distribution|np\.log|cdf|mmd|zscore|z_score",
    re.IGNORECASE,
)
_TWO_SAMPLES = regex(
    r"reference|\bref(_|\b)|baseline|expected|train|historical|old|previous|original|source",
    re.IGNORECASE,
)
_LIVE = regex(
    r"current|\bcur(_|\b)|production|prod(_|\b)|\blive|actual|new(_|\b)|latest|recent|serving|incoming|"
    r"target|monitor|scored|logged|inference|request|feedback|batch",
    re.IGNORECASE,
)
# A program that shows how it would go, on data that it makes up.
_SHOWN = regex(r"demo|simulat|playground", re.IGNORECASE)
_MONITORS = regex(r"monitor|drift|production|prod(_|/|$)|live|serving|backtest", re.IGNORECASE)
_TIME = regex(
    r"(^|[^a-z])(date(time)?(_utc)?|day|days|week|month|hour|time(stamp)?|period|window|year|ds|dt|"
    r"start_date|end_date|since|lookback)([^a-z]|$)",
    re.IGNORECASE,
)
# `Grouper(key="at", freq="W")`, `resample("D")`, `rolling("7D")`
_FREQUENCY = regex(r"freq\s*=|resample\(|rolling\(\s*['\"]\d{0,4}[A-Za-z]")
_GROUPS = frozenset({"groupby", "resample", "rolling", "Grouper", "date_trunc", "window"})
_ACTUAL = regex(
    r"actual|observ|ground_?truth|label|y_true|target|outcome|feedback|realized|true_|truth",
    re.IGNORECASE,
)
_PREDICTED = regex(r"pred|forecast|scor|y_hat|inference", re.IGNORECASE)
_METRIC = regex(
    r"(mean_(absolute|squared)\w*error|\bmape\b|\brmse\b|\bmae\b|accuracy|f1_score|roc_auc|precision|"
    r"recall|r2_score|log_loss|brier|error_rate|hit_rate|\bctr\b|click_?through|conversion|revenue|"
    r"\broi\b)",
    re.IGNORECASE,
)
_SERVED = regex(
    r"champion|production|@prod|latest_version|current_model|deployed|stage=.production|"
    r"models:/[^\"']{1,60}/(production|latest)",
    re.IGNORECASE,
)
_OF_USE = regex(r"monitoring|production", re.IGNORECASE)  # a program for what is in use
_FLOWS = "Prompty"  # a flow that evaluates logs its measures itself
_ORCHESTRATED = ("pipeline.define", "pipeline.step", "pipeline.schedule")


# -- drift ----------------------------------------------------------------------------------------


@once
def drift_code(project: Project) -> tuple[Sighting, ...]:
    """Two-sample statistics of live data against a reference, by hand or with SciPy."""
    found = []
    for item in sightings(project, "drift.statistic"):
        call = item.use.call if item.use else None
        if call is None or _only_constants(project.modules[item.path], call):
            continue
        if _compares_live(project, item.path, call):
            found.append(item)
    for module in project.own_code:
        found += [
            _own(module, function)
            for function in module.functions
            if _is_drift(module, function) and is_called(project, module.path, function.qualname)
        ]
    return tuple(sorted(found, key=lambda s: s.notebook))


_COMPARES = regex(
    r"ks_|chi|psi|wasserstein|kl_|js_|jensen|diverg|distance|anderson|cramer|ttest|whitney|drift|^log$",
    re.IGNORECASE,
)
_TALK = frozenset({"info", "debug", "warning", "error", "print", "log_metric", "append"})


def _own(module: Module, function: Function) -> Sighting:
    """The line of the statistic, reached through the function's head."""
    found = [c for c in module.calls_in(function.qualname) if _STATISTIC.search(c.text[:200])]
    head = Evidence(function.span, f"{function.name}() compares two samples")
    silent = [c for c in found if c.method not in _TALK] or found
    best = next((c for c in silent if _COMPARES.search(c.method)), silent[-1])
    evidence = Evidence(best.span, f"{function.name}: {best.told}", (head,))
    return Sighting("own code", "drift.detect", "call", evidence, "data", module.notebook)


def _only_constants(module: Module, call: Call) -> bool:
    """Whether both samples are numbers that the code itself states."""
    constants = module.constants
    given = [constants.get(value.text, value) for value in call.args[:2]]
    return bool(given) and all(v.items and all(i.is_literal for i in v.items) for v in given)


def _compares_live(project: Project, path: str, call: Call) -> bool:
    module = project.modules[path]
    text = f"{call.text[:300]} {call.scope} {path}"
    function = module.function(call.scope)
    if function is not None:
        text += " " + " ".join(p.name for p in function.params)
    return bool(_DRIFT_NAME.search(call.scope.rsplit(".", 1)[-1]) or re.search("drift", text)) or (
        bool(_TWO_SAMPLES.search(text))
        and bool(_LIVE.search(text))
        and bool(_MONITORS.search(text))
    )


def _is_drift(module: Module, function: Function) -> bool:
    """Whether a function's name and body say that it compares distributions."""
    if function.stub or not _DRIFT_NAME.search(function.name):
        return False
    calls = module.calls_in(function.qualname)
    statistics = [c for c in calls if _STATISTIC.search(c.text[:200])]
    words = " ".join([*(p.name for p in function.params), *(c.text[:120] for c in calls)])
    return len(statistics) > 1 and bool(_TWO_SAMPLES.search(words) or _LIVE.search(words))


# -- quality --------------------------------------------------------------------------------------


@once
def windowed_quality(project: Project) -> tuple[Evidence, ...]:
    """Places that compute a metric of predictions against what came true, per time window."""
    found = []
    for module in project.source:
        if project.is_example(module.path) or _SHOWN.search(module.path.rsplit("/", 1)[-1]):
            continue
        found += [
            Evidence(call.span, call.told)
            for call in _metric_calls(project, module)
            if _in_window(module, call) and _of_production(project, module, call)
        ]
    return tuple(found)


def _metric_calls(project: Project, module: Module) -> Iterator[Call]:
    known = {u.span for u in project.uses_in(module.path) if u.capability == "evaluate.metric"}
    for call in module.calls:
        if call.runs and (call.span in known or _METRIC.search(call.method)):
            yield call


def _scope_text(module: Module, scope: str) -> str:
    """What one function says: its calls, names and strings."""
    outer = scope.partition(".<locals>")[0]
    parts = [outer]
    function = module.function(outer)
    if function is not None:
        parts += [p.name for p in function.params]
    parts += [c.text[:200] for c in module.calls_in(outer)]
    parts += [t for a in module.assigns if a.scope == outer for t in a.targets]
    return "\n".join(parts)


def _in_window(module: Module, call: Call) -> bool:
    """Whether the metric's function groups or filters by time."""
    for other in module.calls_in(call.scope) if call.scope else module.calls:
        if other.method in _GROUPS and _is_time(other.text[:200]):
            return True
    compares = [
        c for c in module.compares if c.scope == call.scope and c.op in {">=", "<", ">", "<="}
    ]
    return any(_TIME.search(c.left.text[:80]) and _TIME.search(c.right.text[:80]) for c in compares)


def _is_time(text: str) -> bool:
    return bool(_TIME.search(text) or _FREQUENCY.search(text))


def _of_production(project: Project, module: Module, call: Call) -> bool:
    """Whether it is measured on stored predictions rather than on a test set."""
    if module.path in project.roles.training or re.search(r"train|cross_val|cv", call.scope):
        return False
    text = _scope_text(module, call.scope)
    if not _PREDICTED.search(text) or not _ACTUAL.search(text):
        return False
    return bool(_MONITORS.search(f"{module.path} {call.scope} {text}")) or ".predict(" not in text


def compares_truth(module: Module) -> bool:
    """Whether a module sets a prediction beside what came true, in a condition or comparison."""
    texts = [b.test for b in module.branches]
    texts += [f"{c.left.text} {c.op} {c.right.text}" for c in module.compares]
    return any(_ACTUAL.search(t[:200]) and _PREDICTED.search(t[:200]) for t in texts)


@once
def production_evaluations(project: Project) -> tuple[Evidence, ...]:
    """Programs that evaluate the model in use on whatever data they are given."""
    found = []
    compared = {e.span.path for g in project.gates for e in g.evidence}
    for use in project.uses("evaluate.metric", "tracker.metrics", test=False, notebook=False):
        if use.capability == "tracker.metrics" and use.tool != _FLOWS:
            continue  # elsewhere what is logged may be anything
        module = project.modules.get(use.path)
        if module is None or use.path in project.roles.training or project.is_example(use.path):
            continue
        if use.call is not None and (
            use.call.kw("baseline_model") or use.call.kw("baseline_result")
        ):
            continue  # a candidate is compared with the model in use
        if use.path in compared or _in_a_network(module, use.scope):
            continue
        uses = project.uses_in(use.path)
        if any(u.capability in {"registry.promote", "registry.register"} for u in uses):
            continue
        texts = " ".join(t.value[:80] for t in module.texts if not t.doc)
        live = _SERVED.search(texts) or _OF_USE.search("/".join(use.path.split("/")[-2:]))
        if live and is_called(project, use.path, use.scope):
            found.append(use.evidence())
    return tuple(dict.fromkeys(found))


def _in_a_network(module: Module, scope: str) -> bool:
    """Whether a metric is part of a network's class, where training uses it."""
    owner = module.klass(scope.partition(".")[0])
    return owner is not None and any(b.endswith("Module") for b in owner.bases)


# -- schedules ------------------------------------------------------------------------------------


@once
def scheduled_modules(project: Project) -> frozenset[str]:
    """Modules that a schedule starts, in CI or by an orchestrator in code."""
    found = {w.node.key[0] for w in project.ci(TriggerKind.SCHEDULE).of("module", "function")}
    schedules = project.uses("pipeline.schedule", test=False)
    if not schedules and not any(_cron(m) for m in project.source):
        return frozenset(found)
    for use in project.uses(*_ORCHESTRATED, test=False, notebook=False):
        if use.where == "call":
            found.add(use.path)
            module = project.modules[use.path]
            for call in module.calls:
                found |= {s.path for s in project.index.targets(call, use.path)}
    return frozenset(found)


def _cron(module: Module) -> bool:
    """Whether a module states a schedule for an orchestrator: `schedule="@daily"`."""
    keys = {"schedule", "schedule_interval", "cron", "interval", "timetable", "cron_schedule"}
    return any(
        k in keys and v.text not in {"None", "'@once'", '"@once"'}
        for c in module.calls
        for k, v in c.kwargs
    )
