"""COL11: risks with how each is met."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.doctypes import Document, Section
from mlops_audit.facts.placeholders import is_placeholder
from mlops_audit.graph import Project
from mlops_audit.graph.sourcelines import text_span
from mlops_audit.graph.statements import said_below
from mlops_audit.model import Evidence, Span, Verdict, failed, hollow, partial, passed, unknown
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

# The risk that a project predicts (`Home Credit Default Risk`) is none of the project.
_TITLE = regex(
    r"\brisks\b|^[\W\d]*((the|our|key|main|known|project|product|business|technical|model|data|ai|ml|"
    r"system|operational)\s+){0,3}risk(\s+(register|log|matrix|table|list|assessment|analysis|"
    r"management|mitigation|treatment|plan|overview)\b|\W*$)|"
    r"\bfmea\b|\bthreat model\b|\bfailure modes\b|\bimpact assessment\b",
    re.IGNORECASE,
)
_FILE = regex(
    r"(^|/)[\w-]*(risk|fmea|threat|impact_assessment|dpia)[\w-]*\.(md|rst|adoc)$", re.IGNORECASE
)
_MEASURE = regex(
    r"mitigat|measure|response|control|counter|action|treatment|how (it )?is met|handling|"
    r"safeguard|"
    r"prevent|remedy|recommend",
    re.IGNORECASE,
)
_ENOUGH = 2
_LOOKED_FOR = "a list of risks, each with the measure that meets it"


@practice(
    id="COL11",
    title="Risks are listed with how each is met",
    assets="system",
    level="5s",
    sources="S4",
    fix="Write docs/risk_register.md: a table of risks, likelihood, effect and measure.",
    template=(
        "docs/risk_register.md",
        "docs/project_charter.md",
    ),
    attestable=True,
)
def risk_register(project: Project) -> Verdict:
    """Look for tables and lists of risks."""
    met: list[Evidence] = []
    listed: list[Evidence] = []
    empty: list[Evidence] = []
    for document, section in _sections(project):
        parts = document.under(section)
        with_measure, without = _risks(project, document, parts)
        if with_measure:
            met += with_measure
        elif without:
            listed += without
        elif is_placeholder("\n".join(s.text for s in parts)):
            empty.append(Evidence(section.span, section.title))
    if len(met) >= _ENOUGH:
        return passed(f"{met[0].span.path} lists risks and how each is met", met[:5])
    if met or len(listed) >= _ENOUGH:
        return partial("risks are listed without how each is met", [*met, *listed][:5])
    unread = project.docs.unread(_FILE)
    if unread:
        return unknown(f"{unread[0].span.path} could not be read", unread)
    if empty:
        return hollow("the list of risks is empty", empty[:3], looked_for=_LOOKED_FOR)
    return failed("no risks are listed", looked_for=_LOOKED_FOR)


def _sections(project: Project) -> Iterator[tuple[Document, Section]]:
    for document in project.docs.own:
        whole = bool(_FILE.search(document.path))
        for section in document.sections:
            if _TITLE.search(section.title) or (whole and section is document.sections[0]):
                yield document, section
                if whole:
                    break


def _risks(
    project: Project, document: Document, parts: tuple[Section, ...]
) -> tuple[list[Evidence], list[Evidence]]:
    """The risks with a measure, and those without."""
    met: list[Evidence] = []
    listed: list[Evidence] = []
    for section in parts:
        for table in section.tables:
            columns = [i for i, h in enumerate(table.header) if i and _MEASURE.search(h)]
            for number, row in enumerate(table.rows):
                if is_placeholder(" ".join(row)):
                    continue
                span = Span(document.path, (table.span.line or 1) + 2 + number)
                answer = " ".join(row[i] for i in columns if i < len(row))
                shown = Evidence(span, " | ".join(row))
                (listed if is_placeholder(answer) else met).append(shown)
        for item in section.items:
            if is_placeholder(item) or len(item.split()) < 3:  # noqa: PLR2004 -- a word is no risk
                continue
            shown = Evidence(text_span(project, section.span, item[:25]), item)
            (met if _MEASURE.search(item) else listed).append(shown)
        if section is not parts[0] and section.words and _MEASURE.search(section.text):
            met.append(said_below(project, document, section, _MEASURE))
    return met, listed
