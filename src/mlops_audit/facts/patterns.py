"""Branch and path patterns of CI systems: globs and, between slashes, regular expressions.

Patterns come from the audited repository, so their cost is bounded before they are compiled.
"""

from __future__ import annotations

import functools
import re
import warnings

from mlops_audit.regex import regex

__all__ = ["glob_matches", "matches", "safe_search"]

MAX_PATTERN = 200
MAX_SUBJECT = 300
MAX_STARS = 16
MAX_OPEN_REPEATS = 3
_REGEX = regex(r"/(.+)/([a-z]{0,3})", re.DOTALL)
# A repeated group, or many open repetitions, can take exponential or high polynomial time.
_REPEATED_GROUP = regex(r"\)\s*[*+{]")
_OPEN_REPEAT = regex(r"(?<!\\)[*+]|\{\d*,\}")
_SET_SIGNS = regex(r"([-&|~])\1+")  # doubled, they may become operators of sets in `re`
_VARIABLE = regex(r"\$[\w({]|\$\(|\{\{")


def safe_search(regex: str, subject: str) -> bool | None:
    """Whether a `/regex/flags` is found in the subject; None where that is not safe to try."""
    compiled = _compiled(regex)
    if compiled is None or len(subject) > MAX_SUBJECT:
        return None
    return compiled.search(subject) is not None


@functools.lru_cache(maxsize=256)
def _compiled(regex: str) -> re.Pattern[str] | None:
    found = _REGEX.fullmatch(regex)
    if not found or len(regex) > MAX_PATTERN or _REPEATED_GROUP.search(found[1]):
        return None
    if len(_OPEN_REPEAT.findall(found[1])) > MAX_OPEN_REPEATS:
        return None
    flags = re.IGNORECASE if "i" in found[2] else 0
    with warnings.catch_warnings():  # of sets that a later Python may read in another way
        warnings.simplefilter("ignore")
        try:
            return re.compile(found[1], flags)
        except (re.error, OverflowError, RecursionError):
            return None


@functools.lru_cache(maxsize=1024)
def _glob(pattern: str) -> re.Pattern[str] | None:
    if len(pattern) > MAX_PATTERN or pattern.count("*") > MAX_STARS:
        return None
    parts: list[str] = []
    for piece in re.split(r"(\*+/?|\?|\[[^\]]*\]|\{[^{}]*\})", pattern):
        if not piece:
            continue
        if piece.startswith("**"):
            parts.append(".*")
        elif piece.startswith("*"):
            parts.append("[^/]*" + ("/" if piece.endswith("/") else ""))
        elif piece == "?":
            parts.append(".?")
        elif piece[0] == "{":
            parts.append("(?:" + "|".join(map(re.escape, piece[1:-1].split(","))) + ")")
        elif piece[0] == "[" and piece[1:-1]:
            inside = _SET_SIGNS.sub(r"\1", re.sub(r"[\\\[]", "", piece[1:-1]))
            parts.append(f"[{inside}]")
        else:
            parts.append(re.escape(piece))
    try:
        return re.compile("".join(parts), re.DOTALL)
    except re.error:
        return None


def glob_matches(pattern: str, name: str) -> bool | None:
    """Whether a glob (`*` within a segment, `**` across, `?`, `[]`, `{a,b}`) matches the name.

    None for a pattern that is too costly or broken.
    """
    if pattern == name:
        return True
    compiled = _glob(pattern)
    if compiled is None or len(name) > MAX_SUBJECT:
        return None
    return compiled.fullmatch(name) is not None


def matches(pattern: str, name: str) -> bool | None:
    """Whether a branch filter matches: a regular expression between slashes, else a glob.

    `refs/heads/` is dropped; None where a variable or the cost keeps it from being known.
    """
    if _REGEX.fullmatch(pattern):
        return safe_search(pattern, name)
    if _VARIABLE.search(pattern):
        return None
    return glob_matches(pattern.removeprefix("refs/heads/"), name)
