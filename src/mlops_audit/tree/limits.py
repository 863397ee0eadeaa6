"""Bounds on what is read from a repository, so that no input can exhaust time or memory.

Each figure is far above what real repositories hold and far below what hurts: the largest
repository measured while choosing them has 11,300 files, paths 14 folders deep and, but for
notebooks and data, no source file above 1 MiB.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "COMMAND_SECONDS",
    "MAX_BATCH_BYTES",
    "MAX_CACHED",
    "MAX_COMMITS",
    "MAX_DEPTH",
    "MAX_FILES",
    "MAX_IN_FOLDER",
    "MAX_LISTING",
    "MAX_NOTEBOOK",
    "MAX_TEXT",
    "MAX_TOTAL",
    "read_limit",
]

MAX_TEXT: Final = 2 << 20  # bytes of one file
MAX_NOTEBOOK: Final = 20 << 20  # notebooks carry their outputs along
MAX_TOTAL: Final = 512 << 20  # bytes read from one tree
MAX_CACHED: Final = 96 << 20  # bytes kept in memory; beyond, a file is read again
MAX_FILES: Final = 200_000
MAX_IN_FOLDER: Final = 1_000_000  # names of one folder, read before they can be sorted
MAX_DEPTH: Final = 100  # folders in one path
MAX_LISTING: Final = 128 << 20  # bytes of one git answer
MAX_BATCH_BYTES: Final = 64 << 20  # bytes of one object taken from git
MAX_COMMITS: Final = 50_000
COMMAND_SECONDS: Final = 30.0  # for one git command


def read_limit(path: str) -> int:
    """The default size limit in bytes for `path`, by its suffix."""
    return MAX_NOTEBOOK if path.endswith(".ipynb") else MAX_TEXT
