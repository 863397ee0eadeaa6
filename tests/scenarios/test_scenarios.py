"""Every scenario of every twin, as one test: the repository it shows gives the verdict it says."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest

from mlops_audit.audit import Request, audit, read_config
from mlops_audit.config import Config
from mlops_audit.graph import Project
from mlops_audit.model import Evidence, Practice, Span, Verdict
from mlops_audit.practices import catalogue
from mlops_audit.practices.document import document
from mlops_audit.practices.scenario import Scenario, ScenarioFile
from mlops_audit.tree import GitInfo, MemoryTree, Tag

# A capital, a number, or the spelling of a path or a command; some words; one full stop.
_SENTENCE = re.compile(
    r"(?:[A-Z0-9]|[\w-]*[/._][\w./*-]*[ ,:]|(?:dvc|git|just|make|nox|tox|uv) )"
    r"[^\n]*\w+[^\n]* [^\n]*[^.\s]\."
)
_DAY = date(2026, 1, 1)  # what has expired must not depend on when the tests run
_GIT_FIELDS = frozenset(field.name for field in dataclasses.fields(GitInfo))


def _collected() -> Iterator[Any]:
    """One parameter set a scenario; a missing twin is a contract's matter, not ours."""
    for practice in catalogue():
        try:
            scenarios = document(practice).scenarios
        except OSError:
            continue
        for scenario in scenarios:
            name = f"{practice.id} {scenario.kind}: {scenario.title}"
            yield pytest.param(practice, scenario, id=name)


@pytest.mark.parametrize(("practice", "scenario"), list(_collected()))
def test_scenario(practice: Practice, scenario: Scenario) -> None:
    """The verdict has the outcome, the evidence and the words that the twin shows."""
    assert not scenario.problems, "\n".join(scenario.problems)
    verdict = _verdict(practice, _tree(scenario))
    wrong = list(_differences(scenario, verdict))
    if wrong:
        pytest.fail(_message(practice, scenario, verdict, wrong), pytrace=False)


def _tree(scenario: Scenario) -> MemoryTree:
    def having(attribute: str) -> list[ScenarioFile]:
        return [file for file in scenario.files if getattr(file, attribute)]

    return MemoryTree(
        {f.path: f.content for f in scenario.files if not f.absent and not f.link},
        name="scenario",
        git=_git(scenario.git),
        links={file.path: file.link for file in having("link")},
        absent=[file.path for file in having("absent")],
        executable=[file.path for file in having("executable")],
    )


def _git(text: str | None) -> GitInfo | None:
    """The git fence's TOML as `GitInfo`; an unknown key is an error of the scenario."""
    if text is None:
        return None
    given = tomllib.loads(text)
    unknown = sorted(given.keys() - _GIT_FIELDS)
    assert not unknown, f"the git fence knows no {', '.join(unknown)}, but {sorted(_GIT_FIELDS)}"
    tags = given.pop("tags", ())
    history = given.pop("history", {})
    branches = tuple(given.pop("branches", ()))
    defaults: dict[str, Any] = {
        "commit": "0" * 40,
        "commits": 1,
        "default_branch": branches[0] if branches else None,
    }
    for moment in ("first_commit", "last_commit"):
        if moment in given:
            given[moment] = _seconds(given[moment])
    return GitInfo(
        **{**defaults, **given},
        branches=branches,
        tags=tuple(_tag(tag) for tag in tags),
        history={path: tuple(t.encode() for t in texts) for path, texts in history.items()},
    )


def _tag(tag: Any) -> Tag:  # noqa: ANN401 -- a name or a table, as TOML gives it
    if isinstance(tag, str):
        return Tag(tag)
    return Tag(**{**tag, "created": _seconds(tag["created"])} if "created" in tag else tag)


def _seconds(moment: Any) -> int:  # noqa: ANN401 -- a number, a date or a time, as TOML gives it
    if isinstance(moment, int):
        return moment
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp())


def _verdict(practice: Practice, tree: MemoryTree) -> Verdict:
    """Judge through the audit, so that roles count; a fault is raised, never an `unknown`."""
    config, _ = read_config(tree, _DAY)
    report = audit(tree, config, request=Request(practices=(practice,)))
    faults = [d.message for d in report.diagnostics if d.message.startswith("a fault in the check")]
    if faults:
        practice.judge(Project.load(tree, Config()))
        raise AssertionError(faults[0])
    return report.findings[0].verdict


def _differences(scenario: Scenario, verdict: Verdict) -> Iterator[str]:
    got = "hollow" if verdict.hollow else str(verdict.outcome)
    if got != scenario.kind:
        yield f"outcome: expected {scenario.kind}, got {got}"
    shown = list(_flat(verdict.evidence))
    for place in scenario.expected:
        if not any(_stands(place, span) for span in shown):
            yield f"evidence: expected {place}, which is not among what was shown"
    marked = {place.path for place in scenario.expected}
    for item in verdict.evidence if marked else ():
        if item.span.path not in marked:
            yield f"evidence: {item.span} lies in a file without a mark"
    if not _SENTENCE.fullmatch(verdict.reason):
        yield f"reason: not one sentence that says what was found or is missing: {verdict.reason!r}"
    if verdict.outcome == "fail" and not verdict.looked_for:
        yield "looked for: a fail says what would have counted"
    for words in scenario.reasons:
        if words.lower() not in verdict.reason.lower():
            yield f"reason: expected the words {words!r}"


def _flat(evidence: Sequence[Evidence]) -> Iterator[Span]:
    """The places of the evidence and of the hops that lead there."""
    for item in evidence:
        yield item.span
        yield from _flat(item.chain)


def _stands(place: Span, span: Span) -> bool:
    """Whether a span is at the expected place; a place without a line is any line of its file."""
    if place.line is None:
        return place.path == span.path and place.cell in (None, span.cell)
    return place == span


def _message(practice: Practice, scenario: Scenario, verdict: Verdict, wrong: Sequence[str]) -> str:
    twin = practice.judge.__module__.replace(".", "/").removeprefix("mlops_audit/")
    lines = [f"src/mlops_audit/{twin}.md:{scenario.line}: {scenario.kind}: {scenario.title}"]
    lines += [f"  {difference}" for difference in wrong]
    lines.append(f"got {verdict.outcome}{' (hollow)' if verdict.hollow else ''}: {verdict.reason}")
    if verdict.looked_for:
        lines.append(f"looked for: {verdict.looked_for}")
    lines += [f"  {hop}" for item in verdict.evidence for hop in _shown(item)]
    return "\n".join(lines if verdict.evidence else [*lines, "  no evidence"])


def _shown(item: Evidence) -> Iterator[str]:
    yield f"{item.span}  {item.detail}"
    for hop in item.chain:
        yield f"    through {hop.span}  {hop.detail}"
