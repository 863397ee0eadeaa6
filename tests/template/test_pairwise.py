"""Every two answers that go together meet in a project that is whole, in style and typed."""

from __future__ import annotations

import ast
import json
import os
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.template.pairs import (
    all_pairs,
    choices,
    default_answers,
    pairs_of,
    questions,
    refusal,
    rows,
)
from tests.template.support import ROOT, Template, run

ASKED = questions()
OFFERED = choices(ASKED)
DEFAULTS = default_answers(ASKED, OFFERED)
ROWS = list(rows(OFFERED, DEFAULTS))
# These first rows hold the most pairs; `make test-all` takes all.
FAST = 6

# Words that a project holds only if one of these answers was given. A question that is no choice
# of a tool has no words of its own; test_render.py looks at data and licences.
WORDS: dict[str, dict[str, str]] = {
    "tracker": {
        "none": "",
        "dvclive": "dvclive",
        "mlflow": "mlflow",
        "wandb": r"wandb|weights & biases",
        "comet": r"\bcomet",
    },
    "validator": {"great-expectations": "great.expectations", "pandera": "pandera"},
    "drift": {"builtin": "", "evidently": r"evidently(?! (is|was|are|not))"},
    "ci": {"github": r"github(?!\.com/(mlops-audit|treeverse))", "gitlab": "gitlab|renovate"},
    "docs": {"mkdocs": "mkdocs", "sphinx": "sphinx"},
    "task": {
        "regression": r"regressor|mean_absolute_error|\bmae\b",
        "classification": r"classifier|brier",
    },
    "orchestrator": {"none": "", "airflow": "airflow", "dagster": "dagster", "zenml": "zenml"},
    "scale": {"none": "", "dask": r"\bdask"},
    "serving": {
        "none": "",
        "fastapi": "fastapi|uvicorn|testclient|/health/|request_seconds",
        "batch": r"\bworker(?! processes)\b|inbox|pushgateway",
    },
    "remote": {
        "local": "",
        "s3": r"\baws\b|s3://|dvc\[s3",
        "gs": r"\bgs://|google cloud|dvc\[gs",
        "azure": "azure",
        "ssh": r"ssh://(?!\$)|\bstorage_key|dvc\[ssh",
    },
    "registry": {"gto": r"\bgto\b", "mlflow": "mlflow"},
}
NO_TOOL = {"data", "license", "maturity_level", "python_version"}


def described(row: dict[str, Any]) -> str:
    """A test's name that tells the answers."""
    return "-".join(str(value) for value in row.values())


PARAMS = [
    pytest.param(row, id=described(row), marks=[pytest.mark.slow] if number >= FAST else [])
    for number, row in enumerate(ROWS)
]


@pytest.fixture(scope="module", params=PARAMS)
def made(
    request: pytest.FixtureRequest, template: Template, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], Path]:
    """A project for one combination of answers."""
    row: dict[str, Any] = request.param
    return row, template.generate(tmp_path_factory.mktemp("pairs") / "project", row)


def files(project: Path) -> dict[str, str]:
    """The text of each file, but for the shipped data."""
    paths = [path for path in project.rglob("*") if path.is_file() and path.suffix != ".gz"]
    return {str(p.relative_to(project)): p.read_text(encoding="utf-8") for p in sorted(paths)}


def test_the_rows_hold_every_pair() -> None:
    """None is missing, none is refused, and they are few beside all combinations."""
    together, _ = all_pairs(OFFERED, DEFAULTS)
    assert not together - {pair for row in ROWS for pair in pairs_of(row)}
    assert not [said for row in ROWS if (said := refusal(row, OFFERED, DEFAULTS))]
    assert len(ROWS) < 60
    assert {row["maturity_level"] for row in ROWS[:FAST]} >= {1, 2, 3, 4, 5}


def test_every_choice_has_its_words() -> None:
    """A new choice of a tool needs the words by which its traces are found."""
    assert {name: set(words) for name, words in WORDS.items()} == {
        name: set(values) for name, values in OFFERED.items() if name not in NO_TOOL
    }


def test_what_does_not_go_together_is_refused(template: Template, tmp_path: Path) -> None:
    """Copier refuses each such pair with one line that names the question, and writes nothing."""
    _, refused = all_pairs(OFFERED, DEFAULTS)
    assert refused
    for pair in sorted(refused, key=lambda pair: sorted(map(str, pair))):
        with pytest.raises(ValueError, match=r"choice|Validation error") as error:
            template.generate(tmp_path / "project", dict(pair))
        assert len(str(error.value).strip().splitlines()) == 1
        assert not (tmp_path / "project").exists()


def test_every_file_can_be_read(made: tuple[dict[str, Any], Path]) -> None:
    """Python compiles, and settings are what their format asks for; none is empty."""
    for name, text in files(made[1]).items():
        assert text.strip(), name
        if name.endswith(".py"):
            compile(ast.parse(text, name), name, "exec")
        elif name.endswith((".yml", ".yaml")):
            assert yaml.safe_load(text), name
        elif name.endswith(".toml"):
            assert tomllib.loads(text), name
        elif name.endswith((".json", ".ipynb")):
            assert json.loads(text), name


def test_it_is_in_style(made: tuple[dict[str, Any], Path]) -> None:
    """By its own settings of ruff."""
    row, project = made
    if row["maturity_level"] >= 2:
        run(sys.executable, "-m", "ruff", "check", "--no-cache", ".", cwd=project)
        run(sys.executable, "-m", "ruff", "format", "--no-cache", "--check", ".", cwd=project)


def test_choices_not_taken_leave_no_trace(made: tuple[dict[str, Any], Path]) -> None:
    """Neither in a file's name nor in its text, but for the lock, which set-up prunes."""
    row, project = made
    taken = {str(row[name]) for name in WORDS}
    words = {
        word
        for values in WORDS.values()
        for value, word in values.items()
        if word and value not in taken
    }
    for name, text in files(project).items():
        if name == "uv.lock":
            continue
        for word in words:
            assert not (found := re.search(word, f"{name}\n{text}", re.IGNORECASE)), (name, found)


@pytest.mark.slow
def test_its_types_hold_with_its_own_libraries(made: tuple[dict[str, Any], Path]) -> None:
    """Set up with what was chosen, its own linters and types find nothing."""
    row, project = made
    if row["maturity_level"] < 2:
        pytest.skip("linters and types begin with level 2")
    run("git", "init", "--quiet", cwd=project)
    # This machine's Python: another one would be downloaded.
    env = {"UV_PYTHON": f"{sys.version_info.major}.{sys.version_info.minor}"}
    run("make", "setup", "lint", cwd=project, env={**env, "HOME": os.environ["HOME"]})
    brought = project / ".uv/bin/uv"
    run(brought if brought.exists() else "uv", "lock", "--check", cwd=project, env=env)


def test_the_door_of_cookiecutter_asks_no_choice_of_a_tool() -> None:
    """It takes the defaults for what lies behind `advanced`."""
    door = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))
    # What is foreseen is no tool.
    assert (set(WORDS) & set(door)) == {"task"}
