"""Any revision is read from git's objects, without a checkout and without fetching."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mlops_audit.tree import TreeError, Unread, open_tree
from mlops_audit.tree.gitinfo import clean_url

Sh = Callable[..., str]


def write(repo: Path, git: Sh, path: str, content: str, date: int = 1_700_000_000) -> None:
    """Commit one file at a time of seconds since the epoch."""
    (repo / path).write_text(content)
    git("add", "-A")
    when = f"{date} +0000"
    git("commit", "-qm", path, GIT_COMMITTER_DATE=when, GIT_AUTHOR_DATE=when)


def test_a_revision_has_its_own_files_rules_and_history(repo: Path, git: Sh) -> None:
    """Tags, branches and ids give the files and ignore rules of that commit."""
    write(repo, git, ".gitignore", "*.csv\n")
    write(repo, git, "v.txt", "1")
    git("tag", "v1")
    write(repo, git, "v.txt", "2")
    write(repo, git, ".gitignore", "")
    tree = open_tree(repo, "v1")
    assert tree.read("v.txt") == b"1"
    assert tree.ignores("x.csv")
    assert not open_tree(repo).ignores("x.csv")
    assert tree.git is not None
    assert tree.git.commits == 2
    assert not tree.git.dirty
    now = open_tree(repo, "main").git
    assert now is not None
    assert now.versions_of("v.txt") == (b"1",)
    assert now.touched("v.txt") == 2
    assert now.touched("never") is None


def test_a_bare_repository_is_read_at_its_head(repo: Path, git: Sh, tmp_path: Path) -> None:
    """A bare clone needs no work tree, and is named without its suffix."""
    write(repo, git, "a", "1")
    git("clone", "-q", "--bare", ".", str(tmp_path / "thing.git"))
    tree = open_tree(tmp_path / "thing.git")
    assert tree.name == "thing"
    assert tree.read("a") == b"1"


def test_an_empty_bare_repository_is_an_empty_tree(git: Sh, tmp_path: Path) -> None:
    """No commits is a diagnostic, not an error."""
    git("init", "-q", "--bare", str(tmp_path / "empty.git"))
    tree = open_tree(tmp_path / "empty.git")
    assert not tree.entries
    assert "no commits" in tree.diagnostics[0].message


def test_a_partial_clones_missing_blobs_are_absent_and_not_fetched(
    repo: Path, git: Sh, tmp_path: Path
) -> None:
    """Content that only the remote has is unknown; asking for it changes nothing."""
    write(repo, git, "a", "old")
    write(repo, git, "a", "new")
    git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "partial"
    git("clone", "-q", "--filter=blob:none", f"file://{repo}", str(clone))
    before = sorted(p.name for p in (clone / ".git" / "objects").rglob("*"))
    tree = open_tree(clone, "HEAD~1")
    assert tree.entries["a"].absent
    assert tree.entries["a"].size is None
    data = tree.read("a")
    assert isinstance(data, Unread)
    assert data.kind == "absent"
    assert open_tree(clone).read("a") == b"new"
    assert tree.git is not None
    assert open_tree(clone).git.versions_of("a") == ()  # type: ignore[union-attr] # it has git
    assert sorted(p.name for p in (clone / ".git" / "objects").rglob("*")) == before


def test_a_shallow_clone_says_so(repo: Path, git: Sh, tmp_path: Path) -> None:
    """Cut history is marked, so that counts can be taken as lower bounds."""
    write(repo, git, "a", "1")
    write(repo, git, "a", "2")
    git("clone", "-q", "--depth=1", f"file://{repo}", str(tmp_path / "shallow"))
    info = open_tree(tmp_path / "shallow").git
    assert info is not None
    assert info.shallow
    assert info.commits == 1


def test_branches_tags_and_dates_are_those_of_the_contract(repo: Path, git: Sh) -> None:
    """Only own and origin's branches, only reachable tags, in the order of their creation."""
    write(repo, git, "a", "1", 1_600_000_000)
    git("tag", "v1.9")
    git("tag", "v1.10")
    write(repo, git, "a", "2", 1_600_000_100)
    git("tag", "-a", "v0.1", "-m", "late", GIT_COMMITTER_DATE="1600000200 +0000")
    git("checkout", "-qb", "side")
    write(repo, git, "a", "3", 1_600_000_300)
    git("tag", "side-only")
    git("checkout", "-q", "main")
    git("update-ref", "refs/remotes/origin/dev", "HEAD")
    git("update-ref", "refs/remotes/fork/x", "HEAD")
    git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/dev")
    info = open_tree(repo).git
    assert info is not None
    assert info.branches == ("dev", "main", "side")
    assert info.default_branch == "dev"
    assert [tag.name for tag in info.tags] == ["v1.9", "v1.10", "v0.1"]
    assert info.tags[2].annotated
    assert info.tags[2].commit == info.commit
    assert (info.first_commit, info.last_commit) == (1_600_000_000, 1_600_000_100)
    assert not info.detached
    git("checkout", "-q", "--detach")
    moved = open_tree(repo).git
    assert moved is not None
    assert moved.detached


