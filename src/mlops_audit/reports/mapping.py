"""The execution graph drawn: what starts what, as text, Mermaid or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mlops_audit.graph import Node, Project
from mlops_audit.reports.safe import short

__all__ = ["FORMATS", "Link", "Map", "draw", "map_of"]

_LABEL = 100
_MOST = 2000
"""Nodes drawn at most: a picture of more helps nobody."""


@dataclass(frozen=True, slots=True)
class Link:
    """What one node runs; `soft` says that its failure does not fail the first."""

    source: int
    target: int
    soft: bool
    why: str


@dataclass(frozen=True, slots=True)
class Map:
    """Nodes by number, links between them, and what starts by itself or by hand."""

    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    automatic: tuple[int, ...]
    by_hand: tuple[int, ...]


def map_of(project: Project) -> Map:
    """Walk from the live triggers, then from what only a person starts."""
    numbers: dict[Node, int] = {}
    links: list[Link] = []

    def walk(roots: Iterable[Node]) -> tuple[int, ...]:
        starts = list(dict.fromkeys(node for node in roots if node not in numbers))
        queue = list(starts)
        for node in starts:
            numbers.setdefault(node, len(numbers))
        while queue and len(numbers) < _MOST:
            node = queue.pop(0)
            for edge in project.graph.edges(node):
                if edge.target not in numbers:
                    numbers[edge.target] = len(numbers)
                    queue.append(edge.target)
                links.append(Link(numbers[node], numbers[edge.target], edge.soft, edge.why))
        return tuple(numbers[node] for node in starts)

    automatic = walk(project.nodes.trigger(w, t) for w, t in project.triggers())
    by_hand: list[int] = []
    for target in project.targets:
        by_hand += walk([project.nodes.target(target)])
    reached = {link.target for link in links}
    return Map(
        tuple(numbers),
        tuple(dict.fromkeys(links)),
        automatic,
        tuple(number for number in by_hand if number not in reached),
    )


def _label(node: Node) -> str:
    return short(f"{node.kind}: {node.detail}", _LABEL)


def _text(found: Map) -> str:
    children: dict[int, list[Link]] = {}
    for link in found.links:
        children.setdefault(link.source, []).append(link)
    seen: set[int] = set()
    lines: list[str] = []

    def add(start: int) -> None:
        stack: list[tuple[int, int, Link | None]] = [(start, 1, None)]
        while stack:
            number, depth, link = stack.pop()
            node = found.nodes[number]
            soft = f"  (cannot fail its job: {link.why})" if link and link.soft else ""
            again = "  (see above)" if number in seen and children.get(number) else ""
            place = short(str(node.span), _LABEL)
            lines.append(f"{'  ' * depth}{_label(node)}  [{place}]{soft}{again}")
            if number not in seen:
                seen.add(number)
                below = children.get(number, ())
                stack += [(item.target, depth + 1, item) for item in reversed(below)]

    for title, starts in (("Starts by itself", found.automatic), ("By hand", found.by_hand)):
        lines.append(title)
        lines += [] if starts else ["  nothing"]
        for start in starts:
            add(start)
    return "\n".join(lines) + "\n"


def _mermaid(found: Map) -> str:
    """A flowchart; quotes and angle brackets of labels become entities."""
    lines = ["flowchart LR"]
    for number, node in enumerate(found.nodes):
        text = _label(node).replace("&", "#amp;").replace('"', "#quot;").replace("`", "#96;")
        text = text.replace("<", "#lt;").replace(">", "#gt;")
        lines.append(f'  n{number}["{text}"]')
    arrows = {True: "-.->", False: "-->"}
    lines += [f"  n{li.source} {arrows[li.soft]} n{li.target}" for li in found.links]
    return "\n".join(lines) + "\n"


def _json(found: Map) -> str:
    data = {
        "nodes": [
            {
                "id": number,
                "kind": node.kind,
                "detail": node.detail,
                "path": node.span.path,
                "line": node.span.line,
            }
            for number, node in enumerate(found.nodes)
        ],
        "links": [
            {"from": li.source, "to": li.target, "soft": li.soft, "why": li.why or None}
            for li in found.links
        ],
        "automatic": list(found.automatic),
        "by_hand": list(found.by_hand),
    }
    return json.dumps(data, indent=2, ensure_ascii=True) + "\n"


FORMATS: dict[str, Callable[[Map], str]] = {"text": _text, "mermaid": _mermaid, "json": _json}


def draw(project: Project, form: str) -> str:
    """Draw a project's graph in one of `FORMATS`."""
    return FORMATS[form](map_of(project))
