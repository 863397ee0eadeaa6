"""Snakefiles and Nextflow scripts: rules and processes with inputs, outputs and commands."""

from __future__ import annotations

import ast
import re

from mlops_audit.facts.decoding import decode
from mlops_audit.facts.pipelinetypes import PipelineFile, PipelineStep
from mlops_audit.facts.pytext import literal_words, parse_python
from mlops_audit.facts.shell import parse_shell
from mlops_audit.facts.types import Command
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = ["read_nextflow", "read_snakefile"]

_LIMIT = 512 * 1024
_RULE = regex(r"(?:rule|checkpoint)\s+(\w+)\s*:")
_PART = regex(r"[ \t]+(input|output|shell|script|run|notebook|params|log|wrapper)\s*:(.*)")
_PROCESS = regex(r"^\s*process\s+(\w+)\s*\{")
_NAME = regex(r"(?:file|path)\s*\(?\s*['\"]([^'\"\n]{1,300})['\"]")
_SCRIPT_TEXT = regex(r'"""(.*?)"""|\'\'\'(.*?)\'\'\'', re.DOTALL)


def read_snakefile(data: bytes, path: str) -> tuple[PipelineFile, ...]:
    """Read a Snakefile's rules; a rule without output or command stays a step without command."""
    text = decode(data[:_LIMIT]) or ""
    steps: list[PipelineStep] = []
    name, start, depth = "", 0, 0
    parts: dict[str, tuple[int, list[str]]] = {}
    current: list[str] | None = None
    for number, line in enumerate([*text.replace("\r\n", "\n").split("\n"), "end"], 1):
        if line.strip() and not line[:1].isspace():
            if name:
                steps.append(_rule(name, start, parts, path))
            found = _RULE.match(line)
            name, start, parts, current = found[1] if found else "", number, {}, None
            continue
        part = _PART.match(line) if name else None
        if part and (not parts or len(line) - len(line.lstrip()) == depth):
            depth = len(line) - len(line.lstrip())
            current = [part[2]]
            parts[part[1]] = (number, current)
        elif current is not None:
            current.append(line)
    return (PipelineFile("snakemake", "", Span(path, 1), tuple(steps)),) if steps else ()


def _rule(name: str, line: int, parts: dict[str, tuple[int, list[str]]], path: str) -> PipelineStep:
    command: Command | None = None
    for key in ("shell", "script", "notebook"):
        if key not in parts:
            continue
        number, lines = parts[key]
        words = _arguments("\n".join(lines))
        if not words:
            continue
        if key == "shell":
            found = parse_shell("".join(words), path=path, line=number)
            command = found[0] if found else None
        else:
            program = "python" if key == "script" else "notebook"
            command = Command((program, words[0]), Span(path, number), f"{program} {words[0]}")
    if command is None and "run" in parts:
        command = Command(("run",), Span(path, parts["run"][0]), "run")
    inputs = _arguments("\n".join(parts["input"][1])) if "input" in parts else []
    outputs = _arguments("\n".join(parts["output"][1])) if "output" in parts else []
    return PipelineStep(name, Span(path, line), command, tuple(inputs), tuple(outputs))


def _arguments(text: str) -> list[str]:
    """The texts of a rule's part, which is written like a call's arguments."""
    tree = parse_python(f"f({text}\n)")
    statement = tree.body[0] if tree is not None and tree.body else None
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call):
        return []
    return literal_words([*call.args, *(k.value for k in call.keywords)], {})


def read_nextflow(data: bytes, path: str) -> tuple[PipelineFile, ...]:
    """Read a Nextflow script's processes."""
    text = decode(data[:_LIMIT]) or ""
    lines = text.split("\n")
    starts = [(k, m[1]) for k, line in enumerate(lines) if (m := _PROCESS.match(line))]
    steps: list[PipelineStep] = []
    for position, (at, name) in enumerate(starts):
        end = starts[position + 1][0] if position + 1 < len(starts) else min(at + 200, len(lines))
        body = "\n".join(lines[at:end])
        script = _SCRIPT_TEXT.search(body)
        command: Command | None = None
        if script:
            line = at + 1 + body[: script.start()].count("\n")
            found = parse_shell(script[1] or script[2] or "", path=path, line=line)
            command = found[0] if found else None
        before, _, after = body.partition("output:")
        inputs = tuple(_NAME.findall(before.partition("input:")[2]))
        outputs = tuple(_NAME.findall(after.partition("script:")[0]))
        steps.append(PipelineStep(name, Span(path, at + 1), command, inputs, outputs))
    return (PipelineFile("nextflow", "", Span(path, 1), tuple(steps)),) if steps else ()
