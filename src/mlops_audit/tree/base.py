"""What all trees share: the listing's bounds, reading once, links, pointers and ignore rules."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from threading import RLock
from types import MappingProxyType

from msgspec.structs import replace

from mlops_audit.model import Diagnostic
from mlops_audit.tree import limits
from mlops_audit.tree.ignore import IgnoreRules
from mlops_audit.tree.paths import normal, resolve_link, unique_key
from mlops_audit.tree.pointers import LFS_SIZES, annex_pointer, lfs_pointer
from mlops_audit.tree.state import state_of
from mlops_audit.tree.types import Entry, GitInfo, Unread

__all__ = ["BaseTree", "Listing", "blob_hash"]

_LFS_REASON = "its content lies in Git LFS and is not in this clone"
_ANNEX_LINK = 80  # bytes; the text of a link into the store is longer
_ANNEX_REASON = "its content lies in git-annex and is not read"


def blob_hash(data: bytes, algorithm: str = "sha1") -> str:
    """The id that git gives to these bytes as a blob."""
    head = b"blob %d\0" % len(data)
    return hashlib.new(algorithm, head + data, usedforsecurity=False).hexdigest()


class Listing:
    """Collects entries within the bounds on count and depth; `raw` keeps the names as bytes."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.raw: dict[str, bytes] = {}
        self.diagnostics: list[Diagnostic] = []
        self._too_deep = 0
        self._too_many = 0

    def add(self, entry: Entry, raw: bytes) -> None:
        """Add one entry, or count it as left out."""
        if raw.count(b"/") > limits.MAX_DEPTH:
            self._too_deep += 1
            return
        if len(self.entries) >= limits.MAX_FILES:
            self._too_many += 1
            return
        if entry.path in self.entries:
            entry = replace(entry, path=unique_key(entry.path, self.entries))
        self.entries[entry.path] = entry
        self.raw[entry.path] = raw

    def say(self, message: str, path: str = ".") -> None:
        """Add a diagnostic about the listing."""
        self.diagnostics.append(Diagnostic(path, message))

    def finish(self, *, more: bool = False) -> None:
        """Sort, and say what was left out; `more` when the count of the rest is unknown."""
        self.entries = {path: self.entries[path] for path in sorted(self.entries)}
        if self._too_deep:
            self.say(
                f"{self._too_deep} files were left out: more than {limits.MAX_DEPTH} folders deep"
            )
        if self._too_many or more:
            count = "more files" if more else f"{self._too_many} files"
            self.say(f"{count} were left out: the listing stops at {len(self.entries)} files")


