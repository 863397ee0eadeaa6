"""The loop: a picture where there is room, a list where there is none, and the gaps in words."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_audit.model import Loop, LoopStep, Report
from mlops_audit.reports.html import e, link, places, sentence
from mlops_audit.reports.loop import MARKS, fitted, said, some
from mlops_audit.reports.loop.svg import picture

__all__ = ["loop"]

_MOST = 4
_COLUMNS = 38  # a line of the narrowest screen
_PLACES = 2


def loop(report: Report) -> Iterator[str]:
    """The way from a trigger to a monitored model and back."""
    found = report.loop
    if found is None:
        return
    yield f'<p class="lead narrow-lead">{e(said(found))}</p>'
    yield f'<div class="wide-loop">{picture(found)}</div>'
    yield '<ol class="narrow-loop">'
    for step in found.steps:
        yield _station(found, step)
    yield "</ol>"
    if found.missing:
        some_missing = any(step.state == "missing" for step in found.missing)
        yield f"<h3>{'Missing links' if some_missing else 'Links in part'}</h3>"
        yield '<ul class="gaps">'
        for step in sorted(found.missing, key=lambda s: s.state == "partial"):
            yield _gap(found, step, report)
        yield "</ul>"


def _state(step: LoopStep) -> str:
    return step.state.replace("/", "")


def _station(found: Loop, step: LoopStep) -> str:
    nodes = found.at(step.source)
    shown, rest = some(nodes, _MOST)
    items = "".join(f"<li>{e(fitted(node.name, _COLUMNS))}</li>" for node in shown)
    items += f'<li class="quiet">+{rest} more</li>' if rest else ""
    count = f' <span class="quiet">{len(nodes)}</span>' if nodes else ""
    body = f"<ul>{items}</ul>" if items else '<p class="quiet">none found</p>'
    to = found.stations[step.target].lower()
    return (
        f'<li><div class="station"><h3>{e(found.stations[step.source])}{count}</h3>{body}</div>'
        f'<p class="arrow a-{_state(step)}"><span class="sr">To {e(to)}: {e(step.state)}. </span>'
        f'<span class="mark" aria-hidden="true">{MARKS[step.state]}</span> {sentence(step.reason)}'
        "</p></li>"
    )


def _gap(found: Loop, step: LoopStep, report: Report) -> str:
    name = f"{found.stations[step.source]} → {found.stations[step.target].lower()}"
    looked = f"<p>Looked for: {e(step.looked_for)}</p>" if step.looked_for else ""
    judged = ", ".join(link(practice, report) for practice in step.practices)
    by = f'<p class="quiet">Judged by {judged}</p>' if judged else ""
    kind = "o-fail" if step.state == "missing" else "o-partial"
    mark = f'<span aria-hidden="true">{MARKS[step.state]}</span>'
    return (
        f'<li><p><span class="chip {kind}">{mark} {e(step.state)}</span>'
        f" <strong>{e(name)}</strong>: {sentence(step.reason)}</p>{looked}"
        f"{places(step.evidence[:_PLACES], report)}{by}</li>"
    )
