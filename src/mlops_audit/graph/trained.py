"""Where code and commands train, and whether the model is kept: what every start is asked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_audit.facts.code import Call, Module
from mlops_audit.graph.execution import Node
from mlops_audit.graph.lifecycle import TRAIN
from mlops_audit.graph.scopes import Scope, calls_of, commands_of, uses_of
from mlops_audit.graph.training import is_training, trains_here
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = [
    "KINDS",
    "PLATFORM",
    "TRAIN_NAME",
    "Start",
    "asks_to_train",
    "is_kept",
    "is_saved",
    "pipeline_trains",
    "trains_in",
    "written",
]

_STORES = frozenset(
    {"registry.register", "registry.promote", "tracker.model", "tracker.artifacts",
     "tracker.autolog", "artifact.upload", "data.remote", "data.version", "model.push",
     "image.publish", "deploy.run", "evaluate.report", "pipeline.run", "release.automate",
     "tracker.metrics", "package.publish"}
)  # fmt: skip
_TRACKED = frozenset(
    {"tracker.model", "tracker.artifacts", "tracker.autolog", "tracker.metrics", "model.push",
     "registry.register", "registry.load", "data.version", "artifact.upload"}
)  # fmt: skip
# Managed platforms, whose registry is never one beside the program.
_MANAGED = regex(r"SageMaker|Vertex|Azure Machine Learning|Azure ML")
PLATFORM = regex(
    r"(start_pipeline_execution|start_execution|create_run_from|run_deployment|PipelineJob|"
    r"create_training_job|trigger_dag|TriggerDagRun|RestAPITask|start_job_run)",
)
_MACHINE = regex(r"\bstart[-_]execution\b")
# Commands that carry files away; from a store to here is a download.
_UPLOADS = regex(
    r"git push|dvc push|\bscp\b|rsync|aws s3 (cp|sync|mv) (?!s3://)\S+ s3://|"
    r"az storage blob upload|(gsutil (-m )?|gcloud storage )(cp|rsync|mv) (-\w+ ){0,3}(?!gs://)\S+ gs://"
)
_DISPATCH = regex(
    r"/dispatches|/dagRuns|/create_flow_run|/jobs/run-now|/pipelines/.*runs|"
    r"launchPipelineExecution|launchRun\b"  # mutations of Dagster's GraphQL
)
TRAIN_NAME = regex(r"(^|[^a-z])(re)?train|fine.?tun", re.IGNORECASE)
KINDS = ("schedule", "data", "event", "signal", "workflow", "route", "push", "manual",
          "pull_request")  # fmt: skip


class Start(Struct, frozen=True):
    """One way in which training begins.

    `kind` is one of schedule, data, event, signal (an alarm), route (an HTTP request), push,
    manual, pull_request. `starts` is what begins it, `trains` where the model is fitted.
    `disabled` says why it never happens; `kept` that the model is stored, compared or published;
    `default` that the tool's own default schedule stands for a configured one.
    """

    kind: str
    starts: Evidence
    trains: Evidence
    kept: bool = True
    disabled: str = ""
    default: bool = False


def trains_in(
    project: Project, code: Iterable[Scope], nodes: Iterable[Node] = ()
) -> Evidence | None:
    """Where code or commands train, themselves or by starting a training pipeline."""
    wanted = tuple(code)
    trained = trains_here(project, wanted)
    if trained:
        call = trained[0][1]
        return Evidence(call.span, f"trains: {written(call)}")
    uses = [*uses_of(project, wanted), *commands_of(project, nodes)]
    for use in uses:
        if is_training(use):
            return use.evidence()
    for use in uses:
        if use.capability in {"pipeline.run", "notebook.execute"} and pipeline_trains(project, use):
            return use.evidence()
    for module, call in calls_of(project, wanted):
        if asks_to_train(project, module, call):
            return Evidence(call.span, written(call))
    return None


def asks_to_train(project: Project, module: Module, call: Call) -> bool:
    """Whether a call asks a platform, or an orchestrator by its API, to run what trains."""
    told = call.text
    if call.method == "post":  # the request's address and body are often made up before
        told += "".join(
            a.value.literal if isinstance(a.value.literal, str) else a.value.text
            for a in module.assigns
            if a.scope == call.scope
            and (isinstance(a.value.literal, str) or "://" in a.value.text)
            and any(t in call.text for t in a.targets)
        )
    by_name = bool(PLATFORM.search(call.name))
    if not by_name and not _DISPATCH.search(told):
        return False
    named = by_name or TRAIN_NAME.search(told) or _names_training_dag(project, module, told)
    return bool(named) and _has_training_pipeline(project, machine=_MACHINE.search(told))


def _names_training_dag(project: Project, module: Module, told: str) -> bool:
    """Whether a request to Airflow takes the DAG from names of which one is a DAG that trains."""
    if "/dagRuns" not in told:
        return False
    near = {module.path} | {
        path for i in module.imports if (path := project.index.module(i.module, module.path))
    }
    words = {t.value for p in near for t in project.modules[p].texts}
    return any(
        (name := call.arg(0, "dag_id")) is not None and name.literal in words
        for pipeline in project.pipelines
        for step in pipeline.with_part(TRAIN)
        if pipeline.dag and step.evidence.span.path in project.modules
        for call in project.modules[step.evidence.span.path].calls
        if call.method == "DAG"
    )


def pipeline_trains(project: Project, use: Use) -> bool:
    """Whether the pipeline that is run trains; where it is not known, by the project's own."""
    if use.capability == "notebook.execute":
        return bool(TRAIN_NAME.search(use.detail))
    machine = _MACHINE.search(use.detail)
    return _has_training_pipeline(project, machine=machine) and not re.search(
        r"score|scoring|predict|inference|deploy|test_", use.path, re.IGNORECASE
    )


