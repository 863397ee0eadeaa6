"""AUT02."""

from __future__ import annotations

from mlops_audit.graph import Project
from mlops_audit.graph.codepipelines import Pipeline
from mlops_audit.graph.lifecycle import EVALUATE, PREPARE, TRAIN
from mlops_audit.model import Evidence, Verdict, failed, partial, passed
from mlops_audit.practices.base import practice

_LOOKED_FOR = "separate pipeline steps for data preparation, training and evaluation"
_PARTS = ((PREPARE, "data preparation"), (TRAIN, "training"), (EVALUATE, "evaluation"))
_ENOUGH = 2


@practice(
    id="AUT02",
    title="The pipeline prepares data, trains and evaluates in separate steps",
    assets="data, model, code",
    level="4M",
    sources="S0 S2 S4",
    fix="Give data preparation, training and evaluation a step of the pipeline each.",
    template=("dvc.yaml",),
    needs=("training",),
)
def pipeline_covers_lifecycle(project: Project) -> Verdict:
    """The parts of the lifecycle that have a step of their own in one tool's pipelines."""
    best: Pipeline | None = None
    for pipeline in project.pipelines:
        if len(_held(pipeline)) >= _ENOUGH and (
            best is None or (pipeline.dag, len(_held(pipeline))) > (best.dag, len(_held(best)))
        ):
            best = pipeline
    if best is None:
        return failed(
            "No pipeline separates data preparation, training and evaluation.",
            looked_for=_LOOKED_FOR,
            evidence=[p.evidence for p in project.pipelines[:2]],
        )
    held = _held(best)
    evidence = [_place(best, part) for part, _ in _PARTS if part in held]
    lacking = [words for part, words in _PARTS if part not in held]
    if lacking:
        return partial(f"In {best.how} no separate step is for {' and '.join(lacking)}.", evidence)
    if not best.dag:
        return partial(
            f"All three steps are in {best.how}, but no pipeline tool runs them.", evidence
        )
    return passed(
        f"In {best.how} data preparation, training and evaluation are separate.", evidence
    )


def _held(pipeline: Pipeline) -> frozenset[str]:
    return pipeline.parts & {part for part, _ in _PARTS}


def _place(pipeline: Pipeline, part: str) -> Evidence:
    """The step that plays one part and no other, if there is one."""
    steps = pipeline.with_part(part)
    return next((s for s in steps if len(s.parts) == 1), steps[0]).evidence
