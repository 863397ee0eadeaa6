"""AUT10."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.resources import Resource
from mlops_audit.graph import Project
from mlops_audit.graph.sightings import OTHERS
from mlops_audit.model import Evidence, Span, Verdict, failed, hollow, partial, passed
from mlops_audit.practices.automation._delivery import deploys, is_guarded, puts_to_work
from mlops_audit.practices.automation._manifests import described, started
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_LOOKED_FOR = (
    "automation that deploys a service, batch job or model behind a test, gate or approval"
)
_NAMED = regex(r"\bdeploy", re.IGNORECASE)
_LOADS = regex(r"load[-_]?tests?|locust|\bk6\b|jmeter", re.IGNORECASE)
_WORKSHOP = regex(r"devcontainer|jupyter|notebook|mlflow|mlops-env|\b(dev|tests?)$")
_MANIFESTS = regex(
    r"(Deployment|StatefulSet|CronJob|InferenceService|SeldonDeployment|"
    r"AWS::(Lambda|Serverless|ECS|SageMaker)::(Function|Service|Endpoint)|google_cloud_run\w*|"
    r"aws_lambda_function|aws_ecs_service|aws_sagemaker_endpoint|"
    r"Microsoft\.(App/containerApps|Web/sites|ContainerInstance/containerGroups|"
    r"MachineLearningServices/workspaces/(online|batch)Endpoints)$)"
)
_RUNS = regex(r"Rollout|DaemonSet|Job|Ray\w+|Spark\w+|\w*Workflow\w*|InferenceGraph|Function")
_COMPONENT = regex(r"(object-?)?storage|database|cache|broker|queue|monitoring|metrics")
_CHART = regex(r"(^|/)(Chart\.yaml|kustomization\.ya?ml)$")
_FUNCTION = regex(r"AWS::(Lambda|Serverless)::Function|aws_lambda_function")
_PLATFORMS = regex(
    r"heroku|procfile|fly|render|serverless|sam|app\.yaml|appengine|vercel", re.IGNORECASE
)
_GITOPS = regex(
    r"argoproj\.io/\S+ (Application|ApplicationSet)$|"
    r"toolkit\.fluxcd\.io/\S+ (Kustomization|HelmRelease)$"
)


@practice(
    id="AUT10",
    title="Automation deploys the service, job or model",
    assets="system",
    level="5M",
    sources="S0 S1 S3 S4",
    fix="Deploy from the release workflow, after the tests have passed.",
    template=(
        ".github/workflows/release.yml",
        "deploy/deploy.sh",
    ),
    attestable=True,
)
def cd_deploys(project: Project) -> Verdict:
    """A deployment that automation reaches, and a check that stands before it."""
    found = list(deploys(project, project.automation))
    for deployment in found:
        guard = is_guarded(project, deployment)
        if guard is not None:
            return passed(
                "Automation deploys behind a check.",
                [deployment.evidence, _before(guard), *(d.evidence for d in found[:4])],
            )
    gitops = list(_gitops(project))
    if gitops:
        return passed("GitOps deploys what is merged.", gitops)
    steps = list(_pipeline_steps(project))
    gate = next((g for g in project.gates if g.kind == "metric"), None)
    if steps and gate is not None:
        return passed(
            "The pipeline deploys the model behind its gate.", [*steps[:3], *gate.evidence[:2]]
        )
    if found:
        return partial(
            "Automation deploys, but no test, gate or approval stands before it.",
            [d.evidence for d in found],
        )
    if steps:
        return partial("The pipeline deploys the model without a gate.", steps)
    return _by_hand(project)


def _before(guard: Evidence) -> Evidence:
    """The check that stands before a deployment, and says so."""
    return Evidence(guard.span, f"before it: {guard.detail}", guard.chain)


def _gitops(project: Project) -> Iterator[Evidence]:
    """Objects by which a cluster follows git, other people's charts and bare plumbing left out."""
    objects = [
        r
        for r in project.resources
        if _GITOPS.search(f"{r.api} {r.kind}") and not project.is_example(r.path)
    ]
    here = {u for r in objects for u, path in _sources(r) if _inside(project, path) is not None}
    for resource in objects:
        sources = list(_sources(resource))
        if resource.kind != "Application" or resource.templated or not sources:
            used = True
        elif here:
            used = any(u in here and _workload(project, path) for u, path in sources)
        else:
            used = any(path for _, path in sources)
        if used:
            yield Evidence(resource.span, f"{resource.kind} {resource.name}")


