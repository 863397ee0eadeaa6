"""COL08: the business objective, and how its success is measured."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.placeholders import is_placeholder
from mlops_audit.graph import Project
from mlops_audit.graph.docs import body
from mlops_audit.graph.statements import said_below, said_in
from mlops_audit.model import Evidence, Span, Verdict, failed, hollow, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_SUCCESS = regex(
    r"\b(success (criteri\w+|metrics?|measures?)|kpis?|key performance|acceptance criteri\w+|"
    r"key results|okrs?|criteria (for|of) success|measures? of success|business (metrics?|"
    r"goals? and)|"
    r"targets? and (metrics|measures))\b",
    re.IGNORECASE,
)
# "Success: an error below 8 %", "It is a success if half of the agents use it".
_IS_SUCCESS = regex(
    r"\bsuccess(ful)?\b\s*(:|=|-|means|when|if|(is|will be) (when|if|measured|defined|reached))",
    re.IGNORECASE,
)
_OBJECTIVE = regex(
    r"\b(business (objectives?|problems?|goals?|cases?|value|contexts?|needs?|impact|understanding|"
    r"requirements?|questions?|objective and \w+)|project charter|problem statement|"
    r"value proposition|"
    r"motivation|objectives?|stakeholders?|use[ -]case|the problem|problem (description|"
    r"definition)|"
    r"background|purpose|decisions?|business)\b",
    re.IGNORECASE,
)
_DECIDES = regex(
    r"\b(help\w*|assist\w*|enabl\w+|allow\w*|support\w*|so that|in order to|want\w* to|needs? to|"
    r"used by|"
    r"use it to|lets?)\b.{0,160}\b(decid\w+|decision\w*|plan\w*|allocat\w+|target\w*|reduc\w+|"
    r"increas\w+|"
    r"improv\w+|prevent\w*|prioriti\w+|determin\w+|optimi[sz]\w+|retain\w*|staff\w*|stock\w*|"
    r"intervene\w*|invest\w*|pric(e|ing)|schedul\w+|spend\w*|avoid\w*|save\w*|minimi[sz]\w+|"
    r"maximi[sz]\w+)",
    re.IGNORECASE,
)
_WHO = regex(
    r"\b(customers?|clients?|business(es)?|company|companies|government|banks?|doctors?|hospitals?|"
    r"patients?|team|teams|managers?|operators?|stakeholders?|users?|organi[sz]ations?|cit(y|ies)|"
    r"retailers?|drivers?|owners?|investors?|analysts?|marketing|sales|agents?|farmers?|lenders?|"
    r"insurers?|planners?|buyers?|sellers?|students?|engineers?|employees?|employers?|shops?|"
    r"stores?|"
    r"airlines?|passengers?|hotels?|restaurants?|department|authorit(y|ies)|police|provider|operations)\b",
    re.IGNORECASE,
)
_LEARNING = regex(
    r"\b(learn(ing)? (how|to|about)|course|zoomcamp|bootcamp|tutorial|teach\w*|showcase\w*|"
    r"demonstrat\w+|"
    r"portfolio|capstone|homework|assignment|educational|template|example (repo|project)|"
    r"best practices|implementation of|MLOps|"
    r"ML (workloads?|practices|projects?|teams?)|data scientists?|machine learning (models?|"
    r"projects?)|this (repo(sitory)?|package|library|template|guide)|"
    r"join (our|us|the (discord|slack|community))|discord)\b",
    re.IGNORECASE,
)
_NUMBER = regex(
    r"\d+(\.\d+)?\s?(%|percent|days?|hours?|minutes?|seconds?|ms\b|€|\$|usd|eur|k\b|m\b|points?|"
    r"x\b)|"
    r"[$€£]\s?\d|(<|>|≤|≥|<=|>=|at least|at most|less than|more than|below|above|under|within|"
    r"by)\s*\d",
    re.IGNORECASE,
)
_MEASURE = regex(
    r"\b(rate|ratio|accuracy|precision|recall|f1|auc|rmse|mae|mape|rmsle|latency|revenue|roi|"
    r"cost|churn|"
    r"conversion|error|uptime|throughput|click|retention|profit|loss|share|number of)\b",
    re.IGNORECASE,
)
_OPENING = regex(r"(project )?(overview|introduction|about|description|summary)\b", re.IGNORECASE)
_FIRST = 8  # paragraphs of a README's opening
_CHARTER = regex(
    r"(charter|business[_-]?(case|objective|understanding)|canvas|objectives?|okr|"
    r"success[_-]?criteria|"
    r"requirements|problem[_-]?statement|prd)[\w-]*\.(md|rst|adoc)$",
    re.IGNORECASE,
)
_LOOKED_FOR = "a business objective with a success criterion that can be measured"


@practice(
    id="COL08",
    title="The objective and its success criteria are written down",
    assets="system",
    level="3s",
    sources="S4",
    fix="Write docs/project_charter.md: who decides what with the predictions, and the KPI.",
    template=("docs/project_charter.md",),
)
def objective_and_success(project: Project) -> Verdict:
    """Look for who decides what, and for what is measured."""
    objective = list(_objective(project))
    success, empty = _success(project)
    if success:
        return passed(f"{success[0].span.path} states what success is measured by",
                      [*success[:3], *objective[:2]])  # fmt: skip
    measured = [e for e in objective if _NUMBER.search(e.detail) and _MEASURE.search(e.detail)]
    if measured:
        return passed("the objective is stated with a measure", measured[:3])
    if objective:
        return partial("who decides what is written down, nothing measurable", objective[:3])
    if empty:
        return hollow("success criteria have a heading only", empty, looked_for=_LOOKED_FOR)
    return failed("no business objective is written down", looked_for=_LOOKED_FOR)


def _pages(project: Project) -> Iterator[tuple[str, bool]]:
    guide = {d.path for d in project.docs.guide}
    for document in project.docs.all:
        charter = bool(_CHARTER.search(document.path))
        if charter or document.path in guide or _OBJECTIVE.search(document.title):
            yield document.path, charter


def _success(project: Project) -> tuple[list[Evidence], list[Evidence]]:
    """Sections on success that name something measurable; and those that say nothing."""
    found, empty = [], []
    for path, _ in _pages(project):
        document = project.docs.get(path)
        for section in document.sections if document else ():
            if document is None or not _SUCCESS.search(section.title):
                continue
            text = body(document, section)
            if is_placeholder(text):
                empty.append(Evidence(section.span, section.title))
            elif _NUMBER.search(text) or _MEASURE.search(text):
                found.append(said_below(project, document, section, _NUMBER, _MEASURE))
        for _, span, text in project.docs.paragraphs(document) if document else ():
            plain = text.strip("*-_ ")
            if is_placeholder(text):
                continue
            said = [s for s in re.split(r"(?<=[.!?])\s+", plain) if _IS_SUCCESS.search(s)]
            if (_SUCCESS.match(plain) and _NUMBER.search(text)) or any(map(_NUMBER.search, said)):
                found.append(Evidence(span, text))
    return found, empty


def _objective(project: Project) -> Iterator[Evidence]:
    """Sentences that say who decides what with the predictions."""
    for path, charter in _pages(project):
        document = project.docs.get(path)
        if document is None:
            continue
        told = list(project.docs.paragraphs(document))
        for number, (section, span, first) in enumerate(told):
            text = told_here = first
            place = span
            if first.rstrip(" *_").endswith(":"):  # the list below finishes the sentence
                below = [(p, t) for s, p, t in told[number + 1 : number + 5] if s is section]
                text = " ".join([first, *(t.lstrip("-*+ ") for _, t in below)])
                there = ((p, t) for p, t in below if _DECIDES.search(t))
                place, told_here = next(there, (span, text))
            titled = bool(_OBJECTIVE.search(section.title)) and section.level > 0
            named = bool(_OBJECTIVE.match(first.strip("*_# "))) and text is not first
            opens = section.level <= 1 or bool(_OPENING.match(section.title.strip("*_# ")))
            if not (titled or named or charter or (number < _FIRST and opens)):
                continue
            if is_placeholder(text):
                continue
            for sentence in re.split(r"(?<=[.!?])\s+", text):
                if _LEARNING.search(sentence):
                    continue
                if _DECIDES.search(sentence) and _WHO.search(sentence):
                    yield _placed(project, place, sentence if place == span else told_here)
                    break


def _placed(project: Project, span: Span, sentence: str) -> Evidence:
    """A sentence with the line of its paragraph on which it begins."""
    opening = r"\s+".join(re.escape(word) for word in sentence.split()[:3])
    return Evidence(said_in(project, span, sentence, re.compile(opening)).span, sentence[:300])
