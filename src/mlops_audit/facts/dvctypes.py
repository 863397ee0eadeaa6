"""DVC's words: paths, stages, pipelines, locks, pointers and remotes as they are read."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from msgspec import Struct, field

from mlops_audit.facts.nodes import Plain
from mlops_audit.facts.types import Command, Unreadable
from mlops_audit.model import Span

__all__ = [
    "DvcConfig",
    "DvcEntry",
    "DvcLock",
    "DvcPath",
    "DvcPipeline",
    "DvcPointer",
    "DvcRemote",
    "DvcStage",
    "LockedStage",
    "place_of",
]


class DvcPath(Struct, frozen=True):
    """A dependency or output; `path` is relative to the repository's root, or a URL."""

    path: str
    span: Span
    cached: bool = True  # `cache: false` leaves an output to git
    remote: str = ""
    description: str = ""
    labels: tuple[str, ...] = ()


class DvcStage(Struct, frozen=True):
    """A stage of dvc.yaml with variables filled in; `params` are (file, key) pairs.

    `outs` holds metrics and plots too. An empty key means the whole file.
    """

    name: str
    span: Span
    cmd: tuple[str, ...] = ()
    commands: tuple[Command, ...] = ()
    deps: tuple[DvcPath, ...] = ()
    outs: tuple[DvcPath, ...] = ()
    metrics: tuple[DvcPath, ...] = ()
    plots: tuple[DvcPath, ...] = ()
    params: tuple[tuple[str, str], ...] = ()
    folder: str = ""
    frozen: bool = False
    description: str = ""


class DvcPipeline(Struct, frozen=True):
    """One dvc.yaml: stages, artifacts (name, path), and metrics and plots declared at its top."""

    path: str
    stages: tuple[DvcStage, ...] = ()
    artifacts: tuple[DvcPath, ...] = ()
    metrics: tuple[DvcPath, ...] = ()
    plots: tuple[DvcPath, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()

    @property
    def lock_path(self) -> str:
        """The path of the dvc.lock that belongs to it."""
        return posixpath.join(posixpath.dirname(self.path), "dvc.lock")


class DvcEntry(Struct, frozen=True):
    """A recorded file: hash and size; `rev` and `repo` of an import."""

    path: str
    span: Span
    md5: str = ""
    size: int | None = None
    rev: str = ""
    repo: str = ""
    remote: str = ""
    cached: bool = True
    listed: bool = False  # a remote that keeps versions itself: its files, each with its version


class LockedStage(Struct, frozen=True):
    """What dvc.lock recorded of a stage's last run."""

    name: str
    span: Span
    cmd: tuple[str, ...]
    deps: tuple[DvcEntry, ...]
    outs: tuple[DvcEntry, ...]
    params: tuple[tuple[str, str, Plain], ...]  # file, key, value


class DvcLock(Struct, frozen=True):
    """One dvc.lock."""

    path: str
    schema: str
    stages: Mapping[str, LockedStage] = field(default_factory=dict)


class DvcPointer(Struct, frozen=True):
    """One `.dvc` file: what it tracks and, for an import, where from."""

    path: str
    span: Span
    outs: tuple[DvcEntry, ...] = ()
    deps: tuple[DvcEntry, ...] = ()
    frozen: bool = False


class DvcRemote(Struct, frozen=True):
    """A remote; `shared` is False for a path of one machine."""

    name: str
    url: str
    span: Span
    shared: bool


class DvcConfig(Struct, frozen=True):
    """`.dvc/config`: remotes, and the name of the default one."""

    path: str
    remotes: tuple[DvcRemote, ...] = ()
    default: str = ""


def place_of(folder: str, path: str) -> str:
    """A path of a DVC file, relative to the repository's root; URLs and absolute ones stay."""
    if "://" in path or path.startswith("/") or "${" in path:
        return path
    joined = posixpath.normpath(posixpath.join(folder, path))
    return "" if joined == "." else joined
