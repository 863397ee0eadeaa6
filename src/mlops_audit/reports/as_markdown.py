"""Markdown, for a step summary or a pull request: what changed, the level, what blocks the next."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.model import PRINCIPLES, Evidence, Finding, Outcome, Report
from mlops_audit.regex import regex
from mlops_audit.reports import Options, words
from mlops_audit.reports.links import forge_url
from mlops_audit.reports.safe import one_line, short

__all__ = ["escaped", "render"]

# Everything that means something in GitHub's or GitLab's Markdown, mentions and bare addresses
# included, becomes a character reference.
_SPECIAL = regex(r"[\\`*_{}\[\]<>()#|~@&!:$+=^\"']")
_ICONS = {
    Outcome.PASS: "✅",
    Outcome.PARTIAL: "🟡",
    Outcome.FAIL: "❌",
    Outcome.UNKNOWN: "❓",
    Outcome.NOT_APPLICABLE: "▫️",
}
_DETAIL = 160


def escaped(text: str) -> str:
    """Text of the audited repository as Markdown that says just that text."""
    return _SPECIAL.sub(lambda m: f"&#{ord(m[0])};", one_line(text))


def _step(finding: Finding) -> str:
    """The first step, in which `backticks` mark code: it is our own text."""
    parts = re.split(r"`([^`]+)`", finding.practice.fix.step)
    marked = (f"<code>{escaped(p)}</code>" if n % 2 else _plain(p) for n, p in enumerate(parts))
    return "".join(marked)


def _plain(text: str) -> str:
    """Escaped text that keeps the spaces at its ends."""
    inner = text.strip()
    return text.replace(inner, escaped(inner)) if inner else text


def render(report: Report, options: Options) -> str:  # noqa: ARG001 -- one signature for all
    """Write the summary; the table of all practices is folded."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    level, scores = report.assessment.level, report.assessment.scores
    yield f"## MLOps maturity: level {level.reached} · {escaped(level.name)}"
    yield ""
    yield from _changed(report)
    if level.remark:
        yield f"{escaped(level.remark)}"
        yield ""
    if report.gate is not None:
        yield f"**Gate: {'met' if report.gate.met else 'not met'}**"
        yield from (f"- {escaped(reason)}" for reason in report.gate.reasons)
        yield ""
    if report.roles.kind != "none":
        if level.meaning:
            yield f"{escaped(level.meaning)}"
            yield ""
        if level.profile:
            yield f"Musts met by level: {words.profile(level)}"
            yield ""
        if level.target is not None:
            met = "met" if level.target_met else "not met"
            yield f"Target: level {level.target}, {met}."
            yield ""
        yield "| Principle | Score | Musts met up to level |"
        yield "| --- | ---: | ---: |"
        for key, name in PRINCIPLES.items():
            upto = scores.principle_levels.get(key, 0)
            yield f"| {name} | {words.score(scores.principles.get(key))} | {upto} |"
        yield f"| **All** | **{words.score(scores.total)}** | |"
        yield ""
        yield from _blocking(report)
    yield from _models(report)
    yield from _table(report)
    yield from _entries(report)
    if report.roles.kind != "none":
        yield f"{escaped(level.enough)} {words.LIMITS}".strip()
        yield ""
    yield f"<sub>mlops-audit {report.version}</sub>"


