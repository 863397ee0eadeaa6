"""Where raw data lies in a project, and what writes there."""

from __future__ import annotations

import re

from msgspec import Struct

from mlops_audit.graph import Project
from mlops_audit.graph.datasets import committed_data, dvc_data
from mlops_audit.model import Evidence, Span
from mlops_audit.practices.structure._data_paths import DATA, RAW, data_mentions, is_derived
from mlops_audit.practices.structure._data_writes import CHANGES, Write, data_writes
from mlops_audit.regex import regex

__all__ = ["RawData", "raw_data"]

_VERSIONS = regex(
    r"(^|[/_])raw(_?data)?[_-]?(v\d|\d|final|new|old|latest|copy|backup)\w*(/|\.|$)", re.IGNORECASE
)
_OF_TESTS = regex(r"(\.{0,2}/){0,4}tests?/", re.IGNORECASE)


class RawData(Struct, frozen=True):
    """Where raw data lies: folders called raw, other folders of data, and all writes of data.

    `stored` is the data that git or DVC hold; `versions` are raw data side by side under names
    such as `raw_v2`; `derived` says that other data has a place of its own; `mixed` are data files
    in folders with other things.
    """

    named: tuple[tuple[str, Evidence], ...]
    plain: tuple[tuple[str, Evidence], ...]
    stored: tuple[Evidence, ...]
    mixed: tuple[Evidence, ...]
    derived: bool
    versions: tuple[Evidence, ...]
    writes: tuple[Write, ...]
    changes: tuple[Evidence, ...]


def raw_data(project: Project) -> RawData:
    """Find raw data and its writers."""
    named: dict[str, Evidence] = {}
    plain: dict[str, Evidence] = {}
    versions: list[Evidence] = []
    derived = False
    for path, evidence in data_mentions(project):
        if _OF_TESTS.match(path):
            continue
        derived = derived or is_derived(path)
        if _VERSIONS.search(path):
            versions.append(evidence)
        if match := RAW.match(path):
            named.setdefault(match[1], evidence)
        elif (match := DATA.match(path)) and not is_derived(path):
            plain.setdefault(match[1], evidence)
    writes = tuple(data_writes(project))
    for write in writes:
        if write.folder and (match := DATA.match(f"{write.folder}/")):
            plain.setdefault(match[1], write.evidence)
            derived = derived or not (RAW.match(f"{write.folder}/") or write.ingests)
    committed = committed_data(project)
    stored = [e for e in committed if not project.is_test(e.span.path)]
    changes = [
        Evidence(Span(p), "a program that changes raw data, by its name")
        for p in project.modules
        if CHANGES.search(p) and not project.is_test(p)
    ]
    return RawData(
        named=tuple(named.items()),
        plain=tuple(plain.items()),
        stored=(*stored, *dvc_data(project)),
        mixed=tuple(e for e in committed if not _is_place_of_data(e.span.path.rpartition("/")[0])),
        derived=derived,
        versions=tuple(versions),
        writes=writes,
        changes=tuple(changes),
    )


def _is_place_of_data(folder: str) -> bool:
    return bool(RAW.match(f"{folder}/") or DATA.match(f"{folder}/"))
