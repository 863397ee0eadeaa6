"""The choices of CI, serving, orchestrator and scale: each by itself, against its real library."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from tests.template.prepared import readme_commands
from tests.template.support import Template, run

from mlops_audit import check

# Each at the lowest level that offers it and, where that adds to it, at the highest.
CASES: dict[str, dict[str, object]] = {
    "gitlab-2": {"maturity_level": 2, "ci": "gitlab"},
    "gitlab-5": {"maturity_level": 5, "ci": "gitlab"},
    "batch-3": {"maturity_level": 3, "serving": "batch"},
    "batch-5": {"maturity_level": 5, "serving": "batch"},
    "own-batch-5": {"maturity_level": 5, "serving": "batch", "data": "own"},
    "airflow-4": {"maturity_level": 4, "orchestrator": "airflow"},
    "dagster-4": {"maturity_level": 4, "orchestrator": "dagster"},
    "zenml-4": {"maturity_level": 4, "orchestrator": "zenml"},
    "dask-4": {"maturity_level": 4, "scale": "dask"},
}

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", CASES)
def test_a_choice_works_from_set_up_to_audit(name: str, template: Template, tmp_path: Path) -> None:
    """Set-up, pipeline, its own tests, style and types, what is its own; then exactly its level."""
    answers = CASES[name]
    level = int(str(answers["maturity_level"]))
    project = template.generate(tmp_path / "with space", answers)
    (setup, pipeline, test), keep = readme_commands(project)[:2]
    # An orchestrator runs the pipeline in place of DVC alone; nothing is left to be run.
    if "orchestrator" in answers:
        pipeline = "make orchestrate"
    for command in (setup, pipeline, test, "make lint", *keep):
        run("bash", "-c", command, cwd=project)
    status = run("bash", "-c", ".venv/bin/dvc status", cwd=project).stdout
    assert "Data and pipelines are up to date" in status
    assert run("git", "status", "--porcelain", cwd=project).stdout == ""
    report = check(str(project))
    assert report.assessment.level.reached == level, report.assessment.level.blocking
    if "orchestrator" in answers:
        # Its schedule counts beside those of the workflows.
        (training,) = (f for f in report.findings if f.practice.id == "AUT11")
        places = [Path(evidence.span.path).name for evidence in training.verdict.evidence]
        assert f"with_{answers['orchestrator']}.py" in places


def test_the_worker_predicts_for_a_file(template: Template, tmp_path: Path) -> None:
    """One look at an inbox with the example and with a table that is none."""
    project = template.generate(tmp_path / "project", CASES["batch-3"])
    for command in ("make setup", "make pipeline"):
        run("bash", "-c", command, cwd=project)
    inbox = project / "data/inbox"
    inbox.mkdir(parents=True)
    example = (project / "data/external/to_predict.csv").read_text(encoding="utf-8")
    (inbox / "example.csv").write_text(example, encoding="utf-8")
    (inbox / "none.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    run(".venv/bin/python", "-m", "demand_forecast.serving.worker", "--once", cwd=project)
    with (inbox / "done/example.predictions").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(example.splitlines()) - 1
    assert (inbox / "refused/none.txt").read_text(encoding="utf-8").strip()
    numbers = (project / "data/monitoring/metrics.prom").read_text(encoding="utf-8")
    assert 'batches_total{outcome="done"} 1.0' in numbers
    assert 'batches_total{outcome="refused"} 1.0' in numbers


def test_versions_of_batches_are_rolled_out_and_taken_back(
    template: Template, tmp_path: Path
) -> None:
    """The project's own slow tests of its worker: a good version, a bad one, a year at once."""
    project = template.generate(tmp_path / "project", CASES["batch-5"])
    run("make", "setup", cwd=project)
    run(".venv/bin/python", "-m", "pytest", "tests/system", cwd=project)


def test_a_search_on_the_cluster_proposes_what_one_process_does(
    template: Template, tmp_path: Path
) -> None:
    """The same candidates in the same order with the same errors, on the real data."""
    project = template.generate(tmp_path / "project", CASES["dask-4"])
    for command in ("make setup", "make pipeline", "make search"):
        run("bash", "-c", command, cwd=project)
    report = project / "reports/search.json"
    divided = report.read_bytes()
    search = project / "src/demand_forecast/models/search_parameters.py"
    text = search.read_text(encoding="utf-8")
    alone = text.replace('parallel_config(backend="dask", n_jobs=-1)', "parallel_config()")
    assert alone != text
    search.write_text(alone, encoding="utf-8")
    run("make", "search", cwd=project)
    assert report.read_bytes() == divided
