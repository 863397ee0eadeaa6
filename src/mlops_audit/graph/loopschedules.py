"""Training that a program of the project's own repeats: an endless loop that sleeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Branch, Call, Module
from mlops_audit.graph.scopes import Scope, calls_of, processes, scopes, scopes_from
from mlops_audit.graph.trained import Start, is_kept, is_saved, trains_in
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["starts_of_loops"]

_ENDLESS = regex(
    r"^(True|1|(not )?(self\.)?_?\w*(running|stop|stopped|alive|shutdown|exit)\w*(\.is_set\(\))?)$"
)
# A `break` right in these ends the loop when the work is done: it tries again, it does not repeat.
_ENDS = regex(r"(try|while|else|with)\b")


def starts_of_loops(project: Project) -> Iterator[Start]:
    """Every endless loop that trains, sleeps and trains again."""
    for module in project.source:
        if "sleep" not in module.names and not any(c.method == "sleep" for c in module.calls):
            continue
        if project.is_example(module.path):
            continue
        for branch in module.branches:
            if branch.kind == "while" and _ENDLESS.match(branch.test):
                yield from _of_loop(project, module, branch)


def _of_loop(project: Project, module: Module, branch: Branch) -> Iterator[Start]:
    inside = module.calls_within(branch.body)
    roots = [
        Scope(s.path, s.qualname) for c in inside for s in project.index.targets(c, module.path)
    ]
    walked = scopes(project, roots)
    if not _sleeps(project, inside, walked) or _ends(project, module, branch):
        return
    started, others = scopes_from(project, processes(project, walked))
    code = (*walked, *started)
    trained = trains_in(project, code, others)
    if trained is None:
        return
    kept = is_kept(project, code, others) or is_saved(project, code)
    yield Start("schedule", _place(module, branch, inside), trained, kept)


def _sleeps(project: Project, inside: tuple[Call, ...], walked: tuple[Scope, ...]) -> bool:
    if any(c.method == "sleep" for c in inside):
        return True
    return any(c.method == "sleep" for _, c in calls_of(project, walked[:20]))


def _ends(project: Project, module: Module, branch: Branch) -> bool:
    """Whether the loop is left once its work has been done."""
    first, last = branch.body
    lines = project.lines(module.path)[:last]
    for number in range(first - 1, len(lines)):
        bare = lines[number].strip()
        if bare != "break" and not bare.startswith("return"):
            continue
        depth = len(lines[number]) - len(lines[number].lstrip())
        above = (
            line
            for line in reversed(lines[:number])
            if line.strip() and len(line) - len(line.lstrip()) < depth
        )
        if _ENDS.match(next(above, "").lstrip()):
            return True
    return False


def _place(module: Module, branch: Branch, inside: tuple[Call, ...]) -> Evidence:
    waits = next((c for c in inside if c.method == "sleep"), None)
    told = f": {waits.text}" if waits is not None else ""
    return Evidence(Span(module.path, branch.span.line), f"while {branch.test}, it sleeps{told}")
