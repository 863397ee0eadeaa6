"""Objects of a repository through one long-lived git process."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Lock

from mlops_audit.tree.git import UNASKABLE, GitError, ended, ready
from mlops_audit.tree.limits import COMMAND_SECONDS

__all__ = ["Batch"]


class Batch:
    """Objects through one `git cat-file --batch` process; safe with threads and after a fork.

    Args:
        start: starts a git command of the repository, as `Git.start`.
    """

    # Each break costs a start of git, and each time limit that it passes half a minute. Beyond,
    # what is given depends on what was asked before.
    _MAX_BREAKS = 200
    _MAX_LATE = 3

    def __init__(self, start: Callable[..., subprocess.Popen[bytes]]) -> None:
        self._start = start
        self._process: subprocess.Popen[bytes] | None = None
        self._inherited: subprocess.Popen[bytes] | None = None
        self._pid = 0
        self._broken: dict[str, Exception] = {}  # what git broke at, and how
        self._late = 0
        self._buffer = b""
        self._lock = Lock()

    def get(self, name: str) -> bytes | None:
        """An object's content (`name` as git takes it, `REV:PATH` too), None if it is not here.

        Ask only for objects of known size below `MAX_BATCH_BYTES`.

        Raises:
            GitError: git broke, which a corrupt object may cause; the next call for another
                object starts it anew.
            OSError: the process could not be started.
        """
        if UNASKABLE.search(name):
            return None
        with self._lock:
            if name in self._broken:
                raise self._broken[name].with_traceback(None)
            if len(self._broken) >= self._MAX_BREAKS or self._late >= self._MAX_LATE:
                raise GitError("git broke too often")
            try:
                return self._get(name)
            except BaseException as error:
                if isinstance(error, GitError | ValueError):
                    self._broken[name] = error
                self._end()
                raise

    def _get(self, name: str) -> bytes | None:
        process = self._running()
        assert process.stdin is not None  # noqa: S101 -- for the type checker
        process.stdin.write(name.encode("utf-8", "surrogateescape") + b"\n")
        deadline = time.monotonic() + COMMAND_SECONDS
        header = self._line(deadline)
        if header.endswith((b" missing", b" ambiguous")):
            return None
        size = int(header.rsplit(b" ", 1)[1])
        data = self._bytes(size + 1, deadline)[:-1]
        return data if header.split(b" ")[-2] == b"blob" else None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._pid != os.getpid():
            # The parent's: not ours to use or to close, and kept so that nothing closes it.
            self._inherited, self._process = self._process, None
        if self._process is None:
            self._buffer = b""
            self._pid = os.getpid()
            self._process = self._start(("cat-file", "--batch"), stdin=True)
        return self._process

    def _more(self, deadline: float) -> bytes:
        assert self._process is not None  # noqa: S101 -- for the type checker
        assert self._process.stdout is not None  # noqa: S101 -- the same
        end = self._process.stdout.fileno()
        if not ready((end,), deadline):
            self._late += 1
            raise GitError("git took too long to give an object")
        chunk = os.read(end, 1 << 20)
        if not chunk:
            raise GitError("git broke off while giving an object")
        return chunk

    def _line(self, deadline: float) -> bytes:
        while b"\n" not in self._buffer:
            self._buffer += self._more(deadline)
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _bytes(self, size: int, deadline: float) -> bytes:
        chunks = [self._buffer]
        have = len(self._buffer)
        while have < size:
            chunk = self._more(deadline)
            chunks.append(chunk)
            have += len(chunk)
        data = b"".join(chunks)
        self._buffer = data[size:]
        return data[:size]

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None and self._pid == os.getpid():
            with ended(process):
                pass

    def __del__(self) -> None:
        with suppress(Exception):
            self._end()

    def close(self) -> None:
        """End the process; a later `get` starts it again."""
        with self._lock:
            self._end()
            self._broken.clear()
            self._late = 0
