"""A work tree is listed, read and described as it lies on the disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mlops_audit.tree import Tree, TreeError, Unread, open_tree
from mlops_audit.tree.base import blob_hash

Sh = Callable[..., str]


def commit(repo: Path, git: Sh, files: dict[str, str | bytes], message: str = "x") -> None:
    """Write and commit files."""
    for path, content in files.items():
        target = repo / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
    git("add", "-A")
    git("commit", "-qm", message)


def settle(repo: Path, git: Sh) -> None:
    """Make every file older than the index, as in any clone that is a second old."""
    for path in repo.rglob("*"):
        if ".git" not in path.parts and path.is_file():
            os.utime(path, (1_600_000_000, 1_600_000_000))
    git("update-index", "-q", "--refresh")


def test_tracked_and_untracked_files_are_listed_in_order(repo: Path, git: Sh) -> None:
    """Untracked files are part of the tree, ignored ones and tools' folders are not."""
    commit(repo, git, {"b.py": "b", "a/x": "x", ".gitignore": "*.log\n"})
    for path in ("new.py", "x.log", ".venv/lib/y.py", "node_modules/z.js"):
        (repo / path).parent.mkdir(parents=True, exist_ok=True)
        (repo / path).write_text("n")
    tree = open_tree(repo)
    assert list(tree.entries) == [".gitignore", "a/x", "b.py", "new.py"]
    assert tree.entries["b.py"].tracked
    assert not tree.entries["new.py"].tracked
    assert tree.read("a/x") == b"x"
    assert tree.name == "project"
    assert not tree.diagnostics


def test_without_an_index_each_file_is_listed_once(repo: Path, git: Sh) -> None:
    """The commit's files are not listed again as untracked ones when the index is missing."""
    commit(repo, git, {"b.py": "b"})
    (repo / "new.py").write_text("n")
    (repo / ".git" / "index").unlink()
    assert list(open_tree(repo).entries) == ["b.py", "new.py"]


def test_the_blob_of_a_clean_file_is_the_indexs(repo: Path, git: Sh) -> None:
    """A clean file's id is known at once, a changed or new one's is computed when asked."""
    commit(repo, git, {"a": "one", "b": "two"})
    settle(repo, git)
    (repo / "b").write_text("three")
    tree = open_tree(repo)
    assert tree.entries["a"].blob == blob_hash(b"one")
    assert tree.entries["b"].blob is None
    assert tree.blob_id("b") == blob_hash(b"three")
    assert tree.entries["b"].blob == blob_hash(b"three")


def test_a_filter_attribute_makes_ids_come_from_the_bytes_read(repo: Path, git: Sh) -> None:
    """Where git may convert on checkout, the index's id is not the content's."""
    commit(repo, git, {"a": "one", ".gitattributes": "*.bin filter=crypt\n"})
    settle(repo, git)
    tree = open_tree(repo)
    assert tree.entries["a"].blob is None
    assert tree.blob_id("a") == blob_hash(b"one")


def dirty(tree: Tree) -> bool:
    """The tree's dirty flag."""
    assert tree.git is not None
    return tree.git.dirty


def test_a_fresh_commit_is_clean_and_stays_so_when_copied(
    repo: Path, git: Sh, tmp_path: Path
) -> None:
    """New time stamps alone do not make a work tree dirty."""
    commit(repo, git, {"a": "one", "c": "x\r\n"})
    assert not dirty(open_tree(repo))
    shutil.copytree(repo, tmp_path / "copy", copy_function=shutil.copy)
    assert not dirty(open_tree(tmp_path / "copy"))


