"""Work over several processes, for a repository too large for one."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TypeVar

__all__ = ["spread"]

Item = TypeVar("Item")
Result = TypeVar("Result")


def spread(
    work: Callable[[Item], Result], items: Sequence[Item], jobs: int | None = None
) -> list[Result]:
    """`[work(i) for i in items]` over `jobs` processes (default: one a core), in the same order.

    Falls back to this process where no other can be started.
    """
    count = min(jobs or os.cpu_count() or 1, 8)
    if count > 1:
        from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 -- costs 20 ms, rarely needed
        from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415 -- the same

        try:
            with ProcessPoolExecutor(count) as pool:
                return list(pool.map(work, items, chunksize=max(1, len(items) // (count * 8))))
        except (OSError, BrokenProcessPool):
            pass
    return [work(item) for item in items]
