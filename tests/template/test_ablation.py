"""Without the template files that a practice names it loses its pass, and others keep theirs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pytest
from tests.template.ablation import PACKAGE, Project, files_of, judged
from tests.template.prepared import Prepared
from tests.template.support import Template

from mlops_audit.model import Finding, Outcome, Practice, Report
from mlops_audit.practices import catalogue

# What a level-5 project does not provide with the defaults, and why.
NOT_PROVIDED = {
    "VER03": "the remote is a folder of this machine",
    "TRK06": "runs are shared by the remote",
    "REP09": "only a run can tell",
    "STR04": "one notebook has no order to keep",
}
# What is absent cannot be taken away: these pass because nothing forbidden is there.
ABSENCE = {
    "VER04": "no data or model file is in git; an empty file is none either",
    "REP07": "no path of one person's machine is written anywhere",
    "REP11": "no credential is written anywhere",
}
# Code that shows up in the evidence of these practices, and is not what provides them.
SHOWN_TOO = {
    "AUT08": "what CI trains and validates stands in the code of other practices",
    "TST18": "the tracker's record names the held-out rows",
}
# Of practices of every kind: those of the fast suite, which judges the tree as it is generated.
SAMPLE = ("AUT13", "VER08", "TST04", "MON13", "REP02", "COL08")


@dataclass(frozen=True)
class Ablation:
    """What the audit says without a practice's files."""

    outcomes: Mapping[str, Outcome]
    reasons: Mapping[str, str]
    roles: tuple[bool, str]


def practice_of(identifier: str) -> Practice:
    """The practice of an id."""
    return next(p for p in catalogue() if p.id == identifier)


def findings_of(report: Report) -> dict[str, Finding]:
    """The findings of a report by their practice."""
    return {finding.practice.id: finding for finding in report.findings}


def ablation(project: Project, identifier: str) -> Ablation:
    """Judges everything without one practice's files."""
    report = judged(project.without(practice_of(identifier)))
    found = findings_of(report)
    return Ablation(
        {name: f.outcome for name, f in found.items()},
        {name: f.verdict.reason for name, f in found.items()},
        (report.roles.trains, report.roles.serves),
    )


@pytest.mark.parametrize("identifier", SAMPLE)
def test_a_sample_loses_its_pass(generated: Project, identifier: str) -> None:
    """Blanked, the named files no longer give a pass that the generated tree has."""
    practice = practice_of(identifier)
    before = judged(generated.files, practice).findings[0]
    after = judged(generated.without(practice), practice).findings[0]
    assert before.outcome is Outcome.PASS, before.verdict.reason
    assert after.outcome is not Outcome.PASS, after.verdict.reason


def test_a_practice_names_the_code_that_gives_its_evidence(generated: Project) -> None:
    """`fix` offers what a practice names, so nothing of the package may be left out of it."""
    for finding in judged(generated.files).findings:
        if finding.outcome is Outcome.PASS and finding.practice.id not in SHOWN_TOO:
            shown = {
                e.span.path for e in finding.verdict.evidence if e.span.path.startswith("src/")
            }
            left = shown - generated.named(finding.practice)
            assert not left, f"{finding.practice.id}: {sorted(left)}"


@pytest.fixture(scope="module")
def generated(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A level-5 project in which nothing has run yet."""
    folder = tmp_path_factory.mktemp("made") / "project"
    files = files_of(template.generate(folder, {"maturity_level": 5}))
    assert f"src/{PACKAGE}/params.py" in files
    return Project(files)


@pytest.fixture(scope="module")
def run(prepared: Prepared) -> Project:
    """A level-5 project whose README has been followed, up to its commit."""
    return Project(files_of(prepared("bikes-5").path))


@pytest.fixture(scope="module")
def base(run: Project) -> Report:
    """What the audit says of it as it is."""
    return judged(run.files)


@pytest.fixture(scope="module")
def ablations(run: Project, base: Report) -> dict[str, Ablation]:
    """The audit without the files of each practice that passes, on all processors."""
    passing = [f.practice.id for f in base.findings if f.outcome is Outcome.PASS]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        return dict(zip(passing, pool.map(partial(ablation, run), passing), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_fix_has_something_to_offer_at_each_level(
    level: int, template: Template, tmp_path: Path
) -> None:
    """Of what a practice names, files or a folder, something is there at the level that asks."""
    made = files_of(template.generate(tmp_path / "project", {"maturity_level": level}))
    for practice in catalogue():
        if min(ask.level for ask in practice.asked) == level and practice.fix.template:
            names = {name.replace("<package>", PACKAGE) for name in practice.fix.template}
            there = [
                p for p in (*made, "dvc.lock") if any(f"{p}/".startswith(f"{n}/") for n in names)
            ]
            assert there, f"{practice.id}: {sorted(names)}"


@pytest.mark.slow
def test_everything_that_can_be_provided_is(base: Report) -> None:
    """What does not pass at level 5 is in the table above, with its reason."""
    missing = {f.practice.id for f in base.findings if f.outcome is not Outcome.PASS}
    assert missing <= NOT_PROVIDED.keys()


@pytest.mark.slow
@pytest.mark.parametrize("identifier", sorted(p.id for p in catalogue()))
def test_without_its_files_a_practice_does_not_pass(
    identifier: str, ablations: dict[str, Ablation]
) -> None:
    """The verdict falls to fail or partial, or to n/a where the role went with the files."""
    if identifier in NOT_PROVIDED:
        pytest.skip(NOT_PROVIDED[identifier])
    left = ablations[identifier]
    if identifier in ABSENCE:
        assert left.outcomes[identifier] is Outcome.PASS, "no longer a practice of absence"
        return
    assert left.outcomes[identifier] is not Outcome.PASS, left.reasons[identifier]
    assert left.outcomes[identifier] is not Outcome.UNKNOWN, left.reasons[identifier]


@pytest.mark.slow
@pytest.mark.parametrize("identifier", sorted({p.id for p in catalogue()} - NOT_PROVIDED.keys()))
def test_practices_that_do_not_depend_on_the_files_stay(
    identifier: str, ablations: dict[str, Ablation], base: Report, run: Project
) -> None:
    """What depends on a file says `tests/template/ablation.py`; all others judge as before."""
    gone = run.taken(practice_of(identifier))
    left = ablations[identifier]
    roles_stay = left.roles == (base.roles.trains, base.roles.serves)
    for name, finding in findings_of(base).items():
        if name == identifier or run.dependencies(finding) & gone:
            continue
        now = left.outcomes[name]
        if now is Outcome.NOT_APPLICABLE and not roles_stay:
            continue
        assert now is finding.outcome, f"{name}: {left.reasons[name]}"


@pytest.mark.slow
def test_most_practices_are_independent_of_each_other(base: Report, run: Project) -> None:
    """The test above would prove nothing if everything depended on everything."""
    findings = findings_of(base)
    taken = {name: run.taken(f.practice) for name, f in findings.items()}
    pairs = [
        not run.dependencies(finding) & taken[other]
        for name, finding in findings.items()
        for other in findings
        if other != name
    ]
    assert sum(pairs) > 0.6 * len(pairs)
