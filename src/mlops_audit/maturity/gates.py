"""Gates: a least level, a least score, or nothing worse than a baseline (the ratchet)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from mlops_audit.config import ConfigError
from mlops_audit.maturity.evaluate import Settings, evaluate
from mlops_audit.maturity.types import MaturityModel
from mlops_audit.model import Change, Comparison, Finding, Gate, Outcome, Report

__all__ = ["Ask", "Baseline", "baseline_of", "changed", "compare", "decide", "read_baseline"]

_WORTH: Mapping[str, float] = {"pass": 2, "partial": 1, "fail": 0, "unknown": 0}


class Baseline(Struct, frozen=True):
    """What is kept of an earlier report: outcomes by practice, and its level."""

    label: str
    outcomes: Mapping[str, str]
    level: int | None = None


def baseline_of(report: Report, label: str) -> Baseline:
    """Take a report as the baseline, e.g. that of another revision."""
    outcomes = {f.practice.id: str(f.outcome) for f in report.findings}
    return Baseline(label, outcomes, report.assessment.level.reached)


def read_baseline(content: bytes, label: str) -> Baseline:
    """Read a report that `-f json` wrote.

    Args:
        content: the file's bytes.
        label: its name, for messages and the report.

    Raises:
        ConfigError: it is no such report.
    """
    try:
        raw: Any = json.loads(content)
        outcomes = {str(p["id"]): Outcome(p["outcome"]).value for p in raw["practices"]}
        level = int(raw["level"]["reached"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ConfigError(f"{label}: not a report of `mlops-audit -f json`") from error
    return Baseline(label, outcomes, level)


def compare(findings: Sequence[Finding], baseline: Baseline) -> Comparison:
    """What changed since the baseline, in catalogue order.

    Worse is what lost credit, and what now applies and is not met; a practice that stops
    applying, or that the baseline does not know, is not worse.
    """
    after = {f.practice.id: str(f.outcome) for f in findings}
    known = [f.practice.id for f in findings]
    return Comparison(
        against=baseline.label,
        level=baseline.level,
        changes=changed(baseline.outcomes, after),
        new=tuple(p for p in known if p not in baseline.outcomes),
        gone=tuple(sorted(set(baseline.outcomes) - set(known))),
    )


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    """The practices that both know and that differ, in the order of `after`."""
    return tuple(
        Change(practice, before[practice], now, _worse(before[practice], now))
        for practice, now in after.items()
        if practice in before and before[practice] != now
    )


def _worse(before: str, after: str) -> bool:
    if after == "n/a":
        return False
    # What did not apply and now applies without being met is new debt.
    return _WORTH[after] < _WORTH.get(before, _WORTH["pass"])


class Ask(Struct, frozen=True):
    """What a call asks of the gate; without any of them the gate is always met.

    `gated` holds the ids that take part (None: all). A ratchet decides alone: old debt and
    the level it keeps low do not fail.
    """

    level: int | None = None
    score: float | None = None
    ratchet: bool = False
    gated: frozenset[str] | None = None


def decide(
    report: Report,
    ask: Ask,
    *,
    models: Sequence[MaturityModel],
    ladder: MaturityModel,
    settings: Settings,
) -> Gate | None:
    """Decide the gate over what is selected and not waived; None where nothing was asked.

    The report's own level stays over all practices.
    """
    if ask.level is None and ask.score is None and not ask.ratchet:
        return None
    known = {f.practice.id for f in report.findings} | set(ladder.reserved)
    waived = {w.practice for w in report.waivers if not w.expired}
    out = (known - ask.gated if ask.gated is not None else set()) | waived
    if ask.ratchet:
        return _ratchet(report, out)
    seen = evaluate(
        report.findings,
        models,
        ladder=ladder,
        roles=report.roles,
        settings=replace(settings, excused=frozenset(out)),
    )
    reasons: list[str] = []
    if ask.level is not None and seen.level.reached < ask.level:
        name = (models[0] if models and models[0].has_levels else ladder).level_names()[ask.level]
        reasons.append(f"level {seen.level.reached} {seen.level.name} is below {ask.level} {name}")
    if ask.score is not None and (seen.scores.total is None or seen.scores.total < ask.score):
        total = "none" if seen.scores.total is None else f"{seen.scores.total:.1f}"
        reasons.append(f"score {total} is below {ask.score:g}")
    return Gate(not reasons, tuple(reasons))


def _ratchet(report: Report, out: set[str]) -> Gate:
    if report.comparison is None:
        return Gate(met=True)
    worse = [c for c in report.comparison.worse if c.practice not in out]
    reasons = [f"{c.practice} got worse: {c.before} → {c.after}" for c in worse]
    return Gate(not reasons, tuple(reasons))
