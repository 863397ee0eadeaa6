"""Pipelines: steps in a pipeline tool, or steps that a script or task runs in order.

One `Pipeline` holds all steps of one tool, as AUT02 asks for ("several pipelines of one tool").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Call, Module, Value
from mlops_audit.facts.shell import parse_shell
from mlops_audit.facts.types import Target
from mlops_audit.graph.execution import Node
from mlops_audit.graph.lifecycle import (
    EVALUATE,
    PREDICT,
    PREPARE,
    TRAIN,
    named_parts,
    parts_of,
    parts_of_nodes,
)
from mlops_audit.graph.scopes import Scope, scopes
from mlops_audit.model import Evidence, Span

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["Pipeline", "PipelineStep", "find_pipelines"]

# Runners whose targets are jobs for people, not a graph of data.
_TASK_RUNNERS = frozenset(
    {"make", "just", "tox", "nox", "mise", "poe", "hatch", "pdm", "npm", "invoke", "task", "pixi",
     "rake", "script", "pre-commit", "lefthook", "husky", "docker-build", "compose", "mlproject",
     "rye", "taskipy", "duty", "git-hook", "dockerfile", "procfile", "uv", "hooks", "devcontainer"}
)  # fmt: skip
# Task runners that skip a task whose declared files have not changed.
_FILE_RUNNERS = frozenset({"make", "task", "pixi", "mise", "doit", "rake", "just"})
_KNOWN_STEPS = (
    (TRAIN, re.compile(r"(Trainer|Tuner|TrainingStep|TuningStep|TrainingJob\w*|AutoMLStep|"
                       r"HyperDriveStep|EstimatorStep|SageMakerTrainingOperator|"
                       r"CreateCustom\w*TrainingJobOperator)$")),
    (EVALUATE, re.compile(r"(Evaluator|ModelEvaluation\w*|QualityCheckStep|ClarifyCheckStep)$")),
    (PREDICT, re.compile(r"(BulkInferrer|TransformStep|BatchPredict\w*|ParallelRunStep|"
                         r"SageMakerTransformOperator)$")),
    (PREPARE, re.compile(r"(ExampleGen|StatisticsGen|SchemaGen|ExampleValidator|Transform|"
                         r"DatasetCreateOp|DatasetExport\w*Op|DataTransferStep|BigqueryQueryJobOp|"
                         r"Dataflow\w+Op|Dataproc\w+Op)$")),
)  # fmt: skip
_NO_STEP = re.compile(
    r"(Sensor|EmptyOperator|DummyOperator|ConditionStep|FailStep|CacheConfig|Properties|"
    r"PropertyFile|StepCollection|ImporterNode|Importer|Resolver|ResolverNode|Pusher|"
    r"RetryPolicy|BranchPythonOperator|LatestOnlyOperator|load_component_from_\w+|LocalTarget|"
    r"importer_node|executor_class_spec|run_after|after|add_\w+|set_\w+|get_\w+|with_\w+|next)$"
)
_NAMED = ("name", "task_id", "step_name", "display_name", "id", "job_id")
_CODE = ("python_callable", "func", "function", "op", "callable", "fn", "script_name", "code",
         "entry_point", "module_file", "run_fn", "program", "command", "source",
         "path")  # fmt: skip
_ORCHESTRATES = re.compile(
    r"main|pipeline|workflow|flow|orchestrat|steps|stages?|run(_|\.|$)|end_to_end|e2e|dag|driver",
    re.IGNORECASE,
)
_DAG_CLASSES = re.compile(r"(^|\.)(FlowSpec|luigi\.Task|WrapperTask|TaskOnKart|luigi\.\w*Task)$")
_CONTAINERS = frozenset({"ContainerSpec", "ContainerOp"})
_IDLE = frozenset({"cd", "echo", "export", "mkdir", "rm", "cp", "mv", "set", "source", "touch"})
_MAX_STEPS = 400


@dataclass(frozen=True, slots=True)
class PipelineStep:
    """A step, the parts of the lifecycle that it plays, and the code that it runs."""

    name: str
    evidence: Evidence
    parts: frozenset[str] = frozenset()
    code: tuple[Scope, ...] = ()


@dataclass(frozen=True, slots=True)
class Pipeline:
    """All steps of one tool; `dag` when a pipeline tool runs them, else steps in order.

    `how` says what runs the steps. `notebook` when it is defined in a notebook only.
    """

    tool: str
    how: str
    evidence: Evidence
    steps: tuple[PipelineStep, ...]
    dag: bool = True
    notebook: bool = False

    def with_part(self, part: str) -> tuple[PipelineStep, ...]:
        """The steps that play a part."""
        return tuple(s for s in self.steps if part in s.parts)

    @property
    def parts(self) -> frozenset[str]:
        """The parts that its steps play."""
        return frozenset(p for s in self.steps for p in s.parts)


def find_pipelines(project: Project) -> tuple[Pipeline, ...]:
    """All pipelines: those of pipeline tools first, then by how much of the lifecycle they hold."""
    found = [
        *_of_targets(project),
        *_of_files(project),
        *_of_code(project),
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
        steps = tuple(_target_step(project, t) for t in targets[:_MAX_STEPS])
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
    return PipelineStep(target.name, Evidence(target.span, detail[:120]), parts)


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
    """Pipelines in the files of other tools."""
    known = {t.span.path for t in project.targets}
    for file in project.pipeline_files:
        if file.span.path in known or project.is_example(file.span.path):
            continue
        folder = file.span.path.rpartition("/")[0]
        steps = []
        for step in file.steps[:_MAX_STEPS]:
            nodes = [project.nodes.command(step.command, folder)] if step.command else []
            parts = parts_of_nodes(project, nodes, step.name)
            place = Evidence(step.span, f"step {step.name}")
            steps.append(PipelineStep(step.name, place, parts))
        if len(steps) > 1 or any(s.parts for s in steps):
            head = Evidence(file.span, f"{file.tool} {file.name}".strip())
            yield Pipeline(file.tool, f"{file.tool} {file.name}".strip(), head, tuple(steps))


# -- pipelines in code ---------------------------------------------------------------------------


def _of_code(project: Project) -> Iterator[Pipeline]:
    """Steps of pipeline libraries, grouped by tool."""
    steps: dict[tuple[str, bool], list[PipelineStep]] = {}
    heads: dict[tuple[str, bool], list[Evidence]] = {}
    for use in project.uses("pipeline.step", "pipeline.define"):
        if use.call is None or project.is_example(use.path):
            continue
        key = (use.tool, use.notebook)
        if use.capability == "pipeline.define":
            heads.setdefault(key, []).append(use.evidence())
        else:
            step = _code_step(project, use.path, use.call, use.evidence())
            _add(steps.setdefault(key, []), step)
    for tool, head, step in _classes(project):
        heads.setdefault((tool, False), []).append(head)
        _add(steps.setdefault((tool, False), []), step)
    for key in sorted(steps):
        tool, noted = key
        found = steps[key]
        if len(found) > 1 or (found and heads.get(key)):
            head = _head(heads.get(key, []), found)
            yield Pipeline(tool, f"{tool} steps", head, tuple(found[:_MAX_STEPS]), notebook=noted)


def _add(steps: list[PipelineStep], step: PipelineStep | None) -> None:
    if step is not None and all(s.evidence.span != step.evidence.span for s in steps):
        steps.append(step)


def _head(heads: list[Evidence], steps: list[PipelineStep]) -> Evidence:
    """The definition beside the step that trains, else the first one."""
    training = {s.evidence.span.path for s in steps if TRAIN in s.parts}
    near = [h for h in heads if h.span.path in training]
    return (near or heads or [steps[0].evidence])[0]


def _code_step(project: Project, path: str, call: Call, evidence: Evidence) -> PipelineStep | None:
    """A step: a decorated function, an operator around a function, script or command."""
    method = call.method
    if _NO_STEP.search(method):
        return None
    if call.decorates:
        root = Scope(path, call.decorates)
        code = scopes(project, [root])
        name = call.decorates.rsplit(".", 1)[-1]
        module = project.modules[path]
        function = module.function(call.decorates)
        span = function.span if function else call.span
        place = Evidence(span, f"step {name} ({evidence.detail[:60]})")
        ran = list(_in_container(project, module, call.decorates))
        if ran:
            return PipelineStep(name, place, parts_of_nodes(project, ran, name), code)
        return PipelineStep(name, place, parts_of(project, code, name), code)
    name = _step_name(call)
    known = next((p for p, pattern in _KNOWN_STEPS if pattern.search(method)), None)
    place = Evidence(call.span, f"step {name or method}: {evidence.detail[:80]}")
    if known:
        return PipelineStep(name or method, place, frozenset({known}))
    nodes = list(_step_code(project, path, call))
    label = " ".join([name, *call.targets, *(n.detail for n in nodes)])
    parts = parts_of_nodes(project, nodes, name or " ".join(call.targets))
    return PipelineStep(
        name or label or method, place, parts or named_parts(f"{name} {' '.join(call.targets)}")
    )


def _in_container(project: Project, module: Module, scope: str) -> Iterator[Node]:
    """The command that a component hands to a container in place of code of its own."""
    for call in module.calls_in(scope):
        if call.method not in _CONTAINERS:
            continue
        given = (call.kw("command"), call.kw("args"), call.kw("arguments"))
        words = [w for value in given if value is not None for w in value.strings()]
        for command in parse_shell(" ".join(words), path=module.path, line=call.span.line or 1)[:1]:
            yield project.nodes.command(command, "")


def _step_name(call: Call) -> str:
    for key in _NAMED:
        value = call.kw(key)
        if value is not None and isinstance(value.literal, str):
            return value.literal
    for value in call.args[:2]:
        if isinstance(value.literal, str):
            return value.literal
    return call.targets[0] if call.targets else ""


def _step_code(project: Project, path: str, call: Call) -> Iterator[Node]:
    """The functions, scripts and commands that an operator is given."""
    values = [*call.args, *(v for k, v in call.kwargs if k in _CODE or k.endswith("callable"))]
    for value in values:
        yield from _value_code(project, path, value)
    for key in ("bash_command", "command", "commands", "arguments", "cmds", "args"):
        given = call.kw(key)
        if given is None:
            continue
        for text in given.strings():
            for command in parse_shell(text, path=path, line=call.span.line or 1)[:5]:
                yield project.nodes.command(command, "")


def _value_code(project: Project, path: str, value: Value) -> Iterator[Node]:
    if value.name and not value.is_call:
        symbol = project.index.resolve(value.name, path)
        if symbol and symbol.kind != "module":
            yield project.nodes.function(symbol)
            return
    text = value.literal if isinstance(value.literal, str) else ""
    if text.endswith((".py", ".ipynb")):
        place = project.places.file(text, path.rpartition("/")[0])
        if place and place in project.modules:
            yield project.nodes.module(place)


def _classes(project: Project) -> Iterator[tuple[str, Evidence, PipelineStep]]:
    """Flows and tasks that are classes: Metaflow's steps, Luigi's tasks."""
    for module in project.source:
        for klass in module.classes:
            bases = tuple(project.index.bases(module.path, klass))
            if not any(_DAG_CLASSES.search(b) for b in bases):
                continue
            flow = any(b.endswith("FlowSpec") for b in bases)
            tool = "Metaflow" if flow else "Luigi"
            head = Evidence(klass.span, f"class {klass.name}")
            methods = [f for f in module.functions if f.owner == klass.qualname]
            for f in methods:
                if flow and not any("step" in d for d in f.decorators):
                    continue
                if not flow and f.name != "run":
                    continue
                code = scopes(project, [Scope(module.path, f.qualname)])
                name = f.name if flow else klass.name
                place = Evidence(f.span, f"step {name}")
                yield tool, head, PipelineStep(name, place, parts_of(project, code, name), code)


# -- steps in order --------------------------------------------------------------------------------


def _in_order(project: Project) -> Iterator[Pipeline]:
    """Tasks with prerequisites, scripts and programs that run separately defined steps in order."""
    for target in project.targets:
        if target.runner in _TASK_RUNNERS and target.runner not in {"compose", "docker-build"}:
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
        steps = tuple(_script_steps(project, path))
        if _is_sequence(steps):
            yield Pipeline(
                "script",
                path,
                Evidence(Span(path, steps[0].evidence.span.line), f"{path} runs the steps"),
                steps,
                dag=False,
            )
    for module in project.source:
        if not project.is_example(module.path):
            yield from _program(project, module)


def _is_sequence(steps: tuple[PipelineStep, ...]) -> bool:
    """At least two steps of different parts, of which one trains or evaluates."""
    parts = [s.parts for s in steps if s.parts]
    return len(set(parts)) > 1 and any(p & {TRAIN, EVALUATE} for p in parts)


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
        yield PipelineStep(name, Evidence(command.span, command.text[:100]), parts)


def _script_steps(project: Project, path: str) -> Iterator[PipelineStep]:
    for command in project.script(path)[:60]:
        node = project.nodes.command(command, "")
        if not project.graph.edges(node):
            continue
        name = " ".join(a for a in command.argv[1:4] if not a.startswith("-"))
        parts = parts_of_nodes(project, [node], name)
        yield PipelineStep(name, Evidence(command.span, command.text[:100]), parts)


def _program(project: Project, module: Module) -> Iterator[Pipeline]:
    """A program that calls the steps of other modules one after the other."""
    for scope in ("", *(f.qualname for f in module.functions if not f.stub)):
        label = f"{module.path.rsplit('/', 1)[-1]} {scope}"
        if not _ORCHESTRATES.search(label) or named_parts(module.path.rsplit("/", 1)[-1]) == {
            TRAIN
        }:
            continue
        steps = _until_trained(tuple(_called_steps(project, module, scope)))
        homes = {s.code[0].path for s in steps if s.parts and s.code}
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


def _until_trained(steps: tuple[PipelineStep, ...]) -> tuple[PipelineStep, ...]:
    """The steps, of which those that prepare count before the training only (not an export)."""
    trained = next((n for n, s in enumerate(steps) if TRAIN in s.parts), len(steps))
    return tuple(s for n, s in enumerate(steps) if n < trained or s.parts != {PREPARE})


def _called_steps(project: Project, module: Module, scope: str) -> Iterator[PipelineStep]:
    for call in module.calls:
        if call.scope != scope or call.loops or not call.runs:
            continue
        for symbol in project.index.targets(call, module.path)[:1]:
            if symbol.path == module.path or symbol.kind == "module":
                continue
            code = scopes(project, [Scope(symbol.path, symbol.qualname)])
            name = symbol.qualname.rsplit(".", 1)[-1]
            line = call.text.splitlines()[0][:90] if call.text else call.name
            parts = parts_of(project, code, f"{name} {symbol.qualname}")
            yield PipelineStep(name, Evidence(call.span, line), parts, code)
