"""Which file of the project a path written in a command means."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from functools import cached_property

from mlops_audit.regex import regex

__all__ = ["Places"]

# `$(Build.SourcesDirectory)/`, `${{ github.workspace }}/`, `$ROOT/`, `/app/`: where a file lies at
# run time; its tail still names it in the repository.
_VARIABLE = regex(r"^(\$\{\{[^}]*\}\}|\$\([^)]*\)|\$\{[^}]*\}|\$\w+|%\w+%|~)/?")


class Places:
    """Finds files by paths as commands write them.

    Args:
        paths: the project's files.
        beside: files of other projects of the repository, whose folders exist too.
    """

    def __init__(self, paths: Iterable[str], beside: Iterable[str] = ()) -> None:
        self.paths = frozenset(paths)
        self._beside = beside

    @cached_property
    def folders(self) -> frozenset[str]:
        """Every folder that holds a file, the root as an empty string."""
        found = {""}
        for path in (*self.paths, *self._beside):
            parts = path.split("/")[:-1]
            found.update("/".join(parts[:n]) for n in range(1, len(parts) + 1))
        return frozenset(found)

    @cached_property
    def _by_name(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for path in sorted(self.paths):
            found.setdefault(path.rsplit("/", 1)[-1], []).append(path)
        return {k: tuple(v) for k, v in found.items()}

    def join(self, folder: str, path: str) -> str:
        """A path relative to a folder, relative to the root, without `.` and `..`."""
        joined = posixpath.normpath(posixpath.join("/", folder, path)).lstrip("/")
        return "" if joined == "." else joined

    def file(self, path: str, folder: str = "") -> str | None:
        """The file meant by `path` in a command run in `folder`.

        Tried in turn: relative to the folder, to the root, then by its tail where the path starts
        with a variable or is absolute (a container's), if exactly one file ends so.
        """
        path = path.strip().strip("'\"").replace("\\", "/")
        if not path or len(path) > 500:  # noqa: PLR2004 -- no path of a person is longer
            return None
        bare = _VARIABLE.sub("", path)
        for candidate in (self.join(folder, bare), self.join("", bare)):
            if candidate in self.paths:
                return candidate
        parts = [p for p in bare.split("/") if p not in {"", ".", ".."}]
        if not parts:
            return None
        named = self._by_name.get(parts[-1], ())
        for start in range(len(parts)):
            tail = "/".join(parts[start:])
            found = [p for p in named if p == tail or p.endswith("/" + tail)]
            if len(found) == 1 and (start == 0 or path != bare or path.startswith("/")):
                return found[0]
        return None

    def folder(self, path: str, folder: str = "") -> str | None:
        """The folder meant by `path` in a command run in `folder`."""
        bare = _VARIABLE.sub("", path.strip().strip("'\""))
        for candidate in (self.join(folder, bare), self.join("", bare)):
            if candidate in self.folders:
                return candidate
        return None
