"""The line of a document that says something: what stands under a heading, or in a paragraph."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_audit.graph.docs import CALLOUT, ITEM, evidence
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.facts.doctypes import Document, Section
    from mlops_audit.graph.project import Project

__all__ = ["plain", "said_below", "said_in"]

_FENCE = regex(r"\s*(```|~~~)")
_BARE = regex(r"[\s\W_]*$")  # rules, underlines, table borders
_TREE = regex(r".*[\u251c\u2514\u2502]|\s*\|\s{2,}\||\s*\.{0,2}/?\s*$")  # of files
_LETTERS = regex(r"[^\W\d_]{2,}")
_SAYS = 3  # words of a line that says something
_BELOW = 400  # lines of a section that are looked at


def plain(text: str) -> str:
    """Text without badges, pictures, tags, addresses and what reStructuredText defines."""
    text = re.sub(r"(?m)^\.\. [_|].*$|\|[\w -]{1,60}\|_?", " ", text)
    return re.sub(r"\[?!\[[^\]]*\]\([^)]*\)\]?(\([^)]*\))?|<[^>]{0,500}>|https?://\S+", " ", text)


def said_below(
    project: Project,
    document: Document,
    section: Section,
    *wanted: re.Pattern[str],
    but: re.Pattern[str] | None = None,
    deeper: bool = True,
    opens: bool = False,
) -> Evidence:
    """The statement under a heading: the line that a reader should see, reached through it.

    Args:
        project: where the document stands.
        document: the document of the section.
        section: the heading; what stands under deeper ones belongs to it.
        wanted: what the line should hold, best first; without a match the first that says
            something counts, and the heading itself where there is none.
        but: what the line must not hold.
        deeper: whether what stands under deeper headings belongs to it.
        opens: whether only lines that open a paragraph or an item are meant.
    """
    lines = [
        found
        for found in _lines_below(project, document, section, deeper=deeper)
        if but is None or not but.search(found[1])
    ]
    if opens:
        prose = {n for n, line, _ in lines if len(_LETTERS.findall(plain(line))) >= _SAYS}
        lines = [x for x in lines if x[0] - 1 not in prose or ITEM.match(x[1])]
    hop = (Evidence(section.span, section.title),) if section.title else ()
    for pattern in wanted:
        for number, line, _ in lines:
            if pattern.search(line):
                return Evidence(Span(document.path, number), line.strip(), hop)
    for number, line, code in lines:
        if code or len(_LETTERS.findall(plain(line))) >= _SAYS:
            return Evidence(Span(document.path, number), line.strip(), hop)
    return evidence(section)


def said_in(project: Project, span: Span, text: str, *wanted: re.Pattern[str]) -> Evidence:
    """The line of a paragraph that holds what is wanted, best first; else its first line."""
    lines = project.lines(span.path)
    first = span.line or 1
    inside: list[tuple[int, str]] = []
    for number in range(first, min(first + _BELOW, len(lines)) + 1):
        line = lines[number - 1]
        if not line.strip() or (inside and ITEM.match(line)):
            break
        inside.append((number, line.strip()))
    for pattern in wanted:
        for number, line in inside:
            if pattern.search(line):
                return Evidence(Span(span.path, number), line)
    return Evidence(span, text)


def _lines_below(
    project: Project, document: Document, section: Section, *, deeper: bool
) -> Iterator[tuple[int, str, bool]]:
    """The lines of a section and of those below it that are no headings; True for code."""
    lines = project.lines(document.path)
    heads = {s.span.line for s in document.sections if s.level}
    after = [
        s.span.line or 0
        for s in document.sections
        if s.level
        and (s.level <= section.level or not deeper)
        and (s.span.line or 0) > (section.span.line or 0)
    ]
    first = (section.span.line or 1) + bool(section.level)
    last = min([*(line - 1 for line in after), len(lines), first + _BELOW])
    fenced = comment = False
    for number in range(first, last + 1):
        line = lines[number - 1]
        if _FENCE.match(line):
            fenced = not fenced
            continue
        comment = comment or ("<!--" in line and not fenced)
        shown = not (comment or number in heads or _BARE.match(line) or CALLOUT.fullmatch(line))
        comment = comment and "-->" not in line
        if shown and not _TREE.match(line) and not (fenced and line.lstrip().startswith("#")):
            yield number, line, fenced
