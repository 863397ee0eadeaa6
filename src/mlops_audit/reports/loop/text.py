"""The loop as text: station below station, with the arrow between and what was looked for."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_audit.model import Loop, LoopNode, LoopStep
from mlops_audit.reports.loop import MARKS, fitted, said, some
from mlops_audit.reports.safe import one_line

__all__ = ["render"]

_MOST = 8  # nodes of a station
_NAMES = 3  # what one node leads to
_COLUMNS = 56


def render(loop: Loop) -> str:
    """Write the text, at most about 100 columns wide."""
    return "\n".join(_lines(loop)) + "\n"


def _lines(loop: Loop) -> Iterator[str]:
    yield f"The loop: {said(loop)}"
    targets: dict[LoopNode, list[LoopNode]] = {}
    for link in loop.links:
        targets.setdefault(loop.nodes[link.source], []).append(loop.nodes[link.target])
    arrows = {step.source: step for step in loop.steps}
    for kind, title in loop.stations.items():
        nodes = loop.at(kind)
        yield ""
        yield f"{title} ({len(nodes)})" if nodes else f"{title}: none found"
        shown, rest = some(nodes, _MOST)
        for node in shown:
            hand = " (by hand)" if node.by_hand and "person" not in node.name else ""
            place = fitted(str(node.evidence.span), _COLUMNS)
            name = fitted(node.name, _COLUMNS)
            yield f"  {name}{hand}" + ("" if place in name else f"  [{place}]")
            if targets.get(node):
                yield f"    → {_leads(targets[node])}"
        if rest:
            yield f"  +{rest} more"
        yield from _arrow(loop, arrows[kind])


def _leads(nodes: list[LoopNode]) -> str:
    shown, rest = some(tuple(nodes), _NAMES)
    names = ", ".join(fitted(node.name, _COLUMNS // 2) for node in shown)
    return f"{names}, +{rest} more" if rest else names


def _arrow(loop: Loop, step: LoopStep) -> Iterator[str]:
    mark = MARKS[step.state]
    word = "" if step.state == "found" else f"{step.state}: "
    to = loop.stations[step.target].lower()
    again = " again" if step.target == next(iter(loop.stations)) else ""
    yield f"  │ {mark} to {to}{again}: {word}{one_line(step.reason)}"
    if step.state in {"missing", "partial"} and step.looked_for:
        yield f"  │   looked for: {one_line(step.looked_for)}"
