"""The command of the hooks: its calls, its exit codes, and how little it imports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mlops_audit.hooks import main

Hook = Callable[..., tuple[int, str]]


@pytest.fixture
def hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hook:
    """Run hooks in a new repository; the exit code and the lines."""
    monkeypatch.chdir(tmp_path)
    for name in ("GIT_INDEX_FILE", "GIT_DIR", "PRE_COMMIT_FROM_REF"):
        monkeypatch.delenv(name, raising=False)
    subprocess.run(["git", "init", "-q"], check=True)

    def _hook(*args: str) -> tuple[int, str]:
        subprocess.run(["git", "add", "-A"], check=True)
        code = "from mlops_audit.hooks.main import main; main()"
        command = [sys.executable, "-c", code, *args]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout

    return _hook


def test_every_hook_can_be_called(hook: Hook, tmp_path: Path) -> None:
    """Each name has its module, and a clean commit passes without a word."""
    (tmp_path / "a.py").write_text("x = 1\n")
    for name in main.HOOKS:
        assert hook(name) == (0, "")


def test_files_given_are_the_files_looked_at(hook: Hook, tmp_path: Path) -> None:
    """With files, only those; from a subfolder, relative to it."""
    (tmp_path / "sub").mkdir()
    for name in ("a.py", "sub/b.py"):
        (tmp_path / name).write_text('p = "/home/carla/x"\n')
    assert hook("paths", "a.py") == (
        1,
        (
            "a.py:1: /home/carla/x is a path of one machine;"
            " make it relative to the project, or a setting\n"
        ),
    )
    os.chdir(tmp_path / "sub")
    assert hook("paths", "b.py")[1].startswith("sub/b.py:1: ")
    assert hook("paths", "../../out.py") == (0, "")


def test_strip_notebooks_rewrites_and_says_so(hook: Hook, tmp_path: Path) -> None:
    """The file loses its outputs, the exit code asks to stage it again, and then all is well."""
    cell = {"cell_type": "code", "source": "1", "outputs": [{}], "execution_count": 1}
    book = tmp_path / "1.0-a.ipynb"
    book.write_text(json.dumps({"cells": [cell], "nbformat": 4}))
    code, out = hook("strip-notebooks", "1.0-a.ipynb")
    assert (code, out.split(";")[0]) == (1, "1.0-a.ipynb: outputs and counts removed from 1 cells")
    assert json.loads(book.read_text())["cells"][0]["outputs"] == []
    assert hook("strip-notebooks", "1.0-a.ipynb") == (0, "")
    assert hook("notebooks", "1.0-a.ipynb") == (0, "")


def test_a_hostile_name_stays_one_line(hook: Hook, tmp_path: Path) -> None:
    """Names that would colour or move the cursor are shown as escapes."""
    (tmp_path / "a\x1b[31m\nb.py").write_text('p = "/home/carla/x"\n')
    code, out = hook("paths")
    assert (code, out.count("\n")) == (1, 1)
    assert "\x1b" not in out


def test_wrong_calls_are_two(hook: Hook, capsys: pytest.CaptureFixture[str]) -> None:
    """No name, an unknown name and no repository are calls that cannot be carried out."""
    assert hook()[0] == 2
    assert hook("nothing")[0] == 2
    assert hook("--help")[0] == 0
    assert main.run([]) == 2
    assert "strip-notebooks" in capsys.readouterr().out


def test_a_bug_is_said_to_be_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An exception of our own is exit code 3 and asks for a report; it is no finding."""

    def broken(_: object) -> int:
        raise KeyError("x")

    monkeypatch.setattr(main, "run", broken)
    with pytest.raises(SystemExit) as ended:
        main.main(["paths"])
    assert ended.value.code == 3
    assert "report it" in capsys.readouterr().err


def test_a_hook_imports_little() -> None:
    """Neither click, rich, yaml nor the practices are loaded to look for a path."""
    code = "import sys, mlops_audit.hooks.main, mlops_audit.hooks.paths, mlops_audit.hooks.staged;"
    done = subprocess.run(
        [sys.executable, "-c", f"{code} print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    brought = set(done.stdout.split())
    assert {"click", "rich", "yaml", "tomli", "mlops_audit.practices"}.isdisjoint(brought)
