"""Running git on a repository that is not trusted.

A repository's own configuration can name programs for git to run. Each way that git has is closed
here, or not used at all:

- `core.fsmonitor`, hooks, pagers, editors, external diffs and ssh or askpass programs are
  overridden on the command line, which wins over the repository's configuration;
- clean, smudge and textconv filters only run in commands that compare or show work-tree content,
  so only plumbing that reads the index, trees and objects is called (never status, diff, log);
- transports (also `ext::`, and the silent fetch of a partial clone) are refused through the
  environment, because `protocol.NAME.allow` in the repository would win over `protocol.allow`;
- `core.worktree` cannot point elsewhere, as work tree and git folder are both named, which also
  makes git accept a repository that another user owns (containers of CI systems);
- git itself is found through absolute PATH entries only: `.` in PATH would run the repository's.
"""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_audit.regex import regex
from mlops_audit.tree.limits import COMMAND_SECONDS, MAX_LISTING

if TYPE_CHECKING:
    from mlops_audit.tree.batch import Batch

__all__ = [
    "GIT_ERRORS",
    "UNASKABLE",
    "Git",
    "GitError",
    "Output",
    "collect",
    "ended",
    "finish",
    "git_program",
    "ready",
]

_SAFE = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "core.editor=false",
    "core.sshCommand=false",
    "core.askPass=false",
    "core.gitProxy=",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "core.untrackedCache=false",
    "core.preloadIndex=false",
    "diff.external=",
    "diff.ignoreSubmodules=all",
    "log.showSignature=false",
    "gpg.program=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "protocol.allow=never",
    "safe.directory=*",
    "submodule.recurse=false",
)
_CHUNK = 1 << 16
UNASKABLE = regex(r"[\0\n]")  # an object name goes on a line of its own


class GitError(Exception):
    """Git could not answer; the message is its first line of complaint, or ours."""


GIT_ERRORS = (GitError, OSError, ValueError)


class Output(Struct, frozen=True):
    """A command's standard output; `cut` when it was longer than allowed."""

    data: bytes
    cut: bool = False


@cache
def git_program() -> tuple[str, str]:
    """Git's absolute path and the PATH to run it with.

    Raises:
        GitError: there is no git.
    """
    folders = [f for f in os.environ.get("PATH", os.defpath).split(os.pathsep) if f[:1] == "/"]
    for folder in folders:
        path = os.path.join(folder, "git")
        if os.access(path, os.X_OK):
            return path, os.pathsep.join(folders)
    raise GitError("git is not installed")


