"""Raw data is added, never changed (practice STR05).

A `.dvc` file may change: DVC keeps what was there before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from shlex import quote

from mlops_audit.facts.binaries import SNIFFED, data_or_model
from mlops_audit.hooks.base import Files, Problem
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = ["check"]

_RAW = regex(
    r"(?:^|/)(?:(?:\d+_)?raw(?:[_-]?data)?|data[_-]raw|(?:data|datasets?|inputs?)/"
    r"(?:\d+_)?(?:external|original|landing|bronze|source))/",
    re.IGNORECASE,
)
_ASIDE = regex(r"(^|/)(tests?|fixtures?|src|lib)/|(^|/)\.[^/]*$|(^|/)readme[^/]*$", re.IGNORECASE)
_WHAT = {"M": "raw data is changed", "D": "raw data is deleted"}


def check(files: Files) -> Iterator[Problem]:
    """Judge what the commit changes, whatever files are given."""
    for path, status in files.changed().items():
        if status == "A" or not _RAW.search(path) or _ASIDE.search(path):
            continue
        if data_or_model(path, files.head(path, SNIFFED) if status == "M" else b""):
            yield Problem(
                Span(path),
                _WHAT[status],
                f"restore it (`git restore -SW {quote(path)}`) and add a new file instead",
            )
