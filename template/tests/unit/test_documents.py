"""The documents say what is so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

DOCS = Path("docs")


def words(name: str) -> list[str]:
    """What a document writes as code."""
    return re.findall(r"`([^`]+)`", (DOCS / name).read_text(encoding="utf-8"))


def packages() -> set[str]:
    """The packages that the lock holds, and the tool that reads it."""
    lock = Path("uv.lock").read_text(encoding="utf-8")
    return {"uv", *re.findall(r'(?m)^name = "([^"]+)"$', lock)}


def is_known(word: str) -> bool:
    """Whether a word is a package of the lock, a file, a target of make or a stage of the pipeline."""
    if word.startswith("make "):
        return (
            re.search(rf"(?m)^{word.split()[1]}:", Path("Makefile").read_text(encoding="utf-8")) is not None
        )
    stages = re.findall(r"(?m)^  (\w+):$", Path("dvc.yaml").read_text(encoding="utf-8"))
    produced = word in Path("dvc.yaml").read_text(encoding="utf-8")
    return word in packages() or word in stages or Path(word).exists() or produced or word == "code"


@pytest.mark.parametrize("name", ["stack_canvas.md", "crisp_ml_q.md"])
def test_what_a_document_names_the_project_has(name: str) -> None:
    """A tool in the canvas is one that the project uses; a file in it exists."""
    assert [word for word in words(name) if not is_known(word)] == []


def dependencies() -> list[str]:
    """The packages that the code and its pipeline ask for."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    asked = [*project["project"]["dependencies"], *project["dependency-groups"]["pipeline"]]
    return sorted(re.split(r"[\[<>=~]", package)[0] for package in asked)


@pytest.mark.parametrize("name", sorted({*dependencies()} & {*words("stack_canvas.md")}))
def test_a_tool_of_the_canvas_is_called_by_the_code(name: str) -> None:
    """Being in the lock is not being used: the code imports what the canvas names, or make runs it."""
    module = {"scikit-learn": "sklearn"}.get(name, name.replace("-", "_"))
    code = "\n".join(path.read_text(encoding="utf-8") for path in Path("src").rglob("*.py"))
    recipes = Path("Makefile").read_text(encoding="utf-8")
    assert re.search(rf"(?m)^\s*(from|import) {module}\b|^\t{name} ", code + recipes)


def test_a_tool_that_the_project_does_not_have_is_seen() -> None:
    """The check above can fail."""
    assert not is_known("kubeflow")
    assert not is_known("make coffee")


def test_every_risk_of_a_phase_stands_in_the_register() -> None:
    """The numbers in the table of phases are those of the register, each once."""
    register = (DOCS / "risk_register.md").read_text(encoding="utf-8")
    known = [int(number) for number in re.findall(r"(?m)^\| (\d+) \|", register)]
    phases = (DOCS / "crisp_ml_q.md").read_text(encoding="utf-8")
    named = [int(number) for cell in re.findall(r"\| ([\d, ]+) \|", phases) for number in cell.split(",")]
    assert known == list(range(1, len(known) + 1))
    assert sorted(named) == known


def test_every_alert_has_a_section_in_the_runbook() -> None:
    """Who is called finds what to do, and who owns the model."""
    text = (DOCS / "runbook.md").read_text(encoding="utf-8")
    alerts = re.search(r"alert_on: \[([^\]]+)\]", Path("params.yaml").read_text(encoding="utf-8"))
    assert alerts is not None
    for name in alerts[1].split(", "):
        assert f"## {name}" in text
    assert re.search(r"(?m)^Owner: \w", text)
