"""Drone and Woodpecker: one pipeline a document."""

from __future__ import annotations

from mlops_audit.facts.cicommon import Script, broken, glued, joined, listed_and_refused, texts
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.signs import Signs
from mlops_audit.facts.types import Getter, Job, Step, Trigger, TriggerKind, Unreadable, Workflow
from mlops_audit.facts.yamlpos import load_yaml_all
from mlops_audit.model import Span

__all__ = ["SIGNS", "read_drone"]

SIGNS = Signs(r"\.drone\.ya?ml|\.woodpecker\.ya?ml|\.woodpecker/[^/]+\.ya?ml")

_EVENTS = {
    "push": TriggerKind.PUSH,
    "pull_request": TriggerKind.PULL_REQUEST,
    "tag": TriggerKind.TAG,
    "cron": TriggerKind.SCHEDULE,
    "custom": TriggerKind.MANUAL,
    "manual": TriggerKind.MANUAL,
    "promote": TriggerKind.MANUAL,
    "rollback": TriggerKind.MANUAL,
    "release": TriggerKind.RELEASE,
}


def read_drone(path: str, data: bytes, getter: Getter) -> tuple[Workflow, ...]:
    """One workflow for each pipeline document; an unreadable file is one without jobs."""
    del getter  # a configuration names no other files
    documents = load_yaml_all(data, path)
    if isinstance(documents, Unreadable):
        return broken("drone", documents)
    kinds = ("", "pipeline")
    return tuple(
        _pipeline(root, path)
        for root in documents
        if root.kind == "map" and root.str_at("kind") in kinds
    )


def _pipeline(root: Node, path: str) -> Workflow:
    span = Span(path, root.line)
    triggers = _triggers(root.get("trigger") or root.get("when"), span)
    steps = root.get("steps") or root.get("pipeline")
    found = [(node.str_at("name"), node) for node in steps.list()] if steps is not None else []
    found = found or (list(steps.items()) if steps is not None else [])
    job = Job(
        root.str_at("name") or "pipeline",
        span,
        tuple(_step(name, node, path) for name, node in found),
        env=texts(root.get("environment")),
    )
    off = "" if job.steps else "no steps"
    if root.str_at("type") == "template":
        off = off or "a template of the server"
    name = root.str_at("name") or path
    return Workflow("drone", path, name, span, triggers, (job,), job.env, disabled=off)


def _triggers(node: Node | None, span: Span) -> tuple[Trigger, ...]:
    if node is None:
        return (Trigger(TriggerKind.PUSH, span), Trigger(TriggerKind.PULL_REQUEST, span))
    found: list[Trigger] = []
    for item in node.many():
        branches, ignored = listed_and_refused(item.get("branch"))
        events, refused = listed_and_refused(item.get("event"))
        names = events or tuple(n for n in ("push", "pull_request", "tag") if n not in refused)
        cron = item.str_at("cron")
        for name in names:
            kind = _EVENTS.get(name, TriggerKind.EVENT)
            on_branch = kind in (TriggerKind.PUSH, TriggerKind.PULL_REQUEST)
            types = () if name in _EVENTS else (name,)
            found.append(
                Trigger(kind, span, branches, ignored, types=types)
                if on_branch
                else Trigger(kind, span, types=(cron,) if cron else types)
            )
    return tuple(found)


def _step(name: str, node: Node, path: str) -> Step:
    commands = node.get("commands")
    soft = node.str_at("failure") == "ignore"
    env = {k: v for k, v in texts(node.get("environment")).items() if v}
    folder = node.str_at("directory")
    cwd = joined("", folder) if folder else ""
    script = Script(path, cwd, literal=env)
    return Step(
        Span(path, node.line),
        name,
        "\n".join(commands.strings()) if commands is not None else "",
        glued(commands.many(), script) if commands is not None else (),
        "" if commands is not None else node.str_at("image"),
        texts(node.get("settings")),
        env,
        soft=soft,
        why_soft="failure: ignore" if soft else "",
        cwd=cwd,
        image=node.str_at("image"),
    )
