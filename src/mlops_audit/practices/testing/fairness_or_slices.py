"""TST09: the model is evaluated per group or slice."""

from __future__ import annotations

import re

from mlops_audit.facts.code import Call, Function, Module
from mlops_audit.graph import Project
from mlops_audit.graph.called import is_called
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence, Verdict, failed, hollow, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.testing._tools import imported
from mlops_audit.regex import regex

_LOOKED = (
    "Fairlearn, Aequitas, AIF360, MetricFrame, slicing functions, or metrics per group in code"
)
_NAMED = regex(
    r"slice|per_(group|segment|region|slice|cohort)|by_(group|segment|gender|region)", re.IGNORECASE
)
_METRIC = regex(r"error|accura|score|recall|precision|(^|_)(mae|mse|rmse|mape|f1|auc)(_|$)")
_METRICS = regex(rf"{_METRIC.pattern}|metrics?$")
_TIME = regex(r"date|month|year|day|week|hour|time|freq")
_RUNS = regex(
    r"(^|[^a-z])(model(_?name|_?type)?s?|folds?|splits?|epochs?|runs?(_id)?|trials?|seeds?|metrics?|"
    r"experiments?|algorithms?|classifiers?|methods?)([^a-z]|$)",
    re.IGNORECASE,
)
_PER_CLASS = regex(
    r"(^|\.)(classification_report|confusion_matrix|multilabel_confusion_matrix|"
    r"ConfusionMatrix(Display(\.from_\w+)?)?|plot_confusion_matrix|ClassificationQualityByClass|"
    r"ClassificationConfusionMatrix)$"
)
# The values of the target itself: a loop over them measures per class, not per group.
_CLASSES = regex(
    r"(^|[^a-z])(y|y_true|y_test|y_pred|targets?|labels?|class(es)?|true|gt|preds?)([^a-z]|$)",
    re.IGNORECASE,
)
_MASK = regex(r"([\w.]{1,60}(?:\[[^\]]{1,40}\])?)\s*==\s*[\w.]{1,40}$")
_KEY = regex(r"\[([A-Za-z]\w+)\]")  # `answers[subject]`
# Keys that pick rows, folds or outputs of a model, and no segment of the data.
_NO_SEGMENT = regex(
    r"(^|_)(i|j|k|n|t|c|idx|ix|ind(ex|ices)?|train|test|val(id)?|mask|keep|batch|step|target|label|"
    r"class|cls|category_id|threshold|column|col|key)(_|$|\d)",
    re.IGNORECASE,
)
_FOR = regex(r"\s*for\s+([\w, ()]{1,60}?)\s+in\s")
_REACH = 25  # lines from a loop to what it measures
_SIDES = 2  # what is true and what is predicted
_TOOLS = ("fairlearn", "aequitas", "aif360")


@practice(
    id="TST09",
    title="The model is evaluated per group or slice",
    assets="model",
    level="4s",
    sources="S2 S4",
    fix="Group the test data by a segment and compute the metric for each group in the evaluation.",
    template=(
        "src/<package>/models/evaluate_model.py",
        "src/<package>/models/quality.py",
    ),
    needs=("training",),
    attestable=True,
)
def fairness_or_slices(project: Project) -> Verdict:
    """Look for metrics per group in code, then for reports per class."""
    uses = [
        u
        for u in project.uses("fairness.measure", "slice.evaluate")
        if _slices(u) and (u.call is None or u.call.runs) and is_called(project, u.path, u.scope)
    ]
    code = [u.evidence() for u in uses if not u.notebook]
    notes = [u.evidence() for u in uses if u.notebook]
    for path, module in sorted(project.modules.items()):
        if path not in project.test_files:
            (notes if module.notebook else code).extend(_grouped(project, module))
    if code:
        return passed("the model is evaluated per group or slice", code)
    if notes:
        return partial("the model is evaluated per group in a notebook only", notes)
    reports = [
        Evidence(c.span, c.told)
        for path, m in sorted(project.modules.items())
        if path not in project.test_files
        and not (project.roles.kind == "library" and project.is_example(path))
        for c in m.calls
        if c.runs and (_PER_CLASS.search(c.name) or _loops_over_classes(project, m, c))
    ]
    if reports:
        return partial("quality is reported per class, not per group", reports)
    named = imported(project, _TOOLS)
    if named:
        return hollow("a fairness library is imported and not used", named, looked_for=_LOOKED)
    return failed("quality is measured over all data only", looked_for=_LOOKED)


def _slices(use: Use) -> bool:
    """Whether a slicing specification names a slice: one without arguments means all data."""
    call = use.call
    if call is not None and call.method in {"groupby", "group_by", "pivot_table", "crosstab"}:
        return False  # counts when a metric stands beside it
    return call is None or not call.name.endswith("SlicingSpec") or bool(call.args or call.kwargs)


def _per_class(call: Call) -> bool:
    """Whether the values that a call lists are those of the target."""
    listed = call.args[0].text if call.args else call.receiver
    return bool(_CLASSES.search(listed.rsplit(".", 1)[-1]))


