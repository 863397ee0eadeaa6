"""Answers about a project that are worked out once, and forgotten with the project."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from mlops_audit.graph.project import Project

__all__ = ["once"]

P = ParamSpec("P")
R = TypeVar("R")


def once(function: Callable[Concatenate[Project, P], R]) -> Callable[Concatenate[Project, P], R]:
    """Keep the answers of a function of a project, and of hashable arguments, on the project."""

    @wraps(function)
    def asked(project: Project, /, *args: P.args, **kwargs: P.kwargs) -> R:
        key = (function, args, *kwargs.items())
        if key not in project.answers:
            project.answers[key] = function(project, *args, **kwargs)
        return cast("R", project.answers[key])

    return asked
