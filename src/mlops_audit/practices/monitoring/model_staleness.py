"""MON09: the age of the served model is checked or exported."""

from __future__ import annotations

import re

from mlops_audit.facts.code import Compare, Module
from mlops_audit.graph import Project
from mlops_audit.model import Evidence, Verdict, failed, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_LOOKED_FOR = (
    "the age or training date of the served model, compared with a limit or exported as a metric, "
    "or a back-test of quality by age"
)
_AGE = regex(
    r"model_?age|age_of_(the_)?model|days_?since_?(last_?)?(train\w*|deploy\w*|retrain\w*)|"
    r"(last|time_since)_?(re)?train(ed|ing)?(_(at|date|time|ts|on))?|train(ed|ing)_(at|date|time_?stamp|on)\b|"
    r"model_?(stale\w*|freshness|created_at|creation_(date|time)|timestamp|date)\b|max_model_age|"
    r"staleness",
    re.IGNORECASE,
)
# An age, or what a date is set against when an age is meant. A date of training beside an index of
# the data tells where the training data ends.
_AGED = regex(
    r"age|days|hours|stale|fresh|since|now\b|today|timedelta|time\.time|limit|thresh|max|cutoff",
    re.IGNORECASE,
)
_CLOCK = regex(r"(^|\.)(now|utcnow|today|time|timedelta)$")
_CREATED = regex(r"creation_timestamp|last_updated_timestamp|creation_time", re.IGNORECASE)
_ORDER = regex(r"order_by\s*=\s*(\[[^\]]{0,200}\]|[\"'][^\"']{0,200}[\"'])")
_EXPORTS = frozenset(
    ["set", "set_function", "labels", "gauge", "log_metric", "observe", "put_metric_data"]
)
_NEW_DATA = regex(r"data|changed|mtime|modified|file", re.IGNORECASE)
_SPLIT = regex(r"train_(start|end)|training_data|train_size|training_time_(s|sec)", re.IGNORECASE)


@practice(
    id="MON09",
    title="The age of the served model is checked or exported",
    assets="model",
    level="4s",
    sources="S2 S4",
    fix="Export the days since training as a metric, and alert above the agreed age.",
    needs=("training", "prediction"),
    template=(
        "src/<package>/serving/metrics.py",
        "src/<package>/monitoring/checks.py",
    ),
)
def model_staleness(project: Project) -> Verdict:
    """Comparisons and metrics of a model's age; a date that is only shown counts in part."""
    checked: list[Evidence] = []
    shown: list[Evidence] = []
    for module in project.own_code:
        if project.is_example(module.path):
            continue
        checked += _checked(module)
        shown += _shown(project, module)
    programs = [e for e in checked if not e.span.path.endswith(".ipynb")]
    if programs:
        return passed("The age of the model is checked or exported.", programs)
    if checked or shown:
        return partial("The age or date of the model is shown.", [*checked, *shown])
    return failed("The age of the served model is not known.", looked_for=_LOOKED_FOR)


def _checked(module: Module) -> list[Evidence]:
    """Comparisons with an age, and metrics of it."""
    found = [
        Evidence(c.span, f"{c.left.text} {c.op} {c.right.text}")
        for c in module.compares
        if c.op in {">", "<", ">=", "<="}
        and (_names_age(c.left.text) or _names_age(c.right.text))
        and not _NEW_DATA.search(f"{c.left.text} {c.right.text}")
        and _in_time(module, c)
    ]
    exports = [c for c in module.calls if c.method in _EXPORTS]
    found += [Evidence(c.span, c.text) for c in exports if _names_age(c.text[:200])]
    exporters = {c.receiver for c in exports}
    made = [c for c in module.calls if not exporters.isdisjoint(c.targets)]
    gauges = {t for c in made if _names_age(c.text[:200]) for t in c.targets}
    return found + [Evidence(c.span, c.text) for c in exports if c.receiver in gauges]


def _in_time(module: Module, compare: Compare) -> bool:
    """Whether a comparison is one with a span of time or with the present."""
    if _AGED.search(f"{compare.left.text} {compare.right.text}"):
        return True
    return any(_CLOCK.search(c.name) for c in module.calls_in(compare.scope))


def _names_age(text: str) -> bool:
    return bool(_AGE.search(text)) and not _SPLIT.search(text)


def _shown(project: Project, module: Module) -> list[Evidence]:
    """Dates of models in answers of the service, or read from the registry."""
    found = []
    if any(u.capability == "registry.load" for u in project.uses_in(module.path)):
        found = [
            Evidence(a.span, f"{', '.join(a.targets)}: {a.value.text}")
            for a in module.assigns
            if _tells_date(a.value.text) or any(_CREATED.search(k) for k in a.value.keys)
        ]
        found += [Evidence(c.span, c.text) for c in module.calls if _tells_date(c.text[:600])]
    if module.path in project.roles.serving:
        found += _answered(module)
    return found[:5]


def _tells_date(text: str) -> bool:
    """Whether an expression takes a model's date; an order by date shows none."""
    return bool(_CREATED.search(text)) and bool(_CREATED.search(_ORDER.sub("", text)))


def _answered(module: Module) -> list[Evidence]:
    """Dates of the model in what a service answers."""
    found = [
        Evidence(t.span, t.value)
        for t in module.texts
        if not t.doc and len(t.value) < _KEY and _names_age(t.value)
    ]
    answers = [(f, v) for f in module.functions for v in f.returns]
    found += [
        Evidence(f.span, f"{f.name}() answers {key}")
        for f, value in answers
        for key in (*value.keys, *(k for k, _ in value.kwargs))
        if _names_age(key.strip("\"'"))
    ]
    return found


_KEY = 40  # characters of a key in an answer; longer texts are prose