def _loops_over_classes(project: Project, module: Module, call: Call) -> bool:
    """Whether a metric is computed in a loop beside a list of the target's values."""
    if call.method != "unique" or not call.scope or not _per_class(call):
        return False
    return any(
        u.call is not None and u.call.loops and u.scope == call.scope
        for u in project.uses_in(module.path)
        if u.capability == "evaluate.metric"
    )


def _measures(project: Project, module: Module, scope: str) -> bool:
    """Whether a function asks the project's own measure of an error."""
    return any(_is_measure(project, module, c) for c in module.calls_in(scope))


def _is_measure(project: Project, module: Module, call: Call) -> bool:
    return bool(_METRICS.search(call.method)) and any(project.index.targets(call, module.path))


def _splits(text: str) -> bool:
    """Whether rows are grouped by something else than time."""
    groups = re.findall(r"groupby\((.{0,120})", text, re.DOTALL)
    return any(not _TIME.search(g) for g in groups)


def _of_runs(call: Call) -> bool:
    """Whether what is grouped are models, folds or runs, and not rows of data."""
    return bool(call.args) and bool(_RUNS.search(call.args[0].text))


def _applies_measure(project: Project, module: Module, call: Call) -> bool:
    """Whether a function of the project that measures errors is applied to each group."""
    return any(
        _METRICS.search(value.name.rsplit(".", 1)[-1])
        and project.index.resolve(value.name, module.path)
        for value in call.args
        if value.name
    )


def _of_a_part(module: Module, call: Call) -> bool:
    """Whether a metric is given rows that a mask `column == value` picks."""
    given = [v.text for v in call.args]
    names = {n for text in given for n in re.findall(r"\[(\w+)\]", text)}
    masks = [
        a.value.text for a in module.assigns if a.scope == call.scope and names & set(a.targets)
    ]
    masks += [m for text in given for m in re.findall(r"\[([^\[\]]{1,80}==[^\[\]]{1,40})\]", text)]
    return any(
        m is not None and not _CLASSES.search(m[1].rsplit(".", 1)[-1]) and not _TIME.search(m[1])
        for m in (_MASK.match(text) for text in masks)
    )


def _of_a_key(project: Project, call: Call) -> bool:
    """Whether both sides of a metric are looked up by the same segment: `refs[s]`, `preds[s]`."""
    given = [v.text for v in (*call.args, *(v for _, v in call.kwargs))]
    keys = [set(_KEY.findall(text)) for text in given if "[" in text]
    if len(keys) < _SIDES or not keys[0] & keys[1]:
        return False
    last = call.span.line or 1
    above = project.lines(call.span.path)[max(0, last - _REACH) : last]
    walked = {name for line in above for m in (_FOR.match(line),) if m for name in m[1].split(",")}
    return any(
        k in {name.strip(" ()") for name in walked}
        and not (_NO_SEGMENT.search(k) or _RUNS.search(k) or _TIME.search(k))
        for k in keys[0] & keys[1]
    )


def _grouped(project: Project, module: Module) -> list[Evidence]:
    """Places where a metric is computed within a group of rows."""
    metrics = [u for u in project.uses_in(module.path) if u.capability == "evaluate.metric"]
    scopes = {u.scope for u in metrics if u.scope or module.notebook is False}
    found = []
    for call in module.calls:
        if not call.runs or not is_called(project, module.path, call.scope):
            continue
        text = call.text
        near = call.scope in scopes and not module.notebook
        splits = call.method == "groupby" and not _TIME.search(text) and not _of_runs(call)
        applied = (
            call.method in {"apply", "agg"}
            and "groupby" in text
            and (
                any(u.call is not None and u.call.method in text for u in metrics)
                or (_splits(text) and _applies_measure(project, module, call))
            )
        )
        looped = (
            call.method == "unique"
            and bool(call.scope)
            and not (_per_class(call) or module.notebook)
            and (
                any(u.call is not None and u.call.loops and u.scope == call.scope for u in metrics)
                or any(
                    c.loops and _is_measure(project, module, c) for c in module.calls_in(call.scope)
                )
            )
        )
        if (splits and near) or applied or looped:
            found.append(Evidence(call.span, text or call.name))
    if not module.notebook:
        found += [
            Evidence(u.call.span, u.call.told)
            for u in metrics
            if u.call is not None
            and u.call.loops
            and u.call.runs
            and (_of_a_part(module, u.call) or _of_a_key(project, u.call))
            and is_called(project, module.path, u.scope)
        ]
    found += [
        _measuring(project, module, f, metrics)
        for f in module.functions
        if _NAMED.search(f.name)
        and not f.stub
        and (f.qualname in scopes or _measures(project, module, f.qualname))
        and is_called(project, module.path, f.qualname)
    ]
    return found


def _measuring(
    project: Project, module: Module, function: Function, metrics: list[Use]
) -> Evidence:
    """The line of a function on which it measures a slice, in a loop where there is one."""
    calls = [u.call for u in metrics if u.call is not None and u.scope == function.qualname]
    calls += [
        c
        for c in module.calls_in(function.qualname)
        if _METRIC.search(c.method) and any(project.index.targets(c, module.path))
    ]
    head = Evidence(function.span, f"{function.name}() measures per slice")
    if not calls:
        return head
    call = next((c for c in calls if c.loops), calls[0])
    return Evidence(call.span, f"{function.name}: {call.told}", (head,))
