"""What a finding is called and how bad it is, for formats that list findings one by one."""

from __future__ import annotations

import hashlib

from mlops_audit.model import Change, Finding, Outcome, Report, Span
from mlops_audit.regex import regex
from mlops_audit.reports import words

__all__ = ["OPEN", "changes", "fingerprint", "home", "is_listed", "message", "rank", "waiver_of"]

_NAMED = regex(r"(?:\.\w+|/?[A-Z]\w+)$")
OPEN = (Outcome.FAIL, Outcome.PARTIAL, Outcome.UNKNOWN)
"""Outcomes that leave something to do."""


def is_listed(finding: Finding) -> bool:
    """Whether a finding leaves something to do."""
    return finding.outcome in OPEN


def fingerprint(finding: Finding) -> str:
    """The finding's identity: practice and project, so that it survives moved lines."""
    text = f"mlops-audit/1\0{finding.practice.id}\0{finding.project or '.'}"
    return hashlib.sha256(text.encode()).hexdigest()


def rank(finding: Finding, report: Report) -> int:
    """2: a must that blocks the level aimed at, 1: a should of it, 0: asked later or unknown."""
    level = report.assessment.level
    if finding.practice.id not in level.blocking or finding.outcome is Outcome.UNKNOWN:
        return 0
    return 1 if words.is_must(finding, report) is False else 2


def home(finding: Finding) -> Span:
    """Where a finding is shown: its first evidence, else the file that would mend it.

    Consumers want a file for everything; where nothing else is known it is the README.
    """
    for evidence in finding.verdict.evidence:
        path = evidence.span.path
        if path != "." and not path.startswith("tag:"):
            return evidence.span
    # Neither a folder nor a path with `<package>` in it is a file that a forge could show.
    files = [f for f in finding.practice.fix.template if "<" not in f and _NAMED.search(f)]
    return Span(files[0] if files else "README.md", 1)


def message(finding: Finding) -> str:
    """The reason and the first step, as plain text."""
    hollow = "Looks like evidence and is none: " if finding.verdict.hollow else ""
    looked = finding.verdict.looked_for
    parts = [f"{finding.practice.title}: {finding.outcome}. {hollow}{finding.verdict.reason}"]
    parts += [f"Looked for: {looked}."] if looked else []
    parts += [f"First step: {finding.practice.fix.step}"]
    return " ".join(parts)


def changes(report: Report) -> dict[str, Change]:
    """What changed against the baseline, by practice; empty without one."""
    found = report.comparison.changes if report.comparison else ()
    return {change.practice: change for change in found}


def waiver_of(finding: Finding, report: Report) -> str | None:
    """Reason, owner and expiry of the waiver that takes a finding out of the gates."""
    for waiver in report.waivers:
        if waiver.practice == finding.practice.id and not waiver.expired:
            return f"{waiver.reason} (waived by {waiver.owner} until {waiver.expires})"
    return None
