"""The loop as a Mermaid flowchart, which GitHub and GitLab draw in Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_audit.model import Loop, LoopStep
from mlops_audit.regex import regex
from mlops_audit.reports.loop import MARKS, fitted, some

__all__ = ["render"]

_MOST = 5
_COLUMNS = 48
_SPECIAL = regex(r"[^\w .,/·→+()…✓◐✗-]")
_ARROWS = {"found": "==>", "partial": "-.->", "missing": "-.-x", "n/a": "-.-"}
_LINES = {
    "found": "stroke:#1a7f37",
    "partial": "stroke:#9a6700,stroke-dasharray:6 4",
    "missing": "stroke:#cf222e,stroke-dasharray:2 5",
    "n/a": "stroke:#8c959f,stroke-dasharray:1 6",
}


def render(loop: Loop) -> str:
    """Write the chart; every special character of a label becomes an entity."""
    return "\n".join(_lines(loop)) + "\n"


def _quoted(text: str) -> str:
    return _SPECIAL.sub(lambda m: f"#{ord(m[0])};", text)


def _lines(loop: Loop) -> Iterator[str]:
    yield "flowchart LR"
    for kind, title in loop.stations.items():
        nodes = loop.at(kind)
        yield f'  subgraph {kind}["{_quoted(title)}"]'
        shown, rest = some(nodes, _MOST)
        for number, node in enumerate(shown):
            yield f'    {kind}{number}["{_quoted(fitted(node.name, _COLUMNS))}"]'
        if rest:
            yield f'    {kind}_more["+{rest} more"]'
        if not nodes:
            yield f'    {kind}_none["none found"]:::none'
        yield "  end"
    for step in loop.steps:
        yield f"  {step.source} {_ARROWS[step.state]}|{_label(step)}| {step.target}"
    for number, step in enumerate(loop.steps):
        yield f"  linkStyle {number} {_LINES[step.state]}"
    yield "  classDef none stroke-dasharray:3 4,fill:none"


def _label(step: LoopStep) -> str:
    word = "" if step.state == "found" else f" {step.state}"
    reason = "" if step.state == "found" else f": {fitted(step.reason, _COLUMNS)}"
    return f'"{_quoted(MARKS[step.state] + word + reason)}"'
