"""Travis CI."""

from __future__ import annotations

from mlops_audit.facts.cicommon import Script, broken, glued, root_map
from mlops_audit.facts.conditions import evaluate
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.signs import Signs
from mlops_audit.facts.types import (
    Command,
    Getter,
    Job,
    Step,
    Trigger,
    TriggerKind,
    Unreadable,
    Workflow,
)
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = ["SIGNS", "read_travis"]

SIGNS = Signs(r"(?:.*/)?\.travis\.yml")

_BEFORE = ("before_install", "install", "before_script")
# Their failure is not the build's; https://docs.travis-ci.com/user/job-lifecycle
_SOFT = ("after_success", "after_failure", "after_script", "after_deploy")
_PHASES = (*_BEFORE, "script", "before_deploy", "deploy", *_SOFT)
_PAIR = regex(r"(\w{1,100})=(\"[^\"]*\"|'[^']*'|\S*)")


def read_travis(path: str, data: bytes, getter: Getter) -> tuple[Workflow, ...]:
    """The build of one file; an unreadable file is a workflow without jobs."""
    del getter  # imports of Travis name other repositories
    root = root_map(data, path)
    if isinstance(root, Unreadable):
        return broken("travis", root)
    span = Span(path, root.line)
    jobs = tuple(_jobs(root, path))
    off = "Travis reads .travis.yml at the repository's root only" if "/" in path else ""
    if not any(step.commands or step.uses for job in jobs for step in job.steps):
        off = off or "no script"
    triggers = _triggers(root, span)
    return (Workflow("travis", path, path, span, triggers, jobs, _env(root), disabled=off),)


def _triggers(root: Node, span: Span) -> tuple[Trigger, ...]:
    branches, without = root.strings_at("branches", "only"), root.strings_at("branches", "except")
    lists = root.get("branches") is not None
    span = Span(span.path, root.line_of("branches") if lists else None)
    push = Trigger(TriggerKind.PUSH, span, branches, without)
    return (push, Trigger(TriggerKind.PULL_REQUEST, span, branches, without))


def _env(node: Node) -> dict[str, str]:
    env = node.get("env")
    if env is None:
        return {}
    listed = [env, env.get("global"), env.get("jobs"), env.get("matrix")]
    texts = [text for item in listed if item is not None for text in item.strings()]
    found: dict[str, str] = {}
    for name, value in (pair for text in texts for pair in _PAIR.findall(text)):
        found.setdefault(name, value.strip("\"'"))
    return found


def _jobs(root: Node, path: str) -> list[Job]:
    found: list[Job] = []
    matrix = root.get("jobs", "include") or root.get("matrix", "include")
    stage = ""
    before: list[str] = []
    for index, item in enumerate(matrix.list() if matrix is not None else (), 1):
        name = item.str_at("name") or item.str_at("stage") or f"job {index}"
        if item.str_at("stage") not in ("", stage):
            before, stage = [job.name for job in found], item.str_at("stage")
        found.append(_job(name, item, root, path, tuple(before)))
    if root.get("script") is not None or not found:
        found.insert(0, _job("build", root, root, path, ()))
    return found


def _job(name: str, node: Node, root: Node, path: str, needs: tuple[str, ...]) -> Job:
    condition = node.str_at("if")
    never = evaluate(condition) is False if condition else False
    env = {**_env(root), **_env(node)}
    steps: list[Step] = []
    for phase in _PHASES:
        found = node.get(phase) or root.get(phase)
        if found is not None and found.kind != "null":
            steps.append(
                _deploy(found, path) if phase == "deploy" else _step(phase, found, path, env)
            )
    off = f"`if: {condition}` never holds" if never else ""
    span = Span(path, node.line)
    return Job(name, span, tuple(steps), needs, condition, env=_env(node), disabled=off)


def _step(phase: str, node: Node, path: str, env: dict[str, str]) -> Step:
    # Travis runs every line of `script` and fails if one of them failed: each counts by itself.
    script = Script(path, errexit=True, literal=env)
    commands: tuple[Command, ...] = glued(node.many(), script)
    why = f"{phase} cannot fail the build" if phase in _SOFT else ""
    text = "\n".join(node.strings())
    return Step(Span(path, node.line), phase, text, commands, soft=bool(why), why_soft=why)


def _deploy(node: Node, path: str) -> Step:
    first = next(iter(node.many()), node)
    script = first.get("script")
    commands = Script(path).of(script) if script is not None and script.text else ()
    inputs = {key: value.text for key, value in first.items() if value.kind == "scalar"}
    return Step(
        Span(path, first.line),
        "deploy",
        commands=commands,
        uses=first.str_at("provider"),
        inputs=inputs,
    )
