"""The rooms of the HTML report: each module writes one section from plain strings.

Nothing here uses a `style` attribute or a script: the page's policy allows one style element, by
its hash. Every text of the audited repository goes through `e` on its way out.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from mlops_audit import model
from mlops_audit.model import Evidence, Finding, Outcome, Report
from mlops_audit.reports import words
from mlops_audit.reports.links import forge_url
from mlops_audit.reports.safe import one_line, short

__all__ = ["chip", "code", "e", "link", "place", "places", "section", "sentence", "word"]

_DETAIL = 220
_SHOWN = 10
_WORDS = {Outcome.NOT_APPLICABLE: "not applicable"}


def e(text: object) -> str:
    """One safe line, escaped for text and attributes."""
    return escape(one_line(str(text)), quote=True)


def code(text: str) -> str:
    """Escaped text in which `backticks` mark code."""
    parts = e(text).split("`")
    if len(parts) % 2 == 0:  # an odd mark is just a mark
        return "`".join(parts)
    return "".join(f"<code>{p}</code>" if n % 2 else p for n, p in enumerate(parts))


def sentence(text: str) -> str:
    """Escaped text with code marked, as a sentence."""
    return code(model.sentence(text))


def section(key: str, title: str, body: Iterable[str]) -> str:
    """A section with a heading that the page's navigation leads to."""
    inside = "\n".join(body)
    if not inside:
        return ""
    return (
        f'<section id="{key}" aria-labelledby="{key}-h"><h2 id="{key}-h">{e(title)}</h2>\n'
        f"{inside}\n</section>"
    )


def word(outcome: Outcome) -> str:
    """An outcome in words."""
    return _WORDS.get(outcome, str(outcome))


def chip(finding: Finding) -> str:
    """The outcome with its mark; colour is never the only sign."""
    outcome = finding.outcome
    kind = str(outcome).replace("/", "")
    hollow = ", hollow" if finding.verdict.hollow else ""
    mark = f'<span aria-hidden="true">{words.MARKS[outcome]}</span>'
    return f'<span class="chip o-{kind}">{mark} {word(outcome)}{hollow}</span>'


def link(practice: str, report: Report) -> str:
    """A practice's id, leading to where it stands below."""
    known = any(finding.practice.id == practice for finding in report.findings)
    return f'<a href="#{e(practice)}">{e(practice)}</a>' if known else e(practice)


def place(evidence: Evidence, report: Report) -> str:
    """A place with what stands there, leading to the file on its forge."""
    url = forge_url(report.repository, evidence.span)
    name = f"<code>{e(evidence.span)}</code>"
    if url:
        name = f'<a href="{escape(url, quote=True)}" rel="noreferrer">{name}</a>'
    return f'{name} <span class="said">{e(short(evidence.detail, _DETAIL))}</span>'


def places(evidence: Iterable[Evidence], report: Report) -> str:
    """A list of places, each with the hops that lead there."""
    listed = list(evidence)
    rows = []
    for item in listed[:_SHOWN]:
        hops = "".join(f"<li>{place(hop, report)}</li>" for hop in item.chain)
        chain = (
            f'<span class="sr">, reached through</span><ol class="via">{hops}</ol>' if hops else ""
        )
        rows.append(f"<li>{place(item, report)}{chain}</li>")
    rest = len(listed) - _SHOWN
    rows += [f'<li class="quiet">and {rest} more</li>'] if rest > 0 else []
    return f'<ul class="places">{"".join(rows)}</ul>' if rows else ""
