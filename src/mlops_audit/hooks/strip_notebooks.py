"""Remove outputs and execution counts from notebooks, and nothing else.

A notebook is written only where that is safe: JSON of format 4 in UTF-8, an ordinary file. Its
indentation, key order and line ends stay. Cells tagged `keep_output` stay as they are.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from mlops_audit.hooks.base import Problem
from mlops_audit.hooks.staged import StagedFiles
from mlops_audit.model import Span
from mlops_audit.tree.disk import Disk
from mlops_audit.tree.limits import MAX_NOTEBOOK

__all__ = ["KEEP", "rewrite", "stripped"]

KEEP = frozenset({"keep_output", "keep-output"})
"""Tags of cells whose output is wanted in git."""
_INDENT = re.compile(rb"\A\{\r?\n([ \t]+)")
_FORMAT = 4  # of notebooks; older ones keep their cells elsewhere


def stripped(data: bytes) -> tuple[bytes, int] | None:
    """A notebook without outputs and execution counts.

    Args:
        data: the file's bytes.

    Returns:
        The new bytes and how many cells changed; None where there is nothing to do, or where the
        bytes are no notebook that can be written again safely.
    """
    try:
        document: Any = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError, MemoryError):
        return None
    cells = document.get("cells") if isinstance(document, dict) else None
    if not isinstance(cells, list) or document.get("nbformat") != _FORMAT:
        return None
    count = sum(_strip(cell) for cell in cells if isinstance(cell, dict))
    if not count:
        return None
    indent = _INDENT.match(data)
    text = json.dumps(
        document,
        ensure_ascii=data.isascii(),
        indent=indent[1].decode() if indent else None,
    )
    text += "\n" if data.endswith(b"\n") else ""
    if b"\r\n" in data:
        text = text.replace("\n", "\r\n")
    return text.encode("utf-8", "surrogatepass"), count


def _strip(cell: dict[str, Any]) -> bool:
    metadata = cell.get("metadata")
    own = metadata if isinstance(metadata, dict) else {}
    tags = own.get("tags")
    kept = own.get("keep_output") or (isinstance(tags, list) and KEEP & {str(t) for t in tags})
    if cell.get("cell_type") != "code" or kept:
        return False
    changed = bool(cell.get("outputs")) or cell.get("execution_count") is not None
    if changed:
        cell["outputs"] = []
        cell["execution_count"] = None
        own.pop("execution", None)  # the times at which it ran
    return changed


def rewrite(files: StagedFiles) -> Iterator[Problem]:
    """Strip the notebooks on the disk, naming each that was changed."""
    disk = Disk(os.fsencode(files.top))
    for path in files.names():
        data = disk.read(os.fsencode(path), MAX_NOTEBOOK) if path.endswith(".ipynb") else None
        done = stripped(data) if isinstance(data, bytes) and len(data) < MAX_NOTEBOOK else None
        if done is None:
            continue
        what = f"outputs and counts removed from {done[1]} cells"
        with suppress(OSError):
            _write(os.path.join(files.top, path), done[0])
            yield Problem(Span(path), what, "look at it and stage it again")


def _write(path: str, data: bytes) -> None:
    number = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(number, "wb") as file:
        file.write(data)
