"""All practices by principle, each folded, with its evidence below."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from mlops_audit.model import PRINCIPLES, Finding, Outcome, Report
from mlops_audit.reports import words
from mlops_audit.reports.html import chip, code, e, places, sentence, word

__all__ = ["practices"]

_SHOW = (("all", "All"), ("open", "Open"), ("met", "Passed"))


def practices(report: Report) -> Iterator[str]:
    """A group a principle, with a filter that needs no script."""
    if not report.findings:
        return
    yield '<fieldset class="show"><legend>Show</legend>'
    for key, name in _SHOW:
        checked = " checked" if key == "all" else ""
        yield (
            f'<input type="radio" name="show" id="show-{key}"{checked}>'
            f'<label for="show-{key}">{name}</label>'
        )
    yield "</fieldset>"
    excused = words.waived(report)
    for key, name in PRINCIPLES.items():
        findings = [f for f in report.findings if f.practice.principle == key]
        if findings:
            yield from _group(key, name, findings, report)
            yield from (_practice(f, report, excused.get(f.practice.id)) for f in findings)
            yield "</div>"


def _group(key: str, name: str, findings: list[Finding], report: Report) -> Iterator[str]:
    counts = Counter(f.outcome for f in findings)
    told = ", ".join(f"{counts[o]} {word(o)}" for o in Outcome if counts[o])
    score = words.score(report.assessment.scores.principles.get(key))
    yield f'<div class="group"><h3>{e(name)} <span class="quiet">{score}</span></h3>'
    yield f'<p class="quiet">{e(told)}</p>'


def _asked(finding: Finding) -> str:
    return ", ".join(
        f"{'should' if ask.kind == 'should' else 'must'} from {ask.level}"
        for ask in finding.practice.asked
    )


def _practice(finding: Finding, report: Report, excused: str | None) -> str:
    practice, verdict = finding.practice, finding.verdict
    kind = str(finding.outcome).replace("/", "")
    told = [_asked(finding), f"protects {', '.join(practice.assets)}"]
    if finding.strength is not None:
        told.append(f"evidence {finding.strength}")
    if finding.project is not None:
        told.append(f"in {finding.project}")
    parts = [
        f'<details class="practice is-{kind}" id="{e(practice.id)}"><summary>',
        f'<span class="id">{e(practice.id)}</span> <span class="t">{e(practice.title)}</span>',
        f' {chip(finding)}</summary><div class="inside">',
        f"<p>{sentence(verdict.reason)}</p>",
    ]
    if verdict.looked_for:
        parts.append(f"<p>Looked for: {code(verdict.looked_for)}</p>")
    if excused:
        parts.append(f"<p><strong>{e(excused[:1].upper() + excused[1:])}</strong></p>")
    parts.append(places(verdict.evidence, report))
    if finding.outcome not in (Outcome.PASS, Outcome.NOT_APPLICABLE):
        step = code(practice.fix.step)
        parts.append(f'<p class="step"><strong>First step</strong> {step}</p>')
        if practice.fix.template:
            files = ", ".join(f"<code>{e(name)}</code>" for name in practice.fix.template)
            parts.append(f'<p class="quiet">Template: {files}</p>')
    parts.append(f'<p class="quiet">{e("; ".join(filter(None, told)))}</p></div></details>')
    return "".join(parts)
