"""The loop as text, Mermaid, SVG and JSON, one file each."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from importlib import import_module
from typing import cast

from mlops_audit.model import Loop, LoopNode
from mlops_audit.regex import regex
from mlops_audit.reports.safe import one_line

__all__ = ["FORMATS", "MARKS", "draw", "fitted", "said", "some", "wrapped"]

_FILE = regex(r"\.\w{1,6}$")
_DOTTED = regex(r"[\w-]+(?:\.[\w-]+)+")
_WITH_TOOL = regex(r"(\S+)( \(\w+\))")
_LEAST = 8  # characters of a path that still say which it is
FORMATS = ("text", "mermaid", "svg", "json")
MARKS = {"found": "✓", "partial": "◐", "missing": "✗", "n/a": "-"}
"""How an arrow stands, in one character."""


def draw(loop: Loop, form: str) -> str:
    """Write a loop in one of `FORMATS`, with a newline at its end."""
    module = import_module(f"{__name__}.{form}" if form != "json" else f"{__name__}.data")
    return cast("Callable[[Loop], str]", module.render)(loop)


def said(loop: Loop) -> str:
    """The picture in one sentence."""
    asked = [step for step in loop.steps if step.state != "n/a"]
    counts = {state: sum(s.state == state for s in asked) for state in MARKS}
    words = [f"{counts['found']} of {len(asked)} links are there"]
    words += [f"{counts['partial']} in part"] if counts["partial"] else []
    words += [f"{counts['missing']} missing"] if counts["missing"] else []
    return f"{', '.join(words)}."


def some(nodes: tuple[LoopNode, ...], most: int) -> tuple[tuple[LoopNode, ...], int]:
    """The nodes that are shown, and how many are not; one more is shown before `+1 more`."""
    shown = nodes if len(nodes) <= most else nodes[: most - 1]
    return shown, len(nodes) - len(shown)


def fitted(text: str, columns: int) -> str:
    """One safe line of at most `columns`; of a path the end is kept, which tells it apart."""
    line = one_line(text[:400])
    if _width(line) <= columns:
        return line
    with_tool = _WITH_TOOL.fullmatch(line)
    if with_tool and (room := columns - _width(with_tool[2])) > columns // 2:
        return f"{fitted(with_tool[1], room)}{with_tool[2]}"
    head, space, tail = line.rpartition(" ")
    if "/" in tail and _width(head) * 3 < columns * 2:
        return f"{head}{space}{_end(tail, columns - _width(head + space))}"
    if ("/" in line and _FILE.search(line)) or _DOTTED.fullmatch(line):
        return _end(line, columns)
    kept = ""
    for char in line:
        if _width(kept + char) >= columns:
            break
        kept += char
    return f"{kept.rstrip()}…"


def wrapped(text: str, columns: int, most: int) -> list[str]:
    """Safe lines of at most `columns`, broken between words; what does not fit is cut."""
    lines: list[str] = []
    rest = one_line(text[:400])
    while len(lines) < most - 1 and _width(rest) > columns:
        at = rest.rfind(" ", 1, columns)
        if at < 0 or _width(rest[:at]) > columns:
            break
        lines.append(rest[:at])
        rest = rest[at + 1 :]
    return [*lines, fitted(rest, columns)]


def _end(text: str, columns: int) -> str:
    kept = ""
    for char in reversed(text):
        if _width(kept + char) >= columns:
            break
        kept = char + kept
    if kept == text:
        return text
    mark = "/" if "/" in text else "."
    whole = kept.find(mark)  # better a folder less than half a name
    if 0 <= whole < len(kept) - _LEAST and " " not in kept and text[-len(kept) - 1] != mark:
        kept = kept[whole if mark == "/" else whole + 1 :]
    return f"…{kept}"


def _width(text: str) -> int:
    """Columns of a text: East Asian wide characters take two."""
    return sum(1 + (unicodedata.east_asian_width(char) in "WF") for char in text)
