"""VER04: no large data or model file in plain git."""

from __future__ import annotations

from mlops_audit.graph import Project
from mlops_audit.graph.datasets import in_lfs
from mlops_audit.model import Evidence, Span, Verdict, failed, partial, passed, unknown
from mlops_audit.practices.base import practice
from mlops_audit.practices.versioning._payload import is_payload, may_be_payload

_LIMIT = 1024 * 1024  # bytes, the catalogue's 1 MiB
_FEW = 3
_TOTAL = 50 * 1024 * 1024  # bytes in all, up to which a few files are partial


@practice(
    id="VER04",
    title="No large data or model file lies in plain git",
    assets="data, model",
    level="1s",
    sources="S2 S4",
    fix="Move large data and model files to DVC, Git LFS or an object store, out of git.",
    template=(".gitignore", ".dvc/config"),
)
def no_binaries_in_git(project: Project) -> Verdict:
    """Judge every tracked file over the limit."""
    large: list[tuple[str, int]] = []
    hidden: list[str] = []
    in_git = project.git is not None
    for path in project.paths:
        entry = project.entry(path)
        if entry.kind != "file" or entry.pointer or (in_git and not entry.tracked):
            continue
        if entry.size is None:
            if may_be_payload(path):
                hidden.append(path)
        elif entry.size > _LIMIT and is_payload(project, path) and not in_lfs(project, path):
            large.append((path, entry.size))
    large.sort(key=lambda item: (-item[1], item[0]))
    total = sum(size for _, size in large)
    where = [Evidence(Span(p), f"{size / _LIMIT:.1f} MiB in plain git") for p, size in large[:10]]
    if len(large) > _FEW or total >= _TOTAL:
        return failed(
            f"{_files(len(large))} of data or models over 1 MiB in plain git,"
            f" {total / _LIMIT:.0f} MiB in all",
            looked_for="no data or model file over 1 MiB outside LFS and DVC",
            evidence=where,
        )
    if hidden:
        lacking = [Evidence(Span(p), "content is not in this clone") for p in hidden[:5]]
        return unknown(
            f"the size of {_files(len(hidden))} that may be data is unknown: not in this clone",
            [*where, *lacking],
        )
    if large:
        return partial(f"{_files(len(large))} of data or models over 1 MiB in plain git", where)
    return passed(
        "no data or model file over 1 MiB in plain git",
        Evidence(Span("."), f"{_files(len(project.paths))} looked at"),
    )


def _files(count: int) -> str:
    return "one file" if count == 1 else f"{count} files"
