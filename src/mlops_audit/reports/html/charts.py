"""The eight principles as a radar, and principle by asset as a heat map that is a real table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from mlops_audit.model import ASSETS, PRINCIPLES, Report
from mlops_audit.reports import words
from mlops_audit.reports.html import e

__all__ = ["matrix", "radar"]

_SHORT = {
    "AUT": "Automation",
    "VER": "Versioning",
    "TRK": "Tracking",
    "TST": "Testing",
    "MON": "Monitoring",
    "REP": "Reproducibility",
    "COL": "Collaboration",
    "STR": "Structure",
}
_W, _H, _R = 400, 300, 92
_RINGS = (25, 50, 75, 100)
_STEPS = (20, 40, 60, 80)


def radar(report: Report) -> Iterator[str]:
    """One axis a principle, 0 in the middle and 100 at the rim."""
    scores = report.assessment.scores.principles
    told = ", ".join(f"{PRINCIPLES[k]} {words.score(scores.get(k))}" for k in PRINCIPLES)
    yield f'<figure class="radar"><svg viewBox="0 0 {_W} {_H}" role="img"'
    yield ' aria-labelledby="radar-t radar-d">'
    yield '<title id="radar-t">Scores of the eight principles, 0 to 100</title>'
    yield f'<desc id="radar-d">{e(told)}</desc>'
    for ring in _RINGS:
        yield f'<polygon class="ring" points="{_polygon(dict.fromkeys(PRINCIPLES, float(ring)))}"/>'
    for index in range(len(PRINCIPLES)):
        x, y = _point(index, 100)
        yield f'<line class="ring" x1="{_W / 2:g}" y1="{_H / 2:g}" x2="{x}" y2="{y}"/>'
    yield f'<polygon class="area" points="{_polygon(scores)}"/>'
    for index, key in enumerate(PRINCIPLES):
        value = scores.get(key)
        if value is not None:
            x, y = _point(index, value)
            yield f'<circle class="dot" cx="{x}" cy="{y}" r="3.5"/>'
        yield _label(index, key, value)
    yield "</svg></figure>"


def _point(index: int, value: float) -> tuple[float, float]:
    angle = 2 * math.pi * index / len(PRINCIPLES) - math.pi / 2
    radius = _R * value / 100
    return (
        round(_W / 2 + radius * math.cos(angle), 1),
        round(_H / 2 + radius * math.sin(angle), 1),
    )


def _polygon(values: Mapping[str, float | None]) -> str:
    points = [_point(n, values.get(key) or 0.0) for n, key in enumerate(PRINCIPLES)]
    return " ".join(f"{x:g},{y:g}" for x, y in points)


def _label(index: int, key: str, value: float | None) -> str:
    x, y = _point(index, 115)
    side = x - _W / 2
    anchor = "middle" if abs(side) < 1 else "start" if side > 0 else "end"
    lift = -15 if index == 0 else 10 if index == len(PRINCIPLES) // 2 else -4
    return (
        f'<text class="axis" x="{x:g}" y="{y + lift:g}" text-anchor="{anchor}">{_SHORT[key]}'
        f'<tspan class="value" x="{x:g}" dy="17">{words.score(value)}</tspan></text>'
    )


def matrix(report: Report) -> Iterator[str]:
    """Scores of each principle for each asset that its practices protect."""
    scores = report.assessment.scores
    yield '<table class="heat"><caption>Score by principle and by what it protects</caption>'
    yield '<thead><tr><th scope="col">Principle</th><th scope="col">all</th>'
    yield "".join(f'<th scope="col">{e(asset)}</th>' for asset in ASSETS)
    yield "</tr></thead><tbody>"
    for key, name in PRINCIPLES.items():
        row = scores.matrix.get(key, {})
        cells = "".join(_cell(row.get(asset)) for asset in ASSETS)
        named = f'<th scope="row" title="{e(name)}">{e(_SHORT[key])}</th>'
        yield f"<tr>{named}{_cell(scores.principles.get(key))}{cells}</tr>"
    cells = "".join(_cell(scores.assets.get(asset)) for asset in ASSETS)
    yield f'</tbody><tfoot><tr><th scope="row">All</th>{_cell(scores.total)}{cells}</tr></tfoot>'
    yield "</table>"


def _cell(value: float | None) -> str:
    if value is None:
        return '<td class="h-none"><span class="quiet" title="nothing is asked here">-</span></td>'
    step = sum(value >= limit for limit in _STEPS)
    return f'<td class="h-{step}">{value:.0f}</td>'
