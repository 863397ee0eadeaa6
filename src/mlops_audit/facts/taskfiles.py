"""Task runners that are configured in YAML, JSON, plain text or Python."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator

from msgspec.structs import replace

from mlops_audit.facts.decoding import decode
from mlops_audit.facts.jsonpos import load_json
from mlops_audit.facts.nodes import EMPTY, Node
from mlops_audit.facts.pytext import (
    constants,
    dotted,
    literal_words,
    parse_python,
    text_of,
    walk_body,
)
from mlops_audit.facts.shell import parse_shell
from mlops_audit.facts.tasks import node_commands
from mlops_audit.facts.types import Command, Target, Unreadable
from mlops_audit.facts.yamlpos import load_yaml
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = [
    "Read",
    "read_mlproject",
    "read_package_json",
    "read_procfile",
    "read_python_tasks",
    "read_spacy",
    "read_taskfile",
]

_PROCESS = regex(r"([A-Za-z0-9_-]+)\s*:\s*(.+)")
_TASK_VARIABLE = regex(r"\{\{\s*\.([A-Za-z_]\w*)\s*\}\}")
_PARAMETER = regex(r"\{(\w+)\}")
_SPACY_VARIABLE = regex(r"\$\{vars\.([\w.]+)\}")

# The targets of a file, or why it could not be read.
Read = tuple[Target, ...] | Unreadable


def _map(data: bytes, path: str, *, json: bool = False) -> Node | Unreadable:
    root = load_json(data, path) if json else load_yaml(data, path)
    if isinstance(root, Unreadable) or root.kind == "map":
        return root
    return Unreadable(Span(path), "no map at its top")


def read_taskfile(data: bytes, path: str) -> Read:
    """Read a Taskfile (go-task): tasks with commands, calls of other tasks, sources, generates."""
    root = _map(data, path)
    if isinstance(root, Unreadable):
        return root
    values = {k: n.text for k, n in (root.get("vars") or EMPTY).items() if n.kind == "scalar"}
    found: list[Target] = []
    for name, entry in (root.get("tasks") or EMPTY).entries.items():
        node = entry.node
        steps = node if node.kind != "map" else node.get("cmds") or node.get("cmd")
        folder = node.str_at("dir") if node.kind == "map" else ""
        commands: list[Command] = []
        needs = [n.text or n.str_at("task") for n in (node.get("deps") or EMPTY).many()]
        for step in steps.many() if steps is not None else ():
            text = step.get("cmd") if step.kind == "map" else step
            if step.kind == "map" and step.str_at("task"):
                needs.append(step.str_at("task"))
            if text is None or text.kind != "scalar":
                continue
            script = _TASK_VARIABLE.sub(lambda m: values.get(m[1], m[0]), text.text)
            line = text.text_line or text.line
            for command in parse_shell(script, path=path, line=line, errexit=False, cwd=folder):
                why = "`ignore_error`" if step.str_at("ignore_error") == "true" else ""
                commands.append(replace(command, soft=True, why_soft=why) if why else command)
        found.append(
            Target(
                "task",
                name,
                Span(path, entry.line),
                commands=tuple(commands),
                needs=tuple(n for n in needs if n),
                inputs=node.strings_at("sources"),
                outputs=node.strings_at("generates"),
                folder=posixpath.dirname(path),
                phony=node.get("generates") is None,
                soft=node.str_at("ignore_error") == "true",
                doc=node.str_at("desc"),
                default=name == "default",
            )
        )
    return tuple(found)


def read_package_json(data: bytes, path: str) -> Read:
    """Read the scripts of a package.json; `pre…` and `post…` scripts are needs of theirs."""
    root = _map(data, path, json=True)
    if isinstance(root, Unreadable):
        return root
    scripts = root.get("scripts") or EMPTY
    found: list[Target] = []
    for name, entry in scripts.entries.items():
        needs = tuple(n for n in (f"pre{name}", f"post{name}") if n in scripts.entries)
        commands = node_commands(entry.node, path, errexit=False)
        folder = posixpath.dirname(path)
        found.append(Target("npm", name, Span(path, entry.line), commands, needs, folder=folder))
    return tuple(found)


def read_procfile(data: bytes, path: str) -> Read:
    """Read a Procfile's processes."""
    found: list[Target] = []
    text = decode(data[: 64 * 1024]) or ""
    for number, line in enumerate(text.splitlines(), 1):
        process = _PROCESS.fullmatch(line.strip()[:4_000])
        if process and not line.lstrip().startswith("#"):
            commands = parse_shell(process[2], path=path, line=number)
            folder = posixpath.dirname(path)
            found.append(
                Target("procfile", process[1], Span(path, number), commands, folder=folder)
            )
    return tuple(found)


