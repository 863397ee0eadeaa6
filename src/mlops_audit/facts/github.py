"""GitHub Actions: workflows, reusable workflows and composite actions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mlops_audit.facts.cicommon import (
    Getter,
    Script,
    broken,
    inside,
    joined,
    root_map,
    texts,
    variants,
)
from mlops_audit.facts.conditions import evaluate, unwrap
from mlops_audit.facts.github_triggers import bindings, read_triggers
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.triggers import narrow
from mlops_audit.facts.types import Command, Job, Step, Trigger, TriggerKind, Unreadable, Workflow
from mlops_audit.model import Span

__all__ = ["is_github", "read_github"]

_WORKFLOW = re.compile(r"(?:.*/)?\.github/workflows/[^/]+\.ya?ml")
_ACTION = re.compile(r"(?:.*/)?action\.ya?ml")
_EXPRESSION = re.compile(r"\$\{\{(.{0,2000}?)\}\}", re.DOTALL)
_DOTTED = re.compile(r"[\w.\-]+")
MAX_CALLS = 10  # GitHub's own limit of nested composite actions
NOT_AT_ROOT = "GitHub reads .github/workflows at the repository's root only"


def is_github(path: str) -> bool:
    """Whether the path is a workflow's (in any folder) or may be a composite action's."""
    return bool(_WORKFLOW.fullmatch(path) or _ACTION.fullmatch(path))


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
    return (_workflow(root, _Context(path, getter)),)


@dataclass(frozen=True, slots=True)
class _Context:
    """Where a step stands: file, literals for expressions, defaults of the shell."""

    path: str
    getter: Getter
    calls: tuple[str, ...] = ()
    known: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    shell: str = ""
    cwd: str = ""
    checkout: str = ""
    triggers: tuple[Trigger, ...] = ()

    def filled(self, text: str) -> tuple[str, ...]:
        """The text with its expressions replaced, once for each value of a matrix in it."""
        if "${{" not in text:
            return (text,)
        names = {
            found[1].strip()
            for found in _EXPRESSION.finditer(text)
            if found[1].strip() in self.known
        }
        rows = variants({name: self.known[name] for name in sorted(names)})
        return tuple(dict.fromkeys(_substituted(text, row) for row in rows))


def _substituted(text: str, row: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        name = found[1].strip()
        if name in row and "\n" not in row[name]:
            return row[name]
        # Kept as one word of the shell, on as many lines as before.
        lines = "\n" * found[0].count("\n")
        return ("${" + name + "}" if _DOTTED.fullmatch(name) else "${expression}") + lines

    return _EXPRESSION.sub(value, text)


def _workflow(root: Node, context: _Context) -> Workflow:
    triggers = read_triggers(root, context.path)
    env = texts(root.get("env"))
    known = {f"env.{name}": (value,) for name, value in env.items() if "${{" not in value}
    context = replace(
        context,
        triggers=triggers,
        env=env,
        known={**_defaults(root.get("on", "workflow_call", "inputs")), **known, **context.known},
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
    return path.startswith(".github/")


def _permissions(root: Node) -> str:
    node = root.get("permissions")
    if node is None:
        return ""
    return node.text or ", ".join(f"{key}: {value}" for key, value in texts(node).items()) or "none"


def _defaults(inputs: Node | None) -> dict[str, tuple[str, ...]]:
    if inputs is None:
        return {}
    found = {name: node.get("default") for name, node in inputs.items()}
    return {f"inputs.{k}": (v.text,) for k, v in found.items() if v is not None and v.text}


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


@dataclass(frozen=True, slots=True)
class _If:
    condition: str = ""
    disabled: str = ""
    void: str = ""
    triggers: tuple[Trigger, ...] = ()


def _if(node: Node, context: _Context) -> _If:
    written = node.get("if")
    if written is None or written.kind != "scalar":
        return _If()
    condition, void = unwrap(written.text)
    if void:
        return _If(written.text.strip(), void=void)
    if evaluate(condition) is False:
        return _If(condition, f"`if: {written.text.strip()}` never holds")
    left = narrow(condition, context.triggers, bindings)
    if left == context.triggers:
        return _If(condition)
    if not left and context.triggers and not context.calls:
        return _If(condition, f"`if: {condition[:80]}` holds for none of the triggers")
    return _If(condition, triggers=left)


def _job(name: str, node: Node, root: Node, context: _Context) -> Job:
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
    test = _if(node, context)
    if test.triggers:
        context = replace(context, triggers=test.triggers)
    soft = _soft(node)
    calls, jobs = _called(node, context)
    steps = node.get("steps")
    line = root.line_of("jobs", name)
    return Job(
        name,
        Span(context.path, line),
        tuple(_step(step, context) for step in steps.list() if step.kind == "map") if steps else (),
        node_strings(node.get("needs")),
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
    )


def node_strings(node: Node | None) -> tuple[str, ...]:
    """The texts of a scalar or list, none for an absent node."""
    return node.strings() if node is not None else ()


def _named(node: Node | None, key: str) -> str:
    if node is None:
        return ""
    return node.text if node.kind == "scalar" else node.str_at(key)


def _system_shell(node: Node) -> str:
    runner = " ".join(node_strings(node.get("runs-on"))).lower()
    return "pwsh" if runner.startswith("windows") else ""


def _soft(node: Node) -> str:
    flag = node.get("continue-on-error")
    if flag is None or evaluate(unwrap(flag.text)[0]) is not True:
        return ""
    return "continue-on-error"


def _checkout(node: Node) -> str:
    """The folder into which this repository itself is checked out, where it is not the root."""
    for step in node_list(node.get("steps")):
        if step.str_at("uses").startswith("actions/checkout@"):
            where = step.get("with")
            if where is not None and not where.get("repository"):
                return joined("", where.str_at("path"))
    return ""


def node_list(node: Node | None) -> tuple[Node, ...]:
    """The members of a list, none for an absent node."""
    return node.list() if node is not None else ()


def _called(node: Node, context: _Context) -> tuple[str, tuple[Job, ...]]:
    uses = node.str_at("uses")
    if not uses.startswith("./"):
        return uses, ()
    path = inside(uses)
    root = _local(path, context)
    if root is None:
        return path, ()
    inner = _Context(path, context.getter, (*context.calls, path), _inputs(node, context))
    return path, _workflow(root, inner).jobs


def _inputs(node: Node, context: _Context) -> dict[str, tuple[str, ...]]:
    given: dict[str, tuple[str, ...]] = {}
    for key, value in texts(node.get("with")).items():
        filled = context.filled(value)
        if not any("${" in text for text in filled):
            given[f"inputs.{key}"] = filled
    return given


def _local(path: str, context: _Context) -> Node | None:
    if not path or path in context.calls or len(context.calls) >= MAX_CALLS:
        return None
    data = context.getter(path)
    root = root_map(data, path) if data is not None else None
    return root if isinstance(root, Node) else None


def _step(node: Node, context: _Context) -> Step:
    test = _if(node, context)
    env = texts(node.get("env"))
    if env:
        known = {f"env.{key}": (value,) for key, value in env.items() if "${{" not in value}
        context = replace(context, env={**context.env, **env}, known={**context.known, **known})
    soft = _soft(node)
    uses = node.str_at("uses")
    folder = node.str_at("working-directory")
    if folder:
        context = replace(context, cwd=joined("", context.filled(folder)[0]))
    local, steps = _brought(node, uses, context)
    image = uses.removeprefix("docker://") if uses.startswith("docker://") else ""
    return Step(
        Span(context.path, _step_line(node)),
        node.str_at("name"),
        node.str_at("run"),
        _commands(node, context),
        uses,
        texts(node.get("with")),
        env,
        test.condition,
        soft=bool(soft),
        why_soft=soft,
        local=local,
        cwd=_repository(context.cwd, context.checkout),
        image=image,
        steps=steps,
        disabled=test.disabled,
        void_condition=test.void,
        triggers=test.triggers,
    )


def _step_line(node: Node) -> int:
    for key in ("run", "uses"):
        if node.get(key) is not None:
            return node.line_of(key)
    return node.line


def _brought(node: Node, uses: str, context: _Context) -> tuple[str, tuple[Step, ...]]:
    if not uses.startswith("./"):
        return "", ()
    folder = inside(_repository(inside(uses), context.checkout))
    for name in ("action.yml", "action.yaml"):
        path = f"{folder}/{name}" if folder else name
        root = _local(path, context)
        if root is not None:
            known = {**_defaults(root.get("inputs")), **_inputs(node, context)}
            inner = _Context(
                path,
                context.getter,
                (*context.calls, path),
                known,
                context.env,
                triggers=context.triggers,
            )
            return path, _composite(root, inner)
    return f"{folder}/action.yml".lstrip("/"), ()


def _composite(root: Node, context: _Context) -> tuple[Step, ...]:
    steps = node_list(root.get("runs", "steps"))
    return tuple(_step(step, context) for step in steps if step.kind == "map")


def _action(path: str, root: Node, getter: Getter) -> tuple[Workflow, ...]:
    if root.str_at("runs", "using") != "composite":
        return ()
    context = _Context(path, getter, (path,), _defaults(root.get("inputs")))
    span = Span(path, root.line_of("runs"))
    name = root.str_at("name") or path
    job = Job("composite", span, _composite(root, context))
    trigger = Trigger(TriggerKind.CALL, span)
    return (Workflow("github", path, name, span, (trigger,), (job,), reusable=True),)


def _repository(cwd: str, checkout: str) -> str:
    """A folder as the repository names it, when the repository lies in a folder of its own."""
    if checkout and (cwd == checkout or cwd.startswith(checkout + "/")):
        return cwd[len(checkout) + 1 :]
    return cwd


def _commands(node: Node, context: _Context) -> tuple[Command, ...]:
    run = node.get("run") or _script_input(node)
    if run is None or run.kind != "scalar":
        return ()
    shell = node.str_at("shell") or context.shell
    found: dict[tuple[object, ...], Command] = {}
    for text in context.filled(run.text):
        for command in _shell(shell, text, run.text_line or run.line, context):
            found.setdefault((command.argv, command.span, command.cwd), command)
    return tuple(replace(c, cwd=_repository(c.cwd, context.checkout)) for c in found.values())


def _script_input(node: Node) -> Node | None:
    """The shell text that an action takes as an input (over ssh, in a container, retried)."""
    if "github-script" in node.str_at("uses"):
        return None  # JavaScript
    for key in ("run", "script", "command", "cmd", "commands", "inlineScript"):
        found = node.get("with", key)
        if found is not None:
            return found
    return None


def _shell(shell: str, text: str, line: int, context: _Context) -> tuple[Command, ...]:
    """GitHub's shells: `bash -e {0}` when nothing is said, pipefail only for `shell: bash`."""
    words = shell.split()
    program = words[0].rsplit("/", 1)[-1].removesuffix(".exe") if words else ""
    if program.startswith(("python", "node", "perl", "ruby", "R", "julia")):
        span = Span(context.path, line)
        return (Command((program, "-c", text), span, text[:200], cwd=context.cwd),)
    flags = "".join(word for word in words[1:] if word.startswith("-"))
    errexit = not program or (program in ("bash", "sh") and (len(words) == 1 or "e" in flags))
    script = Script(
        context.path,
        context.cwd,
        errexit=errexit,
        pipefail=shell == "bash" or "pipefail" in words,
        literal=context.env,
    )
    return script.parse(text, line)
