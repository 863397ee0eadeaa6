"""Documents that answer a list of questions: model cards, datasheets, canvases, risk registers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlops_audit.facts.doctypes import Document
from mlops_audit.facts.placeholders import is_placeholder
from mlops_audit.graph import Project
from mlops_audit.graph.docs import body, filled
from mlops_audit.graph.statements import said_below
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

__all__ = ["answers", "labels"]

_LABEL = regex(
    r"^\s*(?:[-*+]\s+|\d+[.)]\s+)?\**([A-Z][\w /&'-]{2,60}?)\**\s*:\**\s*(\S.*)", re.DOTALL
)
# A bold line above its answer, as the cards of Mitchell et al. are written.
_BOLD = regex(r"^\*\*([A-Z][^*\n]{2,60})\*\*\s+(\S.*)", re.DOTALL)
_WORDS = 3
_COLUMNS = 2  # of a table of questions and answers; more are fields of one thing


def labels(project: Project, document: Document) -> Iterator[tuple[Evidence, str, str]]:
    """The questions of a document with their answers, where it gives one, and where it does.

    A question is a heading, a bold label with a colon, or the first cell of a table's row; where a
    table has one row, the heads of its columns.
    """
    for section in document.sections:
        named = section.title and section.title != document.title
        if named and filled(document, section, _WORDS):
            where = said_below(project, document, section)
            yield where, section.title, body(document, section)
        for table in section.tables:
            if len(table.rows) == 1 and len(table.header) > _COLUMNS:
                place = Span(document.path, (table.span.line or 1) + 2)
                for name, told in zip(table.header, table.rows[0], strict=False):
                    if name and not is_placeholder(told):
                        yield Evidence(place, f"{name}: {told}"), name, told
                continue
            for number, row in enumerate(table.rows):
                answer = " ".join(row[1:])
                if row and not is_placeholder(answer):
                    line = (table.span.line or 1) + 2 + number
                    where = Evidence(Span(document.path, line), f"{row[0]} {answer}")
                    yield where, row[0], answer
    for _, span, text in project.docs.paragraphs(document):
        match = _LABEL.match(text[:2000]) or _BOLD.match(text[:2000])
        if match and not is_placeholder(match[2]):
            yield Evidence(span, text), match[1], match[2]


def answers(
    project: Project, document: Document, questions: Mapping[str, re.Pattern[str]]
) -> dict[str, Evidence]:
    """Which of the questions a document answers, and where."""
    found: dict[str, Evidence] = {}
    for where, label, _ in labels(project, document):
        for name, pattern in questions.items():
            if pattern.search(label):
                found.setdefault(name, where)
    return found
