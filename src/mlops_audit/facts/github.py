"""GitHub Actions: workflows, reusable workflows and composite actions."""

from __future__ import annotations

from msgspec.structs import replace

from mlops_audit.facts.ci.github import WORKFLOW
from mlops_audit.facts.cicommon import broken, inside, joined, root_map, texts
from mlops_audit.facts.github_remote import remote_step
from mlops_audit.facts.github_steps import (
    Context,
    composite,
    default_inputs,
    given_inputs,
    local_file,
    node_list,
    read_if,
    read_step,
    softness,
)
from mlops_audit.facts.github_triggers import read_triggers
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.types import Getter, Job, Step, Trigger, TriggerKind, Unreadable, Workflow
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = ["read_github"]

_WORKFLOW = regex(WORKFLOW)
NOT_AT_ROOT = "GitHub reads .github/workflows at the repository's root only"


def read_github(path: str, data: bytes, getter: Getter) -> tuple[Workflow, ...]:
    """The workflow or composite action of one file.

    Args:
        path: relative to the repository's root.
        data: the file's bytes.
        getter: bytes of other files, for local actions and reusable workflows.

    Returns:
        One workflow, or none for an action that is not composite. An unreadable file is a
        workflow without jobs whose `unreadable` says why.
    """
    root = root_map(data, path)
    if isinstance(root, Unreadable):
        return broken("github", root) if _WORKFLOW.fullmatch(path) else ()
    if not _WORKFLOW.fullmatch(path):
        return _action(path, root, getter)
    return (_workflow(root, Context(path, getter)),)


def _workflow(root: Node, context: Context) -> Workflow:
    triggers = read_triggers(root, context.path)
    env = texts(root.get("env"))
    known = {f"env.{name}": (value,) for name, value in env.items() if "${{" not in value}
    context = replace(
        context,
        triggers=triggers,
        env=env,
        known={
            **default_inputs(root.get("on", "workflow_call", "inputs")),
            **known,
            **context.known,
        },
        shell=root.str_at("defaults", "run", "shell"),
        cwd=joined("", root.str_at("defaults", "run", "working-directory")),
    )
    jobs = _skipped(tuple(_job(name, node, root, context) for name, node in _jobs(root)))
    disabled = ""
    if not _at_root(context.path):
        disabled = NOT_AT_ROOT
    elif not triggers:
        disabled = "no trigger (`on:`)"
    elif not jobs:
        disabled = "no jobs"
    calls = all(trigger.kind is TriggerKind.CALL for trigger in triggers)
    return Workflow(
        "github",
        context.path,
        root.str_at("name") or context.path,
        Span(context.path, root.line_of("name") if root.get("name") else root.line),
        triggers,
        jobs,
        env,
        _permissions(root),
        reusable=bool(triggers) and calls,
        disabled=disabled,
    )


def _jobs(root: Node) -> list[tuple[str, Node]]:
    jobs = root.get("jobs")
    return [(name, node) for name, node in jobs.items() if node.kind == "map"] if jobs else []


def _at_root(path: str) -> bool:
    return path.startswith((".github/", ".gitea/", ".forgejo/"))


def _permissions(root: Node) -> str:
    node = root.get("permissions")
    if node is None:
        return ""
    return node.text or ", ".join(f"{key}: {value}" for key, value in texts(node).items()) or "none"


def _skipped(jobs: tuple[Job, ...]) -> tuple[Job, ...]:
    """A job whose need never runs is skipped, unless it asks to run always."""
    off = {job.name for job in jobs if job.disabled}
    found: list[Job] = []
    for job in jobs:
        lost = [name for name in job.needs if name in off]
        if lost and not job.disabled and "always()" not in job.condition:
            off.add(job.name)
            found.append(replace(job, disabled=f"needs {lost[0]}, which never runs"))
        else:
            found.append(job)
    return tuple(found)


