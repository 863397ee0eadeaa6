"""The sentences that several formats share."""

from __future__ import annotations

from mlops_audit.model import Finding, LevelResult, ModelResult, Outcome, Report
from mlops_audit.reports.safe import one_line

__all__ = [
    "ASCII",
    "LIMITS",
    "MARKS",
    "by_id",
    "heading",
    "is_must",
    "model_result",
    "profile",
    "role",
    "score",
    "waived",
]

LIMITS = (
    "A level is a fact about the evidence in these files, not a grade of people. What lies"
    " outside them (settings of a forge or cloud, dashboards, agreements) is not seen."
)

MARKS = {
    Outcome.PASS: "✓",
    Outcome.PARTIAL: "◐",
    Outcome.FAIL: "✗",
    Outcome.UNKNOWN: "?",
    Outcome.NOT_APPLICABLE: "-",
}

ASCII = str.maketrans(
    {
        "━": "#", "─": ".", "✓": "+", "✗": "x", "◐": "~", "·": "|", "→": "->",
        "…": "...", "│": "|",
    }
)  # fmt: skip
"""Our own signs for a terminal that knows ASCII alone."""

_SERVES = {
    "service": "serves predictions",
    "batch": "predicts in batches",
    "command": "predicts by a command",
    "demo": "shows a demo",
}
_KINDS = {
    "library": "a library",
    "notebooks": "notebooks that teach",
    "none": "no machine learning found",
}


def heading(level: LevelResult) -> str:
    """`Level 1 · Manual`."""
    return f"Level {level.reached} · {level.name}"


def profile(level: LevelResult, tick: str = "✓") -> str:
    """The musts met, level by level: `1 ✓ · 2 5/6 · 3 4/6`."""
    parts = [
        f"{row.level} {tick if row.met == row.musts else f'{row.met}/{row.musts}'}"
        for row in level.profile
    ]
    return " · ".join(parts)


def role(report: Report) -> str:
    """What the repository is for, in a few words."""
    roles = report.roles
    words = [_KINDS[roles.kind]] if roles.kind in _KINDS else []
    if roles.trains and roles.kind != "none":
        words.append("trains a model")
    if roles.serves in _SERVES and roles.kind != "none":
        words.append(_SERVES[roles.serves])
    return ", ".join(words) or "role unknown"


def score(value: float | None) -> str:
    """A score with one decimal, or a dash."""
    return "-" if value is None else f"{value:.1f}"


def by_id(report: Report) -> dict[str, Finding]:
    """Findings by their practice's id."""
    return {finding.practice.id: finding for finding in report.findings}


def waived(report: Report) -> dict[str, str]:
    """Why a practice is out of the gates, by id; expired waivers are left out."""
    return {
        w.practice: f"waived by {one_line(w.owner)} until {w.expires}: {one_line(w.reason)}"
        for w in report.waivers
        if not w.expired
    }


def is_must(finding: Finding, report: Report) -> bool | None:
    """Whether a practice is a must on the way to the level aimed at.

    None where another model than the catalogue's ladder gives the level: what it asks for is not
    in the practice's metadata.
    """
    models, level = report.assessment.models, report.assessment.level
    if models and models[0].kind == "ladder" and models[0].name != "ladder":
        return None
    upto = max(level.next[0] if level.next else level.reached, level.target or 0)
    return any(ask.is_must and ask.level <= upto for ask in finding.practice.asked)


def model_result(result: ModelResult) -> str:
    """One model's result in a few words."""
    data = result.data
    if result.kind == "ladder":
        return f"level {data['reached']}, {data['name']}"
    if result.kind == "score":
        band = f", {data['band']}" if data.get("band") else ""
        return f"{data['score']:g} point{'' if data['score'] == 1 else 's'}{band}"
    if result.kind == "shares":
        share = data["share"]
        return "nothing to measure" if share is None else f"{share:.0%} shown"
    return f"{data['filled']} of {data['of']} blocks filled"
