"""The environments of a project: what each folder declares and which lock covers it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

from msgspec import Struct, field

from mlops_audit.facts.dependencies import Lock, Requirement, lock_covers
from mlops_audit.graph import Project
from mlops_audit.regex import regex

__all__ = ["Environment", "environments", "is_model_folder", "nearest"]

_ASIDE = regex(
    r"(^|/)(tests?|docs?|examples?|\.github|\.devcontainer|\.binder|binder|notebooks?|ci|benchmarks?|"
    r"tutorials?|samples?)/",
    re.IGNORECASE,
)
_RUNTIME = ("runtime",)
_MOST = 0.9  # of the declared names that a lock must hold to belong to them
_FROZEN = 40  # exact pins in one conda file: no person asks for so many, it is an export


class Environment(Struct):
    """One folder's direct requirements and locks. `foreign` are locks of other declarations."""

    folder: str
    requirements: list[Requirement] = field(default_factory=list)
    locks: list[Lock] = field(default_factory=list)
    foreign: list[Lock] = field(default_factory=list)
    frozen: list[Requirement] = field(default_factory=list)

    @property
    def locked(self) -> bool:
        """Whether the whole tree of the environment is pinned."""
        return bool(self.locks or self.frozen)

    @property
    def exact(self) -> float:
        """The share of direct requirements pinned to one version; 0 without any."""
        named = [r for r in self.requirements if r.name != "."]
        pinned = [r for r in named if r.pin in {"exact", "commit"}]
        return len(pinned) / len(named) if named else 0.0


def is_model_folder(project: Project, path: str) -> bool:
    """Whether a file lies in a stored MLflow model, which brings its own environment files."""
    return project.has(posixpath.join(posixpath.dirname(path), "MLmodel"))


def environments(project: Project) -> tuple[Environment, ...]:
    """The environments of code that runs, by folder; those of tests, docs and CI are left out."""
    found: dict[str, Environment] = {}
    for item in project.dependencies.requirements:
        if (
            item.group not in _RUNTIME
            or _ASIDE.search(item.file)
            or is_model_folder(project, item.file)
        ):
            continue
        folder = _home(item.file)
        found.setdefault(folder, Environment(folder)).requirements.append(item)
    for lock in project.dependencies.locks:
        if is_model_folder(project, lock.path):
            continue
        folder = _home(lock.path)
        environment = found.get(folder)
        if environment is None:
            if not _ASIDE.search(lock.path):
                found[folder] = Environment(folder, locks=[lock])
        elif lock_covers(lock, environment.requirements) >= _MOST or _own(lock, environment):
            environment.locks.append(lock)
        else:
            environment.foreign.append(lock)
    _mark_frozen(found.values())
    _share(found)
    if any(e.locked for e in found.values()):
        imported = {root for m in project.modules.values() for root in m.roots}
        found = {k: e for k, e in found.items() if e.locked or _is_imported(project, e, imported)}
    return tuple(found[k] for k in sorted(found))


def _mark_frozen(found: Iterable[Environment]) -> None:
    """Note files that pin so many packages that they are an export of the whole tree."""
    for environment in found:
        by_file: dict[str, list[Requirement]] = {}
        for item in environment.requirements:
            by_file.setdefault(item.file, []).append(item)
        for items in by_file.values():
            if len(items) >= _FROZEN and all(i.pin in {"exact", "commit"} for i in items):
                environment.frozen = items[:1]


def _is_imported(project: Project, environment: Environment, imported: set[str]) -> bool:
    """Whether code imports any of the packages: a list of mere tools is no environment of code."""
    for item in environment.requirements:
        tool = project.catalogue.package(item.name)
        roots = {item.name.replace("-", "_")}
        roots |= {m.split(".")[0] for m in tool.modules} if tool is not None else set()
        test_only = tool is not None and tool.field in {"testing", "quality"}
        if roots & imported and not test_only:
            return True
    return False


def _home(path: str) -> str:
    """The folder that an environment file describes; `requirements/` describes the one above."""
    folder = posixpath.dirname(path)
    if posixpath.basename(folder).lower() in {
        "requirements",
        "reqs",
        "conda",
        "envs",
        "environments",
    }:
        return posixpath.dirname(folder)
    return folder


def _own(lock: Lock, environment: Environment) -> bool:
    """Whether a compiled file covers its own source or manifest, beside other lists."""
    stem = posixpath.splitext(lock.path)[0]
    for name in {r.file for r in environment.requirements}:
        items = [r for r in environment.requirements if r.file == name]
        same = posixpath.splitext(name)[0] == stem or name.endswith(("pyproject.toml", "Pipfile"))
        if same and lock_covers(lock, items) >= _MOST:
            return True
    return False


def _share(found: dict[str, Environment]) -> None:
    """Let a lock above cover the packages of a workspace below it.

    A list for pip is installed by itself, whatever the lock above holds.
    """
    for folder, environment in found.items():
        if environment.locked or all(r.file.endswith(".txt") for r in environment.requirements):
            continue
        for above, other in found.items():
            inside = not above or folder.startswith(f"{above}/")
            if above != folder and inside:
                environment.locks += [
                    lock
                    for lock in other.locks
                    if lock_covers(lock, environment.requirements) >= _MOST
                ]


def nearest(project: Project, path: str) -> Environment | None:
    """The environment that a file runs in by its place: that of its folder or one above."""
    known = {e.folder: e for e in environments(project)}
    folder = posixpath.dirname(path)
    while True:
        if folder in known:
            return known[folder]
        if not folder:
            return None
        folder = posixpath.dirname(folder)
