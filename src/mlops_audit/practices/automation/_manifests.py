"""What a person starts a deployment with, beside the manifests of clusters and clouds."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.nodes import Node
from mlops_audit.facts.types import Command, Unreadable
from mlops_audit.facts.yamlpos import load_yaml
from mlops_audit.graph import Project
from mlops_audit.graph.sightings import OTHERS
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

__all__ = ["described", "started"]

_MOST_BYTES = 200_000
_OPENS = regex(r"\s(-p|--publish|--network=host|--net=host)\b")
_NO_SERVICE = regex(r"jupyter|notebook|tensorboard|--rm\b.*\b(pytest|bash|sh)\b", re.IGNORECASE)
_PROCESS = frozenset({"web", "api", "worker", "app", "server"})


def described(project: Project) -> Iterator[Evidence]:
    """Processes of a Procfile, services of Anyscale and deployments of Prefect."""
    for target in project.targets:
        if target.runner == "procfile" and target.name in _PROCESS and project.predictions:
            text = target.commands[0].text if target.commands else ""
            yield Evidence(target.span, f"{target.name}: {text}")
    for path in project.glob("**/*deployment.y*ml", "**/prefect.yaml", "**/*serv*.y*ml"):
        entry = project.entry(path)
        data = project.data(path) if (entry.size or 0) < _MOST_BYTES else None
        if data is None or project.is_example(path):
            continue
        if b"entrypoint:" not in data and b"ray_serve_config:" not in data:
            continue
        root = load_yaml(data, path)
        if not isinstance(root, Unreadable):
            yield from _of_file(project, path, root)


def _of_file(project: Project, path: str, root: Node) -> Iterator[Evidence]:
    serve = root.get("ray_serve_config")
    if serve is not None and (target := serve.str_at("import_path")):
        yield Evidence(Span(path, serve.line), f"a service of Anyscale: {target}")
    listed = root.get("deployments")
    flows = listed.many() if listed is not None else [root] if root.str_at("flow_name") else []
    for flow in flows:
        entry = flow.str_at("entrypoint") if flow.kind == "map" else ""
        name = entry.partition(":")[0]
        if name and project.places.file(name, path.rpartition("/")[0]) is not None:
            yield Evidence(Span(path, flow.line), f"a deployment of Prefect: {entry}")


def started(project: Project) -> Iterator[Evidence]:
    """Scripts and tasks that start the project's own image as a service on their machine."""
    if not project.predictions:
        return
    for use in project.uses("deploy.local"):
        command = use.command
        if command is None or use.where != "command":
            continue
        if project.is_test(use.path) or project.is_example(use.path):
            continue
        if use.path in _automated(project) or not _serves(command):
            continue
        yield use.evidence()


def _automated(project: Project) -> set[str]:
    return {w.path for w in project.workflows}


def _serves(command: Command) -> bool:
    """Whether a container stays behind or answers at a port, and is none that others made."""
    text = f"{command.text} "
    if "run" not in command.argv[:3] or OTHERS.search(text) or _NO_SERVICE.search(text):
        return False
    return bool(_OPENS.search(text))
