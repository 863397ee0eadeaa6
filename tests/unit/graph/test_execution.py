"""The execution graph: who asks first decides nothing."""

from __future__ import annotations

from itertools import permutations

from mlops_audit.facts.types import Command
from mlops_audit.graph.execution import Edge, ExecutionGraph, Node
from mlops_audit.graph.nodes import Nodes
from mlops_audit.model import Span

PLACE = Span(".pre-commit-config.yaml", 3)
TWO = (
    Node("target", ("pre-commit", PLACE.path, "check"), PLACE, "check", "pytest"),
    Node("target", ("pre-commit", PLACE.path, "check"), PLACE, "check", "python train.py"),
)


def test_two_things_of_one_name_run_what_is_theirs() -> None:
    """Nodes that count as one in a walk are expanded each by itself, in whatever order."""
    for asked in permutations((*TWO, *TWO)):
        graph = ExecutionGraph(lambda n: [Edge(Node("script", (n.payload,), PLACE, n.payload))])
        assert {(n.payload, graph.edges(n)[0].target.detail) for n in asked} == {
            ("pytest", "pytest"),
            ("python train.py", "python train.py"),
        }


def test_a_node_is_expanded_once() -> None:
    """Asking again costs nothing."""
    asked: list[Node] = []
    graph = ExecutionGraph(lambda n: asked.append(n) or ())  # type: ignore[func-returns-value]
    for node in (*TWO, *TWO):
        graph.edges(node)
    assert len(asked) == 2


def test_one_command_in_two_folders_is_two() -> None:
    """`cd api && make; cd ../web && make` on one line runs both."""
    api, web = (
        Nodes.command(Command(("make",), Span("Makefile", 2), "make", cwd=folder), "")
        for folder in ("api", "web")
    )
    assert api != web
    assert len(ExecutionGraph(lambda _: ()).reach([api, web]).ways) == 2
