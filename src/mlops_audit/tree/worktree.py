"""A git work tree as it lies on the disk: tracked files, and untracked ones not ignored."""

from __future__ import annotations

import os
import re
import stat
from functools import cached_property

from mlops_audit.tree import limits
from mlops_audit.tree.base import BaseTree, Listing, blob_hash
from mlops_audit.tree.disk import Disk, kind_of
from mlops_audit.tree.folder import walk
from mlops_audit.tree.git import Git, GitError, collect, finish
from mlops_audit.tree.gitinfo import CloneInfo, common_dir
from mlops_audit.tree.paths import SKIPPED_FOLDERS, display
from mlops_audit.tree.pointers import lfs_text
from mlops_audit.tree.revision import load_blob, resolve
from mlops_audit.tree.types import Entry, GitInfo, Kind, TreeError, Unread

__all__ = ["WorkTree"]

_ROW = re.compile(
    rb"(\d{6}) ([0-9a-f]{40,64}) (\d)\t([^\0]+)\0"
    rb"  ctime: \d+:\d+\n  mtime: (\d+):(\d+)\n  dev: \d+\tino: \d+\n"
    rb"  uid: \d+\tgid: \d+\n  size: (\d+)\tflags: ([0-9a-f]+)\n"
)
_PLAIN = re.compile(rb"(\d{6}) ([0-9a-f]{40,64}) (\d)\t([^\0]+)\0")
_SKIP_WORKTREE = 0x40000000  # an index entry outside the sparse checkout
_CONVERTS = re.compile(rb"\bfilter=|\bident\b|\bworking-tree-encoding=|\beol=crlf\b")
_AUTOCRLF = re.compile(rb"(?i)\bcrlf\b|\bautocrlf\s*=\s*true")
_OTHERS_SECONDS = 10.0  # for git's search for untracked files


