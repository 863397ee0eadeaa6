"""Whether code that stands in the project is used by anything of it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Function

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["is_called"]


def is_called(project: Project, path: str, scope: str) -> bool:
    """Whether anything in the project refers to the function that `scope` names.

    Module-level code, methods, entry points and functions that a decorator hands to a framework
    count as called; a plain function counts when its name is called, passed on, or written in a
    task or settings file's command.
    """
    module = project.modules.get(path)
    if module is None or not scope:
        return True
    parts = scope.split(".")
    for depth in range(len(parts), 0, -1):
        function = module.function(".".join(parts[:depth]))
        if function is not None:
            return _used(project, function)
    return True


def _used(project: Project, function: Function) -> bool:
    name = function.name
    if function.owner or function.decorators or name.startswith("__") or name in {"main", "run"}:
        return True
    return name in _mentioned(project) or any(
        name in value for value in project.console_scripts.values()
    )


@lru_cache(maxsize=4)
def _mentioned(project: Project) -> frozenset[str]:
    """The last segments of all names that are called or handed over, tests left out."""
    found: set[str] = set()
    for path, module in project.modules.items():
        if path in project.test_files:
            continue
        for call in module.calls:
            found.add(call.method)
            for value in (*call.args, *(v for _, v in call.kwargs)):
                found.update(_names(value.name), *(_names(v.name) for v in value.items))
        for item in module.assigns:
            found.update(_names(item.value.name), *(_names(v.name) for v in item.value.items))
    for target in project.targets:
        found.update(name.rsplit(".", 1)[-1].rsplit(":", 1)[-1] for name in target.calls)
    for command, _ in project.all_commands:
        found.update(word.rsplit(":", 1)[-1] for word in command.argv if ":" in word)
        if "-c" in command.argv:
            found.update(command.text.replace("(", " ").replace(".", " ").split())
    return frozenset(found)


def _names(dotted: str) -> tuple[str, ...]:
    return (dotted.rsplit(".", 1)[-1].lstrip(":"),) if dotted else ()
