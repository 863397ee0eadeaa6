"""Whether a JSON file is data, not settings: a list of records of one shape."""

from __future__ import annotations

import json

__all__ = ["holds_records"]

_MANY = 10  # objects with the same keys: settings seldom repeat themselves so often
_MAX_CHARS = 8_000_000


def holds_records(text: str) -> bool:
    """Whether a JSON text holds many records of one shape, at its top or one level below.

    Args:
        text: the text of the file; what is no JSON holds none.
    """
    if len(text) > _MAX_CHARS:
        return True
    try:
        root = json.loads(text)
    except (ValueError, RecursionError):
        return False
    below = tuple(root.values()) if isinstance(root, dict) else ()
    return any(_repeats(part) for part in (root, below, *below))


def _repeats(found: object) -> bool:
    if not isinstance(found, (list, tuple)):
        return False
    shapes: dict[frozenset[str], int] = {}
    for item in found:
        if isinstance(item, dict) and item:
            shape = frozenset(item)
            shapes[shape] = shapes.get(shape, 0) + 1
            if shapes[shape] >= _MANY:
                return True
    return False
