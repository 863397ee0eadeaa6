"""Any revision of a repository, from git's objects alone; also bare repositories."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property

from mlops_audit.model import Diagnostic
from mlops_audit.tree import limits
from mlops_audit.tree.base import BaseTree, Listing
from mlops_audit.tree.git import GIT_ERRORS, Git, GitError
from mlops_audit.tree.gitinfo import CloneInfo
from mlops_audit.tree.paths import display
from mlops_audit.tree.types import Entry, GitInfo, Kind, TreeError, Unread

__all__ = ["RevisionTree", "list_revision", "resolve"]

_KINDS: dict[bytes, Kind] = {b"120000": "link", b"160000": "submodule"}


def resolve(git: Git, rev: str) -> str:
    """The commit that a revision names; a branch only origin has is found as well.

    Raises:
        TreeError: there is no such commit.
    """
    if rev and not rev.startswith("-") and not re.search(r"[\0\n]", rev):
        for name in (rev, f"refs/remotes/origin/{rev}"):
            with suppress(*GIT_ERRORS):
                return git.lines("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")[0]
    raise TreeError(f"revision {rev!r} does not exist in this repository")


def list_revision(git: Git, commit: str, folder: bytes, listing: Listing) -> None:
    """List a commit's files below `folder` (empty for all).

    Raises:
        GitError: git could not.
        OSError: git could not be started.
    """
    treeish = commit + (":" + os.fsdecode(folder) if folder else "")
    command = ("ls-tree", "-r", "-z", "--full-tree")
    sizes: dict[str, int] = {}
    try:
        output = git.run(*command, "-l", treeish)
    except GitError:
        # A git that may not fetch a partial clone's sizes can give up; the names are here.
        output = git.run(*command, treeish)
        blobs = [row.split(b"\t", 1)[0].split()[2] for row in output.data.split(b"\0")[:-1]]
        sizes = git.sizes([blob.decode() for blob in blobs])
    for row in output.data.split(b"\0")[:-1]:
        meta, _, raw = row.partition(b"\t")
        listing.add(_entry(meta.split(), display(raw), sizes), raw)
    listing.finish(more=output.cut)


def _entry(fields: list[bytes], path: str, sizes: dict[str, int]) -> Entry:
    mode, _type, blob, *rest = fields
    kind = _KINDS.get(mode, "file")
    if kind == "submodule":
        return Entry(path, None, kind, blob.decode(), tracked=True)
    size = int(rest[0]) if rest and rest[0].isdigit() else sizes.get(blob.decode())
    return Entry(path, size, kind, blob.decode(), mode == b"100755", size is None, tracked=True)


class RevisionTree(BaseTree):
    """The files of one commit.

    Args:
        git: the repository.
        commit: the commit's id, None for a repository without commits.
        name: the folder's name.
        folder: the audited folder within the repository, without slashes at its ends.
        diagnostics: what is already known to be wrong.

    Raises:
        TreeError: git cannot list the commit's files.
    """

    def __init__(
        self,
        git: Git,
        commit: str | None,
        name: str,
        folder: str = "",
        diagnostics: Iterable[Diagnostic] = (),
    ) -> None:
        self._git = git
        self._commit = commit
        self._folder = os.fsencode(folder)
        listing = Listing()
        listing.diagnostics.extend(diagnostics)
        if commit is None:
            listing.say("the repository has no commits")
        else:
            try:
                list_revision(git, commit, self._folder, listing)
            except GIT_ERRORS as error:
                what = f" in folder {folder!r}" if folder else ""
                raise TreeError(f"git cannot list the files of {commit}{what}: {error}") from error
        super().__init__(name, listing, tuple(folder.split("/")) if folder else ())
        self._find_pointers()

    @cached_property
    def _info(self) -> CloneInfo:
        prefix = self._folder + b"/" if self._folder else b""
        return CloneInfo(self._git, lambda: self._commit, prefix, self._raw.get, lambda: False)

    @property
    def git(self) -> GitInfo:
        """What git knows about the commit."""
        return self._info

    def _load(self, entry: Entry, size: int) -> bytes | Unread:
        if entry.absent and entry.pointer is None:
            return Unread(entry.path, "its content is not in this clone", "absent")
        return load_blob(self._git, entry, size)

    def _link_text(self, entry: Entry) -> bytes:
        data = self._load(entry, 4096)
        return data if isinstance(data, bytes) else b""

    def _ignore_above(self, key: str) -> bytes | None:
        up = key.count("../")
        parts = os.fsdecode(self._folder).split("/")
        folder = "/".join([*parts[: len(parts) - up], ".gitignore"])
        try:
            name = f"{self._commit}:{folder}"
            if self._git.sizes([name]).get(name, limits.MAX_TEXT) >= limits.MAX_TEXT:
                return None
            return self._git.batch.get(name)
        except GIT_ERRORS:
            return None


def load_blob(git: Git, entry: Entry, size: int) -> bytes | Unread:
    """At most the first `size` bytes of an entry's blob."""
    gone = Unread(entry.path, "its content is not in this clone", "absent")
    if entry.blob is None or entry.size is None:
        return gone
    try:
        if entry.size > max(size, limits.MAX_TEXT):
            # A process of its own, ended after the first bytes: `--batch` would send them all.
            return git.run("cat-file", "blob", entry.blob, limit=size).data
        data = git.batch.get(entry.blob)
    except GitError as error:
        return Unread(entry.path, f"git cannot give its content ({error})", "error")
    except (OSError, ValueError):
        return Unread(entry.path, "git cannot give its content", "error")
    return gone if data is None else data[:size]
