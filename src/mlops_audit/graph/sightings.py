"""Where a capability is met at all: in code, commands, files, settings, images, infrastructure.

`Project.uses` answers for code and commands. What a project sets up outside of code (a compose
service, a Terraform alarm, a Grafana dashboard) is gathered here, in one form with the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_audit.facts.resources import Resource
from mlops_audit.graph.called import is_called
from mlops_audit.graph.memo import once
from mlops_audit.graph.settings import settings
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["OTHERS", "Sighting", "resources", "sightings"]

# Databases, queues and tools that run beside a service, by the names of their images and services.
OTHERS = regex(
    r"postgres|mysql|maria|redis|mongo|elastic|rabbit|kafka|zookeeper|minio|qdrant|milvus|weaviate|"
    r"chroma|airflow|mlflow|grafana|prometheus|localstack|clickhouse|\bdb\b|cassandra|neo4j",
    re.IGNORECASE,
)


class Sighting(Struct, frozen=True):
    """A capability met at a place.

    `where` is `call`, `command`, `action`, `file`, `setting`, `image` or `resource`; `kind` tells
    variants apart; `use` and `resource` are what it was read from.
    """

    tool: str
    capability: str
    where: str
    evidence: Evidence
    kind: str = ""
    notebook: bool = False
    use: Use | None = None
    resource: Resource | None = None

    @property
    def path(self) -> str:
        """The file it stands in."""
        return self.evidence.span.path


@once
def resources(project: Project) -> tuple[Resource, ...]:
    """All infrastructure that the project declares, what is disabled left out."""
    return tuple(r for r in project.resources if not r.disabled)


def sightings(project: Project, *capabilities: str) -> list[Sighting]:
    """All places with one of the capabilities, tests left out, notebooks last."""
    wanted = frozenset(capabilities)
    found = [s for s in (*_used(project, wanted), *_outside(project)) if s.capability in wanted]
    return sorted(dict.fromkeys(found), key=lambda s: (s.notebook, project.is_example(s.path)))


def _used(project: Project, wanted: frozenset[str]) -> Iterator[Sighting]:
    for use in project.uses(*sorted(wanted), test=False):
        if use.call is not None and not is_called(project, use.path, use.scope):
            continue
        kind = use.details.kind if use.details else ""
        yield Sighting(use.tool, use.capability, use.where, use.evidence(), kind, use.notebook, use)


@once
def _outside(project: Project) -> tuple[Sighting, ...]:
    """What stands in files that are neither code nor commands."""
    return (
        *_files(project),
        *_settings(project),
        *_images(project),
        *_resources(project),
    )


def _files(project: Project) -> Iterator[Sighting]:
    for path in project.paths:
        if not project.entry(path).size:
            continue
        for match in project.catalogue.file(path):
            evidence = Evidence(Span(path), f"{match.tool.name} file")
            yield Sighting(match.tool.name, match.capability, "file", evidence, match.details.kind)


def _settings(project: Project) -> Iterator[Sighting]:
    for item in settings(project):
        if item.value is None or not item.name:
            continue
        value = str(item.value).lower() if isinstance(item.value, bool) else item.value
        for match in project.catalogue.value(item.name, value):
            yield Sighting(
                match.tool.name, match.capability, "setting", item.evidence(), match.details.kind
            )


def _images(project: Project) -> Iterator[Sighting]:
    places = [(s.image, s.span, f"service {s.name}") for s in project.containers.services]
    for resource in resources(project):
        places += [(c.image, c.span, f"container {c.name}") for c in resource.containers]
    for image, span, name in places:
        for match in project.catalogue.image(image) if image else ():
            evidence = Evidence(span, f"{name}: {image}")
            yield Sighting(match.tool.name, match.capability, "image", evidence, match.details.kind)


def _resources(project: Project) -> Iterator[Sighting]:
    for resource in resources(project):
        kind = f"{resource.api.partition('/')[0]}/{resource.kind}" if resource.api else ""
        for match in project.catalogue.resource(kind or resource.kind):
            evidence = Evidence(resource.span, f"{resource.kind} {resource.name}")
            yield Sighting(
                match.tool.name,
                match.capability,
                "resource",
                evidence,
                match.details.kind,
                resource=resource,
            )
