"""The nodes of the execution graph: how each kind of thing that runs becomes one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from msgspec import Struct, field

from mlops_audit.facts.notebooks import Notebook
from mlops_audit.facts.types import Command, Job, Target, Trigger, TriggerKind, Workflow
from mlops_audit.graph.execution import Node
from mlops_audit.graph.index import CodeIndex, Symbol
from mlops_audit.graph.places import Places
from mlops_audit.graph.selections import selection_of
from mlops_audit.model import Span

__all__ = ["STOPS", "Nodes", "Sources", "started"]

# Before a script's arguments: it stops at a failure, as the shell that runs or sources it does.
STOPS = "set -e"

# What a change or a schedule starts says more than what a person or another workflow may start.
_LATER = {TriggerKind.CALL: 1_000, TriggerKind.MANUAL: 2_000}


class Sources(Struct, frozen=True, dict=True):
    """The facts that expansion needs, gathered once for a project."""

    workflows: tuple[Workflow, ...]
    targets: tuple[Target, ...]
    places: Places
    index: CodeIndex
    notebooks: Mapping[str, Notebook]
    tests: frozenset[str]  # paths of test modules
    console_scripts: Mapping[str, str] = field(default_factory=dict)
    read_script: Callable[[str, tuple[str, ...]], tuple[Command, ...]] = lambda _path, _args: ()
    read_job: Callable[[str], tuple[Command, ...]] = lambda _path: ()
    platform_job: Callable[[str], tuple[tuple[Command, str], ...]] = lambda _name: ()
    branches: frozenset[str] | None = None  # those that exist, where the clone tells

    @cached_property
    def by_runner(self) -> dict[str, tuple[Target, ...]]:
        """Targets by their runner."""
        found: dict[str, list[Target]] = {}
        for target in self.targets:
            found.setdefault(target.runner, []).append(target)
        return {k: tuple(v) for k, v in found.items()}

    @cached_property
    def by_file(self) -> dict[str, tuple[Target, ...]]:
        """Targets by the file that defines them."""
        found: dict[str, list[Target]] = {}
        for target in self.targets:
            found.setdefault(target.span.path, []).append(target)
        return {k: tuple(v) for k, v in found.items()}


def started(trigger: Trigger) -> str:
    """What starts a workflow, in words."""
    if trigger.kind is TriggerKind.EXTERNAL:
        return "started from outside the file"
    if trigger.kind is TriggerKind.MANUAL:
        return "started by a person"
    if trigger.span.line is None:
        return f"on {trigger.kind}, by default"
    return f"on {trigger.kind}"


class Nodes:
    """Builds nodes over fixed `Sources`; two nodes of the same thing are equal."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources

    @staticmethod
    def trigger(workflow: Workflow, trigger: Trigger) -> Node:
        """A workflow's trigger."""
        where = f"{trigger.span.line}:{trigger.kind}:{trigger.cron}"
        detail = f"{workflow.name or workflow.path}: {started(trigger)}"
        return Node(
            "trigger",
            (workflow.path, workflow.name, where),
            trigger.span,
            detail,
            (workflow, trigger),
            _LATER.get(trigger.kind, 0),
        )

    @staticmethod
    def workflow(workflow: Workflow) -> Node:
        """A whole workflow, however it is started."""
        return Node(
            "workflow",
            (workflow.path, workflow.name),
            workflow.span,
            f"workflow {workflow.name or workflow.path}",
            workflow,
        )

    @staticmethod
    def job(workflow: Workflow, job: Job, kind: str = "") -> Node:
        """One job of a workflow, started by a trigger of this kind."""
        key = (workflow.path, workflow.name, job.name, str(job.span.line), kind)
        return Node("job", key, job.span, f"job {job.name}", (workflow, job, kind))

    @staticmethod
    def target(target: Target) -> Node:
        """A task runner's target."""
        return Node(
            "target",
            (target.runner, target.span.path, target.name),
            target.span,
            f"{target.runner} {target.name}",
            target,
        )

    def module(self, path: str) -> Node:
        """A Python file run as a script or imported."""
        return Node(
            "module", (path,), Span(path), f"runs {path}", self.sources.index.modules.get(path)
        )

    def function(self, symbol: Symbol) -> Node:
        """A function or class of the project."""
        module = self.sources.index.modules[symbol.path]
        if symbol.kind == "module":
            return self.module(symbol.path)
        found = module.function(symbol.qualname) or module.klass(symbol.qualname)
        span = found.span if found else Span(symbol.path)
        return Node(
            "function", (symbol.path, symbol.qualname), span, f"{symbol.qualname}()", symbol
        )

    @staticmethod
    def command(command: Command, folder: str) -> Node:
        """One command run in a folder."""
        span = command.span
        place = (span.path, str(span.cell or ""), str(span.line or ""), folder)
        # `cd api && make; cd ../web && make` on one line are two.
        key = (*place, *command.argv[:40], *((f"cd {command.cwd}",) if command.cwd else ()))
        return Node("command", key, span, command.text, (command, folder))

    def tests(
        self, command: Command, folder: str, paths: tuple[str, ...], words: tuple[str, ...] = ()
    ) -> Node:
        """A run of the test runner with `words` over `paths` (empty: whatever it collects)."""
        chosen = selection_of(words)
        key = (folder, *paths, *(f"-{e}" for e in (chosen.marks, chosen.names) if e))
        return Node("tests", key, command.span, command.text, (folder, paths, chosen))

    def script(self, path: str, folder: str, args: tuple[str, ...] = ()) -> Node:
        """A shell script run in a folder, with its arguments where they are known."""
        return Node("script", (path, folder, *args), Span(path), f"script {path}", folder)

    def notebook(self, path: str) -> Node:
        """A notebook that a tool executes."""
        return Node(
            "notebook", (path,), Span(path), f"executes {path}", self.sources.notebooks.get(path)
        )
