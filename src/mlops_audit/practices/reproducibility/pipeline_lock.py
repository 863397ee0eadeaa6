"""REP06: the pipeline's record is committed and in step with its definition."""

from __future__ import annotations

import re
from functools import partial as partial_of

from mlops_audit.facts.dvcstate import StageState, pipeline_lock_state
from mlops_audit.facts.dvctypes import DvcPipeline
from mlops_audit.graph import Project
from mlops_audit.graph.sourcelines import line_span
from mlops_audit.model import (
    Evidence,
    Span,
    Verdict,
    failed,
    hollow,
    not_applicable,
    partial,
    passed,
    unknown,
)
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_PARAMETER = regex(r"(?:the record holds )?parameter ([^\s,]+)")
_LOOKED_FOR = "a dvc.lock with the stages of dvc.yaml, their commands, parameters and hashes"


@practice(
    id="REP06",
    title="The pipeline's recorded state is committed and in step",
    assets="data, model",
    level="3s",
    sources="S2 S4",
    fix="Run `dvc repro` and commit dvc.lock together with what it records.",
    template=("dvc.yaml", "dvc.lock"),
    needs=("training",),
)
def pipeline_lock(project: Project) -> Verdict:
    """Judge each pipeline against its record."""
    pipelines = [p for p in project.dvc.pipelines if p.stages]
    if not pipelines:
        broken = [u for u in project.dvc.unreadable if u.span.path.endswith("dvc.yaml")]
        if broken:
            return unknown(broken[0].reason, Evidence(broken[0].span, broken[0].reason))
        return not_applicable("no pipeline tool here commits a record of its runs")
    states: list[StageState] = []
    for pipeline in pipelines:
        lock = project.dvc.lock_of(pipeline)
        if lock is None:
            if pipeline.lock_path in project.tree.entries:
                return _unread(project, pipeline)
            continue
        below = partial_of(_below, project)
        states += pipeline_lock_state(pipeline, lock, project.data, _pointers(project), below)
    recorded = [
        s for s in states if "never recorded" not in s.reason and "no longer" not in s.reason
    ]
    if not recorded:
        return _unrecorded(pipelines, states)
    wrong = [s for s in states if not s.in_step]
    lacking = [p for p in pipelines if project.dvc.lock_of(p) is None]
    if wrong or lacking:
        where = [Evidence(_place(project, s), s.reason) for s in wrong[:5]]
        where += [Evidence(p.stages[0].span, f"{p.path} has no record") for p in lacking[:3]]
        return partial(f"the record is out of step: {where[0].detail}", where)
    places = [Evidence(s.span, f"stage {s.name} as recorded") for s in states[:5]]
    return passed(f"the record agrees with all {len(states)} stages", places)


def _below(project: Project, folder: str) -> list[str]:
    return [p for p in project.tree.entries if p.startswith(f"{folder}/")]


def _place(project: Project, state: StageState) -> Span:
    """The line of the parameter that a state speaks of, else the state's own."""
    named = _PARAMETER.match(state.reason)
    if named is None:
        return state.span
    return line_span(project, state.span, rf"^\s*[\"']?{re.escape(named[1])}[\"']?\s*:")


def _unrecorded(pipelines: list[DvcPipeline], states: list[StageState]) -> Verdict:
    """The verdict on pipelines of which no stage was recorded."""
    stale = [s for s in states if "no longer" in s.reason]
    if stale:
        where = [Evidence(s.span, s.reason) for s in stale[:5]]
        return hollow("the record has none of the stages", where, looked_for=_LOOKED_FOR)
    first = [p.stages[0] for p in pipelines]
    where = [Evidence(s.span, f"stage {s.name}, not recorded") for s in first]
    return failed("no run of the pipeline was recorded", looked_for=_LOOKED_FOR, evidence=where)


def _unread(project: Project, pipeline: DvcPipeline) -> Verdict:
    reason = project.unread.get(pipeline.lock_path, "not understood")
    return unknown(f"{pipeline.lock_path}: {reason}", Evidence(Span(pipeline.lock_path), reason))


def _pointers(project: Project) -> dict[str, str]:
    return {e.path: e.md5 for p in project.dvc.pointers for e in p.outs if e.md5}
