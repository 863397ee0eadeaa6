"""JUnit XML, for CI systems that show test results: a suite a principle, a case a practice.

`fail` and `partial` are failures, `unknown` is an error, `n/a` and what is waived is skipped.
Definition: Apache Ant's format, as in the JUnit XML schema of Windy Road.
"""

from __future__ import annotations

from html import escape

from mlops_audit.model import PRINCIPLES, Finding, Outcome, Report
from mlops_audit.regex import regex
from mlops_audit.reports import Options
from mlops_audit.reports.identity import message, waiver_of
from mlops_audit.reports.safe import one_line

__all__ = ["render"]

# The schema asks for a time; the same input gives the same bytes, so it is always this one.
_WHEN = "1970-01-01T00:00:00"
_NOT_XML = regex("[\ufffe\uffff]")


def _xml(text: str) -> str:
    return escape(_NOT_XML.sub("?", one_line(text)), quote=True)


def render(report: Report, options: Options) -> str:  # noqa: ARG001 -- one signature for all
    """Write the document."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>"]
    groups = [
        (key, [f for f in report.findings if f.practice.principle == key]) for key in PRINCIPLES
    ]
    for number, (key, findings) in enumerate((k, fs) for k, fs in groups if fs):
        lines += _suite(number, key, findings, report)
    return "\n".join([*lines, "</testsuites>"]) + "\n"


def _suite(number: int, key: str, findings: list[Finding], report: Report) -> list[str]:
    kinds = [_kind(f, report) for f in findings]
    level = report.assessment.level
    properties = {
        "level": f"{level.reached} {level.name}",
        "score": str(report.assessment.scores.principles.get(key)),
        "commit": report.repository.commit or "",
    }
    start = (
        f'  <testsuite id="{number}" package="mlops-audit" name="{_xml(PRINCIPLES[key])}"'
        f' timestamp="{_WHEN}" hostname="localhost" tests="{len(findings)}"'
        f' failures="{kinds.count("failure")}" errors="{kinds.count("error")}"'
        f' skipped="{kinds.count("skipped")}" time="0">'
    )
    return [
        start,
        "    <properties>",
        *(f'      <property name="{k}" value="{_xml(v)}"/>' for k, v in properties.items()),
        "    </properties>",
        *(line for finding in findings for line in _case(finding, report)),
        "    <system-out></system-out>",
        "    <system-err></system-err>",
        "  </testsuite>",
    ]


def _kind(finding: Finding, report: Report) -> str | None:
    if finding.outcome is Outcome.PASS:
        return None
    if finding.outcome is Outcome.NOT_APPLICABLE or waiver_of(finding, report) is not None:
        return "skipped"
    return "error" if finding.outcome is Outcome.UNKNOWN else "failure"


def _case(finding: Finding, report: Report) -> list[str]:
    practice, kind = finding.practice, _kind(finding, report)
    start = (
        f'    <testcase classname="mlops-audit.{_xml(practice.principle)}"'
        f' name="{practice.id} {_xml(practice.slug)}" time="0"'
    )
    if kind is None:
        return [f"{start}/>"]
    said = waiver_of(finding, report) or finding.verdict.reason
    if kind == "skipped":
        return [f"{start}>", f'      <skipped message="{_xml(said)}"/>', "    </testcase>"]
    places = [f"{e.span}  {e.detail}" for e in finding.verdict.evidence[:10]]
    text = "\n".join(_xml(part) for part in [message(finding), *places])
    return [
        f"{start}>",
        f'      <{kind} type="{finding.outcome}" message="{_xml(said)}">{text}</{kind}>',
        "    </testcase>",
    ]
