"""Repositories built to look mature and be hollow get no credit; honest detours do."""

from __future__ import annotations

import pytest
from tests.hostile.hollow import BASE, HOLLOW
from tests.hostile.honest import HONEST

from mlops_audit.audit import audit
from mlops_audit.model import Finding, Outcome
from mlops_audit.tree import GitInfo, MemoryTree

_GIT = GitInfo(commit="0" * 40, branches=("main",), default_branch="main", commits=3)
_CREDIT = {Outcome.PASS: 2, Outcome.PARTIAL: 1}
_BY_ABSENCE = {"VER04", "REP07", "REP11"}  # what is missing cannot be faked


def judged(files: dict[str, str]) -> tuple[int, dict[str, Finding]]:
    """The level, and the findings by practice."""
    report = audit(MemoryTree(files, git=_GIT))
    assert not [d for d in report.diagnostics if "a fault in the check" in d.message]
    return report.assessment.level.reached, {f.practice.id: f for f in report.findings}


@pytest.fixture(scope="module")
def base() -> dict[str, int]:
    """What the honest small repository is credited with, by practice."""
    return {i: _CREDIT.get(f.verdict.outcome, 0) for i, f in judged(dict(BASE))[1].items()}


@pytest.mark.parametrize("name", HOLLOW)
def test_a_hollow_repository_gets_no_credit(name: str, base: dict[str, int]) -> None:
    """No practice is better than without the decoration, and the level stays at the ground."""
    hollow = HOLLOW[name]
    files = {p: t for p, t in {**BASE, **hollow.files}.items() if t is not None}
    level, findings = judged(files)
    fooled = []
    for practice, finding in findings.items():
        credit = _CREDIT.get(finding.verdict.outcome, 0)
        most = base[practice]
        if practice in hollow.rise:
            most = 1 if hollow.rise[practice].startswith("~") else 2
        if credit > most and practice not in _BY_ABSENCE:
            shown = "; ".join(f"{e.span} [{e.detail}]" for e in finding.verdict.evidence[:2])
            fooled.append(f"{practice} {finding.verdict.outcome}: {finding.verdict.reason} {shown}")
    assert not fooled, "\n" + "\n".join(fooled)
    assert level == 0


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_detour_of_four_hops_counts(name: str) -> None:
    """What runs is found through indirections, however it is wrapped."""
    honest = HONEST[name]
    _, findings = judged({**BASE, **honest.files})
    lost = {
        practice: f"{findings[practice].verdict.outcome}: {findings[practice].verdict.reason}"
        for practice in honest.passes
        if findings[practice].verdict.outcome is not Outcome.PASS
    }
    assert not lost
