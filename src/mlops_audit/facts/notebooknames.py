"""Names of notebooks that say their order (practice STR04)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mlops_audit.regex import regex

__all__ = ["convention", "series", "stem"]

_NUMBERED = regex(r"^\(?\d+(?:[._-]\d+)*[a-z]?\)?[\s._-]+(?=.*[^\W\d_]{2})", re.IGNORECASE)
_CHAPTERS = regex(
    r"^(chapter|chap|ch|lesson|lecture|lab|week|day|part|step|stage|module|session|exercise|ex|"
    r"assignment|homework|hw|tutorial|unit|notebook|nb|section|sec|phase|task)[\s._-]*\d+",
    re.IGNORECASE,
)
_PARTS = regex(  # the number of the part behind the name: `Forecasting Part 2`
    r"[\s._-](chapter|lesson|lecture|lab|week|day|part|session)[\s._-]*\d+\b", re.IGNORECASE
)
# One word before the number, the same for all: `DataScientist-01-FeatureEng`.
_SERIES = regex(r"([^\W\d_][^\W\d]{1,40})[\s_-](\d{1,3})[\s._-]+(?=.*[^\W\d_]{2})")
_FEW = 3  # of a series at least


def stem(path: str) -> str:
    """The file's name without folder and suffix."""
    return path.rsplit("/", 1)[-1].removesuffix(".ipynb").removesuffix(".py")


def convention(path: str) -> str:
    """`number` (1.0-explore-data), `chapter` (week3_images), or empty for no order."""
    name = stem(path)
    if _NUMBERED.match(name):
        return "number"
    return "chapter" if _CHAPTERS.match(name) or _PARTS.search(name) else ""


def series(paths: Iterable[str]) -> list[str]:
    """The largest group of names that count on behind the same word, in the given order."""
    groups: dict[str, dict[int, str]] = {}
    for path in paths:
        found = _SERIES.match(stem(path))
        if found is not None:
            groups.setdefault(found[1].lower(), {}).setdefault(int(found[2]), path)
    counted = [g for g in groups.values() if len(g) >= _FEW and max(g) - min(g) < 2 * len(g)]
    return list(max(counted, key=len).values()) if counted else []
