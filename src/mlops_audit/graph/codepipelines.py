"""Pipelines in code: the steps of pipeline libraries, as calls, decorated functions and classes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_audit.facts.code import Call, Module, Value
from mlops_audit.facts.shell import parse_shell
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
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project


__all__ = ["MAX_STEPS", "Pipeline", "PipelineStep", "pipelines_of_code"]

_KNOWN_STEPS = (
    (TRAIN, regex(r"(Trainer|Tuner|TrainingStep|TuningStep|TrainingJob\w*|AutoMLStep|"
                       r"HyperDriveStep|EstimatorStep|SageMakerT(raining|uning)Operator|"
                       r"MLEngine(Start)?Training(Job)?Operator|"
                       r"CreateCustom\w*TrainingJobOperator)$")),
    (EVALUATE, regex(r"(Evaluator|ModelEvaluation\w*|QualityCheckStep|ClarifyCheckStep)$")),
    (PREDICT, regex(r"(BulkInferrer|TransformStep|BatchPredict\w*|ParallelRunStep|"
                         r"SageMakerTransformOperator)$")),
    (PREPARE, regex(r"(ExampleGen|StatisticsGen|SchemaGen|ExampleValidator|Transform|"
                         r"DatasetCreateOp|DatasetExport\w*Op|DataTransferStep|BigqueryQueryJobOp|"
                         r"Dataflow\w+Op|Dataproc\w+Op)$")),
)  # fmt: skip
_NO_STEP = regex(
    r"(Sensor|EmptyOperator|DummyOperator|ConditionStep|FailStep|CacheConfig|Properties|"
    r"PropertyFile|StepCollection|ImporterNode|Importer|Resolver|ResolverNode|Pusher|"
    r"RetryPolicy|BranchPythonOperator|LatestOnlyOperator|load_component_from_\w+|LocalTarget|"
    r"importer_node|executor_class_spec|run_after|after|execute|add_\w+|set_\w+|get_\w+|with_\w+|next)$"
)
# Operators that copy a table or query it: what they are named after is what the data is for.
_MOVES = regex(r"[a-z\d]To[A-Z]\w*Operator$|^BigQuery\w*Operator$")
_MODEL = regex(r"\bML\.[A-Z]|model", re.IGNORECASE)
_NAMED = ("name", "task_id", "step_name", "display_name", "id", "job_id")
_CODE = ("python_callable", "func", "function", "op", "callable", "fn", "script_name", "code",
         "entry_point", "module_file", "run_fn", "program", "command", "source",
         "path")  # fmt: skip
# `python_script_name=train_script_path`: what a setting that names a step's script calls it.
_SCRIPTS = ("script_name", "python_script_name", "entry_script", "python_file", "entry_point")
_SCRIPT_OF = regex(r"(?:^|\.)(\w+?)_(script|file|entry)(_path|_name)?$", re.IGNORECASE)
_DAG_CLASSES = regex(r"(^|\.)(FlowSpec|luigi\.Task|WrapperTask|TaskOnKart|luigi\.\w*Task)$")
_CONTAINERS = frozenset({"ContainerSpec", "ContainerOp"})
MAX_STEPS = 400


class PipelineStep(Struct, frozen=True):
    """A step, the parts of the lifecycle that it plays, and the code that it runs."""

    name: str
    evidence: Evidence
    parts: frozenset[str] = frozenset()
    code: tuple[Scope, ...] = ()


class Pipeline(Struct, frozen=True):
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


def pipelines_of_code(project: Project) -> Iterator[Pipeline]:
    """Steps of pipeline libraries, grouped by tool."""
    steps: dict[tuple[str, bool], list[PipelineStep]] = {}
    heads: dict[tuple[str, bool], list[Evidence]] = {}
    for use in project.uses("pipeline.step", "pipeline.define"):
        if use.call is None or project.is_example(use.path):
            continue
        key = (use.tool, use.notebook)
        if use.capability == "pipeline.define":
            around = project.modules[use.path].function(use.call.decorates)
            if around is not None and around.stub:
                continue
            heads.setdefault(key, []).append(use.evidence())
        else:
            known = steps.setdefault(key, [])
            made = list(_of_helper(project, use.path, use.call))
            if not made:
                _add(known, _code_step(project, use.path, use.call, use.evidence()))
            for step in made:
                _add(known, step)
    for tool, head, step in _classes(project):
        heads.setdefault((tool, False), []).append(head)
        _add(steps.setdefault((tool, False), []), step)
    for key in sorted(steps):
        tool, noted = key
        found = steps[key]
        if len(found) > 1 or (found and heads.get(key)):
            head = _head(heads.get(key, []), found)
            yield Pipeline(tool, f"{tool} steps", head, tuple(found[:MAX_STEPS]), notebook=noted)


def _add(steps: list[PipelineStep], step: PipelineStep | None) -> None:
    # A helper's call makes several steps on one line, which have names of their own.
    known = {(s.name, s.evidence.span) for s in steps}
    if step is not None and (step.name, step.evidence.span) not in known:
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
        place = Evidence(span, f"step {name} ({evidence.detail})")
        ran = list(_in_container(project, module, call.decorates))
        if ran:
            return PipelineStep(name, place, parts_of_nodes(project, ran, name), code)
        if function is not None and function.stub:
            return None  # a step in which nothing happens
        return PipelineStep(name, place, parts_of(project, code, name), code)
    name = _step_name(call)
    known = next((p for p, pattern in _KNOWN_STEPS if pattern.search(method)), None)
    place = Evidence(call.span, f"step {name or method}: {evidence.detail}")
    if known:
        return PipelineStep(name or method, place, frozenset({known}))
    nodes = list(_step_code(project, path, call))
    label = " ".join([name, *call.targets, *(n.detail for n in nodes)])
    parts = parts_of_nodes(project, nodes, name or " ".join(call.targets))
    parts = parts or named_parts(f"{name} {' '.join(call.targets)}") or _of_setting(call)
    if _MOVES.search(method) and not _MODEL.search(call.text):
        parts -= {TRAIN, EVALUATE}
    return PipelineStep(name or label or method, place, parts)


def _of_setting(call: Call) -> frozenset[str]:
    """The parts that the name of a setting claims, from which a step takes its script."""
    given = (v.text for k in _SCRIPTS if (v := call.kw(k)) is not None and not v.is_literal)
    found = (m for text in given if (m := _SCRIPT_OF.search(text)))
    return next((named_parts(m[1]) for m in found), frozenset())


def _of_helper(project: Project, path: str, call: Call) -> Iterator[PipelineStep]:
    """The steps that calls of a helper make, which builds an operator of the name it is given."""
    function = project.modules[path].function(call.scope) if call.scope else None
    given = next((v for k in _NAMED if (v := call.kw(k)) is not None), None)
    params = [p.name for p in function.params] if function is not None else []
    if function is None or given is None or given.text not in params:
        return
    at = params.index(given.text)
    for module in project.source:
        if function.name not in module.names:
            continue
        for other in module.calls:
            name = other.arg(at, given.text)
            if other.method != function.name or name is None or not isinstance(name.literal, str):
                continue
            made = project.index.resolve(other.name, module.path)
            if made is None or (made.path, made.qualname) != (path, function.qualname):
                continue
            nodes = list(_step_code(project, module.path, other))
            place = Evidence(other.span, f"step {name.literal}: {other.text}")
            parts = parts_of_nodes(project, nodes, name.literal) or named_parts(name.literal)
            yield PipelineStep(name.literal, place, parts)


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
        for text in _command_texts(given):
            for command in parse_shell(text, path=path, line=call.span.line or 1)[:5]:
                yield project.nodes.command(command, "")


def _command_texts(given: Value) -> Iterator[str]:
    """Whole commands: a text, a list of them, or one command as a list of its words."""
    words = [v.literal for v in given.items if isinstance(v.literal, str)]
    if len(words) > 1 and not any(" " in word for word in words[:2]):
        if words[0].startswith("-m"):
            words.insert(0, "python")  # the image's entry point
        yield shlex.join(words)
        return
    yield from given.strings()


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
