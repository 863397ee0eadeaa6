"""Pipelines: steps in a pipeline tool, or steps that a script or task runs in order.

One `Pipeline` holds all steps of one tool, as AUT02 asks for ("several pipelines of one tool").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Module
from mlops_audit.facts.types import Target, TriggerKind, Workflow
from mlops_audit.graph.cloudpipelines import cloud_pipelines
from mlops_audit.graph.codepipelines import MAX_STEPS, Pipeline, PipelineStep, pipelines_of_code
from mlops_audit.graph.execution import Node
from mlops_audit.graph.index import Symbol
from mlops_audit.graph.lifecycle import (
    EVALUATE,
    PREPARE,
    TRAIN,
    named_parts,
    parts_of,
    parts_of_nodes,
)
from mlops_audit.graph.rulefiles import rule_nodes
from mlops_audit.graph.scopes import Scope, scopes, scopes_from
from mlops_audit.graph.sourcelines import line_at, line_span
from mlops_audit.graph.statemachines import state_machines
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["find_pipelines"]

# Runners whose targets are jobs for people, not a graph of data.
_TASK_RUNNERS = frozenset(
    {"make", "just", "tox", "nox", "mise", "poe", "hatch", "pdm", "npm", "invoke", "task", "pixi",
     "rake", "script", "pre-commit", "lefthook", "husky", "docker-build", "compose", "mlproject",
     "rye", "taskipy", "duty", "git-hook", "dockerfile", "procfile", "uv", "hooks", "devcontainer",
     "terraform"}
)  # fmt: skip
# Task runners that skip a task whose declared files have not changed.
_FILE_RUNNERS = frozenset({"make", "task", "pixi", "mise", "doit", "rake", "just"})
# What starts services or builds a platform runs no steps of the work.
_NO_STEPS = frozenset({"compose", "docker-build", "terraform"})
_ORCHESTRATES = regex(
    r"main|pipeline|workflow|flow|orchestrat|steps|stages?|run(_|\.|$)|end_to_end|e2e|dag|driver",
    re.IGNORECASE,
)
_MANY_STEPS = 3  # programs that prepare data in a row, or modules that one calls in order
_CALLED_PIPELINE = regex(r"pipeline|workflow|orchestrat|(^|_)flow", re.IGNORECASE)
_FLAG = regex(r"^(args?|opts?|options|flags|FLAGS|ns|parsed)\.\w+$")
_IDLE = frozenset({"cd", "echo", "export", "mkdir", "rm", "cp", "mv", "set", "source", "touch"})


def find_pipelines(project: Project) -> tuple[Pipeline, ...]:
    """All pipelines: those of pipeline tools first, then by how much of the lifecycle they hold."""
    found = [
        *_of_targets(project),
        *_of_files(project),
        *pipelines_of_code(project),
        *state_machines(project),
        *cloud_pipelines(project),
        *_in_order(project),
    ]
    wanted = {TRAIN, PREPARE, EVALUATE}
    return tuple(
        sorted(
            found,
            key=lambda p: (
                not p.dag,
                p.notebook,
                -len(p.parts & wanted),
                -len(p.steps),
                str(p.evidence.span),
            ),
        )
    )


# -- pipelines that are files of steps ---------------------------------------------------------


def _of_targets(project: Project) -> Iterator[Pipeline]:
    """Steps with inputs and outputs that a tool runs: DVC, Snakemake, file targets of Make ..."""
    groups: dict[str, list[Target]] = {}
    for target in project.targets:
        if target.runner not in _TASK_RUNNERS:
            groups.setdefault(target.runner, []).append(target)
        elif target.runner in _FILE_RUNNERS and not target.phony and _has_files(target):
            groups.setdefault(f"{target.runner} (files)", []).append(target)
    for runner in sorted(groups):
        targets = [t for t in groups[runner] if t.commands or t.calls or t.inputs or t.needs]
        steps = tuple(_target_step(project, t) for t in targets[:MAX_STEPS])
        files = runner.endswith("(files)")
        if files and len([s for s in steps if s.parts]) < 2:  # noqa: PLR2004 -- one file is no graph
            continue
        if steps:
            yield Pipeline(
                runner.split(" ")[0], f"{runner.split(' ')[0]} steps", steps[0].evidence, steps
            )


def _has_files(target: Target) -> bool:
    return bool(target.inputs) and bool(target.commands)


def _target_step(project: Project, target: Target) -> PipelineStep:
    nodes = [project.nodes.command(c, target.folder) for c in target.commands]
    names = " ".join(dict.fromkeys([target.name.split("@", 1)[0], *_scripts(target)]))
    words = " ".join(c.text[:80] for c in target.commands[:2])
    detail = f"step {target.name}" + (f": {words}" if words else "")
    parts = parts_of_nodes(project, [*nodes, *_called(project, target)], names)
    return PipelineStep(target.name, Evidence(target.span, detail), parts)


def _called(project: Project, target: Target) -> Iterator[Node]:
    for dotted in target.calls:
        symbol = project.index.resolve(dotted.replace(":", "."), target.span.path)
        if symbol:
            yield project.nodes.function(symbol)


def _scripts(target: Target) -> Iterator[str]:
    for command in target.commands[:4]:
        for word in command.argv[1:4]:
            if word.endswith((".py", ".ipynb", ".sh", ".R")):
                yield word.rsplit("/", 1)[-1].rsplit(".", 1)[0]


def _of_files(project: Project) -> Iterator[Pipeline]:
    """Pipelines in the files of other tools, those of one tool taken together."""
    known = {t.span.path for t in project.targets}
    steps_of: dict[str, list[PipelineStep]] = {}
    heads: dict[str, list[Evidence]] = {}
    names: dict[str, list[str]] = {}
    for file in project.pipeline_files:
        if file.span.path in known or project.is_example(file.span.path):
            continue
        folder = file.span.path.rpartition("/")[0]
        steps = steps_of.setdefault(file.tool, [])
        name = f"{file.tool} {file.name}".strip()
        first = file.steps[0] if file.steps and not file.name else None
        head = Evidence(file.span, name)
        if first is not None:
            head = Evidence(first.span, f"{name}: step {first.name}")
        # What holds several steps is the pipeline; a file of one step is a component of it.
        at = 0 if len(file.steps) > 1 else len(heads.get(file.tool, ()))
        heads.setdefault(file.tool, []).insert(at, head)
        names.setdefault(file.tool, []).insert(at, name)
        for step in file.steps[:MAX_STEPS]:
            nodes = rule_nodes(project.nodes, step.span.path, step.name)
            if step.command and not nodes:
                nodes = [project.nodes.command(step.command, folder)]
            parts = parts_of_nodes(project, nodes, step.name)
            place = Evidence(_named_at(project, step.span, step.name), f"step {step.name}")
            steps.append(PipelineStep(step.name, place, parts))
    files = project.pipeline_files
    for tool, steps in sorted(steps_of.items()):
        alone = tool == "databricks" and all(len(f.steps) < 2 for f in files if f.tool == tool)  # noqa: PLR2004 -- jobs of one task each are no graph
        if not alone and (len(steps) > 1 or any(s.parts for s in steps)):
            yield Pipeline(tool, names[tool][0], heads[tool][0], tuple(steps[:MAX_STEPS]))


def _named_at(project: Project, span: Span, name: str) -> Span:
    """The line that gives a step its name, where the reader kept that of its command."""
    if name in line_at(project, span):
        return span
    told = line_span(project, Span(span.path, 1), rf"name\W{{1,4}}{re.escape(name)}\b")
    return told if told.line != 1 or name in line_at(project, told) else span


# -- pipelines in code ---------------------------------------------------------------------------


# -- steps in order --------------------------------------------------------------------------------


def _in_order(project: Project) -> Iterator[Pipeline]:
    """Tasks with prerequisites, scripts and programs that run separately defined steps in order."""
    for target in project.targets:
        if target.runner in _TASK_RUNNERS and target.runner not in _NO_STEPS:
            steps = tuple(_task_steps(project, target))
            if _is_sequence(steps):
                yield Pipeline(
                    target.runner,
                    f"{target.runner} {target.name}",
                    Evidence(target.span, f"{target.runner} {target.name}"),
                    steps,
                    dag=False,
                )
    for path in project.scripts:
        if project.is_test(path):
            continue  # a trial of the steps, whose model is thrown away
        steps = tuple(_script_steps(project, path))
        if _is_sequence(steps) or _prepares(steps):
            yield Pipeline(
                "script",
                path,
                Evidence(Span(path, steps[0].evidence.span.line), f"{path} runs the steps"),
                steps,
                dag=False,
            )
    for workflow in project.workflows:
        pulls = [t for t in workflow.triggers if t.kind is TriggerKind.PULL_REQUEST]
        if any(t.span.line for t in pulls):
            continue  # a check of changes, whatever it runs; a system's default says nothing
        steps = tuple(_ci_steps(project, workflow))
        if _is_sequence(steps) and any(TRAIN in s.parts for s in steps):
            yield Pipeline(
                "CI", workflow.path, Evidence(steps[0].evidence.span, "CI runs the steps"), steps,
                dag=False,
            )  # fmt: skip
    for module in project.source:
        if not project.is_example(module.path):
            yield from _program(project, module)


def _is_sequence(steps: tuple[PipelineStep, ...]) -> bool:
    """At least two steps of different parts, of which one trains or evaluates."""
    parts = [s.parts for s in steps if s.parts]
    return len(set(parts)) > 1 and any(p & {TRAIN, EVALUATE} for p in parts)


def _prepares(steps: tuple[PipelineStep, ...]) -> bool:
    """Whether several programs prepare data one after the other."""
    return len({s.name for s in steps if s.parts == {PREPARE}}) >= _MANY_STEPS


def _task_steps(project: Project, target: Target) -> Iterator[PipelineStep]:
    siblings = {t.name: t for t in project.targets if t.span.path == target.span.path}
    for name in target.needs[:30]:
        other = siblings.get(name)
        if other is not None and other is not target:
            yield _target_step(project, other)
    for command in target.commands[:30]:
        if command.program in _IDLE:
            continue
        node = project.nodes.command(command, target.folder)
        name = " ".join(a for a in command.argv[1:] if not a.startswith("-"))[:120]
        parts = parts_of_nodes(project, [node], name)
        yield PipelineStep(name, Evidence(command.span, command.text), parts)


def _ci_steps(project: Project, workflow: Workflow) -> Iterator[PipelineStep]:
    """The commands of a workflow that play a part, but for its tests."""
    for job in workflow.jobs if not workflow.disabled else ():
        for step in (s for s in job.steps if not s.disabled):
            for command in step.commands[:20]:
                node = project.nodes.command(command, "")
                edges = project.graph.edges(node)
                if not edges or any(e.target.kind == "tests" for e in edges):
                    continue
                name = " ".join(a for a in command.argv[1:4] if not a.startswith("-"))
                parts = parts_of_nodes(project, [node], name)
                if parts:
                    yield PipelineStep(name, Evidence(command.span, command.text), parts)


def _script_steps(project: Project, path: str) -> Iterator[PipelineStep]:
    for command in project.script(path)[:60]:
        node = project.nodes.command(command, "")
        edges = project.graph.edges(node)
        if not edges or any(project.is_test(e.target.span.path) for e in edges):
            continue
        name = " ".join(a for a in command.argv[1:4] if not a.startswith("-"))
        parts = parts_of_nodes(project, [node], name)
        yield PipelineStep(name, Evidence(command.span, command.text), parts)


def _program(project: Project, module: Module) -> Iterator[Pipeline]:
    """A program that calls the steps of other modules one after the other."""
    if project.roles.kind == "library":
        return  # a program of its own shows how the library is used
    for scope in ("", *(f.qualname for f in module.functions if not f.stub)):
        name = module.path.rsplit("/", 1)[-1]
        chosen = not scope and _chosen(module)
        named = bool(_ORCHESTRATES.search(f"{name} {scope}"))
        # A program of data that goes on to the steps of other modules: `data_ingestion.py`.
        started = not scope and module.main_line is not None and PREPARE in named_parts(name)
        bare = not (scope or module.functions or module.classes)  # it does nothing but call others
        if not (chosen or named or started or bare) or (
            named_parts(name) == {TRAIN} and not _CALLED_PIPELINE.search(name)
        ):
            continue
        called = [*_called_steps(project, module, scope, inner=chosen)]
        started_here = [*_process_steps(project, module, scope)]
        steps = _until_trained(tuple(sorted([*called, *started_here], key=_place)))
        homes = {s.code[0].path for s in steps if s.parts and s.code}
        if not (chosen or named or started) and len(homes) < _MANY_STEPS:
            continue
        if _is_sequence(steps) and len(homes) > 1 and any(TRAIN in s.parts for s in steps):
            place = steps[0].evidence.span
            yield Pipeline(
                "program",
                f"{module.path} {scope}".strip(),
                Evidence(place, f"{module.path} calls the steps in order"),
                steps,
                dag=False,
            )
            return


def _place(step: PipelineStep) -> int:
    return step.evidence.span.line or 0


def _process_steps(project: Project, module: Module, scope: str) -> Iterator[PipelineStep]:
    """The programs that a function starts as processes of their own, in order."""
    symbol = Symbol(module.path, scope, "function" if scope else "module")
    for edge in project.graph.edges(project.nodes.function(symbol)):
        if edge.target.kind != "command":
            continue
        command, _ = edge.target.payload
        # In a loop, one call starts several projects, each a step.
        for each in project.graph.edges(edge.target):
            if each.target.kind == "tests":
                continue
            folder = each.target.payload.folder if each.target.kind == "target" else ""
            name = folder.rsplit("/", 1)[-1] or " ".join(command.argv[1:4])[:120]
            code, _ = scopes_from(project, [each.target])
            parts = parts_of_nodes(project, [each.target], name)
            yield PipelineStep(name, Evidence(command.span, command.text), parts, code)


def _chosen(module: Module) -> bool:
    """Whether a program's arguments choose which of its steps are done: `if args.prepare:`."""
    tests = {b.test for b in module.branches if b.kind == "if" and not b.scope}
    return sum(bool(_FLAG.match(t)) for t in tests) > 1