def read_mlproject(data: bytes, path: str) -> Read:
    """Read an MLproject's entry points; defaults of parameters stand in their commands."""
    root = _map(data, path)
    if isinstance(root, Unreadable):
        return root
    found: list[Target] = []
    for name, entry in (root.get("entry_points") or EMPTY).entries.items():
        values: dict[str, str] = {}
        for parameter, node in (entry.node.get("parameters") or EMPTY).items():
            values[parameter] = node.str_at("default") if node.kind == "map" else ""
        command = entry.node.get("command")
        text = command.text if command is not None else ""
        script = _with_parameters(text, values)
        line = (command.text_line or command.line) if command is not None else entry.line
        commands = parse_shell(script, path=path, line=line, errexit=False)
        span, folder = Span(path, entry.line), posixpath.dirname(path)
        found.append(
            Target("mlproject", name, span, commands, folder=folder, default=name == "main")
        )
    return tuple(found)


def _with_parameters(text: str, values: dict[str, str]) -> str:
    def known(found: re.Match[str]) -> str:
        return values.get(found[1]) or found[0]

    return _PARAMETER.sub(known, text)


def read_spacy(data: bytes, path: str) -> Read:
    """Read a spaCy project's commands and workflows."""
    root = _map(data, path)
    if isinstance(root, Unreadable):
        return root
    folder = posixpath.dirname(path)
    variables = root.get("vars") or EMPTY
    commands = root.get("commands")
    found: list[Target] = []
    for node in commands.list() if commands is not None else ():
        if not node.str_at("name"):
            continue

        def known(match: re.Match[str]) -> str:
            return variables.str_at(*match[1].split(".")) or match[0]

        script = node.get("script")
        steps: list[Command] = []
        for part in script.many() if script is not None else ():
            text = _SPACY_VARIABLE.sub(known, part.text)
            steps += parse_shell(text, path=path, line=part.text_line or part.line)
        outputs = (*node.strings_at("outputs"), *node.strings_at("outputs_no_cache"))
        found.append(
            Target(
                "spacy",
                node.str_at("name"),
                Span(path, node.line),
                commands=tuple(steps),
                inputs=tuple(_SPACY_VARIABLE.sub(known, t) for t in node.strings_at("deps")),
                outputs=tuple(_SPACY_VARIABLE.sub(known, t) for t in outputs),
                folder=folder,
                phony=not outputs,
                doc=node.str_at("help"),
            )
        )
    for name, entry in (root.get("workflows") or EMPTY).entries.items():
        needs = entry.node.strings()
        found.append(Target("spacy", name, Span(path, entry.line), needs=needs, folder=folder))
    return tuple(found)


_Function = ast.FunctionDef | ast.AsyncFunctionDef


def read_python_tasks(data: bytes, path: str) -> Read:
    """Read invoke's and fabric's `tasks.py`, `duties.py` and doit's `dodo.py`."""
    tree = parse_python(data)
    if tree is None:
        return Unreadable(Span(path), "not valid Python")
    values = constants(tree)
    found: list[Target] = []
    for function in tree.body:
        if not isinstance(function, _Function):
            continue
        target = _decorated(function, values, path) or _doit(function, values, path)
        if target is not None:
            found.append(replace(target, folder=posixpath.dirname(path)))
    return tuple(found)


