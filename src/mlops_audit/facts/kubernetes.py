"""Kubernetes objects in any file, Helm templates and Helm values."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.cicommon import texts
from mlops_audit.facts.jsonpos import load_json
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.resources import Container, Resource
from mlops_audit.facts.templated import PLACEHOLDER, load_templated
from mlops_audit.facts.types import Unreadable
from mlops_audit.model import Span

__all__ = ["read_helm_values", "read_kubernetes"]

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_POD_PATHS = (
    ("spec",),
    ("spec", "template", "spec"),
    ("spec", "jobTemplate", "spec", "template", "spec"),
    ("spec", "predictor"),
    ("spec", "predictor", "model"),
    ("spec", "transformer"),
    ("spec", "template"),
)
_DEFINITION = re.compile(rb"^kind:[ \t]*CustomResourceDefinition\b", re.MULTILINE)
_LARGE = 50_000
MAX_ITEMS = 500


def read_kubernetes(path: str, data: bytes) -> tuple[Resource, ...] | Unreadable:
    """The objects of a file; Helm templates with placeholders for what values fill in."""
    documents = load_templated(_without_definitions(data), path)
    if isinstance(documents, Unreadable) and data.lstrip().startswith(b"{"):
        root = load_json(data, path)  # blank lines with tabs are JSON and no YAML
        documents = documents if isinstance(root, Unreadable) else (root,)
    if isinstance(documents, Unreadable):
        return documents
    templated = b"{{" in data
    found = [r for root in documents for r in _objects(root, path, templated=templated)]
    return tuple(found)


def _without_definitions(data: bytes) -> bytes:
    """The file without CustomResourceDefinitions, which are large and declare nothing that runs."""
    if len(data) < _LARGE or b"CustomResourceDefinition" not in data:
        return data
    documents = re.split(rb"(?m)^(?=---)", data)
    kept = (b"\n" * d.count(b"\n") if _DEFINITION.search(d) else d for d in documents)
    return b"".join(kept)


def _objects(root: Node, path: str, *, templated: bool) -> Iterator[Resource]:
    if root.kind == "list":
        members: tuple[Node, ...] = root.children
    elif root.str_at("kind") in ("List", "Template"):
        items = root.get("items") or root.get("objects")
        members = items.list() if items is not None else ()
    else:
        members = (root,)
    for node in members[:MAX_ITEMS]:
        if node.str_at("kind") and node.str_at("apiVersion"):
            yield _resource(node, path, templated=templated)


def _resource(node: Node, path: str, *, templated: bool) -> Resource:
    kind = node.str_at("kind")
    suspended = node.str_at("spec", "suspend") == "true"
    return Resource(
        "kubernetes",
        kind,
        node.str_at("metadata", "name") or node.str_at("metadata", "generateName"),
        path,
        Span(path, node.line_of("kind")),
        node,
        api=node.str_at("apiVersion"),
        containers=tuple(_containers(node, path)),
        schedule=_schedule(node),
        disabled="suspend: true" if suspended else "",
        templated=templated,
    )


def _schedule(node: Node) -> str:
    """A CronJob's or CronWorkflow's schedule, also where several are listed."""
    several = node.get("spec", "schedules")
    if several is not None and several.strings():
        return several.strings()[0]
    schedule = node.str_at("spec", "schedule")
    return "" if schedule.startswith(PLACEHOLDER) else schedule


def _containers(node: Node, path: str) -> Iterator[Container]:
    seen: set[int] = set()
    for pod in (*(node.get(*where) for where in _POD_PATHS), *_predictors(node)):
        for key in ("containers", "initContainers", "container"):
            listed = pod.get(key) if pod is not None else None
            for item in listed.many() if listed is not None else ():
                if item.kind == "map" and id(item) not in seen:
                    seen.add(id(item))
                    yield _container(item, path)


def _predictors(node: Node) -> Iterator[Node]:
    """The pods of a SeldonDeployment, one or more for each predictor."""
    for predictor in node.list_at("spec", "predictors"):
        for part in predictor.list_at("componentSpecs"):
            pod = part.get("spec")
            if pod is not None:
                yield pod


def _container(node: Node, path: str) -> Container:
    pairs = [(item.str_at("name"), item.str_at("value")) for item in node.list_at("env")]
    return Container(
        node.str_at("name"),
        node.str_at("image"),
        node.strings_at("command"),
        node.strings_at("args"),
        Span(path, node.line),
        tuple(probe for probe in _PROBES if node.get(probe) is not None),
        tuple(pair for pair in pairs if pair[0]),
    )


def read_helm_values(path: str, data: bytes) -> tuple[Resource, ...] | Unreadable:
    """A chart's values as one resource, with the image and schedule that its usual keys give."""
    documents = load_templated(data, path)
    if isinstance(documents, Unreadable):
        return documents
    if not documents or documents[0].kind != "map":
        return ()
    root = documents[0]
    image = texts(root.get("image"))
    container = Container(
        "", image.get("repository", ""), (), (), Span(path, root.line_of("image"))
    )
    return (
        Resource(
            "helm-values",
            "values",
            path,
            path,
            Span(path, root.line),
            root,
            containers=(container,) if container.image else (),
            schedule=root.str_at("schedule") or root.str_at("cronjob", "schedule"),
        ),
    )
