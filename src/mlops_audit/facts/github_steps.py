"""Steps of GitHub workflows and composite actions: scripts, expressions, conditions, shells."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from mlops_audit.facts.cicommon import (
    Script,
    inside,
    joined,
    on_one_line,
    root_map,
    texts,
    variants,
)
from mlops_audit.facts.conditions import evaluate, unwrap
from mlops_audit.facts.github_triggers import bindings
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.triggers import narrow
from mlops_audit.facts.types import Command, Getter, Step, Trigger
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = ["Context", "If", "composite", "read_if", "read_step", "softness"]

# Each start stops at the next one, so that a text of starts alone costs no more than its length.
_EXPRESSION = regex(r"\$\{\{((?:(?!\$\{\{).){0,2000}?)\}\}", re.DOTALL)
_DOTTED = regex(r"[\w.\-]+")
_QUOTED = regex(r"'[^']*'")
MAX_CALLS = 10  # GitHub's own limit of nested composite actions


class Context(Struct, frozen=True):
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
            name
            for found in _EXPRESSION.finditer(text)
            for name in _operands(found[1])
            if name in self.known
        }
        rows = variants({name: self.known[name] for name in sorted(names)})
        return tuple(dict.fromkeys(_substituted(text, row) for row in rows))


def _operands(expression: str) -> list[str]:
    """The alternatives of `inputs.name || 'default'`, one for any other expression."""
    return [part.strip() for part in expression.split("||")]


def _chosen(expression: str, row: Mapping[str, str]) -> str | None:
    """The first alternative that is known and not empty; None when none is."""
    for part in _operands(expression):
        if row.get(part):
            return row[part]
        if _QUOTED.fullmatch(part):
            return part[1:-1]
    return row.get(expression.strip())


def _substituted(text: str, row: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        name = found[1].strip()
        known = _chosen(name, row)
        told = on_one_line(known) if known is not None else None
        # Kept as one word of the shell, on as many lines as before.
        lines = "\n" * found[0].count("\n")
        if told is not None:
            return told + lines
        return ("${" + name + "}" if _DOTTED.fullmatch(name) else "${expression}") + lines

    return _EXPRESSION.sub(value, text)


def default_inputs(inputs: Node | None) -> dict[str, tuple[str, ...]]:
    """The defaults of an action or reusable workflow, as `inputs.x`."""
    if inputs is None:
        return {}
    found = {name: node.get("default") for name, node in inputs.items()}
    return {f"inputs.{k}": (v.text,) for k, v in found.items() if v is not None and v.text}


class If(Struct, frozen=True):
    """What an `if:` says: the expression, why it never or always holds, the triggers left."""

    condition: str = ""
    disabled: str = ""
    void: str = ""
    triggers: tuple[Trigger, ...] = ()


def read_if(node: Node, context: Context) -> If:
    """The `if:` of a step or job."""
    written = node.get("if")
    if written is None or written.kind != "scalar":
        return If()
    condition, void = unwrap(written.text)
    if void:
        return If(written.text.strip(), void=void)
    if evaluate(condition) is False:
        return If(condition, f"`if: {written.text.strip()}` never holds")
    left = narrow(condition, context.triggers, bindings)
    if left == context.triggers:
        return If(condition)
    if not left and context.triggers and not context.calls:
        return If(condition, f"`if: {condition[:80]}` holds for none of the triggers")
    return If(condition, triggers=left)


def softness(node: Node) -> str:
    """`continue-on-error` where it is literally true, else an empty string."""
    flag = node.get("continue-on-error")
    if flag is None or evaluate(unwrap(flag.text)[0]) is not True:
        return ""
    return "continue-on-error"


def node_list(node: Node | None) -> tuple[Node, ...]:
    """The members of a list, none for an absent node."""
    return node.list() if node is not None else ()


def given_inputs(node: Node, context: Context) -> dict[str, tuple[str, ...]]:
    """The literal values of `with:`, as `inputs.x`."""
    given: dict[str, tuple[str, ...]] = {}
    for key, value in texts(node.get("with")).items():
        filled = context.filled(value)
        # A text that is known in part (a script) says more than the default of the input.
        if not any("${" in text for text in filled) or not _EXPRESSION.fullmatch(value.strip()):
            given[f"inputs.{key}"] = filled
    return given


def local_file(path: str, context: Context) -> Node | None:
    """The root of a local action or workflow; None for a cycle, or one that cannot be read."""
    if not path or path in context.calls or len(context.calls) >= MAX_CALLS:
        return None
    data = context.getter(path)
    root = root_map(data, path) if data is not None else None
    return root if isinstance(root, Node) else None


def read_step(node: Node, context: Context) -> Step:
    """A step with its commands, or with the steps that its local action brings."""
    test = read_if(node, context)
    env = texts(node.get("env"))
    if env:
        known = {f"env.{key}": (value,) for key, value in env.items() if "${{" not in value}
        context = replace(context, env={**context.env, **env}, known={**context.known, **known})
    soft = softness(node)
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


def _brought(node: Node, uses: str, context: Context) -> tuple[str, tuple[Step, ...]]:
    if not uses.startswith("./"):
        return "", ()
    folder = inside(_repository(inside(uses), context.checkout))
    for name in ("action.yml", "action.yaml"):
        path = f"{folder}/{name}" if folder else name
        root = local_file(path, context)
        if root is not None:
            known = {**default_inputs(root.get("inputs")), **given_inputs(node, context)}
            inner = Context(
                path,
                context.getter,
                (*context.calls, path),
                known,
                context.env,
                triggers=context.triggers,
            )
            return path, composite(root, inner)
    return f"{folder}/action.yml".lstrip("/"), ()


def composite(root: Node, context: Context) -> tuple[Step, ...]:
    """The steps of a composite action."""
    steps = node_list(root.get("runs", "steps"))
    return tuple(read_step(step, context) for step in steps if step.kind == "map")


def _repository(cwd: str, checkout: str) -> str:
    """A folder as the repository names it, when the repository lies in a folder of its own."""
    if checkout and (cwd == checkout or cwd.startswith(checkout + "/")):
        return cwd[len(checkout) + 1 :]
    return cwd


def _commands(node: Node, context: Context) -> tuple[Command, ...]:
    # What a local action does with its inputs is seen in its own steps.
    local = node.str_at("uses").startswith("./")
    run = node.get("run") or (None if local else _script_input(node))
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


def _shell(shell: str, text: str, line: int, context: Context) -> tuple[Command, ...]:
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
