"""One wrong or odd file changes no verdict that does not depend on it, and is reported."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.hostile.hollow import BASE
from tests.hostile.honest import HONEST

from mlops_audit.audit import audit
from mlops_audit.model import Report
from mlops_audit.tree import GitInfo, MemoryTree, Tree, open_tree

_GIT = GitInfo(commit="0" * 40, branches=("main",), default_branch="main", commits=3)
_OURS = {
    "readme": "# Shop\n\nPredicts sales.\n\n## Set up\n\n`pip install -r requirements.txt`\n\n"
    "## Run\n\n`python src/train.py`\n"
}
REPOSITORIES: Mapping[str, dict[str, str]] = {
    "tested": {**BASE, **HONEST["CI, reusable workflow, make, tox, pytest"].files},
    "tracked": {**BASE, **HONEST["CI, script, module, function, tracker's wrapper"].files},
    "watched": {
        **BASE,
        **HONEST["cron, module, drift, wrapper, alert"].files,
        **HONEST["DVC stage, shell script, module, function that validates"].files,
        "README.md": _OURS["readme"],
    },
}
_BOMB = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}]\n"
    for a, b in zip("abcdefghij", "bcdefghijk", strict=True)
)

# What is added: files, and whether something must be said about them.
ODD: Mapping[str, tuple[dict[str, str | bytes], bool]] = {
    "broken Python": ({"src/broken.py": "def f(:\n"}, True),
    "Python 2": ({"src/old.py": "print 'x'\n"}, True),
    "deep brackets": ({"src/deep.py": "x = " + "(" * 5000 + ")" * 5000}, True),
    "deep brackets in JSON": ({"deep.json": "[" * 50_000 + "]" * 50_000}, False),
    "a deep expression": ({"src/sum.py": "x = " + "+".join(["1"] * 20_000)}, True),
    "a YAML bomb in CI": ({".github/workflows/bomb.yml": _BOMB}, True),
    "a YAML bomb elsewhere": ({"lib/bomb.yaml": _BOMB}, False),
    "a YAML alias of itself": ({".github/workflows/self.yml": "on: &a [*a]\n"}, True),
    "broken YAML in CI": ({".github/workflows/bad.yml": "on: [push\njobs: {"}, True),
    "a workflow that is a list": ({".github/workflows/list.yml": "- a\n- b\n"}, False),
    "a broken notebook": ({"src/look.ipynb": '{"cells": [{"cell_type"'}, True),
    "a notebook that is a list": ({"src/list.ipynb": "[1, 2]"}, True),
    "invalid UTF-8": ({"src/latin.py": b"x = '\xff\xfe\xe9'\n"}, True),
    "NUL bytes": ({"src/nul.py": b"x = 1\x00\n"}, True),
    "Windows line ends": ({"src/crlf.py": "x = 1\r\ny = 2\r\n"}, False),
    "a byte-order mark": ({"src/bom.py": b"\xef\xbb\xbfx = 1\n"}, False),
    "UTF-16": ({"src/wide.py": "x = 1\n".encode("utf-16")}, True),
    "JSON of 3 MB in one line": ({"lib/big.json": '{"a": [' + "1," * 1_500_000 + "1]}"}, False),
    "an empty module": ({"src/empty.py": ""}, False),
    "an empty workflow": ({".github/workflows/empty.yml": ""}, False),
    "programs without arguments": (
        {"lib/Makefile": "all:\n\tsnakemake\n\tmlflow\n\tzenml\n\tdvc\n"},
        False,
    ),
    "Make that calls itself": ({"lib/Makefile": "a: b\n\t$(MAKE) a\nb: a\n\tmake b\n"}, False),
    "Make that includes itself": (
        {"lib/Makefile": "include Makefile\ninclude ../lib/Makefile\n"},
        False,
    ),
    "GitLab files that include each other": (
        {"ci/a.gitlab-ci.yml": "include: b.gitlab-ci.yml\n", "ci/b.gitlab-ci.yml": "include: a\n"},
        False,
    ),
    "modules that import each other": (
        {"src/ring_a.py": "from ring_b import x\n", "src/ring_b.py": "from ring_a import x\n"},
        False,
    ),
    "a script that calls itself": ({"lib/loop.sh": "bash lib/loop.sh\nsh lib/loop.sh\n"}, False),
    "a reusable workflow of itself": (
        {
            ".github/workflows/ring.yml": "on: workflow_call\njobs:\n  a:\n"
            "    uses: ./.github/workflows/ring.yml\n"
        },
        False,
    ),
    "classes that inherit from each other": (
        {"src/bases.py": "class A(B):\n    pass\n\n\nclass B(A):\n    pass\n"},
        False,
    ),
    "requirements that include themselves": (
        {"lib/requirements.txt": "-r requirements.txt\n"},
        False,
    ),
    "broken TOML": ({"lib/pyproject.toml": "[project\nname = \n"}, False),
    "broken XML and INI": ({"lib/setup.cfg": "[a\nb", "lib/pom.xml": "<a><b></a>"}, False),
    "a name with a newline": ({"src/two\nlines.txt": "x"}, False),
    "a name with an escape": ({"src/\x1b[31mred\x1b[0m.txt": "x"}, False),
    "a name that is a workflow command": ({"src/::error file=a,line=1::x.txt": "x"}, False),
    "a very long line of text": ({"src/long.txt": "x" * 1_000_000}, False),
    "a Dockerfile that is no text": ({"lib/notes.Dockerfile.bin": bytes(range(256)) * 40}, False),
}
# Verdicts that may honestly move: a broken module or notebook counts among modules and places.
ALLOWED = {
    "JSON of 3 MB in one line": {"VER04"},  # it is a large data file in git
    "a broken notebook": {"STR01", "VER09", "STR04"},
    "a notebook that is a list": {"STR01", "VER09", "STR04"},
    "programs without arguments": {"AUT04"},  # they would run a whole pipeline
}


def outcomes(report: Report) -> dict[str, str]:
    """Each practice's outcome."""
    assert not [d for d in report.diagnostics if "a fault in the check" in d.message]
    return {f.practice.id: str(f.verdict.outcome) for f in report.findings}


