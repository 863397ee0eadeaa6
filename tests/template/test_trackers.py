"""Trackers and registries that can be chosen, each used with its real library."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import sys
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from tests.template.support import Template, commit, run

FOLDERS = {"mlflow": "mlruns", "wandb": "wandb", "comet": "comet"}
# Each run has these, whatever the tracker.
FACTS = ("model.max_iter", "holdout_error_by_round", "mae", "git_commit", "data_version")


def audit(project: Path) -> tuple[int, dict[str, dict[str, object]]]:
    """The level that the audit sees, and its verdicts."""
    command = [sys.executable, "-m", "mlops_audit", "check", "-f", "json", str(project)]
    said = json.loads(run(*command, cwd=project).stdout)
    return said["level"]["reached"], {p["id"]: p for p in said["practices"]}


def digests(project: Path) -> dict[str, str]:
    """What the pipeline has written."""
    paths = [
        *project.glob("data/[irp]*/*"),
        *project.glob("models/*"),
        *project.glob("reports/**/*"),
    ]
    return {
        str(path.relative_to(project)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(paths)
        if path.is_file()
    }


def said_by_mlflow(folder: Path) -> str:
    """All parameters, metrics and tags in MLflow's file, and the names of the artifacts."""
    with closing(sqlite3.connect(folder / "mlflow.db")) as connection:
        rows = [
            row
            for table in ("params", "metrics", "tags")
            for row in connection.execute(f"SELECT key, value FROM {table}")  # noqa: S608 -- our own words
        ]
    names = [path.name for path in folder.rglob("*") if path.is_file()]
    return "\n".join([*(f"{key} {value}" for key, value in rows), *names])


def said_by_wandb(folder: Path) -> str:
    """The log of the one run that waits to be sent, as far as it is text."""
    (log,) = folder.glob("offline-run-*/*.wandb")
    return log.read_bytes().decode("latin-1")


def said_by_comet(folder: Path) -> str:
    """The messages in the one archive that waits to be sent."""
    (path,) = folder.glob("*.zip")
    with zipfile.ZipFile(path) as archive:
        return archive.read("messages.json").decode()


SAID: dict[str, Callable[[Path], str]] = {
    "mlflow": said_by_mlflow,
    "wandb": said_by_wandb,
    "comet": said_by_comet,
}


