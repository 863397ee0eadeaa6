"""Work in processes beside this one, where the system can fork them.

A fork holds all that was read before it, for some milliseconds; what it finds comes back pickled
through a pipe. Where no process can be forked safely (another system, threads that run, one core)
and where one ends without a result, the work is done here: the result is the same. A process that
nobody waits for any more ends: when its work is given up, and when this process ends or is killed.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Generic, NoReturn, TypeVar

__all__ = ["Begun", "Beside", "divided", "processes"]

Item = TypeVar("Item")
Result = TypeVar("Result")

_MOST = 8
_SHARE = "/sys/fs/cgroup/cpu.max"  # microseconds of CPU, and of the period that they are for
_FORKS = sys.platform.startswith("linux")  # macOS forks too, but its libraries may not survive it
_LENGTH = 8  # bytes before a result: a process that dies may have sent a part of it
_ENDING = (signal.SIGINT, signal.SIGTERM)


def processes(jobs: int | None = None) -> int:
    """How many processes may work at once: `jobs`, by default one a core, and eight at most."""
    if not _FORKS or _threads() > 1:
        return 1
    return max(1, min(jobs or _cores(), _MOST))


def _cores() -> int:
    """The cores that this process may use; a container's share may be smaller than its cores."""
    cores = len(os.sched_getaffinity(0))
    try:
        with open(_SHARE, encoding="ascii") as file:
            quota, period = file.read().split()
        return min(cores, int(quota) // int(period))
    except (OSError, ValueError, ZeroDivisionError):  # no such file, or "max" in it: no limit
        return cores


def _threads() -> int:
    """The threads of this process, those of libraries that Python does not know included."""
    try:
        return max(len(os.listdir("/proc/self/task")), threading.active_count())
    except OSError:
        return threading.active_count()


class Beside(Generic[Result]):
    """Work that another process does; calling this waits for the result.

    Whatever becomes of that process, it does not outlive this object.

    Args:
        work: a function whose result can be pickled.
    """

    __slots__ = ("_child", "_owner", "_reading", "_work")

    def __init__(self, work: Callable[[], Result]) -> None:
        self._work = work
        self._owner = os.getpid()
        self._child = 0
        self._reading = -1
        with suppress(OSError):  # no process or pipe is to be had: the work will be done here
            self._fork()

    def _fork(self) -> None:
        reading, writing = os.pipe()
        # An interrupt between the fork and what follows would run this program twice from there.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
        try:
            child = os.fork()
            if child == 0:
                _live(self._work, (reading, writing), self._owner)
            self._child, self._reading = child, reading
        finally:
            os.close(writing)
            if not self._child:
                os.close(reading)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def __call__(self) -> Result:
        """Wait for the result; where none comes, the work is done here."""
        try:
            data = self._received()
        finally:
            self.stop()
        if len(data) < _LENGTH or len(data) != _LENGTH + int.from_bytes(data[:_LENGTH], "big"):
            return self._work()
        found: Result = pickle.loads(memoryview(data)[_LENGTH:])  # noqa: S301 -- what our own process wrote
        return found

    def _received(self) -> bytes:
        if self._reading < 0:
            return b""
        with os.fdopen(self._reading, "rb", closefd=False) as pipe:
            return pipe.read()

    def stop(self) -> None:
        """End the process, and wait until it has ended; what it has not told is lost."""
        child, self._child = self._child, 0
        reading, self._reading = self._reading, -1
        if reading >= 0:
            os.close(reading)
        if not child or os.getpid() != self._owner:  # a fork of this process has no children of it
            return
        with suppress(ChildProcessError):  # somebody else waits for all children, or nobody does
            if os.waitpid(child, os.WNOHANG) == (0, 0):
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)

    def __del__(self) -> None:
        with suppress(Exception):
            self.stop()


class Begun(Generic[Item, Result]):
    """Work on several items that others have begun; calling this joins in until all is done.

    Args:
        work: a function whose result can be pickled, and depends on the item only.
        items: 256 at most, the longest work first; each process takes the next when it is free.
        count: how many processes, this one among them when it joins.
    """

    __slots__ = ("_items", "_others", "_queue", "_share", "_work")

    def __init__(self, work: Callable[[Item], Result], items: Sequence[Item], count: int) -> None:
        self._work = work
        self._items = items
        self._queue = _queue(len(items)) if count > 1 else None
        # Not a method: what others do must not keep this object alive when it is given up.
        self._share = partial(_share, work, items, self._queue)
        self._others = [
            Beside(self._share) for _ in range(count - 1 if self._queue is not None else 0)
        ]

    def __call__(self) -> list[Result]:
        """`[work(i) for i in items]`."""
        try:
            found = self._share()
            for other in self._others:
                found |= other()  # one that died shares in an empty queue: nothing
        finally:
            self.stop()
        return [found[n] if n in found else self._work(i) for n, i in enumerate(self._items)]

    def stop(self) -> None:
        """End what the others do."""
        for other in self._others:
            other.stop()
        queue, self._queue = self._queue, None
        if queue is not None:
            os.close(queue)

    def __del__(self) -> None:
        with suppress(Exception):
            self.stop()


def divided(work: Callable[[Item], Result], items: Sequence[Item], count: int) -> list[Result]:
    """`[work(i) for i in items]` by `count` processes, as `Begun` shares them."""
    return Begun(work, items, count)()


def _share(
    work: Callable[[Item], Result], items: Sequence[Item], queue: int | None
) -> dict[int, Result]:
    """What this process takes of the work; where nothing is handed out, nothing."""
    return {n: work(items[n]) for n in _taken(queue)} if queue is not None else {}


def _queue(length: int) -> int | None:
    """A pipe that holds the numbers below `length`; None where there is none to be had."""
    try:
        reading, writing = os.pipe()
    except OSError:
        return None
    os.write(writing, bytes(range(length)))
    os.close(writing)
    return reading


def _taken(queue: int) -> Iterator[int]:
    while token := os.read(queue, 1):
        yield token[0]


def _live(work: Callable[[], object], pipe_ends: tuple[int, int], parent: int) -> NoReturn:
    """The whole life of a forked process; nothing that its parent began is ended twice."""
    status = 1
    try:
        reading, writing = pipe_ends
        os.close(reading)  # else it would wait for itself to read what nobody else does
        _follow(writing, parent)
        data = pickle.dumps(work(), protocol=5)
        _told_of(writing, told=False)
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(len(data).to_bytes(_LENGTH, "big"))
            pipe.write(data)
        status = 0
    finally:
        os._exit(status)


def _follow(writing: int, parent: int) -> None:
    """End without a word when the user says so, or when nobody reads from the pipe any more."""
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (*_ENDING, signal.SIGIO))
    _told_of(writing, told=True)
    if os.getppid() != parent:  # it ended before we could be told
        os._exit(1)


def _told_of(pipe: int, *, told: bool) -> None:
    """Whether the system signals what happens at the other end of a pipe."""
    import fcntl  # noqa: PLC0415 -- Unix only

    with suppress(OSError):  # a system without it: the process ends when its work is done
        flags = fcntl.fcntl(pipe, fcntl.F_GETFL)
        fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(pipe, fcntl.F_SETFL, flags | os.O_ASYNC if told else flags & ~os.O_ASYNC)
