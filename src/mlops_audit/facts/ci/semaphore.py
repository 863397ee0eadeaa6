"""Semaphore; https://docs.semaphoreci.com/reference/pipeline-yaml."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_audit.facts.cicommon import Script, broken, glued, root_map
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.signs import Signs
from mlops_audit.facts.types import Getter, Job, Step, Trigger, TriggerKind, Unreadable, Workflow
from mlops_audit.model import Span

__all__ = ["SIGNS", "read_semaphore"]

SIGNS = Signs(r"\.semaphore/[^/]+\.ya?ml")

_FIRST = (".semaphore/semaphore.yml", ".semaphore/semaphore.yaml")


def read_semaphore(path: str, data: bytes, getter: Getter) -> tuple[Workflow, ...]:
    """The blocks of one pipeline; an unreadable file is a workflow without jobs.

    A push starts `semaphore.yml`; the other files are what it promotes to, by a person where no
    condition promotes by itself.
    """
    root = root_map(data, path)
    if isinstance(root, Unreadable):
        return broken("semaphore", root)
    span = Span(path, root.line)
    jobs = tuple(_jobs(root, path))
    if path in _FIRST:
        kind = TriggerKind.EXTERNAL
    else:
        kind = TriggerKind.WORKFLOW if _promotes(path, getter) else TriggerKind.MANUAL
    off = "" if any(job.steps for job in jobs) else "no commands"
    name = root.str_at("name") or path
    return (Workflow("semaphore", path, name, span, (Trigger(kind, span),), jobs, disabled=off),)


def _promotes(path: str, getter: Getter) -> bool:
    """Whether the first pipeline goes on to this one by itself."""
    for first in _FIRST:
        root = root_map(getter(first) or b"", first)
        promotions = root.get("promotions") if not isinstance(root, Unreadable) else None
        for node in promotions.list() if promotions is not None else ():
            if path.endswith(f"/{node.str_at('pipeline_file')}"):
                return node.get("auto_promote") is not None
    return False


def _jobs(root: Node, path: str) -> Iterator[Job]:
    before: list[str] = []
    blocks = root.get("blocks")
    for block in blocks.list() if blocks is not None else ():
        told = block.get("dependencies")
        needs = told.strings() if told is not None else tuple(before[-1:])
        name = block.str_at("name") or f"block {len(before) + 1}"
        before.append(name)
        yield Job(name, Span(path, block.line), tuple(_steps(block, path)), needs)


def _steps(block: Node, path: str) -> Iterator[Step]:
    task = block.get("task")
    listed = task.get("jobs") if task is not None else None
    prologue = task.get("prologue", "commands") if task is not None else None
    for node in listed.list() if listed is not None else ():
        commands = node.get("commands")
        lines = [*(prologue.many() if prologue is not None else ())]
        lines += commands.many() if commands is not None else ()
        yield Step(Span(path, node.line), node.str_at("name"), commands=glued(lines, Script(path)))
