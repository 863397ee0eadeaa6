"""The little Markdown that twins are written in: headings, fences and lines of prose."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from mlops_audit.regex import regex

__all__ = ["Fence", "Heading", "Line", "blocks"]

_HEADING = regex(r"(#{1,6})[ \t]+(\S.*)")
_OPENING = regex(r" {0,3}(`{3,}|~{3,})(.*)")


class Heading(Struct, frozen=True):
    """A heading with its depth (1 to 6), its text and its line, counted from 1."""

    depth: int
    text: str
    line: int


class Fence(Struct, frozen=True):
    """A fenced block: the words after the opening marks, and the lines between the marks.

    `closed` is False where the text ends before the closing mark.
    """

    info: str
    body: tuple[str, ...]
    line: int
    closed: bool


class Line(Struct, frozen=True):
    """A line of prose, without its line end."""

    text: str
    line: int


def blocks(text: str) -> Iterator[Heading | Fence | Line]:
    """Read `text` from top to bottom; what looks like a heading in a fence is none."""
    lines = text.replace("\r\n", "\n").split("\n")
    at = 0
    while at < len(lines):
        number, line = at + 1, lines[at]
        at += 1
        if opening := _OPENING.fullmatch(line):
            start = at
            while at < len(lines) and not _closes(lines[at], opening[1]):
                at += 1
            yield Fence(opening[2].strip(), tuple(lines[start:at]), number, at < len(lines))
            at += 1
        elif heading := _HEADING.fullmatch(line):
            yield Heading(len(heading[1]), heading[2].strip(), number)
        else:
            yield Line(line, number)


def _closes(line: str, opening: str) -> bool:
    mark = line.strip()
    return len(mark) >= len(opening) and not mark.strip(opening[0])
