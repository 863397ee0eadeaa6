"""Names of files: from git's bytes to text, folders that hold no source, links, all lexical."""

from __future__ import annotations

from collections.abc import Callable, Mapping

__all__ = ["SKIPPED_FOLDERS", "display", "normal", "resolve_link", "unique_key"]

# What tools put into a work tree and nobody writes by hand.
SKIPPED_FOLDERS = frozenset(
    {
        ".direnv",
        ".eggs",
        ".git",
        ".hg",
        ".hypothesis",
        ".ipynb_checkpoints",
        ".mypy_cache",
        ".nox",
        ".pixi",
        ".pytest_cache",
        ".ruff_cache",
        ".svn",
        ".terraform",
        ".tox",
        ".venv",
        "__pycache__",
        "__pypackages__",
        "node_modules",
        "site-packages",
    }
)
_MAX_HOPS = 8


def display(raw: bytes) -> str:
    r"""The path as text, with undecodable bytes as `\xNN`."""
    return raw.decode("utf-8", "backslashreplace")


def unique_key(path: str, taken: Mapping[str, object]) -> str:
    r"""`path`, or where another raw name already reads so, `path` with `\x00` behind it.

    No file name can hold a NUL byte, so the longer key cannot collide with a real name.
    """
    while path in taken:
        path += "\\x00"
    return path


def normal(path: str) -> str | None:
    """The path without `.`, `..` and doubled slashes; None where it leaves the tree."""
    if path.startswith("/") or "\0" in path:
        return None
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)


def resolve_link(path: str, target_of: Callable[[str], str | None]) -> str | None:
    """Follow links by name alone; `target_of` gives a link's text, None for what is no link.

    Returns:
        The final path, or None where it leaves the tree or does not end.
    """
    for _ in range(_MAX_HOPS):
        target = target_of(path)
        if target is None:
            return path
        folder = path.rpartition("/")[0]
        joined = target if target.startswith("/") or not folder else f"{folder}/{target}"
        followed = normal(joined)
        if not followed:
            return None
        path = followed
    return None
