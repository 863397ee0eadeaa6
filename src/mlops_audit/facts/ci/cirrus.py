"""Cirrus CI; https://cirrus-ci.org/guide/writing-tasks/."""

from __future__ import annotations

from mlops_audit.facts.cicommon import Script, broken, glued, root_map, texts
from mlops_audit.facts.conditions import evaluate
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.signs import Signs
from mlops_audit.facts.types import Getter, Job, Step, Trigger, TriggerKind, Unreadable, Workflow
from mlops_audit.model import Span

__all__ = ["SIGNS", "read_cirrus"]

SIGNS = Signs(r"\.cirrus\.ya?ml")

_TASKS = ("task", "docker_builder")


def read_cirrus(path: str, data: bytes, getter: Getter) -> tuple[Workflow, ...]:
    """The tasks of one file; an unreadable file is a workflow without jobs."""
    del getter  # a configuration names no other files
    root = root_map(data, path)
    if isinstance(root, Unreadable):
        return broken("cirrus", root)
    span = Span(path, root.line)
    env = texts(root.get("env"))
    jobs = tuple(
        _job(key, node, path, env)
        for key, node in root.items()
        if key.endswith(_TASKS) and node.kind == "map"
    )
    off = "" if any(job.steps for job in jobs) else "no script"
    triggers = (Trigger(TriggerKind.PUSH, span), Trigger(TriggerKind.PULL_REQUEST, span))
    return (Workflow("cirrus", path, path, span, triggers, jobs, env, disabled=off),)


def _job(key: str, node: Node, path: str, env: dict[str, str]) -> Job:
    own = texts(node.get("env"))
    script = Script(path, literal={**env, **own})
    steps = tuple(
        Step(
            Span(path, inner.line),
            name.removesuffix("_script"),
            commands=glued(inner.many(), script),
        )
        for name, inner in node.items()
        if name.endswith("script") and inner.kind in ("scalar", "list")
    )
    condition = node.str_at("only_if")
    soft = node.str_at("allow_failures") == "true"
    return Job(
        node.str_at("name") or node.str_at("alias") or key.removesuffix("_task"),
        Span(path, node.line),
        steps,
        node.strings_at("depends_on"),
        condition,
        soft=soft,
        why_soft="allow_failures" if soft else "",
        env=own,
        manual=node.str_at("trigger_type") == "manual",
        disabled="`only_if` never holds" if condition and evaluate(condition) is False else "",
    )
