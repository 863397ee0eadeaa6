"""A repository made to harm its auditor runs nothing, leaks nothing and cannot make it hang."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.tree import FolderTree, MemoryTree, Tree, Unread, limits, open_tree
from mlops_audit.tree import git as git_module

ENV = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}


def git(root: Path, *args: str) -> str:
    """Run git in a folder."""
    command = ["git", *args]
    done = subprocess.run(command, cwd=root, env=ENV, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def exercise(tree: Tree) -> None:
    """Ask a tree everything that it can be asked."""
    for path in tree.entries:
        tree.read(path)
        tree.head(path, 10)
        tree.blob_id(path)
        tree.link_target(path)
        tree.ignores(path)
    info = tree.git
    if info is not None:
        for name in info.__dataclass_fields__:
            getattr(info, name)
        for path in list(tree.entries)[:5]:
            info.touched(path)
            info.versions_of(path)
    assert tree.diagnostics is not None


@pytest.fixture
def trap(tmp_path: Path) -> tuple[Path, Path]:
    """A repository whose configuration names a program wherever git takes one, and its marker."""
    root = tmp_path / "trap"
    root.mkdir()
    marker = tmp_path / "MARKER"
    script = tmp_path / "run.sh"
    script.write_text(f"#!/bin/sh\necho \"$0 $*\" >> '{marker}'\ncat\n")
    script.chmod(0o755)
    git(root, "init", "-q", "-b", "main")
    (root / ".gitattributes").write_text("*.txt filter=evil diff=evil\n")
    (root / "a.txt").write_text("one\n")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "one")
    (root / "a.txt").write_text("two\n")
    git(root, "commit", "-qam", "two")
    git(root, "tag", "v1")
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("post-index-change", "post-checkout", "reference-transaction", "pre-auto-gc"):
        (hooks / name).symlink_to(script)
        (root / ".git" / "hooks").mkdir(exist_ok=True)
        (root / ".git" / "hooks" / name).symlink_to(script)
    settings = {
        "core.hooksPath": str(hooks),
        "core.pager": str(script),
        "core.editor": str(script),
        "core.sshCommand": str(script),
        "core.askPass": str(script),
        "core.gitProxy": str(script),
        "core.alternateRefsCommand": str(script),
        "core.worktree": "/etc",
        "diff.external": str(script),
        "diff.evil.textconv": str(script),
        "diff.evil.command": str(script),
        "filter.evil.clean": str(script),
        "filter.evil.smudge": str(script),
        "filter.evil.process": str(script),
        "filter.evil.required": "true",
        "gpg.program": str(script),
        "log.showSignature": "true",
        "pager.rev-list": str(script),
        "pager.ls-files": str(script),
        "alias.ls-files": f"!{script}",
        "credential.helper": f"!{script}",
        "protocol.allow": "always",
        "protocol.ext.allow": "always",
        "remote.origin.url": f"ext::{script}",
        "remote.origin.promisor": "true",
        "remote.origin.partialclonefilter": "blob:none",
        "extensions.partialClone": "origin",
        "core.repositoryformatversion": "1",
        "core.fsmonitor": str(script),
    }
    for key, value in settings.items():
        git(root, "config", key, value)
    (root / "a.txt").write_text("changed\n")
    (root / "new.txt").write_text("new\n")
    marker.unlink(missing_ok=True)
    return root, marker


def test_nothing_that_the_configuration_names_is_run(trap: tuple[Path, Path]) -> None:
    """Monitors, hooks, filters, text converters, pagers, signers and transports stay unused."""
    root, marker = trap
    # The trap works: plain git would walk into it.
    subprocess.run(["git", "--work-tree=.", "status"], cwd=root, check=False, capture_output=True)
    assert marker.exists()
    marker.unlink()
    for tree in (open_tree(root), open_tree(root, "HEAD"), open_tree(root, "v1")):
        exercise(tree)
    tree = open_tree(root)
    assert sorted(tree.entries) == [".gitattributes", "a.txt", "new.txt"]
    assert tree.read("a.txt") == b"changed\n"
    assert tree.git is not None
    assert tree.git.dirty
    assert not marker.exists(), marker.read_text()


def test_a_missing_object_of_a_hostile_remote_is_not_fetched(trap: tuple[Path, Path]) -> None:
    """A promised object is absent, although the repository allows its own transport."""
    root, marker = trap
    blob = git(root, "--work-tree=.", "rev-parse", "HEAD:a.txt")
    (root / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    tree = open_tree(root, "HEAD")
    exercise(tree)
    assert tree.entries["a.txt"].absent
    assert not marker.exists()


def test_a_git_program_of_the_repository_is_not_run(
    trap: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative PATH entries are left out, so `git` beside the sources stays a file."""
    root, marker = trap
    fake = root / "git"
    fake.write_text(f"#!/bin/sh\ntouch '{marker}'\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", ".:" + os.pathsep + os.environ["PATH"])
    git_module.git_program.cache_clear()
    monkeypatch.chdir(root)
    try:
        exercise(open_tree(root))
    finally:
        git_module.git_program.cache_clear()
    assert not marker.exists()


