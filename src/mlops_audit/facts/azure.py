"""Azure Pipelines: stages, jobs and steps with their templates, in any folder."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from mlops_audit.facts.azure_context import Context
from mlops_audit.facts.azure_steps import gate, read_steps, soft
from mlops_audit.facts.azure_triggers import read_triggers
from mlops_audit.facts.ci.azure import SIGNS
from mlops_audit.facts.cicommon import broken, root_map, texts
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.types import Getter, Job, Step, Trigger, TriggerKind, Unreadable, Workflow
from mlops_audit.model import Span

__all__ = ["read_azure"]

_STEP_KEYS = frozenset(
    ["script", "bash", "pwsh", "powershell", "task", "template", "checkout", "download", "publish"]
)
_OWN_KEYS = frozenset(["trigger", "pr", "schedules", "resources", "extends", "pool", "name"])
_STRATEGIES = ("runOnce", "rolling", "canary")
_HOOKS = ("preDeploy", "deploy", "routeTraffic", "postRouteTraffic")


def read_azure(path: str, data: bytes, getter: Getter) -> tuple[Workflow, ...]:
    """The pipeline of one file with its templates filled in.

    A file of another name is read only if its shape is Azure's; one without triggers, pool or
    name is a template (`reusable`). Nothing is returned for other YAML. An unreadable file of
    Azure's name is a workflow without jobs; templates that cannot be read stand in `unreadable`.
    """
    root = root_map(data, path)
    if isinstance(root, Unreadable):
        return broken("azure", root) if SIGNS.named(path) else ()
    if not _is_pipeline(root):
        return ()
    reusable = not SIGNS.named(path) and not _OWN_KEYS & set(root.keys())
    span = Span(path, root.line)
    triggers = (Trigger(TriggerKind.CALL, span),) if reusable else read_triggers(root, path)
    context = Context(path, getter, (path,), triggers=triggers, images=_images(root))
    # What a trigger starts runs with the defaults of the parameters.
    context = replace(context, parameters=_own_defaults(root))
    context = context.with_variables(root.get("variables"))
    jobs = tuple(_all_jobs(root, context))
    return (
        Workflow(
            "azure",
            path,
            context.text(root.str_at("name")) or path,
            span,
            triggers,
            _linked(jobs),
            dict(context.variables),
            reusable=reusable,
            disabled="" if jobs else "no jobs",
            unreadable=tuple(context.unreadable),
        ),
    )


def _own_defaults(root: Node) -> dict[str, Node]:
    node = root.get("parameters")
    if node is None or node.kind != "list":
        return {}
    found = {item.str_at("name"): item.get("default") for item in node.list()}
    return {name: value for name, value in found.items() if value is not None}


def _is_pipeline(root: Node) -> bool:
    if root.get("extends", "template") is not None:
        return True
    shapes = (("steps", _STEP_KEYS), ("jobs", {"job", "deployment"}), ("stages", {"stage"}))
    for key, words in shapes:
        for item in root.list_at(key):
            if {*words, "template"} & set(item.keys()):
                return True
            if any(name.startswith("${{") for name in item.entries):
                return True
    return False


def _images(root: Node) -> dict[str, str]:
    found = {
        item.str_at("container"): item.str_at("image")
        for item in root.list_at("resources", "containers")
    }
    return {name: image for name, image in found.items() if name}


class _Made(Struct, frozen=True):
    """A job with its stage, the stages before it, and the jobs of its stage that it needs."""

    job: Job
    stage: str = ""
    after: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


def _all_jobs(root: Node, context: Context) -> Iterator[_Made]:
    context = replace(context, image=_image(root, context))
    extends = root.get("extends")
    if extends is not None:
        template = context.template(extends)
        if template is not None:
            yield from _all_jobs(template.root, template.context)
    yield from _stages(root.get("stages"), context)
    yield from _jobs(root.get("jobs"), context)
    steps = read_steps(root.get("steps"), context)
    if steps:
        span = Span(context.path, root.line_of("steps"))
        yield _Made(Job("job", span, steps, image=context.image))


def _image(node: Node, context: Context) -> str:
    container = node.get("container")
    if container is None:
        return context.image
    name = context.text(container.text or container.str_at("image"))
    return context.images.get(name, name)


def _stages(node: Node | None, context: Context) -> Iterator[_Made]:
    previous: tuple[str, ...] = ()
    for item in context.members(node):
        if item.get("template") is not None:
            template = context.template(item)
            if template is None:
                yield from _elsewhere(item, context)
            else:
                for made in _stages(template.root.get("stages"), template.context):
                    yield replace(made, after=made.after or previous)
                    previous = (made.stage,)
            continue
        name = context.text(item.str_at("stage")) or "stage"
        depends = item.get("dependsOn")
        after = depends.strings() if depends is not None else previous
        if depends is not None and depends.kind == "list" and not depends.children:
            after = ()
        test = gate(item, context)
        inner = replace(
            context.with_variables(item.get("variables")),
            triggers=test.triggers or context.triggers,
        )
        for made in _jobs(item.get("jobs"), inner):
            job = made.job
            job = replace(
                job,
                name=f"{name}.{job.name}",
                condition=" && ".join(filter(None, (test.condition, job.condition))),
                disabled=test.disabled or job.disabled,
                triggers=job.triggers or test.triggers,
            )
            yield replace(made, job=job, stage=name, after=after)
        previous = (name,)


def _jobs(node: Node | None, context: Context) -> Iterator[_Made]:
    for item in context.members(node):
        if item.get("template") is not None:
            template = context.template(item)
            if template is None:
                yield from _elsewhere(item, context)
            else:
                yield from _jobs(template.root.get("jobs"), template.context)
        elif item.get("job") is not None or item.get("deployment") is not None:
            yield _job(item, context)


def _elsewhere(node: Node, context: Context) -> Iterator[_Made]:
    """Jobs of another repository's template, of which only the name and the inputs are known."""
    name = context.text(node.str_at("template"))
    if "@" in name and not name.endswith("@self"):
        span = Span(context.path, node.line_of("template"))
        inputs = texts(node.get("parameters"))
        yield _Made(Job(name.partition("@")[0], span, calls=name, inputs=inputs))


