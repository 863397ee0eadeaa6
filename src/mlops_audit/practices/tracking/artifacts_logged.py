"""TRK04: plots, predictions, models or reports are logged as artifacts."""

from __future__ import annotations

import re

from mlops_audit.graph import Project
from mlops_audit.graph.called import is_called
from mlops_audit.graph.cloudpipelines import steps_with
from mlops_audit.graph.sourcelines import declared_span
from mlops_audit.graph.stores import kept_steps
from mlops_audit.model import Evidence, Verdict, failed, hollow, not_applicable, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.tracking._pipeline_records import (
    declared_plots,
    kept_outputs,
    reserved_outputs,
)
from mlops_audit.practices.tracking._records import own_calls, records
from mlops_audit.practices.tracking._result_files import saved_figures
from mlops_audit.regex import regex

_PATH = regex(r"^(\w+\.)?OutputPath\b")
_KEPT = regex(r"model|plot|figure|report|prediction|html", re.IGNORECASE)
_LOOKED_FOR = "log_artifact, log_model, logged figures or tables, or plots declared in dvc.yaml"


@practice(
    id="TRK04",
    title="Plots, predictions, models or reports are logged as artifacts",
    assets="model",
    level="3s",
    sources="S0 S3",
    fix="Declare the plots under plots in dvc.yaml, or log them to the tracker.",
    template=(
        "dvc.yaml",
        "src/<package>/registry/versions.py",
    ),
    needs=("training",),
)
def artifacts_logged(project: Project) -> Verdict:
    """Artifacts of a tracker or a pipeline; figures that are only saved count in part."""
    logged = records(project, "tracker.artifacts", "tracker.model")
    lasting = [t.evidence for t in logged if t.standing == "on"]
    if lasting:
        return passed("Artifacts are logged to the tracker.", lasting)
    if plots := declared_plots(project):
        return passed("The pipeline declares plots.", plots)
    # Where nothing trains, a store holds somebody's finished model, and no run's artifact.
    platform = _platform(project) if project.roles.trains else []
    if kept := [*_automatic(project), *platform, *kept_outputs(project)]:
        return passed("The tracker or pipeline keeps what its steps write.", kept)
    if not project.roles.trains:
        return not_applicable("nothing trains")
    if saved := [*saved_figures(project), *(t.evidence for t in logged)]:
        return partial("Figures or reports are saved to a folder.", saved)
    off = [t.evidence for t in records(project, "tracker.artifacts", standing="switch")]
    off += [t.evidence for t in records(project, "tracker.model", standing="switch")]
    if off:
        return hollow("The tracker is switched off.", off, looked_for=_LOOKED_FOR)
    return failed("No artifacts are logged.", looked_for=_LOOKED_FOR)


def _automatic(project: Project) -> list[Evidence]:
    """Trackers that log the model by themselves, and folders that a platform uploads."""
    found = []
    for item in records(project, "tracker.autolog", "registry.register"):
        call = item.use.call if item.use else None
        quiet = call.kw("log_models") if call else None
        silent = quiet is not None and quiet.literal is False
        if item.standing == "on" and not silent and item.tool in {"MLflow", "ClearML"}:
            found.append(item.evidence)
    azure = any(t.tool.startswith("Azure") for t in records(project, "tracker.run"))
    for _, call in own_calls(project, notebooks=False) if azure else ():
        writes = call.method in {"dump", "save", "savefig", "join"}
        if writes and any(
            v.literal in {"outputs", "./outputs", "outputs/"}
            or str(v.literal or "").startswith(("outputs/", "./outputs/"))
            for v in call.args
        ):
            found.append(Evidence(call.span, call.told))
    return found


def _platform(project: Project) -> list[Evidence]:
    """Steps of a platform that stores each output, and outputs that components declare."""
    steps = project.uses("pipeline.step", "pipeline.define", test=False, notebook=False)
    found = kept_steps(project, (u for u in steps if is_called(project, u.path, u.scope)))
    for module in project.own_code:
        for function in module.functions:
            for param in function.params:
                typed = "Output[" in param.written and any(
                    word in param.written for word in ("Model", "HTML", "Markdown", "Artifact")
                )
                if typed or (_PATH.search(param.written) and _KEPT.search(param.name)):
                    detail = f"{param.name}: {param.written}"
                    place = declared_span(project, function.span, param.name)
                    found.append(Evidence(place, detail))
    found += [
        u.evidence()
        for u in project.uses("registry.register", test=False, notebook=False)
        if (u.call is None or u.call.runs) and is_called(project, u.path, u.scope)
    ]
    found += [  # each training job leaves its model under the job's own name
        u.evidence()
        for u in project.uses("train.fit", test=False, notebook=False)
        if u.call is not None and u.call.name.startswith("sagemaker.workflow.")
    ]
    found += steps_with(project, "ProcessingOutputConfig", "Outputs")
    return found + reserved_outputs(project, "ui_metadata")
