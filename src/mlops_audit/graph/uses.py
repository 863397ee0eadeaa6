"""Where a project uses which tool for what: the tool catalogue laid over all facts.

A `Use` is a place with a capability, e.g. `tracker.metrics` at `train.py:41`. Uses are gathered
from calls, commands, CI actions, hooks, images and files; calls behind a constant that is false,
and everything in files that are not the project's own, are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from mlops_audit.facts.code import Call, Module
from mlops_audit.facts.command import unwrap
from mlops_audit.facts.types import Command
from mlops_audit.graph.catalogue import Catalogue, Details, Match
from mlops_audit.graph.execution import Node
from mlops_audit.model import Evidence, Span

__all__ = ["Around", "Use", "call_uses", "command_uses", "gives_coefficients", "imports_of"]

_MORE = " …"  # a call goes on after its first line


class Use(Struct, frozen=True, eq=False):
    """A tool used for something at a place.

    `where` is `call`, `command`, `action`, `hook`, `file`, `image`, `resource` or `value`. `scope`
    is the function around a call. `test` and `notebook` say in what kind of file it stands.
    """

    tool: str
    capability: str
    span: Span
    detail: str
    where: str
    scope: str = ""
    test: bool = False
    notebook: bool = False
    soft: bool = False
    why_soft: str = ""
    call: Call | None = None
    command: Command | None = None
    details: Details | None = None

    def _shown(self) -> tuple[object, ...]:
        place = (self.tool, self.capability, self.span, self.detail, self.where, self.scope)
        return (*place, self.test, self.notebook, self.soft, self.why_soft)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Use) and self._shown() == other._shown()

    def __hash__(self) -> int:
        return hash(self._shown())

    @property
    def path(self) -> str:
        """The file it stands in."""
        return self.span.path

    def evidence(self, chain: tuple[Evidence, ...] = ()) -> Evidence:
        """The use as evidence."""
        if self.call is not None and "\n" in self.call.receiver and self.detail[0] != "@":
            return Evidence(self.span, self.call.told, chain)
        shown = self.detail.removesuffix(_MORE)
        bare = shown.removeprefix("@")
        text = self.call.text if self.call is not None else ""
        whole = shown + text[len(bare) :] if text.startswith(bare) else self.detail
        if whole.startswith("@") and "(" not in whole and self.call is not None:
            whole = f"{whole} {self.call.decorates.rpartition('.')[2]}".rstrip()
        return Evidence(self.span, whole, chain)


def imports_of(
    modules: Mapping[str, Module], module: Module, near: Iterable[str]
) -> frozenset[str]:
    """Dotted names that a module, or the project's modules it imports (`near`), import."""
    found = {i.module for i in module.imports} | {i.dotted for i in module.imports}
    for path in near:
        other = modules.get(path)
        if other is not None:
            found |= {i.module for i in other.imports}
    return frozenset(n for n in found if n and not n.startswith("."))


class Around(Struct, frozen=True):
    """What the rest of the project says of a module's calls.

    `is_own` says whether a name is one of the project's code, `named` what a method of what an own
    function gives back is called in its library, `given` what settings a `**mapping` hands over.
    """

    is_own: Callable[[str], bool] = lambda _name: False
    named: Callable[[str], str] = lambda name: name
    given: Callable[[Call], dict[str, object]] = lambda _call: {}


def call_uses(
    module: Module,
    imports: frozenset[str],
    catalogue: Catalogue,
    *,
    test: bool,
    around: Around | None = None,
) -> Iterator[Use]:
    """The uses in a module's calls."""
    around = around or Around()
    for call in module.calls:
        if not call.runs:
            continue
        for match in catalogue.calls(around.named(call.name), imports):
            told = {**around.given(call), **keywords(call)} if call.spreads else keywords(call)
            if not match.details.holds(told, len(call.args)):
                continue
            if around.is_own(call.name) and _belongs(call.name, match):
                continue  # the tool's own repository defines it, and uses it nowhere
            details = match.details
            if match.capability == "train.fit" and gives_coefficients(module, call):
                details = replace(details, kind="curve")
            yield Use(
                match.tool.name,
                match.capability,
                call.span,
                _detail(call),
                "call",
                call.scope,
                test,
                module.notebook,
                match.soft,
                match.why,
                call,
                details=details,
            )


def gives_coefficients(module: Module, call: Call) -> bool:
    """Whether what is fitted is a line through points: its slope is read, nothing is predicted."""
    name, function = call.receiver, module.function(call.scope)
    if function is None or not name.isidentifier() or "coef_" not in module.names:
        return False
    if any(v.text == name for v in function.returns):
        return False
    for other in module.calls_in(call.scope):
        if other.receiver == name and other.method != "fit":
            return False
        if any(v.text == name for v in (*other.args, *(v for _, v in other.kwargs))):
            return False
    slope = re.compile(rf"\b{name}\.(coef_|intercept_)")
    return any(a.scope == call.scope and slope.search(a.value.text) for a in module.assigns)


def _belongs(name: str, match: Match) -> bool:
    """Whether a name starts with one of the tool's modules."""
    root = name.split(".", 1)[0]
    return any(root == m.split(".", 1)[0] for m in match.tool.modules)


def command_uses(
    command: Command, catalogue: Catalogue, *, test: bool = False, notebook: bool = False
) -> Iterator[Use]:
    """The uses in one command, taken out of its wrappers."""
    inner = unwrap(command)
    found: dict[tuple[str, str], Match] = {}
    for argv in dict.fromkeys((inner.argv, command.argv)):
        for match in catalogue.command(argv):
            found.setdefault((match.tool.key, match.capability), match)
    for match in found.values():
        yield Use(
            match.tool.name,
            match.capability,
            command.span,
            command.text,
            "command",
            test=test,
            notebook=notebook,
            soft=match.soft or command.soft,
            why_soft=match.why or command.why_soft,
            command=inner,
            details=match.details,
        )


def keywords(call: Call) -> dict[str, object]:
    """A call's keywords with their literal values, the text where they are none."""
    return {k: v.literal if v.is_literal else v.text for k, v in call.kwargs if k != "**"}


def action_uses(node: Node, catalogue: Catalogue) -> Iterator[Use]:
    """The uses of a CI action node."""
    uses = node.key[-1]
    for match in catalogue.action(uses):
        if not match.details.holds(node.payload.inputs):
            continue
        yield Use(
            match.tool.name,
            match.capability,
            node.span,
            f"uses {uses}",
            "action",
            details=match.details,
        )


def _detail(call: Call) -> str:
    """The first line of a call, marked where it goes on."""
    first, more, _ = call.text.partition("\n") if call.text else (f"{call.name}()", "", "")
    first = f"@{first}" if call.decorates and not first.startswith("@") else first
    return first + _MORE if more else first
