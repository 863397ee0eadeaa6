"""What a commit is about to change: the index against HEAD, read without touching the work tree.

Small on purpose: hooks start with every commit, so nothing is listed or read before it is asked.
A file that git does not know yet (`pre-commit run --files`) is read from the disk.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property

from msgspec import Struct

from mlops_audit.tree.disk import Disk
from mlops_audit.tree.git import GIT_ERRORS, Git, GitError
from mlops_audit.tree.limits import MAX_BATCH_BYTES, read_limit
from mlops_audit.tree.opening import find_git
from mlops_audit.tree.paths import display
from mlops_audit.tree.types import TreeError, Unread

__all__ = ["Change", "Staged", "open_staged"]

_ORDINARY = {b"100644", b"100755"}


class Change(Struct, frozen=True):
    """A file that differs from HEAD: `status` is A (new), M (other content) or D (gone)."""

    path: str
    status: str
    blob: str


class Staged:
    """The index of a repository as a small tree.

    Args:
        git: the repository, its commands running at the top of the work tree.
        top: the top of the work tree, an absolute path.
        base: the commit to compare with, None for HEAD.
    """

    def __init__(self, git: Git, top: str, base: str | None = None) -> None:
        self._git = git
        self._disk = Disk(os.fsencode(top))
        self._base = base
        self.top = top

    @cached_property
    def changes(self) -> Mapping[str, Change]:
        """The changed ordinary files by path, in git's order.

        Raises:
            TreeError: git cannot compare.
        """
        command = ("diff-index", "--cached", "--no-renames", "--raw", "-z", "--no-abbrev")
        try:
            data = self._git.run(*command, self._from, "--").data
        except GIT_ERRORS as error:
            raise TreeError(f"git cannot say what is staged: {error}") from error
        rows = data.split(b"\0")
        found: dict[str, Change] = {}
        for meta, raw in zip(rows[::2], rows[1::2], strict=False):
            old, new, _, blob, status = meta[1:].split(b" ")
            if new in _ORDINARY or (status == b"D" and old in _ORDINARY):
                letter = status[:1].decode().replace("T", "M")
                found[display(raw)] = Change(display(raw), letter, blob.decode())
        return found

    @property
    def _from(self) -> str:
        """The commit to compare with; before the first one, the empty tree."""
        name = self._base or "HEAD"
        with suppress(*GIT_ERRORS):
            return self._git.lines("rev-parse", "--verify", "-q", f"{name}^{{commit}}")[0]
        if self._base:
            raise TreeError(f"there is no commit {self._base!r} to compare with")
        return self._git.lines("hash-object", "-t", "tree", os.devnull)[0]

    @cached_property
    def blobs(self) -> Mapping[str, str]:
        """The object of every ordinary file in the index, by path.

        Raises:
            TreeError: git cannot list the index.
        """
        try:
            data = self._git.run("ls-files", "-s", "-z").data
        except GIT_ERRORS as error:
            raise TreeError(f"git cannot list the index: {error}") from error
        found: dict[str, str] = {}
        for row in data.split(b"\0")[:-1]:
            meta, _, raw = row.partition(b"\t")
            mode, blob, _ = meta.split(b" ")
            if mode in _ORDINARY:
                found[display(raw)] = blob.decode()
        return found

    def _blob(self, path: str) -> str | None:
        change = self.changes.get(path) if "changes" in self.__dict__ else None
        if change is not None and change.status != "D":
            return change.blob
        return self.blobs.get(path)

    def sizes(self, paths: Iterable[str]) -> dict[str, int]:
        """Sizes in bytes of what git would store; of LFS files that is their pointer's."""
        asked = {path: self._blob(path) for path in paths}
        found: dict[str, int] = {}
        with suppress(*GIT_ERRORS):
            sizes = self._git.sizes(sorted({b for b in asked.values() if b}))
            found = {p: sizes[b] for p, b in asked.items() if b and b in sizes}
        for path, blob in asked.items():
            info = self._disk.stat(os.fsencode(path)) if not blob else None
            if info is not None:
                found[path] = info.st_size
        return found

    def read_all(self, paths: Sequence[str]) -> dict[str, bytes]:
        """Files as they will be committed; those absent or over `read_limit` are left out."""
        sizes = self.sizes(paths)
        found: dict[str, bytes] = {}
        for path in paths:
            limit = min(read_limit(path), MAX_BATCH_BYTES)
            data: bytes | Unread | None = None
            if sizes.get(path, limit + 1) <= limit:
                blob = self._blob(path)
                if blob is None:
                    data = self._disk.read(os.fsencode(path), limit)
                else:
                    with suppress(*GIT_ERRORS):
                        data = self._git.batch.get(blob)
            if isinstance(data, bytes):
                found[path] = data
        return found

    def head(self, path: str, size: int) -> bytes:
        """The first bytes of a file as it will be committed, empty where there is none."""
        blob = self._blob(path)
        if blob is None:
            data = self._disk.read(os.fsencode(path), size)
            return data if isinstance(data, bytes) else b""
        with suppress(*GIT_ERRORS):
            return self._git.run("cat-file", "blob", blob, limit=size).data[:size]
        return b""

    def close(self) -> None:
        """End git's process."""
        self._git.close()


def open_staged(folder: str, *, index: str | None = None, base: str | None = None) -> Staged:
    """Open the index of the repository around a folder.

    Args:
        folder: any folder of the work tree.
        index: git's `GIT_INDEX_FILE`, where it set one.
        base: the commit to compare with, None for HEAD.

    Raises:
        TreeError: there is no repository with a work tree.
    """
    root = os.path.realpath(folder)
    found = find_git(root)
    if found is None or found.top is None or found.broken:
        why = found.broken if found and found.broken else "there is no git repository here"
        raise TreeError(why)
    own = os.path.join(root, index) if index else None
    try:
        return Staged(Git(found.git_dir, found.top, index=own), found.top, base)
    except GitError as error:
        raise TreeError(str(error)) from error
