"""Real git repositories in temporary folders, without this machine's configuration."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Sh = Callable[..., str]

_ENV = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_AUTHOR_DATE": "1700000000 +0000",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_COMMITTER_DATE": "1700000000 +0000",
    "LC_ALL": "C",
}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """An empty git repository on branch main."""
    root = tmp_path / "project"
    root.mkdir()
    run_git(root, "init", "-q", "-b", "main")
    return root


@pytest.fixture
def git(repo: Path) -> Sh:
    """Runs git in `repo`."""
    return lambda *args, **extra: run_git(repo, *args, **extra)


def run_git(root: Path, *args: str, **extra: str) -> str:
    """Run git in a folder; keyword arguments go to its environment."""
    done = subprocess.run(
        ["git", *args], cwd=root, env={**_ENV, **extra}, check=True, capture_output=True
    )
    return done.stdout.decode("utf-8", "backslashreplace").strip()