def _has_training_pipeline(project: Project, *, machine: object = None) -> bool:
    """Whether a pipeline of the project trains; of a state machine that is run, one of those.

    A project that defines its state machines and lets another platform train starts no training
    by one of them (it loads tables, sends messages).
    """
    defined = [p for p in project.pipelines if p.dag]
    machines = [p for p in defined if p.tool == "Step Functions"] if machine else []
    return any(p.with_part(TRAIN) for p in machines or defined)


def is_kept(
    project: Project, code: Iterable[Scope], nodes: Iterable[Node] = (), *, tracked: bool = True
) -> bool:
    """Whether what trains also stores, compares or publishes beyond the machine it runs on.

    A tracker without its address writes beside the program: it does not count unless `tracked`.
    """
    wanted = tuple(code)
    nodes = tuple(nodes)
    for use in (*uses_of(project, wanted), *commands_of(project, nodes)):
        kept = use.capability in _STORES or use.capability.startswith("registry.")
        if kept and (tracked or use.capability not in _TRACKED or _MANAGED.search(use.tool)):
            return True
    for node in nodes:
        if node.kind == "action" and any(
            m.capability in _STORES for m in project.catalogue.action(node.key[-1])
        ):
            return True
        if node.kind == "command":
            text = " ".join(node.payload[0].argv)
            if _UPLOADS.search(text):
                return True
    return any(PLATFORM.search(c.name) for _, c in calls_of(project, wanted))


def is_saved(project: Project, code: Iterable[Scope]) -> bool:
    """Whether a long-lived worker that trains writes the model anywhere."""
    wanted = tuple(code)
    if not trains_here(project, wanted):  # what it starts elsewhere keeps its own model
        return any(u.capability in _STORES for m in project.source for u in project.uses_in(m.path))
    return (
        is_kept(project, wanted)
        or any(u.capability == "model.save" for u in uses_of(project, wanted))
        or any(
            re.search(r"save|dump|upload|register|log_model", c.method)
            for _, c in calls_of(project, wanted)
        )
    )


def written(call: Call) -> str:
    """A call as it is written, for evidence."""
    return call.told