def test_without_git_the_folder_is_read(
    trap: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine without git still audits the files, and says so."""
    monkeypatch.setenv("PATH", "/nonexistent")
    git_module.git_program.cache_clear()
    try:
        tree = open_tree(trap[0])
    finally:
        git_module.git_program.cache_clear()
    assert tree.read("a.txt") == b"changed\n"
    assert "not installed" in tree.diagnostics[0].message


def test_environment_variables_for_git_are_not_passed_on(
    trap: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GIT_DIR, GIT_INDEX_FILE and the like of a calling hook do not redirect the audit."""
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_EXTERNAL_DIFF"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    assert "a.txt" in open_tree(trap[0]).entries


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_repository_of_another_user_is_audited(trap: tuple[Path, Path]) -> None:
    """CI containers run as another user than the clone's owner."""
    root, _ = trap
    for path in [root, *root.rglob("*")]:
        os.chown(path, 12345, 12345, follow_symlinks=False)
    tree = open_tree(root)
    assert not tree.diagnostics
    assert tree.entries["a.txt"].tracked


def plant(root: Path) -> None:
    """Put everything into a folder that a careless reader would follow, wait for or swallow."""
    (root / "ok.py").write_text("ok")
    os.mkfifo(root / "pipe.py")
    with (root / "huge.py").open("wb") as file:
        file.truncate(3 << 30)
    (root / "leak.py").symlink_to("/etc/passwd")
    (root / "zero.py").symlink_to("/dev/zero")
    (root / "etc").symlink_to("/etc")
    (root / "loop").symlink_to(".")
    (root / "weird\n::error::x").write_text("w")
    with socket.socket(socket.AF_UNIX) as end:
        here = Path.cwd()
        os.chdir(root)  # a socket's address is short
        end.bind("sock.py")
        os.chdir(here)


@pytest.mark.parametrize("with_git", [False, True])
def test_special_files_neither_block_nor_leak(tmp_path: Path, *, with_git: bool) -> None:
    """FIFOs, sockets, links out, link loops and 3 GB files are entries, and are not read."""
    root = tmp_path / "p"
    root.mkdir()
    if with_git:
        git(root, "init", "-q")
    plant(root)
    start = time.monotonic()
    tree = open_tree(root)
    exercise(tree)
    assert time.monotonic() - start < 5
    assert isinstance(tree, FolderTree) is not with_git
    assert tree.read("ok.py") == b"ok"
    kinds = {path: tree.read(path) for path in ("leak.py", "zero.py", "huge.py")}
    assert [k.kind for k in kinds.values() if isinstance(k, Unread)] == [
        "link",
        "link",
        "too-large",
    ]
    assert tree.head("huge.py", 4) == b"\0\0\0\0"
    assert not any(path.startswith(("etc/", "loop/")) for path in tree.entries)
    if not with_git:
        fifo = tree.read("pipe.py")
        assert isinstance(fifo, Unread)
        assert fifo.kind == "special"


def test_a_tracked_path_through_a_linked_folder_is_not_followed(tmp_path: Path) -> None:
    """An index entry below a folder that became a link out of the tree counts as deleted."""
    root = tmp_path / "p"
    (root / "d").mkdir(parents=True)
    (root / "d" / "passwd").write_text("mine")
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "x")
    (root / "d" / "passwd").unlink()
    (root / "d").rmdir()
    (root / "d").symlink_to("/etc")
    tree = open_tree(root)
    assert "d/passwd" not in tree.entries
    assert isinstance(tree.read("d/passwd"), Unread)


def test_a_tracked_file_replaced_by_a_fifo_is_special(tmp_path: Path) -> None:
    """What git knows as a file may be anything on the disk."""
    root = tmp_path / "p"
    root.mkdir()
    (root / "a").write_text("a")
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "x")
    (root / "a").unlink()
    os.mkfifo(root / "a")
    tree = open_tree(root)
    exercise(tree)
    assert tree.entries["a"].kind == "special"