class _Row:
    """One row of the index: what git knew about a file when it last looked."""

    __slots__ = ("blob", "executable", "link", "mtime", "size", "sparse", "submodule")

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
        self._objects = Git(git.git_dir)  # knows no work tree, so no command of it can touch one
        self._root = os.fsencode(root)
        self._disk = Disk(self._root)
        self._folder = os.fsencode(folder)
        self._changed: set[str] = set()  # tracked paths that certainly differ from the index
        self._doubtful: dict[str, str] = {}  # paths whose content must be hashed to know
        self._untracked = False
        self._by_walk = False
        self._hashed = 0  # bytes
        self._listing = Listing()
        self._list()
        super().__init__(name, self._listing, tuple(folder.split("/")) if folder else ())
        if self._by_walk:
            self._walk_untracked()
        self._find_pointers()

    # Listing

    def _list(self) -> None:
        skipped = [f"--exclude={name}/" for name in sorted(SKIPPED_FOLDERS)]
        others = self._git.start(("ls-files", "-o", "-z", "--exclude-standard", *skipped))
        try:
            rows, cut = self._rows()
        except BaseException:
            finish(others)
            raise
        self._list_tracked(rows)
        try:
            found = collect(others, seconds=_OTHERS_SECONDS)
        except GitError as error:
            # A FIFO called .gitignore is enough to make git wait for ever.
            self._by_walk = True
            self._listing.say(f"git cannot find the untracked files ({error}); found without it")
            self._listing.finish(more=cut)
            return
        for raw in found.data.split(b"\0")[:-1]:
            if raw not in rows:  # without an index, git takes the commit's files for untracked
                self._list_untracked(raw)
        self._listing.finish(more=cut or found.cut)

    def _rows(self) -> tuple[dict[bytes, _Row], bool]:
        """The index, or where there is none, the commit's files; and whether that was cut."""
        output = self._git.run("ls-files", "-s", "-z", "--debug")
        found = _ROW.findall(output.data)
        if len(found) < output.data.count(b"\0") and not output.cut:
            # Another git's form of `--debug`: do without its time stamps.
            output = self._git.run("ls-files", "-s", "-z")
            found = [(*row, b"0", b"0", b"0", b"0") for row in _PLAIN.findall(output.data)]
        if not found and not self._index_time():
            found = self._committed()
        rows: dict[bytes, _Row] = {}
        for row in found:
            if row[2] != b"0":
                self._changed.add(display(row[3]))  # an unfinished merge
            rows[row[3]] = _Row(row)
        return rows, output.cut

    def _committed(self) -> list[tuple[bytes, ...]]:
        """The commit's files in the form of index rows, for a clone without an index."""
        command = ("ls-tree", "-r", "-z", f"HEAD:{os.fsdecode(self._folder)}")
        try:
            rows = self._objects.run(*command).data.split(b"\0")[:-1]
        except GitError:  # no commits yet
            return []
        if rows:
            self._listing.say("git's index is missing; the commit's files are taken instead")
            self._changed.add("")
        parted = [row.partition(b"\t") for row in rows]
        zeros = (b"0", b"0", b"0", b"0")
        return [(*_mode_and_blob(meta), b"0", raw, *zeros) for meta, _, raw in parted]

    def _list_tracked(self, rows: dict[bytes, _Row]) -> None:
        index_time = self._index_time()
        converted = self._converted(rows)
        sparse = [row.blob for row in rows.values() if row.sparse]
        sizes = self._objects.sizes(sparse) if sparse else {}
        for raw, row in rows.items():
            entry = self._tracked(raw, row, index_time, converted=converted)
            if entry is None and row.sparse:
                entry = _sparse(display(raw), row, sizes.get(row.blob))
            if entry is not None:
                self._listing.add(entry, raw)

    def _index_time(self) -> int:
        try:
            return os.stat(os.path.join(self._git.git_dir, "index")).st_mtime_ns
        except OSError:
            return 0

    def _converted(self, rows: dict[bytes, _Row]) -> bool:
        """Whether files on the disk may differ from their blobs although nobody changed them."""
        common = Disk(os.fsencode(common_dir(self._git.git_dir)))
        config = common.read(b"config", limits.MAX_TEXT)
        if isinstance(config, bytes) and _AUTOCRLF.search(config):
            return True
        found = [common.read(b"info/attributes", limits.MAX_TEXT)]
        names = [raw for raw in rows if raw.rpartition(b"/")[2] == b".gitattributes"]
        found += [self._disk.read(raw, limits.MAX_TEXT) for raw in names[:200]]
        return any(isinstance(data, bytes) and _CONVERTS.search(data) for data in found)

    def _tracked(self, raw: bytes, row: _Row, index_time: int, *, converted: bool) -> Entry | None:
        path = display(raw)
        if row.submodule:
            return Entry(path, None, "submodule", row.blob, tracked=True)
        info = self._disk.stat(raw)
        if info is None or stat.S_ISDIR(info.st_mode):
            if not row.sparse:
                self._changed.add(path)  # deleted
            return None
        kind = kind_of(info.st_mode)
        if kind == "special":
            self._changed.add(path)
            return Entry(path, None, kind, tracked=True)
        same = row.same(info, index_time) and row.link == (kind == "link")
        if not same:
            self._doubtful[path] = row.blob
        blob = row.blob if same and not converted else None
        executable = kind == "file" and bool(info.st_mode & 0o100)
        return Entry(path, info.st_size, kind, blob, executable, tracked=True)

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
        self._listing.add(Entry(display(raw), size, kind, None, executable), raw)

    def _walk_untracked(self) -> None:
        """Find the untracked files without git, once the ignore rules can be asked."""
        found = Listing()
        walk(self._root, found)
        for path, raw in found.raw.items():
            if path not in self._entries and not self.ignores(path):
                self._list_untracked(raw)
        self._listing.finish()
        self._entries.clear()
        self._entries.update(self._listing.entries)

    # Reading

    def _load(self, entry: Entry, size: int) -> bytes | Unread:
        raw = self._raw[entry.path]
        if entry.blob is not None and self._disk.stat(raw) is None:
            return load_blob(self._objects, entry, size)
        return self._disk.read(raw, size)

    def _link_text(self, entry: Entry) -> bytes:
        raw = self._raw[entry.path]
        if entry.blob is not None and self._disk.stat(raw) is None:  # outside a sparse checkout
            data = self._load(entry, 4096)
            return data if isinstance(data, bytes) else b""
        return self._disk.link(raw)

    def _ignore_above(self, key: str) -> bytes | None:
        top = os.fsencode(self._git.work_tree or "")
        up = key.count("../")
        folders = self._folder.split(b"/")
        raw = b"/".join([*folders[: len(folders) - up], b".gitignore"])
        data = Disk(top).read(raw, limits.MAX_TEXT)
        return data if isinstance(data, bytes) else None

    def _ignore_unlisted(self, path: str) -> bytes | None:
        data = self._disk.read(path.encode("utf-8", "surrogateescape"), limits.MAX_TEXT)
        return data if isinstance(data, bytes) else None

    # Git

    @cached_property
    def _info(self) -> CloneInfo:
        prefix = self._folder + b"/" if self._folder else b""
        return CloneInfo(self._objects, self._commit, prefix, self._raw.get, self._dirty)

    def _commit(self) -> str | None:
        try:
            return resolve(self._objects, "HEAD")
        except TreeError:
            return None

    @property
    def git(self) -> GitInfo:
        """What git knows about HEAD."""
        return self._info

    def _dirty(self) -> bool:
        if self._changed or self._untracked:
            return True
        if not all(self._unchanged(path, blob) for path, blob in self._doubtful.items()):
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
        if entry.size is None or entry.size > limits.MAX_BATCH_BYTES:
            return False
        self._hashed += entry.size
        if self._hashed > limits.MAX_TOTAL:
            return True  # a copied clone with gigabytes in it: nothing speaks against it
        data = self._disk.read(raw, entry.size + 1)
        if isinstance(data, Unread):
            return False
        forms = (data, data.replace(b"\r\n", b"\n"), lfs_text(data))
        return any(blob_hash(form, algorithm) == blob for form in forms)


def _mode_and_blob(meta: bytes) -> tuple[bytes, bytes]:
    mode, _type, blob = meta.split()
    return mode, blob


def _sparse(path: str, row: _Row, size: int | None) -> Entry:
    """A file outside the sparse checkout, whose content the clone may hold all the same."""
    kind: Kind = "link" if row.link else "file"
    return Entry(path, size, kind, row.blob, row.executable, size is None, tracked=True)
