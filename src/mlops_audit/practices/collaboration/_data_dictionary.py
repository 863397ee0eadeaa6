"""Data dictionaries: tables and lists of documents and notebooks that say what columns mean."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.doctypes import Document, Section
from mlops_audit.facts.placeholders import is_placeholder
from mlops_audit.graph import Project
from mlops_audit.graph.docs import filled
from mlops_audit.graph.statements import said_below
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

__all__ = [
    "ENOUGH",
    "MEANING",
    "MOST_TEXT",
    "PLACES",
    "SHEET",
    "columns_in_documents",
    "columns_in_notebooks",
]

ENOUGH = 3  # described columns
PLACES = regex(
    r"(^|/)(data|datasets?|references|dictionar\w*)/|dictionary|codebook|datasheet|data_?card|"
    r"dataset[\s_-]*card|schema|columns",
    re.IGNORECASE,
)
SHEET = regex(r"data[\s_-]?(set)?[\s_-]?(sheet|card|dictionary)|codebook|datasheet", re.IGNORECASE)
_TITLE = regex(
    r"\b(data|datasets?|features?|columns?|variables?|attributes?|fields?|schema|dictionary|"
    r"labels?)\b",
    re.IGNORECASE,
)
_COLUMN = regex(r"^\W*(columns?|features?|variables?|attributes?|data fields?)\b", re.IGNORECASE)
_NAME_CELL = regex(
    r"^\W*((column|feature|field|variable|attribute)?[ _]?names?|keys?|fields?)\W*$", re.IGNORECASE
)
MEANING = regex(
    r"descri|meaning|definition|explanation|details|represent|comment|notes?\b|unit", re.IGNORECASE
)
_ROLE = regex(r"\W*(role|used as|usage)\W*$", re.IGNORECASE)
_OTHER = regex(
    r"argument|option|command|endpoint|method|stage|tool|component|file|folder|param", re.IGNORECASE
)
_INTERFACE = regex(r"\b(spec|status|api|crd|request|response|resource|output)s?\b", re.IGNORECASE)
_SETTING = regex(r"\b(value|default|required|secret|environment|env)\b", re.IGNORECASE)
_CAPITALS = regex(r"\W*[A-Z][A-Z0-9]*_[A-Z0-9_]+\b")  # an environment variable's name
_ITEM = regex(
    r"^\W{0,5}[A-Za-z][\w .()/-]{0,40}?\W{0,3}\s*(?::|[-\u2013\u2014]\s|=)\s*\W{0,2}\w.{5,}"
)
_OF_A_SET = regex(
    r"\b(features?|columns?|attributes?|variables?|fields?)\b.{0,80}\bdata|"
    r"\bdata.{0,40}\b(features?|columns?|attributes?|variables?|fields?)\b",
    re.IGNORECASE,
)
_OPTION = regex(r"\W{0,3}--?\w")  # of a command, not a column
# A list of columns without a sign between name and meaning: `MedInc median income in block`.
_NAMED_ITEM = regex(r"^\W{0,3}(\w*[a-z][A-Z]\w*|[a-z]+_\w+)\W{1,5}\w+\W+\w{2}")
_LISTED = regex(
    r"\b(columns?|attributes?|features|variables|fields)\b[^\n]{0,80}"
    r"(\b(are|following|descri\w+|mean\w*)\b|:\s*$)|data (dictionary|description|fields)",
    re.IGNORECASE | re.MULTILINE,
)
# What the list below is of, where it is of settings.
_OPTIONS = regex(
    r"\b(options|arguments|parameters|settings|flags)\b[^.]{0,60}(:|\b(are|for|of)\b)",
    re.IGNORECASE,
)
# What a catalogue says of a data set as a whole: `Number of Instances: 1567`.
_OF_THE_WHOLE = regex(
    r"\W*((data ?set|attribute|feature) (characteristics|types?|name|size|source)|"
    r"(total )?(number|no\.|count|#) ?(of )?\w|associated tasks?|missing values|date donated|"
    r"(rows|columns|features|attributes|instances|samples|records|observations|classes|source|"
    r"licen[cs]e|shape|format|citation)\W{0,4}:)",
    re.IGNORECASE,
)
_SEVERAL = 2
MOST_TEXT = 20_000  # characters of a cell


def columns_in_documents(project: Project) -> Iterator[Evidence]:
    """Tables and lists of columns with what each means, and data sheets that are filled in."""
    for document in project.docs.all:
        sheet = bool(SHEET.search(document.path.rsplit("/", 1)[-1]))
        near = bool(PLACES.search(document.path))
        for section in document.sections:
            above = _above(document, section)
            about = near or bool(_TITLE.search(section.title) or above)
            described_here = about and not _INTERFACE.search(section.title)
            for table in section.tables:
                means = _describes(table.header, about=described_here)
                if means and len(table.rows) >= ENOUGH and _says(table.rows):
                    yield Evidence(table.span, " | ".join(table.header))
            if _OF_A_SET.search(section.title):
                named = [i for i in section.items if _NAMED_ITEM.match(i)]
                if len(named) >= ENOUGH:
                    yield _at(project, document, section, named[0])
            if about and not _OTHER.search(section.title):
                described = [
                    i
                    for i in section.items
                    if _ITEM.match(i)
                    and not _is_link(i)
                    and not _CAPITALS.match(i)
                    and not _OPTION.match(i)
                    and "(default" not in i
                ]
                if len(described) >= ENOUGH and _is_columns(section, described, near=near or above):
                    yield _at(project, document, section, described[0])
        answered = [s for s in document.sections if s.level > 1 and filled(document, s, 8)]
        if sheet and len(answered) >= ENOUGH:
            yield said_below(project, document, answered[0])


def _above(document: Document, section: Section) -> bool:
    """Whether a section stands below a heading that names a data set."""
    level = section.level
    for other in reversed(document.sections[: document.sections.index(section)]):
        if other.level < level:
            if re.search(r"\bdata ?sets?\b", other.title, re.IGNORECASE):
                return other.level > 1
            level = other.level
    return False


def columns_in_notebooks(project: Project) -> Iterator[Evidence]:
    """Text cells that list columns with what each means."""
    for path, notebook in project.notebooks.items():
        for cell in notebook.cells:
            if cell.kind != "markdown" or not _LISTED.search(cell.source[:MOST_TEXT]):
                continue
            lines = cell.source[:MOST_TEXT].splitlines()
            described = [
                n
                for n, line in enumerate(lines, 1)
                if _ITEM.match(line[:300])
                and not _CAPITALS.match(line[:300])
                and not line.lstrip().startswith("<")
            ]
            if len(described) >= ENOUGH:
                first = lines[described[0] - 1].strip()
                yield Evidence(Span(path, described[0], cell.index), first)


def _describes(header: tuple[str, ...], *, about: bool) -> bool:
    if len(header) < 2 or any(_OTHER.search(h) for h in header[:1]):  # noqa: PLR2004 -- name and meaning
        return False
    if any(_SETTING.search(h) for h in header):
        return False
    named = _COLUMN.search(header[0]) or (about and _NAME_CELL.search(header[0]))
    if named and _COLUMN.search(header[0]) and any(_ROLE.match(h) for h in header[1:]):
        return True  # identifier, feature or label
    return bool(named) and any(MEANING.search(h) for h in header[1:])


def _says(rows: tuple[tuple[str, ...], ...]) -> bool:
    """Whether a table's rows describe something, and are no environment variables."""
    capitals = sum(
        1
        for row in rows
        if row and (_CAPITALS.match(row[0]) or re.fullmatch(r"\W*[\w/-]+\.\w{2,6}\W*", row[0]))
    )
    text = " ".join(" ".join(row[1:]) for row in rows)
    return capitals * 2 < len(rows) and not is_placeholder(text)


