"""The audit: every practice judged, roles and attestations applied, faults kept to themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

import mlops_audit
from mlops_audit.audit import Request, audit, read_config
from mlops_audit.config import Config, ConfigError, load_config
from mlops_audit.maturity import load_model
from mlops_audit.model import (
    Evidence,
    Finding,
    Fix,
    Outcome,
    Practice,
    Report,
    Span,
    Strength,
    Verdict,
    failed,
    parse_asks,
    partial,
    passed,
    sentence,
    unknown,
)
from mlops_audit.tree import MemoryTree

DAY = date(2026, 6, 1)
HERE = Evidence(Span("train.py", 1), "seen")
TRAINS = "from sklearn.svm import SVC\nmodel = SVC()\nmodel.fit([[1]], [1])\n"


def practice(
    judge: Callable[[Any], Verdict],
    id_: str = "MON05",
    *,
    needs: tuple[str, ...] = (),
    attestable: bool = True,
) -> Practice:
    """A practice that judges as told."""
    return Practice(
        id=id_,
        slug="performance-monitoring",
        title="t",
        assets=("model",),
        asked=parse_asks("3M"),
        fix=Fix("Do it."),
        judge=judge,
        needs=needs,
        attestable=attestable,
    )


def run(one: Practice, config: Config | None = None, **files: str) -> Report:
    """Audit a repository that trains, with one practice."""
    tree = MemoryTree({"train.py": TRAINS} | files)
    return audit(tree, config, request=Request(practices=(one,)))


def only(report: Report) -> Finding:
    """The one finding."""
    (found,) = report.findings
    return found


def configured(text: str) -> Config:
    """Read a configuration."""
    return load_config({"mlops-audit.toml": text.encode()}, day=DAY)[0]


ATTESTED = (
    '[[attestations]]\npractice = "performance-monitoring"\nreason = "dashboard"\n'
    'owner = "ana"\nexpires = 2026-12-31\n'
)


def test_a_fault_costs_its_own_practice_only() -> None:
    """A practice that raises is unknown, with a reason and a diagnostic that name it."""

    def broken(_: object) -> Verdict:
        raise KeyError("/home/someone/secret")

    report = run(practice(broken))
    assert only(report).outcome is Outcome.UNKNOWN
    assert only(report).verdict.reason == "A fault in this check (practice MON05): please report."
    (said,) = [d.message for d in report.diagnostics if "MON05" in d.message]
    assert "KeyError at test_audit.py:" in said
    assert "/home" not in said


def test_what_is_no_verdict_is_a_fault() -> None:
    """A practice that returns nothing is unknown."""
    found = only(run(practice(lambda _: None)))  # type: ignore[arg-type, return-value]
    assert found.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [
        (failed("no", looked_for="x"), Outcome.NOT_APPLICABLE),
        (unknown("unread"), Outcome.NOT_APPLICABLE),
        (partial("half", HERE), Outcome.PARTIAL),
        (passed("yes", HERE), Outcome.PASS),
    ],
)
def test_missing_role_never_hides_what_is_there(verdict: Verdict, outcome: Outcome) -> None:
    """Without the role a fail or unknown does not apply; a pass and a partial stay."""
    report = run(practice(lambda _: verdict, needs=("prediction",)))
    assert report.roles.trains
    assert report.roles.serves == "none"
    assert only(report).outcome is outcome


def test_role_that_is_there_leaves_the_fail() -> None:
    """What trains has to answer for training."""
    found = only(run(practice(lambda _: failed("no", looked_for="x"), needs=("training",))))
    assert found.outcome is Outcome.FAIL
    assert found.strength is None


def test_attestation_passes_and_is_told_apart() -> None:
    """A person's word passes with the strength attested, and points at its own line."""
    report = run(practice(lambda _: failed("no", looked_for="x")), configured(ATTESTED))
    assert only(report).outcome is Outcome.PASS
    assert only(report).strength is Strength.ATTESTED
    assert str(only(report).verdict.evidence[0].span) == "mlops-audit.toml:2"
    assert report.attestations[0].practice == "MON05"


def test_what_was_found_needs_no_word() -> None:
    """Found evidence is stronger than a person's word, and stays."""
    report = run(practice(lambda _: passed("yes", HERE)), configured(ATTESTED))
    assert only(report).strength is Strength.FOUND


def test_expired_attestation_does_not_count_and_is_reported() -> None:
    """After its last day a word counts for nothing, and the report says so."""
    config = configured(ATTESTED.replace("2026-12-31", "2026-01-31"))
    report = run(practice(lambda _: failed("no", looked_for="x")), config)
    assert only(report).outcome is Outcome.FAIL
    assert any("expired on 2026-01-31" in d.message for d in report.diagnostics)
    assert report.attestations[0].expired


