"""The projects of a repository (practices.md, rule 7): folders that declare their own dependencies.

A repository with one such folder, or none, is one project. A folder inside a project that has the
same manifest's kind for its own code (an app of a monorepo, a package of a workspace) is a project
too; examples, tests and documentation are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from mlops_audit.facts.setupfiles import PackageMeta
from mlops_audit.model import ProjectInfo
from mlops_audit.regex import regex

__all__ = ["find_projects"]

_MANIFEST = regex(
    r"^(pyproject\.toml|setup\.py|setup\.cfg|pipfile|requirements?\.txt|environment\.ya?ml|conda\.ya?ml)$"
)
_APART = regex(
    r"(^|/)(tests?|docs?|examples?|samples?|tutorials?|notebooks?|docker|\.github|\.devcontainer|ci|"
    r"scripts?|deploy(ment)?|conda|env(ironment)?s?|environment_setup|requirements|src)(/|$)",
    re.IGNORECASE,
)
_MAX_DEPTH = 3


def find_projects(
    name: str, paths: Sequence[str], packages: Iterable[PackageMeta]
) -> tuple[ProjectInfo, ...]:
    """The projects among a repository's paths, sorted by folder; at least the root."""
    named = {p.path.rpartition("/")[0]: p.name for p in packages if p.name}
    code = {folder for p in paths if p.endswith((".py", ".ipynb")) for folder in _above(p)}
    folders = {
        folder
        for path in paths
        if _MANIFEST.match(path.rpartition("/")[2].lower())
        and (folder := path.rpartition("/")[0]) in code
        and folder.count("/") < _MAX_DEPTH
        and not _APART.search(folder)
    }
    inner = sorted(f for f in folders if f)
    if len(inner) < 2:  # noqa: PLR2004 -- one project in a folder is the repository's project
        return (ProjectInfo(".", named.get("", "") or name),)
    root = [ProjectInfo(".", named.get("", "") or name)] if "" in folders else []
    return (*root, *(ProjectInfo(f, named.get(f, "") or f.rpartition("/")[2]) for f in inner))


def _above(path: str) -> Iterable[str]:
    folder = path.rpartition("/")[0]
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]
    yield ""
