"""No data or model file over 1 MiB goes into plain git (practice VER04)."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from mlops_audit.facts.binaries import LARGE, SNIFFED, data_or_model
from mlops_audit.hooks.base import Files, Problem
from mlops_audit.model import Span

__all__ = ["check"]


def check(files: Files) -> Iterator[Problem]:
    """Judge by what git would store, so a file in LFS counts as its pointer."""
    for path, size in files.sizes(files.names()).items():
        kind = data_or_model(path, files.head(path, SNIFFED)) if size > LARGE else None
        if kind:
            yield Problem(
                Span(path),
                f"{size / LARGE:.1f} MiB of {'data' if kind == 'data' else 'a model'} in plain git",
                f"unstage it and run `dvc add {quote(path)}` (or track it with Git LFS)",
            )