def test_what_a_repository_can_show_cannot_be_attested() -> None:
    """Attesting such a practice is a wrong configuration."""
    one = practice(lambda _: failed("no", looked_for="x"), attestable=False)
    with pytest.raises(ConfigError, match="itself can show"):
        run(one, configured(ATTESTED))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ATTESTED.replace("performance-monitoring", "MON55"), "did you mean 'MON05'"),
        ("[require]\nTST1 = 'found'\n", "require: no practice is called 'TST1'"),
        ("[canvas]\nmetadata = 'x'\n", "did you mean 'metadata-store'"),
        ("[tools.mine]\nname = 3\n", "tools: "),
    ],
)
def test_names_that_do_not_exist_are_refused(text: str, said: str) -> None:
    """A name that means nothing is a wrong configuration, with the nearest name."""
    with pytest.raises(ConfigError) as caught:
        run(practice(lambda _: passed("yes", HERE)), configured(text))
    assert said in str(caught.value)


def test_waiver_changes_neither_outcome_nor_level() -> None:
    """A waiver is shown, and nothing else changes."""
    one = practice(lambda _: failed("no", looked_for="x"))
    waived = run(one, configured(ATTESTED.replace("attestations", "waivers")))
    plain = run(one)
    assert waived.findings == plain.findings
    assert waived.assessment == plain.assessment
    assert waived.waivers[0].practice == "MON05"


def test_empty_folder_is_level_zero_with_a_sentence() -> None:
    """Nothing at all is level 0, no score, and one plain sentence."""
    report = audit(MemoryTree({}))
    assert report.assessment.level.reached == 0
    assert report.assessment.scores.total is None
    assert "no file" in (report.assessment.level.remark or "")


def test_repository_without_a_model_is_level_zero_with_a_sentence() -> None:
    """What has nothing to do with models gets no score that flatters."""
    report = audit(MemoryTree({"README.md": "# A web site\n", "index.html": "<p>hello</p>\n"}))
    assert report.roles.kind == "none"
    assert report.assessment.level.reached == 0
    assert report.assessment.scores.total is None
    assert report.assessment.level.remark == load_model("ladder").remarks["none"]


def test_same_input_gives_the_same_report() -> None:
    """Two audits of one tree are equal."""
    files = {"train.py": TRAINS, "README.md": "# x\n"}
    assert audit(MemoryTree(files)) == audit(MemoryTree(files))


def test_project_that_does_not_exist_is_refused() -> None:
    """`project` names a folder of the tree, with the nearest named where it does not."""
    tree = MemoryTree({"apps/churn/train.py": TRAINS})
    assert audit(tree, project="apps/churn").projects[0].name == "churn"
    with pytest.raises(ConfigError, match="did you mean 'apps/churn'"):
        audit(tree, project="apps/chrun")


def test_a_project_has_what_the_root_does_for_it() -> None:
    """CI at the repository's root counts for the project whose tests it runs, for no other."""
    workflow = (
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - run: python -m pytest\n        working-directory: apps/a\n"
    )
    files = {".github/workflows/ci.yml": workflow}
    for app in ("apps/a", "apps/b"):
        files[f"{app}/train.py"] = TRAINS + "\n\ndef double(x):\n    return 2 * x\n"
        files[f"{app}/pyproject.toml"] = '[project]\nname = "x"\nversion = "1"\n'
        files[f"{app}/tests/test_x.py"] = (
            "from train import double\n\n\ndef test_x():\n    assert double(1) == 2\n"
        )
    tree = MemoryTree(files)
    outcomes = {}
    for app in ("apps/a", "apps/b"):
        report = audit(tree, project=app)
        outcomes[app] = next(f for f in report.findings if f.practice.id == "AUT06").outcome
    assert outcomes == {"apps/a": Outcome.PASS, "apps/b": Outcome.FAIL}


def test_configuration_is_read_from_the_tree() -> None:
    """The configuration is that of the audited revision."""
    config, _ = read_config(MemoryTree({"mlops-audit.toml": "target = 2\n"}), DAY)
    assert config.target == 2


def test_public_names_are_few() -> None:
    """The package's public surface is exactly this."""
    assert mlops_audit.__all__ == ["Report", "__version__", "check", "open_tree"]
    assert all(getattr(mlops_audit, name) for name in mlops_audit.__all__)
    with pytest.raises(AttributeError):
        mlops_audit.nothing  # noqa: B018 -- the access is the test


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no test looks at a model", "No test looks at a model."),
        ("dvc runs the steps: train.", "dvc runs the steps: train."),
        ("src/app.py serves", "src/app.py serves."),
        ("7 of 9 are pinned", "7 of 9 are pinned."),
        ("", ""),
    ],
)
def test_a_reason_is_a_sentence(text: str, said: str) -> None:
    """Reasons read as sentences, and commands, paths and figures keep their spelling."""
    assert sentence(text) == said