def moved(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Which verdicts differ, and how."""
    return {i: (before[i], after[i]) for i in before if before[i] != after[i]}


@cache
def alone(name: str) -> dict[str, str]:
    """The outcomes without anything odd."""
    return outcomes(audit(MemoryTree(REPOSITORIES[name], git=_GIT)))


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_file_changes_no_other_verdict(odd: str) -> None:
    """In three unlike repositories every verdict stays, and what was not read is named."""
    files, told = ODD[odd]
    for name, honest in REPOSITORIES.items():
        report = audit(MemoryTree({**honest, **files}, git=_GIT))
        found = moved(alone(name), outcomes(report))
        assert not {i: f for i, f in found.items() if i not in ALLOWED.get(odd, ())}, name
        if told:
            assert {d.path for d in report.diagnostics} & set(files), report.diagnostics


@pytest.mark.parametrize("name", REPOSITORIES)
def test_links_in_a_ring_and_absent_files_change_nothing(name: str) -> None:
    """A ring of links, a link out of the tree, and content that is not in the clone."""
    links = {"src/a": "b", "src/b": "a", "src/out.txt": "/etc/passwd", "lib/up": "../.."}
    tree = MemoryTree(REPOSITORIES[name], git=_GIT, links=links, absent=["notes/absent.txt"])
    assert not moved(alone(name), outcomes(audit(tree)))


@pytest.mark.parametrize("name", REPOSITORIES)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(content=st.binary(max_size=400), suffix=st.sampled_from(["txt", "json", "toml", "cfg"]))
def test_arbitrary_bytes_change_nothing(name: str, content: bytes, suffix: str) -> None:
    """Whatever a file of another purpose holds, the verdicts stay."""
    tree = MemoryTree({**REPOSITORIES[name], f"lib/any.{suffix}": content}, git=_GIT)
    assert not moved(alone(name), outcomes(audit(tree)))


def _git(root: Path, *args: str, day: str = "2024-05-01") -> None:
    env = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    env["GIT_COMMITTER_DATE"] = f"{day}T12:00:00Z"
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *who, *args], cwd=root, env=env, check=True, capture_output=True)


def _written(root: Path, files: Mapping[str, str]) -> Path:
    for path, text in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    _git(root, "init", "-q", "-b", "main")
    _git(root, "add", "-A")
    _git(root, "commit", "-q", "-m", "one")
    return root


def _audited(root: Path) -> Report:
    tree: Tree = open_tree(root)
    return audit(tree)


def test_odd_things_on_disk_change_nothing(tmp_path: Path) -> None:
    """A pipe, a ring of links, a submodule that is not checked out, and an unreadable name."""
    root = _written(tmp_path / "shop", REPOSITORIES["tested"])
    before = outcomes(_audited(root))
    os.mkfifo(root / "src" / "pipe.py")
    (root / "src" / "ring").symlink_to("ring")
    (root / "src" / "up").symlink_to("..", target_is_directory=True)
    (root / ".gitmodules").write_text(
        '[submodule "other"]\n\tpath = other\n\turl = https://example.org/other.git\n'
    )
    _git(root, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},other")
    odd = os.open(os.fsencode(root) + b"/src/\xff\xfe.txt", os.O_CREAT | os.O_WRONLY)
    os.close(odd)
    # Git lists neither a pipe nor what is behind a link, so there is nothing to report of them.
    assert not moved(before, outcomes(_audited(root)))


@pytest.mark.parametrize(("day", "outcome"), [("2024-04-01", "pass"), ("2024-06-01", "fail")])
def test_tags_of_another_branch_count_by_their_time(tmp_path: Path, day: str, outcome: str) -> None:
    """Versions tagged on a release branch count, those made after the audited commit do not."""
    root = _written(tmp_path / "shop", REPOSITORIES["tested"])
    _git(root, "checkout", "-q", "-b", "other")
    _git(root, "commit", "-q", "--allow-empty", "-m", "two", day=day)
    for tag in ("v1.0.0", "v1.1.0", "v2.0.0"):
        _git(root, "tag", tag)
    _git(root, "checkout", "-q", "main")
    assert outcomes(_audited(root))["VER06"] == outcome
