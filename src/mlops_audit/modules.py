"""The modules of a package, found by listing its folders: nothing keeps a list of them by hand."""

from __future__ import annotations

import os
from collections.abc import Iterable

__all__ = ["module_names"]


def module_names(folders: Iterable[str]) -> list[str]:
    """The names of the modules in a package's folders, sorted; `_helpers` and packages left out.

    `pkgutil.iter_modules` asks the file system of each entry, which takes ten times as long.

    Args:
        folders: the package's `__path__`.

    Raises:
        OSError: a folder cannot be listed.
    """
    names = {name for folder in folders for name in os.listdir(folder)}
    return sorted(n.removesuffix(".py") for n in names if n.endswith(".py") and n[0] != "_")
