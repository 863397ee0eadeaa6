"""All DVC files of a project, read once."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from msgspec import Struct

from mlops_audit.facts.dvc import read_dvc_yaml, read_gto_artifacts
from mlops_audit.facts.dvclock import read_dvc_config, read_dvc_lock, read_dvc_pointer
from mlops_audit.facts.dvctypes import (
    DvcConfig,
    DvcEntry,
    DvcLock,
    DvcPipeline,
    DvcPointer,
    DvcRemote,
    DvcStage,
    LockedStage,
)
from mlops_audit.facts.types import Getter, Unreadable
from mlops_audit.model import Evidence

__all__ = ["DvcFiles", "read_dvc_files"]


class DvcFiles(Struct, frozen=True):
    """Pipelines, their records, pointers and remotes; `unreadable` says what was not understood."""

    pipelines: tuple[DvcPipeline, ...] = ()
    locks: tuple[DvcLock, ...] = ()
    pointers: tuple[DvcPointer, ...] = ()
    configs: tuple[DvcConfig, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()

    @property
    def used(self) -> bool:
        """Whether there is any DVC file."""
        return bool(self.pipelines or self.locks or self.pointers or self.configs)

    @property
    def remotes(self) -> tuple[DvcRemote, ...]:
        """All remotes of all configurations."""
        return tuple(r for c in self.configs for r in c.remotes)

    def lock_of(self, pipeline: DvcPipeline) -> DvcLock | None:
        """The record that belongs to a pipeline."""
        return next((k for k in self.locks if k.path == pipeline.lock_path), None)

    def tracked(self) -> Iterator[tuple[DvcEntry, Evidence]]:
        """What DVC holds: outputs of pointers, and recorded, cached outputs of stages."""
        for pointer in self.pointers:
            for entry in pointer.outs:
                if entry.md5 or entry.listed or pointer.deps:
                    yield entry, Evidence(entry.span, f"DVC tracks {entry.path}")
        for pipeline in self.pipelines:
            lock = self.lock_of(pipeline)
            for stage, record in _recorded(pipeline, lock) if lock else ():
                in_git = {posixpath.normpath(p) for p in _kept_in_git(stage, record.name)}
                for entry in record.outs:
                    own = posixpath.normpath(entry.path) not in in_git
                    if (entry.md5 or entry.listed) and entry.cached and own:
                        detail = f"output {entry.path} of stage {record.name}"
                        yield entry, Evidence(entry.span, detail)


def _recorded(pipeline: DvcPipeline, lock: DvcLock) -> Iterator[tuple[DvcStage, LockedStage]]:
    """The stages that have run, each with its record.

    A stage of a `foreach` has also run for the items that the list no longer names: DVC holds
    what it made of them.
    """
    made: dict[str, DvcStage] = {}
    for stage in pipeline.stages:
        made.setdefault(stage.name.partition("@")[0], stage)
        if stage.name in lock.stages:
            yield stage, lock.stages[stage.name]
    named = {s.name for s in pipeline.stages}
    for name, record in lock.stages.items():
        group, _, item = name.partition("@")
        stage_of_group = made.get(group)
        if item and name not in named and stage_of_group and "@" in stage_of_group.name:
            yield stage_of_group, record


def _kept_in_git(stage: DvcStage, name: str) -> Iterator[str]:
    """The paths of a stage's outputs that DVC leaves to git, for the item that a record is of."""
    item, other = (n.partition("@")[2] for n in (stage.name, name))
    for out in stage.outs:
        if not out.cached:
            yield out.path.replace(item, other) if item else out.path


def read_dvc_files(paths: Iterable[str], get: Getter) -> DvcFiles:
    """Read every dvc.yaml, dvc.lock, `.dvc` pointer and `.dvc/config` among the paths."""
    pipelines: list[DvcPipeline] = []
    locks: list[DvcLock] = []
    pointers: list[DvcPointer] = []
    configs: list[DvcConfig] = []
    unreadable: list[Unreadable] = []
    for path in paths:
        data = get(path) if _is_dvc(path) else None
        if data is None:
            continue
        found: DvcPipeline | DvcLock | DvcPointer | DvcConfig | Unreadable
        if path.endswith("dvc.yaml"):
            found = read_dvc_yaml(data, path, get)
        elif path.endswith("artifacts.yaml"):
            found = read_gto_artifacts(data, path)
        elif path.endswith("dvc.lock"):
            found = read_dvc_lock(data, path)
        elif path.endswith(".dvc/config"):
            found = read_dvc_config(data, path)
        else:
            found = read_dvc_pointer(data, path)
        if isinstance(found, DvcPipeline):
            pipelines.append(found)
        elif isinstance(found, DvcLock):
            locks.append(found)
        elif isinstance(found, DvcPointer):
            pointers.append(found)
        elif isinstance(found, DvcConfig):
            configs.append(found)
        else:
            unreadable.append(found)
    return DvcFiles(
        tuple(pipelines), tuple(locks), tuple(pointers), tuple(configs), tuple(unreadable)
    )


def _is_dvc(path: str) -> bool:
    name = path.rsplit("/", 1)[-1]
    if name in {"dvc.yaml", "dvc.lock", "artifacts.yaml"}:
        return True
    return path.endswith(".dvc/config") or (name.endswith(".dvc") and name != ".dvc")
