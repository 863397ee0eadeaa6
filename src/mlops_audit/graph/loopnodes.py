"""What stands at each station of the loop: triggers, jobs, stages, code, data, models and so on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import Struct, field

from mlops_audit.facts.types import Trigger, TriggerKind, Workflow
from mlops_audit.graph.datasets import committed_data, dvc_data, is_model_path, lfs_data, sources
from mlops_audit.graph.lifecycle import TRAIN
from mlops_audit.graph.stores import live
from mlops_audit.graph.training import TRAINING, is_training
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence, LoopLink, LoopNode, Outcome, Span, Verdict
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.codepipelines import Pipeline, PipelineStep
    from mlops_audit.graph.project import Project

__all__ = ["MONITORS", "STATIONS", "Board", "by_hand", "gather", "trigger_name", "workflow_name"]

STATIONS: Mapping[str, str] = MappingProxyType(
    {
        "trigger": "Triggers",
        "job": "Jobs",
        "stage": "Pipeline stages",
        "code": "Training code",
        "data": "Data",
        "model": "Trained model",
        "registry": "Model registry",
        "service": "Model in use",
        "monitor": "Monitors",
    }
)
"""Kinds of nodes with their titles, in the loop's order."""

# Which practice tells of a monitor, what people call it, and the tools that show one where the
# practice was not judged.
MONITORS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "MON05": ("quality over time", "performance.monitor"),
        "MON04": ("drift", "drift.detect"),
        "MON03": ("prediction log", "log.predictions"),
        "MON02": ("service metrics", "metrics.export"),
        "MON06": ("alerts", "alert.send"),
        "MON07": ("dashboard", "dashboard.define"),
    }
)
_TRAINS = "trains"
_SHOWN = (Outcome.PASS, Outcome.PARTIAL)
_MANY = 400  # nodes of one station: a picture of more helps nobody
_REPORT = regex(r"\.(md|html?|png|svg|pdf)$|check_results|data_docs|validations?/")
_ADDRESS = regex(r"[a-z0-9]{2,8}://")
_ASIDE = regex(r"(^|/)(tests?|docs?|examples?)/")


class Board(Struct):
    """The loop while it is laid: nodes by number, and where each one is found in the project."""

    nodes: list[LoopNode] = field(default_factory=list)
    links: dict[tuple[int, int], LoopLink] = field(default_factory=dict)
    by_span: dict[Span, list[int]] = field(default_factory=dict)
    by_path: dict[str, list[int]] = field(default_factory=dict)
    stages: dict[int, PipelineStep] = field(default_factory=dict)
    pipelines: dict[int, Pipeline] = field(default_factory=dict)
    _numbers: dict[tuple[str, ...], int] = field(default_factory=dict)

    def add(self, kind: str, name: str, evidence: Evidence, *, by_hand: bool = False) -> int:
        """Take a node, once for each kind and name, and give its number."""
        key = (kind, name)
        if key not in self._numbers:
            self._numbers[key] = len(self.nodes)
            self.nodes.append(LoopNode(kind, name, evidence, by_hand))
        return self._numbers[key]

    def place(self, number: int, *, path: bool = False) -> None:
        """Let a node be found by its place, or by any code of its file."""
        span = self.nodes[number].evidence.span
        found = (
            self.by_path.setdefault(span.path, []) if path else self.by_span.setdefault(span, [])
        )
        if number not in found:
            found.append(number)

    def link(
        self, source: int, target: int, via: tuple[Evidence, ...] = (), *, soft: bool = False
    ) -> None:
        """Draw a link once; the first way that was found is kept."""
        if source != target:
            self.links.setdefault((source, target), LoopLink(source, target, via, soft))

    def at(self, *kinds: str) -> list[int]:
        """The numbers of the nodes at these stations."""
        return [n for n, node in enumerate(self.nodes) if node.kind in kinds]

    def reachable(self, starts: Iterable[int]) -> set[int]:
        """All nodes that links lead to from `starts`, those included."""
        following: dict[int, list[int]] = {}
        for source, target in self.links:
            following.setdefault(source, []).append(target)
        found: set[int] = set()
        queue = list(starts)
        while queue:
            number = queue.pop()
            if number not in found:
                found.add(number)
                queue += following.get(number, ())
        return found

    def trains(self, number: int) -> bool:
        """Whether a stage or a file of code trains the model."""
        if number in self.stages:
            return TRAIN in self.stages[number].parts
        return self.nodes[number].evidence.detail.startswith(_TRAINS)

    def full(self, kind: str) -> bool:
        """Whether a station has as many nodes as it takes."""
        return len(self.at(kind)) >= _MANY


def gather(project: Project, verdicts: Mapping[str, Verdict]) -> Board:
    """Lay all nodes but triggers and jobs, which the walk over the graph finds."""
    board = Board()
    _stages(project, board)
    _code(project, board)
    _data(project, board)
    _models(project, board)
    _registry(project, board, verdicts)
    _services(project, board)
    _monitors(project, board, verdicts)
    return board


def _stages(project: Project, board: Board) -> None:
    several = len({pipeline.tool for pipeline in project.pipelines}) > 1
    for pipeline in project.pipelines:
        for step in pipeline.steps:
            if board.full("stage"):
                return
            name = step.name.strip() or str(step.evidence.span)
            name = f"{name} ({pipeline.tool})" if several else name
            number = board.add("stage", name, step.evidence)
            board.stages.setdefault(number, step)
            board.pipelines.setdefault(number, pipeline)
            board.place(number)
            if step.evidence.span.path.endswith((".py", ".ipynb")):
                board.place(number, path=True)


