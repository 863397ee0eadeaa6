"""COL10: who owns the model in production, and what to do when it fails."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.placeholders import is_placeholder
from mlops_audit.graph import Project
from mlops_audit.graph.docs import filled
from mlops_audit.graph.fallbacks import default_answers
from mlops_audit.graph.sourcelines import line_span
from mlops_audit.graph.statements import said_below
from mlops_audit.model import Evidence, Span, Verdict, failed, hollow, partial, passed, unknown
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_RUNBOOK = regex(
    r"(^|/)[\w-]*(run[_-]?books?|playbooks?|incident\w*|on-?call|operations|ops_?guide|disaster\w*|"
    r"rollback)[\w-]*(/[\w-]+)?\.(md|rst|adoc|txt)$",
    re.IGNORECASE,
)
# A folder of this name holds documents of any kind: only what they say makes one a runbook.
_LOOSE = regex(r"(^|/)[\w-]*operations[\w-]*(/[\w-]+)?\.\w+$", re.IGNORECASE)
_PROCEDURE = regex(
    r"\b(run-?books?|incidents?|on-?call|roll(ing)?[ -]?back|disaster recovery|outages?|fail-?over|"
    r"when (the )?(model|service|pipeline|something|an alert|alerts?)\b|if (the )?(model|"
    r"service)\b.*fails?|"
    r"(model|service) (fails|failure|is down)|alert (handling|response)|emergency|escalation|"
    r"fallback(?! (format|option|value|font|parser|theme|image)))\b",
    re.IGNORECASE,
)
_OWNER = regex(
    r"\b(owners?|ownership|responsib\w+|on-?call|maintainers?|escalation|raci)\b", re.IGNORECASE
)
_OWNER_LINE = regex(
    r"^\W*(model |service |product |system |technical |business |data )?(owners?|owned by|on-?call|"
    r"maintainers?|maintained by|responsible( person)?|escalat\w+( to)?)\W*[:|]\W*\w",
    re.IGNORECASE,
)
_PERSON = regex(r"@[\w.-]+|[A-Z][\w'-]+ [A-Z][\w'-]+|\bteam\b|#[a-z][\w-]+|\]\(", re.UNICODE)
# Pages that tell maintainers what to do name none.
_GUIDE = regex(
    r"(intended |meant |guide |notes )for (the )?maintainers|becom(e|ing) a maintainer",
    re.IGNORECASE,
)
_OWNER_FILES = regex(r"(^|/)(maintainers|owners)(\.\w{2,4})?$", re.IGNORECASE)
_CATALOGUE = regex(r"(^|/)(catalog-info|service)\.ya?ml$")
_FALLBACK = regex(
    r"fall_?back|default_(prediction|answer|response|forecast)|backup_model", re.IGNORECASE
)
_OWNER_TITLE = regex(
    r"\W*((model|service|system|code|project) )?(owners?|ownership|maintainers?|on-?call|"
    r"owners? and \w+|\w+ and owners?(hip)?|responsib\w+|escalation)\W*",
    re.IGNORECASE,
)
_OTHER_ROLE = regex(r"code of conduct|code_of_conduct|data owner|copyright|author", re.IGNORECASE)
_LOOKED_FOR = "a named owner, and a runbook or fallback for when the model or service fails"


@practice(
    id="COL10",
    title="Owner and procedure for failures are known",
    assets="system",
    level="5s",
    sources="S0 S4",
    fix="Write docs/runbook.md: who owns the model, what each alert means, how to roll back.",
    template=("docs/runbook.md",),
    attestable=True,
)
def runbook_and_ownership(project: Project) -> Verdict:
    """Look for an owner and for a procedure."""
    owners = list(_owners(project))
    steps, empty = _procedures(project)
    steps += list(_fallbacks(project))
    if owners and steps:
        return passed("owner and procedure are written down", [*owners[:3], *steps[:3]])
    if steps:
        return partial("a procedure is written down, no owner", steps[:3])
    if owners:
        return partial("an owner is named, no procedure", owners[:3])
    unread = project.docs.unread(_RUNBOOK)
    if unread:
        return unknown(f"{unread[0].span.path} could not be read", unread)
    metadata = list(_metadata(project))
    if metadata:
        return partial("the metadata names maintainers beside the authors", metadata[:2])
    if empty:
        return hollow(f"{empty[0].span.path} says nothing", empty[:3], looked_for=_LOOKED_FOR)
    return failed("neither owner nor procedure is written down", looked_for=_LOOKED_FOR)


def _owners(project: Project) -> Iterator[Evidence]:
    for path in project.paths:
        if _OWNER_FILES.search(path) and "CODEOWNERS" not in path:
            text = project.text(path) or ""
            guide = _GUIDE.search(text) is not None
            if text.strip() and not is_placeholder(text) and not guide:
                number, line = _owner_line(text.splitlines())
                yield Evidence(Span(path, number), line)
        elif _CATALOGUE.search(path):
            for number, line in enumerate(project.lines(path), 1):
                if re.match(r"\s*owner:\s*\w", line):
                    yield Evidence(Span(path, number), line.strip())
    for document in project.docs.own:
        if _OTHER_ROLE.search(document.path):
            continue
        for section, span, text in project.docs.paragraphs(document):
            placed = _OWNER_TITLE.fullmatch(section.title) or (
                _RUNBOOK.search(document.path) and _OWNER.search(text)
            )
            if not ((placed and _PERSON.search(text)) or _OWNER_LINE.search(text[:200])):
                continue
            if not (is_placeholder(text) or _OTHER_ROLE.search(text[:80]) or _GUIDE.search(text)):
                yield Evidence(span, text)


def _owner_line(lines: list[str]) -> tuple[int, str]:
    """The first line that names somebody; else the first that says something."""
    told = [(n, x.strip()) for n, x in enumerate(lines, 1) if x.strip(" -=*<!#") and x[:2] != ".."]
    plain = [(n, x) for n, x in told if not x.startswith("#")]
    named = [(n, x) for n, x in plain if re.match(r"[-*]\s*\W?\w", x) or _PERSON.search(x)]
    return next(iter([*named, *plain, *told]), (1, lines[0].strip()))


def _procedures(project: Project) -> tuple[list[Evidence], list[Evidence]]:
    """Runbooks and sections on failures that say something; and those that do not."""
    found, empty = [], []
    for document in project.docs.own:
        if _OTHER_ROLE.search(document.path):
            continue
        book = bool(_RUNBOOK.search(document.path)) and not (
            _LOOSE.search(document.path)
            and not any(_PROCEDURE.search(f"{s.title} {s.text}") for s in document.sections)
        )
        for section in document.sections:
            if not (section.title and (book or _PROCEDURE.search(section.title))):
                continue
            if filled(document, section, 10):
                found.append(said_below(project, document, section))
                if book:
                    break
            else:
                empty.append(Evidence(section.span, section.title))
    return found, empty


def _fallbacks(project: Project) -> Iterator[Evidence]:
    """Answers in serving code for when the model cannot."""
    services = {p.path for p in project.predictions if p.kind in {"service", "stream"}}
    for path in sorted(services):
        module = project.modules.get(path)
        if module is None or module.notebook:
            continue
        for function in module.functions:
            if _FALLBACK.search(function.name) and not function.stub and _answers(function.name):
                yield Evidence(function.span, f"fallback {function.qualname}")
        for call in module.calls:
            if _FALLBACK.search(call.method) and _answers(call.method):
                yield Evidence(call.span, call.told)
    yield from default_answers(project)


def _answers(name: str) -> bool:
    """Whether a fallback stands in for an answer, rather than for data or settings."""
    return not re.search(r"data|input|config|path|param|file|font|url|color", name, re.IGNORECASE)


def _metadata(project: Project) -> Iterator[Evidence]:
    for meta in project.dependencies.packages:
        if project.is_example(meta.path):
            continue
        if meta.maintainers and set(meta.maintainers) != set(meta.authors):
            place = line_span(project, meta.span, r"^\s*[\"']?maintainer\w*[\"']?\s*[=:]")
            yield Evidence(place, f"maintainers {', '.join(meta.maintainers)}")
