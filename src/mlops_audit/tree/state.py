"""One text for all that a tree shows: the same text, the same audit.

It is what an audit's result may be kept by. Where a part cannot be told by its content cheaply,
there is no such text, and nothing is kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence

from mlops_audit.model import Diagnostic
from mlops_audit.tree.types import Entry

__all__ = ["state_of"]

_MAX_HASHED = 32 << 20  # bytes of files that git knows no id of


def state_of(
    name: str,
    entries: Mapping[str, Entry],
    diagnostics: Sequence[Diagnostic],
    outside: Iterable[object],
    content_of: Callable[[Entry], str | None],
) -> str | None:
    """A digest of a tree.

    Args:
        name: the tree's name, which reports show.
        entries: all that is listed.
        diagnostics: what was said about the listing.
        outside: what counts beside the files: git's facts, ignore rules that are not listed.
        content_of: the blob id of a file, or a link's text; None where it cannot be told.

    Returns:
        Hex digits; None where a file's content cannot be told, or only by reading very much.
    """
    digest = hashlib.sha256(repr((name, tuple(diagnostics), tuple(outside))).encode())
    hashed = 0
    for entry in list(entries.values()):
        content = entry.blob
        if content is None and entry.kind in ("file", "link") and not entry.absent:
            hashed += entry.size or 0
            content = content_of(entry) if hashed <= _MAX_HASHED else None
            if content is None:
                return None
        facts = (entry.path, entry.kind, entry.size, content, entry.executable, entry.tracked)
        digest.update(repr((*facts, entry.absent, entry.pointer)).encode())
    return digest.hexdigest()
