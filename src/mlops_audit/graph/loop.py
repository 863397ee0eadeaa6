"""The execution graph as one loop: triggers, jobs, stages, code, artifacts, service, monitors.

`loop_of` lays what a project has at each station, links it by walking the execution graph with
long chains folded into their ends, and judges the nine arrows between the stations. Verdicts of
practices decide where they are given, so that the picture and the report say the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from mlops_audit.facts.types import Trigger, Workflow
from mlops_audit.graph.execution import Edge, ExecutionGraph, Node, Reach, Way
from mlops_audit.graph.loopnodes import (
    STATIONS,
    Board,
    by_hand,
    gather,
    trigger_name,
    workflow_name,
)
from mlops_audit.graph.loopsteps import steps_of
from mlops_audit.graph.stores import live
from mlops_audit.model import Evidence, Loop, LoopStep, Span, Verdict

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["loop_of"]

_MOST_STARTS = 60  # workflows, targets or stages that are walked from one by one
_LOOPS = frozenset({"fit", "backward", "train"})  # at a file's own level, they make it a program
_MOST_HANDS = 6  # starts by a person that are named: how each script is run is no news


def loop_of(project: Project, verdicts: Mapping[str, Verdict] | None = None) -> Loop:
    """Draw a project's loop.

    Args:
        project: the facts.
        verdicts: what practices concluded, by id; facts alone decide where one is not given.
    """
    known = verdicts or {}
    board = gather(project, known)
    graph = _without_tests(project)
    _artifacts(project, board)
    _automation(project, board, graph)
    _stages(project, board, graph)
    _hands(project, board)
    steps = steps_of(project, board, known)
    return _ordered(board, steps)


def _ordered(board: Board, steps: tuple[LoopStep, ...]) -> Loop:
    """Put first, within a station, what leads to training, then what leads on at all."""
    training = {n for n in board.at("stage", "code") if board.trains(n)}

    def rank(number: int) -> tuple[int, bool, bool, int]:
        node, beyond = board.nodes[number], board.reachable([number]) - {number}
        on = any(board.nodes[n].kind != "job" for n in beyond)
        leads = bool(training & beyond) if node.kind in {"trigger", "job"} else on
        return list(STATIONS).index(node.kind), not leads, node.by_hand or not on, number

    order = sorted(range(len(board.nodes)), key=rank)
    new = {old: at for at, old in enumerate(order)}
    links = sorted(
        (replace(li, source=new[li.source], target=new[li.target]) for li in board.links.values()),
        key=lambda li: (li.source, li.target),
    )
    return Loop(STATIONS, tuple(board.nodes[n] for n in order), tuple(links), steps)


def _without_tests(project: Project) -> ExecutionGraph:
    """The execution graph without what tests run: a tested function is not a training run."""

    def expand(node: Node) -> Iterable[Edge]:
        if node.kind == "tests" or node.key[0] in project.test_files:
            return ()
        return project.expander(node)

    return ExecutionGraph(expand)


def _automation(project: Project, board: Board, graph: ExecutionGraph) -> None:
    """Link each workflow's triggers with what they start."""
    groups: dict[tuple[str, str], tuple[Workflow, list[Trigger]]] = {}
    for workflow, trigger in project.triggers():
        groups.setdefault((workflow.path, workflow.name), (workflow, []))[1].append(trigger)
    starts: list[tuple[int, Reach]] = []
    for workflow, triggers in list(groups.values())[:_MOST_STARTS]:
        reach = graph.reach(project.nodes.trigger(workflow, t) for t in triggers)
        hops = Evidence(triggers[0].span, f"on {triggers[0].kind}")
        name = trigger_name(workflow, triggers)
        starts.append((board.add("trigger", name, hops, by_hand=by_hand(triggers)), reach))
    for start, reach in starts:
        for way in reach.ways.values():
            _follow(board, start, way)
    for use in live(project, "pipeline.schedule"):
        number = board.add("trigger", f"schedule · {use.tool}", use.evidence())
        for stage in board.by_path.get(use.path, ()):
            if stage in board.stages:
                board.link(number, stage)


