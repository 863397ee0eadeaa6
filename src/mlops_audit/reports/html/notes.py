"""People's words, what was not understood, and how the project stood before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlops_audit.model import Attestation, Report, Waiver
from mlops_audit.reports import words
from mlops_audit.reports.html import e, link

__all__ = ["diagnostics", "entries", "history"]

_W, _H, _TOP = 400, 150, 5
_LEFT, _RIGHT = 40, 24


def entries(report: Report) -> Iterator[str]:
    """Attestations and waivers with reason, owner and end."""
    for kind, listed in (("Attested", report.attestations), ("Waived", report.waivers)):
        if listed:
            yield f"<h3>{kind}</h3><ul>"
            yield from (_entry(entry, report) for entry in listed)
            yield "</ul>"


def _entry(entry: Attestation | Waiver, report: Report) -> str:
    until = "expired on" if entry.expired else "until"
    expired = ' <span class="chip o-fail">expired, does not count</span>' if entry.expired else ""
    more = ""
    if entry.url and entry.url.startswith(("https://", "http://")):
        more = f' <a href="{e(entry.url)}" rel="noreferrer">more</a>'
    return (
        f"<li>{link(entry.practice, report)} by {e(entry.owner)} {until} {e(entry.expires)}:"
        f" {e(entry.reason)}{more}{expired}</li>"
    )


def diagnostics(report: Report) -> Iterator[str]:
    """Files that were not read or not understood."""
    if not report.diagnostics:
        return
    yield f"<details><summary>{len(report.diagnostics)} notes on files</summary><ul>"
    for item in report.diagnostics:
        line = f":{item.line}" if item.line else ""
        yield f"<li><code>{e(item.path)}{line}</code> {e(item.message)}</li>"
    yield "</ul></details>"


def history(report: Report) -> Iterator[str]:
    """Earlier results, oldest first: the level as a line, and all figures as a table."""
    rows: Sequence[Mapping[str, Any]] = report.extra.get("history", ())
    if not rows:
        return
    yield from _line([int(row["level"]) for row in rows])
    yield '<table class="plain past"><thead><tr><th scope="col">When</th><th scope="col">Level</th>'
    yield '<th scope="col">Score</th></tr></thead><tbody>'
    for row in rows:
        score = words.score(row.get("score"))
        yield f'<tr><th scope="row">{e(row["label"])}</th><td>{e(row["level"])}</td>'
        yield f"<td>{score}</td></tr>"
    yield "</tbody></table>"


def _line(levels: Sequence[int]) -> Iterator[str]:
    """The level as a line over a rule for each level; the last point says where it stands."""
    if len(levels) < 2:  # noqa: PLR2004 -- a line has two ends
        return
    step = (_W - _LEFT - _RIGHT) / (len(levels) - 1)
    points = [(round(_LEFT + n * step, 1), _height(level)) for n, level in enumerate(levels)]
    told = ", ".join(str(level) for level in levels)
    joined = " ".join(f"{x:g},{y:g}" for x, y in points)
    yield f'<svg class="history" viewBox="0 0 {_W} {_H}" role="img" aria-label="Levels: {told}">'
    for level in range(_TOP + 1):
        y = _height(level)
        yield f'<line class="ring" x1="{_LEFT - 12}" y1="{y:g}" x2="{_W - 8}" y2="{y:g}"/>'
        yield f'<text class="axis" x="8" y="{y + 4:g}">{level}</text>'
    yield f'<polyline class="line" points="{joined}"/>'
    yield "".join(f'<circle class="dot" cx="{x:g}" cy="{y:g}" r="4"/>' for x, y in points)
    yield "</svg>"


def _height(level: int) -> float:
    return round(_H - 12 - min(level, _TOP) * (_H - 24) / _TOP, 1)
