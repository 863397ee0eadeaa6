r"""Git's ignore rules, evaluated from the text of .gitignore files.

Written here and not taken from `pathspec` for two measured reasons: its patterns are regular
expressions that backtrack (`*a*a*...b` against forty letters takes a minute, and the audited
repository chooses both), and it judges a whole path at once, so that `!*/` does not re-include
folders as git does. Definition: https://git-scm.com/docs/gitignore#_pattern_format
"""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

__all__ = ["IgnoreRules", "Rule", "parse_rules"]

_MAX_RULES = 5_000
_MAX_PATTERN = 1_000  # characters
_POSIX_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": r"\ \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": r"\ -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\s",
    "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
}


class Rule(Struct, frozen=True):
    """One pattern. A segment of None is `**`, a string a literal name, a regex a wildcard."""

    segments: tuple[str | re.Pattern[str] | None, ...]
    negated: bool
    folders_only: bool

    def matches(self, names: tuple[str, ...]) -> bool:
        """Whether the pattern matches exactly this path, given as its names."""
        # One reachable-set pass, so the cost is segments x names whatever the `**`s.
        here = {0}
        last = len(self.segments) - 1
        for index, segment in enumerate(self.segments):
            if segment is None:
                start = min(here)
                # A closing `**` matches everything inside, not the folder itself.
                here = set(range(start + (index == last), len(names) + 1))
            else:
                here = {at + 1 for at in here if at < len(names) and _fits(segment, names[at])}
            if not here:
                return False
        return len(names) in here


def _fits(segment: str | re.Pattern[str], name: str) -> bool:
    if isinstance(segment, str):
        return segment == name
    return segment.fullmatch(name) is not None


def _bracket(text: str, start: int) -> tuple[str, int] | None:
    """Translate the class that opens at `start`; None if it never closes."""
    at = start + 1
    negated = text[at : at + 1] in {"!", "^"}
    at += negated
    out: list[str] = []
    first = True
    while at < len(text):
        char = text[at]
        if char == "]" and not first:
            body = "".join(out)
            return (f"[^/{body}]" if negated else f"(?!/)[{body}]"), at + 1
        first = False
        if char == "[" and text.startswith("[:", at):
            close = text.find(":]", at)
            if close > 0:
                if text[at + 2 : close] not in _POSIX_CLASSES:
                    return None
                out.append(_POSIX_CLASSES[text[at + 2 : close]])
                at = close + 2
                continue
        if char == "\\" and at + 1 < len(text):
            at += 1
            char = text[at]
        high, after = _range_end(text, at)
        if high is None:
            out.append(re.escape(char) if char != "^" else r"\^")
        elif char <= high:
            out.append(f"{_in_class(char)}-{_in_class(high)}")
        at = after
    return None


def _range_end(text: str, at: int) -> tuple[str | None, int]:
    """The upper end of a range that starts at `at`, if one does, and where to go on."""
    if text[at + 1 : at + 2] != "-" or text[at + 2 : at + 3] in {"", "]"}:
        return None, at + 1
    if text[at + 2] == "\\" and at + 3 < len(text):
        return text[at + 3], at + 4
    return text[at + 2], at + 3


def _in_class(char: str) -> str:
    return f"\\x{ord(char):02x}" if ord(char) < 128 else char  # noqa: PLR2004 -- ASCII


def _segment(text: str) -> str | re.Pattern[str] | None:
    """Compile one name pattern.

    Every star is possessive over the shortest way to the next literal part, as fnmatch does it,
    so matching is linear in the name for each part and never backtracks over two stars.

    Raises:
        ValueError: a pattern that git matches with nothing (an open class, a trailing escape).
    """
    parts: list[str] = [""]
    literal: list[str] | None = []
    at = 0
    while at < len(text):
        char = text[at]
        at += 1
        if char == "*":
            literal = None
            if parts[-1] or len(parts) == 1:
                parts.append("")
            continue
        if char == "?":
            literal = None
            parts[-1] += "[^/]"
            continue
        if char == "[":
            literal = None
            found = _bracket(text, at - 1)
            if found is None:
                raise ValueError(text)
            parts[-1] += found[0] if found[0] not in {"(?!/)[]", "[^/]"} else "(?!)"
            at = found[1]
            continue
        if char == "\\":
            if at == len(text):
                raise ValueError(text)
            char = text[at]
            at += 1
        if literal is not None:
            literal.append(char)
        parts[-1] += re.escape(char)
    if literal is not None:
        return "".join(literal)
    if len(parts) == 1:
        return re.compile(parts[0], re.DOTALL)
    middle = "".join(f"(?>.*?{part})" for part in parts[1:-1])
    return re.compile(f"{parts[0]}{middle}.*{parts[-1]}", re.DOTALL)


