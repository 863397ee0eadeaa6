"""What a hostile repository can do to the terminal of who audits it: nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ESC, CSI, BIDI = "\x1b", "\x9b", "\u202e"
EVIL = f"{ESC}[31mred{ESC}[2J{ESC}]0;owned\x07 {CSI}1m {BIDI}txt.exe\u2066 \r\b\x7f"
NAME = f"tr{ESC}[31m{BIDI}\rain"
FILES = {
    f"{NAME}.py": "from sklearn.svm import SVC\n\nSVC().fit([[1]], [1])\n",
    f"data/raw/{EVIL}.csv": "a,b\n1,2\n",
    f"tests/test_{NAME}.py": "def test_nothing():\n    pass\n",
    "dvc.yaml": json.dumps({"stages": {EVIL: {"cmd": f"python {NAME}.py {EVIL}"}}}),
    "README.md": f"# {EVIL}\n",
    ".github/workflows/ci.yml": json.dumps(
        {"on": "push", "name": EVIL, "jobs": {NAME: {"name": EVIL, "steps": [{"run": EVIL}]}}}
    ),
    "Makefile": f"train:\n\tpython '{NAME}.py' {EVIL}\n",
    "mlops-audit.toml": 'exclude = ["x"]\n[[waivers]]\npractice = "COL02"\nowner = "a"\n'
    f"reason = {json.dumps(EVIL)}\nexpires = 2999-01-01\n",
}
# What we write ourselves: colours, and links with an address in plain ASCII.
OURS = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;[\x20-\x7e]*\x1b\\\\")
ACTS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose names and contents hold escapes, carriage returns and bidi marks."""
    folder = tmp_path_factory.mktemp("hostile") / f"repo{ESC}[31m{BIDI}"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    for command in (
        ["init", "-q", "-b", "main"],
        ["remote", "add", "origin", f"https://github.com/a/{ESC}[31mb"],
        ["add", "-A"],
        ["commit", "-qm", EVIL],
    ):
        subprocess.run([*git, *command], cwd=folder, env=env, check=True)
    (folder / "new.txt").write_text(EVIL, encoding="utf-8")
    return folder


def said(folder: Path, *words: str, program: str = "mlops_audit") -> str:
    """Everything that a command says, on both streams."""
    env = os.environ | {"MLOPS_AUDIT_CACHE": "off", "FORCE_COLOR": "1", "TERM_PROGRAM": "vscode"}
    argv = [sys.executable, "-m", program, *words]
    done = subprocess.run(argv, cwd=folder, env=env, capture_output=True, check=False)
    assert done.returncode in {0, 1, 2}, done.stderr
    return (done.stdout + done.stderr).decode("utf-8")


@pytest.mark.parametrize(
    "words",
    [
        ("check", ".", "-vv", "--color"),
        ("check", ".", "--no-color"),
        ("check", ".", "-q"),
        ("check", ".", "--against", "HEAD", "-v"),
        ("map", "."),
        ("map", ".", "-f", "mermaid"),
        ("compare", "HEAD", "."),
        ("check", f"no{EVIL}"),
        ("check", ".", "--model", EVIL),
        ("check", ".", "--rev", EVIL.replace("\0", "")),
        ("explain", EVIL),
    ],
    ids=lambda words: "-".join(words).encode("ascii", "ignore").decode().translate({27: ""})[:30],
)
def test_nothing_moves_the_cursor(hostile: Path, words: tuple[str, ...]) -> None:
    """Whatever a command shows of the repository or of its call, only our own colours act."""
    text = OURS.sub("", said(hostile, *words))
    found = ACTS.search(text)
    assert found is None, repr(text[max(0, found.start() - 60) : found.end() + 30])


def test_hostile_names_are_shown_as_what_they_are(hostile: Path) -> None:
    """The names are not hidden: their escapes are written out."""
    assert r"\x1b[31m\u202e" in said(hostile, "check", ".", "-v", "--no-color")


def test_hooks_show_names_as_what_they_are(hostile: Path) -> None:
    """A hook's line about a hostile file name is plain too."""
    name = f"k{ESC}[31m{BIDI}.py"
    (hostile / name).write_text('KEY = "AKIA' + 'QY7RZ2M4KD6PLX3V"\n')
    text = said(hostile, "secrets", name, program="mlops_audit.hooks.main")
    (hostile / name).unlink()
    assert "holds a credential" in text
    assert not ACTS.search(text)