def _changed(report: Report) -> Iterator[str]:
    """What a reviewer asks first: what this change made worse, then what it mended."""
    comparison = report.comparison
    if comparison is None:
        return
    known, excused = words.by_id(report), words.waived(report)
    yield f"### Changed against {escaped(comparison.against)}"
    yield ""
    if comparison.level is not None and comparison.level != report.assessment.level.reached:
        yield f"Level {comparison.level} → **{report.assessment.level.reached}**"
        yield ""
    for change in (*comparison.worse, *comparison.better):
        icon = "🔻" if change.worse else "🔺" if change.after != "n/a" else "▫️"
        finding = known.get(change.practice)
        title = f" {escaped(finding.practice.title)}" if finding else ""
        why = f": {escaped(finding.verdict.reason)}" if finding and change.worse else ""
        waived = f" _{escaped(excused[change.practice])}_" if change.practice in excused else ""
        yield (
            f"- {icon} **{change.practice}**{title} ({change.before} → {change.after}){why}{waived}"
        )
    if not comparison.changes:
        yield "- nothing"
    if comparison.new:
        yield f"- Not in the baseline: {', '.join(comparison.new)}"
    if comparison.gone:
        yield f"- The baseline is stale: {escaped(', '.join(comparison.gone))} no longer exist"
    yield ""


def _blocking(report: Report) -> Iterator[str]:
    level = report.assessment.level
    if level.next is None or not level.blocking:
        return
    known, excused = words.by_id(report), words.waived(report)
    upto = max(level.next[0], level.target or 0)
    yield f"### What blocks level {upto}"
    yield ""
    for practice in level.blocking:
        finding = known.get(practice)
        if finding is None:
            continue
        waived = f" _{escaped(excused[practice])}_" if practice in excused else ""
        yield (
            f"- [ ] **{practice}** {escaped(finding.practice.title)}:"
            f" {escaped(finding.verdict.reason)} → {_step(finding)}{waived}"
        )
    yield ""


def _models(report: Report) -> Iterator[str]:
    others = report.assessment.models[1:]
    if others:
        yield "| Other model | Result |"
        yield "| --- | --- |"
        for model in others:
            yield f"| {escaped(model.name)} | {escaped(words.model_result(model))} |"
        yield ""


def _place(evidence: Evidence, report: Report) -> str:
    url = forge_url(report.repository, evidence.span)
    place = f"<code>{escaped(str(evidence.span))}</code>"
    return f'<a href="{escaped_url(url)}">{place}</a>' if url else place


def escaped_url(url: str) -> str:
    """An address that is safe within an attribute."""
    return url.replace("&", "&amp;").replace('"', "%22").replace("|", "%7C")


def _row(finding: Finding, report: Report) -> str:
    verdict = finding.verdict
    places = " ".join(
        f"{_place(e, report)} {escaped(short(e.detail, _DETAIL))}" for e in verdict.evidence[:1]
    )
    rest = len(verdict.evidence) - 1
    more = f" and {rest} more" if rest > 0 else ""
    hollow = " (hollow)" if verdict.hollow else ""
    attested = " (attested)" if finding.strength == "attested" else ""
    return (
        f"| {finding.practice.id} | {escaped(finding.practice.title)} |"
        f" {_ICONS[finding.outcome]} {finding.outcome}{hollow}{attested} |"
        f" {escaped(verdict.reason)} | {places}{more} |"
    )


def _table(report: Report) -> Iterator[str]:
    if not report.findings:
        return
    yield f"<details><summary>All {len(report.findings)} practices</summary>"
    yield ""
    yield "| Practice | | Outcome | Reason | Evidence |"
    yield "| --- | --- | --- | --- | --- |"
    for finding in report.findings:
        yield _row(finding, report)
    yield ""
    yield "</details>"
    yield ""


def _entries(report: Report) -> Iterator[str]:
    for kind, entries in (("Attested", report.attestations), ("Waived", report.waivers)):
        for entry in entries:
            until = "**expired** on" if entry.expired else "until"
            yield (
                f"- {kind}: {entry.practice} by {escaped(entry.owner)} {until} {entry.expires}:"
                f" {escaped(entry.reason)}"
            )
        if entries:
            yield ""
    if report.diagnostics:
        yield f"<details><summary>Not understood: {len(report.diagnostics)}</summary>"
        yield ""
        for d in report.diagnostics:
            line = f":{d.line}" if d.line else ""
            yield f"- <code>{escaped(d.path + line)}</code> {escaped(d.message)}"
        yield ""
        yield "</details>"
        yield ""
