"""All CI/CD workflows of a tree: which reader reads which file.

A new system is one module with `read_<system>` and one entry in `signs.CI`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import TYPE_CHECKING

from mlops_audit.facts.signs import CI, SNIFFED

if TYPE_CHECKING:
    from mlops_audit.facts.types import Unreadable, Workflow

__all__ = ["read_workflow", "read_workflows", "system_of"]

MAX_SNIFFED = 1024 * 1024
Getter = Callable[[str], bytes | None]


def system_of(path: str, data: Callable[[], bytes | None]) -> str | None:
    """The system of a file; its bytes are asked for only where the path does not tell."""
    for system, signs in CI.items():
        if signs.named(path):
            return system
    if not path.lower().endswith(SNIFFED):
        return None
    content = data()
    if content is None or len(content) > MAX_SNIFFED:
        return None
    return next((system for system, signs in CI.items() if signs.looks(content)), None)


def read_workflow(system: str, path: str, data: bytes, getter: Getter) -> tuple[Workflow, ...]:
    """The workflows of one file, by the reader of its system."""
    module = import_module(f"mlops_audit.facts.{system}")
    found: tuple[Workflow, ...] = getattr(module, f"read_{system}")(path, data, getter)
    return found


def read_workflows(
    paths: Iterable[str], getter: Getter
) -> tuple[tuple[Workflow, ...], tuple[Unreadable, ...]]:
    """The workflows of a whole tree, sorted by path, and what could not be read.

    Args:
        paths: the tree's files.
        getter: a file's bytes, None where it is absent.

    Returns:
        Workflows (one that could not be read at all is among them, without jobs), and every
        `Unreadable` of theirs.
    """
    found: list[Workflow] = []
    for path in sorted(set(paths)):
        system = system_of(path, functools.partial(getter, path))
        data = getter(path) if system is not None else None
        if system is not None and data is not None:
            found.extend(read_workflow(system, path, data, getter))
    return tuple(found), tuple(item for workflow in found for item in workflow.unreadable)
