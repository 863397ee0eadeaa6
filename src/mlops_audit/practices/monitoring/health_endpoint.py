"""MON14: a liveness or readiness route, or a container's health check."""

from __future__ import annotations

import re

from mlops_audit.graph import Project
from mlops_audit.graph.settings import settings
from mlops_audit.graph.sightings import OTHERS, resources, sightings
from mlops_audit.graph.sourcelines import line_span
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence, Span, Verdict, failed, hollow, not_applicable, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.monitoring._roles import nothing_served
from mlops_audit.regex import regex

_CONTAINER = 150  # lines of one container in a manifest
_LOOKED_FOR = "a route such as /health, a probe of the container, HEALTHCHECK in the image"
_HEALTH = regex(
    r"(^|/)_?(health[\w\-]*|healthcheck|livez?|liveness|readyz?|readiness|ping|alive|heartbeat|"
    r"status/health|up)/?$",
    re.IGNORECASE,
)
_CHECK = regex(r"(the )?(service )?(health|liveness|readiness)[ -]?(check|probe)", re.IGNORECASE)
_PROBES = regex(r"^(livenessProbe|readinessProbe|startupProbe|liveness_probe|readiness_probe)$")

_ROUTE_KEYS = regex(r"^(liveness|readiness)_route$")
# Tasks of Amazon's container service: their definitions are JSON in a text, or a list.
_TASKS = frozenset({"aws_ecs_task_definition", "AWS::ECS::TaskDefinition"})
_OF_TASK = r"[\"']?[hH]ealthCheck[\"']?\s*[:={]"
_OF_TASK_TEXT = regex(r"\bhealthCheck[\"']?\s*[:=]\s*\{")


@practice(
    id="MON14",
    title="The service says whether it is healthy",
    assets="system",
    level="3s",
    sources="F",
    fix="Add a /health route that the platform probes.",
    needs=("prediction",),
    template=(
        "src/<package>/serving/app.py",
        "Dockerfile",
    ),
)
def health_endpoint(project: Project) -> Verdict:
    """Routes, probes and container checks of the service; those of databases never count."""
    if verdict := nothing_served(project):
        return verdict
    found = [*_routes(project), *_containers(project), *_probes(project), *_told(project)]
    if found:
        return passed("The service has a health route or check.", found)
    if project.roles.serves != "service":
        return not_applicable("no service")
    if not _own_service(project):
        return not_applicable("only managed endpoints of a platform")
    others = _databases(project)
    if others:
        return hollow("Only databases and tools have a health check.", others,
                      looked_for=_LOOKED_FOR)  # fmt: skip
    return failed("The service has no health route or check.", looked_for=_LOOKED_FOR)


def _routes(project: Project) -> list[Evidence]:
    """Routes whose path is one of health, and libraries for it."""
    found = [
        s.evidence
        for s in sightings(project, "health.route")
        if s.where == "call" and not s.notebook and not project.is_example(s.path)
    ]
    for use in project.uses("serve.route", "serve.http", test=False, notebook=False):
        call = use.call
        if call is None or project.is_example(use.path):
            continue
        paths = [
            path
            for v in (*call.args[:2], *(v for _, v in call.kwargs))
            # `os.environ.get("HEALTH_ROUTE", "/health")`: the platform names it, with a default.
            for path in (v.strings() if v.is_call else (v.literal,))
        ]
        named = any(isinstance(p, str) and p[:1] == "/" and _HEALTH.search(p) for p in paths)
        if named or ("/" in paths and _says_health(project, use)):
            found.append(use.evidence())
    return found


def _says_health(project: Project, use: Use) -> bool:
    """Whether the handler of the root route is, by its name or documentation, a health check."""
    handler = project.modules[use.path].function(use.call.decorates) if use.call else None
    return handler is not None and bool(
        _HEALTH.search(handler.name) or _CHECK.match(handler.doc.strip())
    )


def _containers(project: Project) -> list[Evidence]:
    """HEALTHCHECK of images with the project's code, and checks of services built from it."""
    found = [
        Evidence(stage.healthcheck_span, "HEALTHCHECK")
        for image in project.containers.dockerfiles
        if not project.is_example(image.path) and not OTHERS.search(image.path)
        for stage in image.stages
        if stage.healthcheck and stage.healthcheck_span is not None
    ]
    found += [
        Evidence(s.healthcheck_span or s.span, f"health check of service {s.name}")
        for s in project.containers.services
        if s.healthcheck and not _other(f"{s.span.path} {s.name}", s.image, built=bool(s.context))
    ]
    return found


def _other(name: str, image: str, *, built: bool) -> bool:
    """Whether a service is a database or a tool rather than the project's own."""
    return bool(OTHERS.search(f"{name} {image}")) or (not built and not image)


def _told(project: Project) -> list[Evidence]:
    """Routes that the platform is told to probe in an image of the project's (Azure ML)."""
    found = [
        Evidence(call.span, f"{call.method} with {key}")
        for module in project.source
        if not project.is_example(module.path)
        for call in module.calls
        for _, value in call.kwargs
        for key in value.keys
        if _ROUTE_KEYS.match(key)
    ]
    found += [
        s.evidence()
        for s in settings(project)
        if any(_ROUTE_KEYS.match(part) for part in s.key.split(".")) and s.name == "path"
    ]
    return found


def _probes(project: Project) -> list[Evidence]:
    """Probes of containers, and of Helm values."""
    found = [
        Evidence(_probe(project, c.span), f"probe of container {c.name}")
        for r in resources(project)
        for c in r.containers
        if c.probes and not OTHERS.search(f"{c.name} {c.image}")
    ]
    manifests = {r.path for r in resources(project) if r.containers}  # read above
    told: set[tuple[str, str]] = set()
    for item in settings(project):
        parts = item.key.split(".")
        at = next((n for n, part in enumerate(parts) if _PROBES.match(part)), None)
        # A schema of Kubernetes' own objects describes probes, it sets none.
        if at is None or "openAPIV3Schema" in parts or item.value is None:
            continue
        probe = (item.span.path, ".".join(parts[: at + 1]))
        if probe[0] in manifests:
            continue
        if probe not in told and not OTHERS.search(item.span.path):
            told.add(probe)
            detail = f"{'.'.join(parts[at:])}: {item.value}"
            found.append(Evidence(item.span, detail))
    found += [
        Evidence(line_span(project, r.span, _OF_TASK), f"health check in the task {r.name}")
        for r in resources(project)
        if r.kind in _TASKS
        and not OTHERS.search(r.name)
        and any(
            n.str_at("healthCheck", "command")
            or n.get("HealthCheck", "Command")
            or _OF_TASK_TEXT.search(str(n.value))
            for n in r.node.walk()
        )
    ]
    return list({e.span: e for e in found}.values())


def _probe(project: Project, span: Span) -> Span:
    """The line of a container's probe."""
    last = (span.line or 1) + _CONTAINER
    return line_span(project, span, r"(liveness|readiness|startup)Probe[\"']?\s*:", last)


def _own_service(project: Project) -> bool:
    """Whether the project runs a server of its own, rather than a managed endpoint."""
    served = project.uses("serve.route", "serve.http", "serve.grpc", test=False, notebook=False)
    if any(not project.is_example(u.path) for u in served):
        return True
    deployed = {"Deployment", "StatefulSet", "helm-values"}
    return any(r.kind in deployed and r.containers for r in resources(project))


def _databases(project: Project) -> list[Evidence]:
    return [
        Evidence(s.healthcheck_span or s.span, f"health check of service {s.name}")
        for s in project.containers.services
        if s.healthcheck
    ]
