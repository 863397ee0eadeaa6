"""A repository's files, read safely from wherever they are: the only layer that does so.

`open_tree` gives a `Tree` for a path; `MemoryTree` is one from a dictionary. Everything in a
repository counts as hostile: see `git` for what git is kept from doing, `disk` for how files are
opened, and `limits` for the bounds.
"""

from __future__ import annotations

from mlops_audit.tree.folder import FolderTree
from mlops_audit.tree.memory import MemoryTree
from mlops_audit.tree.opening import open_tree
from mlops_audit.tree.pointers import LfsPointer, lfs_pointer
from mlops_audit.tree.types import Entry, GitInfo, Tag, Tree, TreeError, Unread

__all__ = [
    "Entry",
    "FolderTree",
    "GitInfo",
    "LfsPointer",
    "MemoryTree",
    "Tag",
    "Tree",
    "TreeError",
    "Unread",
    "lfs_pointer",
    "open_tree",
]
