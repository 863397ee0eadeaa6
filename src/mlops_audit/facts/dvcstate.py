"""Whether dvc.lock agrees with dvc.yaml and the files in git: a pure comparison."""

from __future__ import annotations

import hashlib
import json
import math
import posixpath
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from mlops_audit.facts.dvctypes import DvcEntry, DvcLock, DvcPipeline, DvcStage, LockedStage
from mlops_audit.facts.dvcvars import load_params, look_up
from mlops_audit.facts.nodes import Plain
from mlops_audit.facts.types import Getter, Unreadable
from mlops_audit.model import Span

__all__ = ["StageState", "file_matches", "pipeline_lock_state", "same_value"]

Lister = Callable[[str], Sequence[str]]
_MAX_FILES = 1000  # of a folder whose hash is compared


class StageState(Struct, frozen=True):
    """Whether a stage's record agrees with its definition; `reason` and `span` say where not.

    `checked` counts the hashes and parameters that could be compared.
    """

    name: str
    in_step: bool
    reason: str
    span: Span
    checked: int = 0


def same_value(left: Plain, right: Plain) -> bool:
    """Equality of parameters by value: `1e-05` as text equals the float, 1 equals 1.0."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same_value(left[k], right[k]) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        pairs = zip(left, right, strict=False)
        return len(left) == len(right) and all(same_value(a, b) for a, b in pairs)
    if isinstance(left, bool) or isinstance(right, bool) or left is None or right is None:
        return str(left).lower() == str(right).lower()
    try:
        a, b = float(str(left)), float(str(right))
    except ValueError:
        return str(left) == str(right)
    return a == b or (math.isnan(a) and math.isnan(b))


def file_matches(data: bytes, md5: str) -> bool:
    """Whether bytes have that hash, as they are or with line ends converted (as DVC 2 did)."""
    forms = (
        data,
        data.replace(b"\r\n", b"\n"),
        data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
    )
    return any(hashlib.md5(f, usedforsecurity=False).hexdigest() == md5 for f in forms)


def pipeline_lock_state(
    pipeline: DvcPipeline,
    lock: DvcLock,
    get: Getter,
    pointers: Mapping[str, str] | None = None,
    below: Lister = lambda _folder: (),
) -> tuple[StageState, ...]:
    """Compare each stage with its record, then name records whose stage no longer exists.

    Args:
        pipeline: the definition.
        lock: the record beside it.
        get: bytes of a file that git tracks, None for files that it does not.
        pointers: hashes that `.dvc` files give, by the path that they track.
        below: the paths of the files that git tracks in a folder.

    Returns:
        A state for each stage in the definition's order, and for each left-over record.
    """
    base = posixpath.dirname(lock.path)
    folders = {s.name: s.folder for s in pipeline.stages}
    records = {n: _rebased(s, base, folders.get(n, base)) for n, s in lock.stages.items()}
    produced = {e.path: (s.name, e.md5) for s in records.values() for e in s.outs if e.md5}
    found: list[StageState] = []
    for stage in pipeline.stages:
        locked = records.get(stage.name)
        if locked is None:
            reason = f"stage {stage.name} was never recorded in {lock.path}"
            found.append(StageState(stage.name, in_step=False, reason=reason, span=stage.span))
            continue
        found.append(_state(stage, locked, get, pointers or {}, produced, below))
    names = {s.name for s in pipeline.stages}
    for name, locked in sorted(lock.stages.items()):
        if name not in names:
            reason = f"the record names stage {name}, which {pipeline.path} no longer has"
            found.append(StageState(name, in_step=False, reason=reason, span=locked.span))
    return tuple(found)


def _rebased(locked: LockedStage, base: str, folder: str) -> LockedStage:
    """The record with its paths read from the stage's working folder, as DVC writes them."""
    if folder == base:
        return locked

    def moved(path: str) -> str:
        if "://" in path or path.startswith("/"):
            return path
        return posixpath.normpath(posixpath.join(folder, posixpath.relpath(path, base or ".")))

    return replace(
        locked,
        deps=tuple(replace(e, path=moved(e.path)) for e in locked.deps),
        outs=tuple(replace(e, path=moved(e.path)) for e in locked.outs),
        params=tuple((moved(file), key, value) for file, key, value in locked.params),
    )


