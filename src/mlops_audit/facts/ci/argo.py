"""Argo Workflows, CronWorkflows and Sensors as workflows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.cicommon import Script, list_command, of_image
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.signs import Signs, manifest
from mlops_audit.facts.templated import load_templated
from mlops_audit.facts.types import (
    Command,
    Getter,
    Job,
    Step,
    Trigger,
    TriggerKind,
    Unreadable,
    Workflow,
)
from mlops_audit.model import Span

__all__ = ["SIGNS", "read_argo"]

SIGNS = Signs(
    content=manifest(rb"argoproj\.io/", rb"(?:Cron|Cluster)?(?:Workflow(?:Template)?|Sensor)\b")
)

_KINDS = frozenset({"Workflow", "CronWorkflow", "WorkflowTemplate", "ClusterWorkflowTemplate"})
MAX_DEPTH = 12


def read_argo(path: str, data: bytes, getter: Getter) -> tuple[Workflow, ...]:
    """One workflow for each Workflow, CronWorkflow, WorkflowTemplate and Sensor of a file.

    Nothing is returned for a file that is no YAML: its name does not say that it is Argo's.
    """
    del getter  # objects refer to each other in the cluster
    documents = load_templated(data, path)
    if isinstance(documents, Unreadable):
        return ()
    found: list[Workflow] = []
    for node in documents:
        kind = node.str_at("kind")
        if not node.str_at("apiVersion").startswith("argoproj.io/"):
            continue
        if kind in _KINDS:
            found.append(_workflow(node, kind, path))
        elif kind == "Sensor":
            found.extend(_sensor(node, path))
    return tuple(found)


def _name(node: Node) -> str:
    return node.str_at("metadata", "name") or node.str_at("metadata", "generateName")


def _workflow(node: Node, kind: str, path: str) -> Workflow:
    span = Span(path, node.line_of("kind"))
    spec = node.get("spec", "workflowSpec") if kind == "CronWorkflow" else node.get("spec")
    triggers: tuple[Trigger, ...] = (Trigger(TriggerKind.MANUAL, span),)
    if kind == "CronWorkflow":
        triggers = _cron(node, path)
    elif kind != "Workflow":
        triggers = (Trigger(TriggerKind.CALL, span),)
    jobs = tuple(_jobs(spec, path)) if spec is not None else ()
    reference = spec.str_at("workflowTemplateRef", "name") if spec is not None else ""
    if reference:
        jobs = (Job(reference, span, calls=reference),)
    suspended = node.str_at("spec", "suspend") == "true"
    return Workflow(
        "argo",
        path,
        _name(node) or path,
        span,
        triggers,
        jobs,
        reusable=triggers[0].kind is TriggerKind.CALL,
        disabled="suspend: true" if suspended else "" if jobs else "no templates",
    )


def _cron(node: Node, path: str) -> tuple[Trigger, ...]:
    off = "suspend: true" if node.str_at("spec", "suspend") == "true" else ""
    several = node.get("spec", "schedules")
    listed = several.strings() if several is not None else (node.str_at("spec", "schedule"),)
    key = "schedules" if several is not None else "schedule"
    span = Span(path, node.line_of("spec", key))
    return tuple(
        Trigger(TriggerKind.SCHEDULE, span, cron=cron, disabled=off) for cron in listed if cron
    )


def _jobs(spec: Node, path: str) -> Iterator[Job]:
    """The templates that the entry point reaches, each a job; needs from `dag` and `steps`."""
    templates = {t.str_at("name"): t for t in spec.list_at("templates")}
    needs: dict[str, tuple[str, ...]] = {}
    tasks: dict[str, str] = {}  # what the entry point calls each template
    pending = [spec.str_at("entrypoint") or next(iter(templates), "")]
    order: dict[str, None] = {}
    while pending:
        name = pending.pop(0)
        if name in order or name not in templates:
            continue
        order[name] = None
        for task, called, before in _called(templates[name]):
            needs.setdefault(called, before)
            tasks.setdefault(called, task)
            pending.append(called)
    for name in order:
        steps = tuple(_steps(templates[name], path, tasks.get(name) or name))
        if steps:
            yield Job(name, Span(path, templates[name].line_of("name")), steps, needs.get(name, ()))


def _called(template: Node) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Name of the task, its template, and the templates that run before it."""
    tasks = template.get("dag", "tasks")
    listed = tasks.list() if tasks is not None else ()
    template_of = {task.str_at("name"): task.str_at("template") for task in listed}
    for task in listed:
        names = task.strings_at("dependencies")
        names = names or tuple(re.findall(r"[\w\-]+", task.str_at("depends")[:1000]))
        before = tuple(template_of[n] for n in names if n in template_of)
        yield task.str_at("name"), task.str_at("template"), before
    steps = template.get("steps")
    before = ()
    for group in steps.list() if steps is not None else ():
        members = [step for step in group.many() if step.str_at("template")]
        for step in members:
            yield step.str_at("name"), step.str_at("template"), before
        before = tuple(step.str_at("template") for step in members)


