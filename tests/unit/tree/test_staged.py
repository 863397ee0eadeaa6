"""The index against HEAD: what a commit is about to change."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from mlops_audit.tree.staged import open_staged
from mlops_audit.tree.types import TreeError

Git = Callable[..., str]


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """Git in a new repository."""

    def _git(*args: str) -> str:
        env = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull}
        own = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "core.autocrlf=false"]
        command = ["git", "-C", str(tmp_path), *own, *args]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=env).stdout

    _git("init", "-q")
    return _git


def test_before_the_first_commit_everything_is_new(git: Git, tmp_path: Path) -> None:
    """Without HEAD the index is compared with the empty tree."""
    (tmp_path / "a.py").write_text("1\n")
    git("add", "a.py")
    staged = open_staged(str(tmp_path))
    assert {p: c.status for p, c in staged.changes.items()} == {"a.py": "A"}
    assert staged.read_all(["a.py"]) == {"a.py": b"1\n"}


def test_the_index_is_read_and_not_the_disk(git: Git, tmp_path: Path) -> None:
    """Content, size and head are those of the coming commit; unknown files come from the disk."""
    for name in ("a.py", "b.py", "c d.py"):
        (tmp_path / name).write_text("old\n")
    git("add", ".")
    git("commit", "-qm", "x")
    (tmp_path / "a.py").write_text("staged\n")
    git("add", "a.py")
    git("rm", "-q", "b.py")
    (tmp_path / "a.py").write_text("only on the disk\n")
    (tmp_path / "new.py").write_text("untracked\n")
    staged = open_staged(str(tmp_path))
    assert {p: c.status for p, c in staged.changes.items()} == {"a.py": "M", "b.py": "D"}
    names = ["a.py", "b.py", "c d.py", "new.py", "nowhere.py"]
    assert staged.read_all(names) == {
        "a.py": b"staged\n",
        "c d.py": b"old\n",
        "new.py": b"untracked\n",
    }
    assert staged.sizes(names) == {"a.py": 7, "c d.py": 4, "new.py": 10}
    assert staged.head("a.py", 3) == b"sta"
    assert staged.head("nowhere.py", 3) == b""
    staged.close()


def test_another_index_and_another_base_can_be_named(git: Git, tmp_path: Path) -> None:
    """`git commit -a` hands its own index to hooks, pre-commit a range of commits."""
    (tmp_path / "a.py").write_text("1\n")
    git("add", ".")
    git("commit", "-qm", "x")
    first = git("rev-parse", "HEAD").strip()
    (tmp_path / "a.py").write_text("2\n")
    git("commit", "-aqm", "y")
    assert open_staged(str(tmp_path)).changes == {}
    assert list(open_staged(str(tmp_path), base=first).changes) == ["a.py"]
    copy = tmp_path / ".git" / "other-index"
    copy.write_bytes((tmp_path / ".git" / "index").read_bytes())
    (tmp_path / "b.py").write_text("3\n")
    git("add", "b.py")
    assert open_staged(str(tmp_path), index=".git/other-index").changes == {}
    assert list(open_staged(str(tmp_path)).changes) == ["b.py"]


def test_a_base_that_is_not_there_is_an_error(git: Git, tmp_path: Path) -> None:
    """A wrong revision, and a folder without git, are one sentence."""
    (tmp_path / "a.py").write_text("1\n")
    git("add", ".")
    with pytest.raises(TreeError, match="no commit 'nowhere'"):
        _ = open_staged(str(tmp_path), base="nowhere").changes


def test_a_folder_without_git_is_an_error(tmp_path: Path) -> None:
    """There is nothing staged where there is no repository."""
    with pytest.raises(TreeError, match="no git repository"):
        open_staged(str(tmp_path))
