"""Task runners that are configured in TOML: mise, poe, hatch, PDM, pixi, rye, taskipy."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from msgspec.structs import replace

from mlops_audit.facts.nodes import EMPTY, Node
from mlops_audit.facts.shell import parse_shell
from mlops_audit.facts.tomlpos import load_toml
from mlops_audit.facts.types import Command, Target, Unreadable
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = ["node_commands", "read_toml_tasks"]

_ARGUMENTS = regex(r"\{args(?::([^{}]*))?\}")
_DEPENDS = ("depends", "depends-on", "depends_on", "deps", "wait_for")


def node_commands(
    node: Node | None, path: str, *, folder: str = "", errexit: bool = True
) -> tuple[Command, ...]:
    """The commands of a text, or of a list of texts that are run one after the other."""
    if node is None:
        return ()
    found: list[Command] = []
    for part in node.many()[:500]:
        if part.kind == "scalar":
            line = part.text_line or part.line
            found += parse_shell(part.text, path=path, line=line, errexit=errexit, cwd=folder)
    return tuple(found)


def _argv(node: Node, path: str, folder: str = "") -> tuple[Command, ...]:
    """The command of a list of words."""
    words = tuple(n.text for n in node.many() if n.kind == "scalar")
    if not words:
        return ()
    return (Command(words, Span(path, node.line), " ".join(words), cwd=folder),)


def read_toml_tasks(data: bytes, path: str) -> tuple[Target, ...] | Unreadable:
    """Read the tasks of `pyproject.toml`, `mise.toml`, `pixi.toml` or `hatch.toml`."""
    root = load_toml(data, path)
    if isinstance(root, Unreadable):
        return root
    name = posixpath.basename(path)
    if "mise" in name or "/mise/" in f"/{path}" or name == "config.toml":
        return tuple(_tasks(root.get("tasks"), "mise", path))
    if name == "pixi.toml":
        return tuple(_pixi(root, path))
    if name == "hatch.toml":
        return tuple(_hatch(root, path))
    tool = root.get("tool") or EMPTY
    found = [
        *_poe(tool.get("poe", "tasks"), path),
        *_hatch(tool.get("hatch") or EMPTY, path),
        *_tasks(tool.get("pdm", "scripts"), "pdm", path),
        *_pixi(tool.get("pixi") or EMPTY, path),
        *_tasks(tool.get("rye", "scripts"), "rye", path),
        *_tasks(tool.get("taskipy", "tasks"), "taskipy", path),
        *_tasks(tool.get("uv-task") or tool.get("tasks"), "task", path),
    ]
    return tuple(found)


def _tasks(table: Node | None, runner: str, path: str) -> Iterator[Target]:
    """Tasks in the common shape: a text, a list, or a table with `cmd`, `run`, `shell`, `call`."""
    if table is None:
        return
    for name, entry in table.entries.items():
        node = entry.node
        if name.startswith("_"):
            continue
        target = Target(runner, name, Span(path, entry.line), folder=posixpath.dirname(path))
        yield _filled(target, node, path, runner)


def _filled(target: Target, node: Node, path: str, runner: str) -> Target:
    if node.kind == "scalar":
        return replace(target, commands=node_commands(node, path))
    if node.kind == "list":
        if runner == "pixi":
            return replace(target, needs=_names(node))
        if runner in {"rye", "pdm"}:
            return replace(target, commands=_argv(node, path))
        return replace(target, commands=node_commands(node, path))
    folder = node.str_at("dir") or node.str_at("cwd") or node.str_at("working_dir")
    folder = "" if "{{" in folder else folder
    commands: tuple[Command, ...] = ()
    for key in ("cmd", "run", "shell", "chain", "composite"):
        part = node.get(key)
        if part is None:
            continue
        if key == "cmd" and part.kind == "list":
            commands += _argv(part, path, folder)
        else:
            commands += node_commands(part, path, folder=folder, errexit=runner != "pdm")
    needs = tuple(n for key in _DEPENDS for n in _names(node.get(key)))
    steps = [*node.strings_at("chain"), *node.strings_at("composite")]
    file = node.str_at("file")
    if file:
        span = Span(path, node.line_of("file"))
        commands += (Command((file,), span, file, cwd=folder),)
    call = node.str_at("call")
    return replace(
        target,
        commands=commands,
        needs=(*needs, *(s.split()[0] for s in steps if s.split())),
        calls=(call.split("(")[0],) if call else (),
        inputs=node.strings_at("inputs") or node.strings_at("sources"),
        outputs=node.strings_at("outputs"),
        doc=node.str_at("description") or node.str_at("help"),
    )


def _names(node: Node | None) -> tuple[str, ...]:
    """Names of tasks in a list of texts or tables."""
    if node is None:
        return ()
    return tuple(
        n.text.split(" ")[0] if n.kind == "scalar" else n.str_at("task") for n in node.many()
    )


def _poe(table: Node | None, path: str) -> Iterator[Target]:
    if table is None:
        return
    for name, entry in table.entries.items():
        target = Target("poe", name, Span(path, entry.line), folder=posixpath.dirname(path))
        yield _poe_task(target, entry.node, path, 0)


def _poe_task(target: Target, node: Node, path: str, depth: int) -> Target:
    if node.kind == "scalar":
        return replace(target, commands=node_commands(node, path))
    steps = node if node.kind == "list" else node.get("sequence") or node.get("parallel")
    folder = node.str_at("cwd") if node.kind == "map" else ""
    commands: list[Command] = []
    needs = list(_names(node.get("deps")))
    calls: list[str] = []
    for step in steps.many() if steps is not None and depth < 4 else ():  # noqa: PLR2004 -- bound
        if step.kind == "scalar" and node.str_at("default_item_type") in {"", "ref"}:
            needs.append(step.text.split(" ")[0])
            continue
        inner = _poe_task(target, step, path, depth + 1)
        commands += inner.commands
        needs += inner.needs
        calls += inner.calls
    for key in ("cmd", "shell"):
        commands += node_commands(node.get(key), path, folder=folder, errexit=key == "cmd")
    script = node.str_at("script")
    if script:
        calls.append(script.split("(")[0])
    ref = node.str_at("ref")
    if ref:
        needs.append(ref.split(" ")[0])
    ignored = node.str_at("ignore_fail")
    if ignored and ignored != "false":
        why = "the sequence goes on after a failure (`ignore_fail`)"
        lost = ignored != "return_non_zero"
        commands = [replace(c, soft=True, why_soft=why) if lost else c for c in commands]
    return replace(
        target,
        commands=tuple(commands),
        needs=tuple(needs),
        calls=tuple(calls),
        doc=node.str_at("help"),
    )


def _hatch(tool: Node, path: str) -> Iterator[Target]:
    for environment, node in (tool.get("envs") or EMPTY).items():
        for key in ("scripts", "extra-scripts"):
            table = node.get(key)
            for name, entry in table.entries.items() if table is not None else ():
                span = Span(path, entry.line)
                target = Target("hatch", name, span, folder=posixpath.dirname(path))
                yield _hatch_script(target, entry.node, table or EMPTY, environment)


def _hatch_script(target: Target, node: Node, table: Node, environment: str) -> Target:
    commands: list[Command] = []
    needs: list[str] = []
    for part in node.many():
        text = _ARGUMENTS.sub(lambda m: m[1] or "", part.text)
        soft = text.startswith("- ")
        words = text.removeprefix("- ").split()
        if words and words[0] in table.entries and words[0] != target.name:
            needs.append(words[0])
            continue
        line = part.text_line or part.line
        for command in parse_shell(text.removeprefix("- "), path=target.span.path, line=line):
            why = "hatch ignores its status (`-`)"
            commands.append(replace(command, soft=True, why_soft=why) if soft else command)
    return replace(target, commands=tuple(commands), needs=tuple(needs), doc=f"env {environment}")


def _pixi(root: Node, path: str) -> Iterator[Target]:
    yield from _tasks(root.get("tasks"), "pixi", path)
    for group in ("feature", "target"):
        for node in (e.node for e in (root.get(group) or EMPTY).entries.values()):
            yield from _tasks(node.get("tasks"), "pixi", path)
