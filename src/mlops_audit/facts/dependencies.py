"""All dependency declarations, locks and Python pins of a tree: which reader reads which file."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

from msgspec import Struct

from mlops_audit.facts.decoding import decode
from mlops_audit.facts.locks import LOCK_NAMES, read_lock
from mlops_audit.facts.packaging import read_manifest
from mlops_audit.facts.requirements import (
    Lock,
    PythonPin,
    Requirement,
    lock_covers,
    python_pin,
    read_conda,
    read_requirements,
    requirements_lock,
)
from mlops_audit.facts.setupfiles import Manifest, PackageMeta
from mlops_audit.facts.tomlpos import load_toml
from mlops_audit.facts.types import Getter, Unreadable
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = [
    "Dependencies",
    "Lock",
    "PackageMeta",
    "PythonPin",
    "Requirement",
    "lock_covers",
    "read_dependencies",
]

_REQUIREMENTS = regex(
    r"(?:^|/)(?:[\w.-]*requirements?[\w.-]*|constraints?[\w.-]*|pip[-_]\w*)\.(?:txt|in)$"
    r"|(?:^|/)requirements?/[\w.-]+\.(?:txt|in)$",
    re.IGNORECASE,
)
_CONDA = regex(
    r"(?:^|/)[\w.-]*(?:environment|conda|env|dependenc)[\w.-]*\.ya?ml$|"
    r"(?:^|/)(?:conda_?|mamba_?)?env(?:iron(?:ment)?)?s?/[\w.-]+\.ya?ml$",
    re.IGNORECASE,
)
_MANIFESTS = frozenset({"pyproject.toml", "setup.py", "setup.cfg", "Pipfile", "pixi.toml"})


class Dependencies(Struct, frozen=True):
    """What a tree declares, locks and pins, each in the order of the sorted paths."""

    requirements: tuple[Requirement, ...] = ()
    locks: tuple[Lock, ...] = ()
    packages: tuple[PackageMeta, ...] = ()
    pythons: tuple[PythonPin, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()


class _Reader:
    def __init__(self, get: Getter) -> None:
        self.get = get
        self.requirements: dict[Requirement, None] = {}
        self.locks: list[Lock] = []
        self.packages: list[PackageMeta] = []
        self.pythons: list[PythonPin] = []
        self.unreadable: list[Unreadable] = []

    def read(self, path: str) -> None:
        """Read one file, if its name says that it is one of these."""
        name = posixpath.basename(path)
        is_lock = name in LOCK_NAMES or (name.startswith("pylock.") and name.endswith(".toml"))
        if is_lock:
            data = self.get(path)
            lock = read_lock(data, path) if data is not None else None
            self.locks += [lock] if lock is not None else []
        elif name in _MANIFESTS:
            self._manifest(path)
        elif _REQUIREMENTS.search(path):
            self._requirements(path)
        elif name in {".python-version", "runtime.txt", ".tool-versions"}:
            self._version_file(path, name)
        elif name in {"mise.toml", ".mise.toml"}:
            self._mise(path)
        elif _CONDA.search(path):
            self._conda(path)

    def _manifest(self, path: str) -> None:
        data = self.get(path)
        found = read_manifest(data, path, self.get) if data is not None else Manifest()
        if isinstance(found, Unreadable):
            self.unreadable.append(found)
            return
        self.requirements.update(dict.fromkeys(found.requirements))
        self.pythons += found.pythons
        self.packages += [found.package] if found.package is not None else []

    def _requirements(self, path: str) -> None:
        data = self.get(path)
        if data is None:
            return
        lock = requirements_lock(data, path)
        if lock is not None:
            self.locks.append(lock)
        if lock is None or lock.kind == "pip-freeze":
            self.requirements.update(dict.fromkeys(read_requirements(data, path, self.get)))

    def _conda(self, path: str) -> None:
        data = self.get(path)
        if data is None or b"dependencies:" not in data:
            return
        found = read_conda(data, path)
        if isinstance(found, Unreadable):
            self.unreadable.append(found)
            return
        self.requirements.update(dict.fromkeys(found[0]))
        self.pythons += found[1]

    def _version_file(self, path: str, name: str) -> None:
        text = decode(self.get(path) or b"") or ""
        for number, line in enumerate(text.split("\n")[:200], 1):
            body = line.split("#")[0].strip()
            if name == ".tool-versions":
                body = body.removeprefix("python ") if body.startswith("python ") else ""
            if name == "runtime.txt":
                body = body.removeprefix("python-") if body.startswith("python-") else ""
            if re.match(r"(?:cpython-?)?\d", body):
                span = Span(path, number)
                self.pythons.append(python_pin(body.removeprefix("cpython-"), span, name))

    def _mise(self, path: str) -> None:
        root = load_toml(self.get(path) or b"", path)
        if isinstance(root, Unreadable):
            return
        node = root.get("tools", "python")
        if node is not None:
            text = node.text or node.str_at("version")
            self.pythons.append(python_pin(text, Span(path, node.line), "mise"))


def read_dependencies(paths: Iterable[str], get: Getter) -> Dependencies:
    """Read every manifest, requirements file, environment, lock and Python pin of a tree.

    Args:
        paths: the tree's files.
        get: bytes of a file by path, None where it cannot be read.
    """
    reader = _Reader(get)
    for path in sorted(paths):
        reader.read(path)
    return Dependencies(
        tuple(reader.requirements),
        tuple(reader.locks),
        tuple(reader.packages),
        tuple(reader.pythons),
        tuple(reader.unreadable),
    )
