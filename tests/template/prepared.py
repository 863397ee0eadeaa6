"""Generated projects whose README has been followed; each is made once for all its tests."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.template.support import Template, run

CASES: dict[str, dict[str, object]] = {
    "bikes-1": {"maturity_level": 1},
    "bikes-2": {"maturity_level": 2},
    "own-1": {"maturity_level": 1, "data": "own"},
    "own-2": {"maturity_level": 2, "data": "own", "package_name": "x"},
    "bikes-3": {"maturity_level": 3},
    "own-3": {"maturity_level": 3, "data": "own"},
    "bikes-4": {"maturity_level": 4},
    "own-4": {"maturity_level": 4, "data": "own"},
    "bikes-5": {"maturity_level": 5},
    "own-5": {"maturity_level": 5, "data": "own"},
}


@dataclass(frozen=True)
class Used:
    """A project after the README's commands, the seconds they took and how many were work."""

    path: Path
    level: int
    data: str
    seconds: float
    work: float

    def tool(self, name: str, *arguments: str) -> str:
        """What a tool of the project's own environment says."""
        folder = self.path / ".venv/bin"
        env = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
        return run(str(folder / name), *arguments, cwd=self.path, env=env).stdout


def readme_commands(project: Path) -> list[list[str]]:
    """The blocks of commands in the README, in order."""
    readme = (project / "README.md").read_text(encoding="utf-8")
    blocks: list[str] = re.findall(r"```bash\n(.*?)```", readme, re.DOTALL)
    return [block.strip().splitlines() for block in blocks]


def prepare(template: Template, name: str, folder: Path) -> Used:
    """Generates a project of `CASES` and does what its README says, up to the commit."""
    answers = CASES[name]
    project = template.generate(folder, answers)
    start, keep = readme_commands(project)[:2]
    assert len(start) == 3
    began, worked = time.monotonic(), _work()
    for command in start:
        run("bash", "-c", command, cwd=project)
    seconds, work = time.monotonic() - began, _work() - worked
    for command in keep:
        run("bash", "-c", command, cwd=project)
    level = int(str(answers["maturity_level"]))
    return Used(project, level, str(answers.get("data", "bikes")), seconds, work)


def _work() -> float:
    """The seconds that the commands so far kept the processors busy."""
    times = os.times()
    return times.children_user + times.children_system


Prepared = Callable[[str], Used]