@pytest.mark.parametrize("change", ["edit", "new", "delete", "stage", "same-size"])
def test_any_difference_from_the_commit_is_dirty(repo: Path, git: Sh, change: str) -> None:
    """Edits, new, deleted and staged files all make what is audited differ from the commit."""
    commit(repo, git, {"a": "one", "b": "two"})
    settle(repo, git)
    assert not dirty(open_tree(repo))
    if change == "edit":
        (repo / "a").write_text("longer")
    elif change == "same-size":
        (repo / "a").write_text("eno")
    elif change == "new":
        (repo / "n").write_text("n")
    elif change == "delete":
        (repo / "a").unlink()
        assert "a" not in open_tree(repo).entries
    else:
        (repo / "a").write_text("staged")
        git("add", "a")
        (repo / "a").write_text("staged")
    assert dirty(open_tree(repo))


def test_a_subfolder_is_audited_as_a_root_with_gits_facts(repo: Path, git: Sh) -> None:
    """Paths are relative to the subfolder; history, ignore rules above and commit are kept."""
    commit(repo, git, {"svc/app.py": "1", "other": "o", ".gitignore": "*.tmp\n/svc/out\n"})
    commit(repo, git, {"svc/app.py": "2"})
    for tree in (open_tree(repo / "svc"), open_tree(repo / "svc", "HEAD")):
        assert list(tree.entries) == ["app.py"]
        assert tree.git is not None
        assert tree.git.commit == git("rev-parse", "HEAD")
        assert tree.git.touched("app.py") == 2
        assert tree.git.versions_of("app.py") == (b"1",)
        assert tree.ignores("x.tmp")
        assert tree.ignores("out")
        assert not tree.ignores("sub/out")
        assert not tree.git.dirty


def test_an_ignored_subfolder_is_a_plain_folder(repo: Path, git: Sh) -> None:
    """A folder that its repository ignores is audited by its files."""
    commit(repo, git, {".gitignore": "build/\n"})
    (repo / "build").mkdir()
    (repo / "build" / "x.py").write_text("x")
    tree = open_tree(repo / "build")
    assert list(tree.entries) == ["x.py"]
    assert tree.git is None


def test_links_are_resolved_by_name_within_the_tree(repo: Path, git: Sh) -> None:
    """A link to a listed file reads as that file; out of the tree or round in a circle it fails."""
    (repo / "d").mkdir()
    (repo / "d" / "in").symlink_to("../a")
    (repo / "two").symlink_to("d/in")
    (repo / "out").symlink_to("/etc/passwd")
    (repo / "up").symlink_to("../../x")
    (repo / "x").symlink_to("y")
    (repo / "y").symlink_to("x")
    commit(repo, git, {"a": "content"})
    for tree in (open_tree(repo), open_tree(repo, "HEAD")):
        assert tree.entries["two"].kind == "link"
        assert tree.read("two") == b"content"
        assert tree.link_target("two") == "a"
        for path in ("out", "up", "x"):
            data = tree.read(path)
            assert isinstance(data, Unread)
            assert data.kind == "link"
            assert data.path == path


def test_names_that_are_no_text_survive(repo: Path, git: Sh) -> None:
    """Undecodable bytes are escaped; newlines and escapes stay; all of them can be read."""
    names = [b"a\xff", b"a\xfe", b"new\nline", b"esc\x1b[0m", b'q"uote', b"a\\xff", "é".encode()]
    for name in names:
        Path(os.fsdecode(os.fsencode(repo) + b"/" + name)).write_bytes(name)
    git("add", "-A")
    git("commit", "-qm", "x")
    for tree in (open_tree(repo), open_tree(repo, "HEAD")):
        assert len(tree.entries) == len(names)
        assert {tree.read(path) for path in tree.entries} == set(names)
        assert {"a\\xff", "a\\xfe", "new\nline", "esc\x1b[0m", "é"} <= set(tree.entries)


def test_submodules_and_inner_repositories_are_entries_of_their_own(repo: Path, git: Sh) -> None:
    """Another repository within is one entry, and its files are not read."""
    commit(repo, git, {"a": "1"})
    git("update-index", "--add", "--cacheinfo", f"160000,{git('rev-parse', 'HEAD')},sub")
    git("commit", "-qm", "sub")
    (repo / "inner").mkdir()
    git("init", "-q", "inner")
    git("-C", "inner", "commit", "-q", "--allow-empty", "-m", "x")
    (repo / "inner" / "f").write_text("f")
    tree = open_tree(repo)
    assert tree.entries["sub"].kind == "submodule"
    assert tree.entries["inner"].kind == "submodule"
    assert isinstance(tree.read("sub"), Unread)
    assert "inner/f" not in tree.entries


