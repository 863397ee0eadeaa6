"""A word on standard error while long work goes on, on a terminal only."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["progress"]

_PATIENCE = 1.5  # seconds before anything is said
_EVERY = 0.5


@contextmanager
def progress(text: str, *, quiet: bool = False) -> Iterator[None]:
    """Say what goes on, and for how many seconds, until the block ends.

    Nothing is written within the first second and a half, in a pipe, on a dumb terminal, in CI
    or with `quiet`. A timer's signal does it: a thread would make it unsafe to fork workers.
    """
    shown = (
        not quiet
        and sys.stderr.isatty()
        and os.environ.get("TERM") != "dumb"
        and not os.environ.get("CI")
        and hasattr(signal, "setitimer")
        and threading.current_thread() is threading.main_thread()
    )
    if not shown:
        yield
        return
    start, parent = time.monotonic(), os.getpid()

    def tick(_signal: int, _frame: object) -> None:
        if os.getpid() == parent:  # a forked worker has the handler, and no say
            said = f"\r{text} ... {time.monotonic() - start:.0f} s"
            os.write(2, said.encode("ascii", "replace"))

    before = signal.signal(signal.SIGALRM, tick)
    signal.setitimer(signal.ITIMER_REAL, _PATIENCE, _EVERY)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if time.monotonic() - start > _PATIENCE:
            os.write(2, b"\r\x1b[2K")