def _unescaped_end(line: str) -> str:
    """The line without trailing spaces, but for one that a backslash protects."""
    end = len(line)
    while end and line[end - 1] == " ":
        slashes = len(line[: end - 1]) - len(line[: end - 1].rstrip("\\"))
        if slashes % 2:
            break
        end -= 1
    return line[:end]


def _names(pattern: str) -> list[str]:
    """Part a pattern at its slashes, but for one within a bracket expression."""
    names: list[str] = []
    start = at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "/" or pattern.startswith("\\/", at):  # an escaped slash is one
            names.append(pattern[start:at])
            at += char == "\\"
            start = at + 1
            char = "/"
        found = _bracket(pattern, at) if char == "[" else None
        at = found[1] if found else at + 1 + (char == "\\")
    return [*names, pattern[start:]]


def _rule(line: str) -> Rule | None:
    line = _unescaped_end(line)
    if not line or line.startswith("#") or len(line) > _MAX_PATTERN:
        return None
    negated = line.startswith("!")
    pattern = line[negated:]
    folders_only = pattern.endswith("/")
    pattern = pattern.removesuffix("/")
    anchored = "/" in pattern
    names = _names(pattern.removeprefix("/"))
    if not any(names):
        return None
    try:
        segments = [None if name == "**" else _segment(name) for name in names]
    except (ValueError, re.error):
        return None
    if not anchored:
        # A lone `**` is an ordinary star: it has no slash beside it.
        segments = [None, re.compile(".*", re.DOTALL) if segments == [None] else segments[0]]
    return Rule(tuple(segments), negated, folders_only)


def parse_rules(data: bytes) -> tuple[Rule, ...]:
    """Read one .gitignore; what git would match with nothing is left out."""
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "backslashreplace")
    lines = (line.removesuffix("\r") for line in text.split("\n")[: _MAX_RULES * 4])
    rules = [rule for rule in map(_rule, lines) if rule]
    return tuple(rules[:_MAX_RULES])


class IgnoreRules:
    """The ignore rules of a whole tree.

    Args:
        load: gives the bytes of the .gitignore in a folder (`""` is the root), None if none.
        above: names of the folders between the repository's root and this tree's root; `load` is
            asked for them as `../` (one for each folder up).
    """

    def __init__(self, load: Callable[[str], bytes | None], above: tuple[str, ...] = ()) -> None:
        self._load = load
        self.above = above
        self._rules: dict[int | str, tuple[Rule, ...]] = {}
        self._folders: dict[tuple[str, ...], bool] = {(): False}

    def ignores(self, names: tuple[str, ...], *, folder: bool) -> bool:
        """Whether the path, given as its names below this tree's root, is ignored."""
        for depth in range(1, len(names)):
            parent = names[:depth]
            if parent not in self._folders:
                self._folders[parent] = self._judge(parent, folder=True)
            if self._folders[parent]:
                return True
        return bool(names) and self._judge(names, folder=folder)

    def _judge(self, names: tuple[str, ...], *, folder: bool) -> bool:
        full = self.above + names
        for depth in range(len(full) - 1, -1, -1):
            below = full[depth:]
            for rule in reversed(self._at(depth, full)):
                if (folder or not rule.folders_only) and rule.matches(below):
                    return not rule.negated
        return False

    def _at(self, depth: int, full: tuple[str, ...]) -> tuple[Rule, ...]:
        up = len(self.above) - depth
        key = "../" * up if up > 0 else "/".join(full[len(self.above) : depth])
        if key not in self._rules:
            data = self._load(key)
            self._rules[key] = parse_rules(data) if data else ()
        return self._rules[key]