def test_a_branch_that_only_origin_has_is_found(repo: Path, git: Sh) -> None:
    """CI clones have remote branches only; their short names work."""
    write(repo, git, "a", "1")
    git("update-ref", "refs/remotes/origin/dev", "HEAD")
    assert open_tree(repo, "dev").read("a") == b"1"


def test_a_corrupt_object_is_unread_and_the_others_are_not(repo: Path, git: Sh) -> None:
    """One broken blob costs one file."""
    write(repo, git, "bad", "x" * 500)
    write(repo, git, "good", "fine")
    blob = git("rev-parse", "HEAD:bad")
    loose = repo / ".git" / "objects" / blob[:2] / blob[2:]
    loose.chmod(0o644)
    loose.write_bytes(b"garbage")
    tree = open_tree(repo, "HEAD")
    assert isinstance(tree.read("bad"), Unread)
    assert tree.read("good") == b"fine"


def test_many_corrupt_objects_cost_their_own_files(repo: Path, git: Sh) -> None:
    """However many blobs are broken, and whatever was asked before, a whole one is read."""
    for number in range(30):
        (repo / f"bad{number:02}").write_text(f"{number}" * 500)
    write(repo, git, "whole", "fine")
    for number in range(30):
        blob = git("rev-parse", f"HEAD:bad{number:02}")
        loose = repo / ".git" / "objects" / blob[:2] / blob[2:]
        loose.chmod(0o644)
        loose.write_bytes(b"garbage")
    tree, other = open_tree(repo, "HEAD"), open_tree(repo, "HEAD")
    first = {path: tree.read(path) for path in tree.entries}
    again = {path: tree.read(path) for path in sorted(tree.entries, reverse=True)}
    turned = {path: other.read(path) for path in sorted(other.entries, reverse=True)}
    assert first == again == turned
    assert [p for p, data in first.items() if isinstance(data, bytes)] == ["whole"]


def test_truncated_packs_leave_a_tree_or_one_sentence(repo: Path, git: Sh) -> None:
    """A repository without readable history falls back to the files on the disk."""
    write(repo, git, "a", "1")
    git("gc", "-q")
    for pack in (repo / ".git" / "objects" / "pack").iterdir():
        pack.chmod(0o644)
        pack.write_bytes(pack.read_bytes()[:20])
    assert open_tree(repo).read("a") == b"1"
    with pytest.raises(TreeError):
        open_tree(repo, "HEAD")
    assert open_tree(repo).git is not None
    assert open_tree(repo).git.commits in {0, None}  # type: ignore[union-attr] # it has git


@pytest.mark.parametrize("damage", ["index", "no-index", "head", "gitfile", "empty", "version"])
def test_a_broken_git_becomes_a_diagnostic(repo: Path, git: Sh, damage: str) -> None:
    """Whatever is wrong with .git, the folder's files are read and the reason is said."""
    write(repo, git, "a", "1")
    dot = repo / ".git"
    if damage == "index":
        (dot / "index").write_bytes(b"rubbish")
    elif damage == "no-index":
        (dot / "index").unlink()
    elif damage == "head":
        (dot / "HEAD").unlink()
    elif damage == "version":
        git("config", "core.repositoryformatversion", "99")
    else:
        shutil.rmtree(dot)
        dot.write_text("gitdir: ../nowhere\n" if damage == "gitfile" else "")
    tree = open_tree(repo)
    assert tree.read("a") == b"1"
    assert ".git" not in tree.entries
    assert tree.diagnostics
    if damage == "no-index":
        assert tree.entries["a"].tracked


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://user:secret@github.com/o/n.git?token=1", "https://github.com/o/n.git"),
        ("git@github.com:o/n.git", "git@github.com:o/n.git"),
        ("ssh://git@host:22/o/n", "ssh://host:22/o/n"),
        ("/home/me/repo", None),
        ("file:///home/me/repo", None),
        ("../up", None),
        ("ext::sh -c whoami", None),
    ],
)
def test_a_remotes_address_carries_no_secret(url: str, expected: str | None) -> None:
    """Users, passwords, tokens and paths of this machine are not reported."""
    assert clean_url(url) == expected
