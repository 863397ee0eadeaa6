"""Addresses of files on the forge that holds the repository, from its remote and commit."""

from __future__ import annotations

from urllib.parse import quote

from mlops_audit.model import RepositoryInfo, Span
from mlops_audit.regex import regex

__all__ = ["forge_url"]

_SCP = regex(r"(?:[\w.-]+@)?([\w.-]+):(?!//)([\w./~-]+)")
_URL = regex(r"(?:https?|ssh|git)://(?:[^@/\s]+@)?([\w.-]+)(?::\d+)?/([\w./~-]+)")
_FORMS = {
    "gitlab": ("/-/blob/{commit}/{path}", "#L{line}"),
    "bitbucket": ("/src/{commit}/{path}", "#lines-{line}"),
}
_GITHUB = ("/blob/{commit}/{path}", "#L{line}")


def forge_url(repository: RepositoryInfo, span: Span) -> str | None:
    """The address of a place, None where there is no remote, no commit or no file."""
    if not (repository.remote_url and repository.commit):
        return None
    if span.path == "." or span.path.startswith("tag:"):
        return None
    found = _URL.fullmatch(repository.remote_url) or _SCP.fullmatch(repository.remote_url)
    if not found:
        return None
    host, project = found[1], found[2].strip("/").removesuffix(".git")
    form = next((f for name, f in _FORMS.items() if name in host), _GITHUB)
    path = form[0].format(commit=repository.commit, path=quote(span.path, errors="replace"))
    # A notebook's lines are counted within a cell, which no forge can point at.
    line = form[1].format(line=span.line) if span.line and span.cell is None else ""
    return f"https://{host}/{project}{path}{line}"
