"""The level as a staircase, with the musts that each step asks for."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_audit.model import Finding, Outcome, Report
from mlops_audit.reports import words
from mlops_audit.reports.html import e, link
from mlops_audit.reports.identity import is_listed

__all__ = ["hero", "ladder"]

_FEW = 6
_DEEPEST = 4  # the style has so many offsets of a step


def hero(report: Report) -> Iterator[str]:
    """The level in one glance, and three figures beside it."""
    yield "<div>"
    yield from _words(report)
    yield "</div>"
    if report.roles.kind != "none":
        yield '<dl class="facts">'
        yield from (f"<div><dt>{e(a)}</dt><dd>{e(b)}</dd></div>" for a, b in _facts(report))
        yield "</dl>"


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    total = report.assessment.scores.total
    yield "Score of 100", words.score(total)
    asked = [f for f in report.findings if f.outcome is not Outcome.NOT_APPLICABLE]
    passed = sum(f.outcome is Outcome.PASS for f in asked)
    if asked:
        yield "Practices passed", f"{passed} of {len(asked)}"
    if report.loop is not None:
        steps = [step for step in report.loop.steps if step.state != "n/a"]
        yield "Links of the loop", f"{sum(s.state == 'found' for s in steps)} of {len(steps)}"


def _words(report: Report) -> Iterator[str]:
    level = report.assessment.level
    yield f'<p class="level"><span class="number">{level.reached}</span>'
    yield f'<span class="name"><span class="quiet">Level</span> {e(level.name)}</span></p>'
    if level.remark:
        yield f'<p class="lead">{e(level.remark)}</p>'
    if report.roles.kind == "none":
        return
    if level.meaning:
        yield f'<p class="lead">{e(level.meaning)}</p>'
    said = []
    if level.target is not None:
        said.append(f"Target level {level.target}: {'met' if level.target_met else 'not met'}.")
    if report.gate is not None:
        said.append("Gate met." if report.gate.met else "Gate not met.")
    if said:
        yield f"<p><strong>{e(' '.join(said))}</strong></p>"
    if report.gate is not None and report.gate.reasons:
        reasons = "".join(f"<li>{e(reason)}</li>" for reason in report.gate.reasons)
        yield f"<ul>{reasons}</ul>"


def ladder(report: Report) -> Iterator[str]:
    """The steps of the model that gives the level, the reached ones filled."""
    level = report.assessment.level
    if not level.profile:
        return
    named = _named(report)
    tallest = max(row.level for row in level.profile)
    yield '<ol class="stairs">'
    for row in level.profile:
        if row.level <= level.reached:
            state, said = "reached", ", reached"
        elif level.next is not None and row.level == level.next[0]:
            state, said = "next", ", next"
        else:
            state, said = "later", ""
        aim = ' <span class="tag">target</span>' if row.level == level.target else ""
        name, meaning = named.get(row.level, ("", ""))
        down = min(tallest - row.level, _DEEPEST)
        yield f'<li class="stair {state} down-{down}"><div class="tread">'
        yield f'<h3><span class="n">Level {row.level}{said}{aim}</span> {e(name)}</h3>'
        yield _bar(row.met, row.musts)
        yield f"<p>{row.met} of {row.musts} musts met</p>"
        yield f'<p class="quiet meaning">{e(meaning)}</p>' if meaning else ""
        yield _lacking(report, row.level)
        yield "</div></li>"
    yield "</ol>"
    if level.missing:
        yield (
            f'<p class="quiet">{len(level.missing)} practices of the catalogue are not implemented'
            " yet; the level is capped there.</p>"
        )


def _named(report: Report) -> dict[int, tuple[str, str]]:
    data = report.assessment.models[0].data if report.assessment.models else {}
    return {
        each["level"]: (str(each["name"]), str(each.get("meaning", "")))
        for each in data.get("levels", ())
    }


def _bar(met: int, of: int) -> str:
    """A row of small squares, one a must."""
    squares = "".join(
        f'<rect class="{"sq-on" if n < met else "sq-off"}" x="{n * 15}" y="1" width="11"'
        ' height="11" rx="2.5"/>'
        for n in range(of)
    )
    width = max(of * 15, 15)
    return (
        f'<svg class="squares" viewBox="0 0 {width} 13" width="{width}" height="13"'
        f' aria-hidden="true">{squares}</svg>'
    )


def _lacking(report: Report, number: int) -> str:
    """The musts of a level that are open, for the catalogue's own ladder."""
    if report.assessment.models and report.assessment.models[0].name != "ladder":
        return ""
    lacking = [f for f in report.findings if _asks(f, number) and is_listed(f)]
    if not lacking:
        return ""
    shown = ", ".join(link(f.practice.id, report) for f in lacking[:_FEW])
    rest = len(lacking) - _FEW
    return f'<p class="open">open: {shown}{f" +{rest}" if rest > 0 else ""}</p>'


def _asks(finding: Finding, number: int) -> bool:
    for ask in finding.practice.asked:
        if ask.level == number and ask.is_must:
            return finding.outcome is not Outcome.PARTIAL or ask.kind != "must~"
    return False