def _job(node: Node, context: Context) -> _Made:
    key = "deployment" if node.get("deployment") is not None else "job"
    name = context.text(node.str_at(key)) or key
    test = gate(node, context)
    why = soft(node, context)
    context = replace(
        context.with_variables(node.get("variables")),
        triggers=test.triggers or context.triggers,
        image=_image(node, context),
    )
    environment = node.get("environment")
    steps = read_steps(node.get("steps"), context) + _deployment(node, context)
    job = Job(
        name,
        Span(context.path, node.line_of(key)),
        steps,
        condition=test.condition,
        soft=bool(why),
        why_soft=why,
        environment=context.text(environment.text or environment.str_at("name"))
        if environment
        else "",
        image=context.image,
        inputs=_strategy(node),
        env=texts(node.get("variables")),
        manual=any(step.uses.startswith("ManualValidation@") for step in steps),
        triggers=test.triggers,
        disabled=test.disabled,
    )
    return _Made(job, needs=node.strings_at("dependsOn"))


def _strategy(node: Node) -> dict[str, str]:
    """`strategy` (runOnce, rolling, canary) and its increments, as the job's inputs."""
    for name in _STRATEGIES:
        strategy = node.get("strategy", name)
        if strategy is not None:
            increments = strategy.get("increments")
            steps = ",".join(increments.strings()) if increments is not None else ""
            return {"strategy": name, "increments": steps} if steps else {"strategy": name}
    return {}


def _deployment(node: Node, context: Context) -> tuple[Step, ...]:
    found: list[Step] = []
    for name in _STRATEGIES:
        strategy = node.get("strategy", name)
        if strategy is None:
            continue
        for hook in _HOOKS:
            found.extend(read_steps(strategy.get(hook, "steps"), context))
        for when in ("success", "failure"):
            steps = read_steps(strategy.get("on", when, "steps"), context)
            condition = "failed()" if when == "failure" else ""
            found.extend(replace(step, condition=step.condition or condition) for step in steps)
    return tuple(found)


def _linked(made: tuple[_Made, ...]) -> tuple[Job, ...]:
    """Jobs with the names of all jobs that run before them, also those of earlier stages."""
    stages: dict[str, list[str]] = {}
    for item in made:
        stages.setdefault(item.stage, []).append(item.job.name)
    found: list[Job] = []
    for item in made:
        before = [name for stage in item.after for name in stages.get(stage, ())]
        prefix = f"{item.stage}." if item.stage else ""
        needs = dict.fromkeys([*(prefix + name for name in item.needs), *before])
        found.append(replace(item.job, needs=tuple(needs)))
    return tuple(found)
