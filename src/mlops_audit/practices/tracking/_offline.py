"""Hosted trackers whose runs stay on the machine unless somebody sets a variable."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_audit.graph import Project
from mlops_audit.graph.trackers import Tracked
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = ["stays_local"]

# `os.environ.get("WANDB_MODE", "offline")`, `os.getenv("WANDB_MODE") or "offline"`.
_DEFAULT = regex(r"(environ\.get|getenv)\([^()]{0,60}?(,\s*|\)\s*or\s+)['\"](offline|dryrun)['\"]")
_VARIABLE = regex(r"\benviron\b|\bgetenv\(")
_STARTS = frozenset(["tracker.run", "tracker.remote"])
_ON = {"WANDB_MODE": regex(r"\bonline\b"), "COMET_API_KEY": regex(r"\S")}


def stays_local(project: Project, tool: str, on: list[Tracked]) -> bool:
    """Whether every start of a tool is offline by default, and nothing here sets it on-line."""
    starts = [t for t in on if t.tool == tool and t.capability in _STARTS]
    if not starts or any(t.use is None for t in starts):
        return False
    local = {u.span for u in project.uses("tracker.local", test=False) if u.tool == tool}
    if not all(_offline(item, local) for item in starts):
        return False
    return not any(_ON[name].search(value) for name, value in _environments(project) if name in _ON)


def _offline(item: Tracked, local: set[Span]) -> bool:
    """An offline run, or one that a variable of the person's own machine turns into another."""
    call = item.use.call if item.use else None
    if call is None:
        return False
    if item.evidence.span in local:
        return True
    mode = call.kw("mode")
    if mode is not None:
        return mode.literal == "offline" or bool(_DEFAULT.search(mode.text))
    return bool(local) and any(_VARIABLE.search(g.text) and not g.negated for g in call.guards)


def _environments(project: Project) -> Iterator[tuple[str, str]]:
    """The variables that CI and compose give to what they run."""
    for workflow in project.workflows:
        yield from workflow.env.items()
        for job in workflow.jobs:
            yield from job.env.items()
            for step in job.steps:
                yield from step.env.items()
    for service in project.containers.services:
        for name, value, _ in service.environment:
            yield name, value
