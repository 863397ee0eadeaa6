"""Work in processes beside this one, where the system can fork them.

A fork holds all that was read before it, for some milliseconds; what it finds comes back pickled
through a pipe. Where no process can be forked safely (another system, threads that run, one core)
and where one ends without a result, the work is done here: the result is the same.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

__all__ = ["beside", "divided", "processes"]

Item = TypeVar("Item")
Result = TypeVar("Result")

_MOST = 8
_FORKS = sys.platform.startswith("linux")  # macOS forks too, but its libraries may not survive it


def processes(jobs: int | None = None) -> int:
    """How many processes may work at once: `jobs`, by default one a core, and eight at most."""
    if not _FORKS or threading.active_count() > 1:
        return 1
    return max(1, min(jobs or len(os.sched_getaffinity(0)), _MOST))


def beside(work: Callable[[], Result]) -> Callable[[], Result]:
    """Begin `work` in another process; calling what is given back waits for its result."""
    started = _forked(work)
    if started is None:
        return work
    child, reading = started

    def result() -> Result:
        with os.fdopen(reading, "rb") as pipe:
            data = pipe.read()
        _, status = os.waitpid(child, 0)
        if status != 0:
            return work()
        found: Result = pickle.loads(data)  # noqa: S301 -- what our own process wrote
        return found

    return result


def divided(work: Callable[[Item], Result], items: Sequence[Item], count: int) -> list[Result]:
    """`[work(i) for i in items]` by `count` processes, each taking the next item when it is free.

    Args:
        work: a function whose result can be pickled, and depends on the item only.
        items: 256 at most, the longest work first.
        count: how many processes, this one among them.
    """
    if count < 2:  # noqa: PLR2004 -- nobody to share with
        return [work(item) for item in items]
    queue, filling = os.pipe()
    os.write(filling, bytes(range(len(items))))
    os.close(filling)

    def share() -> dict[int, Result]:
        return {number: work(items[number]) for number in _taken(queue)}

    others = [beside(share) for _ in range(count - 1)]
    found = share()
    for other in others:
        found |= other()  # one that died shares in an empty queue: nothing
    os.close(queue)
    return [found[n] if n in found else work(item) for n, item in enumerate(items)]


def _taken(queue: int) -> Iterator[int]:
    while token := os.read(queue, 1):
        yield token[0]


def _forked(work: Callable[[], object]) -> tuple[int, int] | None:
    """The number of a process that does the work, and where its result is to be read."""
    reading, writing = os.pipe()
    try:
        child = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        return None
    if child == 0:
        _work(work, writing)
    os.close(writing)
    return child, reading


def _work(work: Callable[[], object], writing: int) -> None:
    """The whole life of a forked process; nothing that its parent began is ended twice."""
    status = 1
    try:
        data = pickle.dumps(work(), protocol=5)
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(data)
        status = 0
    finally:
        os._exit(status)
