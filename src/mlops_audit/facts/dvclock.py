"""DVC's record of what it made and where that is kept: dvc.lock, `.dvc` pointers, remotes."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

from mlops_audit.facts.dvctypes import (
    DvcConfig,
    DvcEntry,
    DvcLock,
    DvcPointer,
    DvcRemote,
    LockedStage,
    place_of,
)
from mlops_audit.facts.inipos import load_ini
from mlops_audit.facts.nodes import EMPTY, Node, Plain
from mlops_audit.facts.types import Unreadable
from mlops_audit.facts.yamlpos import load_yaml
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = ["read_dvc_config", "read_dvc_lock", "read_dvc_pointer"]

_REMOTE = regex(r"'?remote\s+\"([^\"]+)\"'?")
_SHARED = regex(r"[a-z][a-z0-9+.\-]*://|[\w.\-]+@[\w.\-]+:", re.IGNORECASE)


def read_dvc_lock(data: bytes, path: str) -> DvcLock | Unreadable:
    """Read a dvc.lock of schema 1 or 2."""
    root = load_yaml(data, path)
    if isinstance(root, Unreadable):
        return root
    schema = root.str_at("schema")
    stages = root.get("stages") if schema else root
    folder = posixpath.dirname(path)
    found: dict[str, LockedStage] = {}
    for name, entry in (stages or EMPTY).entries.items():
        node = entry.node
        if node.kind != "map":
            continue
        params: list[tuple[str, str, Plain]] = []
        for file, values in (node.get("params") or EMPTY).items():
            place = place_of(folder, file)
            if values.kind == "map":
                params += [(place, key, value.plain()) for key, value in values.items()]
        found[name] = LockedStage(
            name,
            Span(path, entry.line),
            node.strings_at("cmd"),
            _entries(node.get("deps"), folder, path),
            _entries(node.get("outs"), folder, path),
            tuple(params),
        )
    return DvcLock(path, schema, found)


def _entries(node: Node | None, folder: str, path: str) -> tuple[DvcEntry, ...]:
    found: list[DvcEntry] = []
    for part in node.list() if node is not None else ():
        if part.kind != "map" or not part.str_at("path"):
            continue
        listed = part.get("files")
        found.append(
            DvcEntry(
                place_of(folder, part.str_at("path")),
                Span(path, part.line_of("path")),
                part.str_at("md5") or part.str_at("etag") or part.str_at("checksum"),
                _number(part.get("size")),
                part.str_at("repo", "rev_lock") or part.str_at("repo", "rev"),
                part.str_at("repo", "url"),
                part.str_at("remote"),
                part.str_at("cache") != "false",
                bool(listed is not None and listed.list()),
            )
        )
    return tuple(found)


def _number(node: Node | None) -> int | None:
    value = node.value if node is not None else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def read_dvc_pointer(data: bytes, path: str) -> DvcPointer | Unreadable:
    """Read a `.dvc` file."""
    root = load_yaml(data, path)
    if isinstance(root, Unreadable):
        return root
    folder = place_of(posixpath.dirname(path), root.str_at("wdir") or ".")
    outs = _entries(root.get("outs"), folder, path)
    deps = _entries(root.get("deps"), folder, path)
    return DvcPointer(path, Span(path), outs, deps, root.str_at("frozen") == "true")


def read_dvc_config(data: bytes, path: str) -> DvcConfig | Unreadable:
    """Read `.dvc/config`: a remote is shared unless its URL is a path of one machine."""
    root = load_ini(data, path)
    if isinstance(root, Unreadable):
        return root
    remotes: list[DvcRemote] = []
    for name, entry in root.entries.items():
        found = _REMOTE.fullmatch(name.strip())
        if not found:
            continue
        url = entry.node.str_at("url")
        span = Span(path, entry.node.line_of("url"))
        local = url.startswith("file://") or not _SHARED.match(url)
        # `remote://other/path` is a part of another remote.
        remotes.append(DvcRemote(found[1], url, span, shared=bool(url) and not local))
    by_name = {r.name: r for r in remotes}
    resolved = tuple(DvcRemote(r.name, r.url, r.span, _base_shared(r, by_name)) for r in remotes)
    return DvcConfig(path, resolved, root.str_at("core", "remote"))


def _base_shared(remote: DvcRemote, by_name: Mapping[str, DvcRemote]) -> bool:
    for _ in range(5):
        if not remote.url.startswith("remote://"):
            break
        base = by_name.get(remote.url.removeprefix("remote://").split("/")[0])
        if base is None:
            return False
        remote = base
    return remote.shared
