"""The words of this layer: entries, unread files, the tree itself and what git knows about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from msgspec import Struct

from mlops_audit.model import Diagnostic

__all__ = ["Entry", "GitInfo", "Kind", "Pointer", "Tag", "Tree", "TreeError", "Unread"]

Kind = Literal["file", "link", "submodule", "special"]
Pointer = Literal["lfs", "annex"]
WhyUnread = Literal["absent", "too-large", "special", "link", "error", "limit"]


class TreeError(Exception):
    """The tree that was asked for does not exist; the message is one sentence for a person."""


class Entry(Struct, frozen=True):
    r"""One file, link or submodule of a tree.

    `path` is relative and POSIX, with undecodable bytes as `\xNN`. `size` is in bytes, None where
    it is unknown. `blob` is git's id of the content where it is known without reading the file;
    `Tree.blob_id` computes it otherwise. `absent` says that the content is not in this clone;
    `pointer` names what stands in its place, if anything does.
    """

    path: str
    size: int | None
    kind: Kind = "file"
    blob: str | None = None
    executable: bool = False
    absent: bool = False
    pointer: Pointer | None = None
    tracked: bool = False


class Unread(Struct, frozen=True):
    """A file that was not read: `reason` completes the sentence "PATH was not read: ..."."""

    path: str
    reason: str
    kind: WhyUnread


class Tag(Struct, frozen=True):
    """A git tag. `created` is seconds since the epoch, None where git does not know it."""

    name: str
    commit: str | None = None
    created: int | None = None
    annotated: bool = False


@dataclass(frozen=True, eq=False)
class GitInfo:
    """What git knows about the audited revision.

    This class holds given values (tests, scenarios); the one of a real clone asks git at the first
    access of each attribute, and answers with these defaults where git cannot.

    Attributes:
        commit: the audited commit's id, None before the first commit.
        dirty: what is audited differs from that commit (untracked files count).
        shallow: history is cut off, so counts and tags are lower bounds.
        detached: the clone's HEAD is on no branch.
        branches: names in refs/heads and of origin's branches, without the remote, sorted.
        default_branch: origin/HEAD's branch, else the one checked out, else main or master.
        tags: those reachable from the commit, oldest first.
        commits: number of commits up to this one, at most `limits.MAX_COMMITS`.
        remote_url: origin's address without credentials; None for a local path.
        first_commit, last_commit: committer dates, in seconds since the epoch.
        history: earlier contents of paths, newest first, without the present one.
        touches: in how many commits a path changed.
    """

    commit: str | None = None
    dirty: bool = False
    shallow: bool = False
    detached: bool = False
    branches: tuple[str, ...] = ()
    default_branch: str | None = None
    tags: tuple[Tag, ...] = ()
    commits: int | None = None
    remote_url: str | None = None
    first_commit: int | None = None
    last_commit: int | None = None
    history: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)
    touches: Mapping[str, int] = field(default_factory=dict)

    def touched(self, path: str) -> int | None:
        """Number of commits that changed `path` (renames not followed), None if unknown."""
        known = self.touches.get(path)
        return len(self.history[path]) + 1 if known is None and path in self.history else known

    def versions_of(self, path: str, limit: int = 20) -> tuple[bytes, ...]:
        """Earlier, distinct contents of `path`, newest first, at most `limit` of them."""
        return self.history.get(path, ())[:limit]

    def state(self) -> str:
        """All that these facts follow from, as one text."""
        known = (self.commit, self.dirty, self.shallow, self.detached, self.branches, self.tags)
        more = (self.default_branch, self.commits, self.first_commit, self.last_commit)
        return repr((known, more, self.remote_url, self.history, self.touches))


class Tree(Protocol):
    """A repository's files at one state, whatever holds them. Nothing in here ever raises."""

    @property
    def name(self) -> str:
        """The folder's name."""

    @property
    def entries(self) -> Mapping[str, Entry]:
        """Every file, link and submodule by path, sorted by path."""

    @property
    def git(self) -> GitInfo | None:
        """What git knows, None where there is no git."""

    @property
    def diagnostics(self) -> Sequence[Diagnostic]:
        """What was left out or could not be used so far, in a stable order."""

    def read(self, path: str, limit: int | None = None) -> bytes | Unread:
        """The whole content of a listed file of at most `limit` bytes (default by suffix)."""

    def head(self, path: str, n: int = 8192) -> bytes | Unread:
        """The first `n` bytes of a listed file of any size, an LFS pointer's text included."""

    def counts(self, path: str) -> bool:
        """Count a file among those that are read, without reading it; False if it cannot be."""

    @property
    def fits(self) -> bool:
        """Whether all files that may be read can be, in whatever order."""

    def ignores(self, path: str) -> bool:
        """Whether the tree's own .gitignore files ignore this path, which need not exist."""

    def blob_id(self, path: str) -> str | None:
        """The git blob id (SHA-1) of the content as `read` gives it, None if it is unread."""

    def state(self) -> str | None:
        """A digest of all that this tree shows, None where that cannot be told cheaply."""

    def link_target(self, path: str) -> str | None:
        """The listed path that a link finally leads to, None where it leaves the tree."""
