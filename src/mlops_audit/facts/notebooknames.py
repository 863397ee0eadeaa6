"""Names of notebooks that say their order (practice STR04)."""

from __future__ import annotations

import re

from mlops_audit.regex import regex

__all__ = ["convention", "stem"]

_NUMBERED = regex(r"^\(?\d+(?:[._-]\d+)*[a-z]?\)?[\s._-]+(?=.*[^\W\d_]{2})", re.IGNORECASE)
_CHAPTERS = regex(
    r"^(chapter|chap|ch|lesson|lecture|lab|week|day|part|step|stage|module|session|exercise|ex|"
    r"assignment|homework|hw|tutorial|unit|notebook|nb|section|sec|phase|task)[\s._-]*\d+",
    re.IGNORECASE,
)
_PARTS = regex(  # the number of the part behind the name: `Forecasting Part 2`
    r"[\s._-](chapter|lesson|lecture|lab|week|day|part|session)[\s._-]*\d+\b", re.IGNORECASE
)


def stem(path: str) -> str:
    """The file's name without folder and suffix."""
    return path.rsplit("/", 1)[-1].removesuffix(".ipynb").removesuffix(".py")


def convention(path: str) -> str:
    """`number` (1.0-explore-data), `chapter` (week3_images), or empty for no order."""
    name = stem(path)
    if _NUMBERED.match(name):
        return "number"
    return "chapter" if _CHAPTERS.match(name) or _PARTS.search(name) else ""
