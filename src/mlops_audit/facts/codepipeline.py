"""AWS CodePipeline and CodeBuild declared in CloudFormation, as workflows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from mlops_audit.facts.ci.codebuild import spec_job
from mlops_audit.facts.cicommon import folder_of, inside, root_map
from mlops_audit.facts.cloudformation import (
    parameter_defaults,
    read_cloudformation,
    references,
    template_root,
    text_of,
)
from mlops_audit.facts.nodes import Entry, Node
from mlops_audit.facts.resources import Resource
from mlops_audit.facts.types import Getter, Job, Step, Trigger, TriggerKind, Unreadable, Workflow
from mlops_audit.facts.yamlpos import load_yaml
from mlops_audit.model import Span

__all__ = [
    "CODE_PROVIDERS",
    "called_builds",
    "declared_pipelines",
    "read_codepipeline",
    "run_order",
]

_PIPELINE, _PROJECT = "AWS::CodePipeline::Pipeline", "AWS::CodeBuild::Project"
# Providers of an action's source that hold code.
CODE_PROVIDERS = frozenset({"CodeCommit", "GitHub", "CodeStarSourceConnection", "Bitbucket"})
_SCHEDULES = ("AWS::Events::Rule", "AWS::Scheduler::Schedule")


class _Template(Struct, frozen=True):
    path: str
    getter: Getter
    defaults: Mapping[str, str]
    resources: Mapping[str, Resource]

    def text(self, node: Node | None) -> str:
        """A property's text with the parameters' defaults."""
        return text_of(node, self.defaults)


def read_codepipeline(path: str, data: bytes, getter: Getter) -> tuple[Workflow, ...]:
    """One workflow for each pipeline and for each build project that stands for itself.

    Nothing is returned for a file that cannot be read: `infra` reports it.
    """
    root = template_root(path, data)
    resources = read_cloudformation(path, data)
    if isinstance(root, Unreadable) or isinstance(resources, Unreadable):
        return ()
    return declared_pipelines(path, resources, getter, parameter_defaults(root))


def declared_pipelines(
    path: str,
    resources: Iterable[Resource],
    getter: Getter,
    defaults: Mapping[str, str] | None = None,
) -> tuple[Workflow, ...]:
    """The workflows of resources that one file declares.

    Args:
        path: the file that declares them.
        resources: its resources, in the words of CloudFormation.
        getter: a file's bytes, None where it is absent.
        defaults: the defaults of the template's parameters.
    """
    resources = tuple(resources)
    template = _Template(path, getter, defaults or {}, {r.name: r for r in resources})
    found = [_pipeline(r, template) for r in resources if r.kind == _PIPELINE]
    used = {step.inputs.get("project") for w in found for job in w.jobs for step in job.steps}
    projects = [r for r in resources if r.kind == _PROJECT and r.name not in used]
    found.extend(_project(resource, template) for resource in projects)
    return tuple(found)


def run_order(text: str) -> int:
    """When an action of a stage starts: 1 where nothing says so, later ones after it."""
    return int(text) if text.isdecimal() and len(text) < 4 else 1  # noqa: PLR2004 -- up to 999


def _pipeline(resource: Resource, template: _Template) -> Workflow:
    stages = resource.node.get("Stages")
    jobs: list[Job] = []
    triggers: list[Trigger] = []
    for stage in stages.list() if stages is not None else ():
        listed = sorted(
            stage.list_at("Actions"),
            key=lambda action: run_order(template.text(action.get("RunOrder"))),
        )
        triggers.extend(_source(action, template) for action in listed if _is_source(action))
        steps = tuple(_action(action, template) for action in listed if not _is_source(action))
        if steps:
            jobs.append(_stage(stage, steps, jobs[-1:], template))
    triggers.extend(_events(resource, template))
    triggers = _of_objects(triggers)
    span = resource.span
    names = {
        template.text(n.get("StageName")): n
        for n in resource.node.list_at("DisableInboundStageTransitions")
    }
    closed = [
        replace(j, disabled="its inbound transition is disabled") if j.name in names else j
        for j in jobs
    ]
    return Workflow(
        "codepipeline",
        template.path,
        resource.name,
        span,
        tuple(triggers) or (Trigger(TriggerKind.EXTERNAL, span),),
        tuple(closed),
        disabled="" if jobs else "no stages that act",
    )


def _is_source(action: Node) -> bool:
    return action.str_at("ActionTypeId", "Category") == "Source"


def _stage(stage: Node, steps: tuple[Step, ...], before: list[Job], template: _Template) -> Job:
    return Job(
        template.text(stage.get("Name")),
        Span(template.path, stage.line),
        steps,
        tuple(job.name for job in before),
        manual=any(step.uses == "Approval:Manual" for step in steps),
    )


def _source(action: Node, template: _Template) -> Trigger:
    provider = action.str_at("ActionTypeId", "Provider")
    named_at = action.get("ActionTypeId", "Provider")
    line = action.line_of("ActionTypeId") if named_at is None else named_at.line
    span = Span(template.path, line)
    settings = action.get("Configuration") or Node("map", action.line)
    branch = template.text(settings.get("BranchName")) or template.text(settings.get("Branch"))
    if provider in CODE_PROVIDERS:
        named = (
            (branch,) if branch and "$" not in branch and branch not in template.resources else ()
        )
        off = (
            "DetectChanges: false"
            if template.text(settings.get("DetectChanges")) == "false"
            else ""
        )
        return Trigger(TriggerKind.PUSH, span, named, disabled=off)
    return Trigger(TriggerKind.EVENT, span, types=(provider,))


def _events(resource: Resource, template: _Template) -> list[Trigger]:
    """Rules and schedules of the template whose targets are this pipeline."""
    found: list[Trigger] = []
    for other in template.resources.values():
        if other.kind not in _SCHEDULES or resource.name not in other.references:
            continue
        kind, types = (TriggerKind.SCHEDULE, ()) if other.schedule else _cause(other)
        found.append(
            Trigger(kind, other.span, cron=other.schedule, disabled=other.disabled, types=types)
        )
    return found


def _cause(rule: Resource) -> tuple[TriggerKind, tuple[str, ...]]:
    """What an event rule listens to: a push of code, an object of a store, an alarm, another."""
    pattern = rule.node.get("EventPattern")
    words = {n.text for n in pattern.walk() if n.kind == "scalar"} if pattern is not None else set()
    if words & {"aws.codecommit", "aws.codestar"}:
        return TriggerKind.PUSH, ()
    if words & {"aws.s3", "s3.amazonaws.com"}:
        return TriggerKind.EVENT, ("S3",)
    if "CloudWatch Alarm State Change" in words:
        return TriggerKind.EVENT, ("alarm",)
    return TriggerKind.EVENT, ()


def _of_objects(triggers: list[Trigger]) -> list[Trigger]:
    """An object of a store beside a source of code is data; alone it is the zipped code."""
    if any(t.kind is TriggerKind.PUSH for t in triggers):
        return [replace(t, types=("data",)) if t.types == ("S3",) else t for t in triggers]
    return [replace(t, kind=TriggerKind.PUSH) if t.types == ("S3",) else t for t in triggers]


def _action(action: Node, template: _Template) -> Step:
    kind = action.get("ActionTypeId") or Node("map", action.line)
    uses = f"{kind.str_at('Category')}:{kind.str_at('Provider')}"
    settings = action.get("Configuration") or Node("map", action.line)
    inputs = {key: template.text(value) for key, value in settings.items()}
    span = Span(template.path, action.line)
    name = template.text(action.get("Name"))
    project = settings.get("ProjectName")
    names = [*(references(project) if project is not None else ()), inputs.get("ProjectName", "")]
    built = next(
        (r for n in names if (r := template.resources.get(n)) and r.kind == _PROJECT), None
    )
    if built is None:
        return Step(span, name, uses=uses, inputs=inputs)
    job, local = _build(built, template)
    inputs["project"] = built.name
    steps = job.steps if job is not None else ()
    return Step(span, name, uses=uses, inputs=inputs, local=local, steps=steps)


def _build(resource: Resource, template: _Template) -> tuple[Job | None, str]:
    """A project's job from its inline buildspec or the file it names, and that file's path."""
    node = resource.node.get("Source", "BuildSpec")
    if node is not None and node.kind == "map":
        return spec_job(node, template.path), ""
    text = template.text(node)
    if node is not None and "\n" in text:
        root = load_yaml(text, template.path)
        if isinstance(root, Unreadable):
            return None, ""
        inner = node if node.kind == "scalar" else next((n for n in node.walk() if n.text), node)
        return spec_job(_shifted(root, (inner.text_line or inner.line) - 1), template.path), ""
    # The template's folder is often what is pushed to the pipeline's own repository.
    name = text or "buildspec.yml"
    for path in (inside(name), inside(name, base=folder_of(template.path))):
        data = template.getter(path) if path else None
        found = root_map(data, path) if data is not None else None
        if isinstance(found, Node):
            return spec_job(found, path), path
    return None, inside(name)


def _shifted(node: Node, by: int) -> Node:
    """The same tree at the lines of the file that holds its text."""
    return replace(
        node,
        line=node.line + by,
        text_line=node.text_line + by if node.text_line else 0,
        children=tuple(_shifted(child, by) for child in node.children),
        entries={
            key: Entry(key, entry.line + by, _shifted(entry.node, by))
            for key, entry in node.entries.items()
        },
    )


def _project(resource: Resource, template: _Template) -> Workflow:
    span = resource.span
    hook = template.text(resource.node.get("Triggers", "Webhook")).lower() == "true"
    job, _ = _build(resource, template)
    trigger = Trigger(TriggerKind.PUSH if hook else TriggerKind.EXTERNAL, span)
    jobs = (job,) if job is not None else ()
    off = "" if jobs else "its buildspec is not here"
    return Workflow("codebuild", template.path, resource.name, span, (trigger,), jobs, disabled=off)


def called_builds(workflows: tuple[Workflow, ...]) -> tuple[Workflow, ...]:
    """The workflows, where a buildspec that a pipeline's action runs does not start by itself."""
    called = {
        step.local
        for workflow in workflows
        if workflow.system == "codepipeline"
        for job in workflow.jobs
        for step in job.steps
        if step.local
    }
    return tuple(
        replace(w, reusable=True, triggers=(Trigger(TriggerKind.CALL, w.span),))
        if w.system == "codebuild" and w.path in called
        else w
        for w in workflows
    )
