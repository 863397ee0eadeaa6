"""CI that Terraform declares: Cloud Build triggers and CodePipeline pipelines, as workflows."""

from __future__ import annotations

from msgspec.structs import replace

from mlops_audit.facts.ci.cloudbuild import read_cloudbuild
from mlops_audit.facts.ci.codebuild import spec_job
from mlops_audit.facts.cicommon import folder_of, inside, root_map
from mlops_audit.facts.codepipeline import CODE_PROVIDERS, run_order
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.resources import Resource
from mlops_audit.facts.terraform import read_terraform
from mlops_audit.facts.types import Getter, Job, Step, Trigger, TriggerKind, Unreadable, Workflow
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = ["read_cloudtriggers"]

Builds = dict[str, tuple[str, Job, str]]
_SPEC = regex(r"^[\w./${}-]{1,200}\.ya?ml$")
_NAMED = regex(r"\b(aws_codebuild_project|module)\.[\w-]+")


def read_cloudtriggers(path: str, data: bytes, getter: Getter) -> tuple[Workflow, ...]:
    """One workflow for each build trigger, pipeline or build project of the file.

    Nothing is returned for a file that cannot be read: `infra` reports it.
    """
    if not any(
        word in data for word in (b"cloudbuild_trigger", b"codepipeline", b"codebuild_project")
    ):
        return ()
    resources = read_terraform(path, data)
    if isinstance(resources, Unreadable):
        return ()
    builds = _builds(resources, getter) if b"codepipeline" in data else {}
    pipelines = [_codepipeline(r, builds) for r in resources if r.kind == "aws_codepipeline"]
    used = {s.inputs.get("project") for w in pipelines for job in w.jobs for s in job.steps}
    found: list[Workflow] = []
    for resource in resources:
        if resource.kind == "google_cloudbuild_trigger":
            found.append(_cloudbuild(resource, getter))
        elif resource.kind == "aws_codepipeline":
            found.append(pipelines.pop(0))
        elif resource.kind == "aws_codebuild_project" and _address(resource) not in used:
            found.append(_codebuild(resource, getter))
    return tuple(found)


def _address(resource: Resource) -> str:
    return f"{resource.kind}.{resource.name}"


def _builds(resources: tuple[Resource, ...], getter: Getter) -> Builds:
    """What actions may name: build projects of the file, and modules that are handed a buildspec.

    By name and by address: the address, the job of the buildspec and that file's path.
    """
    found: Builds = {}
    for resource in resources:
        node, address = resource.node, _address(resource)
        if resource.kind == "aws_codebuild_project":
            names = [node.str_at("source", "buildspec") or "buildspec.yml"]
        elif resource.kind == "module":
            names = [value.text for _, value in node.items() if _SPEC.search(value.text)]
        else:
            continue
        for job, path in (_spec(name, resource, getter) for name in names):
            if job is not None:
                build = (address, replace(job, name=resource.name), path)
                found[address] = build
                if plain := node.str_at("name"):
                    found.setdefault(plain, build)
    return found


def _file(name: str, resource: Resource, getter: Getter) -> tuple[str, bytes | None]:
    """A file that a resource names, from the repository's root or beside the Terraform file."""
    clean = name.rpartition("}/")[2].lstrip("/")
    for path in (inside(clean), inside(clean, base=folder_of(resource.path))):
        data = getter(path) if path else None
        if data is not None:
            return path, data
    return inside(clean), None


def _cloudbuild(resource: Resource, getter: Getter) -> Workflow:
    node = resource.node
    triggers = tuple(_build_triggers(resource))
    jobs: tuple[Job, ...] = ()
    filename = node.str_at("filename") or node.str_at("git_file_source", "path")
    if filename:
        path, data = _file(filename, resource, getter)
        read = read_cloudbuild(path, data, getter) if data is not None else ()
        inner = tuple(job for workflow in read for job in workflow.jobs)
        jobs = (Job(resource.name, resource.span, calls=path, jobs=inner),)
    name = resource.name
    off = resource.disabled
    return Workflow("cloudbuild", resource.path, name, resource.span, triggers, jobs, disabled=off)