def test_a_sparse_checkouts_missing_files_come_from_the_objects(repo: Path, git: Sh) -> None:
    """A tracked file outside the sparse checkout is listed, and read where the clone has it."""
    commit(repo, git, {"a/x": "ax", "b/y": "by", "top": "t"})
    git("sparse-checkout", "set", "a")
    assert not (repo / "b").exists()
    tree = open_tree(repo)
    assert tree.read("b/y") == b"by"
    assert not tree.entries["b/y"].absent
    assert not dirty(tree)


def test_a_linked_worktree_is_a_work_tree(repo: Path, git: Sh, tmp_path: Path) -> None:
    """A worktree whose .git is a file has its own HEAD and the common refs."""
    commit(repo, git, {"a": "1"})
    git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    tree = open_tree(tmp_path / "side")
    assert list(tree.entries) == ["a"]
    assert tree.git is not None
    assert tree.git.branches == ("main", "side")
    assert not tree.git.detached
    assert not tree.git.shallow


def test_lfs_and_annex_pointers_are_absent_content(repo: Path, git: Sh) -> None:
    """A pointer is told from content: in the listing where attributes name it, else on read."""
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 123\n"
    (repo / "annexed").symlink_to(".git/annex/objects/Xx/Yy/" + "SHA256E-s1--" + "0" * 64)
    commit(repo, git, {"m.bin": pointer, "odd.txt": pointer})
    for tree in (open_tree(repo), open_tree(repo, "HEAD")):
        assert tree.entries["annexed"].pointer == "annex"
        for path in ("m.bin", "odd.txt", "annexed"):
            data = tree.read(path)
            assert isinstance(data, Unread)
            assert data.kind == "absent"
        assert tree.head("m.bin") == pointer.encode()
    (repo / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")
    tree = open_tree(repo)
    assert tree.entries["m.bin"].pointer == "lfs"
    assert tree.entries["m.bin"].absent
    assert tree.blob_id("m.bin") is None


def test_a_missing_path_or_revision_is_one_clear_sentence(repo: Path, git: Sh) -> None:
    """What does not exist is a TreeError that names it."""
    commit(repo, git, {"a": "1"})
    with pytest.raises(TreeError, match="does not exist"):
        open_tree(repo / "nowhere")
    with pytest.raises(TreeError, match="is a file"):
        open_tree(repo / "a")
    for rev in ("nope", "--output=x", "", "HEAD:a", "a\nb", "a\0b"):
        with pytest.raises(TreeError, match="revision"):
            open_tree(repo, rev)


def test_a_repository_without_commits_is_audited(repo: Path) -> None:
    """Before the first commit there are files and no commit."""
    (repo / "a").write_text("1")
    tree = open_tree(repo)
    assert list(tree.entries) == ["a"]
    assert tree.git is not None
    assert tree.git.commit is None
    assert tree.git.dirty
    assert tree.git.tags == ()
    assert tree.git.commits == 0


def test_reading_is_bounded_by_size(repo: Path) -> None:
    """A file above the limit is not read, its head is; notebooks may be larger."""
    (repo / "big.txt").write_bytes(b"x" * 3_000_000)
    (repo / "big.ipynb").write_bytes(b"x" * 3_000_000)
    tree = open_tree(repo)
    data = tree.read("big.txt")
    assert isinstance(data, Unread)
    assert data.kind == "too-large"
    assert tree.head("big.txt", 4) == b"xxxx"
    assert isinstance(tree.read("big.ipynb"), bytes)
    assert isinstance(tree.read("big.txt", 4_000_000), bytes)
    assert isinstance(tree.read("big.txt"), Unread)
