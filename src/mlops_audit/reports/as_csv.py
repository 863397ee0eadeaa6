"""CSV for spreadsheets: one row a practice; no cell can be taken for a formula."""

from __future__ import annotations

import csv
import io

from mlops_audit.model import Finding, Report
from mlops_audit.reports import Options
from mlops_audit.reports.identity import changes, waiver_of
from mlops_audit.reports.safe import one_line

__all__ = ["render"]

_HEADER = (
    "practice", "slug", "title", "principle", "assets", "asked", "outcome", "hollow", "strength",
    "project", "reason", "looked_for", "evidence", "evidence_total", "first_step", "template",
    "waived", "changed",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _cell(value: object) -> str:
    """Text that a spreadsheet shows as it is (OWASP: CSV injection)."""
    text = one_line("" if value is None else str(value))
    return f"'{text}" if text.startswith(_FORMULA) else text


def render(report: Report, options: Options) -> str:  # noqa: ARG001 -- one signature for all
    """Write a header and the rows, with Unix line ends."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_HEADER)
    for finding in report.findings:
        writer.writerow([_cell(value) for value in _row(finding, report)])
    return buffer.getvalue()


def _row(finding: Finding, report: Report) -> list[object]:
    practice, verdict = finding.practice, finding.verdict
    change = changes(report).get(practice.id)
    return [
        practice.id,
        practice.slug,
        practice.title,
        practice.principle,
        " ".join(practice.assets),
        " ".join(f"{ask.level}:{ask.kind}" for ask in practice.asked),
        verdict.outcome,
        str(verdict.hollow).lower(),
        finding.strength,
        finding.project,
        verdict.reason,
        verdict.looked_for,
        "; ".join(str(e.span) for e in verdict.evidence[:10]),
        len(verdict.evidence),
        practice.fix.step,
        " ".join(practice.fix.template),
        waiver_of(finding, report),
        f"{change.before} to {change.after}" if change else None,
    ]
