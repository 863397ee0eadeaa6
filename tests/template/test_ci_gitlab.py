"""The choice `ci: gitlab`: the same jobs as on GitHub, in files that GitLab accepts."""

from __future__ import annotations

import json
import re
import shutil
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
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


@pytest.fixture
def released(template: Template, tmp_path: Path) -> Path:
    """A project of level 5 in a repository, with one commit."""
    project = template.generate(tmp_path / "project", {"maturity_level": 5, "ci": "gitlab"})
    run("git", "init", "--quiet", cwd=project)
    commit(project)
    return project


def test_a_promoted_model_starts_its_release(released: Path) -> None:
    """`make announce` asks GitLab for the pipeline of the promotion's tag, and of no other."""
    if shutil.which("curl") is None:
        pytest.skip("there is no curl here")
    asked: list[tuple[str, str]] = []

    class GitLab(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            asked.append((self.path, form))
            self.send_response(201)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- as its base
            """Keeps the output clean."""

    server = HTTPServer(("127.0.0.1", 0), GitLab)
    Thread(target=server.serve_forever, daemon=True).start()
    api = f"http://127.0.0.1:{server.server_port}/api/v4"
    job = {"CI_API_V4_URL": api, "CI_PROJECT_ID": "7", "CI_JOB_TOKEN": "job-token"}
    try:
        assert "nothing was promoted" in run("make", "announce", cwd=released, env=job).stdout
        assert not asked
        for tag in ("demand-forecast@v1.0.0", "demand-forecast#production#9", "v0.1.0"):
            run("git", "tag", tag, cwd=released)
        run("git", "tag", "demand-forecast#production#10", cwd=released)
        run("make", "announce", cwd=released, env=job)
    finally:
        server.shutdown()
        server.server_close()
    ((path, form),) = asked
    assert path == "/api/v4/projects/7/trigger/pipeline"
    assert re.search(r'name="token"\s+job-token\s', form)
    assert re.search(r'name="ref"\s+demand-forecast#production#10\s', form)


def test_a_newer_template_is_offered_as_a_merge_request(released: Path) -> None:
    """`make offer` pushes the branch with GitLab's options; without a change it does nothing."""
    remote = released.parent / "remote.git"
    run("git", "init", "--quiet", "--bare", str(remote), cwd=released)
    run("git", "config", "receive.advertisePushOptions", "true", cwd=remote)
    hook = remote / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\nenv | grep ^GIT_PUSH_OPTION > options\n", encoding="utf-8")
    hook.chmod(0o755)
    run("git", "remote", "add", "origin", str(remote), cwd=released)
    assert "nothing new" in run("make", "offer", cwd=released).stdout
    (released / "NEWS.md").write_text("New in the template.\n", encoding="utf-8")
    run("make", "offer", cwd=released)
    branches = run("git", "branch", "--list", cwd=remote).stdout
    assert branches.split() == ["template-update"]
    options = (remote / "options").read_text(encoding="utf-8")
    assert "=merge_request.create\n" in options
    assert "=merge_request.title=Update from the template\n" in options


def test_the_stored_versions_lie_where_the_cache_finds_them(released: Path) -> None:
    """`make storage` gives DVC's default remote a place within the project, which git ignores."""
    run("make", "storage", cwd=released)
    (released.parent / "demand-forecast-dvc-storage/file").write_text("x", encoding="utf-8")
    assert (released / ".dvc/storage/file").is_file()
    assert run("git", "status", "--porcelain", cwd=released).stdout == ""
