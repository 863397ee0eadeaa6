"""Models that are no ladder: points a test, shares a phase, blocks that are filled or empty."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_audit.maturity.ladder import floor2
from mlops_audit.maturity.standing import CREDIT, Standings
from mlops_audit.maturity.types import Block, MaturityModel, Test
from mlops_audit.model import LevelResult, Outcome

__all__ = ["blocks", "score", "score_level", "shares"]

_SHOWN = (Outcome.PASS, Outcome.PARTIAL)


def _points(test: Test, standings: Standings) -> tuple[float, str]:
    """Points of one test, and a word for the report.

    Half a point where every practice is at least partly there, a whole one where all pass and
    what runs them automatically passes too. `n/a` earns nothing: the scale is the source's.
    """
    if test.unmapped:
        return 0.0, "unmapped"
    outcomes = [standings.outcome(p) for p in test.practices]
    if any(o is None for o in outcomes):
        return 0.0, "missing"
    if all(o is Outcome.NOT_APPLICABLE for o in outcomes):
        return 0.0, "n/a"
    applying = [o for o in outcomes if o is not Outcome.NOT_APPLICABLE]
    if not all(o in _SHOWN for o in applying):
        return 0.0, "unknown" if Outcome.UNKNOWN in applying else "absent"
    automated = all(standings.outcome(p) is Outcome.PASS for p in test.automated_by)
    if automated and all(o is Outcome.PASS for o in applying):
        return min(1.0, test.most), "automated" if test.most >= 1 else "in part"
    return 0.5, "by hand"


def score(model: MaturityModel, standings: Standings) -> dict[str, object]:
    """Points of every section; the model's score is that of its weakest section."""
    sections: list[dict[str, object]] = []
    totals: list[float] = []
    for section in model.sections:
        rows: list[dict[str, object]] = []
        total = 0.0
        for test in section.tests:
            points, state = _points(test, standings)
            total += points
            rows.append(
                {
                    "id": test.id,
                    "title": test.title,
                    "points": points,
                    "state": state,
                    "practices": list(test.practices),
                    "note": test.unmapped or None,
                }
            )
        reachable = sum(test.most for test in section.tests if not test.unmapped)
        totals.append(total)
        sections.append(
            {"name": section.name, "score": total, "reachable": reachable, "tests": rows}
        )
    final = min(totals, default=0.0)
    return {
        "score": final,
        "band": model.bands[_band(model, final)].name if model.bands else None,
        "sections": sections,
        "unmapped": [
            {"id": test.id, "title": test.title, "reason": test.unmapped}
            for section in model.sections
            for test in section.tests
            if test.unmapped
        ],
    }


def _band(model: MaturityModel, final: float) -> int:
    return max((n for n, band in enumerate(model.bands) if final > band.above), default=0)


def score_level(
    model: MaturityModel, standings: Standings, kind: str, target: int | None
) -> LevelResult:
    """The band of a score as a level; what blocks the next are tests of the weakest sections."""
    names = model.level_names()
    best = {s.name: [(t, *_points(t, standings)) for t in s.tests] for s in model.sections}
    totals = {name: sum(points for _, points, _ in rows) for name, rows in best.items()}
    reached = 0 if kind == "none" else _band(model, min(totals.values(), default=0.0))
    following = reached + 1 if reached + 1 in names and kind != "none" else None
    weakest = min(totals.values(), default=0.0)
    open_ = [
        practice
        for name, rows in best.items()
        if totals[name] == weakest
        for test, points, _ in rows
        if points < test.most
        for practice in test.practices
        if standings.outcome(practice) in (Outcome.FAIL, Outcome.PARTIAL, Outcome.UNKNOWN)
    ]
    missing = [p for p in model.practices() if standings.outcome(p) is None]
    return LevelResult(
        reached=reached,
        name=names[reached],
        target=target,
        target_met=None if target is None else reached >= target,
        next=(following, names[following]) if following is not None else None,
        blocking=tuple(standings.sort(list(dict.fromkeys(open_)))) if following else (),
        should_share=0.0 if kind == "none" else 1.0,
        profile=(),
        missing=tuple(standings.sort(missing)),
        remark=model.remarks.get(kind),
    )


def shares(model: MaturityModel, standings: Standings) -> dict[str, object]:
    """The share of each phase's elements that the practices show; None where none applies."""
    phases: list[dict[str, object]] = []
    everything: list[str] = []
    for phase in model.phases:
        named = list(dict.fromkeys(p for cell in phase.elements for p in cell.practices))
        everything += named
        rows: list[dict[str, object]] = [
            {
                "name": cell.name,
                "share": _share(cell.practices, standings),
                "practices": list(cell.practices),
                "note": cell.note or None,
            }
            for cell in phase.elements
        ]
        phases.append({"name": phase.name, "share": _share(named, standings), "elements": rows})
    return {"share": _share(list(dict.fromkeys(everything)), standings), "phases": phases}


def _share(practices: tuple[str, ...] | list[str], standings: Standings) -> float | None:
    outcomes = [standings.outcome(p) for p in practices]
    credits_ = [CREDIT[o] for o in outcomes if o is not None and o is not Outcome.NOT_APPLICABLE]
    return floor2(sum(credits_) / len(credits_)) if credits_ else None


_PER_PRACTICE = 3
"""Places shown for each practice that fills a block: the block asks which tool, not for all."""


def blocks(
    model: MaturityModel, standings: Standings, not_needed: Mapping[str, str]
) -> dict[str, object]:
    """Which block is filled by what was found, which is not needed, and which is empty."""
    rows = [_block(block, standings, not_needed) for block in model.blocks]
    return {
        "filled": sum(row["state"] == "filled" for row in rows),
        "not_needed": sum(row["state"] == "not needed" for row in rows),
        "of": len(rows),
        "blocks": rows,
    }


def _block(block: Block, standings: Standings, not_needed: Mapping[str, str]) -> dict[str, object]:
    shown = [
        (practice, standings.findings[practice].verdict)
        for practice in block.practices
        if standings.outcome(practice) in _SHOWN
    ]
    reason = not_needed.get(block.key)
    return {
        "key": block.key,
        "name": block.name,
        "dilemma": block.dilemma,
        "question": block.question,
        "state": "filled" if shown else "not needed" if reason else "empty",
        "reason": None if shown else reason,
        "by": [
            {
                "practice": practice,
                "path": item.span.path,
                "line": item.span.line,
                "detail": item.detail,
            }
            for practice, verdict in shown
            for item in verdict.evidence[:_PER_PRACTICE]
        ],
    }
