"""GitHub workflow commands: annotations for what blocks the level aimed at, and for the gate.

Encoding: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from mlops_audit.model import Finding, Report
from mlops_audit.reports import Options, words
from mlops_audit.reports.identity import changes, home, is_listed, message, rank, waiver_of
from mlops_audit.reports.safe import one_line

__all__ = ["render"]

_COMMANDS = ("notice", "warning", "error")


def _data(text: str) -> str:
    return one_line(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def render(report: Report, options: Options) -> str:  # noqa: ARG001 -- one signature for all
    """Write one command a line."""
    lines: list[str] = []
    changed = changes(report)
    worse = {practice for practice, change in changed.items() if change.worse}
    for finding in report.findings:
        practice = finding.practice.id
        asked = rank(finding, report) or practice in worse or waiver_of(finding, report)
        if is_listed(finding) and asked:
            lines.append(_annotation(finding, report, worse=practice in worse))
    if report.gate is not None:
        lines += [f"::error title=mlops-audit::{_data(reason)}" for reason in report.gate.reasons]
    level, total = report.assessment.level, words.score(report.assessment.scores.total)
    summary = f"{words.heading(level)}, score {total}. {level.remark or words.profile(level)}"
    lines.append(f"::notice title=MLOps maturity::{_data(summary)}")
    return "\n".join(lines) + "\n"


def _annotation(finding: Finding, report: Report, *, worse: bool) -> str:
    span, waiver = home(finding), waiver_of(finding, report)
    command = "error" if worse else _COMMANDS[min(rank(finding, report), 1)]
    text = message(finding)
    if waiver is not None:
        command, text = "notice", f"{text} [{waiver}]"
    line = f",line={span.line}" if span.line and span.cell is None else ""
    title = _property(f"{finding.practice.id} {finding.practice.slug}")
    return f"::{command} file={_property(span.path)}{line},title={title}::{_data(text)}"
