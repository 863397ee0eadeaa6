"""Bitbucket Pipelines."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_audit.facts.cicommon import Script, broken, glued, root_map, texts
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.signs import Signs
from mlops_audit.facts.types import Getter, Job, Step, Trigger, TriggerKind, Unreadable, Workflow
from mlops_audit.model import Span

__all__ = ["SIGNS", "read_bitbucket"]

SIGNS = Signs(r"(?:.*/)?bitbucket-pipelines\.yml")

_NAME = "bitbucket-pipelines.yml"


def read_bitbucket(path: str, data: bytes, getter: Getter) -> tuple[Workflow, ...]:
    """One workflow for each pipeline of the file; an unreadable file is one without jobs."""
    del getter  # a configuration names no other files
    root = root_map(data, path)
    if isinstance(root, Unreadable):
        return broken("bitbucket", root)
    image = _image(root)
    off = f"Bitbucket reads {_NAME} at the repository's root only" if "/" in path else ""
    found = [
        Workflow(
            "bitbucket",
            path,
            trigger.types[0] if trigger.types else trigger.kind.value,
            trigger.span,
            (trigger,),
            jobs,
            disabled=off or ("" if jobs else "no steps"),
        )
        for trigger, node in _pipelines(root, path)
        if (jobs := tuple(_jobs(node, path, image))) is not None
    ]
    return tuple(found) or (
        Workflow("bitbucket", path, path, Span(path, root.line), disabled="no pipelines"),
    )


def _pipelines(root: Node, path: str) -> Iterator[tuple[Trigger, Node]]:
    pipelines = root.get("pipelines")
    for key, node in pipelines.items() if pipelines is not None else ():
        span = Span(path, root.line_of("pipelines", key))
        if key == "default":
            yield Trigger(TriggerKind.PUSH, span), node
            continue
        for name, inner in node.items():
            here = Span(path, node.line_of(name))
            if key == "branches":
                yield Trigger(TriggerKind.PUSH, here, (name,)), inner
            elif key == "pull-requests":
                yield Trigger(TriggerKind.PULL_REQUEST, here, types=(f"from {name}",)), inner
            elif key in ("tags", "bookmarks"):
                yield Trigger(TriggerKind.TAG, here, tags=(name,)), inner
            else:
                # `custom` is started by a person or by a schedule set up in the web interface.
                yield Trigger(TriggerKind.MANUAL, here, types=(name,)), inner


def _image(node: Node) -> str:
    image = node.get("image")
    return (image.text or image.str_at("name")) if image is not None else ""


def _jobs(node: Node, path: str, image: str) -> Iterator[Job]:
    before: tuple[str, ...] = ()
    count = 0
    for item in node.list():
        names: list[str] = []
        for step in _steps(item):
            count += 1
            job = _job(step, path, image, f"step {count}", before)
            names.append(job.name)
            yield job
        before = tuple(names) or before


def _steps(item: Node) -> Iterator[Node]:
    """The steps of an item: one, a parallel group, or a stage."""
    step = item.get("step")
    if step is not None:
        yield step
    group = item.get("parallel")
    if group is not None:
        members = group.list() or (group.get("steps") or group).list()
        yield from (inner for member in members if (inner := member.get("step")) is not None)
    stage = item.get("stage", "steps")
    for member in stage.list() if stage is not None else ():
        if (inner := member.get("step")) is not None:
            yield inner


def _job(node: Node, path: str, image: str, name: str, needs: tuple[str, ...]) -> Job:
    steps: list[Step] = []
    for key in ("script", "after-script"):
        script = node.get(key)
        if script is None:
            continue
        why = "after-script cannot fail the step" if key == "after-script" else ""
        commands = glued(script.many(), Script(path, pipefail=True))
        text = "\n".join(script.strings())
        steps.append(
            Step(Span(path, script.line), key, text, commands, soft=bool(why), why_soft=why)
        )
        for pipe in script.list():
            if pipe.get("pipe") is not None:
                inputs = texts(pipe.get("variables"))
                span = Span(path, pipe.line_of("pipe"))
                steps.append(Step(span, key, uses=pipe.str_at("pipe"), inputs=inputs))
    return Job(
        node.str_at("name") or name,
        Span(path, node.line),
        tuple(steps),
        needs,
        environment=node.str_at("deployment"),
        image=_image(node) or image,
        manual=node.str_at("trigger") == "manual",
    )
