"""HTML: one self-contained page, without a network, a script or a template engine."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator

from mlops_audit.model import Report
from mlops_audit.reports import Options, words
from mlops_audit.reports.html import e, section
from mlops_audit.reports.html.charts import matrix, radar
from mlops_audit.reports.html.level import hero, ladder
from mlops_audit.reports.html.loop import loop
from mlops_audit.reports.html.models import models
from mlops_audit.reports.html.notes import diagnostics, entries, history
from mlops_audit.reports.html.practices import practices
from mlops_audit.reports.html.style import STYLE
from mlops_audit.reports.html.todo import blocking, changed, title

__all__ = ["render"]


def render(report: Report, options: Options) -> str:  # noqa: ARG001 -- one signature for all
    """Write the page."""
    return "\n".join(_page(report)) + "\n"


def _policy() -> str:
    """Nothing but the page itself and its one style element, which its hash names."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none';"
        " form-action 'none'"
    )


def _page(report: Report) -> Iterator[str]:
    level = report.assessment.level
    name = e(report.repository.path)
    sections = list(_sections(report))
    yield '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_policy()}">'
    yield '<meta name="viewport" content="width=device-width,initial-scale=1">'
    yield '<meta name="referrer" content="no-referrer">'
    yield f"<title>{name}: MLOps level {level.reached}, {e(level.name)}</title>"
    yield f"<style>{STYLE}</style></head><body>"
    yield '<a class="skip" href="#main">Skip to the report</a>'
    yield f'<header class="top"><h1>{name}</h1><p class="quiet">{_about(report)}</p></header>'
    yield '<main id="main">'
    if sections:
        listed = "".join(f'<li><a href="#{key}">{e(short)}</a></li>' for key, short, _ in sections)
        yield f'<nav aria-label="Sections"><ul>{listed}</ul></nav>'
    yield '<div class="hero">'
    yield from hero(report)
    yield "</div>"
    yield from (text for _, _, text in sections)
    yield "</main><footer>"
    if report.roles.kind != "none":
        yield f"<p>{e(level.enough)} {e(words.LIMITS)}</p>"
    yield f"<p>Written by mlops-audit {e(report.version)}.</p></footer></body></html>"


def _about(report: Report) -> str:
    repository = report.repository
    parts = [words.role(report), f"{repository.files} files"]
    parts += [f"{repository.unread} not read"] if repository.unread else []
    if repository.commit:
        parts.append(f"commit {repository.commit[:10]}{', changed' if repository.dirty else ''}")
    return e(" · ".join(parts))


def _sections(report: Report) -> Iterator[tuple[str, str, str]]:
    """Key, short name and text of each section that has something to say."""
    judged = report.roles.kind != "none"
    against = report.comparison.against if report.comparison else ""
    charts = ['<div class="two">', *radar(report), "<div>", *matrix(report), "</div></div>"]
    rows = (
        ("changed", "Changes", f"Changed against {against}", changed(report)),
        ("ladder", "Ladder", "The ladder", ladder(report) if judged else ()),
        ("next", "Next steps", title(report), blocking(report)),
        ("scores", "Scores", "Scores", charts if judged else ()),
        ("loop", "Loop", "The loop", loop(report) if judged else ()),
        ("practices", "Practices", "Practices and their evidence", practices(report)),
        ("models", "Other models", "Other models", models(report) if judged else ()),
        ("history", "History", "History", history(report)),
        ("words", "Attestations and waivers", "Attestations and waivers", entries(report)),
        ("files", "Notes", "Not read or not understood", diagnostics(report)),
    )
    for key, short, heading, body in rows:
        text = section(key, heading, body)
        if text:
            yield key, short, text
