"""Whether code that stands in the project is used by anything of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_audit.facts.code import Function, Module
from mlops_audit.graph.memo import once
from mlops_audit.graph.settings import settings
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["found_by_framework", "is_called"]

# Methods that platforms, servers and libraries call on any class.
_BY_NAME = regex(
    r"__|_?(predict|fit|transform|forward|handle|init|inference|infer|pre_?process|post_?process|"
    r"setup|teardown|process|execute|invoke|score|metrics|tags|send_|run|main|start|stop|step|"
    r"train|evaluate|load|on_|test|do_|call|get|post|put)"
)
_FOUND = frozenset({"create_pipeline", "create_pipelines", "register_pipelines"})


def is_called(project: Project, path: str, scope: str) -> bool:
    """Whether anything in the project refers to the function that `scope` names.

    Module-level code, methods, entry points and functions that a decorator hands to a framework
    count as called; a plain function counts when its name is called, passed on, or written in a
    task or settings file's command, by anything but itself and functions that nothing calls.
    """
    module = project.modules.get(path)
    if module is None or not scope:
        return True
    parts = scope.split(".")
    for depth in range(len(parts), 0, -1):
        function = module.function(".".join(parts[:depth]))
        if function is not None:
            if _left_alone(project, module, function):
                return False
            return _used(project, function) or found_by_framework(module, function)
    return True


def _left_alone(project: Project, module: Module, function: Function) -> bool:
    """Whether a method of a plain class is named nowhere: what called it is commented out.

    A class with bases or a decorator, and the methods that platforms call by their names, may be
    called by anything.
    """
    owner = module.klass(function.owner) if function.owner else None
    if owner is None or owner.decorators or function.decorators or module.notebook:
        return False
    if any(not b.endswith(("object", "ABC")) for b in owner.bases) or _BY_NAME.match(function.name):
        return False
    if project.roles.kind == "library" or "fire" in module.roots:
        return False
    return function.name not in _asked(project)


@once
def _asked(project: Project) -> frozenset[str]:
    """Names that any code asks for, or that stand in texts and settings, as for `getattr`.

    A notebook that defines a name itself asks for no one else's.
    """
    found = {str(s.value).rsplit(".", 1)[-1] for s in settings(project)}
    for target in project.targets:
        found.update(name.rsplit(".", 1)[-1].rsplit(":", 1)[-1] for name in target.calls)
    for module in project.own_code:
        own = {f.name for f in module.functions} if module.notebook else frozenset()
        found.update(t.value for t in module.texts if not t.doc)
        for names in _by_holder(module).values():
            found.update(names - own)
    return frozenset(found)


def _offered(function: Function) -> bool:
    """Whether something outside may call it: a method, an entry point, a framework's own."""
    name = function.name
    return bool(
        function.owner
        or function.decorators
        or name.startswith("__")
        or name in {"main", "run", "init", "handler", "lambda_handler"}
        # The signature of AWS Lambda's and Google's functions, which an image or a stack names.
        or tuple(p.name.lstrip("_") for p in function.params) == ("event", "context")
    )


def found_by_framework(module: Module, function: Function) -> bool:
    """Whether a framework finds the function by its name: Kedro's makers of pipelines."""
    return function.name in _FOUND and "kedro" in module.roots


def _used(project: Project, function: Function) -> bool:
    name = function.name
    return (
        _offered(function)
        or name in _mentioned(project)
        or any(name in value for value in project.console_scripts.values())
    )


@once
def _mentioned(project: Project) -> frozenset[str]:
    """The last segments of all names that live code calls or hands over, tests left out."""
    found: set[str] = set()
    for target in project.targets:
        found.update(name.rsplit(".", 1)[-1].rsplit(":", 1)[-1] for name in target.calls)
    for command, _ in project.all_commands:
        found.update(word.rsplit(":", 1)[-1] for word in command.argv if ":" in word)
        if "-c" in command.argv:
            found.update(command.text.replace("(", " ").replace(".", " ").split())
    waiting: dict[str, set[str]] = {}
    for module in project.own_code:
        for holder, names in _by_holder(module).items():
            if holder:
                waiting.setdefault(holder, set()).update(names - {holder})
            else:
                found.update(names)
    fresh = found & waiting.keys()
    while fresh:
        added = set().union(*(waiting.pop(name) for name in sorted(fresh)))
        found |= added
        fresh = found & waiting.keys()
    return frozenset(found)


def _by_holder(module: Module) -> dict[str, set[str]]:
    """The names that a module mentions, by the plain function that does; "" for all other code."""
    found: dict[str, set[str]] = {}
    holders: dict[str, str] = {"": ""}

    def holder(scope: str) -> set[str]:
        if scope not in holders:
            function = module.function(scope.split(".", 1)[0])
            plain = (
                function is not None
                and not _offered(function)
                and not found_by_framework(module, function)
            )
            holders[scope] = function.name if function is not None and plain else ""
        return found.setdefault(holders[scope], set())

    for call in module.calls:
        names = holder(call.scope)
        names.add(call.method)
        for value in (*call.args, *(v for _, v in call.kwargs)):
            names.update(_names(value.name), *(_names(v.name) for v in value.items))
    for function in module.functions:
        for value in function.returns:  # a function inside that is handed out
            holder(function.qualname).update(
                _names(value.name), *(_names(v.name) for v in value.items)
            )
    for item in module.assigns:
        holder(item.scope).update(
            _names(item.value.name), *(_names(v.name) for v in item.value.items)
        )
    return found


def _names(dotted: str) -> tuple[str, ...]:
    return (dotted.rsplit(".", 1)[-1].lstrip(":"),) if dotted else ()
