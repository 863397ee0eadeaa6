"""Tests that jobs run on data: who runs the test file of a data check."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_audit.graph.execution import Way

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["run_by_job", "run_by_step"]

_RUNS_DATA = frozenset({"script", "target", "notebook"})
# Runners whose targets are steps that are given data, no jobs of the developers.
_STEPS = frozenset({"mlproject", "dvc", "spacy"})


def run_by_job(project: Project, path: str) -> bool:
    """Whether a script, task or pipeline that names a test file or its folder runs it."""
    return any(any(n.kind in _RUNS_DATA for n in w.nodes()) for w in _ways(project, path))


def run_by_step(project: Project, path: str) -> bool:
    """Whether a step of a pipeline that names a test file or its folder runs it."""
    return any(
        any(n.kind == "target" and n.key[0] in _STEPS for n in w.nodes())
        for w in _ways(project, path)
    )


def _ways(project: Project, path: str) -> Iterator[Way]:
    folder = path.rpartition("/")[0]
    for way in project.runnable.of("tests"):
        if {path, folder} & set(way.node.key[1:]) and not way.soft:
            yield way