def _until_trained(steps: tuple[PipelineStep, ...]) -> tuple[PipelineStep, ...]:
    """The steps, of which those that prepare count before the training only (not an export)."""
    trained = next((n for n, s in enumerate(steps) if TRAIN in s.parts), len(steps))
    return tuple(s for n, s in enumerate(steps) if n < trained or s.parts != {PREPARE})


def _started(code: tuple[Scope, ...], own: str) -> tuple[Scope, ...]:
    """What a method of the pipeline itself starts in other modules, most of it first."""
    others = [s for s in code if s.path != own]
    paths = [s.path for s in others]
    return tuple(sorted(others, key=lambda s: -paths.count(s.path)))


def _called_steps(
    project: Project, module: Module, scope: str, *, inner: bool = False
) -> Iterator[PipelineStep]:
    """The steps that a function calls; `inner` also those in functions of its own module."""
    for call in module.calls:
        if call.scope != scope or call.loops or not call.runs:
            continue
        for symbol in project.index.targets(call, module.path)[:1]:
            if inner and symbol.path == module.path and symbol.kind == "function":
                yield from _called_steps(project, module, symbol.qualname)
            within = symbol.path == module.path
            if symbol.kind != "function" or (within and call.receiver != "self"):
                continue  # a step is what is run, not the object that is made for it
            # What a function gave is handed on: that call is no step of this function.
            if symbol.qualname.rsplit(".", 1)[-1] not in call.text and symbol != (
                project.index.resolve(call.name, module.path)
            ):
                continue
            code = scopes(project, [Scope(symbol.path, symbol.qualname)])
            if within and not (code := _started(code, module.path)):
                continue
            name = symbol.qualname.rsplit(".", 1)[-1]
            parts = parts_of(project, code, f"{name} {symbol.qualname}")
            yield PipelineStep(name, Evidence(call.span, call.told), parts, code)
