"""Where a project says how people work on it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.doctypes import Document, Section
from mlops_audit.graph import Project
from mlops_audit.graph.docs import body
from mlops_audit.graph.statements import said_below
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

__all__ = ["AGREEMENT", "FILES", "TITLES", "guides", "says_how"]

FILES = regex(
    r"(^|/)(contributing|hacking|development|developing|developer[\w-]*|dev_?guide|"
    r"development_set_?up|agents|claude|gemini|copilot-instructions)\.?(md|rst|adoc|txt)?$",
    re.IGNORECASE,
)
TITLES = regex(
    r"\bcontribut(e|ing|ion|ions)\b|\bdevelop(ment|ing|ers?)\b|\bhacking\b|\bpull requests?\b|"
    r"\b(how to|run(ning)?|unit|the|integration|execute)\s+(the\s+)?(unit\s+)?test(s|ing)?\b|"
    r"^test(s|ing)?\b(?!\s+(the\s+|your\s+|out\s+)?(workflow|api|apps?|application|services?|"
    r"endpoints?|deploy\w*|models?|predict\w*|servers?|lambda|containers?|image|demo|it)\b)|"
    r"\bpre-?commits?\b|\bcode (quality|style)\b|\bfor developers\b|\blinting\b|\bcoding (style|"
    r"standards)\b",
    re.IGNORECASE,
)
# The environment of that name is where a service is tried, not where people work on the code.
_PLACE = regex(r"deploy|release|\b(to|in) (the )?develop", re.IGNORECASE)
# In the documentation of a product, "Testing" may be what its users do.
_ABOUT_US = regex(
    r"contribut|hacking|for developers|developers?[_ -]?(guide|set)|dev[_ -]guide|pull requests?|"
    r"develop(ing|ment)?[_ -](set-?up|guide|environment|workflow|process)|coding (style|standards)|"
    r"architecture|automation|maintain|pre[_-]?commit[\w-]*\.(md|rst|txt)",
    re.IGNORECASE,
)
AGREEMENT = regex(
    r"contributor license agreement|\bCLA\b|code of conduct|developer certificate", re.IGNORECASE
)
_HOW = regex(
    r"\bfork\b|\bbranch(es)?\b|pull request|\bPRs?\b|merge request|\bpytest\b|\btox\b|\bnox\b|"
    r"pre-?commit|\bmake (test|lint|check|setup|install|format|unit|integration|qual)\w*|"
    r"unittest|\bmise run|"
    r"install (it )?(-e|\.|for dev|the dev)|pip install|poetry install|uv sync|uv run|\blint\w*\b|"
    r"\bdevelopment environment\b|(dev|local|conda|virtual) environment|python modules|"
    r"\bflake8\b|\bruff\b|\bblack\b|conda env create|\bjust \w+|hatch run|npm (test|install)|"
    r"tests? (pass|must)|conventional ?commits|commits? (messages? )?(should |must )?follow|"
    r"discuss (the|your|any) change\b.{0,80}\bissue|"
    r"\b(never|not|don't) (run )?`?(commit|git push|push to)\b",
    re.IGNORECASE,
)
# Of the lines that say how, those with a command or a request show it most plainly.
_DOES = regex(
    r"^\s*(\$ )?(pip|poetry|uv|pdm|conda|make|tox|nox|pytest|python|pre-commit|npm|just|hatch|git|"
    r"pixi|mise|ruff|black|flake8)\b.*[\w./-]|\b(open|submit|create|send|make) (a|your|an?) (new )?"
    r"(pull|merge) request|\bfork\b.*\brepo",
    re.IGNORECASE,
)
_WORDS = 12
_REQUESTS = regex(r"(pull|merge)[ -]requests?|\bPRs?\b", re.IGNORECASE)
_NAMES = regex(r"\[[^\]\n]{0,200}\]\([^)\n]{0,300}\)|`[^`\n]{1,200}`|https?://\S+")
# What somebody is asked to do for one.
_ASKS = regex(
    r"\b(fork|commits?|branch(es)?|submit|open(ing)?|send|squash|rebase|target|reviewe?r?s?|approv\w*|"
    r"merged?|discuss|issue|tests?|lint\w*|changelog|welcome)\b",
    re.IGNORECASE,
)


def says_how(document: Document, section: Section) -> bool:
    """Whether a section tells how to set up, test or submit, beyond an agreement or thanks.

    Under a title that speaks of pull requests, the text has to say more than the title: it may
    be about what automation does when one is opened.
    """
    parts = document.under(section)
    code = "\n".join(b.text for s in parts for b in s.code)
    if _HOW.search(code):
        return True
    text = body(document, section)
    kept = [
        p for p in re.split(r"\n\s*\n", text) if p.strip() and not AGREEMENT.search(p)
    ]  # an agreement's boilerplate speaks of pull requests too
    rest = " ".join(kept)
    if _REQUESTS.search(section.title) and not _ASKS.search(_NAMES.sub(" ", rest)):
        return False
    return len(re.findall(r"\w+", rest)) >= _WORDS and bool(_HOW.search(rest))


def guides(project: Project) -> Iterator[tuple[Evidence, bool]]:
    """Places on how to work on the project, and whether each says how."""
    for document in project.docs.named(FILES):
        if "/skills/" in document.path or document.path.startswith((".claude/", ".gemini/")):
            continue
        good = [s for s in document.sections if says_how(document, s)]
        for section in (good or list(document.sections))[:1]:
            told = said_below(project, document, section, _DOES, _HOW, but=AGREEMENT)
            if told.span.line is None:
                told = Evidence(Span(document.path), "a guide for contributors")
            yield told, bool(good)
    for document in _read(project):
        for section in document.sections:
            if document not in project.docs.guide and not _ABOUT_US.search(
                f"{document.path} {section.title}"
            ):
                continue  # a page of the product's manual
            named = section.title and section.title != document.title
            own = document not in project.docs.guide[:1]  # a page may be about nothing else
            if (named or own) and TITLES.search(section.title) and not _PLACE.search(section.title):
                told = said_below(project, document, section, _DOES, _HOW, but=AGREEMENT)
                yield told, says_how(document, section)


def _read(project: Project) -> Iterator[Document]:
    """The README, what it links, and the documentation."""
    seen = set()
    for document in (*project.docs.guide, *project.docs.pages):
        if document.path not in seen and not FILES.search(document.path):
            seen.add(document.path)
            if document in project.docs.guide or document.path.startswith(("docs/", "doc/")):
                yield document
