"""Which MLflow projects a command or a call runs."""

from __future__ import annotations

import pytest

from mlops_audit.config import Config
from mlops_audit.facts.types import Command, Target
from mlops_audit.graph import Project
from mlops_audit.graph.mlflowprojects import entry_points, project_command
from mlops_audit.model import Span
from mlops_audit.tree import MemoryTree


def called(code: str) -> tuple[str, ...] | None:
    """The words of the command that the call of `mlflow.run` in a program stands for."""
    files = {"main.py": f"import os\nimport mlflow\n{code}".encode()}
    module = Project.load(MemoryTree(files), Config()).modules["main.py"]
    call = next(c for c in module.calls if c.name == "mlflow.run")
    command = project_command(call)
    return command.argv if command is not None else None


@pytest.mark.parametrize(
    ("code", "folder"),
    [
        ("mlflow.run('steps/train')", "steps/train"),
        ("mlflow.run(os.path.join(root(), 'src', 'train'), 'main')", "src/train"),
        ("mlflow.run(uri=os.path.join('a', name(), 'train'))", "train"),
        ("mlflow.run(f'{base}/src/train', 'main')", "src/train"),
    ],
)
def test_a_call_names_the_folder_as_far_as_it_is_written_down(code: str, folder: str) -> None:
    """Parts that a variable or a call gives are left out, with all that stands before them."""
    assert called(code) == ("mlflow", "run", folder, "-e", "main")


def test_a_loop_runs_each_project() -> None:
    """A folder that only a loop knows stands for all folders, elsewhere it stands for none."""
    assert called("for step in steps:\n    mlflow.run(step, entry_point='fit')") == (
        "mlflow", "run", "*", "-e", "fit",
    )  # fmt: skip
    assert called("mlflow.run(step)") is None


def target(folder: str, name: str = "main") -> Target:
    """An entry point of the project in a folder."""
    return Target("mlproject", name, Span(f"{folder}/MLproject".lstrip("/"), 1), folder=folder)


TARGETS = (target(""), target("", "train"), target("src/train"), target("parts/get_data"))


@pytest.mark.parametrize(
    ("words", "folder", "found"),
    [
        (("src/train",), "", [target("src/train")]),
        (("./src/train/",), "", [target("src/train")]),
        (("get_data", "-e", "main"), "", [target("parts/get_data")]),
        ((".",), "", [target("")]),
        ((".", "--entry-point=train"), "src", [target("", "train")]),
        ((".",), "src/train", [target("src/train")]),
        (("https://github.com/a/b.git", "-v", "1.0"), "", [target("")]),
        (("https://github.com/a/b#src/train",), "", [target("src/train")]),
        (("*",), "", [target("src/train"), target("parts/get_data")]),
        (("elsewhere",), "", []),
    ],
)
def test_a_command_starts_the_entry_points_of_the_folder_it_names(
    words: tuple[str, ...], folder: str, found: list[Target]
) -> None:
    """The folder is looked for from where the command stands, then by its end."""
    command = Command(("mlflow", "run", *words), Span("run.sh", 1), "")
    assert entry_points(command, folder, TARGETS) == found
