"""AUT01."""

from __future__ import annotations

from mlops_audit.graph import Project
from mlops_audit.model import Evidence, Span, Verdict, failed, hollow, partial, passed
from mlops_audit.practices.base import practice

_LOOKED_FOR = (
    "a DAG in a pipeline tool (DVC, Airflow, Prefect, Kedro, ...), file targets of Make, or steps "
    "that a task or script runs in order"
)


@practice(
    id="AUT01",
    title="The workflow is a pipeline in code",
    assets="code",
    level="2s, 4M",
    sources="S0 S1 S3 S4",
    fix="Write the steps with their commands, inputs and outputs into dvc.yaml.",
    template=("dvc.yaml",),
    needs=("training",),
)
def pipeline_as_code(project: Project) -> Verdict:
    """Steps of a pipeline tool; in part, steps that a task or program runs in order."""
    graphs = [p for p in project.pipelines if p.dag and any(s.parts for s in p.steps)]
    if graphs:
        best = graphs[0]
        names = ", ".join(s.name for s in best.steps[:5])
        evidence = [best.evidence, *(s.evidence for s in best.steps if s.parts)]
        evidence += [p.evidence for p in graphs[1:3]]
        return passed(f"A graph of steps is run by {best.tool}: {names}.", evidence)
    ordered = [p for p in project.pipelines if not p.dag]
    if ordered:
        best = ordered[0]
        return partial(
            f"{best.how} runs the steps in order, without a pipeline tool.",
            [best.evidence, *(s.evidence for s in best.steps if s.parts)],
        )
    files = project.glob("**/dvc.yaml", "**/Snakefile")
    if files and not any(t.runner in {"dvc", "snakemake"} for t in project.targets):
        return hollow(
            "The pipeline file holds no step.",
            Evidence(Span(files[0]), "no steps"),
            looked_for=_LOOKED_FOR,
        )
    return failed("No pipeline tool or task runs the steps.", looked_for=_LOOKED_FOR)
