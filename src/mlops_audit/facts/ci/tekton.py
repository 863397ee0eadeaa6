"""Tekton tasks and pipelines; what starts them lies in the cluster."""

from __future__ import annotations

from mlops_audit.facts.cicommon import Script, list_command, of_image
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.signs import Signs, manifest
from mlops_audit.facts.templated import load_templated
from mlops_audit.facts.types import Getter, Job, Step, Trigger, TriggerKind, Unreadable, Workflow
from mlops_audit.model import Span

__all__ = ["SIGNS", "read_tekton"]

SIGNS = Signs(content=manifest(rb"tekton\.dev/"))

_KINDS = frozenset({"Task", "ClusterTask", "Pipeline", "PipelineRun", "TaskRun"})


def read_tekton(path: str, data: bytes, getter: Getter) -> tuple[Workflow, ...]:
    """One workflow for each task or pipeline; its trigger is EXTERNAL, a bare task is reusable.

    Nothing is returned for a file that is no YAML: its name does not say that it is Tekton's.
    """
    del getter  # objects refer to each other in the cluster
    documents = load_templated(data, path)
    if isinstance(documents, Unreadable):
        return ()
    return tuple(
        _workflow(node, path)
        for node in documents
        if node.str_at("apiVersion").startswith("tekton.dev/") and node.str_at("kind") in _KINDS
    )


def _workflow(node: Node, path: str) -> Workflow:
    kind = node.str_at("kind")
    span = Span(path, node.line_of("kind"))
    name = node.str_at("metadata", "name") or node.str_at("metadata", "generateName") or path
    spec = node.get("spec", "pipelineSpec") or node.get("spec", "taskSpec") or node.get("spec")
    jobs: list[Job] = []
    if spec is not None and spec.get("steps") is not None:
        jobs.append(Job(name, span, _steps(spec, path)))
    for key in ("tasks", "finally"):
        tasks = spec.get(key) if spec is not None else None
        jobs.extend(_task(task, path) for task in (tasks.list() if tasks is not None else ()))
    reusable = kind in ("Task", "ClusterTask")
    trigger = Trigger(TriggerKind.CALL if reusable else TriggerKind.EXTERNAL, span)
    off = "" if jobs or kind.endswith("Run") else "no steps"
    return Workflow(
        "tekton", path, name, span, (trigger,), tuple(jobs), reusable=reusable, disabled=off
    )


def _task(node: Node, path: str) -> Job:
    spec = node.get("taskSpec")
    params = node.get("params")
    return Job(
        node.str_at("name"),
        Span(path, node.line),
        _steps(spec, path) if spec is not None else (),
        node.strings_at("runAfter"),
        calls=node.str_at("taskRef", "name"),
        inputs={p.str_at("name"): p.str_at("value") for p in (params.list() if params else ())},
    )


def _steps(spec: Node, path: str) -> tuple[Step, ...]:
    steps = spec.get("steps")
    return tuple(_step(node, path) for node in (steps.list() if steps is not None else ()))


def _step(node: Node, path: str) -> Step:
    text, command, args = node.get("script"), node.get("command"), node.get("args")
    script = Script(path, errexit=True)
    if text is not None and text.text:
        found = script.of(text)
    else:
        words = (*(command.many() if command else ()), *(args.many() if args else ()))
        found = of_image(list_command(words, script), node.str_at("image"))
    soft = node.str_at("onError") == "continue"
    return Step(
        Span(path, node.line),
        node.str_at("name"),
        text.text if text is not None else "",
        found,
        soft=soft,
        why_soft="onError: continue" if soft else "",
        image=node.str_at("image"),
    )
