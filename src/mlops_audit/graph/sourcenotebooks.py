"""Notebooks that Databricks keeps as Python files, whose outputs never come into the repository."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_audit.graph.memo import once

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["source_notebooks", "source_texts"]

_HEADER = "# Databricks notebook source"
_CELL = "# COMMAND ----------"
_MAGIC = "# MAGIC"


@once
def source_notebooks(project: Project) -> tuple[str, ...]:
    """Paths of Python files that a platform opens as notebooks, by their first line."""
    return tuple(
        path
        for path, module in project.modules.items()
        if module.main_line == 1 and (project.text(path) or "").startswith(_HEADER)
    )


def source_texts(project: Project) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    """Their cells of text: path, number of the first line, lines without the comment's sign."""
    for path in source_notebooks(project):
        told: list[str] | None = None
        start = 0
        for number, line in enumerate([*project.lines(path), _CELL], 1):
            if told is None and line.split()[:3] == ["#", "MAGIC", "%md"]:
                told, start = [], number
            if told is not None and line.startswith(_MAGIC):
                told.append(line.removeprefix(_MAGIC).strip().removeprefix("%md"))
            elif told is not None:
                yield path, start, tuple(told)
                told = None
