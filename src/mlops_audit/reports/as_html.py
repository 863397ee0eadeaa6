"""HTML: one self-contained page, without a network, a script or a template engine."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from mlops_audit.model import PRINCIPLES, Evidence, Finding, Report
from mlops_audit.reports import Options, words
from mlops_audit.reports.links import forge_url
from mlops_audit.reports.safe import one_line

__all__ = ["render"]

_STYLE = """
:root{color-scheme:light dark;--line:#8886;--ok:#2c7f2c;--bad:#b3261e;--part:#8a6100}
@media(prefers-color-scheme:dark){:root{--ok:#7bd17b;--bad:#ff8a80;--part:#e0b94a}}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem;
overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25rem .5rem;
border-bottom:1px solid var(--line);vertical-align:top}
.scroll{overflow-x:auto}meter{width:8rem}.pass{color:var(--ok)}.fail{color:var(--bad)}
.partial,.unknown{color:var(--part)}code{font-size:.9em}details{border-bottom:1px solid
var(--line);padding:.4rem 0}summary{cursor:pointer}
@media print{details::details-content{content-visibility:visible}}
"""


def _e(text: object) -> str:
    return escape(one_line(str(text)), quote=True)


def render(report: Report, options: Options) -> str:  # noqa: ARG001 -- one signature for all
    """Write the page."""
    return "\n".join(_page(report)) + "\n"


def _page(report: Report) -> Iterator[str]:
    level = report.assessment.level
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield (
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
        " style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'\">"
    )
    yield '<meta name="viewport" content="width=device-width,initial-scale=1">'
    yield f"<title>MLOps maturity of {_e(report.repository.path)}</title>"
    yield f"<style>{_STYLE}</style></head><body><main>"
    yield f"<h1>{_e(report.repository.path)}: level {level.reached}, {_e(level.name)}</h1>"
    commit = f", commit {_e(report.repository.commit[:10])}" if report.repository.commit else ""
    yield f"<p>{_e(words.role(report))}, {report.repository.files} files{commit}</p>"
    if level.remark:
        yield f"<p><strong>{_e(level.remark)}</strong></p>"
    if report.roles.kind != "none":
        yield from _level(report)
        yield from _scores(report)
        yield from _blocking(report)
    yield from _comparison(report)
    yield from _practices(report)
    yield from _notes(report)
    if report.roles.kind != "none":
        yield f"<p>{_e(level.enough)} {_e(words.LIMITS)}</p>"
    yield f"</main><footer><p>mlops-audit {_e(report.version)}</p></footer></body></html>"


def _level(report: Report) -> Iterator[str]:
    level = report.assessment.level
    if level.meaning:
        yield f"<p>{_e(level.meaning)}</p>"
    if level.profile:
        yield '<div class="scroll"><table><caption>Musts met by level</caption><tr>'
        yield "".join(f'<th scope="col">{row.level}</th>' for row in level.profile)
        yield "</tr><tr>"
        yield "".join(f"<td>{row.met} of {row.musts}</td>" for row in level.profile)
        yield "</tr></table></div>"
    for model in report.assessment.models[1:]:
        yield f"<p>{_e(model.name)}: {_e(words.model_result(model))}</p>"


def _scores(report: Report) -> Iterator[str]:
    scores = report.assessment.scores
    yield '<h2>Scores</h2><div class="scroll"><table><tr><th scope="col">Principle</th>'
    yield '<th scope="col">Score</th>'
    yield "".join(f'<th scope="col">{_e(asset)}</th>' for asset in scores.assets) + "</tr>"
    for key, name in PRINCIPLES.items():
        value = scores.principles.get(key)
        meter = (
            f'<meter min="0" max="100" value="{value}" aria-label="{_e(name)}"></meter> '
            if value is not None
            else ""
        )
        cells = "".join(f"<td>{words.score(v)}</td>" for v in scores.matrix[key].values())
        yield f'<tr><th scope="row">{_e(name)}</th><td>{meter}{words.score(value)}</td>{cells}</tr>'
    cells = "".join(f"<td>{words.score(v)}</td>" for v in scores.assets.values())
    yield f'<tr><th scope="row">All</th><td>{words.score(scores.total)}</td>{cells}</tr>'
    yield "</table></div>"


def _blocking(report: Report) -> Iterator[str]:
    level, known = report.assessment.level, words.by_id(report)
    if level.next is None or not level.blocking:
        return
    upto = max(level.next[0], level.target or 0)
    yield f"<h2>What blocks level {upto}</h2><ul>"
    for practice in level.blocking:
        finding = known.get(practice)
        if finding is not None:
            yield (
                f"<li><strong>{practice}</strong> {_e(finding.practice.title)}:"
                f" {_e(finding.verdict.reason)}<br>First step: {_e(finding.practice.fix.step)}</li>"
            )
    yield "</ul>"


def _comparison(report: Report) -> Iterator[str]:
    if report.comparison is not None:
        yield f"<h2>Changed against {_e(report.comparison.against)}</h2><ul>"
        for change in (*report.comparison.worse, *report.comparison.better):
            yield f"<li>{change.practice}: {change.before} → {change.after}</li>"
        yield "</ul>"
    if report.gate is not None:
        reasons = "; ".join(report.gate.reasons)
        said = "met" if report.gate.met else f"not met: {_e(reasons)}"
        yield f"<p><strong>Gate {said}</strong></p>"


def _practices(report: Report) -> Iterator[str]:
    if not report.findings:
        return
    excused = words.waived(report)
    yield "<h2>Practices</h2>"
    for finding in report.findings:
        yield from _practice(finding, report, excused.get(finding.practice.id))


def _practice(finding: Finding, report: Report, excused: str | None) -> Iterator[str]:
    practice, verdict = finding.practice, finding.verdict
    kind = str(finding.outcome).replace("/", "")
    hollow = ", hollow" if verdict.hollow else ""
    strength = f", {finding.strength}" if finding.strength else ""
    yield (
        f"<details><summary><strong>{practice.id}</strong> {_e(practice.title)}"
        f' <span class="{kind}">{finding.outcome}{hollow}{strength}</span></summary>'
    )
    yield f"<p>{_e(verdict.reason)}</p>"
    if verdict.looked_for:
        yield f"<p>Looked for: {_e(verdict.looked_for)}</p>"
    if excused:
        yield f"<p>{_e(excused)}</p>"
    if verdict.evidence:
        yield "<ul>"
        for evidence in verdict.evidence[:10]:
            hops = "".join(f"<li>via {_place(hop, report)}</li>" for hop in evidence.chain)
            yield f"<li>{_place(evidence, report)}{f'<ul>{hops}</ul>' if hops else ''}</li>"
        yield "</ul>"
    yield f"<p>First step: {_e(practice.fix.step)}</p></details>"


def _place(evidence: Evidence, report: Report) -> str:
    url = forge_url(report.repository, evidence.span)
    place = f"<code>{_e(evidence.span)}</code>"
    if url:
        place = f'<a href="{escape(url, quote=True)}" rel="noreferrer">{place}</a>'
    return f"{place} {_e(evidence.detail)}"


def _notes(report: Report) -> Iterator[str]:
    for kind, entries in (("Attested", report.attestations), ("Waived", report.waivers)):
        if entries:
            yield f"<h2>{kind}</h2><ul>"
            for entry in entries:
                until = "expired on" if entry.expired else "until"
                yield (
                    f"<li>{entry.practice} by {_e(entry.owner)} {until} {entry.expires}:"
                    f" {_e(entry.reason)}</li>"
                )
            yield "</ul>"
    if report.diagnostics:
        yield "<h2>Not understood</h2><ul>"
        for d in report.diagnostics:
            line = f":{d.line}" if d.line else ""
            yield f"<li><code>{_e(d.path)}{line}</code> {_e(d.message)}</li>"
        yield "</ul>"
