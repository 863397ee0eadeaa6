"""What starts training: schedules, events, new data, signals, changes and people.

A `Start` is one way in which training begins, with what starts it and where it trains. Schedules
that are paused or disabled are kept, with the reason, so that a practice can name them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Function, Module
from mlops_audit.facts.nodes import Node as DataNode
from mlops_audit.facts.shell import parse_shell
from mlops_audit.graph.cistarts import starts_of_ci
from mlops_audit.graph.codeschedules import DATA_EVENT, starts_of_calls
from mlops_audit.graph.lifecycle import TRAIN, named_parts
from mlops_audit.graph.loopschedules import starts_of_loops
from mlops_audit.graph.magefiles import starts_of_mage
from mlops_audit.graph.prefectfiles import starts_of_prefect
from mlops_audit.graph.scopes import Scope, scopes, scopes_from
from mlops_audit.graph.sourcelines import line_span
from mlops_audit.graph.trained import KINDS, TRAIN_NAME, Start, is_saved, trains_in, written
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["Start", "starts_of_training"]

_EVENT_PARAMS = ({"event", "context"}, {"cloud_event"}, {"event"}, {"myblob"}, {"event", "_"})
_CRON_FILE = regex(
    r"(^|/)(crontab|cronjobs?(\.txt)?|[\w-]*\.cron|[\w-]*crontab[\w.-]*)$|(^|/)cron\.d/"
)
_CRON_LINE = regex(r"^\s*(@\w+|(\S+\s+){5})(?P<command>\S.*)$")
# A rule of EventBridge that listens to an alarm, and one that runs a pipeline of SageMaker.
_ALARM = "CloudWatch Alarm State Change"
_RUNS_PIPELINE = regex(r"sagemaker[_:-]?pipeline|:pipeline/|StartPipelineExecution", re.IGNORECASE)


def starts_of_training(project: Project) -> tuple[Start, ...]:
    """All ways in which training begins, the most automatic first."""
    found = [
        *starts_of_ci(project),
        *starts_of_calls(project),
        *starts_of_loops(project),
        *_of_commands(project),
        *_of_files(project),
        *starts_of_prefect(project),
        *starts_of_mage(project),
        *_of_resources(project),
        *_of_handlers(project),
    ]
    return tuple(
        sorted(
            dict.fromkeys(found),
            key=lambda s: (
                bool(s.disabled),
                not s.kept,
                s.default,
                KINDS.index(s.kind),
                str(s.starts.span),
            ),
        )
    )


def _of_commands(project: Project) -> Iterator[Start]:
    """`prefect deployment build train.py:flow --cron ...`, `gcloud scheduler jobs create ...`."""
    for use in project.uses("pipeline.schedule", notebook=False):
        command = use.command
        if command is None:
            continue
        for word in command.argv[1:]:
            name, _, function = word.partition(":")
            place = project.places.file(name) if name.endswith(".py") else None
            if place and place in project.modules:
                code = scopes(project, [Scope(place, function)])
                trained = trains_in(project, code)
                if trained:
                    yield Start("schedule", use.evidence(), trained, is_saved(project, code))
        if TRAIN_NAME.search(use.detail) and project.roles.training:
            yield Start("schedule", use.evidence(), use.evidence())


def _of_files(project: Project) -> Iterator[Start]:
    """Pipelines whose file holds a schedule, and crontabs."""
    for file in project.pipeline_files:
        if not file.schedule and file.tool != "databricks":
            continue
        folder = file.span.path.rpartition("/")[0]
        for step in file.steps:
            nodes = [project.nodes.command(step.command, folder)] if step.command else []
            code, others = scopes_from(project, nodes)
            trained = trains_in(project, code, others)
            if trained is None and named_parts(step.name) == {TRAIN}:
                trained = Evidence(step.span, f"step {step.name}")
            if trained:
                when = file.schedule or "a person starts it"
                key = re.escape(file.schedule or file.name)
                place = line_span(project, Span(file.span.path, 1), key) if file.name else file.span
                start = Evidence(place, f"{file.tool} {file.name}: {when}")
                kind = "schedule" if file.schedule else "manual"
                yield Start(kind, start, trained, disabled="it is paused" if file.paused else "")
                break
    for path in project.paths:
        if not _CRON_FILE.search(path):
            continue
        for number, line in enumerate(project.lines(path)[:500], 1):
            found = None if line.lstrip().startswith("#") else _CRON_LINE.match(line[:1000])
            if found:
                commands = parse_shell(found["command"], path=path, line=number)
                code, others = scopes_from(
                    project, [project.nodes.command(c, "") for c in commands]
                )
                trained = trains_in(project, code, others)
                if trained:
                    yield Start("schedule", Evidence(Span(path, number), line.strip()), trained)


def _of_resources(project: Project) -> Iterator[Start]:
    """Cron jobs, rules and schedulers of infrastructure as code."""
    by_name = {(r.path, r.name): r for r in project.resources}
    for resource in project.resources:
        text = _texts(resource.node)
        event = bool(DATA_EVENT.search(text)) and re.search(
            r"Rule|Notification|Trigger|Function|notification|rule", resource.kind
        )
        alarm = _ALARM in text
        if not resource.schedule and not event and not alarm:
            continue
        near = [
            by_name[resource.path, n] for n in resource.references if (resource.path, n) in by_name
        ]
        told = " ".join([resource.name, text, *(f"{r.name} {_texts(r.node)}" for r in near)])
        commands = [
            c
            for container in resource.containers
            for c in parse_shell(
                " ".join((*container.command, *container.args)),
                path=resource.path,
                line=container.span.line or 1,
            )
        ]
        code, others = scopes_from(project, [project.nodes.command(c, "") for c in commands])
        trained = trains_in(project, code, others)
        named = TRAIN_NAME.search(told) or (alarm and _RUNS_PIPELINE.search(told))
        if trained is None and named and project.roles.training:
            trained = Evidence(resource.span, f"{resource.kind} {resource.name} starts training")
        if trained:
            when = resource.schedule or ("an alarm" if alarm else "new data")
            start = Evidence(resource.span, f"{resource.kind} {resource.name}: {when}")
            kind = "schedule" if resource.schedule else "signal" if alarm else "data"
            yield Start(kind, start, trained, disabled=resource.disabled)


def _texts(node: DataNode) -> str:
    """All words of a resource, bounded."""
    found: list[str] = []
    stack = [node]
    while stack and len(found) < 400:  # noqa: PLR2004 -- a resource, not a whole file
        current = stack.pop()
        if current.kind == "scalar":
            found.append(current.text)
        else:
            for key, value in current.items():
                found.append(key)
                stack.append(value)
            stack.extend(current.list())
    return " ".join(found)


def _of_handlers(project: Project) -> Iterator[Start]:
    """Functions that a cloud calls on an event, and routes of a service, that start training."""
    for module in project.source:
        for function in module.functions:
            names = {p.name for p in function.params}
            events = names in _EVENT_PARAMS or any(
                re.search(
                    r"cloud_event|blob_trigger|timer_trigger|queue_trigger|event_grid|"
                    r"schedule_trigger",
                    d,
                )
                for d in function.decorators
            )
            routes = [
                c
                for c in module.calls
                if c.decorates == function.qualname
                and re.search(r"\.(get|post|put|route|api_route)$", c.name)
            ]
            if not events and not routes:
                continue
            code = scopes(project, [Scope(module.path, function.qualname)])
            trained = trains_in(project, code)
            if trained is None:
                continue
            kind = "route" if routes else _handled(project, module, function)
            if not kind:
                continue
            place = Evidence(function.span, f"{function.name}() is called by an event")
            if routes:
                place = Evidence(routes[0].span, f"a request starts it: {written(routes[0])}")
            yield Start(kind, place, trained, is_saved(project, code))


def _handled(project: Project, module: Module, function: Function) -> str:
    """What calls a function of a cloud, by what it reads of its event."""
    decorated = " ".join(function.decorators)
    if re.search(r"timer|schedule", decorated):
        return "schedule"
    lines = project.lines(module.path)
    text = "\n".join(lines[(function.span.line or 1) - 1 : function.end_line])
    if re.search(r"CodePipeline\.job|ResourceProperties|RequestType", "\n".join(lines)):
        return "push" if "CodePipeline.job" in "\n".join(lines) else ""
    if "blob" in decorated or re.search(r"\[.Records.\]|event\[.bucket.\]", text):
        return "data"
    if decorated or re.search(r"b64decode|\bmessage\b|cloud_event|pubsub|\[.detail.\]", text):
        return "event"
    return "route"
