"""Deployments of Prefect flows as files: `prefect.yaml`, and what `deployment build` writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_audit.facts.nodes import Node
from mlops_audit.facts.types import Unreadable
from mlops_audit.facts.yamlpos import load_yaml
from mlops_audit.graph.scopes import Scope, scopes
from mlops_audit.graph.trained import Start, is_saved, trains_in
from mlops_audit.model import Evidence, Span

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["starts_of_prefect"]

_FILES = ("**/prefect.yaml", "**/*deployment.yaml", "**/*deployment.yml")
_WHEN = ("cron", "interval", "rrule")
_MOST_BYTES = 200_000


def starts_of_prefect(project: Project) -> Iterator[Start]:
    """Flows that train and that a deployment file puts on a schedule, or before a person."""
    for path in project.glob(*_FILES):
        data = project.data(path) if (project.entry(path).size or 0) < _MOST_BYTES else None
        if data is None or b"entrypoint:" not in data:
            continue
        root = load_yaml(data, path)
        if isinstance(root, Unreadable):
            continue
        for deployment in _deployments(root):
            yield from _start(project, path, deployment)


def _deployments(root: Node) -> tuple[Node, ...]:
    """The deployments of a file: a list in `prefect.yaml`, else the whole of a built file."""
    listed = root.get("deployments")
    if listed is not None:
        return tuple(n for n in listed.many() if n.kind == "map")
    return (root,) if root.str_at("flow_name") else ()


def _start(project: Project, path: str, deployment: Node) -> Iterator[Start]:
    name, _, function = deployment.str_at("entrypoint").partition(":")
    place = project.places.file(name, path.rpartition("/")[0]) if name else None
    if place is None or place not in project.modules:
        return
    code = scopes(project, [Scope(place, function)])
    trained = trains_in(project, code)
    if trained is None:
        return
    off = deployment.str_at("is_schedule_active") == "false" or (
        deployment.str_at("paused") == "true"
    )
    timed = False
    for schedule in _schedules(deployment):
        key = next((k for k in _WHEN if schedule.str_at(k)), "")
        if not key:
            continue
        timed = True
        idle = off or schedule.str_at("active") == "false"
        when = Evidence(Span(path, schedule.line_of(key)), f"Prefect: {key} {schedule.str_at(key)}")
        disabled = "it is switched off" if idle else ""
        yield Start("schedule", when, trained, is_saved(project, code), disabled=disabled)
    if not timed:
        line = deployment.line_of("entrypoint")
        asked = Evidence(Span(path, line), f"Prefect: {deployment.str_at('entrypoint')}")
        yield Start("manual", asked, trained, is_saved(project, code))


def _schedules(deployment: Node) -> Iterator[Node]:
    """The schedules of a deployment: one under `schedule`, or a list under `schedules`."""
    for key in ("schedule", "schedules"):
        node = deployment.get(key)
        for item in node.many() if node is not None else ():
            if item.kind == "map":
                yield item
