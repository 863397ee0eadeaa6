"""COL02: the project says under which terms it may be used."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.placeholders import is_placeholder
from mlops_audit.graph import Project
from mlops_audit.graph.sourcelines import line_span
from mlops_audit.graph.statements import said_in
from mlops_audit.model import Evidence, Span, Verdict, failed, hollow, partial, passed, unknown
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_FILE = regex(
    r"^(licen[cs]es?/[^/]+|(un)?licen[cs]e[\w.-]*|copying[\w.-]*|mit-licen[cs]e[\w.-]*|"
    r"[\w-]*licen[cs]e(\.(md|txt|rst))?)$",
    re.IGNORECASE,
)
_PROPRIETARY = regex(
    r"all rights reserved|proprietary|internal use only|confidential", re.IGNORECASE
)
_LINE = regex(
    r"\b(licen[cs]ed under|released under|distributed under|"
    r"under the (terms of the )?\w[\w.\s-]{0,30}"
    r"licen[cs]e|licen[cs]e\s*[:\-]\s*\w|licen[cs]e is (the )?(MIT|Apache|BSD|L?GPL|AGPL|MPL|CC)\b|"
    r"(MIT|Apache|BSD|GPL|MPL|"
    r"CC[ -]BY)[\w.\s-]{0,20}licen[cs]e)",
    re.IGNORECASE,
)
_TITLE = regex(r"licen[cs]e|licencing|copyright", re.IGNORECASE)
_BADGE = regex(r"img\.shields\.io/[^\s)]{0,80}licen[cs]e[^\s)]{0,60}", re.IGNORECASE)
_NAMES = regex(
    r"licen[cs]e|\bMIT\b|Apache|\bBSD\b|\bA?L?GPL|\bMPL\b|Creative Commons|"
    r"rights reserved|proprietary",
    re.IGNORECASE,
)
_METADATA = regex(
    r"License\s*::\s*\w|^\s*[\"']?license[\"']?\s*[:=]\s*[\"'{(]?\s*\w", re.IGNORECASE
)
_LOOKED_FOR = "LICENSE or COPYING, a license in the metadata, or a line in the README"


@practice(
    id="COL02",
    title="A license says who may use the code",
    assets="code",
    level="1s",
    sources="S4",
    fix="Add a LICENSE file, or state in the metadata that the project is proprietary.",
    template=("LICENSE",),
)
def license(project: Project) -> Verdict:  # noqa: A001 -- the function has the slug's name
    """Look for a license file, then for a line that names one."""
    inside = f"{project.folder}/" if project.folder else ""
    files = [p for p in project.paths if _FILE.match(p.removeprefix(inside))]
    full = [p for p in files if _says_something(project, p)] or _of_packages(project)
    if full:
        return passed(f"{full[0]} states the terms", [Evidence(Span(p), "license") for p in full])
    lines = list(_lines(project))
    declared = [e for e in lines if _PROPRIETARY.search(e.detail)]
    if declared:
        return passed("the project is declared proprietary", declared[:3])
    if lines:
        return partial("a line names a license, there is no license file", lines[:5])
    hidden = [p for p in files if project.data(p) is None]
    if hidden:
        where = [Evidence(Span(p), project.unread.get(p, "not read")) for p in hidden]
        return unknown(f"{hidden[0]} could not be read", where)
    if files:
        where = [Evidence(Span(p), "empty file") for p in files]
        return hollow(f"{files[0]} is empty", where, looked_for=_LOOKED_FOR)
    return failed("no license is stated anywhere", looked_for=_LOOKED_FOR)


def _of_packages(project: Project) -> list[str]:
    """Licences beside the metadata of the project's packages, where the root has none."""
    folders = {m.path.rpartition("/")[0] for m in project.dependencies.packages}
    found = [p for p in project.paths if _FILE.match(p.rpartition("/")[2])]
    return [p for p in found if p.rpartition("/")[0] in folders and _says_something(project, p)]


def _says_something(project: Project, path: str) -> bool:
    """Whether a file holds more than blank space; one that was not read has only its size."""
    data = project.data(path)
    return bool(data.strip()) if data is not None else bool(project.entry(path).size)


def _lines(project: Project) -> Iterator[Evidence]:
    """Lines of metadata and of the README that name a license."""
    inside = f"{project.folder}/" if project.folder else ""
    for meta in project.dependencies.packages:
        if meta.license and not is_placeholder(meta.license):
            yield Evidence(_line_of(project, meta.path), f"license {meta.license}")
    for name in ("pyproject.toml", "setup.py", "setup.cfg", "package.json", "CITATION.cff"):
        path = f"{inside}{name}"
        for number, line in enumerate(project.lines(path), 1):
            if project.has(path) and _METADATA.search(line[:300]) and "LICENSE" not in line:
                yield Evidence(Span(path, number), line.strip())
    readme = project.docs.readme
    if readme is None:
        return
    front = readme.front_matter
    if front is not None and front.str_at("license"):
        place = line_span(project, Span(readme.path, 1), r"^licen[cs]e\s*:", 60)
        yield Evidence(place, f"license: {front.str_at('license')}")
    titled: list[Evidence] = []
    named = False
    for section, span, text in project.docs.paragraphs(readme):
        says = _LINE.search(text) or (_TITLE.search(section.title) and len(text.split()) > 1)
        if (says and not is_placeholder(text)) or _BADGE.search(text) or _declares(text):
            shown = said_in(project, span, text, _LINE, _BADGE, _NAMES)
            if _NAMES.search(shown.detail):
                named = True
                yield shown
            else:
                titled.append(shown)
    if not named:  # terms under that heading in other words
        yield from titled


def _declares(text: str) -> bool:
    return bool(
        re.search(r"all rights reserved|proprietary (software|licen[cs]e)", text, re.IGNORECASE)
    )


def _line_of(project: Project, path: str) -> Span:
    for number, line in enumerate(project.lines(path), 1):
        if re.search(r"licen[cs]e", line, re.IGNORECASE):
            return Span(path, number)
    return Span(path)
