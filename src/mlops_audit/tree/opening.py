"""Choosing the tree for a path."""

from __future__ import annotations

import os
import stat

from msgspec import Struct

from mlops_audit.model import Diagnostic
from mlops_audit.tree.folder import FolderTree
from mlops_audit.tree.types import Tree, TreeError

__all__ = ["Found", "find_git", "open_tree"]


_GIT_FILES = (
    "HEAD",
    "commondir",
    "config",
    "config.worktree",
    "index",
    "info/attributes",
    "info/exclude",
    "info/grafts",
    "info/sparse-checkout",
    "objects/info/alternates",
    "objects/info/commit-graph",
    "packed-refs",
    "shallow",
)


class Found(Struct, frozen=True):
    """Where git's folder is, or why the one that is named cannot be used."""

    git_dir: str
    top: str | None  # None for a bare repository
    broken: str = ""


def open_tree(path: str | os.PathLike[str], rev: str | None = None) -> Tree:
    """Open a folder, a work tree or a bare repository, at `rev` or as it is.

    Raises:
        TreeError: the path or the revision does not exist; one sentence says which.
    """
    given = os.fspath(path)
    try:
        root = os.path.realpath(given)
        exists = os.path.exists(root)
    except (OSError, ValueError):
        exists = False
    if not exists:
        raise TreeError(f"{given!r} does not exist")
    if not os.path.isdir(root):
        raise TreeError(f"{given!r} is a file, not a folder")
    if os.path.basename(root) == ".git":
        root = os.path.dirname(root)
    found = find_git(root)
    name = os.path.basename(root) or "root"
    if found is None or found.broken:
        if rev is not None:
            why = found.broken if found else "it is not in a git repository"
            raise TreeError(f"{given!r} has no revision {rev!r}: {why}")
        return FolderTree(root, name, _complaint(found.broken) if found else ())
    return _open_git(root, name.removesuffix(".git") or name, found, rev)


def _open_git(root: str, name: str, found: Found, rev: str | None) -> Tree:
    from mlops_audit.tree.git import GIT_ERRORS, Git  # noqa: PLC0415 -- a folder needs no git
    from mlops_audit.tree.revision import RevisionTree, resolve  # noqa: PLC0415 -- the same
    from mlops_audit.tree.worktree import WorkTree  # noqa: PLC0415 -- the same

    folder = os.path.relpath(root, found.top) if found.top else ""
    folder = "" if folder == "." else folder
    git = Git(found.git_dir, found.top, root if found.top else None)
    if rev is not None:
        return RevisionTree(Git(found.git_dir), resolve(git, rev), name, folder)
    if found.top is None:
        try:
            commit = resolve(git, "HEAD")
        except TreeError:
            commit = None
        return RevisionTree(git, commit, name)
    try:
        tree = WorkTree(git, root, name, folder)
    except GIT_ERRORS as error:
        # Git names files by absolute paths, which no report may hold.
        return FolderTree(root, name, _complaint(str(error).replace(found.top, ".")))
    if folder and not tree.entries:
        # Nothing of this folder is the surrounding repository's (it may be ignored there).
        return FolderTree(root, name)
    return tree


def _complaint(why: str) -> tuple[Diagnostic, ...]:
    message = f"git cannot be used here ({why}); the folder's files are read without it"
    return (Diagnostic(".git", message),)


def find_git(root: str) -> Found | None:
    """Look for a repository at `root` and above it."""
    if not os.path.lexists(os.path.join(root, ".git")) and not _fault(root):
        return Found(root, None)
    folder = root
    while True:
        dot = os.path.join(folder, ".git")
        if os.path.lexists(dot):
            return _from_dot_git(folder, dot)
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def _from_dot_git(top: str, dot: str) -> Found:
    if os.path.isdir(dot):
        return Found(dot, top, _fault(dot))
    target = _gitdir_line(dot)
    if target is None:
        return Found(dot, top, "the file .git does not name a repository")
    git_dir = os.path.normpath(os.path.join(top, target))
    if not os.path.isdir(git_dir):
        return Found(dot, top, "the file .git names a repository that is not there")
    return Found(git_dir, top, _fault(git_dir))


def _gitdir_line(path: str) -> str | None:
    """Where a .git file (linked worktree, submodule) leads; it may be anything, even a FIFO."""
    from mlops_audit.tree.disk import Disk  # noqa: PLC0415 -- rare
    from mlops_audit.tree.types import Unread  # noqa: PLC0415 -- rare

    folder, _, name = os.fsencode(path).rpartition(b"/")
    data = Disk(folder).read(name, 8192)
    if isinstance(data, Unread) or not data.startswith(b"gitdir:"):
        return None
    line = data[7:].split(b"\n", 1)[0].strip()
    return os.fsdecode(line) if line and b"\0" not in line else None


def _fault(git_dir: str) -> str:
    """Why git could not use this folder, or why letting it try could make it hang; else empty.

    Git takes a folder with HEAD, objects and refs for a repository (a linked worktree names a
    common folder instead of the last two). It opens the other files here without looking what
    they are.
    """
    parts = {name: _mode(os.path.join(git_dir, name)) for name in _GIT_FILES}
    odd = [name for name, mode in parts.items() if mode and not stat.S_ISREG(mode)]
    if odd:
        return f"its {odd[0]} is no ordinary file"
    folders = all(stat.S_ISDIR(_mode(os.path.join(git_dir, n))) for n in ("objects", "refs"))
    if parts["HEAD"] and (folders or parts["commondir"]):
        return ""
    return "there is no repository in the place of .git"


def _mode(path: str) -> int:
    """A file's mode, 0 if there is none; a link out of the folder counts as what it leads to."""
    try:
        return os.stat(path).st_mode
    except (OSError, ValueError):
        return 0
