"""JSON: the whole report for other programs; the same input gives the same bytes."""

from __future__ import annotations

import json

from mlops_audit.model import Report
from mlops_audit.reports import Options
from mlops_audit.reports.jsonable import as_data

__all__ = ["render"]


def render(report: Report, options: Options) -> str:  # noqa: ARG001 -- one signature for all
    """Write the report in ASCII, so that nothing in it can act on a terminal."""
    return json.dumps(as_data(report), indent=2, ensure_ascii=True) + "\n"