def _is_link(item: str) -> bool:
    return bool(re.match(r"\W{0,3}\[[^\]]*\]\(", item)) or "http" in item[:60]


def _is_columns(section: Section, described: list[str], *, near: bool) -> bool:
    """Whether a list describes columns rather than folders, steps or data sets."""
    if any(re.match(r"\W{0,3}[\w./-]+(\.\w{2,4}|/)\W", i) for i in described[:3]):
        return False
    if sum(1 for i in described if _OF_THE_WHOLE.match(i)) >= _SEVERAL:
        return False
    # What stands before the list says what the list is about.
    opening = section.text.partition(described[0][:40])[0]
    if described[0] == section.items[0]:
        opening = re.split(r"(?m)^\s*(?:[-*+]|\d{1,3}[.)])\s", section.text, maxsplit=1)[0]
    last = opening.strip().rpartition("\n\n")[2]
    if _OPTIONS.search(last) and not _COLUMN.search(section.title):
        return False
    named = re.search(
        r"\b(columns?|fields?|variables?|attributes?|dictionary|schema|data descri\w+|"
        r"dataset (descri\w+|features?)|about the data\w*)\b",
        f"{section.title}\n{opening}",
        re.IGNORECASE,
    )
    data = re.search(r"\bdata(set)?s?\b", section.title, re.IGNORECASE)
    words = [i for i in described if re.match(r"\W{0,3}[\w]+\W", i)]
    titled = data or _COLUMN.search(section.title) or _TITLE.search(section.title)
    return bool(named and (near or titled)) and len(words) >= ENOUGH


def _at(project: Project, document: Document, section: Section, text: str) -> Evidence:
    """The line of a list item."""
    start = section.span.line or 1
    for number, line in enumerate(project.lines(document.path), 1):
        if number >= start and text[:40] in line:
            return Evidence(Span(document.path, number), text)
    return Evidence(section.span, section.title)
