"""REP11: no credentials in tracked files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.secrets import ASIDE, find_secrets, secret_in_string
from mlops_audit.graph import Project
from mlops_audit.model import Evidence, Span, Verdict, failed, passed
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_TEXT_BYTES = 1_000_000  # larger files are data; credentials lie in what people write
_DATA = regex(
    r"\.(csv|tsv|parquet|pkl|pickle|joblib|npy|npz|h5|hdf5|pt|pth|ckpt|bin|onnx|png|jpe?g|gif|svg|ico|"
    r"pdf|woff2?|ttf|zip|gz|bz2|xz|mp4|mp3|wav|db|sqlite3?|ipynb|min\.js|map|lock)$",
    re.IGNORECASE,
)
_CODE = (".py", ".ipynb")  # looked at whatever their size


@practice(
    id="REP11",
    title="No credentials in tracked files",
    assets="code",
    level="1M",
    sources="F",
    fix="Revoke the credential, remove it from the file, and read it from the environment.",
    template=(".gitignore", ".pre-commit-config.yaml"),
)
def no_secrets(project: Project) -> Verdict:
    """Judge every text file, and string literals joined as Python joins them."""
    found = {e.span: e for e in (*_in_texts(project), *_in_notebooks(project), *_in_code(project))}
    own = set(_own(project))
    unread = sum(
        project.entry(p).absent
        or (p in project.unread and (p.endswith(_CODE) or (p in own and _is_text(project, p))))
        for p in project.paths
    )
    tail = f" ({unread} files could not be read)" if unread else ""
    if found:
        where = sorted(
            found.values(), key=lambda e: (e.span.path, e.span.cell or 0, e.span.line or 0)
        )
        kinds = ", ".join(sorted({e.detail.split(" (")[0] for e in where})[:3])
        return failed(
            f"{len(where)} places hold a credential: {kinds}{tail}",
            looked_for="no key, token or password in tracked files",
            evidence=where[:10],
        )
    return passed(
        f"no credentials found{tail}",
        Evidence(Span("."), f"{len(project.paths)} files looked at{tail}"),
    )


def _order(evidence: Evidence) -> tuple[str, int, int]:
    span = evidence.span
    return span.path, span.cell or 0, span.line or 0


def _own(project: Project) -> Iterator[str]:
    for path in project.paths:
        entry = project.entry(path)
        if entry.kind == "file" and (project.git is None or entry.tracked):
            yield path


def _is_text(project: Project, path: str) -> bool:
    return not _DATA.search(path) and (project.entry(path).size or 0) <= _TEXT_BYTES


def _in_texts(project: Project) -> Iterator[Evidence]:
    for path in _own(project):
        text = project.text(path) if _is_text(project, path) else None
        if text is None or "\0" in text[:1000]:
            continue
        for hit in find_secrets(text, path):
            if hit.confidence == "high" or not ASIDE.search(path):
                yield Evidence(hit.span, f"{hit.kind} ({hit.excerpt})")


def _in_notebooks(project: Project) -> Iterator[Evidence]:
    for path, notebook in project.notebooks.items():
        for cell in notebook.cells:
            for hit in find_secrets(cell.source, path, cell=cell.index):
                yield Evidence(hit.span, f"{hit.kind} ({hit.excerpt})")


def _in_code(project: Project) -> Iterator[Evidence]:
    """Literals that only become a credential when adjacent ones are joined."""
    for path, module in project.modules.items():
        if ASIDE.search(path):
            continue
        for text in module.texts:
            if not text.doc and "{}" not in text.value:
                kind = secret_in_string(text.value, text.context)
                if kind:
                    yield Evidence(text.span, f"{kind} ({text.value[:3]}…)")