def _first_by_path(uses: tuple[Use, ...] | list[Use]) -> Iterator[Use]:
    seen: set[str] = set()
    for use in uses:
        if use.path not in seen and not _ASIDE.search(use.path):
            seen.add(use.path)
            yield use


def _code(project: Project, board: Board) -> None:
    fits = [u for u in project.uses(*TRAINING) if is_training(u)]
    trained = {u.path: u.evidence() for u in _first_by_path(fits)}
    for path in sorted(project.roles.training):
        trained.setdefault(path, Evidence(Span(path, None), "trains the model"))
    for path, evidence in sorted(trained.items()):
        _code_node(board, path, _TRAINS, evidence)
    scored = project.uses("evaluate.metric", "evaluate.gate", "evaluate.cross_validate")
    for use in _first_by_path([u for u in scored if not u.notebook]):
        if use.path not in trained:
            _code_node(board, use.path, "evaluates", use.evidence())


def _code_node(board: Board, path: str, does: str, evidence: Evidence) -> None:
    if not board.full("code"):
        said = Evidence(evidence.span, f"{does}: {evidence.detail}")
        board.place(board.add("code", path, said), path=True)


def _data(project: Project, board: Board) -> None:
    kept = set(dvc_data(project))
    for entry, evidence in project.dvc.tracked():
        if evidence in kept and not _REPORT.search(entry.path) and not board.full("data"):
            board.add("data", entry.path, evidence)
    for evidence in (*lfs_data(project), *committed_data(project)):
        if not board.full("data"):
            board.add("data", evidence.span.path, evidence)
    if not board.at("data"):
        for _, evidence in sources(project):
            if _ADDRESS.match(evidence.detail) and not board.full("data"):
                board.add("data", evidence.detail, evidence)


def _models(project: Project, board: Board) -> None:
    for entry, evidence in project.dvc.tracked():
        if is_model_path(entry.path) and not _REPORT.search(entry.path):
            board.add("model", entry.path, evidence)
    saved = live(project, "tracker.model", "model.save")
    trained = {node.evidence.span.path for node in board.nodes if node.kind == "code"}
    for use in sorted(saved, key=lambda u: u.notebook):
        whatever = use.details is not None and use.details.kind == "object"
        if (whatever and use.path not in trained) or _ASIDE.search(use.path):
            continue
        does = "logged by" if use.capability == "tracker.model" else "saved by"
        if not use.notebook or not board.at("model"):
            number = board.add("model", f"{does} {use.path}", use.evidence())
            for code in board.by_path.get(use.path, ()):
                if board.nodes[code].kind == "code":
                    board.link(code, number)


def _registry(project: Project, board: Board, verdicts: Mapping[str, Verdict]) -> None:
    for use in live(project, "registry.register", "registry.promote", "model.push"):
        if not use.notebook:
            number = board.add("registry", f"{use.tool} in {use.path}", use.evidence())
            board.place(number)
    if not board.at("registry"):
        for evidence in _evidence(verdicts, "VER05")[:3]:
            board.add("registry", evidence.detail, evidence)


def _services(project: Project, board: Board) -> None:
    for prediction in project.predictions:
        if prediction.kind in {"service", "stream", "batch", "command", "demo"}:
            name = f"{prediction.kind}: {prediction.path}"
            number = board.add("service", name, prediction.evidence[0])
            board.place(number, path=True)
    if not project.roles.predicts:
        return
    for use in live(project, "deploy.run", "deploy.define", "serve.model"):
        if not use.notebook and (use.details is None or use.details.kind != "docs"):
            number = board.add("service", f"deployment: {use.path}", use.evidence())
            board.place(number)


def _monitors(project: Project, board: Board, verdicts: Mapping[str, Verdict]) -> None:
    for practice, (title, capability) in MONITORS.items():
        if practice in verdicts and verdicts[practice].outcome is not Outcome.UNKNOWN:
            found = list(_evidence(verdicts, practice))
        else:
            found = [u.evidence() for u in live(project, capability) if not u.notebook]
        for evidence in found[:3]:
            number = board.add("monitor", f"{title}: {evidence.span.path}", evidence)
            board.place(number)


def _evidence(verdicts: Mapping[str, Verdict], practice: str) -> tuple[Evidence, ...]:
    verdict = verdicts.get(practice)
    return verdict.evidence if verdict is not None and verdict.outcome in _SHOWN else ()


_WORDS = {
    TriggerKind.PULL_REQUEST: "pull request",
    TriggerKind.WORKFLOW: "after another workflow",
    TriggerKind.EXTERNAL: "set up outside",
}


def trigger_name(workflow: Workflow, triggers: list[Trigger]) -> str:
    """What people call the start of a workflow: `push, schedule · CI`."""
    kinds = [t.kind for t in triggers if t.kind not in _BY_HAND] or [t.kind for t in triggers]
    words = dict.fromkeys(_WORDS.get(kind, str(kind)) for kind in kinds)
    return f"{', '.join(words)} · {workflow_name(workflow)}"


def workflow_name(workflow: Workflow) -> str:
    """Its name, or its file's where it has none."""
    if workflow.name and workflow.name != workflow.path:
        return workflow.name
    return workflow.path.rsplit("/", 1)[-1]


_BY_HAND = (TriggerKind.MANUAL, TriggerKind.CALL)


def by_hand(triggers: list[Trigger]) -> bool:
    """Whether a person, or nothing but another workflow, starts it."""
    return all(t.kind in _BY_HAND for t in triggers)
