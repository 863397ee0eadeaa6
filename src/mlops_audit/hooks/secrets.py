"""No credential is committed (practice REP11)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.secrets import ASIDE, SecretHit, find_secrets
from mlops_audit.hooks.base import Files, Problem, passages, texts
from mlops_audit.regex import regex

__all__ = ["check"]

_DATA = regex(
    r"\.(csv|tsv|parquet|pkl|pickle|joblib|npy|npz|h5|hdf5|pt|pth|ckpt|bin|onnx|png|jpe?g|gif|svg|"
    r"ico|pdf|woff2?|ttf|zip|gz|bz2|xz|mp4|mp3|wav|db|sqlite3?|min\.js|map)$",
    re.IGNORECASE,
)
# The marks of detect-secrets and gitleaks for a line that a person has looked at.
_ALLOWED = regex(r"pragma: ?(?:allow|white)list secret|gitleaks:allow", re.IGNORECASE)


def check(files: Files) -> Iterator[Problem]:
    """Search the text of each file, of notebooks the cells."""
    for path, text in texts(files, [p for p in files.names() if not _DATA.search(p)]):
        for hit in _hits(path, text):
            if hit.confidence == "high" or not ASIDE.search(path):
                yield Problem(
                    hit.span,
                    f"holds a credential: {hit.kind} {hit.excerpt}",
                    "read it from the environment, and revoke it if it was ever pushed",
                )


def _hits(path: str, text: str) -> Iterator[SecretHit]:
    for passage, cell in passages(path, text):
        hits = find_secrets(passage, path, cell=cell)
        lines = passage.split("\n") if hits else []
        for hit in hits:
            if hit.span.line is None or not _ALLOWED.search(lines[hit.span.line - 1]):
                yield hit
