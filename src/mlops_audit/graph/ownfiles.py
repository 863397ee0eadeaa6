"""The files that are a project's own, and the reading of its code, which begins with them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mlops_audit.config import Config
from mlops_audit.facts.ci import system_of
from mlops_audit.facts.snakefiles import is_snakefile
from mlops_audit.graph.ownership import left_out
from mlops_audit.graph.parsing import Code, read_code
from mlops_audit.regex import regex
from mlops_audit.tree import Tree, Unread

__all__ = ["OwnFiles"]

# What stands at a repository's root for all of its projects: CI, hooks, tasks, owners, licence.
_SHARED = regex(
    r"\.github/.*|\.gitlab/.*|\.circleci/.*|\.buildkite/.*|\.azure[^/]*/.*|"
    r"\.pre-commit-config\.ya?ml|(?:gnu)?makefile|noxfile\.py|tox\.ini|justfile|taskfile\.ya?ml|"
    r"codeowners|licen[cs]e[^/]*|copying|contributing\.md|\.git(?:ignore|attributes)",
    re.IGNORECASE,
)


def _shared(path: str) -> bool:
    if "/" in path and not path.startswith("."):
        return False
    return bool(_SHARED.fullmatch(path)) or system_of(path, lambda: None) is not None


class OwnFiles:
    """Which files of a tree a project may be judged by. Its code is being read from now on.

    Args:
        tree: all files of the repository.
        config: the settings, for what they exclude.
        folder: of one project; empty for the whole tree.
        cached: keeps facts in the user's cache folder.
        jobs: bounds the processes that code is read with; by default one a core.
    """

    def __init__(
        self,
        tree: Tree,
        config: Config,
        folder: str = "",
        *,
        cached: bool = False,
        jobs: int | None = None,
    ) -> None:
        self.tree = tree
        self.config = config
        self.folder = "" if folder in {"", "."} else folder.strip("/")
        self.unread: dict[str, str] = {}
        inside = f"{self.folder}/" if self.folder else ""
        listed = [p for p in tree.entries if p.startswith(inside) or _shared(p)]
        self.left_out: Mapping[str, str] = left_out(listed, config.exclude, self._licence)
        self.paths: tuple[str, ...] = tuple(
            p for p in listed if p not in self.left_out and tree.entries[p].kind in {"file", "link"}
        )
        code = [p for p in self.paths if p.endswith((".py", ".ipynb")) or is_snakefile(p)]
        self._reading = read_code(tree, code, self.data, cached=cached, jobs=jobs)

    def code(self) -> Mapping[str, Code]:
        """All modules and notebooks by path; asked once, it waits until they are read."""
        return self._reading()

    def data(self, path: str) -> bytes | None:
        """A file's bytes; None when it cannot be read, the reason then stands in `unread`."""
        if path not in self.tree.entries:
            return None
        found = self.tree.read(path)
        if isinstance(found, Unread):
            self.unread[path] = found.reason
            return None
        return found

    def _licence(self, path: str) -> str | None:
        found = self.tree.read(path)
        return None if isinstance(found, Unread) else found.decode("utf-8", "replace")