def _state(
    stage: DvcStage,
    locked: LockedStage,
    get: Getter,
    pointers: Mapping[str, str],
    produced: Mapping[str, tuple[str, str]],
    below: Lister,
) -> StageState:
    def out(reason: str, span: Span) -> StageState:
        return StageState(stage.name, in_step=False, reason=reason, span=span, checked=checked)

    checked = 0
    if [" ".join(c.split()) for c in stage.cmd] != [" ".join(c.split()) for c in locked.cmd]:
        return out("the command differs from the recorded one", locked.span)
    for kind, now, then in (("deps", stage.deps, locked.deps), ("outs", stage.outs, locked.outs)):
        changed = sorted({p.path for p in now} ^ {e.path for e in then})
        if changed:
            return out(
                f"{kind} differ from the recorded ones: {', '.join(changed[:3])}", locked.span
            )
    reason, compared = _params(stage, locked, get)
    checked += compared
    if reason:
        return out(reason, locked.span)
    kept = {p.path for p in stage.outs if not p.cached}
    for entry in (*locked.deps, *locked.outs):
        verdict = _hash(entry, get, pointers)
        if entry.path in kept and entry.md5.endswith(".dir"):
            verdict = _folder(entry, get, below(entry.path))
        checked += verdict is not None
        if verdict is False:
            return out(f"{entry.path} has another hash than the recorded one", entry.span)
    for entry in locked.deps:
        owner, md5 = produced.get(entry.path, ("", entry.md5))
        if entry.md5 and md5 != entry.md5:
            return out(f"{entry.path} was recorded otherwise by stage {owner}", entry.span)
    return StageState(stage.name, True, "", locked.span, checked)  # noqa: FBT003 -- in step


def _hash(entry: DvcEntry, get: Getter, pointers: Mapping[str, str]) -> bool | None:
    """Whether a recorded file still has its hash; None where that cannot be told."""
    if not entry.md5:
        return None
    if entry.path in pointers:
        return pointers[entry.path] == entry.md5
    if entry.md5.endswith(".dir"):
        return None
    data = get(entry.path)
    return None if data is None else file_matches(data, entry.md5)


def _folder(entry: DvcEntry, get: Getter, paths: Sequence[str]) -> bool | None:
    """Whether a folder that a stage leaves to git holds what was recorded.

    DVC hashes the list of a folder's files, each with its own hash.
    """
    if not paths or len(paths) > _MAX_FILES:
        return None
    data = {posixpath.relpath(p, entry.path): get(p) for p in paths}
    if any(content is None for content in data.values()):
        return None
    for changed in (False, True):  # as they are, and with line ends converted
        listed = [{"md5": _md5(data[n] or b"", changed), "relpath": n} for n in sorted(data)]
        if _md5(json.dumps(listed, sort_keys=True).encode()) == entry.md5.split(".")[0]:
            return True
    return False


def _md5(data: bytes, converted: bool = False) -> str:  # noqa: FBT001, FBT002 -- of two forms
    content = data.replace(b"\r\n", b"\n") if converted else data
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _params(stage: DvcStage, locked: LockedStage, get: Getter) -> tuple[str, int]:
    """What differs in the parameters, and how many were compared."""
    recorded = {(file, key): value for file, key, value in locked.params}
    files: dict[str, Plain | Unreadable | None] = {}
    compared = 0
    whole = {file for file, key in stage.params if not key}
    for file, key in stage.params:
        if key and (file, key) not in recorded:
            return f"parameter {key} was never recorded", compared
    for (file, key), value in recorded.items():
        if (file, key) not in stage.params and file not in whole:
            return f"the record holds parameter {key}, which the stage no longer names", compared
        if file not in files:
            data = get(file)
            files[file] = load_params(data, file) if data is not None else None
        values = files[file]
        if values is None or isinstance(values, Unreadable):
            continue
        current, there = look_up(values, key)
        compared += 1
        if not there:
            return f"parameter {key} is no longer in {file}", compared
        if not same_value(current, value):
            return (
                f"parameter {key} is {str(current)[:40]}, recorded is {str(value)[:40]}",
                compared,
            )
    return "", compared
