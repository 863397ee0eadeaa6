"""What the template's tests share: running commands, and repositories of the template."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from copier import run_copy

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("copier.yml", "cookiecutter.json", "hooks", "template", "{{ cookiecutter.__slug }}")

Answers = Mapping[str, object]


def run(
    *command: str | Path, cwd: Path, env: Mapping[str, str] | None = None, status: int | None = 0
) -> subprocess.CompletedProcess[str]:
    """Runs a command; its output is the message when its exit status is not the expected one."""
    environment = {**os.environ, **(env or {})}
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if status is not None:
        said = f"{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
        told = f"{command} in {cwd} ended with {done.returncode}\n{said}"
        assert done.returncode == status, told
    return done


def commit(repository: Path, message: str = "Work") -> None:
    """Commits everything, as a person would."""
    run("git", "add", "--all", cwd=repository)
    run("git", "commit", "--quiet", f"--message={message}", cwd=repository)


@dataclass(frozen=True)
class Template:
    """A template repository."""

    path: Path

    def release(self, tag: str) -> None:
        """Commits and tags what lies there."""
        commit(self.path, tag)
        run("git", "tag", tag, cwd=self.path)

    def generate(self, destination: Path, answers: Answers | None = None) -> Path:
        """A project, as `copier copy --defaults` makes it."""
        source = str(self.path)
        data = dict(answers or {})
        run_copy(source, destination, data=data, defaults=True, quiet=True, vcs_ref="HEAD")
        return destination
