"""TRK03: metrics are logged, or written into files that something declares."""

from __future__ import annotations

from mlops_audit.facts.code import Module
from mlops_audit.graph import Project
from mlops_audit.graph.sourcelines import declared_span
from mlops_audit.model import Evidence, Verdict, failed, hollow, not_applicable, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.tracking._records import declared_metrics, metrics_files, records

_LOOKED_FOR = (
    "log_metric, TensorBoard scalars, autolog, or a metrics file that dvc.yaml or a pipeline "
    "declares"
)


@practice(
    id="TRK03",
    title="Metrics are recorded where tools can read them",
    assets="model",
    level="2s",
    sources="S0 S3 S4",
    fix="Write the metrics to a JSON file and declare it under metrics in dvc.yaml.",
    template=("dvc.yaml", "src/<package>/models/evaluate_model.py"),
    needs=("training",),
)
def metrics_logged(project: Project) -> Verdict:
    """Metrics in a tracker, in TensorBoard, or in a file that the pipeline declares."""
    logged = [t.evidence for t in records(project, "tracker.metrics", "tracker.autolog")]
    if logged:
        return passed("Metrics are logged.", logged)
    if declared := declared_metrics(project):
        return passed("The pipeline declares its metrics files.", declared)
    if platform := _platform(project):
        return passed("The platform is told the metrics of a run.", platform)
    if default := [t.evidence for t in records(project, "tracker.run", "tracker.local")]:
        return passed("The framework logs its metrics through the tracker.", default)
    if not project.roles.trains:
        return not_applicable("nothing trains")
    if written := metrics_files(project):
        return partial("Metrics are saved to a file that nothing declares.", written)
    off = [t.evidence for t in records(project, "tracker.metrics", standing="switch")]
    if off:
        return partial("Metrics are logged where a switch is turned on by hand.", off)
    off = [t.evidence for t in records(project, "tracker.metrics", standing="off")]
    if off:
        return hollow("The tracker is disabled.", off, looked_for=_LOOKED_FOR)
    return failed("Metrics are recorded nowhere.", looked_for=_LOOKED_FOR, evidence=_shown(project))


def _platform(project: Project) -> list[Evidence]:
    """Metrics outputs of pipeline components, and expressions that a platform reads logs by."""
    found = []
    for path, module in project.modules.items():
        if path in project.test_files:
            continue
        found += _outputs(project, module)
        for call in module.calls:
            if call.kw("metric_definitions") is not None:
                found.append(Evidence(call.span, "metric_definitions of the training job"))
            elif call.name.endswith(("PropertyFile", "MetricsSource")):
                found.append(Evidence(call.span, call.text.splitlines()[0][:80]))
    return found


def _outputs(project: Project, module: Module) -> list[Evidence]:
    """Parameters of a component that the platform takes for metrics."""
    return [
        Evidence(
            declared_span(project, function.span, param.name),
            f"{param.name}: {param.written}"[:80],
        )
        for function in module.functions
        for param in function.params
        if "Output[" in param.written and "Metrics" in param.written
    ]


def _shown(project: Project) -> list[Evidence]:
    """Where metrics are computed, for the report."""
    return [u.evidence() for u in project.uses("evaluate.metric", test=False)[:3]]
