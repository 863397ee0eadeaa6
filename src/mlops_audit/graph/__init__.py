"""What runs when what: the project seen as one execution graph, with the tool catalogue's words.

The names are loaded when they are first used: who needs the catalogue alone pays for no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops_audit.graph.execution import Node, Reach, Way
    from mlops_audit.graph.project import Project
    from mlops_audit.graph.uses import Use

__all__ = ["Node", "Project", "Reach", "Use", "Way"]

_HOMES = {
    "Node": "execution",
    "Project": "project",
    "Reach": "execution",
    "Use": "uses",
    "Way": "execution",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 -- loaded on first use is the point

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
