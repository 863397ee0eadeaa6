"""The line on which something stands, where a fact kept only the place of what holds it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.facts.code import Call
    from mlops_audit.graph.project import Project

__all__ = ["declared_span", "keyword_span", "line_at", "line_span", "settled", "text_span"]

_STATEMENT = 40  # lines of one call in a cell
_FAR = 400  # lines: a statement or a section that is longer is not searched to its end


def line_at(project: Project, span: Span) -> str:
    """The text of the line at a place, empty where there is none."""
    lines = _lines(project, span)
    return lines[span.line - 1] if span.line and span.line <= len(lines) else ""


def line_span(
    project: Project, span: Span, pattern: re.Pattern[str] | str, last: int | None = None
) -> Span:
    """The first line from `span` to line `last` that matches, else `span` itself.

    Args:
        project: where the file stands.
        span: the place of what holds it; without a line, the search starts at the first one.
        pattern: what the line must hold.
        last: the last line that belongs to it; by default a bound of some hundred lines.
    """
    found = re.compile(pattern).search if isinstance(pattern, str) else pattern.search
    return _first(project, span, found, last)


def text_span(project: Project, span: Span, text: str, last: int | None = None) -> Span:
    """The first line from `span` on that holds `text`, else `span` itself."""
    return _first(project, span, lambda line: text in line, last) if text else span


def _first(project: Project, span: Span, holds: Callable[[str], object], last: int | None) -> Span:
    lines = _lines(project, span)
    first = span.line or 1
    end = min(last if last is not None else first + _FAR, len(lines))
    for number in range(first, end + 1):
        if holds(lines[number - 1]):
            return Span(span.path, number, span.cell)
    return span


def keyword_span(project: Project, call: Call, keyword: str) -> Span:
    """The line on which a call's keyword stands, else the call's own."""
    # The end is a line of the whole notebook, the place one of its cell.
    last = call.end_line if call.span.cell is None else (call.span.line or 1) + _STATEMENT
    return line_span(project, call.span, rf"\b{re.escape(keyword)}\s*=", last)


def declared_span(project: Project, span: Span, name: str) -> Span:
    """The line below a `def` or `class` on which a parameter or field stands, else the span."""
    return line_span(project, span, rf"(^\s*|[(,]\s*)\*{{0,2}}{re.escape(name)}\s*[:=]")


# What a label begins with, where a command does not.
_NAMES = frozenset(
    ["make", "tox", "nox", "just", "mise", "invoke", "poe", "dvc", "hook", "step", "service",
     "uses", "job", "a", "an", "the"]
)  # fmt: skip
_LABEL = regex(r": on \w|: a build file|: started ")  # what a workflow is called
_WORDS = 6  # of a command that are looked for
_NEAR = 25  # lines below the place that a reader kept
_ALL, _SOME = 0.8, 0.3  # shares of the words that are on a line
# Code is placed by its own reader; a hook is what its name says, not its arguments.
_CODE = (".py", ".ipynb", ".md", ".rst", ".smk", ".pre-commit-config.yaml")


def settled(project: Project, evidence: Evidence) -> Evidence:
    """Evidence of a command moved to the line that shows it, where its reader kept another.

    A script in quotes, a folded text and a list of arguments are read from their first line on;
    the command may stand some lines below.
    """
    span = evidence.span
    if span.line is None or span.path.endswith(_CODE) or span.path in {".", ""}:
        return evidence
    words = evidence.detail.rstrip("…").split()[:_WORDS]
    if len(words) < 2 or words[0] in _NAMES or _LABEL.search(evidence.detail):  # noqa: PLR2004 -- one word is a name
        return evidence
    lines = _lines(project, span)[span.line - 1 : span.line + _NEAR]
    shares = [sum(word in line for word in words) / len(words) for line in lines]
    if not shares or shares[0] >= _ALL or shares[0] == 1 / 2:  # one of two: a name with its kind
        return evidence
    best = next((n for n, share in enumerate(shares) if share >= _ALL), 0)
    if not best and not shares[0]:
        best = next((n for n, share in enumerate(shares[:4]) if share >= _SOME), 0)
    return replace(evidence, span=Span(span.path, span.line + best)) if best else evidence


def _lines(project: Project, span: Span) -> Sequence[str]:
    if span.cell is not None:
        book = project.notebooks.get(span.path)
        cells = book.cells if book is not None else ()
        return next((c.source.split("\n") for c in cells if c.index == span.cell), [])
    return project.lines(span.path)
