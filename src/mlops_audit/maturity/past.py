"""Where a repository stood before: the rows of a history, from earlier reports of `-f json`."""

from __future__ import annotations

import json
from typing import Any

from mlops_audit.config import ConfigError
from mlops_audit.model import Report

__all__ = ["now", "read_earlier"]

_COMMIT = 10  # characters that name a commit, as in the other formats


def read_earlier(content: bytes, label: str) -> dict[str, Any]:
    """The row of an earlier report: `label`, `level` and `score` (None where nothing is asked).

    Args:
        content: the file's bytes.
        label: its name, which names the row where the report knows no commit.

    Raises:
        ConfigError: it is no such report.
    """
    try:
        raw: Any = json.loads(content)
        commit, total = raw["repository"]["commit"], raw["scores"]["total"]
        row = {
            "label": str(commit)[:_COMMIT] if commit else label,
            "level": int(raw["level"]["reached"]),
            "score": None if total is None else float(total),
        }
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ConfigError(f"{label}: not a report of `mlops-audit -f json`") from error
    return row


def now(report: Report) -> dict[str, Any]:
    """The last row: the report itself."""
    return {
        "label": "this report",
        "level": report.assessment.level.reached,
        "score": report.assessment.scores.total,
    }
