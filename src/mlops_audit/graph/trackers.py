"""Experiment trackers: which are called, whether they are on, and where their runs go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from mlops_audit.graph.memo import once
from mlops_audit.graph.trackercalls import lightning_logs, tracker_calls, writer_calls
from mlops_audit.graph.trackersettings import named_trackers
from mlops_audit.graph.trackerstanding import Tracked

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["Tracked", "tracked"]


@once
def tracked(project: Project) -> tuple[Tracked, ...]:
    """All that trackers record, those that are on first, scripts before notebooks."""
    found = [*tracker_calls(project), *named_trackers(project), *lightning_logs(project)]
    found += writer_calls(project, found)
    order = ("on", "local", "switch", "off")

    def rank(item: Tracked) -> tuple[bool, int, bool]:
        example = project.is_example(item.evidence.span.path)
        return item.notebook, order.index(item.standing), example

    return tuple(sorted(dict.fromkeys(_by_start(found)), key=rank))


def _by_start(found: list[Tracked]) -> Iterator[Tracked]:
    """Where every start of a tool is off, so is all else that it would record."""
    starts: dict[str, set[str]] = {}
    for item in found:
        if item.capability in {"tracker.run", "tracker.off"}:
            starts.setdefault(item.tool, set()).add(item.standing)
    for item in found:
        known = starts.get(item.tool, set())
        if item.standing in {"on", "local"} and known and known <= {"off", "switch"}:
            yield replace(item, standing=min(known))
        else:
            yield item
