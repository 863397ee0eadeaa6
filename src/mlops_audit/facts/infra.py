"""All infrastructure of a tree: CloudFormation, ARM, Terraform, Kubernetes and Helm values."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import cast

from mlops_audit.facts.resources import Resource
from mlops_audit.facts.signs import INFRASTRUCTURE, SNIFFED, named
from mlops_audit.facts.types import Getter, Unreadable

__all__ = ["read_resources"]

MAX_SNIFFED = 4 * 1024 * 1024


def read_resources(
    paths: Iterable[str], getter: Getter
) -> tuple[tuple[Resource, ...], tuple[Unreadable, ...]]:
    """The resources of a whole tree, sorted by path, and the files that could not be read.

    Args:
        paths: the tree's files.
        getter: a file's bytes, None where it is absent.
    """
    listed = sorted(set(paths))
    charts = {path.rpartition("/")[0] for path in listed if path.rsplit("/", 1)[-1] == "Chart.yaml"}
    found: list[Resource] = []
    unreadable: list[Unreadable] = []
    for path in listed:
        result = _read(path, getter, charts)
        if isinstance(result, Unreadable):
            unreadable.append(result)
        else:
            found.extend(result)
    return tuple(found), tuple(unreadable)


def _read(path: str, getter: Getter, charts: set[str]) -> tuple[Resource, ...] | Unreadable:
    told = next((system for system in ("terraform", "arm") if named(system, path)), "")
    if not told and not path.lower().endswith(SNIFFED):
        return ()
    data = getter(path)
    if data is None or (not told and len(data) > MAX_SNIFFED):
        return ()
    if told:
        return _reader(told)(path, data)
    for system in ("cloudformation", "arm", "kubernetes"):
        if INFRASTRUCTURE[system].looks(data):
            return _reader(system)(path, data)
    if named("helm_values", path) and path.rpartition("/")[0] in charts:
        return _reader("kubernetes", "helm_values")(path, data)
    return ()


def _reader(
    module: str, what: str = ""
) -> Callable[[str, bytes], tuple[Resource, ...] | Unreadable]:
    """A reader, imported only where a file needs it."""
    found = getattr(import_module(f"mlops_audit.facts.{module}"), f"read_{what or module}")
    return cast("Callable[[str, bytes], tuple[Resource, ...] | Unreadable]", found)
