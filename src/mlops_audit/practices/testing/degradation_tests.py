"""TST14: a new version is checked against the versions before it."""

from __future__ import annotations

import re

from mlops_audit.graph import Project
from mlops_audit.graph.thresholds import metric_gates
from mlops_audit.model import Evidence, Verdict, failed, hollow, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_LOOKED = "a check of a new version's metrics against a stored history of versions"
_HISTORY = regex(
    r"histor|previous_versions|past_versions|last_n|all_versions|version_metrics|earlier_versions|trend|"
    r"slow_(loss|degradation)|sudden|metrics_over_versions|degradation",
    re.IGNORECASE,
)
_CURRENT = regex(
    r"prod|current|champ(ion)?|registered|deployed|previous|prev_|old_|latest|baseline_model|existing|"
    r"best_model|stag",
    re.IGNORECASE,
)
_METRIC = regex(r"score|metric|acc|rmse|mse|mae|f1|auc|r2|map|loss|beta", re.IGNORECASE)
_DIFFERENCE = regex(r"diff|compare", re.IGNORECASE)
_NUMBER = regex(r"[<>]=?\s*\d*\.?\d+\W*$|(^|\s)\d*\.?\d+\s*[<>]")
_WITHIN = regex(r"best_(val|loss|epoch|so_far)|patience|epoch", re.IGNORECASE)


@practice(
    id="TST14",
    title="A new version is checked against its predecessors",
    assets="model",
    level="5s",
    sources="S4",
    fix="Keep each version's metrics in a file and fail when the new one drops below their trend.",
    template=(
        "tests/model/test_degradation.py",
        "src/<package>/registry/history.py",
    ),
    needs=("training",),
)
def degradation_tests(project: Project) -> Verdict:
    """Look for checks against a history, then against the current version, then for reports."""
    gates = [g for g in metric_gates(project) if not g.hollow]
    history = [g.evidence for g in gates if g.fails and _on_history(project, g.evidence)]
    history += [
        c.evidence()
        for c in project.tests.counting
        if re.search(r"degradation|history_of_versions|version_history", c.name)
    ]
    if history:
        return passed("new versions are checked against a history of versions", history)
    against = [g.evidence for g in gates if _on_current(g.evidence.detail)]
    against += _promotions(project)
    against += [
        place
        for gate in project.gates
        if gate.kind == "metric"
        for place in gate.evidence[:-1]
        if re.search(r" [<>]=? ", place.detail) and _on_current(place.detail)
    ]
    if against:
        return partial("a new version is checked against the current one only", against)
    reports = project.reached_uses(project.automation, "evaluate.report")
    shown = [e for use, _, e in reports if _DIFFERENCE.search(use.detail)]
    if shown:
        return partial("the difference to an earlier version is shown, not checked", shown)
    idle = [u.evidence() for u in project.uses("evaluate.report") if "diff" in u.detail]
    if idle:
        return hollow("a difference is only shown on request", idle, looked_for=_LOOKED)
    return failed("no version is compared with those before it", looked_for=_LOOKED)


def _on_history(project: Project, evidence: Evidence) -> bool:
    module = project.modules.get(evidence.span.path)
    if module is None:
        return False
    line = evidence.span.line or 0
    scope = next((f for f in module.functions if (f.span.line or 0) <= line <= f.end_line), None)
    texts = [evidence.detail] + ([scope.name, *(p.name for p in scope.params)] if scope else [])
    return any(_HISTORY.search(t) for t in texts)


def _on_current(text: str) -> bool:
    """Whether a comparison is one with what serves; a number is a limit, no version."""
    return bool(_CURRENT.search(text)) and not (_WITHIN.search(text) or _NUMBER.search(text))


def _promotions(project: Project) -> list[Evidence]:
    """Comparisons with the metric of the model in production, and tools' change thresholds."""
    found = [
        u.evidence()
        for u in project.uses("evaluate.gate", notebook=False)
        if "ChangeThreshold" in u.detail
    ]
    for module in project.source:
        for compare in module.compares:
            both = f"{compare.left.text} {compare.right.text}"
            if compare.left.is_literal or compare.right.is_literal:
                continue  # a limit, no version
            if compare.op not in {"<", ">", "<=", ">="} or not _on_current(both) or "len(" in both:
                continue
            if _METRIC.search(both):
                detail = f"{compare.left.text} {compare.op} {compare.right.text}"
                found.append(Evidence(compare.span, detail))
    return found
