"""COL09: a stack or ML canvas, or records of architecture decisions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.doctypes import Document
from mlops_audit.graph import Project
from mlops_audit.graph.docs import filled
from mlops_audit.model import Evidence, Span, Verdict, failed, hollow, partial, passed, unknown
from mlops_audit.practices.base import practice
from mlops_audit.practices.collaboration._parts import labels
from mlops_audit.regex import regex

_CANVAS = regex(r"canvas", re.IGNORECASE)
_RECORD = regex(
    r"(^|/)(adrs?|decisions?|architecture[_-]?decisions?|decision[_-]?records?|decision[_-]?log|"
    r"rfcs?)/"
    r"[^/]+\.(md|rst|adoc)$|(^|/)(adr[-_ ]?\d+|\d{3,4}-(?!\d\d-\d\d))[\w .-]*\.(md|rst|adoc)$|"
    r"(^|/)(adr|architecture[_-]?decisions?|decision[_-]?(log|records?)|decisions)\.(md|rst|adoc)$",
    re.IGNORECASE,
)
_NO_RECORD = regex(r"template|readme|index|record-architecture-decisions", re.IGNORECASE)
_BLOCKS, _STARTED = 5, 1  # answered questions of a canvas: most of ten or eleven, and any
_RECORDS = 2
_WORDS = 40  # of a decision with its reasons
_LOOKED_FOR = "an MLOps stack canvas, an ML canvas or architecture decision records, filled in"


@practice(
    id="COL09",
    title="A canvas or decision records say what the system is built from and why",
    assets="system",
    level="5s",
    sources="S4",
    fix="Fill in docs/mlops_stack_canvas.md, or record decisions under docs/decisions/.",
    template=(
        "docs/stack_canvas.md",
        "docs/ml_canvas.md",
        "docs/decisions/0001-environment-and-commands.md",
    ),
)
def stack_canvas(project: Project) -> Verdict:
    """Look for canvases and decision records that say something."""
    started: list[Evidence] = []
    empty: list[Evidence] = []
    for document in _canvases(project):
        shown = [where for where, _, _ in labels(project, document)]
        if len(shown) > _BLOCKS:
            return passed(f"{document.path} is a filled-in canvas", shown[:5])
        (started if len(shown) > _STARTED else empty).append(
            Evidence(Span(document.path), document.title)
        )
    records = [d for d in project.docs.named(_RECORD) if not _NO_RECORD.search(d.path)]
    full = [d for d in records if _decides(d)]
    shown = [Evidence(Span(d.path), d.title) for d in full]
    if len(full) >= _RECORDS or (full and _many(full[0])):
        return passed(f"{len(full)} architecture decisions are recorded", shown[:5])
    if started or shown:
        return partial("a canvas or decision record is started", [*started, *shown][:3])
    unread = project.docs.unread(_CANVAS)
    if unread:
        return unknown(f"{unread[0].span.path} could not be read", unread)
    empty += [Evidence(Span(d.path), d.title) for d in records]
    if empty:
        return hollow(f"{empty[0].span.path} is not filled in", empty[:3], looked_for=_LOOKED_FOR)
    return failed("there is no canvas and no decision record", looked_for=_LOOKED_FOR)


def _canvases(project: Project) -> Iterator[Document]:
    """Documents that are a canvas, and parts of documents that are one."""
    for document in project.docs.own:
        if _CANVAS.search(document.path.rsplit("/", 1)[-1]) or _CANVAS.search(document.title):
            yield document
            continue
        for section in document.sections:
            if re.search(
                r"\b(stack|ml|machine learning|model|mlops) canvas\b", section.title, re.IGNORECASE
            ):
                yield Document(document.path, section.title, document.under(section)[1:])


def _decides(document: Document) -> bool:
    words = sum(s.words for s in document.sections if filled(document, s))
    return words >= _WORDS


def _many(document: Document) -> bool:
    """Whether one file holds several decisions."""
    sections = [s for s in document.sections if s.level == 2 and filled(document, s, 20)]  # noqa: PLR2004 -- `##`
    return "log" in document.path or (
        bool(re.search(r"decisions\.\w+$", document.path)) and len(sections) >= _RECORDS
    )
