"""AUT05."""

from __future__ import annotations

from mlops_audit.facts.types import TriggerKind
from mlops_audit.graph import Project
from mlops_audit.graph.nodes import started
from mlops_audit.model import Evidence, Verdict, failed, hollow, partial, passed
from mlops_audit.practices.automation._ci import (
    dead_triggers,
    described,
    does_something,
    started_by_hand,
    starts,
)
from mlops_audit.practices.base import practice

_LOOKED_FOR = "a CI workflow that runs on push or pull request to a branch that exists"


@practice(
    id="AUT05",
    title="CI runs on every change",
    assets="code",
    level="2s, 5M",
    sources="S0 S1 S3 S4",
    fix="Add a CI workflow that runs on pull requests and on pushes to the main branch.",
    template=(
        ".github/workflows/ci.yml",
        ".github/workflows/verify.yml",
        ".github/workflows/train.yml",
    ),
)
def ci_on_change(project: Project) -> Verdict:
    """A workflow with work to do and a live trigger on a change."""
    by_hand: Evidence | None = None
    on_change: list[Evidence] = []
    otherwise: list[Evidence] = []
    idle: list[Evidence] = []
    for workflow, trigger in project.triggers():
        place = Evidence(trigger.span, f"{described(workflow)}: {started(trigger)}")
        jobs = [j for j in workflow.jobs if does_something(workflow, j)]
        if not any(starts(project, j, trigger) for j in jobs):
            idle.append(Evidence(trigger.span, f"{described(workflow)} does nothing"))
        elif trigger.kind in {TriggerKind.PUSH, TriggerKind.PULL_REQUEST}:
            on_change.append(place)
        elif trigger.kind is TriggerKind.EXTERNAL and not (
            submitted := started_by_hand(project, workflow.path)
        ):
            on_change.append(Evidence(trigger.span, f"{described(workflow)}: a build file"))
        elif workflow.system != "argo":  # an orchestrator's workflow that no change starts is no CI
            if trigger.kind is TriggerKind.EXTERNAL:
                by_hand = by_hand or submitted
            otherwise.append(place)
    if on_change:
        return passed("CI runs on push or pull request.", on_change)
    if otherwise:
        how = "a person submits the build" if by_hand else "only by hand, by tag or on a schedule"
        return partial(f"CI exists, but {how}.", [*otherwise, *([by_hand] if by_hand else [])])
    dead = [
        Evidence(t.span, f"{described(w)} on {t.kind}: {why}")
        for w, t, why in dead_triggers(project)
    ]
    dead += [Evidence(w.span, f"disabled: {w.disabled}") for w in project.workflows if w.disabled]
    if idle or dead:
        return hollow("CI is declared but does no work.", [*idle, *dead], looked_for=_LOOKED_FOR)
    return failed("No CI workflow runs on a change.", looked_for=_LOOKED_FOR)