@pytest.mark.parametrize("tracker", FOLDERS)
def test_what_a_tracker_writes_is_neither_gits_nor_dvcs(
    tracker: str, template: Template, tmp_path: Path
) -> None:
    """Two runs never write the same there, so it is ignored and no output of the pipeline."""
    project = template.generate(tmp_path / "project", {"tracker": tracker})
    run("git", "init", "--quiet", cwd=project)
    (project / FOLDERS[tracker]).mkdir()
    run("git", "check-ignore", "--quiet", f"{FOLDERS[tracker]}/run", cwd=project)
    ignored = (project / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert FOLDERS[tracker] in ignored
    stages = yaml.safe_load((project / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    outs = [str(out) for stage in stages.values() for out in stage.get("outs", [])]
    assert not [out for out in outs if re.search(r"mlruns|wandb|comet|dvclive", out)]
    deps = stages["evaluate"]["deps"]
    assert f"src/demand_forecast/models/track_{tracker}.py" in deps
    for dep in deps:
        assert (project / dep).exists() or not dep.startswith("src/"), dep


@pytest.mark.slow
@pytest.mark.parametrize("tracker", FOLDERS)
def test_a_tracker_records_each_run(tracker: str, template: Template, tmp_path: Path) -> None:
    """Offline and without an account: settings, metrics, curve and origin; the rest as ever."""
    project = template.generate(tmp_path / "project", {"tracker": tracker})
    run("make", "setup", "pipeline", "test", "lint", cwd=project)
    said = SAID[tracker](project / FOLDERS[tracker])
    assert not [fact for fact in FACTS if fact not in said]
    run("git", "add", "--all", cwd=project)
    run("git", "commit", "--quiet", "--message=First model", cwd=project)
    assert run("git", "status", "--porcelain", cwd=project).stdout == ""
    reached, practices = audit(project)
    assert reached == 2
    for name in ("TRK01", "TRK02", "TRK03", "TRK04"):
        assert practices[name]["outcome"] == "pass"
        assert f"track_{tracker}.py" in str(practices[name]["evidence"])
    assert practices["TRK06"]["outcome"] == "partial"
    # Another clone, from scratch: the same bytes, and a run of its own.
    clone = tmp_path / "clone"
    run("git", "clone", "--quiet", project, clone, cwd=tmp_path)
    (clone / "dvc.lock").unlink()
    run("make", "setup", "pipeline", cwd=clone)
    assert digests(clone) == digests(project)
    assert run("git", "status", "--porcelain", cwd=clone).stdout == ""
    assert "git_commit" in SAID[tracker](clone / FOLDERS[tracker])


def versions(project: Path) -> dict[str, dict[str, str]]:
    """The tags of each version in MLflow's registry, by its semantic version."""
    found: dict[int, dict[str, str]] = {}
    with closing(sqlite3.connect(project / "mlruns/mlflow.db")) as connection:
        for number, key, value in connection.execute(
            "SELECT version, key, value FROM model_version_tags"
        ):
            found.setdefault(number, {})[key] = value
    return {tags["version"]: tags for tags in found.values()}


def in_production(project: Path) -> str:
    """The semantic version that the alias names."""
    with closing(sqlite3.connect(project / "mlruns/mlflow.db")) as connection:
        query = (
            "SELECT t.value FROM registered_model_aliases a JOIN model_version_tags t "
            "ON t.name = a.name AND t.version = a.version "
            "WHERE a.alias = 'production' AND t.key = 'version'"
        )
        return str(connection.execute(query).fetchone()[0])


@pytest.mark.slow
@pytest.mark.parametrize("answers", [{"maturity_level": 4, "tracker": "dvclive"},
                                     {"maturity_level": 5, "tracker": "mlflow"}],
                         ids=lambda answers: str(answers["maturity_level"]))  # fmt: skip
def test_mlflow_is_the_registry(
    answers: dict[str, object], template: Template, tmp_path: Path
) -> None:
    """The gate lets a model pass, MLflow keeps its version, and the earlier one comes back."""
    project = template.generate(tmp_path / "project", {**answers, "registry": "mlflow"})
    run("make", "setup", "pipeline", "lint", cwd=project)
    commit(project, "First model")
    run("make", "promote", cwd=project, status=2)  # there is no version yet
    run("make", "gate", "register", "promote", "install", cwd=project)
    first = versions(project)["v1.0.0"]
    assert first["git_commit"] == run("git", "rev-parse", "HEAD", cwd=project).stdout.strip()
    installed = (project / "models/production/model.skops").read_bytes()
    assert first["sha256"] == hashlib.sha256(installed).hexdigest()
    params = project / "params.yaml"
    text = params.read_text(encoding="utf-8")
    params.write_text(text.replace("max_iter: 100", "max_iter: 60"), encoding="utf-8")
    run("make", "pipeline", cwd=project)
    commit(project, "Another model")
    run("make", "register", cwd=project)
    # Only the gate opens the way into production.
    refused = run("make", "promote", cwd=project, status=2)
    assert "has not passed the gate" in refused.stderr
    assert in_production(project) == "v1.0.0"
    python = project / ".venv/bin/python"
    move = "from demand_forecast.registry.versions import Registry; Registry().promote('v1.1.0')"
    run(python, "-c", move, cwd=project)
    assert in_production(project) == "v1.1.0"
    run("make", "rollback", "install", cwd=project)
    assert in_production(project) == "v1.0.0"
    assert (project / "models/production/model.skops").read_bytes() == installed
    run("make", "prove", cwd=project)
    reached, practices = audit(project)
    assert reached == answers["maturity_level"]
    for name in ("VER05", "AUT13"):
        assert practices[name]["outcome"] == "pass"
