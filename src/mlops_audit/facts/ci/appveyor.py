"""AppVeyor; https://www.appveyor.com/docs/appveyor-yml/."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_audit.facts.cicommon import Script, broken, root_map, texts
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.signs import Signs
from mlops_audit.facts.types import (
    Command,
    Getter,
    Job,
    Step,
    Trigger,
    TriggerKind,
    Unreadable,
    Workflow,
)
from mlops_audit.model import Span

__all__ = ["SIGNS", "read_appveyor"]

SIGNS = Signs(r"\.?appveyor\.ya?ml")

# In the order in which a build runs them; the last ones no longer decide its outcome.
_PHASES = ("init", "install", "before_build", "build_script", "before_test", "test_script",
           "after_test", "before_deploy", "deploy_script")  # fmt: skip
_SOFT = ("on_success", "on_failure", "on_finish")
_SHELLS = ("cmd", "ps", "pwsh", "sh", "bash")


def read_appveyor(path: str, data: bytes, getter: Getter) -> tuple[Workflow, ...]:
    """The build of one file; an unreadable file is a workflow without jobs."""
    del getter  # a configuration names no other files
    root = root_map(data, path)
    if isinstance(root, Unreadable):
        return broken("appveyor", root)
    span = Span(path, root.line)
    job = Job("build", span, tuple(_steps(root, path)), env=texts(root.get("environment")))
    off = "" if any(step.commands for step in job.steps) else "no script"
    return (Workflow("appveyor", path, path, span, _triggers(root, span), (job,), disabled=off),)


def _triggers(root: Node, span: Span) -> tuple[Trigger, ...]:
    branches, refused = root.strings_at("branches", "only"), root.strings_at("branches", "except")
    found = [Trigger(TriggerKind.PUSH, span, branches, refused)]
    if root.str_at("skip_branch_with_pr") != "true" or not branches:
        found.append(Trigger(TriggerKind.PULL_REQUEST, span, branches, refused))
    return tuple(found)


def _steps(root: Node, path: str) -> Iterator[Step]:
    for phase in (*_PHASES, *_SOFT):
        node = root.get(phase)
        if node is None:
            continue
        soft = phase in _SOFT
        commands = tuple(_commands(node, Script(path)))
        why = f"{phase} comes after the outcome" if soft else ""
        yield Step(Span(path, node.line), phase, commands=commands, soft=soft, why_soft=why)


def _commands(node: Node, script: Script) -> Iterator[Command]:
    """Lines, or maps that name the shell of a line; each one must succeed."""
    for item in node.many():
        if item.kind == "scalar":
            yield from script.of(item)
        for shell in _SHELLS:
            inner = item.get(shell) if item.kind == "map" else None
            if inner is not None:
                yield from script.of(inner)
