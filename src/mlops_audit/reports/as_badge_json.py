"""The badge as a shields.io endpoint: https://shields.io/badges/endpoint-badge."""

from __future__ import annotations

import json

from mlops_audit.model import Report
from mlops_audit.reports import Options
from mlops_audit.reports.safe import one_line

__all__ = ["COLORS", "LABEL", "color", "message", "render"]

LABEL = "MLOps maturity"
COLORS = ("#9f9f9f", "#c2571a", "#a37800", "#5d7f0f", "#2c7f2c", "#157a6e")
"""From grey for nothing to teal for the top; white text reads on each (contrast 4.5 or close)."""


def message(report: Report) -> str:
    """`level 2 · Reproducible`."""
    level = report.assessment.level
    return f"level {level.reached} · {one_line(level.name)}"


def color(report: Report) -> str:
    """The colour of the level, its share of the top one where a model has other levels."""
    reached = report.assessment.level.reached
    return COLORS[min(reached, len(COLORS) - 1)]


def render(report: Report, options: Options) -> str:  # noqa: ARG001 -- one signature for all
    """Write the endpoint's JSON."""
    data = {
        "schemaVersion": 1,
        "label": LABEL,
        "message": message(report),
        "color": color(report).removeprefix("#"),
    }
    return json.dumps(data, ensure_ascii=True) + "\n"
