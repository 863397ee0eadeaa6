"""All CI/CD workflows of a tree: which reader reads which file.

A system is one module of this package: the `SIGNS` of its files and `read_<system>`, a function of
a path, its bytes and a getter of other files. A reader that is large names the module that holds
it as `READER` instead, so that only those of systems that a repository uses are imported.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

from mlops_audit.facts.signs import SNIFFED, Signs
from mlops_audit.facts.types import Getter
from mlops_audit.modules import module_names

if TYPE_CHECKING:
    from mlops_audit.facts.types import Unreadable, Workflow

__all__ = ["read_workflow", "read_workflows", "system_of", "systems"]

MAX_SNIFFED = 1024 * 1024


@functools.cache
def systems() -> Mapping[str, Signs]:
    """The systems that have a reader here, in the order in which they are asked."""
    names = module_names(__path__)
    found = {name: import_module(f"{__name__}.{name}").SIGNS for name in names}
    # What a name of a system's own says goes before what a name in people's words may mean.
    return MappingProxyType(dict(sorted(found.items(), key=lambda item: item[1].loose)))


def system_of(path: str, data: Callable[[], bytes | None]) -> str | None:
    """The system of a file; its bytes are asked for only where the path does not tell."""
    for system, signs in systems().items():
        if signs.named(path):
            return system
    if not path.lower().endswith(SNIFFED):
        return None
    content = data()
    if content is None or len(content) > MAX_SNIFFED:
        return None
    return next((system for system, signs in systems().items() if signs.looks(content)), None)


def read_workflow(system: str, path: str, data: bytes, getter: Getter) -> tuple[Workflow, ...]:
    """The workflows of one file, by the reader of its system."""
    module = import_module(f"{__name__}.{system}")
    module = import_module(getattr(module, "READER", module.__name__))
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
