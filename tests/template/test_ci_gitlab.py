"""The choice `ci: gitlab`: the same jobs as on GitHub, in files that GitLab accepts."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.template.support import Template, commit, run

LEVELS = (2, 3, 4, 5)
# What a job of GitLab has that stands for a workflow of GitHub.
JOBS = {
    "ci.yml": {"check"},
    "train.yml": {"train"},
    "monitor.yml": {"monitor"},
    "verify.yml": {"model", "system", "security", "documents"},
    "release.yml": {
        *("release-test", "release-model", "release-image"),
        *("staging", "production", "notes"),
    },
    "template-update.yml": {"template-update"},
}


@pytest.fixture(scope="module", params=LEVELS)
def pair(
    request: pytest.FixtureRequest, template: Template, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """The same project for GitLab and for GitHub."""
    folder = tmp_path_factory.mktemp("ci")
    made = [
        template.generate(folder / ci, {"maturity_level": request.param, "ci": ci, "data": "own"})
        for ci in ("gitlab", "github")
    ]
    return made[0], made[1]


def pipeline(project: Path) -> dict[str, Any]:
    """All jobs and settings of the pipeline, with the files that it includes."""
    whole = yaml.safe_load((project / ".gitlab-ci.yml").read_text(encoding="utf-8"))
    for include in whole.get("include", []):
        whole |= yaml.safe_load((project / include["local"]).read_text(encoding="utf-8"))
    return dict(whole)


def targets(text: str) -> set[str]:
    """The make targets that a text calls."""
    calls = re.findall(r"\bmake ((?:[a-z]+\b(?!=) ?)+)", text)
    return {target for call in calls for target in call.split()}


def test_gitlab_accepts_every_file(pair: tuple[Path, Path]) -> None:
    """By GitLab's own schema; Renovate's settings by Renovate's."""
    project, _ = pair
    checker = (sys.executable, "-m", "check_jsonschema")
    files = [".gitlab-ci.yml", *map(str, (project / ".gitlab").glob("ci/*.yml"))]
    schema = ("--builtin-schema=vendor.gitlab-ci", "--data-transform=gitlab-ci")
    run(*checker, *schema, *files, cwd=project)
    if (project / "renovate.json").exists():
        run(*checker, "--builtin-schema=vendor.renovate", "renovate.json", cwd=project)


def test_it_runs_what_github_runs(pair: tuple[Path, Path]) -> None:
    """Job for job, the same targets of make, each of which is there."""
    gitlab, github = pair
    jobs = pipeline(gitlab)
    makefile = (gitlab / "Makefile").read_text(encoding="utf-8")
    there = set(re.findall(r"(?m)^([a-z]+):", makefile))
    for path in (github / ".github/workflows").iterdir():
        text = " ".join(
            str(jobs[name]["script"]) + str(jobs[name].get("before_script", "make setup"))
            for name in JOBS[path.name]
        )
        assert targets(text) <= there
        # GitHub's own action builds and publishes the image.
        missing = targets(path.read_text(encoding="utf-8")) - targets(text)
        assert missing == set(), path.name


def test_each_scheduled_job_gets_its_schedule(pair: tuple[Path, Path]) -> None:
    """`make schedules` names every job that waits for one, and nothing else."""
    project, _ = pair
    waiting = re.findall(r'SCHEDULE_DESCRIPTION == "([a-z-]+)"', str(pipeline(project)))
    makefile = (project / "Makefile").read_text(encoding="utf-8")
    assert set(waiting) == set(re.findall(r"glab .* --description ([a-z-]+)", makefile))


def test_images_are_named_exactly_and_nothing_is_soft(pair: tuple[Path, Path]) -> None:
    """An image has a version of three numbers; only jobs that people start may be left out."""
    project, _ = pair
    text = str(pipeline(project))
    images = re.findall(r"'(?:image|name)': '([\w./-]+:[^']+)'", text)
    assert images
    assert all(re.search(r":\d+\.\d+\.\d+", image) for image in images)
    for name, job in pipeline(project).items():
        rules = job.get("rules", []) if isinstance(job, dict) and name != "workflow" else []
        assert all(rule.get("when") == "manual" for rule in rules if rule.get("allow_failure"))
        assert not (isinstance(job, dict) and job.get("allow_failure"))


def test_one_at_a_time_where_it_must_be(pair: tuple[Path, Path]) -> None:
    """Retraining, monitoring and each environment are kept from overtaking themselves."""
    jobs = pipeline(pair[0])
    for name in ("train", "monitor", "staging", "production"):
        assert name not in jobs or jobs[name]["resource_group"] == name


def test_no_trace_of_the_other_one(pair: tuple[Path, Path]) -> None:
    """Neither project names the other's service, but for links to what lives on GitHub."""
    for project, other in zip(pair, ("github", "gitlab"), strict=True):
        for path in project.rglob("*"):
            if not path.is_file() or path.suffix == ".gz" or path.name == "uv.lock":
                continue
            text = path.read_text(encoding="utf-8").lower()
            text = re.sub(r"https://github\.com/(mlops-audit|treeverse)/\S+", "", text)
            assert other not in text, path
            assert other not in path.name


@pytest.mark.slow
def test_the_audit_sees_the_same_practices(pair: tuple[Path, Path]) -> None:
    """Practice by practice the same outcome, though the files are another system's."""
    reports = []
    for project in pair:
        run("git", "init", "--quiet", cwd=project)
        commit(project)
        command = [sys.executable, "-m", "mlops_audit", "check", "--no-cache", "-f", "json", "."]
        reports.append(json.loads(run(*command, cwd=project).stdout))
    outcomes = [{p["id"]: p["outcome"] for p in report["practices"]} for report in reports]
    assert outcomes[0] == outcomes[1]
    assert reports[0]["diagnostics"] == reports[1]["diagnostics"]