@pytest.mark.parametrize("name", ["HEAD", "config", "index", "packed-refs", "info/exclude"])
def test_a_fifo_inside_git_does_not_block(tmp_path: Path, name: str) -> None:
    """Git itself would wait for ever on these, so it is not asked."""
    root = tmp_path / "p"
    root.mkdir()
    git(root, "init", "-q")
    (root / "a").write_text("a")
    target = root / ".git" / name
    target.parent.mkdir(exist_ok=True)
    target.unlink(missing_ok=True)
    os.mkfifo(target)
    tree = open_tree(root)
    assert tree.read("a") == b"a"
    assert "no ordinary file" in tree.diagnostics[0].message


def test_a_fifo_called_gitignore_does_not_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git hangs on it; the untracked files are then found without git, ignore rules kept."""
    monkeypatch.setattr("mlops_audit.tree.worktree._OTHERS_SECONDS", 0.3)
    root = tmp_path / "p"
    (root / "d").mkdir(parents=True)
    git(root, "init", "-q")
    (root / "a").write_text("a")
    git(root, "add", "-A")
    (root / "new").write_text("n")
    (root / "x.log").write_text("n")
    (root / ".gitignore").write_text("*.log\n")
    os.mkfifo(root / "d" / ".gitignore")
    tree = open_tree(root)
    assert [path for path in tree.entries if tree.entries[path].kind == "file"] == [
        ".gitignore",
        "a",
        "new",
    ]
    assert tree.entries["a"].tracked
    assert not tree.ignores("d/x")
    assert "without it" in tree.diagnostics[0].message


def test_depth_and_count_are_bounded_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two hundred folders deep, or too many files, leave a diagnostic and a usable rest."""
    root = tmp_path / "p"
    deep = root
    for _ in range(200):
        deep /= "d"
    deep.mkdir(parents=True)
    (deep / "x").write_text("x")
    (root / "a").write_text("a")
    tree = open_tree(root)
    assert list(tree.entries) == ["a"]
    assert "folders deep" in tree.diagnostics[0].message
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "x")
    for listed in (open_tree(root), open_tree(root, "HEAD")):
        assert list(listed.entries) == ["a"]
        assert "folders deep" in listed.diagnostics[0].message
    monkeypatch.setattr(limits, "MAX_FILES", 3)
    for number in range(9):
        (root / f"n{number}").write_text("n")
    for listed in (open_tree(root), FolderTree(str(root), "p")):
        assert len(listed.entries) == 3
        assert any("stops at 3 files" in d.message for d in listed.diagnostics)


def test_the_total_of_bytes_read_is_bounded_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the budget files are unread, once with a diagnostic."""
    monkeypatch.setattr(limits, "MAX_TOTAL", 25)
    tree = MemoryTree({f"f{number}": "x" * 10 for number in range(5)})
    read = [tree.read(path) for path in tree.entries]
    assert [data.kind for data in read if isinstance(data, Unread)] == ["limit"] * 3
    assert len(tree.diagnostics) == 1


def test_a_file_that_is_read_again_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one process may keep in memory decides nothing about what can be read."""
    monkeypatch.setattr(limits, "MAX_TOTAL", 25)
    monkeypatch.setattr(limits, "MAX_CACHED", 10)
    tree = MemoryTree({f"f{number}": "x" * 10 for number in range(3)})
    for _ in range(3):
        assert [isinstance(tree.read(path), bytes) for path in tree.entries] == [True, True, False]
    assert not tree.fits
    assert MemoryTree({"a": "x" * 10, "b": "x" * 10}).fits
    seen = MemoryTree({f"f{number}": "x" * 10 for number in range(3)})
    seen.state()
    assert isinstance(seen.read("f2"), bytes)


def test_a_folder_that_may_not_be_listed_is_a_diagnostic(tmp_path: Path) -> None:
    """A virtual environment is skipped, and a vanished or unreadable folder does not raise."""
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "pyvenv.cfg").write_text("")
    (tmp_path / "venv" / "x.py").write_text("")
    assert not open_tree(tmp_path).entries


@given(st.dictionaries(st.text(max_size=12), st.binary(max_size=60), max_size=4), st.text())
def test_any_names_and_bytes_in_memory_never_raise(files: dict[str, bytes], path: str) -> None:
    """Arbitrary names and contents are listed or named in a diagnostic."""
    tree = MemoryTree(files, links={"l": path} if path else {})
    exercise(tree)
    tree.read(path)
    tree.ignores(path)
    assert list(tree.entries) == sorted(tree.entries)


def test_importing_the_layer_is_light() -> None:
    """Start-up pays for no parser, renderer or pattern library."""
    code = "import sys, mlops_audit.tree; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )
    assert not {"yaml", "rich", "pathspec", "click", "subprocess"} & set(loaded.stdout.split())