def _decorated(function: _Function, values: dict[str, ast.expr], path: str) -> Target | None:
    for decorator in function.decorator_list:
        call = decorator if isinstance(decorator, ast.Call) else None
        name = dotted(call.func if call is not None else decorator)
        runner = {"task": "invoke", "invoke.task": "invoke", "duty": "duty"}.get(name)
        if runner is None:
            continue
        keywords = {k.arg: k.value for k in call.keywords if k.arg} if call else {}
        needs = [dotted(a) for a in (call.args if call else [])]
        for key in ("pre", "post"):
            listed = keywords.get(key)
            if isinstance(listed, (ast.List, ast.Tuple)):
                needs += [dotted(n.func if isinstance(n, ast.Call) else n) or text_of(n, values)
                          for n in listed.elts]  # fmt: skip
        own = text_of(keywords.get("name"), values) or function.name.replace("_", "-")
        return Target(
            runner,
            own if runner == "invoke" else function.name,
            Span(path, function.lineno),
            commands=tuple(_runs(function, values, path)),
            needs=tuple(n.replace("_", "-") if runner == "invoke" else n for n in needs if n),
            doc=(ast.get_docstring(function) or "").split("\n")[0],
        )
    return None


def _runs(function: _Function, values: dict[str, ast.expr], path: str) -> Iterator[Command]:
    """The commands that `c.run("…")` starts; `with c.cd("x")` sets their folder."""
    context = function.args.args[0].arg if function.args.args else "c"
    local = dict(values)
    folders: list[tuple[int, str]] = []
    for statement, condition, soft in walk_body(function.body):
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            local[statement.targets[0].id] = statement.value
        if isinstance(statement, ast.With):
            for item in statement.items:
                call = item.context_expr
                if (
                    isinstance(call, ast.Call)
                    and dotted(call.func) == f"{context}.cd"
                    and call.args
                ):
                    end = statement.end_lineno or statement.lineno
                    folders.append((end, text_of(call.args[0], local)))
            continue
        if isinstance(statement, (ast.If, ast.For, ast.While, ast.Try)):
            continue
        for call in (n for n in ast.walk(statement) if isinstance(n, ast.Call)):
            target = dotted(call.func)
            if target not in {f"{context}.run", f"{context}.sudo", f"{context}.local", "run"}:
                continue
            warn = any(k.arg == "warn" and text_of(k.value, {}) == "True" for k in call.keywords)
            first = call.args[0] if call.args else None
            if isinstance(first, (ast.List, ast.Tuple)):
                words = tuple(literal_words([first], local))
                texts = [Command(words, Span(path, call.lineno), " ".join(words))] if words else []
            else:
                text = text_of(first, local)
                texts = list(parse_shell(text, path=path, line=call.lineno, errexit=False))
            folder = "/".join(f for end, f in folders if call.lineno <= end)
            for command in texts:
                cwd = (
                    posixpath.normpath(posixpath.join(folder, command.cwd))
                    if folder
                    else command.cwd
                )
                lost = command.soft or soft or warn
                why = command.why_soft or ("its failure is accepted (`warn=True`)" if lost else "")
                note = command.condition or condition
                yield replace(command, cwd=cwd, soft=lost, why_soft=why, condition=note)


def _doit(function: _Function, values: dict[str, ast.expr], path: str) -> Target | None:
    if not function.name.startswith("task_"):
        return None
    for node in ast.walk(function):
        value = node.value if isinstance(node, (ast.Return, ast.Yield)) else None
        if not isinstance(value, ast.Dict):
            continue
        parts = {text_of(k, {}): v for k, v in zip(value.keys, value.values, strict=True) if k}
        if "actions" not in parts:
            continue
        commands: list[Command] = []
        for text in literal_words([parts["actions"]], values):
            if not text.startswith("{"):
                commands += parse_shell(
                    text, path=path, line=parts["actions"].lineno, errexit=False
                )
        lists = {
            key: tuple(literal_words([parts[name]], values)) if name in parts else ()
            for key, name in (("needs", "task_dep"), ("inputs", "file_dep"), ("outputs", "targets"))
        }
        return Target(
            "doit",
            function.name.removeprefix("task_"),
            Span(path, function.lineno),
            tuple(commands),
            lists["needs"],
            lists["inputs"],
            lists["outputs"],
            phony=not lists["outputs"],
        )
    return None
