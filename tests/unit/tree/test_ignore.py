"""Ignore rules give git's own answers, and never hang or raise."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_audit.tree import MemoryTree, open_tree
from mlops_audit.tree.ignore import parse_rules

CASES = [
    ("*.csv", "data/a.csv", True),
    ("data/", "data/a.csv", True),
    ("data/", "data", False),
    ("/data", "x/data", False),
    ("x/data", "y/x/data", False),
    ("**/data", "y/x/data", True),
    ("a/**/b", "a/b", True),
    ("a/**/b", "a/x/y/b", True),
    ("a/**", "a/x", True),
    ("*\n!*/\n!*.py", "a/x.py", False),
    ("*\n!*/\n!*.py", "a/x.txt", True),
    ("/*\n!/src", "src/x.py", False),
    ("data/*\n!data/.gitignore", "data/.gitignore", False),
    ("data/\n!data/keep", "data/keep", True),
    (".*\n!.dvc", ".dvc/config", False),
    ("\\#x", "#x", True),
    ("#x", "#x", False),
    ("\\!x", "!x", True),
    ("x\\ ", "x ", True),
    ("x  ", "x", True),
    ("[ab]c", "bc", True),
    ("[!ab]c", "bc", False),
    ("[a-c]d", "bd", True),
    ("[[:digit:]]x", "1x", True),
    ("[]]x", "]x", True),
    ("[x", "[x", False),
    ("a?c", "abc", True),
    ("a?c", "a/c", False),
    ("*a*b", "xaxxb", True),
    ("*a*b", "xbxxa", False),
    ("foo/*", "foo/bar/baz", True),
    ("x\r", "x", True),
    ("**", "anything", True),
    ("***", "anything", True),
    ("a**b", "axxb", True),
    ("\\", "x", False),
    ("[^a]b", "cb", True),
    ("[a\\]]b", "]b", True),
    ("[--0]b", ".b", True),
    ("[]/]", "]", True),
    ("[a/]b", "x/ab", False),
]


@pytest.mark.parametrize(("rules", "path", "expected"), CASES)
def test_a_rule_judges_as_documented(rules: str, path: str, *, expected: bool) -> None:
    """Each form of pattern gives the answer of git's documentation."""
    assert MemoryTree({".gitignore": rules}).ignores(path) is expected


def test_a_deeper_file_wins_and_is_relative_to_its_folder() -> None:
    """Nested .gitignore files are read, and the nearest one decides."""
    tree = MemoryTree({".gitignore": "*.csv\n", "data/.gitignore": "!/keep.csv\n"})
    assert tree.ignores("data/other.csv")
    assert not tree.ignores("data/keep.csv")
    assert tree.ignores("data/deep/keep.csv")


def test_a_folder_of_the_tree_counts_as_one() -> None:
    """A path with files below it, or with a closing slash, matches folder patterns."""
    tree = MemoryTree({".gitignore": "out/\n", "out/x": ""})
    assert tree.ignores("out")
    assert MemoryTree({".gitignore": "out/\n"}).ignores("out/")


def test_a_path_out_of_the_tree_is_not_ignored() -> None:
    """What leaves the tree is outside every rule."""
    assert not MemoryTree({".gitignore": "*"}).ignores("../x")


def test_stars_do_not_backtrack() -> None:
    """A pattern made to explode a backtracking matcher costs nothing."""
    tree = MemoryTree({".gitignore": "*a" * 40 + "b"})
    start = time.thread_time()
    assert not tree.ignores("a" * 200)
    assert time.thread_time() - start < 1


def test_all_cases_agree_with_git(repo: Path) -> None:
    """Git itself answers every case of this file in the same way."""
    for number, (rules, path, _) in enumerate(CASES):
        folder = repo / str(number)
        folder.mkdir()
        (folder / ".gitignore").write_bytes(rules.encode())
        git_says = ask_git(repo, f"{number}/{path}")
        assert open_tree(repo).ignores(f"{number}/{path}") is git_says, (rules, path)


LINES = st.lists(st.text("ab/*?[]!\\-^# .", max_size=8), max_size=6).map("\n".join)
PATHS = st.lists(st.text("ab.-]", min_size=1, max_size=3), min_size=1, max_size=3).map("/".join)


@settings(max_examples=40, deadline=None)
@given(rules=LINES, paths=st.lists(PATHS, min_size=1, max_size=8))
def test_random_rules_agree_with_git(
    tmp_path_factory: pytest.TempPathFactory, rules: str, paths: list[str]
) -> None:
    """Random patterns over random paths give git's answers."""
    root = tmp_path_factory.mktemp("r")
    subprocess.run(["git", "init", "-q", root], check=True)
    (root / ".gitignore").write_bytes(rules.encode())
    tree = MemoryTree({".gitignore": rules})
    for path in paths:
        if ".." in path.split("/") or "." in path.split("/"):
            continue
        assert tree.ignores(path) is ask_git(root, path), (rules, path)


def ask_git(root: Path, path: str) -> bool:
    """Whether git ignores a path that does not exist."""
    command = ["git", "check-ignore", "--no-index", "-q", "--", path]
    done = subprocess.run(command, cwd=root, check=False, capture_output=True)
    return done.returncode == 0


@given(st.binary(max_size=200), st.text(max_size=30))
def test_any_rules_and_any_path_never_raise(rules: bytes, path: str) -> None:
    """Arbitrary bytes as rules and arbitrary text as a path are answered."""
    assert MemoryTree({".gitignore": rules}).ignores(path) in {True, False}
    parse_rules(rules)