class BaseTree:
    """A tree over a finished listing; a subclass says how one entry's bytes are got."""

    def __init__(self, name: str, listing: Listing, above: tuple[str, ...] = ()) -> None:
        self.name = name
        self._entries = listing.entries
        self._raw = listing.raw
        self._diagnostics = listing.diagnostics
        self._view: Mapping[str, Entry] = MappingProxyType(self._entries)
        self._read: dict[str, bytes] = {}
        self._links: dict[str, str] = {}
        self._total = 0
        self._counted: set[str] = set()  # the files that `_total` holds
        self._cached = 0
        self._ignore = IgnoreRules(self._ignore_file, above)
        self._folder_names: frozenset[str] | None = None
        self._lock = RLock()

    @property
    def entries(self) -> Mapping[str, Entry]:
        """Every file, link and submodule by path, sorted by path."""
        return self._view

    @property
    def git(self) -> GitInfo | None:
        """What git knows, None where there is no git."""
        return None

    @property
    def diagnostics(self) -> Sequence[Diagnostic]:
        """What was left out or could not be used so far."""
        return tuple(self._diagnostics)

    def _find_pointers(self) -> None:
        """Mark LFS pointers and annex links, looking at contents only where these are in use.

        A pointer that this misses is still found when it is read.
        """
        for entry in list(self._entries.values()):
            may = entry.kind == "link" and not entry.absent
            if may and (entry.size is None or entry.size >= _ANNEX_LINK):
                if not annex_pointer(self._link_text(entry)):
                    continue
                self._entries[entry.path] = replace(entry, absent=True, pointer="annex")
        if not self._uses_lfs():
            return
        for entry in list(self._entries.values()):
            if entry.kind == "file" and entry.size in LFS_SIZES and not entry.absent:
                data = self._load(entry, LFS_SIZES.stop)
                if isinstance(data, bytes) and lfs_pointer(data):
                    self._entries[entry.path] = replace(entry, absent=True, pointer="lfs")

    def _uses_lfs(self) -> bool:
        names = (p for p in self._entries if p.rpartition("/")[2] == ".gitattributes")
        found = (self.read(path) for path in names)
        return any(isinstance(data, bytes) and b"filter=lfs" in data for data in found)

    # What a subclass provides

    def _load(self, entry: Entry, size: int) -> bytes | Unread:
        """At most the first `size` bytes of an entry of kind file."""
        raise NotImplementedError

    def _link_text(self, entry: Entry) -> bytes:
        """What a link points to; empty if that cannot be read."""
        raise NotImplementedError

    def _ignore_above(self, key: str) -> bytes | None:  # noqa: ARG002 -- for trees of a subfolder
        """The .gitignore of a folder above this tree's root (`../`, once for each folder)."""
        return None

    def _ignore_unlisted(self, path: str) -> bytes | None:  # noqa: ARG002 -- for work trees
        """A .gitignore that is not listed, because it ignores itself."""
        return None

    # Reading

    def read(self, path: str, limit: int | None = None) -> bytes | Unread:
        """The whole content of a listed file of at most `limit` bytes (default by suffix)."""
        with self._lock:
            entry = self._file(path)
            if isinstance(entry, Unread):
                return entry if entry.path == path else replace(entry, path=path)
            limit = limits.read_limit(path) if limit is None else limit
            data = self._read.get(entry.path)
            if data is None:
                loaded = self._whole(entry, limit)
                if isinstance(loaded, Unread):
                    return replace(loaded, path=path)
                data = loaded
            elif not self._counts(entry):
                return replace(self._over_budget(entry.path), path=path)
            if len(data) > limit:
                return _too_large(path, len(data), limit)
            return data

    def _whole(self, entry: Entry, limit: int) -> bytes | Unread:
        if entry.pointer or entry.absent:
            return _absent(entry)
        if entry.size is not None and entry.size > limit:
            return _too_large(entry.path, entry.size, limit)
        if not self._counts(entry):
            return self._over_budget(entry.path)
        data = self._load(entry, limit + 1)
        if isinstance(data, Unread):
            return data
        if len(data) > limit:
            return _too_large(entry.path, len(data), limit)
        if len(data) in LFS_SIZES and lfs_pointer(data):
            return Unread(entry.path, _LFS_REASON, "absent")
        if data.startswith(b"/annex/objects/") and annex_pointer(data):
            return Unread(entry.path, _ANNEX_REASON, "absent")
        if self._cached + len(data) <= limits.MAX_CACHED:
            self._cached += len(data)
            self._read[entry.path] = data
        return data

    def _counts(self, entry: Entry) -> bool:
        """Count a file once among those that are read, however often it is; False if too many."""
        if entry.path not in self._counted:
            if self._total + (entry.size or 0) > limits.MAX_TOTAL:
                return False
            self._counted.add(entry.path)
            self._total += entry.size or 0
        return True

    def counts(self, path: str) -> bool:
        """Count a file whose content may be known from elsewhere among those that are read.

        What a large tree leaves out must not depend on what a cache holds.
        """
        with self._lock:
            entry = self._file(path)
            if isinstance(entry, Unread) or entry.pointer or entry.absent:
                return False
            return (entry.size or 0) <= limits.read_limit(path) and self._counts(entry)

    @property
    def fits(self) -> bool:
        """Whether all files that may be read can be, in whatever order."""
        sizes = ((p, e.size or 0) for p, e in self._entries.items() if e.kind == "file")
        return sum(s for p, s in sizes if s <= limits.read_limit(p)) <= limits.MAX_TOTAL

    def _over_budget(self, path: str) -> Unread:
        what = f"more than {limits.MAX_TOTAL >> 20} MiB were read from this repository"
        message = f"{what}; the files after it were left out"
        if all(d.message != message for d in self._diagnostics):
            self._diagnostics.append(Diagnostic(".", message))
        return Unread(path, what, "limit")

    def head(self, path: str, n: int = 8192) -> bytes | Unread:
        """The first `n` bytes of a listed file of any size, an LFS pointer's text included."""
        with self._lock:
            entry = self._file(path)
            if isinstance(entry, Unread):
                return replace(entry, path=path)
            if entry.path in self._read:
                return self._read[entry.path][:n]
            if entry.absent and entry.pointer != "lfs":
                return replace(_absent(entry), path=path)
            data = self._load(entry, min(n, limits.MAX_NOTEBOOK))
            return replace(data, path=path) if isinstance(data, Unread) else data[:n]

    def _file(self, path: str) -> Entry | Unread:
        """The entry of kind file that `path` leads to."""
        entry = self._entries.get(path)
        if entry is not None and entry.kind == "link" and not entry.pointer:
            target = self.link_target(path)
            entry = self._entries.get(target) if target else None
            if entry is None:
                return Unread(path, "it is a link to something outside this tree's files", "link")
        if entry is None:
            return Unread(path, "there is no such file in the tree", "error")
        if entry.pointer == "annex":
            return _absent(entry)
        if entry.kind != "file":
            return Unread(path, f"it is {_KINDS[entry.kind]}", "special")
        return entry

    def link_target(self, path: str) -> str | None:
        """The listed path that a link finally leads to, None where it leaves the tree."""
        found = resolve_link(path, self._link)
        return found if found in self._entries else None

    def _link(self, path: str) -> str | None:
        entry = self._entries.get(path)
        if entry is None or entry.kind != "link":
            return None
        if path not in self._links:
            self._links[path] = self._link_text(entry).decode("utf-8", "backslashreplace")
        return self._links[path]

    def blob_id(self, path: str) -> str | None:
        """The git blob id of the content as `read` gives it, None if it is unread."""
        entry = self._file(path)
        if isinstance(entry, Unread) or entry.absent:
            return None
        if entry.blob is None:
            data = self.read(path)
            if isinstance(data, Unread):
                return None
            entry = replace(entry, blob=blob_hash(data))
            self._entries[entry.path] = entry
        return entry.blob

    def state(self) -> str | None:
        """A digest of all that this tree shows, None where that cannot be told cheaply."""
        counted, total = self._counted, self._total
        self._counted = set(counted)
        try:
            return self._state()
        finally:  # what a large tree leaves out must not depend on whether this was asked
            self._counted, self._total = counted, total

    def _state(self) -> str | None:
        folders = [*sorted(self._folders()), ""]
        above = ["../" * up for up in range(1, len(self._ignore.above) + 1)]
        unlisted = [f for f in folders if f"{f}/.gitignore".lstrip("/") not in self._entries]
        rules = [(key, self._ignore_file(key)) for key in (*above, *unlisted)]
        git = self.git
        outside = [*(rule for rule in rules if rule[1] is not None), git and git.state()]
        return state_of(self.name, self._entries, self.diagnostics, outside, self._content_of)

    def _content_of(self, entry: Entry) -> str | None:
        return self._link(entry.path) if entry.kind == "link" else self.blob_id(entry.path)

    # Ignore rules

    def ignores(self, path: str) -> bool:
        """Whether the tree's own .gitignore files ignore this path, which need not exist.

        A closing slash, or files below it in the tree, make it a folder.
        """
        clean = normal(path)
        if not clean:
            return False
        folder = path.endswith("/") or clean in self._folders()
        with self._lock:
            return self._ignore.ignores(tuple(clean.split("/")), folder=folder)

    def _folders(self) -> frozenset[str]:
        if self._folder_names is None:
            self._folder_names = folders_of(self._entries)
        return self._folder_names

    def _ignore_file(self, key: str) -> bytes | None:
        if key.startswith("../"):
            return self._ignore_above(key)
        path = f"{key}/.gitignore" if key else ".gitignore"
        entry = self._entries.get(path)
        if entry is None:
            return self._ignore_unlisted(path)
        if entry.kind != "file":  # git reads no link here either
            return None
        data = self.read(path)
        if isinstance(data, Unread):
            self._diagnostics.append(Diagnostic(path, f"ignore rules not read: {data.reason}"))
            return None
        return data


_KINDS = {"link": "a link", "submodule": "another repository", "special": "no ordinary file"}


def folders_of(paths: Iterable[str]) -> frozenset[str]:
    """All folders that hold one of these paths."""
    found: set[str] = set()
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return frozenset(found)


def _absent(entry: Entry) -> Unread:
    reasons = {"lfs": _LFS_REASON, "annex": _ANNEX_REASON}
    reason = reasons.get(entry.pointer or "", "its content is not in this clone")
    return Unread(entry.path, reason, "absent")


def _too_large(path: str, size: int, limit: int) -> Unread:
    return Unread(path, f"it has {size} bytes, more than the {limit} that are read", "too-large")
