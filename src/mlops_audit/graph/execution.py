"""The execution graph: from triggers to what really runs.

Nodes are expanded lazily, once, and shared by all practices. `reach` walks from roots and keeps,
for each node, the best way that leads there: one whose failure stops the job before one whose
failure is ignored, then the shortest.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import force_setattr

from mlops_audit.model import Evidence, Span

__all__ = ["Edge", "ExecutionGraph", "Kind", "Node", "Reach", "Way"]

Kind = str  # trigger workflow job step action command target script module function notebook tests
_MAX_NODES = 60_000


class Node(Struct, frozen=True, eq=False):
    """Something that runs or starts something. Two nodes of one `kind` and `key` are the same."""

    kind: Kind
    key: tuple[str, ...]
    span: Span
    detail: str
    # Only `nodes.Nodes`, which builds it, and who expands that kind know the payload's type.
    payload: Any = None
    late: int = 0  # as a root, after others: its depth
    mark: int = 0  # the hash, of which walks ask ten thousand times

    def __post_init__(self) -> None:
        force_setattr(self, "mark", hash((self.kind, self.key)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and self.key == other.key and self.kind == other.kind

    def __hash__(self) -> int:
        return self.mark


class Edge(Struct, frozen=True):
    """`soft` says that a failure behind the edge cannot fail what stands before it."""

    target: Node
    soft: bool = False
    why: str = ""


class Way(Struct, frozen=True):
    """How a node was reached: its predecessors, first the trigger, and what softens the way."""

    node: Node
    previous: Way | None
    soft: bool
    why: str
    depth: int

    def nodes(self) -> tuple[Node, ...]:
        """All nodes of the way, the trigger first and `node` last."""
        found: list[Node] = []
        way: Way | None = self
        while way is not None:
            found.append(way.node)
            way = way.previous
        return tuple(reversed(found))

    def chain(self) -> tuple[Evidence, ...]:
        """The hops before the node as evidence, those at the same place told once."""
        hops: list[Evidence] = []
        last = self.node.span
        for node in reversed(self.nodes()[:-1]):
            if node.span != last:
                hops.append(Evidence(node.span, node.detail))
                last = node.span
        return tuple(reversed(hops))

    def evidence(self, detail: str = "", span: Span | None = None) -> Evidence:
        """The node as evidence with its chain; `span` names a line inside it."""
        if span is not None and span != self.node.span:
            here = Evidence(self.node.span, self.node.detail)
            return Evidence(span, detail or self.node.detail, (*self.chain(), here))
        return Evidence(self.node.span, detail or self.node.detail, self.chain())


class Reach:
    """Everything reached from some roots."""

    def __init__(self, ways: dict[Node, Way]) -> None:
        self.ways = ways

    def __bool__(self) -> bool:
        return bool(self.ways)

    def of(self, *kinds: Kind) -> Iterator[Way]:
        """The ways to all nodes of these kinds, nearest first."""
        return (w for w in self.ways.values() if w.node.kind in kinds)

    def way(self, kind: Kind, *key: str) -> Way | None:
        """The way to one node."""
        return self.ways.get(Node(kind, key, Span("."), ""))


class ExecutionGraph:
    """Nodes and, by `expand`, what each one runs."""

    def __init__(self, expand: Callable[[Node], Iterable[Edge]]) -> None:
        self._expand = expand
        self._edges: dict[Node, list[tuple[Node, tuple[Edge, ...]]]] = {}

    def edges(self, node: Node) -> tuple[Edge, ...]:
        """What a node runs, in the order of its text."""
        # Equal nodes may stand for two things (hooks of one name in one file): who was asked
        # first must not decide what the other runs.
        known = self._edges.setdefault(node, [])
        for one, edges in known:
            if one is node or (one.payload == node.payload and one.span == node.span):
                return edges
        found = tuple(self._expand(node))
        known.append((node, found))
        return found

    def reach(self, roots: Iterable[Node]) -> Reach:
        """All that runs when `roots` run."""
        ways: dict[Node, Way] = {}
        queue: list[tuple[bool, int, int, Way]] = []
        count = 0
        for root in roots:
            way = Way(root, None, soft=False, why="", depth=root.late)
            heapq.heappush(queue, (False, root.late, count, way))
            count += 1
        while queue and len(ways) < _MAX_NODES:
            soft, depth, _, way = heapq.heappop(queue)
            if way.node in ways:
                continue
            ways[way.node] = way
            for edge in self.edges(way.node):
                if edge.target not in ways:
                    weaker = soft or edge.soft
                    why = way.why or (edge.why if edge.soft else "")
                    step = Way(edge.target, way, weaker, why, depth + 1)
                    heapq.heappush(queue, (weaker, depth + 1, count, step))
                    count += 1
        return Reach(ways)
