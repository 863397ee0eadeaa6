"""What a node runs: the one place where the indirections that people use are resolved.

A workflow's jobs, a job's steps, a step's commands and actions, a command's target, script,
module or notebook, a target's prerequisites, a module's functions, a function's calls.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator

from mlops_audit.facts.code import Call, Module, Value
from mlops_audit.facts.notebooks import Notebook
from mlops_audit.facts.shell import parse_shell
from mlops_audit.facts.snakefiles import WORKFLOW
from mlops_audit.facts.triggers import trigger_is_live
from mlops_audit.facts.types import Command, Job, Step, Target, Trigger, TriggerKind, Workflow
from mlops_audit.graph.commands import CommandResolver
from mlops_audit.graph.execution import Edge, Node
from mlops_audit.graph.index import Symbol
from mlops_audit.graph.mlflowprojects import RUNS, project_command
from mlops_audit.graph.nodes import Nodes, Sources
from mlops_audit.graph.rulefiles import rule_edges
from mlops_audit.graph.testcases import marks_of
from mlops_audit.regex import regex

__all__ = ["Expander"]

_SUBPROCESS = frozenset(
    {
        "subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output",
        "subprocess.Popen", "os.system", "os.popen", "sh.Command", "invoke.run",
    }
)  # fmt: skip
# Inputs by which actions and tasks are given a script of the repository.
_FILE_INPUTS = frozenset({"filepath", "scriptpath", "scriptlocation", "file", "script-path"})
# Actions and tasks that run a Dockerfile.
_BUILDS_IMAGE = regex(r"/(build-push-action|buildah-build|docker-build|kaniko)\b|^Docker@")


class Expander:
    """Gives the edges of any node over fixed `Sources`."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.nodes = Nodes(sources)
        self.commands = CommandResolver(self.nodes)
        self._by_kind: dict[str, Callable[[Node], Iterator[Edge]]] = {
            "trigger": self._trigger,
            "workflow": self._workflow,
            "job": self._job,
            "step": self._step,
            "command": self.commands.edges,
            "target": self._target,
            "script": self._script,
            "module": self._module,
            "function": self._function,
            "notebook": self._notebook,
            "tests": self._tests,
        }

    def __call__(self, node: Node) -> Iterator[Edge]:
        """The edges of a node; kinds that run nothing more (actions) have none."""
        expand = self._by_kind.get(node.kind)
        return expand(node) if expand else iter(())

    # -- workflows --------------------------------------------------------------------------

    def _trigger(self, node: Node) -> Iterator[Edge]:
        workflow, trigger = node.payload
        yield from self._jobs(workflow, workflow.jobs, trigger.kind)

    def _workflow(self, node: Node) -> Iterator[Edge]:
        workflow: Workflow = node.payload
        yield from self._jobs(workflow, workflow.jobs, "")

    def _jobs(self, workflow: Workflow, jobs: tuple[Job, ...], kind: str) -> Iterator[Edge]:
        """The jobs that a trigger of this kind starts (any, when the kind is not known)."""
        for job in jobs:
            if not job.disabled and self._starts(workflow, job.triggers, kind):
                yield Edge(self.nodes.job(workflow, job, kind), job.soft, job.why_soft)

    def _starts(self, workflow: Workflow, triggers: tuple[Trigger, ...], kind: str) -> bool:
        """Whether a job or step that is narrowed to these triggers runs on one of this kind.

        A push without filters is one of branches and of tags.
        """
        live = [t for t in triggers if trigger_is_live(t, self.sources.branches)[0]]
        kinds = {kind}
        if any(t.kind == kind == TriggerKind.PUSH and not t.branches for t in workflow.triggers):
            kinds.add(TriggerKind.TAG)
        return not triggers or any(not kind or t.kind in kinds for t in live)

    def _job(self, node: Node) -> Iterator[Edge]:
        workflow, job, kind = node.payload
        if job.jobs:
            yield from self._jobs(workflow, job.jobs, kind)
        elif job.calls:
            yield from self._local_workflow(job.calls, workflow)
        yield from self._steps(workflow, job.steps, node.key)

    def _steps(
        self, workflow: Workflow, steps: tuple[Step, ...], above: tuple[str, ...]
    ) -> Iterator[Edge]:
        kind = above[-1]
        for number, step in enumerate(steps):
            if step.disabled or not self._starts(workflow, step.triggers, kind):
                continue
            told = step.name or step.uses or next(iter(step.run.strip().splitlines()), str(number))
            key = (*above[:-1], str(number), kind)
            here = Node("step", key, step.span, f"step {told}", (workflow, step))
            yield Edge(here, step.soft, step.why_soft)

    def _local_workflow(self, path: str, caller: Workflow) -> Iterator[Edge]:
        """A composite action or reusable workflow that the reader did not inline."""
        place = self.sources.places.file(path.split("@", 1)[0], caller.path.rpartition("/")[0])
        folder = path.removeprefix("./").rstrip("/")
        names = {place} if place else {f"{folder}/action.yml", f"{folder}/action.yaml"}
        for workflow in self.sources.workflows:
            if workflow.path in names:
                yield Edge(self.nodes.workflow(workflow))

    def _step(self, node: Node) -> Iterator[Edge]:
        workflow, step = node.payload
        folder = (self.sources.places.folder(step.cwd) if step.cwd else "") or ""
        for command in step.commands:
            yield Edge(self.nodes.command(command, folder), command.soft, command.why_soft)
        if step.steps:
            yield from self._steps(workflow, step.steps, node.key)
        elif step.local:
            yield from self._local_workflow(step.local, workflow)
        if step.uses:
            key = (step.span.path, str(step.span.line), step.uses)
            yield Edge(Node("action", key, step.span, f"uses {step.uses}", step))
            if _BUILDS_IMAGE.search(step.uses):
                inputs = {name.lower(): text for name, text in step.inputs.items()}
                file = inputs.get("file") or inputs.get("dockerfile") or ""
                context = inputs.get("context") or inputs.get("path") or "."
                for target in self.commands.runners.built(file, context, folder):
                    yield Edge(self.nodes.target(target), target.soft)
        for name, text in step.inputs.items():
            if name.lower() in _FILE_INPUTS and (place := self.sources.places.file(text, folder)):
                yield from self.commands.file(place, folder)

    # -- targets, scripts, code ---------------------------------------------------------------

    def _target(self, node: Node) -> Iterator[Edge]:
        target: Target = node.payload
        siblings = self.sources.by_file.get(target.span.path, ())
        for name in target.needs:
            for other in siblings:
                if other.name == name and other is not target:
                    yield Edge(self.nodes.target(other), other.soft)
        for command in target.commands:
            yield Edge(self.nodes.command(command, target.folder), command.soft, command.why_soft)
        for dotted in target.calls:
            symbol = self.sources.index.resolve(dotted.replace(":", "."), target.span.path)
            if symbol:
                yield Edge(self.nodes.function(symbol))

    def _script(self, node: Node) -> Iterator[Edge]:
        path, folder, *args = node.key
        for command in self.sources.read_script(path, tuple(args)):
            yield Edge(self.nodes.command(command, folder), command.soft, command.why_soft)

    def _module(self, node: Node) -> Iterator[Edge]:
        module: Module | None = node.payload
        if module is None:
            return
        yield from self._calls(module, module.calls_in(""))
        for item in module.imports:
            if item.scope:
                continue
            symbol = self.sources.index.resolve(
                item.dotted, module.path
            ) or self.sources.index.resolve(item.module, module.path)
            if symbol and symbol.path != module.path:
                yield Edge(self.nodes.module(symbol.path))

    def _function(self, node: Node) -> Iterator[Edge]:
        symbol: Symbol = node.payload
        module = self.sources.index.modules[symbol.path]
        yield from self._calls(module, module.calls_in(symbol.qualname))

    def _calls(self, module: Module, calls: tuple[Call, ...]) -> Iterator[Edge]:
        for call in calls:
            if not call.runs:
                continue
            if call.name in _SUBPROCESS:
                yield from self._subprocess(module, call)
            elif call.name in RUNS and (command := project_command(call)) is not None:
                yield Edge(self.nodes.command(command, module.path.rpartition("/")[0]))
            elif call.name.startswith(WORKFLOW):
                yield from rule_edges(self.nodes, module, call, self._near)
            for symbol in self.sources.index.targets(call, module.path):
                yield Edge(self.nodes.function(symbol))

    def _subprocess(self, module: Module, call: Call) -> Iterator[Edge]:
        value = call.arg(0, "args")
        if value is None:
            return
        checked = call.name in {"subprocess.check_call", "subprocess.check_output"} or (
            (check := call.kw("check")) is not None and check.literal is True
        )
        why = "" if checked else "the return code is not checked"
        text = value.items[0] if len(value.items) == 1 else value
        if value.items and text is value:
            words = tuple(
                i.literal
                if isinstance(i.literal, str)
                else ("python" if "sys.executable" in i.text else f"${i.text}")
                for i in value.items
            )
            command = Command(words, call.span, shlex.join(words))
            yield Edge(self.nodes.command(command, self._near(module, command)), not checked, why)
        elif shown := _shell_text(text):
            first = (call.span.line or 1) + _line_of(call, text)
            for inner in parse_shell(shown, path=module.path, line=first, cell=call.span.cell):
                folder = self._near(module, inner)
                yield Edge(self.nodes.command(inner, folder), not checked, why)

    def _near(self, module: Module, command: Command) -> str:
        """The module's folder where the command names a file from there (`../src/score.py`)."""
        folder = module.path.rpartition("/")[0]
        places = self.sources.places
        near = any(
            "/" in word and places.join(folder, word) in places.paths for word in command.argv[:4]
        )
        return folder if near else ""

    def _notebook(self, node: Node) -> Iterator[Edge]:
        notebook: Notebook | None = node.payload
        if notebook is None:
            return
        folder = notebook.path.rpartition("/")[0]
        for command in notebook.commands:
            yield Edge(self.nodes.command(command, folder), command.soft, command.why_soft)
        if notebook.module is not None:
            yield from self._calls(notebook.module, notebook.module.calls_in(""))

    def _tests(self, node: Node) -> Iterator[Edge]:
        folder, paths, chosen = node.payload
        roots = paths or (folder,)
        for path in sorted(self.sources.tests):
            if not any(path == r or not r or path.startswith(f"{r}/") for r in roots):
                continue
            module = self.sources.index.modules.get(path)
            if module is None:
                continue
            for f in module.functions:
                if not f.name.startswith("test") or "." in f.qualname.removeprefix(f"{f.owner}."):
                    continue
                marks = marks_of(module, f, module.klass(f.owner) if f.owner else None)
                if chosen.takes(marks, (*f.qualname.split("."), *path.split("/"))):
                    yield Edge(self.nodes.function(Symbol(path, f.qualname, "function")))


_QUOTED = regex(r"""[fFrR]{0,2}(["'])((?:(?!\1).){1,500})\1""", re.DOTALL)


def _line_of(call: Call, value: Value) -> int:
    """How many lines below its call an argument stands."""
    return call.text[: max(0, call.text.find(value.text[:40]))].count("\n")


def _shell_text(value: Value) -> str:
    """The text of a command, its holes (`%s`, `{path}`) left as they are."""
    if isinstance(value.literal, str):
        return value.literal
    quoted = _QUOTED.match(value.text)
    return quoted[2] if quoted and not value.is_call else ""
