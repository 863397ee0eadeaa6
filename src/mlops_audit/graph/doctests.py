"""Doctests that something runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_audit.model import Evidence, Span

if TYPE_CHECKING:  # imported for types only, to keep the project free to use this module
    from mlops_audit.facts.code import Class, Function
from mlops_audit.graph.project import Project
from mlops_audit.regex import regex

__all__ = ["doctests"]

# A prompt whose expected output stands on the next line, as Python's doctest module defines it.
_EXAMPLE = regex(r">>> [^\n]{1,300}\n(?:\s*\.\.\. [^\n]{0,300}\n){0,30}\s*(?!>>>)\S")
_FLAGS = ("--doctest-modules", "--doctest-glob", "--xdoctest", "--doctest-plus")


def doctests(project: Project) -> list[Evidence]:
    """Examples with expected output in the project's docstrings, if a runner is told to try them.

    A module that calls `doctest.testmod` itself counts where it stands.
    """
    everywhere = _switched_on(project)
    own = {
        u.path for u in project.uses("test.run", test=None) if u.details
        and u.details.kind == "doctest" and u.call is not None
    }  # fmt: skip
    return [e for e in _examples(project) if everywhere or e.span.path in own]


def _switched_on(project: Project) -> bool:
    if any(o in _FLAGS for c in project.tests.configs.values() for o in c.options):
        return True
    return any(
        any(a.startswith(_FLAGS) for a in command.argv)
        or ("doctest" in command.argv and "-m" in command.argv)
        for command, _ in project.all_commands
    )


def _examples(project: Project) -> Iterator[Evidence]:
    for module in project.source:
        if _EXAMPLE.search(module.doc):
            yield Evidence(Span(module.path), "doctest in the module's docstring")
        items: tuple[Function | Class, ...] = (*module.functions, *module.classes)
        for item in items:
            if _EXAMPLE.search(item.doc):
                yield Evidence(item.span, f"doctest of {item.qualname}")