class Git:
    """One repository's git.

    Args:
        git_dir: the folder that holds HEAD, as an absolute path.
        work_tree: the top of the work tree, None for a bare repository or objects alone.
        cwd: where commands run (a subfolder of the work tree gives paths relative to it).
        index: another index than the repository's own, as `git commit -a` hands to its hooks.
    """

    def __init__(
        self,
        git_dir: str,
        work_tree: str | None = None,
        cwd: str | None = None,
        *,
        index: str | None = None,
    ) -> None:
        self.git_dir = git_dir
        self._index = index
        self.work_tree = work_tree
        self._cwd = cwd or work_tree or git_dir
        self._batch: Batch | None = None

    @property
    def batch(self) -> Batch:
        """The one `cat-file --batch` process of this repository, started when first asked."""
        if self._batch is None:
            from mlops_audit.tree.batch import Batch  # noqa: PLC0415 -- it needs this module

            self._batch = Batch(self.start)
        return self._batch

    def start(self, args: Sequence[str], *, stdin: bool = False) -> subprocess.Popen[bytes]:
        """Start a git command whose output the caller reads.

        Raises:
            GitError: there is no git.
            OSError: the process could not be started.
        """
        program, path = git_program()
        command = [program, "--no-optional-locks", "--no-pager"]
        for setting in _SAFE:
            command += ["-c", setting]
        return subprocess.Popen(  # noqa: S603 -- a fixed program, no shell, settings closed above
            [*command, *args],
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if not stdin else subprocess.DEVNULL,
            cwd=self._cwd,
            env=self._environment(path),
            bufsize=0,
            start_new_session=True,
        )

    def _environment(self, path: str) -> dict[str, str]:
        env = {
            "PATH": path,
            "LC_ALL": "C",
            "HOME": "/nonexistent",
            "GIT_DIR": self.git_dir,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_ALLOW_PROTOCOL": "none",
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_PAGER": "cat",
            "GIT_TRACE": "0",
        }
        if self.work_tree is not None:
            env["GIT_WORK_TREE"] = self.work_tree
        if self._index is not None:
            env["GIT_INDEX_FILE"] = self._index
        return env

    def run(self, *args: str, limit: int = MAX_LISTING) -> Output:
        """A command's output.

        Raises:
            GitError: it failed, or took longer than `COMMAND_SECONDS`.
            OSError: the process could not be started.
        """
        return collect(self.start(args), limit)

    def lines(self, *args: str) -> list[str]:
        """A command's output as lines of text; undecodable bytes as escapes.

        Raises:
            GitError: as `run`.
            OSError: as `run`.
        """
        return self.asked(*args)()

    def asked(self, *args: str) -> Callable[[], list[str]]:
        """Start a command; calling what is given back waits for its lines, as `lines` does.

        Raises:
            GitError: there is no git; or when called, as `run`.
            OSError: the process could not be started.
        """
        process = self.start(args)

        def lines() -> list[str]:
            text = collect(process).data.decode("utf-8", "backslashreplace")
            return text.removesuffix("\n").split("\n") if text else []

        return lines

    def sizes(self, names: Sequence[str]) -> dict[str, int]:
        """Sizes in bytes of the objects that are here, without their contents.

        Raises:
            GitError: git failed or took too long.
            OSError: the process could not be started.
        """
        asked = [name for name in names if not UNASKABLE.search(name)]
        process = self.start(("cat-file", "--batch-check=%(objectsize)"), stdin=True)
        text = "".join(f"{name}\n" for name in asked).encode("utf-8", "surrogateescape")
        with ended(process):
            try:
                out = process.communicate(text, COMMAND_SECONDS)[0]
            except subprocess.TimeoutExpired:
                raise GitError("git took too long to give sizes") from None
        rows = out.split(b"\n")
        return {n: int(r) for n, r in zip(asked, rows, strict=False) if r.isdigit()}

    def close(self) -> None:
        """End the batch process, if one runs."""
        if self._batch is not None:
            self._batch.close()


def collect(
    process: subprocess.Popen[bytes],
    limit: int = MAX_LISTING,
    seconds: float = COMMAND_SECONDS,
) -> Output:
    """Wait for a started command, reading at most `limit` bytes.

    Raises:
        GitError: it failed or took too long.
    """
    deadline = time.monotonic() + seconds
    with ended(process):
        assert process.stdout is not None  # noqa: S101 -- for the type checker
        assert process.stderr is not None  # noqa: S101 -- the same
        out, err = process.stdout.fileno(), process.stderr.fileno()
        chunks: list[bytes] = []
        complaint = b""
        size = 0
        open_ends = {out, err}
        while open_ends:
            found = ready(open_ends, deadline)
            if not found:
                raise GitError(f"git took longer than {seconds:.0f} seconds")
            for end in found:
                chunk = os.read(end, _CHUNK)
                if not chunk:
                    open_ends.discard(end)
                elif end == err:
                    complaint = (complaint + chunk)[:2000]
                else:
                    chunks.append(chunk)
                    size += len(chunk)
            if size > limit:
                return Output(b"".join(chunks)[:limit], cut=True)
        try:
            code = process.wait(max(deadline - time.monotonic(), 1))
        except subprocess.TimeoutExpired:
            raise GitError("git answered and did not end") from None
        if code != 0:
            raise GitError(_complaint(complaint) or f"git ended with {code}")
    return Output(b"".join(chunks))


def finish(process: subprocess.Popen[bytes]) -> None:
    """End a started command whose output nobody needs any more."""
    with ended(process):
        pass


def ready(ends: Iterable[int], deadline: float) -> list[int]:
    """The pipes that have something to read, none when the time is over."""
    waiting = select.poll()  # not select: it refuses descriptors above 1023
    for end in ends:
        waiting.register(end, select.POLLIN)
    left = max(deadline - time.monotonic(), 0)
    return sorted(end for end, _ in waiting.poll(left * 1000))


def _complaint(err: bytes) -> str:
    lines = err.decode("utf-8", "backslashreplace").splitlines()
    told = [line for line in lines if line.startswith(("fatal:", "error:"))] or lines
    return told[-1].partition(": ")[2] or told[-1] if told else ""


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Leave no process and no pipe behind, whatever happens inside."""
    try:
        yield
    finally:
        if process.poll() is None:
            process.kill()
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