def _sources(resource: Resource) -> Iterator[tuple[str, str]]:
    """Address and folder from which an Argo CD application takes its objects."""
    spec = resource.node.get("spec")
    single = spec.get("source") if spec is not None else None
    several = spec.get("sources") if spec is not None else None
    for source in [*([single] if single else []), *(several.many() if several else [])]:
        yield source.str_at("repoURL"), source.str_at("path")


def _inside(project: Project, path: str) -> str | None:
    """How paths in a folder begin that an application names, if this repository has it."""
    if path.strip("/") == ".":
        return ""
    found = project.places.folder(path) if path else None
    return f"{found}/" if found else None


def _workload(project: Project, folder: str) -> bool:
    """Whether a folder holds a chart, or an object that runs something of the project's own."""
    inside = _inside(project, folder)
    if inside is None or any(p.startswith(inside) and _CHART.search(p) for p in project.paths):
        return inside is not None
    return any(
        (_MANIFESTS.match(r.kind) or _RUNS.fullmatch(r.kind) or r.containers) and not _beside(r)
        for r in project.resources
        if r.path.startswith(inside)
    )


def _pipeline_steps(project: Project) -> Iterator[Evidence]:
    """Steps of pipelines that deploy."""
    for pipeline in project.pipelines:
        if not pipeline.dag or pipeline.notebook:
            continue
        for step in pipeline.steps:
            if not _NAMED.search(step.name):
                continue
            paths = {s.path for s in step.code} | {step.evidence.span.path}
            if any(u.path in paths for u in project.uses("deploy.run", "serve.model")):
                yield step.evidence


def _beside(resource: Resource) -> bool:
    """Whether a manifest starts databases and tools only, and nothing of the project's own."""
    ran = resource.containers
    if _COMPONENT.fullmatch(_component(resource)):
        return True
    return bool(ran) and all(OTHERS.search(f"{c.name} {c.image}") for c in ran)


def _component(resource: Resource) -> str:
    """What part of an application an object of Kubernetes says that it is."""
    metadata = resource.node.get("metadata")
    labels = metadata.get("labels") if metadata is not None else None
    return labels.str_at("app.kubernetes.io/component") if labels is not None else ""


def _answers(project: Project, folder: str) -> bool:
    """Whether a folder holds a program that serves the model."""
    return bool(folder) and any(p.startswith(f"{folder}/") for p in project.roles.serving)


def _by_hand(project: Project) -> Verdict:
    """Scripts, manifests and notebooks with which a person deploys."""
    scripts = [
        u.evidence()
        for u in project.uses("deploy.run", "infra.apply", "pipeline.deploy")
        if not (u.details and u.details.kind == "docs")
        and not project.is_test(u.path)
        and puts_to_work(project, u)
        and not re.search(r"gh-pages|mkdocs|docs|--dry-run", u.detail)
    ]
    services = [
        s
        for s in project.containers.services
        if (s.context or s.dockerfile)
        and s.ports
        and not project.is_test(s.span.path)
        and not _WORKSHOP.search(f"{s.span.path} {s.name}")
    ]
    # What answers with the model says it most plainly, what others wrote least.
    composed = [
        Evidence(s.span, f"service {s.name}")
        for s in sorted(
            services, key=lambda s: (not _answers(project, s.context), bool(OTHERS.search(s.name)))
        )
    ]
    manifests = [
        Evidence(r.span, f"{r.kind} {r.name}")
        for r in project.resources
        if _MANIFESTS.match(r.kind)
        and not project.is_example(r.path)
        and not _beside(r)
        and not _LOADS.search(f"{r.path} {r.name}")
        # Where nothing predicts, a function of a cloud is glue: it starts or reports something.
        if project.predictions or not _FUNCTION.search(r.kind)
    ]
    platforms = [
        Evidence(Span(d.path), f"{d.kind} file")
        for d in project.containers.deployments
        if _PLATFORMS.search(d.kind)
    ]
    places = [*scripts, *manifests, *described(project), *composed, *platforms, *started(project)]
    if places:
        noted = all(e.span.path.endswith(".ipynb") for e in places)
        how = "a notebook deploys" if noted else "a person deploys by script or manifest"
        return partial(f"Only {how}.", places)
    named = [
        Evidence(way.node.span, way.node.detail)
        for way in project.automation.of("job", "step", "trigger")
        if _NAMED.search(way.node.detail) and not re.search(r"doc|page", way.node.detail.lower())
    ]
    if named:
        return hollow("A job is called deploy and deploys nothing.", named, looked_for=_LOOKED_FOR)
    return failed("Nothing deploys.", looked_for=_LOOKED_FOR)
