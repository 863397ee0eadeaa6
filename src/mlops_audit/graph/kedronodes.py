"""Nodes of Kedro pipelines: the function, and the datasets of the catalog that it is given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_audit.facts.code import Call, Value
from mlops_audit.graph.memo import once
from mlops_audit.graph.scopes import Scope
from mlops_audit.graph.settings import settings
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["Dataset", "KedroNode", "kedro_datasets", "kedro_nodes", "node_names"]

_CATALOG = regex(r"(^|/)catalog([_\-][\w\-]*)?\.ya?ml$|(^|/)catalog/[^/]{1,80}\.ya?ml$")


class Dataset(Struct, frozen=True):
    """One entry of a data catalog: its class, and the file that holds it."""

    name: str
    kind: str
    path: str
    evidence: Evidence


class KedroNode(Struct, frozen=True):
    """One node: the function of the project that it calls, and the names of what it is given."""

    function: Scope
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    evidence: Evidence


@once
def kedro_nodes(project: Project) -> tuple[KedroNode, ...]:
    """The nodes that call functions of the project, in the order of the code."""
    return tuple(_nodes(project))


def _nodes(project: Project) -> Iterator[KedroNode]:
    for use in project.uses("pipeline.step", notebook=False):
        call = use.call
        if use.tool != "Kedro" or call is None or call.decorates:
            continue
        function = call.arg(0, "func")
        symbol = project.index.resolve(function.name, use.path) if function is not None else None
        if symbol is not None:
            yield KedroNode(
                Scope(symbol.path, symbol.qualname),
                _given(call, 1, "inputs"),
                _given(call, 2, "outputs"),
                use.evidence(),
            )


def _given(call: Call, place: int, key: str) -> tuple[str, ...]:
    value = call.arg(place, key)
    return node_names(value) if value is not None else ()


def node_names(value: Value) -> tuple[str, ...]:
    """The names in a text, a list, a dict or a call such as `dict(data="instances")`."""
    below = (name for _, given in value.kwargs for name in node_names(given))
    return (*value.strings(), *below)


@once
def kedro_datasets(project: Project) -> dict[str, Dataset]:
    """The datasets of the data catalogs, by name."""
    found: dict[str, Dataset] = {}
    known = [s for s in settings(project) if _CATALOG.search(s.span.path)]
    files = {(s.span.path, s.key): s.value for s in known}
    for item in known:
        name, _, last = item.key.rpartition(".")
        if last == "type" and name and isinstance(item.value, str):
            path = files.get((item.span.path, f"{name}.filepath"), "")
            found.setdefault(name, Dataset(name, item.value, str(path), item.evidence()))
    return found
