"""Where the template comes from: the project's URL, this checkout, or the copy in the wheel."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from msgspec import Struct

from mlops_audit import __version__

__all__ = ["URL", "Source", "find_source"]

URL = "https://github.com/mlops-audit/mlops-audit"
_HERE = Path(__file__).resolve()
_BUNDLED = _HERE.parent / "bundled"
_TIMEOUT = 8  # seconds for the project's URL to answer


class Source(Struct, frozen=True):
    """A template source for copier. `note` says what a person has to know about it."""

    path: str
    ref: str | None
    note: str = ""


def find_source(chosen: str | None = None, ref: str | None = None) -> Source:
    """The source to generate from.

    A chosen one wins; then this checkout, where the tool runs from one; then the project's URL,
    where its release of this version can be reached; then the copy that came with the tool.
    """
    if chosen:
        return Source(_absolute(chosen), ref)
    checkout = _HERE.parents[3]
    if (checkout / "copier.yml").is_file() and (checkout / ".git").exists():
        return Source(str(checkout), ref or "HEAD")
    tag = ref or f"v{__version__}"
    if _reachable(tag):
        return Source(URL, tag)
    note = (
        f"Made from the copy inside mlops-audit {__version__}, since {URL} could not be reached: "
        f"`copier update` works once `_src_path: {URL}` and `_commit: {tag}` stand in "
        ".copier-answers.yml."
    )
    return Source(str(_BUNDLED), None, note)


def _absolute(source: str) -> str:
    """A relative path made absolute: copier would store it as written, and never find it again."""
    if "://" in source or source.startswith(("gh:", "gl:", "git@")):
        return source
    return str(Path(source).resolve())


def _reachable(tag: str) -> bool:
    quiet = os.environ | {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true"}
    command = ["git", "ls-remote", "--exit-code", "--tags", URL, tag]
    try:
        done = subprocess.run(  # noqa: S603 -- a fixed command
            command, env=quiet, capture_output=True, timeout=_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
