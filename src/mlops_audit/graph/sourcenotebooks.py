"""Notebooks that Databricks keeps as Python files, whose outputs never come into the repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_audit.graph.memo import once

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["source_notebooks"]

_HEADER = "# Databricks notebook source"


@once
def source_notebooks(project: Project) -> tuple[str, ...]:
    """Paths of Python files that a platform opens as notebooks, by their first line."""
    return tuple(
        path
        for path, module in project.modules.items()
        if module.main_line == 1 and (project.text(path) or "").startswith(_HEADER)
    )
