"""The choices of validator, drift, documents and task: each by itself, against its real library."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from tests.template.prepared import readme_commands
from tests.template.support import Template, run

from mlops_audit import check

# Each at the lowest level that offers it and at the highest.
CASES: dict[str, dict[str, object]] = {
    "pandera-3": {"maturity_level": 3, "validator": "pandera"},
    "pandera-5": {"maturity_level": 5, "validator": "pandera"},
    "evidently-3": {"maturity_level": 3, "drift": "evidently"},
    "evidently-5": {"maturity_level": 5, "drift": "evidently"},
    "sphinx-4": {"maturity_level": 4, "docs": "sphinx"},
    "sphinx-5": {"maturity_level": 5, "docs": "sphinx"},
    "classification-1": {"maturity_level": 1, "task": "classification"},
    "classification-3": {"maturity_level": 3, "task": "classification"},
    "classification-5": {"maturity_level": 5, "task": "classification"},
    "own-classification-2": {"maturity_level": 2, "task": "classification", "data": "own"},
    "own-classification-5": {"maturity_level": 5, "task": "classification", "data": "own"},
}
# The practice in which the audit names the tool.
SEEN = {
    "pandera": ("TST04", "Pandera"),
    "evidently": ("MON04", "Evidently"),
    "sphinx": ("COL05", "conf.py"),
}


@pytest.mark.parametrize("name", ["pandera-3", "sphinx-4", "classification-1"])
def test_a_choice_brings_its_own_and_leaves_out_the_other(
    name: str, template: Template, tmp_path: Path
) -> None:
    """The files of the choice are there, those of the default are not."""
    project = template.generate(tmp_path / "project", CASES[name])
    names = {path.name for path in project.rglob("*") if path.is_file()}
    brought, left_out = {
        "pandera-3": ("validate_pandera.py", "validate_great_expectations.py"),
        "sphinx-4": ("conf.py", "mkdocs.yml"),
        "classification-1": ("learner.py", "validate.py"),
    }[name]
    assert brought in names
    assert left_out not in names
    if name == "classification-1":
        learner = next(project.glob("src/*/models/learner.py")).read_text(encoding="utf-8")
        assert "HistGradientBoostingClassifier" in learner
        assert "Regressor" not in learner


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_choice_works_from_set_up_to_audit(name: str, template: Template, tmp_path: Path) -> None:
    """Set-up, pipeline, its own tests, style, types, hooks, documents; then exactly its level."""
    answers = CASES[name]
    level = int(str(answers["maturity_level"]))
    project = template.generate(tmp_path / "with space", answers)
    start, keep = readme_commands(project)[:2]
    for command in (*start, *(["make lint"] if level >= 2 else []), *keep):
        run("bash", "-c", command, cwd=project)
    if level >= 4:
        run("make", "docs", cwd=project)
        assert (project / "site/index.html").is_file()
    assert run("git", "status", "--porcelain", cwd=project).stdout == ""
    if answers.get("task") == "classification":
        assert_probabilities(project)
    report = check(str(project))
    assert report.assessment.level.reached == level, report.assessment.level.blocking
    practice, said = SEEN.get(name.partition("-")[0], ("", ""))
    for finding in report.findings:
        if finding.practice.id == practice:
            assert said in finding.verdict.reason


def assert_probabilities(project: Path) -> None:
    """The model beats the simple rule by its Brier score, and answers with probabilities."""
    metrics = json.loads((project / "reports/metrics.json").read_text(encoding="utf-8"))
    assert metrics["brier"] <= 0.75 * metrics["simple_rule_brier"]
    assert metrics["average_precision"] > metrics["simple_rule_average_precision"]
    run("make", "predict", "OUTPUT=p.csv", cwd=project)
    with (project / "p.csv").open(encoding="utf-8", newline="") as file:
        said = [float(line["prediction"]) for line in csv.DictReader(file)]
    assert said
    assert all(0 <= one <= 1 for one in said)


@pytest.mark.slow
def test_a_broken_link_stops_sphinx_each_time(template: Template, tmp_path: Path) -> None:
    """Also the second time, when Sphinx would not read an unchanged page again."""
    project = template.generate(tmp_path / "project", CASES["sphinx-4"])
    run("make", "setup", cwd=project)
    page = project / "docs/retraining.md"
    page.write_text(f"{page.read_text(encoding='utf-8')}\n[x](nowhere.md)\n", encoding="utf-8")
    for _ in range(2):
        done = run("make", "docs", cwd=project, status=2)
        assert "'nowhere.md'" in done.stderr


@pytest.mark.slow
def test_the_classifier_meets_decay(template: Template, tmp_path: Path) -> None:
    """The slow tests of the loop pass for classes too: calm months, faults, decay that is met."""
    project = template.generate(tmp_path / "project", CASES["classification-5"])
    run("make", "setup", cwd=project)
    command = ("bash", "-c", ".venv/bin/python -m pytest tests/integration/test_loop.py")
    assert re.search(r"\d+ passed", run(*command, cwd=project).stdout)
