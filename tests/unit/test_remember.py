"""What is kept between runs: never another result than the audit itself would give."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from mlops_audit import audit as auditing
from mlops_audit.audit import Request, audit
from mlops_audit.config import Config
from mlops_audit.maturity import load_model
from mlops_audit.model import Report
from mlops_audit.remember import key_of
from mlops_audit.reports import Options, render
from mlops_audit.tree import open_tree

CACHED = Request(cached=True)
FORMATS = ("json", "text", "sarif", "markdown", "junit", "html", "github", "gitlab", "csv")


def git(root: Path, *args: str) -> None:
    """Run git there."""
    name = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    subprocess.run(["git", *name, *args], cwd=root, check=True, capture_output=True)


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small repository with one commit, and an empty cache."""
    monkeypatch.setenv("MLOPS_AUDIT_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "project"
    root.mkdir()
    (root / "train.py").write_text("from sklearn.svm import SVC\nSVC().fit([[1]], [1])\n")
    (root / ".gitignore").write_text("data/\n")
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "one")
    return root


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Gets a number for each audit that is really made."""
    made: list[int] = []
    really: Callable[..., Report] = auditing._audit  # noqa: SLF001 -- what is spared

    def counted(*args: object) -> Report:
        made.append(len(made))
        return really(*args)

    monkeypatch.setattr(auditing, "_audit", counted)
    return made


def test_an_unchanged_repository_is_judged_once_and_reads_the_same_in_every_format(
    repo: Path, judged: list[int]
) -> None:
    """The kept report gives the same bytes as the first one, whatever writes it."""
    request = Request(cached=True, pictures=True)
    first, second = (audit(open_tree(repo), request=request) for _ in range(2))
    assert judged == [0]
    for name in FORMATS:
        assert render(first, name, Options()) == render(second, name, Options())


def _edit(root: Path) -> None:
    (root / "train.py").write_text("from sklearn.svm import SVC\nSVC().fit([[2]], [2])\n")


def _hidden_rules(root: Path) -> None:
    folder = root / "sub"
    folder.mkdir()
    (folder / ".gitignore").write_text("*\n")
    (folder / "kept.py").write_text("x = 1\n")
    git(root, "add", "-f", "sub/kept.py")
    git(root, "commit", "-q", "-m", "two")


CHANGES: dict[str, Callable[[Path], object]] = {
    "an edited file": _edit,
    "a new untracked file": lambda root: (root / "new.py").write_text("x = 1\n"),
    "a removed file": lambda root: (root / "train.py").unlink(),
    "an executable bit": lambda root: (root / "train.py").chmod(0o755),
    "a link": lambda root: (root / "link.py").symlink_to("train.py"),
    "a branch": lambda root: git(root, "branch", "release"),
    "a tag": lambda root: git(root, "tag", "v1.0.0"),
    "a commit of nothing": lambda root: git(root, "commit", "--allow-empty", "-q", "-m", "two"),
    "a remote": lambda root: git(root, "remote", "add", "origin", "https://example.org/a.git"),
    "a detached head": lambda root: git(root, "checkout", "-q", "--detach"),
    "a configuration": lambda root: (root / "mlops-audit.toml").write_text("target = 2\n"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_is_seen(repo: Path, judged: list[int], change: str) -> None:
    """A change of files, history, names or settings makes a new audit."""
    audit(open_tree(repo), request=CACHED)
    CHANGES[change](repo)
    audit(open_tree(repo), request=CACHED)
    assert len(judged) == 2


def test_ignore_rules_that_are_not_listed_count(repo: Path, judged: list[int]) -> None:
    """A .gitignore that ignores itself is in no listing, and yet changes what is ignored."""
    _hidden_rules(repo)
    audit(open_tree(repo), request=CACHED)
    (repo / "sub" / ".gitignore").write_text("*\n!*.txt\n")
    audit(open_tree(repo), request=CACHED)
    assert len(judged) == 2


def test_another_question_is_another_audit(repo: Path, judged: list[int]) -> None:
    """Target, configuration and project belong to what is kept; so does what else is asked."""
    audit(open_tree(repo), request=CACHED)
    audit(open_tree(repo), request=Request(cached=True, target=3))
    audit(open_tree(repo), Config(exclude=("x",)), request=CACHED)
    audit(open_tree(repo), project=".", request=CACHED)
    assert len(judged) == 4


def test_a_clean_work_tree_and_its_commit_are_the_same(repo: Path, judged: list[int]) -> None:
    """Both hold the same files and the same history, so one audit is enough for both."""
    there, here = (audit(open_tree(repo, rev), request=CACHED) for rev in ("HEAD", None))
    assert judged == [0]
    assert render(here, "json", Options()) == render(there, "json", Options())


def test_nothing_is_kept_without_being_asked(repo: Path, judged: list[int]) -> None:
    """The default of the API reads nothing but the tree."""
    for _ in range(2):
        audit(open_tree(repo))
    assert len(judged) == 2


def test_a_model_of_a_teams_own_is_never_kept(repo: Path) -> None:
    """A model that is not built in has no name that would tell its content."""
    ladder = load_model("ladder")
    assert key_of(open_tree(repo), Config(), [ladder], ())
    model = replace(ladder, title="Ours")
    assert key_of(open_tree(repo), Config(), [model], ()) is None


def test_a_damaged_cache_costs_time_only(repo: Path, tmp_path: Path, judged: list[int]) -> None:
    """Whatever lies in the cache's place, the audit answers."""
    audit(open_tree(repo), request=CACHED)
    for name in (tmp_path / "cache").iterdir():
        name.write_bytes(b"\0" * 5000)
    report = audit(open_tree(repo), request=CACHED)
    assert len(judged) == 2
    assert report.findings
