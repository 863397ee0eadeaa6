"""No path of one person's machine stands in code or settings (practice REP07)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.paths import PersonalPath, find_personal_paths
from mlops_audit.hooks.base import Files, Problem, passages, texts
from mlops_audit.regex import regex

__all__ = ["check"]

_CODE = regex(
    r"\.(pyi?|ipynb|ya?ml|json|toml|ini|cfg|conf|env|properties|sh|bash|bat|ps1|mk|r|jl|scala|hocon|"
    r"smk)$|(^|/)(makefile|justfile|\.env[\w.-]*|params|snakefile|mlproject)$",
    re.IGNORECASE,
)
# Files of containers, clusters and editors: their paths are those of a machine made by code.
_ELSEWHERE = regex(
    r"(^|/)((docker-)?compose[^/]*\.ya?ml|\.?devcontainer\.json|package-lock\.json|[\w.-]*\.lock|"
    r"launch\.json)$|(^|/)(\.devcontainer|k8s|kubernetes|helm|charts|\.github|mlruns)/",
    re.IGNORECASE,
)
_COMMENT = regex(r"\.(pyi?|ya?ml|toml|sh|r|mk)$", re.IGNORECASE)
_MAX = 400_000  # characters; a larger JSON or YAML is data, not configuration


def check(files: Files) -> Iterator[Problem]:
    """Search code and settings; comments are left out."""
    paths = [p for p in files.names() if _CODE.search(p) and not _ELSEWHERE.search(p)]
    for path, text in texts(files, paths):
        for hit in _hits(path, text):
            yield Problem(
                hit.span,
                f"{hit.path} is a path of one machine",
                "make it relative to the project, or a setting",
            )


def _hits(path: str, text: str) -> Iterator[PersonalPath]:
    if path.endswith(".ipynb") or len(text) <= _MAX:
        for passage, cell in passages(path, text, code=True):
            yield from _outside_comments(passage, path, cell)


def _outside_comments(text: str, path: str, cell: int | None) -> Iterator[PersonalPath]:
    hits = find_personal_paths(text, path, cell=cell)
    lines = text.split("\n") if hits else []
    commented = cell is not None or _COMMENT.search(path)
    for hit in hits:
        before = lines[(hit.span.line or 1) - 1].partition(hit.path)[0]
        if not (commented and re.search(r"(?:^|\s)#", before)):
            yield hit
