"""COL06: a model card with intended use, data, metrics and limits."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.doctypes import Document
from mlops_audit.graph import Project
from mlops_audit.model import Evidence, Span, Verdict, failed, hollow, partial, passed, unknown
from mlops_audit.practices.base import practice
from mlops_audit.practices.collaboration._parts import answers
from mlops_audit.regex import regex

_NAME = regex(
    r"model[\s_-]*cards?\b|modelcard|^(the )?model[\s_-]*(description|documentation|details)\b",
    re.IGNORECASE,
)
_QUESTIONS = {
    "intended use": regex(
        r"intended|\bdirect use|\buses?\b|use[ -]cases?|purpose|how to use|users", re.IGNORECASE
    ),
    "data": regex(r"\bdata(set|sets)?\b|trained on", re.IGNORECASE),
    "metrics": regex(
        r"metric|performance|evaluation|results?\b|accuracy|quality|scores?\b", re.IGNORECASE
    ),
    "limits": regex(
        r"limit|bias|risk|caveat|out[ -]of[ -]scope|ethical|fails?\b|weakness|warning",
        re.IGNORECASE,
    ),
}
# Parts that only a card has, wherever they stand: both of them make one of a README.
_INTENDED = regex(r"\bintended (use|user|purpose)", re.IGNORECASE)
_LIMITS = regex(r"\blimitations?\b|\bout[ -]of[ -]scope|\bethical considerations", re.IGNORECASE)
# A page whose sections are the parts of a card, "Model Card" being one of them.
_SIBLINGS = regex(r"\b(?:model|data|training) card\b", re.IGNORECASE)
_PART = regex(r"(the )?model[\s_-]*(card|metadata\b)", re.IGNORECASE)
_ABOUT_CARDS = regex(r"how[_-]?to|guides?/|tutorials?/", re.IGNORECASE)  # how to write one
_HUB_KEYS = ("pipeline_tag", "model-index", "base_model", "library_name")
_LOOKED_FOR = "a model card that answers intended use, data, metrics and limits"


@practice(
    id="COL06",
    title="A model card says what the model is for and where it fails",
    assets="model",
    level="4s",
    sources="S4",
    fix="Write docs/model_card.md with intended use, training data, metrics and limits.",
    template=(
        "src/<package>/visualization/document.py",
        "dvc.yaml",
    ),
)
def model_card(project: Project) -> Verdict:
    """Look for a model card, and for what it answers."""
    best: dict[str, Evidence] = {}
    empty: list[Evidence] = []
    for document, whole in _cards(project):
        found = answers(project, document, _QUESTIONS)
        if not found and whole:
            empty.append(Evidence(Span(document.path), "nothing filled in"))
        if len(found) > len(best):
            best = found
    if len(best) == len(_QUESTIONS):
        path = best["limits"].span.path
        return passed(f"{path} says intended use, data, metrics and limits", _shown(best))
    if best:
        lacking = ", ".join(name for name in _QUESTIONS if name not in best)
        return partial(f"the model card does not say {lacking}", _shown(best))
    made = [u.evidence() for u in project.uses("model.card")]
    made += [Evidence(Span(p), "model card as data") for p in _data_cards(project)]
    if made:
        return partial("code builds a model card; its text is not in the repository", made[:3])
    unread = project.docs.unread(_NAME)
    if unread:
        return unknown(f"{unread[0].span.path} could not be read", unread)
    if empty:
        return hollow("the model card is not filled in", empty, looked_for=_LOOKED_FOR)
    return failed("there is no model card", looked_for=_LOOKED_FOR)


def _shown(found: dict[str, Evidence]) -> list[Evidence]:
    return [Evidence(e.span, f"{name}: {e.detail}") for name, e in found.items()]


def _cards(project: Project) -> Iterator[tuple[Document, bool]]:
    """Documents that are a model card, and parts of documents that are one."""
    for document in project.docs.own:
        if _ABOUT_CARDS.search(document.path):
            continue
        front = document.front_matter
        if (
            _NAME.search(document.path.rsplit("/", 1)[-1])
            or (document.sections and _NAME.search(document.title))
            or (front is not None and any(front.get(k) is not None for k in _HUB_KEYS))
        ):
            yield document, True
            continue
        titles = " ".join(s.title for s in document.sections)
        if len(_SIBLINGS.findall(titles)) > 1:
            yield document, False
        for section in document.sections:
            if section.title and _PART.match(section.title):
                part = Document(document.path, section.title, document.under(section))
                yield part, True
        told = [s for s in document.sections if _INTENDED.search(s.title)]
        told += [s for s in document.sections if _LIMITS.search(s.title) and told]
        if len(told) > 1:
            yield Document(document.path, "", tuple(told)), False


def _data_cards(project: Project) -> Iterator[str]:
    for path in project.glob("**/model*card*.json", "**/model*card*.y*ml"):
        if len((project.text(path) or "").split()) > 20 and not project.is_test(path):  # noqa: PLR2004 -- more than keys
            yield path
