"""What a Snakefile's rules run: their shell texts, scripts and notebooks, and included files."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Call, Module, Value
from mlops_audit.facts.shell import parse_shell
from mlops_audit.facts.snakefiles import WORKFLOW, is_snakefile, rule_scope
from mlops_audit.facts.types import Command
from mlops_audit.graph.execution import Edge, Node
from mlops_audit.graph.index import Symbol
from mlops_audit.graph.memo import once
from mlops_audit.graph.nodes import Nodes
from mlops_audit.graph.sourcelines import text_span
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = [
    "config_place",
    "rule_edges",
    "rule_nodes",
    "rule_outputs",
    "rule_settings",
    "snakefile_of",
]

_DEFAULTS = ("Snakefile", "snakefile", "workflow/Snakefile", "workflow/snakefile")
_HOLE = regex(r"\{(input|output|params|log)(?:\.(\w+)|\[(\d{1,3})\])?(?::[qr])?\}")
_CONFIG = regex(r"\bconfig(\[|\.get\()")
_OF_SCRIPT = regex(r"\bsnakemake\.(config|params)\b")
_PARTS = regex(r"""["']([^"'\n]{1,200})["']""")
_PATH = regex(r"""(?:f?["'])([^"'{}\n]{1,200})["']""")


def rule_edges(
    nodes: Nodes, module: Module, call: Call, near: Callable[[Module, Command], str]
) -> Iterator[Edge]:
    """What a directive of a Snakefile runs; `near` gives the folder that a command is meant in."""
    kind = call.name.removeprefix(f"{WORKFLOW}.")
    first = call.args[0] if call.args else None
    if first is None:
        return
    if kind == "shell":
        text = _filled(module, call, _text(first))
        for command in parse_shell(text, path=module.path, line=call.span.line or 1):
            folder = near(module, command)
            yield Edge(nodes.command(command, folder), command.soft, command.why_soft)
    elif kind in {"script", "notebook", "include", "snakefile"}:
        base = module.path.rpartition("/")[0]
        named = _filled(module, call, _text(first))
        place = nodes.sources.places.file(posixpath.join(base, named)) if named else None
        if place in nodes.sources.notebooks:
            yield Edge(nodes.notebook(place or ""))
        elif place in nodes.sources.index.modules:
            yield Edge(nodes.module(place or ""))


def rule_nodes(nodes: Nodes, path: str, rule: str) -> list[Node]:
    """The code of a rule and what its directives run, as roots for a walk."""
    module = nodes.sources.index.modules.get(path)
    scope = rule_scope(rule)
    if module is None or not is_snakefile(path) or module.function(scope) is None:
        return []
    found = [nodes.function(Symbol(path, scope, "function"))]
    for call in module.calls_in(scope):
        if call.name.startswith(f"{WORKFLOW}."):
            found += [e.target for e in rule_edges(nodes, module, call, lambda _m, _c: "")]
    return found


def snakefile_of(nodes: Nodes, command: Command, folder: str) -> str | None:
    """The Snakefile that a call of `snakemake` runs."""
    words = list(command.argv[1:])
    named = ""
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        if word in {"-s", "--snakefile"}:
            named = following
        elif word.startswith("--snakefile="):
            named = word.partition("=")[2]
    found = (nodes.sources.places.file(n, folder) for n in ((named,) if named else _DEFAULTS))
    return next((p for p in found if p in nodes.sources.index.modules), None)


def config_place(module: Module) -> Evidence | None:
    """Where a Snakefile, or a script that one runs, takes a value from the workflow's settings."""
    known = is_snakefile(module.path)
    if not ({"config"} if known else {"snakemake"}) & module.names:
        return None
    reads = _CONFIG if known else _OF_SCRIPT
    told = [(c.span, c.text) for c in module.calls]
    told += [(a.span, a.value.text) for a in module.assigns]
    return next((Evidence(s, " ".join(t.split())) for s, t in told if reads.search(t)), None)


@once
def rule_settings(project: Project) -> tuple[str, ...]:
    """The settings files that Snakefiles are given: named in them, else beside them."""
    found: dict[str, None] = {}
    for path, module in project.modules.items():
        if not is_snakefile(path) or "config" not in module.names:
            continue
        folder = path.rpartition("/")[0]
        named = [
            c.args[0].literal
            for c in module.calls
            if c.name == f"{WORKFLOW}.configfile" and c.args and isinstance(c.args[0].literal, str)
        ]
        for name in named:
            place = project.places.file(name, folder) or project.places.file(name)
            found.update({place: None} if place else {})
        if not named:
            near = {folder, posixpath.join(folder, "config"), "config", "workflow", ""}
            found.update(
                dict.fromkeys(
                    p for p in project.glob("**/config*.y*ml") if p.rpartition("/")[0] in near
                )
            )
    return tuple(sorted(found))


def _text(value: Value) -> str:
    """A directive's text; of `join(dir, "x.py")` or an f-string the parts that are known."""
    if isinstance(value.literal, str):
        return value.literal
    if value.is_call and value.name.endswith("join"):
        parts = list(_PATH.findall(value.text))
        return "/".join(parts)
    quoted = re.match(r"""[fFrR]{0,2}("{3}|'{3}|"|')(.{1,2000}?)\1""", value.text, re.DOTALL)
    return quoted[2] if quoted else ""


def _filled(module: Module, call: Call, text: str) -> str:
    """The text with `{input.script}`, `{input[0]}` and the like as the same rule declares them."""
    if "{" not in text:
        return text
    given = {
        c.name.removeprefix(f"{WORKFLOW}."): c
        for c in module.calls_in(call.scope)
        if c.name.startswith(f"{WORKFLOW}.")
    }

    def declared(hole: re.Match[str]) -> str:
        source = given.get(hole[1])
        if source is None:
            return hole[0]
        value = source.kw(hole[2]) if hole[2] else source.arg(int(hole[3] or 0))
        shown = _text(value) if value is not None else ""
        return shown if shown and "{" not in shown and " " not in shown else hole[0]

    return _HOLE.sub(declared, text)


@once
def rule_outputs(project: Project) -> tuple[tuple[str, Evidence], ...]:
    """The names of the files that rules declare as their outputs."""
    found = []
    for path, module in project.modules.items():
        for call in module.calls if is_snakefile(path) else ():
            if call.name == f"{WORKFLOW}.output":
                names = [text.rsplit("/", 1)[-1] for text in _PARTS.findall(call.text)]
                found += [
                    (n, Evidence(text_span(project, call.span, n, call.end_line), f"output {n}"))
                    for n in names
                    if "." in n
                ]
    return tuple(found)
