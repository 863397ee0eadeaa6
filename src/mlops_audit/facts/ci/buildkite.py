"""Buildkite; what starts a pipeline is set up in its web interface."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_audit.facts.cicommon import Script, broken, glued, texts
from mlops_audit.facts.conditions import evaluate
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.signs import Signs
from mlops_audit.facts.types import Getter, Job, Step, Trigger, TriggerKind, Unreadable, Workflow
from mlops_audit.facts.yamlpos import load_yaml
from mlops_audit.model import Span

__all__ = ["SIGNS", "read_buildkite"]

SIGNS = Signs(r"(?:.*/)?\.buildkite/(?:.*/)?[^/]*pipeline[^/]*\.ya?ml")


def read_buildkite(path: str, data: bytes, getter: Getter) -> tuple[Workflow, ...]:
    """The pipeline of one file; its trigger is EXTERNAL. An unreadable file has no jobs."""
    del getter  # a pipeline names no other files
    root = load_yaml(data, path)
    if isinstance(root, Unreadable):
        return broken("buildkite", root)
    span = Span(path, root.line)
    steps = root if root.kind == "list" else root.get("steps")
    env = texts(root.get("env"))
    jobs = tuple(_jobs(steps, path, env)) if steps is not None else ()
    off = "" if jobs else "no steps"
    trigger = Trigger(TriggerKind.EXTERNAL, span)
    return (Workflow("buildkite", path, path, span, (trigger,), jobs, env, disabled=off),)


def _jobs(steps: Node, path: str, env: dict[str, str]) -> Iterator[Job]:
    """A `wait` or `block` step makes what follows need all that stands before it."""
    before: list[str] = []
    names: list[str] = []
    for index, node in enumerate(steps.list(), 1):
        if node.text == "wait" or node.get("wait") is not None or "block" in node.entries:
            before = list(names)
        group = node.get("steps")
        for inner in group.list() if group is not None else (node,):
            if inner.kind != "map" or "wait" in inner.entries:
                continue
            job = _job(inner, path, env, f"step {index}", before)
            names.append(job.name)
            yield job


def _job(node: Node, path: str, env: dict[str, str], name: str, before: list[str]) -> Job:
    block = node.str_at("block")
    condition = node.str_at("if")
    never = bool(condition) and evaluate(condition) is False
    soft = node.str_at("soft_fail") == "true"
    own = texts(node.get("env"))
    commands = node.get("commands") or node.get("command")
    script = Script(path, errexit=True, literal={**env, **own})
    depends = node.get("depends_on")
    plugins = node.get("plugins")
    steps: list[Step] = []
    for plugin in plugins.many() if plugins is not None else ():
        for key, value in [(plugin.text, plugin)] if plugin.text else plugin.items():
            steps.append(Step(Span(path, plugin.line), uses=key, inputs=texts(value)))
    if commands is not None and commands.kind in ("scalar", "list"):
        text = "\n".join(commands.strings())
        steps.append(
            Step(Span(path, commands.line), run=text, commands=glued(commands.many(), script))
        )
    return Job(
        node.str_at("key") or node.str_at("label") or node.str_at("name") or block or name,
        Span(path, node.line),
        tuple(steps),
        depends.strings() if depends is not None else tuple(before),
        condition,
        soft=soft,
        why_soft="soft_fail" if soft else "",
        calls=node.str_at("trigger"),
        env=own,
        manual=bool(block),
        disabled="`skip`"
        if node.str_at("skip") not in ("", "false")
        else f"`if: {condition}` never holds"
        if never
        else "",
    )
