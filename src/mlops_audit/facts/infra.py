"""All infrastructure of a tree: CloudFormation, Terraform, Kubernetes and Helm values."""

from __future__ import annotations

from collections.abc import Iterable

from mlops_audit.facts.cicommon import Getter, folder_of
from mlops_audit.facts.cloudformation import looks_like_cloudformation, read_cloudformation
from mlops_audit.facts.kubernetes import (
    is_helm_values,
    looks_like_kubernetes,
    read_helm_values,
    read_kubernetes,
)
from mlops_audit.facts.resources import Resource
from mlops_audit.facts.terraform import is_terraform, read_terraform
from mlops_audit.facts.types import Unreadable

__all__ = ["read_resources"]

MAX_SNIFFED = 4 * 1024 * 1024
_SNIFFED = (".yml", ".yaml", ".json", ".template")


def read_resources(
    paths: Iterable[str], getter: Getter
) -> tuple[tuple[Resource, ...], tuple[Unreadable, ...]]:
    """The resources of a whole tree, sorted by path, and the files that could not be read.

    Args:
        paths: the tree's files.
        getter: a file's bytes, None where it is absent.
    """
    listed = sorted(set(paths))
    charts = {folder_of(path) for path in listed if path.rsplit("/", 1)[-1] == "Chart.yaml"}
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
    terraform = is_terraform(path)
    if not terraform and not path.lower().endswith(_SNIFFED):
        return ()
    data = getter(path)
    if data is None or (not terraform and len(data) > MAX_SNIFFED):
        return ()
    if terraform:
        return read_terraform(path, data)
    if looks_like_cloudformation(data):
        return read_cloudformation(path, data)
    if looks_like_kubernetes(data):
        return read_kubernetes(path, data)
    if is_helm_values(path) and folder_of(path) in charts:
        return read_helm_values(path, data)
    return ()
