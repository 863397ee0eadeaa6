"""Steps of an Azure pipeline: scripts, tasks and step templates."""

from __future__ import annotations

import shlex

from msgspec import Struct

from mlops_audit.facts.azure_context import Context
from mlops_audit.facts.azure_triggers import bindings
from mlops_audit.facts.cicommon import Script, texts
from mlops_audit.facts.conditions import evaluate
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.triggers import narrow
from mlops_audit.facts.types import Command, Step, Trigger
from mlops_audit.model import Span

__all__ = ["Gate", "gate", "read_steps", "soft"]

_SCRIPTS = ("script", "bash", "pwsh", "powershell")
_OTHER = ("checkout", "download", "downloadBuild", "publish", "getPackage", "reviewApp")
_INLINE = ("script", "inlineScript", "Inline", "inline")
_FILES = ("filePath", "scriptPath", "ScriptPath")
_ARGUMENTS = ("arguments", "scriptArguments", "ScriptArguments")


class Gate(Struct, frozen=True):
    """What a `condition:` says: the expression, why it never holds, the triggers it leaves."""

    condition: str = ""
    disabled: str = ""
    triggers: tuple[Trigger, ...] = ()


def gate(node: Node, context: Context) -> Gate:
    """The `condition:` (and `enabled: false`) of a step, job or stage."""
    if node.str_at("enabled").lower() == "false":
        return Gate(disabled="`enabled: false`")
    condition = context.text(node.str_at("condition")).strip()
    if not condition:
        return Gate()
    if evaluate(condition) is False:
        return Gate(condition, f"`condition: {condition[:80]}` never holds")
    left = narrow(condition, context.triggers, bindings)
    if left == context.triggers:
        return Gate(condition)
    if not left and context.triggers:
        return Gate(condition, f"`condition: {condition[:80]}` holds for none of the triggers")
    return Gate(condition, triggers=left)


def soft(node: Node, context: Context) -> str:
    """`continueOnError` where it is true, else an empty string."""
    flag = context.text(node.str_at("continueOnError")).lower()
    return "continueOnError" if flag == "true" else ""


def read_steps(node: Node | None, context: Context) -> tuple[Step, ...]:
    """The steps of a list; a step template's steps stand below the step that names it."""
    return tuple(_step(item, context) for item in context.members(node))


def _step(node: Node, context: Context) -> Step:
    if node.get("template") is not None:
        return _template(node, context)
    test = gate(node, context)
    why = soft(node, context)
    key = next((k for k in (*_SCRIPTS, "task", *_OTHER) if node.get(k) is not None), "")
    inputs = {name: context.script(text) for name, text in texts(node.get("inputs")).items()}
    cwd = context.folder(node.str_at("workingDirectory") or inputs.get("workingDirectory", ""))
    if not cwd and key == "task":
        cwd = context.folder(inputs.get("cwd", ""))
    if key in _SCRIPTS:
        script = node.get(key)
        commands = _inline(script, key, cwd, context) if script is not None else ()
    else:
        commands = _task(node, inputs, cwd, context) if key == "task" else ()
    if key in _OTHER:
        inputs = {key: node.str_at(key), **texts(node)}
    return Step(
        Span(context.path, node.line_of(key) if key else node.line),
        context.text(node.str_at("displayName")),
        node.str_at(key) if key in _SCRIPTS else _inline_text(node),
        commands,
        node.str_at("task") if key == "task" else key if key in _OTHER else "",
        inputs,
        texts(node.get("env")),
        test.condition,
        soft=bool(why),
        why_soft=why,
        cwd=cwd,
        disabled=test.disabled,
        triggers=test.triggers,
    )


def _template(node: Node, context: Context) -> Step:
    span = Span(context.path, node.line_of("template"))
    found = context.template(node)
    name = context.text(node.str_at("template"))
    if found is None:
        return Step(span, uses=name, inputs=texts(node.get("parameters")))
    steps = read_steps(found.root.get("steps"), found.context)
    inputs = texts(node.get("parameters"))
    return Step(span, uses=name, inputs=inputs, local=found.context.path, steps=steps)


def _inline(node: Node, kind: str, cwd: str, context: Context) -> tuple[Command, ...]:
    # Azure starts bash without -e: the last command decides unless the script sets it.
    script = Script(context.path, cwd, errexit=False, literal=_shell_variables(context))
    return script.parse(context.script(node.text), node.text_line or node.line) if kind else ()


def _shell_variables(context: Context) -> dict[str, str]:
    """Pipeline variables are environment variables as well, in upper case."""
    return {
        name.upper().replace(".", "_"): value
        for name, value in context.variables.items()
        if "$" not in value
    }


def _inline_text(node: Node) -> str:
    return next((t for key in _INLINE if (t := node.str_at("inputs", key))), "")


def _task(node: Node, inputs: dict[str, str], cwd: str, context: Context) -> tuple[Command, ...]:
    task = node.str_at("task").partition("@")[0]
    source = (inputs.get("targetType") or inputs.get("scriptLocation") or "").lower()
    source = source or inputs.get("scriptSource", "").lower()
    inline = next((n for key in _INLINE if (n := node.get("inputs", key)) is not None), None)
    file_key = next((key for key in _FILES if inputs.get(key)), "")
    python = "python" in task.lower()
    if (
        inline is not None
        and inline.text
        and not (file_key and source in ("filepath", "scriptpath"))
    ):
        if python:
            span = Span(context.path, inline.text_line or inline.line)
            argv = ("python", "-c", inline.text)
            return (Command(argv, span, inline.text[:200], cwd=cwd),)
        return _inline(inline, task, cwd, context)
    if not file_key:
        return ()
    arguments = next((inputs[key] for key in _ARGUMENTS if inputs.get(key)), "")
    program = "python" if python else "pwsh" if "powershell" in task.lower() else "bash"
    span = Span(context.path, node.line_of("inputs", file_key))
    words = (program, inputs[file_key], *_words(arguments))
    return (Command(words, span, " ".join(words)[:400], cwd=cwd),)


def _words(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError:
        return tuple(text.split())
