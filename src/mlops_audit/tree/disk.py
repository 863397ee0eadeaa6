"""Reading from a disk that may hold anything: never follow a link, never block, never exceed."""

from __future__ import annotations

import os
import stat

from mlops_audit.tree.paths import display
from mlops_audit.tree.types import Kind, Unread

__all__ = ["Disk", "kind_of"]

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


def kind_of(mode: int) -> Kind:
    """The entry's kind for a file mode."""
    if stat.S_ISREG(mode):
        return "file"
    return "link" if stat.S_ISLNK(mode) else "special"


class Disk:
    """Files below one folder, by raw relative names."""

    def __init__(self, root: bytes) -> None:
        self._root = root
        self._real: dict[bytes, bool] = {b"": True}

    def inside(self, folder: bytes) -> bool:
        """Whether every part of this relative folder is a real folder, none of them a link."""
        known = self._real.get(folder)
        if known is None:
            known = self.inside(folder.rpartition(b"/")[0]) and self._is_folder(folder)
            self._real[folder] = known
        return known

    def _is_folder(self, folder: bytes) -> bool:
        try:
            return stat.S_ISDIR(os.lstat(self._root + b"/" + folder).st_mode)
        except (OSError, ValueError):
            return False

    def stat(self, raw: bytes) -> os.stat_result | None:
        """`lstat` of a file whose folders are real, None if there is none."""
        if not self.inside(raw.rpartition(b"/")[0]):
            return None
        try:
            return os.lstat(self._root + b"/" + raw)
        except (OSError, ValueError):
            return None

    def link(self, raw: bytes) -> bytes:
        """A link's text, empty if it cannot be read."""
        if not self.inside(raw.rpartition(b"/")[0]):
            return b""
        try:
            return os.readlink(self._root + b"/" + raw)
        except (OSError, ValueError):
            return b""

    def read(self, raw: bytes, size: int) -> bytes | Unread:
        """At most `size` bytes of a regular file."""
        path = display(raw)
        if not self.inside(raw.rpartition(b"/")[0]):
            return Unread(path, "a folder on its way is a link", "link")
        try:
            number = os.open(self._root + b"/" + raw, _FLAGS)
        except (OSError, ValueError) as error:
            return Unread(path, _why(error), "error")
        try:
            if not stat.S_ISREG(os.fstat(number).st_mode):
                return Unread(path, "it is no ordinary file", "special")
            return _all(number, size)
        except OSError as error:
            return Unread(path, _why(error), "error")
        finally:
            os.close(number)


def _all(number: int, size: int) -> bytes:
    data = os.read(number, min(size, 1 << 20))
    if len(data) >= size or not data:
        return data
    chunks = [data]
    size -= len(data)
    while size > 0 and (data := os.read(number, min(size, 1 << 20))):
        chunks.append(data)
        size -= len(data)
    return b"".join(chunks)


def _why(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) else None
    return f"it could not be opened ({text or 'a bad name'})"
