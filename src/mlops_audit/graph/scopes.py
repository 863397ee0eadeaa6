"""What a piece of code does: the functions that it runs, their calls and their uses of tools.

`reach` of the execution graph answers what a trigger starts; here the question is what one
function, program or command does, so a class that is instantiated runs its constructor only, not
all its methods. The walk is breadth-first, so that the nearest code comes first, and bounded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_audit.facts.code import Call, Module
from mlops_audit.graph.execution import Node
from mlops_audit.graph.index import Symbol
from mlops_audit.graph.memo import once
from mlops_audit.graph.uses import Use, command_uses

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = [
    "Scope",
    "ScopeFacts",
    "calls_of",
    "commands_of",
    "processes",
    "scopes",
    "scopes_from",
    "uses_of",
]

_LIMIT = 300  # scopes of one walk: more is a framework, not what one step does
_CODE = frozenset({"function", "module", "notebook"})
_CONSTRUCTORS = ("__init__", "__post_init__", "__new__")


class Scope(Struct, frozen=True):
    """A function, a class (its constructor), or with an empty `qualname` a module's own level.

    A module that is only imported does not run what stands behind its test of `__name__`.
    """

    path: str
    qualname: str = ""
    imported: bool = False


class ScopeFacts(Struct, frozen=True):
    """What a scope does itself: its calls, their uses of tools, and the scopes that they run."""

    calls: tuple[Call, ...] = ()
    uses: tuple[Use, ...] = ()
    runs: tuple[Scope, ...] = ()


def facts_of(project: Project, scope: Scope) -> ScopeFacts:
    """The facts of one scope, worked out once for a project."""
    known = project.scope_facts.get(scope)
    if known is None:
        module = project.modules.get(scope.path)
        known = _facts(project, module, scope) if module is not None else ScopeFacts()
        project.scope_facts[scope] = known
    return known


def _facts(project: Project, module: Module, scope: Scope) -> ScopeFacts:
    calls = scope_calls(module, scope.qualname)
    ends = module.main_line if scope.imported else None
    if ends is not None:
        calls = tuple(c for c in calls if module.flat(c.span) < ends)
    names = (
        {f"{scope.qualname}.{n}" for n in _CONSTRUCTORS}
        if scope.qualname and module.klass(scope.qualname) is not None
        else {scope.qualname}
    )
    below = tuple(f"{n}." for n in names) if scope.qualname else ()
    uses = tuple(
        u for u in project.uses_in(scope.path) if u.scope in names or u.scope.startswith(below)
    )
    if ends is not None:
        uses = tuple(u for u in uses if module.flat(u.span) < ends)
    runs = (_scope(s) for c in calls for s in project.index.targets(c, scope.path))
    return ScopeFacts(calls, uses, tuple(dict.fromkeys(runs)))


def scopes(
    project: Project, roots: Iterable[Scope], *, imports: bool = False, limit: int = _LIMIT
) -> tuple[Scope, ...]:
    """The scopes that run when `roots` run, nearest first.

    Args:
        project: where the code stands.
        roots: where to start.
        imports: also the module level of the project's modules that a root's module imports.
        limit: how many scopes at most.
    """
    return _walked(project, tuple(dict.fromkeys(roots)), imports=imports, limit=limit)


@once
def _walked(
    project: Project, roots: tuple[Scope, ...], *, imports: bool, limit: int
) -> tuple[Scope, ...]:
    queue = deque(roots)
    seen: dict[Scope, None] = dict.fromkeys(queue)
    while queue and len(seen) < limit:
        scope = queue.popleft()
        following = list(facts_of(project, scope).runs)
        module = project.modules.get(scope.path)
        if imports and not scope.qualname and module is not None:
            following += _imported(project, module)
        for item in following:
            whole = Scope(item.path, item.qualname)
            if item not in seen and whole not in seen and len(seen) < limit:
                seen[item] = None
                queue.append(item)
    return tuple(seen)


def _scope(symbol: Symbol) -> Scope:
    return Scope(symbol.path, symbol.qualname)


def _imported(project: Project, module: Module) -> Iterator[Scope]:
    for item in module.imports:
        symbol = project.index.resolve(item.dotted, module.path) or project.index.resolve(
            item.module, module.path
        )
        if symbol and symbol.path != module.path:
            yield Scope(symbol.path, imported=True)


def scope_calls(module: Module, qualname: str) -> tuple[Call, ...]:
    """The calls that run when a scope runs; those behind a false constant are left out."""
    if qualname and module.klass(qualname) is not None:
        found = [c for n in _CONSTRUCTORS for c in module.calls_in(f"{qualname}.{n}")]
    else:
        found = list(module.calls_in(qualname))
    # `self.next(self.train)` names the next step of a flow; it does not call it.
    return tuple(c for c in found if c.runs and not (c.method == "next" and c.receiver == "self"))


def calls_of(project: Project, found: Iterable[Scope]) -> Iterator[tuple[Module, Call]]:
    """The calls in scopes."""
    for scope in found:
        module = project.modules.get(scope.path)
        if module is not None:
            for call in facts_of(project, scope).calls:
                yield module, call


def uses_of(project: Project, found: Iterable[Scope]) -> Iterator[Use]:
    """The uses of tools in the calls of scopes."""
    for scope in found:
        yield from facts_of(project, scope).uses


def scopes_from(
    project: Project, nodes: Iterable[Node], *, imports: bool = False
) -> tuple[tuple[Scope, ...], tuple[Node, ...]]:
    """The code that graph nodes run, and the other nodes (commands, scripts) on the way to it."""
    queue = deque(nodes)
    seen: dict[Node, None] = dict.fromkeys(queue)
    roots: dict[Scope, None] = {}
    while queue and len(seen) < _LIMIT:
        node = queue.popleft()
        if node.kind in _CODE:
            scope = _scope(node.payload) if node.kind == "function" else Scope(node.key[0])
            roots[scope] = None
            continue
        for edge in project.graph.edges(node):
            if edge.target not in seen and edge.target.kind != "tests":
                seen[edge.target] = None
                queue.append(edge.target)
    others = tuple(n for n in seen if n.kind not in _CODE)
    return scopes(project, roots, imports=imports), others


def processes(project: Project, found: Iterable[Scope]) -> Iterator[Node]:
    """The commands that scopes start as processes of their own, such as `subprocess.run`."""
    for scope in found:
        if scope.path not in project.modules:
            continue
        symbol = Symbol(scope.path, scope.qualname, "function" if scope.qualname else "module")
        for edge in project.graph.edges(project.nodes.function(symbol)):
            if edge.target.kind == "command":
                yield edge.target


def commands_of(project: Project, nodes: Iterable[Node]) -> Iterator[Use]:
    """The uses in the commands among nodes."""
    for node in nodes:
        if node.kind == "command":
            command, _ = node.payload
            yield from command_uses(command, project.catalogue)
