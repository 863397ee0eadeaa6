"""A git work tree as it lies on the disk: tracked files, and untracked ones not ignored."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from functools import cached_property

from mlops_audit.tree import limits
from mlops_audit.tree.base import BaseTree, Listing, blob_hash
from mlops_audit.tree.disk import Disk, kind_of
from mlops_audit.tree.git import GIT_ERRORS, Git, collect
from mlops_audit.tree.gitinfo import CloneInfo
from mlops_audit.tree.paths import SKIPPED_FOLDERS, display
from mlops_audit.tree.pointers import LFS_SIZES, annex_pointer, lfs_pointer
from mlops_audit.tree.revision import load_blob, resolve
from mlops_audit.tree.types import Entry, GitInfo, TreeError, Unread

__all__ = ["WorkTree"]

_ROW = re.compile(
    rb"(\d{6}) ([0-9a-f]{40,64}) (\d)\t([^\0]+)\0"
    rb"  ctime: \d+:\d+\n  mtime: (\d+):(\d+)\n  dev: \d+\tino: \d+\n"
    rb"  uid: \d+\tgid: \d+\n  size: (\d+)\tflags: ([0-9a-f]+)\n"
)
_SKIP_WORKTREE = 0x40000000  # an index entry outside the sparse checkout
_CONVERTS = re.compile(rb"\b(?:filter=|ident\b|working-tree-encoding=|eol=|text\b|crlf\b)")


class _Row:
    """One row of the index: what git knew about a file when it last looked."""

    __slots__ = ("blob", "executable", "link", "mtime", "sparse", "size", "submodule")

    def __init__(self, row: tuple[bytes, ...]) -> None:
        mode, blob, _stage, _raw, seconds, nanos, size, flags = row
        self.link = mode == b"120000"
        self.submodule = mode == b"160000"
        self.executable = mode == b"100755"
        self.blob = blob.decode()
        self.mtime = int(seconds) * 1_000_000_000 + int(nanos)
        self.size = int(size)
        self.sparse = bool(int(flags, 16) & _SKIP_WORKTREE)

    def same(self, info: os.stat_result, index_time: int) -> bool:
        """Whether the file is certainly the one that git last looked at.

        A file as young as the index may have changed within the clock's grain since, so it is
        not; git calls such an entry racy.
        """
        mtime = info.st_mtime_ns
        whole = self.mtime % 1_000_000_000 == 0
        if whole:
            mtime -= mtime % 1_000_000_000
            index_time -= index_time % 1_000_000_000
        return mtime == self.mtime and mtime < index_time and info.st_size & 0xFFFFFFFF == self.size


class WorkTree(BaseTree):
    """A work tree, or a subfolder of one.

    Args:
        git: the repository, with its commands running in the audited folder.
        root: the audited folder, an absolute path.
        name: the folder's name.
        folder: `root` relative to the top of the work tree, empty for the top.

    Raises:
        GitError: git cannot list the files.
        OSError: git could not be started.
    """

    def __init__(self, git: Git, root: str, name: str, folder: str = "") -> None:
        self._git = git
        self._root = os.fsencode(root)
        self._disk = Disk(self._root)
        self._folder = os.fsencode(folder)
        self._changed: set[str] = set()  # tracked paths that certainly differ from the index
        self._doubtful: dict[str, str] = {}  # paths whose content must be hashed to know
        self._untracked = False
        self._listing = Listing()
        self._list()
        super().__init__(name, self._listing, tuple(folder.split("/")) if folder else ())

    # Listing

    def _list(self) -> None:
        skipped = [f"--exclude={name}/" for name in sorted(SKIPPED_FOLDERS)]
        others = self._git.start(("ls-files", "-o", "-z", "--exclude-standard", *skipped))
        try:
            rows = self._git.run("ls-files", "-s", "-z", "--debug")
        finally:
            # Collected in any case, so that no process is left behind.
            found = collect(others)
        self._list_tracked(rows.data)
        for raw in found.data.split(b"\0")[:-1]:
            self._list_untracked(raw)
        self._listing.finish(more=rows.cut or found.cut)

    def _list_tracked(self, data: bytes) -> None:
        index_time = self._index_time()
        rows: dict[bytes, _Row] = {}
        for row in _ROW.findall(data):
            if row[2] != b"0":
                self._changed.add(display(row[3]))  # an unfinished merge
            rows[row[3]] = _Row(row)
        converted = self._converted(rows)
        for raw, row in rows.items():
            entry = self._tracked(raw, row, index_time, converted=converted)
            if entry is not None:
                self._listing.add(entry, raw)

    def _index_time(self) -> int:
        try:
            return os.stat(os.path.join(self._git.git_dir, "index")).st_mtime_ns  # noqa: PTH116, PTH118 -- pathlib costs start-up time
        except OSError:
            return 0

    def _converted(self, rows: dict[bytes, _Row]) -> bool:
        """Whether files on the disk may differ from their blobs although nobody changed them."""
        names = [raw for raw in rows if raw.rpartition(b"/")[2] == b".gitattributes"]
        for raw in names[:200]:
            data = self._disk.read(raw, limits.MAX_TEXT)
            if isinstance(data, bytes) and _CONVERTS.search(data):
                return True
        return False

    def _tracked(self, raw: bytes, row: _Row, index_time: int, *, converted: bool) -> Entry | None:
        path = display(raw)
        if row.submodule:
            return Entry(path, None, "submodule", row.blob, tracked=True)
        info = self._disk.stat(raw)
        if info is None:
            if row.sparse:
                return self._sparse(path, row)
            self._changed.add(path)  # deleted
            return None
        kind = kind_of(info.st_mode)
        if kind == "special" and not _is_folder(info):
            self._changed.add(path)
            return Entry(path, None, kind, tracked=True)
        if kind == "special":  # a folder has taken the file's place
            self._changed.add(path)
            return None
        same = row.same(info, index_time) and row.link == (kind == "link")
        if not same:
            self._doubtful[path] = row.blob
        executable = kind == "file" and bool(info.st_mode & 0o100)
        entry = Entry(path, info.st_size, kind, None, executable, tracked=True)
        if same and not converted:
            entry = replace(entry, blob=row.blob)
        return self._with_pointer(entry, raw, look=converted)

    def _sparse(self, path: str, row: _Row) -> Entry:
        """A file outside the sparse checkout, which the clone may hold all the same."""
        kind = "link" if row.link else "file"
        size = None
        try:
            size = self._git.batch.size(row.blob)
        except GIT_ERRORS:
            pass
        return Entry(path, size, kind, row.blob, row.executable, size is None, tracked=True)

    def _with_pointer(self, entry: Entry, raw: bytes, *, look: bool) -> Entry:
        if entry.kind == "link":
            if annex_pointer(self._disk.link(raw)):
                return replace(entry, absent=True, pointer="annex")
        elif look and entry.size in LFS_SIZES:
            data = self._disk.read(raw, LFS_SIZES.stop)
            if isinstance(data, bytes) and lfs_pointer(data):
                return replace(entry, absent=True, pointer="lfs")
        return entry

    def _list_untracked(self, raw: bytes) -> None:
        if raw.endswith(b"/"):  # a repository within, of which git lists nothing else
            self._listing.add(Entry(display(raw[:-1]), None, "submodule"), raw[:-1])
            return
        info = self._disk.stat(raw)
        if info is None:
            return
        self._untracked = True
        kind = kind_of(info.st_mode)
        executable = kind == "file" and bool(info.st_mode & 0o100)
        size = info.st_size if kind != "special" else None
        entry = Entry(display(raw), size, kind, None, executable)
        self._listing.add(self._with_pointer(entry, raw, look=False), raw)

    # Reading

    def _load(self, entry: Entry, size: int) -> bytes | Unread:
        raw = self._raw[entry.path]
        if entry.blob is not None and self._disk.stat(raw) is None:
            return load_blob(self._git, entry, size)
        return self._disk.read(raw, size)

    def _link_text(self, entry: Entry) -> bytes:
        return self._disk.link(self._raw[entry.path])

    def _ignore_above(self, key: str) -> bytes | None:
        top = os.fsencode(self._git.work_tree or "")
        up = key.count("../")
        folders = self._folder.split(b"/")
        raw = b"/".join([*folders[: len(folders) - up], b".gitignore"])
        data = Disk(top).read(raw, limits.MAX_TEXT)
        return data if isinstance(data, bytes) else None

    # Git

    @cached_property
    def _info(self) -> CloneInfo:
        prefix = self._folder + b"/" if self._folder else b""
        return CloneInfo(self._git, self._commit(), prefix, self._raw.get, self._dirty)

    def _commit(self) -> str | None:
        try:
            return resolve(self._git, "HEAD")
        except TreeError:
            return None

    @property
    def git(self) -> GitInfo:
        """What git knows about HEAD."""
        return self._info

    def _dirty(self) -> bool:
        if self._changed or self._untracked:
            return True
        if any(not self._unchanged(path, blob) for path, blob in self._doubtful.items()):
            return True
        commit = self._info.commit
        if commit is None:
            return bool(self._entries)
        # Trees against the index: no file of the work tree is opened, so no filter runs.
        command = ("diff-index", "--cached", "--no-ext-diff", "--no-textconv", "--raw", "-z")
        return bool(self._git.run(*command, "--relative", commit, "--").data)

    def _unchanged(self, path: str, blob: str) -> bool:
        """Whether a file with another time stamp still has the index's content."""
        entry = self._entries.get(path)
        if entry is None:
            return False
        raw = self._raw[path]
        algorithm = "sha1" if len(blob) == 40 else "sha256"  # noqa: PLR2004 -- hex digits
        if entry.kind == "link":
            return blob_hash(self._disk.link(raw), algorithm) == blob
        data = self._disk.read(raw, limits.MAX_BATCH_BYTES + 1)
        if isinstance(data, Unread) or len(data) > limits.MAX_BATCH_BYTES:
            return False
        return blob in {
            blob_hash(data, algorithm),
            blob_hash(data.replace(b"\r\n", b"\n"), algorithm),
        }


def _is_folder(info: os.stat_result) -> bool:
    return info.st_mode & 0o170000 == 0o040000
