"""The files of the coming commit, read through the tree."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from mlops_audit.tree.paths import normal
from mlops_audit.tree.staged import Staged, open_staged

__all__ = ["StagedFiles", "staged_files"]


class StagedFiles:
    """`hooks.base.Files` over git's index.

    Args:
        staged: the index.
        given: the files to look at, relative to the top; None for those that are staged.
    """

    def __init__(self, staged: Staged, given: Sequence[str] | None) -> None:
        self._staged = staged
        self._given = given

    @property
    def top(self) -> str:
        """The top of the work tree."""
        return self._staged.top

    def names(self) -> Sequence[str]:
        """The files to look at: those given, else those that the commit changes."""
        if self._given is not None:
            return self._given
        return [p for p, c in self._staged.changes.items() if c.status != "D"]

    def changed(self) -> Mapping[str, str]:
        """What the commit changes: A (new), M (other content) or D (gone), by path."""
        return {path: change.status for path, change in self._staged.changes.items()}

    def all_names(self) -> Sequence[str]:
        """Every file of the coming commit."""
        return list(self._staged.blobs)

    def sizes(self, paths: Sequence[str]) -> Mapping[str, int]:
        """Bytes that git would store."""
        return self._staged.sizes(paths)

    def head(self, path: str, size: int) -> bytes:
        """The first bytes."""
        return self._staged.head(path, size)

    def read_all(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        """Contents, those that cannot be read left out."""
        return self._staged.read_all(paths)


def staged_files(given: Sequence[str], environment: Mapping[str, str]) -> StagedFiles:
    """Open the repository around the current folder.

    Args:
        given: files, relative to the current folder.
        environment: `GIT_INDEX_FILE`, which git sets for hooks, and `PRE_COMMIT_FROM_REF`, which
            pre-commit sets where it looks at commits that exist.

    Raises:
        TreeError: there is no repository here.
    """
    here = os.path.realpath(".")
    staged = open_staged(
        here,
        index=environment.get("GIT_INDEX_FILE"),
        base=environment.get("PRE_COMMIT_FROM_REF"),
    )
    prefix = os.path.relpath(here, staged.top).replace(os.sep, "/")
    inside = [normal(f"{prefix}/{name}") for name in given]
    return StagedFiles(staged, [path for path in inside if path] if given else None)
