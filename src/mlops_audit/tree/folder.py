"""A folder without git, or with a git that is broken."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import islice

from mlops_audit.model import Diagnostic
from mlops_audit.tree import limits
from mlops_audit.tree.base import BaseTree, Listing
from mlops_audit.tree.disk import Disk, kind_of
from mlops_audit.tree.paths import SKIPPED_FOLDERS, display
from mlops_audit.tree.types import Entry, Unread

__all__ = ["FolderTree"]

_SKIPPED = frozenset(os.fsencode(name) for name in SKIPPED_FOLDERS)


class FolderTree(BaseTree):
    """All files below a folder but those that tools put there (`paths.SKIPPED_FOLDERS`).

    Args:
        root: an absolute path.
        name: the folder's name.
        diagnostics: why this is not a git tree, if it should have been one.
    """

    def __init__(self, root: str, name: str, diagnostics: Iterable[Diagnostic] = ()) -> None:
        self._disk = Disk(os.fsencode(root))
        listing = Listing()
        listing.diagnostics.extend(diagnostics)
        walk(os.fsencode(root), listing)
        super().__init__(name, listing)
        self._find_pointers()

    def _load(self, entry: Entry, size: int) -> bytes | Unread:
        return self._disk.read(self._raw[entry.path], size)

    def _link_text(self, entry: Entry) -> bytes:
        return self._disk.link(self._raw[entry.path])


def walk(root: bytes, listing: Listing) -> None:
    """List a folder, in the order of names, within the bounds."""
    waiting = [b""]
    cut = False
    while waiting and not cut:
        folder = waiting.pop()
        prefix = folder + b"/" if folder else b""
        below: list[bytes] = []
        for item in _scan(root, folder, listing):
            raw = prefix + item.name
            try:
                is_folder = item.is_dir(follow_symlinks=False)
                info = item.stat(follow_symlinks=False)
            except OSError:
                listing.say("it vanished or cannot be looked at", display(raw))
                continue
            if is_folder:
                if item.name not in _SKIPPED and not _is_environment(root, raw):
                    below.append(raw)
                continue
            if raw == b".git":  # a linked worktree's or submodule's
                continue
            if len(listing.entries) >= limits.MAX_FILES:
                cut = True
                break
            listing.add(_entry(raw, info), raw)
        waiting.extend(reversed(below))
    listing.finish(more=cut)


def _scan(root: bytes, folder: bytes, listing: Listing) -> list[os.DirEntry[bytes]]:
    if folder.count(b"/") >= limits.MAX_DEPTH:
        listing.say(f"left out: more than {limits.MAX_DEPTH} folders deep", display(folder))
        return []
    try:
        with os.scandir(root + b"/" + folder) as found:
            return sorted(islice(found, limits.MAX_IN_FOLDER), key=lambda item: item.name)
    except OSError as error:
        listing.say(f"the folder cannot be listed ({error.strerror})", display(folder) or ".")
        return []


def _is_environment(root: bytes, folder: bytes) -> bool:
    return os.path.lexists(root + b"/" + folder + b"/pyvenv.cfg")  # PEP 405's marker


def _entry(raw: bytes, info: os.stat_result) -> Entry:
    kind = kind_of(info.st_mode)
    path = display(raw)
    size = info.st_size if kind == "file" else None
    return Entry(path, size, kind, executable=kind == "file" and bool(info.st_mode & 0o100))