def _matrix(node: Node) -> dict[str, tuple[str, ...]]:
    matrix = node.get("strategy", "matrix")
    found: dict[str, list[str]] = {}
    if matrix is None:
        return {}
    rows = [*matrix.items()]
    for key, value in rows:
        if key == "include":
            for row in value.list():
                for name, text in texts(row).items():
                    found.setdefault(f"matrix.{name}", []).append(text)
        elif key != "exclude":
            for member in value.many():
                if member.kind == "scalar":
                    found.setdefault(f"matrix.{key}", []).append(member.text)
                for name, text in texts(member).items():
                    found.setdefault(f"matrix.{key}.{name}", []).append(text)
    return {
        name: tuple(dict.fromkeys(values))
        for name, values in found.items()
        if not any("${{" in value for value in values)
    }


def _job(name: str, node: Node, root: Node, context: Context) -> Job:
    env = texts(node.get("env"))
    known = {f"env.{key}": (value,) for key, value in env.items() if "${{" not in value}
    context = replace(
        context,
        env={**context.env, **env},
        known={**context.known, **known, **_matrix(node)},
        shell=node.str_at("defaults", "run", "shell") or context.shell or _system_shell(node),
        cwd=joined("", node.str_at("defaults", "run", "working-directory")) or context.cwd,
        checkout=_checkout(node),
    )
    test = read_if(node, context)
    if test.triggers:
        context = replace(context, triggers=test.triggers)
    soft = softness(node)
    calls, jobs = _called(node, context)
    steps = node.get("steps")
    line = root.line_of("jobs", name)
    return Job(
        name,
        Span(context.path, line),
        tuple(read_step(step, context) for step in steps.list() if step.kind == "map")
        if steps
        else _handed_over(node, context),
        node.strings_at("needs"),
        test.condition,
        soft=bool(soft),
        why_soft=soft,
        environment=_named(node.get("environment"), "name"),
        image=_named(node.get("container"), "image"),
        calls=calls,
        inputs=texts(node.get("with")),
        env=env,
        triggers=test.triggers,
        jobs=jobs,
        disabled=test.disabled,
        void_condition=test.void,
        runner=" ".join(node.strings_at("runs-on")),
    )


def _named(node: Node | None, key: str) -> str:
    if node is None:
        return ""
    return node.text if node.kind == "scalar" else node.str_at(key)


def _system_shell(node: Node) -> str:
    runner = " ".join(node.strings_at("runs-on")).lower()
    return "pwsh" if runner.startswith("windows") else ""


def _checkout(node: Node) -> str:
    """The folder into which this repository itself is checked out, where it is not the root."""
    for step in node_list(node.get("steps")):
        if step.str_at("uses").startswith("actions/checkout@"):
            where = step.get("with")
            if where is not None and not where.get("repository"):
                return joined("", where.str_at("path"))
    return ""


def _handed_over(node: Node, context: Context) -> tuple[Step, ...]:
    """The step that stands for a reusable workflow of another repository."""
    uses = node.str_at("uses")
    if not uses or uses.startswith("./"):
        return ()
    return (remote_step(uses, texts(node.get("with")), Span(context.path, node.line_of("uses"))),)


def _called(node: Node, context: Context) -> tuple[str, tuple[Job, ...]]:
    uses = node.str_at("uses")
    if not uses.startswith("./"):
        return uses, ()
    path = inside(uses)
    root = local_file(path, context)
    if root is None:
        return path, ()
    inner = Context(path, context.getter, (*context.calls, path), given_inputs(node, context))
    return path, _workflow(root, inner).jobs


def _action(path: str, root: Node, getter: Getter) -> tuple[Workflow, ...]:
    if root.str_at("runs", "using") != "composite":
        return ()
    context = Context(path, getter, (path,), default_inputs(root.get("inputs")))
    span = Span(path, root.line_of("runs"))
    name = root.str_at("name") or path
    job = Job("composite", span, composite(root, context))
    trigger = Trigger(TriggerKind.CALL, span)
    return (Workflow("github", path, name, span, (trigger,), (job,), reusable=True),)
