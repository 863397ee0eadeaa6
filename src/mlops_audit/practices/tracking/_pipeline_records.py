"""What a pipeline records of its runs: parameters, metrics, plots and outputs, beside a tracker."""

from __future__ import annotations

import re

from mlops_audit.facts.code import Call
from mlops_audit.graph import Project
from mlops_audit.model import Evidence
from mlops_audit.practices.tracking._records import is_about_a_model
from mlops_audit.regex import regex

__all__ = [
    "declared_metrics",
    "declared_plots",
    "job_settings",
    "kept_outputs",
    "locked_params",
    "platform_params",
    "reserved_outputs",
]

# Platforms that keep the arguments of each step of each run.
_KEEPS_ARGUMENTS = frozenset({"Kubeflow", "ZenML", "Flyte", "Google Vertex AI"})
_SAGEMAKER = "Amazon SageMaker"
_NO_SETTING = regex(
    r"Input|Output|Dataset|Model|Artifact|DataFrame|ndarray|Context|Path|Series|Tensor|Estimator"
)
_OUTPUT = regex(r"model|report|figure|plot|predict|eval|\.(pkl|joblib|pt|h5|onnx)", re.IGNORECASE)


def platform_params(project: Project) -> list[Evidence]:
    """Steps that train with parameters which the platform of their pipeline records."""
    found = []
    for pipeline in project.pipelines:
        if pipeline.tool not in _KEEPS_ARGUMENTS or pipeline.notebook:
            continue
        for step in pipeline.with_part("train"):
            if not step.code:
                continue
            module = project.modules[step.code[0].path]
            function = module.function(step.code[0].qualname)
            given = function.params if function is not None else ()
            if any(p.written and not _NO_SETTING.search(p.written) for p in given):
                found.append(step.evidence)
    found += [
        Evidence(f.span, f"{f.name} keeps {p.name}: {p.written}")
        for m in project.source
        for f in m.functions
        for p in f.params
        if "HyperParameters]" in p.written and p.written.startswith("Output")
    ]
    return found + [Evidence(c.span, c.text) for c in job_settings(project)]


def job_settings(project: Project) -> list[Call]:
    """Hyperparameters handed to the training jobs of SageMaker's pipelines, which keep them."""
    paths = {
        step.evidence.span.path
        for pipeline in project.pipelines
        if pipeline.tool == _SAGEMAKER and pipeline.dag and not pipeline.notebook
        for step in pipeline.with_part("train")
    }
    return [
        call
        for path in sorted(paths)
        for call in project.modules[path].calls
        if call.runs
        and (
            (call.method == "set_hyperparameters" and (call.kwargs or call.args))
            or call.kw("hyperparameters") is not None
        )
    ]


def reserved_outputs(project: Project, kind: str) -> list[Evidence]:
    """What steps hand to Kubeflow's first interface under a reserved name.

    Args:
        project: the audited project.
        kind: `metrics` or `ui_metadata`.
    """
    names = {f"mlpipeline_{kind}", f"/mlpipeline-{kind.replace('_', '-')}.json"}
    found: list[Evidence] = []
    for module in project.own_code:
        here = [Evidence(t.span, t.value) for t in module.texts if t.value in names]
        if here and (not module.notebook or is_about_a_model(project, module.path)):
            found += here
    return found


def locked_params(project: Project) -> list[Evidence]:
    """Parameters that a committed dvc.lock recorded."""
    found = []
    for lock in project.dvc.locks:
        for stage in lock.stages.values():
            if stage.params:
                names = ", ".join(key for _, key, _ in stage.params[:4])
                found.append(Evidence(stage.span, f"stage {stage.name} recorded {names}"))
    return found


def declared_metrics(project: Project) -> list[Evidence]:
    """Metrics files that a DVC pipeline declares."""
    return [
        Evidence(path.span, f"metrics file {path.path}")
        for pipeline in project.dvc.pipelines
        for path in (*pipeline.metrics, *(m for s in pipeline.stages for m in s.metrics))
    ]


def declared_plots(project: Project) -> list[Evidence]:
    """Plots that a DVC pipeline declares."""
    return [
        Evidence(path.span, f"plot {path.path}")
        for pipeline in project.dvc.pipelines
        for path in (*pipeline.plots, *(m for s in pipeline.stages for m in s.plots))
    ]


def kept_outputs(project: Project) -> list[Evidence]:
    """Models, reports and predictions that DVC recorded as outputs of stages."""
    return [
        evidence
        for entry, evidence in project.dvc.tracked()
        if "of stage" in evidence.detail and _OUTPUT.search(_named(entry.path))
    ]


def _named(path: str) -> str:
    """A path; of a file of data the name alone, for its kind does not make it a model."""
    return re.sub(r"^(.*/)?data/.*/|\.\w+$", "", path) if re.match(r"(.*/)?data/", path) else path