def _build_triggers(resource: Resource) -> list[Trigger]:
    node = resource.node
    found: list[Trigger] = []
    for key in (
        "github",
        "trigger_template",
        "repository_event_config",
        "bitbucket_server_trigger_config",
    ):
        block = node.get(key)
        if block is None:
            continue
        span = Span(resource.path, node.line_of(key))
        branch = block.str_at("push", "branch") or block.str_at("branch_name")
        tag = block.str_at("push", "tag") or block.str_at("tag_name")
        pull = block.get("pull_request")
        if pull is not None:
            target = pull.str_at("branch")
            found.append(Trigger(TriggerKind.PULL_REQUEST, span, _regex(target)))
        elif tag:
            found.append(Trigger(TriggerKind.TAG, span, tags=_regex(tag)))
        else:
            found.append(Trigger(TriggerKind.PUSH, span, _regex(branch)))
    found.extend(
        Trigger(TriggerKind.EVENT, Span(resource.path, node.line_of(key)), types=(key,))
        for key in ("pubsub_config", "webhook_config")
        if node.get(key) is not None
    )
    return found or [Trigger(TriggerKind.MANUAL, resource.span)]


def _regex(text: str) -> tuple[str, ...]:
    """Cloud Build's filters are regular expressions."""
    return (f"/{text}/",) if text else ()


def _codepipeline(resource: Resource, builds: Builds) -> Workflow:
    stages = resource.node.get("stage")
    jobs: list[Job] = []
    triggers: list[Trigger] = []
    for stage in stages.many() if stages is not None else ():
        actions = stage.get("action")
        listed = sorted(
            actions.many() if actions is not None else (),
            key=lambda action: run_order(action.str_at("run_order")),
        )
        triggers.extend(_source(a, resource) for a in listed if a.str_at("category") == "Source")
        acting = (a for a in listed if a.str_at("category") != "Source")
        steps = tuple(_action(a, resource, builds) for a in acting)
        if steps:
            before = tuple(job.name for job in jobs[-1:])
            manual = any(step.uses == "Approval:Manual" for step in steps)
            span = Span(resource.path, stage.line)
            jobs.append(Job(stage.str_at("name"), span, steps, before, manual=manual))
    found = tuple(triggers) or (Trigger(TriggerKind.EXTERNAL, resource.span),)
    off = "" if jobs else "no stages that act"
    return Workflow(
        "codepipeline",
        resource.path,
        resource.name,
        resource.span,
        found,
        tuple(jobs),
        disabled=off,
    )


def _source(action: Node, resource: Resource) -> Trigger:
    span = Span(resource.path, action.line)
    branch = action.str_at("configuration", "BranchName") or action.str_at(
        "configuration", "Branch"
    )
    if action.str_at("provider") not in CODE_PROVIDERS:
        return Trigger(TriggerKind.EVENT, span, types=(action.str_at("provider"),))
    plain = branch and "." not in branch and "$" not in branch
    return Trigger(TriggerKind.PUSH, span, (branch,) if plain else ())


def _action(action: Node, resource: Resource, builds: Builds) -> Step:
    uses = f"{action.str_at('category')}:{action.str_at('provider')}"
    settings = action.get("configuration")
    inputs = {k: v.text for k, v in settings.items()} if settings is not None else {}
    span, name = Span(resource.path, action.line), action.str_at("name")
    project = inputs.get("ProjectName", "")
    address = _NAMED.search(project)
    built = builds.get(address[0] if address else project)
    if built is None:
        return Step(span, name, uses=uses, inputs=inputs)
    inputs["project"], job, local = built
    return Step(span, name, uses=uses, inputs=inputs, local=local, steps=job.steps)


def _codebuild(resource: Resource, getter: Getter) -> Workflow:
    job, _ = _spec(resource.node.str_at("source", "buildspec") or "buildspec.yml", resource, getter)
    jobs = (replace(job, name=resource.name),) if job is not None else ()
    off = "" if jobs else "its buildspec is not here"
    trigger = Trigger(TriggerKind.EXTERNAL, resource.span)
    return Workflow(
        "codebuild", resource.path, resource.name, resource.span, (trigger,), jobs, disabled=off
    )


def _spec(name: str, resource: Resource, getter: Getter) -> tuple[Job | None, str]:
    """The job of a buildspec that a resource names, and the file's path."""
    if "\n" in name:
        return None, ""
    path, data = _file(name, resource, getter)
    root = root_map(data, path) if data is not None else None
    return (spec_job(root, path) if isinstance(root, Node) else None), path
