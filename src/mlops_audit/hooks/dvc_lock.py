"""dvc.lock is in step with dvc.yaml, the parameters and the files in git (practice REP03)."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping

from mlops_audit.facts.dvc import read_dvc_yaml
from mlops_audit.facts.dvclock import read_dvc_lock, read_dvc_pointer
from mlops_audit.facts.dvcstate import StageState, pipeline_lock_state
from mlops_audit.facts.dvctypes import DvcPipeline
from mlops_audit.facts.types import Unreadable
from mlops_audit.hooks.base import Files, Problem
from mlops_audit.model import Span

__all__ = ["check"]

_FIX = "run `dvc repro` and stage dvc.lock with the rest"


def check(files: Files) -> Iterator[Problem]:
    """Judge each pipeline that the commit touches, whatever files are given."""
    changed = set(files.changed()) | set(files.names())
    if not changed:
        return
    known = set(files.all_names())
    for path in sorted(p for p in known if posixpath.basename(p) == "dvc.yaml"):
        yield from _pipeline(path, files, known, changed)


def _pipeline(path: str, files: Files, known: set[str], changed: set[str]) -> Iterator[Problem]:
    folder = posixpath.dirname(path)
    lock_path, params = posixpath.join(folder, "dvc.lock"), posixpath.join(folder, "params.yaml")
    held = dict(files.read_all([p for p in (path, lock_path, params) if p in known]))

    def get(name: str) -> bytes | None:
        if name in known and name not in held:
            held.update(files.read_all([name]))
        return held.get(name)

    pipeline = read_dvc_yaml(held.get(path, b""), path, get)
    if isinstance(pipeline, Unreadable):
        yield Problem(pipeline.span, f"cannot be read: {pipeline.reason}", "mend it")
        return
    if not pipeline.stages:
        return
    named = _named(pipeline) | {path, lock_path}
    if not any(_touches(change, named) for change in changed):
        return
    if lock_path not in known:
        # A pipeline that never ran has nothing to be stale; one whose record goes away has.
        if files.changed().get(lock_path) == "D":
            yield Problem(Span(lock_path), "the record of the pipeline is deleted", "restore it")
        return
    lock = read_dvc_lock(held.get(lock_path, b""), lock_path)
    if isinstance(lock, Unreadable):
        yield Problem(lock.span, f"cannot be read: {lock.reason}", _FIX)
        return
    held.update(files.read_all(sorted(named & known - set(held))))
    stale: dict[str, list[StageState]] = {}
    for state in pipeline_lock_state(pipeline, lock, get, _pointers(files, known, named)):
        if not state.in_step:
            what = state.reason.removeprefix(f"stage {state.name} ").removeprefix("was ")
            stale.setdefault(what, []).append(state)
    for what, states in stale.items():  # what several stages read is one problem
        names = ", ".join(state.name for state in states)
        plural = "s" if len(states) > 1 else ""
        yield Problem(states[0].span, f"stage{plural} {names}: {what}", _FIX)


def _named(pipeline: DvcPipeline) -> set[str]:
    """Every file and folder that the stages name."""
    found: set[str] = set()
    for stage in pipeline.stages:
        found.update(item.path for item in (*stage.deps, *stage.outs))
        found.update(file for file, _ in stage.params)
    return {path for path in found if path}


def _touches(change: str, named: set[str]) -> bool:
    """Whether a changed file is named, lies in a named folder, or stands for one with `.dvc`."""
    path = change.removesuffix(".dvc")
    while path:
        if path in named:
            return True
        path = posixpath.dirname(path)
    return False


def _pointers(files: Files, known: set[str], named: set[str]) -> Mapping[str, str]:
    """The hashes that `.dvc` files give for what the stages name."""
    paths = sorted(p for p in known if p.endswith(".dvc") and p.removesuffix(".dvc") in named)
    found: dict[str, str] = {}
    for path, data in files.read_all(paths).items():
        pointer = read_dvc_pointer(data, path)
        if not isinstance(pointer, Unreadable):
            found.update({out.path: out.md5 for out in pointer.outs if out.md5})
    return found
