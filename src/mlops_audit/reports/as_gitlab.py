"""GitLab code quality: a JSON array, one object for every practice that leaves something to do.

Fields: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

import json

from mlops_audit.model import Finding, Report
from mlops_audit.reports import Options
from mlops_audit.reports.identity import fingerprint, home, is_listed, message, rank, waiver_of
from mlops_audit.reports.safe import one_line, visible

__all__ = ["render"]

_SEVERITIES = ("info", "minor", "major")


def render(report: Report, options: Options) -> str:  # noqa: ARG001 -- one signature for all
    """Write the array in ASCII."""
    issues = [_issue(finding, report) for finding in report.findings if is_listed(finding)]
    return json.dumps(issues, indent=2, ensure_ascii=True) + "\n"


def _issue(finding: Finding, report: Report) -> dict[str, object]:
    span, waiver = home(finding), waiver_of(finding, report)
    text = message(finding) if waiver is None else f"{message(finding)} [{waiver}]"
    return {
        "description": one_line(f"{finding.practice.id}: {text}"),
        "check_name": finding.practice.slug,
        "fingerprint": fingerprint(finding),
        "severity": _SEVERITIES[0 if waiver is not None else rank(finding, report)],
        "location": {
            "path": visible(span.path),
            "lines": {"begin": span.line if span.line and span.cell is None else 1},
        },
    }
