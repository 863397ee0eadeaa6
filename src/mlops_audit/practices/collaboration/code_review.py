"""COL04: review of changes is set up in the repository."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.placeholders import is_placeholder
from mlops_audit.graph import Project
from mlops_audit.graph.sourcelines import text_span
from mlops_audit.model import Evidence, Span, Verdict, failed, hollow, partial, passed, unknown
from mlops_audit.practices.base import practice
from mlops_audit.practices.collaboration._guides import FILES, TITLES
from mlops_audit.regex import regex

_OWNERS = regex(r"^((\.github|\.gitlab|docs|\.bitbucket)/)?CODEOWNERS$")
_RULE = regex(r"^\s*[^#\s\[]\S*\s+.*(@[\w-]+|[\w.+-]+@[\w-]+\.\w+)")
_TEMPLATE = regex(
    r"^(?:(?:\.github|docs|\.azuredevops|\.gitlab)/)?(?:pull_request_template|"
    r"merge_request_templates)"
    r"(?:/[^/]+)?(?:\.(?:md|txt))?$",
    re.IGNORECASE,
)
_RULES = regex(
    r"^\.github/(?:rulesets/.*\.json|settings\.ya?ml|branch-protection[\w.-]*|"
    r"[\w-]*protection[\w-]*\.(?:json|ya?ml))$|(^|/)ruleset[\w-]*\.json$|^\.asf\.yaml$|"
    r"^\.mergify\.ya?ml$|\.tf$",
    re.IGNORECASE,
)
_REQUIRES = regex(
    r"[\"']type[\"']\s*:\s*[\"'](pull_request|required_status_checks)[\"']|"
    r"required_pull_request_reviews|required_status_checks|required_approving_review_count|"
    r"#approved-reviews-by|resource\s+\"(github_branch_protection\w*|github_repository_ruleset|"
    r"azuredevops_branch_policy\w*|gitlab_project_approval_rule)\""
)
_ASKS = regex(
    r"\b(code[ -]?review|reviewed by|review(er|ers)?\b.{0,60}(approv|merge)|approv\w+.{0,60}review|"
    r"(must|will|should|needs? to) be (reviewed|approved)|request (a )?review|"
    r"(wait for|get|require\w*) .{0,30}(review|approval))",
    re.IGNORECASE,
)
_COMMENT = regex(r"<!--(.*?)-->", re.DOTALL)
_WORDS = 6  # beyond headings, of a template that asks for something
_SHORT = 4  # words, the box among them: a choice rather than a request
_LOOKED_FOR = "CODEOWNERS with owners, a pull-request template with content, or a ruleset"


@practice(
    id="COL04",
    title="Changes are reviewed",
    assets="code",
    level="5s",
    sources="S4",
    fix="Add .github/CODEOWNERS with a rule for each part of the project.",
    template=(".github/CODEOWNERS", ".github/pull_request_template.md"),
    attestable=True,
)
def code_review(project: Project) -> Verdict:
    """Look for owners, templates and rules; then for a guide that asks for review."""
    found: list[Evidence] = []
    empty: list[Evidence] = []
    hidden: list[Evidence] = []
    for path in project.paths:
        if (_OWNERS.match(path) or _TEMPLATE.match(path)) and project.text(path) is None:
            hidden.append(Evidence(Span(path), project.unread.get(path, "not read")))
        elif _OWNERS.match(path):
            rule = next(_lines(project, path, _RULE), None)
            (found if rule else empty).append(rule or Evidence(Span(path), "no owner"))
        elif _TEMPLATE.match(path):
            said = _asked(project, path)
            (found if said else empty).append(said or Evidence(Span(path), "headings only"))
        elif path == "OWNERS":
            found += _approvers(project, path)
        elif _RULES.search(path):
            found += list(_lines(project, path, _REQUIRES))[:2]
    if found:
        return passed(f"{found[0].span.path} sets up review", found[:5])
    asked = list(_guides(project))
    if asked:
        return partial("a guide asks for review, nothing in the repository sets it up", asked[:3])
    if hidden:
        return unknown(f"{hidden[0].span.path} could not be read", hidden)
    if empty:
        where = f"{empty[0].span.path} has no content"
        return hollow(where, empty[:3], looked_for=_LOOKED_FOR)
    return failed("nothing in the repository sets up review", looked_for=_LOOKED_FOR)


def _approvers(project: Project, path: str) -> list[Evidence]:
    """The people whom Prow asks to review and to approve."""
    lines = project.lines(path)
    found = []
    for number, line in enumerate(lines, 1):
        listed = any(re.match(r"\s*-\s*\S", x) for x in lines[number : number + 2])
        if re.match(r"(approvers|reviewers)\s*:\s*$", line) and listed:
            found.append(Evidence(Span(path, number), f"{line.strip()} {lines[number].strip()}"))
    return found


def _lines(project: Project, path: str, pattern: re.Pattern[str]) -> Iterator[Evidence]:
    for number, line in enumerate(project.lines(path), 1):
        if pattern.search(line[:500]) and not line.lstrip().startswith("#"):
            yield Evidence(Span(path, number), line.strip())


def _asked(project: Project, path: str) -> Evidence | None:
    """What a pull-request template asks for, beyond headings and comments."""
    document = project.docs.get(path)
    for section in document.sections if document else ():
        boxes = [
            i
            for i in section.items
            if re.match(r"\[[ xX]\]\s*\w", i) and not re.search(r"I confirm that|licen[cs]e", i)
        ]
        if boxes:
            box = next((b for b in boxes if len(b.split()) > _SHORT), boxes[0])
            asked = re.sub(r"^\[[ xX]\]\s*", "", box)
            place = text_span(project, section.span, asked[:25])
            return Evidence(place, f"a pull request is asked: {asked}")
        # A question that waits for its answer is a heading; a legal phrase asks for nothing.
        lines = [
            x.strip("*_ ")
            for x in section.text.split("\n")
            if x.strip() and not re.search(r":[*_\s]*$|I confirm that|licen[cs]e|^\W*\[!", x)
        ]
        text = " ".join(lines)
        if len(text.split()) >= _WORDS and not is_placeholder(text):
            line = next((x for x in lines if len(x.split()) > _SHORT), lines[0])
            place = text_span(project, section.span, line[:60])
            return Evidence(place, f"a pull request is asked: {line}")
    # Comments are what the author of a pull request reads while filling it in.
    for found in _COMMENT.finditer((project.text(path) or "")[:8_000]):
        if len(found[1].split()) >= _WORDS and not is_placeholder(found[1]):
            said = found.start(1) + len(found[1]) - len(found[1].lstrip())
            number = (project.text(path) or "").count("\n", 0, said) + 1
            told = " ".join(found[1].split())
            return Evidence(Span(path, number), f"a pull request is asked: {told}")
    return None


def _guides(project: Project) -> Iterator[Evidence]:
    """Guides for contributors that ask for review."""
    files = project.docs.named(FILES)
    for document in (*files, *project.docs.guide):
        for section, span, text in project.docs.paragraphs(document):
            if (document in files or TITLES.search(section.title)) and _ASKS.search(text):
                yield Evidence(span, text)