def _numbers(board: Board, node: Node, *, jobs: bool = True) -> list[int]:
    """What a node of the execution graph is in the loop, if it is anything."""
    if node.kind == "job":
        workflow, job, _ = node.payload
        if not jobs:
            return []
        name = f"{job.name} · {workflow_name(workflow)}"
        return [board.add("job", name, Evidence(node.span, node.detail))]
    if node.kind in {"module", "notebook", "function"}:
        return board.by_path.get(node.key[0], [])
    return board.by_span.get(node.span, [])


def _follow(board: Board, start: int, way: Way) -> None:
    """Link a reached node with the nearest one before it that the loop knows."""
    targets = _numbers(board, way.node)
    if not targets:
        return
    hops: list[Evidence] = []
    before = way.previous
    source = start
    while before is not None:
        known = [n for n in _numbers(board, before.node) if n not in targets]
        if known:
            source = known[0]
            break
        if before.previous is not None and (not hops or hops[-1].span != before.node.span):
            hops.append(Evidence(before.node.span, before.node.detail))
        before = before.previous
    for target in targets:
        board.link(source, target, tuple(reversed(hops))[:8], soft=way.soft)


def _stages(project: Project, board: Board, graph: ExecutionGraph) -> None:
    """Link each stage with the code that it runs."""
    for number, step in list(board.stages.items())[:_MOST_STARTS]:
        targets = [t for t in project.targets if t.span == step.evidence.span]
        roots = [project.nodes.target(t) for t in targets]
        roots += [project.nodes.module(s.path) for s in step.code if s.path in project.modules]
        for way in graph.reach(roots).ways.values():
            for code in _numbers(board, way.node, jobs=False):
                if board.nodes[code].kind == "code":
                    board.link(number, code, way.chain()[:8], soft=way.soft)


def _artifacts(project: Project, board: Board) -> None:
    """Link stages with the files that they declare, and code with files that it names."""
    paths: dict[str, int] = {board.nodes[n].name.rstrip("/"): n for n in board.at("data", "model")}
    stage_at = {board.nodes[n].evidence.span: n for n in board.at("stage")}
    for pipeline in project.dvc.pipelines:
        for stage in pipeline.stages:
            number = stage_at.get(stage.span)
            for declared in (*stage.deps, *stage.outs) if number is not None else ():
                artifact = paths.get(declared.path.rstrip("/"))
                if artifact is not None and number is not None:
                    board.link(number, artifact, (Evidence(declared.span, declared.path),))
    names = {path.rsplit("/", 1)[-1]: n for path, n in paths.items() if "." in path}
    for number in board.at("code"):
        module = project.modules.get(board.nodes[number].name)
        for text in module.texts if module is not None else ():
            artifact = names.get(text.value.rsplit("/", 1)[-1][:200])
            if artifact is not None and not text.doc:
                board.link(number, artifact, (Evidence(text.span, text.value),))


def _hands(project: Project, board: Board) -> None:
    """Name what a person has to start: pipelines and training that nothing else reaches."""
    reached = board.reachable([n for n in board.at("trigger") if not board.nodes[n].by_hand])
    added = 0
    for number in board.at("stage"):
        pipeline = board.pipelines[number]
        if number not in reached and added < _MOST_HANDS:
            name = f"a person runs {pipeline.how}"
            hand = board.add("trigger", name, pipeline.evidence, by_hand=True)
            board.link(hand, number)
    reached |= board.reachable(board.at("trigger"))
    for number in board.at("code"):
        node = board.nodes[number]
        if number in reached or added >= _MOST_HANDS or not board.trains(number):
            continue
        start = _start_of(project, node.name)
        if start is not None:
            hand = board.add("trigger", f"a person runs {start[0]}", start[1], by_hand=True)
            board.link(hand, number)
            added += 1


def _start_of(project: Project, path: str) -> tuple[str, Evidence] | None:
    """The task that runs a file, or the file itself where it is a program or a notebook."""
    for target in project.targets:
        for command in target.commands:
            if any(word.rsplit("/", 1)[-1] == path.rsplit("/", 1)[-1] for word in command.argv):
                return f"{target.runner} {target.name}", Evidence(command.span, command.text)
    module = project.modules.get(path)
    if module is None:
        return None
    top = any(call.runs and call.method in _LOOPS for call in module.calls_in(""))
    program = module.notebook or module.main_line or top or not module.functions
    return (path, Evidence(Span(path), "started by hand")) if program else None
