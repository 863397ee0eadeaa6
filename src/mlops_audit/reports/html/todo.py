"""What to do next: the checklist up to the next level, and what changed."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_audit.model import Change, Finding, Report
from mlops_audit.reports import words
from mlops_audit.reports.html import chip, code, e, link, place, sentence

__all__ = ["blocking", "changed", "title"]


def title(report: Report) -> str:
    """What the checklist is called."""
    level = report.assessment.level
    if level.next is None:
        return "What is left"
    upto = max(level.next[0], level.target or 0)
    name = f", {level.next[1]}" if upto == level.next[0] else ""
    return f"What blocks level {upto}{name}"


def blocking(report: Report) -> Iterator[str]:
    """Each blocking practice with its first step, in the order in which to take them."""
    level = report.assessment.level
    if level.next is None or report.roles.kind == "none":
        return
    known, excused = words.by_id(report), words.waived(report)
    listed = [p for p in level.blocking if p in known]
    if not listed:
        if level.missing:
            yield "<p>Practices that are not implemented yet.</p>"
        elif level.blocking:
            yield f"<p>{e(', '.join(level.blocking))}, which were not selected.</p>"
        else:
            yield "<p>Nothing that is known.</p>"
        return
    yield '<ol class="todo">'
    for practice in listed:
        yield _item(known[practice], report, excused.get(practice))
    yield "</ol>"


def _item(finding: Finding, report: Report, excused: str | None) -> str:
    practice, verdict = finding.practice, finding.verdict
    must = words.is_must(finding, report)
    tag = "" if must is None else f' <span class="tag">{"must" if must else "should"}</span>'
    files = ", ".join(f"<code>{e(name)}</code>" for name in practice.fix.template[:4])
    template = f'<p class="quiet">Template: {files}</p>' if files else ""
    waived = f'<p class="quiet">{e(excused[:1].upper() + excused[1:])}</p>' if excused else ""
    where = verdict.evidence[:1]
    seen = f'<p class="where">{place(where[0], report)}</p>' if where else ""
    return (
        f"<li><h3>{link(practice.id, report)} {e(practice.title)} {chip(finding)}{tag}</h3>"
        f"<p>{sentence(verdict.reason)}</p>{seen}"
        f'<p class="step"><strong>First step</strong> {code(practice.fix.step)}</p>'
        f"{template}{waived}</li>"
    )


def changed(report: Report) -> Iterator[str]:
    """What differs from the baseline: what got worse first."""
    comparison = report.comparison
    if comparison is None:
        return
    titles = {f.practice.id: f.practice.title for f in report.findings}
    groups = (("Worse", comparison.worse), ("Better or no longer asked", comparison.better))
    for name, changes in groups:
        if changes:
            yield f'<h3>{name}</h3><ul class="changes">'
            yield from (_change(change, titles, report) for change in changes)
            yield "</ul>"
    if not comparison.changes:
        yield "<p>No outcome differs.</p>"
    if comparison.new:
        listed = ", ".join(link(practice, report) for practice in comparison.new)
        yield f'<p class="quiet">Not in the baseline: {listed}.</p>'
    if comparison.gone:
        yield f"<p>The baseline is stale; it also names {e(', '.join(comparison.gone))}.</p>"


def _change(change: Change, titles: dict[str, str], report: Report) -> str:
    kind = "o-fail" if change.worse else "o-pass"
    named = e(titles.get(change.practice, ""))
    return (
        f"<li>{link(change.practice, report)} {named}"
        f' <span class="chip {kind}">{e(change.before)} → {e(change.after)}</span></li>'
    )
