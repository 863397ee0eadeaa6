"""What commands of task runners start."""

from __future__ import annotations

import pytest

from mlops_audit.config import Config
from mlops_audit.graph import Project
from mlops_audit.tree import MemoryTree

_TOX = """
[tox]
envlist = tests
[testenv:tests]
commands = pytest
[testenv:publish]
commands = twine upload dist/*
"""


@pytest.mark.parametrize(
    ("command", "env", "started"),
    [
        ("tox", "", {"tests"}),
        ("tox -e publish", "", {"publish"}),
        ("tox", "TOXENV: publish", {"tests", "publish"}),
    ],
)
def test_environments_of_tox(command: str, env: str, started: set[str]) -> None:
    """Without a name tox starts its default environments, unless a variable chooses others."""
    workflow = (
        "on: push\njobs:\n  a:\n    runs-on: x\n"
        f"    env: {{{env}}}\n    steps:\n      - run: {command}\n"
    )
    files = {".github/workflows/a.yml": workflow, "tox.ini": _TOX}
    reach = Project.load(MemoryTree(files), Config()).automation
    assert {w.node.key[2] for w in reach.of("target")} == started
