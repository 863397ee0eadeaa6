"""SARIF 2.1.0, for code scanning: one result for every practice that leaves something to do.

Waived and old findings are marked (`suppressions`, `baselineState`), not dropped.
Definition: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import json
from urllib.parse import quote

from mlops_audit.model import (
    PRINCIPLES,
    Change,
    Diagnostic,
    Evidence,
    Finding,
    Outcome,
    Report,
    Span,
)
from mlops_audit.reports import Options
from mlops_audit.reports.identity import (
    changes,
    fingerprint,
    home,
    is_listed,
    message,
    rank,
    waiver_of,
)
from mlops_audit.reports.safe import one_line, visible

__all__ = ["render"]

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_HOME = "https://github.com/mlops-audit/mlops-audit"
_LEVELS = ("note", "warning", "error")
_RELATED = 20

Data = dict[str, object]


def render(report: Report, options: Options) -> str:
    """Write the log in ASCII."""
    run: Data = {
        "tool": {
            "driver": {
                "name": "mlops-audit",
                "informationUri": _HOME,
                "version": report.version,
                "rules": [_rule(finding, options) for finding in report.findings],
            }
        },
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [_notification(d) for d in report.diagnostics],
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": _results(report),
        "properties": {
            "level": report.assessment.level.reached,
            "levelName": report.assessment.level.name,
            "score": report.assessment.scores.total,
        },
    }
    repository = report.repository
    if repository.remote_url and repository.commit and "://" in repository.remote_url:
        run["versionControlProvenance"] = [
            {
                "repositoryUri": _uri(repository.remote_url, safe=":/@"),
                "revisionId": repository.commit,
            }
        ]
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=True) + "\n"


def _uri(path: str, safe: str = "/") -> str:
    return quote(path.encode("utf-8", "replace"), safe=safe)


def _rule(finding: Finding, options: Options) -> Data:
    practice = finding.practice
    markdown = options.help_of(practice) or f"# {practice.title}\n\n{practice.fix.step}\n"
    return {
        "id": practice.id,
        "name": "".join(word.capitalize() for word in practice.slug.split("-")),
        "shortDescription": {"text": practice.title},
        "help": {"text": f"{practice.title}. {practice.fix.step}", "markdown": markdown},
        "defaultConfiguration": {"level": "warning"},
        "properties": {
            "tags": ["mlops", PRINCIPLES[practice.principle], *practice.assets],
            "asked": [f"{ask.level} {ask.kind}" for ask in practice.asked],
        },
    }


def _notification(diagnostic: Diagnostic) -> Data:
    data: Data = {"level": "note", "message": {"text": visible(diagnostic.message)}}
    if diagnostic.path != ".":
        data["locations"] = [_location(Span(diagnostic.path, diagnostic.line))]
    return data


def _results(report: Report) -> list[Data]:
    changed = changes(report)
    results: list[Data] = []
    for number, finding in enumerate(report.findings):
        change = changed.get(finding.practice.id)
        mended = change is not None and finding.outcome is Outcome.PASS
        if is_listed(finding) or mended:
            results.append(_result(number, finding, report, change, mended=mended))
    return results


def _result(
    number: int, finding: Finding, report: Report, change: Change | None, *, mended: bool
) -> Data:
    unsure = finding.outcome is Outcome.UNKNOWN
    data: Data = {
        "ruleId": finding.practice.id,
        "ruleIndex": number,
        "kind": "pass" if mended else "open" if unsure else "fail",
        "level": "none" if mended or unsure else _LEVELS[rank(finding, report)],
        "message": {"text": one_line(message(finding))},
        "locations": [_location(home(finding))],
        "partialFingerprints": {"mlopsAudit/v1": fingerprint(finding)},
        "properties": {
            "outcome": str(finding.outcome),
            "hollow": finding.verdict.hollow,
            "project": finding.project,
        },
    }
    related = _related(finding.verdict.evidence)
    if related:
        data["relatedLocations"] = related
    waiver = waiver_of(finding, report)
    if waiver is not None:
        data["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": visible(waiver)}
        ]
    if report.comparison is not None:
        data["baselineState"] = "absent" if mended else _state(change)
    return data


def _state(change: Change | None) -> str:
    if change is None:
        return "unchanged"
    return "new" if change.before in {"pass", "n/a"} else "updated"


def _related(evidence: tuple[Evidence, ...]) -> list[Data]:
    """Chains first to last, then the further places; the first place is the result's own."""
    hops = [hop for item in evidence for hop in item.chain] + list(evidence[1:])
    unique = [h for h in dict.fromkeys(hops) if _is_file(h.span)]
    return [
        {**_location(hop.span), "id": number, "message": {"text": one_line(hop.detail)}}
        for number, hop in enumerate(unique[:_RELATED])
    ]


def _is_file(span: Span) -> bool:
    return span.path != "." and not span.path.startswith("tag:")


def _location(span: Span) -> Data:
    physical: Data = {"artifactLocation": {"uri": _uri(span.path), "uriBaseId": "%SRCROOT%"}}
    location: Data = {"physicalLocation": physical}
    if span.cell is not None:  # lines are counted within the cell, which SARIF cannot say
        location["logicalLocations"] = [{"name": f"cell {span.cell}, line {span.line or 1}"}]
    elif span.line is not None:
        physical["region"] = {"startLine": span.line}
    return location