def _steps(template: Node, path: str, task: str) -> Iterator[Step]:
    for key in ("container", "script"):
        node = template.get(key)
        if node is not None and node.kind == "map":
            yield Step(
                Span(path, node.line),
                task,
                node.str_at("source"),
                _commands(node, path),
                node.str_at("image"),
                image=node.str_at("image"),
            )
    manifest = template.get("resource", "manifest")
    if manifest is not None and manifest.text:
        yield from _applied(manifest, template.str_at("resource", "action"), path, task)
    reference = template.str_at("templateRef", "name")
    if reference:
        yield Step(Span(path, template.line), uses=reference)


def _applied(manifest: Node, action: str, path: str, task: str) -> Iterator[Step]:
    """The object that a `resource` template hands to the cluster, and what its containers run."""
    first = manifest.text_line or manifest.line
    documents = load_templated(manifest.text.encode(), path)
    for root in () if isinstance(documents, Unreadable) else documents:
        kind = root.str_at("kind")
        if not kind:
            continue
        span = Span(path, first + root.line_of("kind") - 1)
        words = ("kubectl", action or "create", "-f", "-")
        command = Command(words, span, f"{' '.join(words[:2])} {kind}", stdin=manifest.text)
        # A Job runs once and ends: it is the step's work, nothing is deployed by it.
        done = kind.endswith("Job") and kind != "CronJob"
        yield Step(span, task, commands=() if done else (command,))
        for node in root.walk():
            listed = node.get("containers") if node.kind == "map" else None
            for item in listed.list() if listed is not None else ():
                image = item.str_at("image")
                place = Span(path, first + item.line - 1)
                yield Step(place, task, commands=_commands(item, path), uses=image, image=image)


def _commands(node: Node, path: str) -> tuple[Command, ...]:
    command, args, source = node.get("command"), node.get("args"), node.get("source")
    words = (*(command.many() if command else ()), *(args.many() if args else ()))
    if source is None or not source.text:
        return of_image(list_command(words, Script(path, errexit=False)), node.str_at("image"))
    program = words[0].text.rsplit("/", 1)[-1] if words else "sh"
    if program in ("sh", "bash", "ash"):
        return Script(path, errexit=False).of(source)
    span = Span(path, source.text_line or source.line)
    return (Command((program, "-c", source.text), span, source.text[:200]),)


def _sensor(node: Node, path: str) -> Iterator[Workflow]:
    """A Sensor starts the workflow that it holds when its events arrive."""
    depends = node.get("spec", "dependencies")
    names = tuple(d.str_at("eventName") for d in depends.list()) if depends is not None else ()
    for item in node.list_at("spec", "triggers"):
        for inner in item.walk():
            if inner.str_at("kind") in _KINDS and inner.get("spec") is not None:
                found = _workflow(inner, "Workflow", path)
                span = Span(path, node.line_of("kind"))
                trigger = Trigger(TriggerKind.EVENT, span, types=names)
                yield Workflow(
                    "argo",
                    path,
                    _name(node) or path,
                    span,
                    (trigger,),
                    found.jobs,
                    disabled=found.disabled,
                )
