"""TRK03: metrics are logged, or written into files that something declares."""

from __future__ import annotations

import re

from mlops_audit.facts.code import Call, Module
from mlops_audit.graph import Project
from mlops_audit.graph.cloudpipelines import steps_with
from mlops_audit.graph.sourcelines import declared_span, keyword_span
from mlops_audit.graph.trackers import Tracked
from mlops_audit.model import Evidence, Verdict, failed, hollow, not_applicable, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.tracking._pipeline_records import declared_metrics, reserved_outputs
from mlops_audit.practices.tracking._records import records
from mlops_audit.practices.tracking._result_files import metrics_files, ruled_metrics
from mlops_audit.regex import regex

_LOOKED_FOR = (
    "log_metric, TensorBoard scalars, autolog, or a metrics file that dvc.yaml or a pipeline "
    "declares"
)

_EVALUATES = "TensorFlow Extended"  # its Evaluator writes the metrics as an artifact of the run
# Calls that start a run, and record nothing until something is logged in it.
_STARTS = frozenset(
    ["start_run", "create_run", "set_experiment", "create_experiment", "init_run", "get_context",
     "start_logging", "pipeline", "FlowSpec", "init_project", "Experiment"]
)  # fmt: skip
# Clients that take over what the frameworks report as soon as they are initialised.
_BY_ITSELF = regex(r"^(clearml|trains|comet_ml|swanlab)\b")
# What a call of `log` keeps beside numbers.
_PICTURES = regex(
    r"^\{[^:]{1,80}:\s*\[?\s*(wandb\.)?(Image|Table|Artifact|Html|plot|figures?|images?|\w*tbl)\b|"
    r"^[\"']?(run_algorithm|kernel type|message|comment|note|best_config|deploy flag)",
    re.IGNORECASE,
)
# Trainers that report to every tracker that is installed, unless they are told not to.
_REPORTS = regex(r"\b\w*Trainer\(|\bTrainingArguments\(|\bYOLO\b")


@practice(
    id="TRK03",
    title="Metrics are recorded where tools can read them",
    assets="model",
    level="2s",
    sources="S0 S3 S4",
    fix="Write the metrics to a JSON file and declare it under metrics in dvc.yaml.",
    template=(
        "dvc.yaml",
        "src/<package>/models/evaluate_model.py",
        "src/<package>/models/track_dvclive.py",
    ),
    needs=("training",),
)
def metrics_logged(project: Project) -> Verdict:
    """Metrics in a tracker, in TensorBoard, or in a file that the pipeline declares."""
    found = records(project, "tracker.metrics", "tracker.autolog")
    tracked = [t for t in found if not _written_down(t)]
    if tracked:
        logged = [t.evidence for t in tracked if not _is_note(t)] or [t.evidence for t in tracked]
        return passed("Metrics are logged.", logged)
    if declared := declared_metrics(project):
        return passed("The pipeline declares its metrics files.", declared)
    if platform := _platform(project):
        return passed("The platform is told the metrics of a run.", platform)
    if default := [t.evidence for t in _reporting(project)]:
        return passed("The framework logs its metrics through the tracker.", default)
    if not project.roles.trains:
        return not_applicable("nothing trains")
    if written := metrics_files(project):
        if ruled := ruled_metrics(project):
            return passed("A rule declares the metrics file that its code writes.", ruled)
        return partial("Metrics are saved to a file that nothing declares.", written)
    off = [t.evidence for t in records(project, "tracker.metrics", standing="switch")]
    if off:
        return partial("Metrics are logged where a switch is turned on by hand.", off)
    if found:
        said = "A number that stands in the code is logged, and no metric."
        return hollow(said, [t.evidence for t in found], looked_for=_LOOKED_FOR)
    off = [t.evidence for t in records(project, "tracker.metrics", standing="off")]
    if off:
        return hollow("The tracker is disabled.", off, looked_for=_LOOKED_FOR)
    return failed("Metrics are recorded nowhere.", looked_for=_LOOKED_FOR, evidence=_shown(project))


def _reporting(project: Project) -> list[Tracked]:
    """Runs whose metrics a framework logs by itself; a run that is only started records none."""
    started = records(project, "tracker.run", "tracker.local")
    if any(_REPORTS.search(u.detail) for u in project.uses("train.estimator", "train.fit")):
        return started
    return [t for t in started if t.use is None or t.use.call is None or not _bare(t.use.call)]


def _written_down(found: Tracked) -> bool:
    """Whether a call logs one number that stands in the code: `run.log("magic number", 45)`."""
    call = found.use.call if found.use is not None else None
    if call is None or call.method not in {"log", "log_metric"}:
        return False
    name, told = call.arg(0, "name"), call.arg(1, "value")
    named = name is not None and isinstance(name.literal, str)
    return named and told is not None and isinstance(told.literal, int | float)


def _is_note(found: Tracked) -> bool:
    """Whether a call keeps a text, a picture or gradients rather than a number."""
    call = found.use.call if found.use is not None else None
    if call is None or call.method not in {"log", "log_metric", "watch"}:
        return False
    told = call.arg(1, "value")
    said = first.text if (first := call.arg(0, "name") or call.kw("data")) is not None else ""
    if call.method == "watch":
        return True  # gradients
    return (told is not None and isinstance(told.literal, str)) or bool(_PICTURES.search(said))


def _bare(call: Call) -> bool:
    return call.method in {*_STARTS, "init"} and not _BY_ITSELF.search(call.name)


def _platform(project: Project) -> list[Evidence]:
    """Metrics outputs of components, of registered models, and expressions that read logs."""
    found = [
        u.evidence()
        for u in project.uses("evaluate.metric", test=False, notebook=False)
        if u.tool == _EVALUATES and u.call is not None
    ]
    for module in project.own_code:
        found += _outputs(project, module)
        for call in module.calls:
            if call.kw("metric_definitions") is not None:
                found.append(Evidence(call.span, "metric_definitions of the training job"))
            elif call.name.endswith(("PropertyFile", "MetricsSource")):
                found.append(Evidence(call.span, call.told))
    for use in project.uses("registry.register", test=False):
        logged = use.call
        for name in ("metrics", "model_metrics"):
            told = logged.kw(name) if logged is not None else None
            if logged is not None and told and told.text not in {"None", "{}"}:
                place = keyword_span(project, logged, name)
                found.append(Evidence(place, f"registered with {name}={told.text}"))
    found += steps_with(project, "ModelMetrics")
    return found + reserved_outputs(project, "metrics")


def _outputs(project: Project, module: Module) -> list[Evidence]:
    """Parameters of a component that the platform takes for metrics."""
    return [
        Evidence(
            declared_span(project, function.span, param.name),
            f"{param.name}: {param.written}",
        )
        for function in module.functions
        for param in function.params
        if "Output[" in param.written and "Metrics" in param.written
    ]


def _shown(project: Project) -> list[Evidence]:
    """Where metrics are computed, for the report."""
    return [u.evidence() for u in project.uses("evaluate.metric", test=False)[:3]]
