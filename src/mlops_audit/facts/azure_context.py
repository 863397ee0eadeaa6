"""Where a piece of an Azure pipeline stands: file, parameters, variables, templates above it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from mlops_audit.facts.cicommon import folder_of, inside, joined, on_one_line, root_map
from mlops_audit.facts.conditions import evaluate
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.types import Getter, Trigger, Unreadable
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = ["Context", "Template"]

MAX_TEMPLATES = 20
MAX_EXPANDED = 2000
# Each start stops at the next one, so that a text of starts alone costs no more than its length.
_EXPRESSION = regex(r"\$\{\{((?:(?!\$\{\{).){0,1000}?)\}\}", re.DOTALL)
_NAME = regex(r"(parameters|variables)(?:\.([\w\-]+)|\['([^']+)'\])")
_MACRO = regex(r"\$\(([\w.\-]+)\)")
_ROOTS = frozenset(
    {"build.sourcesdirectory", "system.defaultworkingdirectory", "build.repository.localpath"}
)
_COMMANDS = frozenset(
    ["arch", "date", "hostname", "id", "ls", "mktemp", "nproc", "pwd", "uname", "uuidgen", "whoami"]
)
_IF = regex(r"\$\{\{\s*(?:else)?\s*if\s+(.{1,1000}?)\s*\}\}", re.DOTALL)


class Template(Struct, frozen=True):
    """A template's root with the context in which it is read."""

    root: Node
    context: Context


class Context(Struct, frozen=True):
    """Passed down while a pipeline is read; `unreadable` and `budget` are shared."""

    path: str
    getter: Getter
    calls: tuple[str, ...]
    parameters: Mapping[str, Node] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    triggers: tuple[Trigger, ...] = ()
    image: str = ""
    unreadable: list[Unreadable] = field(default_factory=list)
    budget: list[int] = field(default_factory=lambda: [MAX_EXPANDED])

    def text(self, text: str) -> str:
        """A text with `${{ parameters.x }}` and `${{ variables.x }}` replaced where known."""
        return _EXPRESSION.sub(self._value, text) if "${{" in text else text

    def _value(self, found: re.Match[str]) -> str:
        name = _NAME.fullmatch(found[1].strip())
        lines = "\n" * found[0].count("\n")
        if not name:
            return "${expression}" + lines
        key = name[2] or name[3]
        if name[1] == "parameters":
            node = self.parameters.get(key)
            value = node.text if node is not None and node.kind == "scalar" else None
        else:
            value = self.variables.get(key.lower())
        told = on_one_line(value) if value is not None else None
        return f"${{{name[1]}.{key}}}" if told is None else told + lines

    def script(self, text: str) -> str:
        """A script with expressions and `$(macros)` replaced; an unknown macro is a variable."""

        def value(found: re.Match[str]) -> str:
            name = found[1].lower()
            if name in _ROOTS:
                return "."
            known = self.variables.get(name)
            if known is not None and "\n" not in known and "$(" not in known:
                return known
            # `$(pwd)` is the shell's, `$(Build.BuildId)` and `$(name)` are Azure's.
            if known is None and name in _COMMANDS:
                return found[0]
            return "${" + found[1].replace(".", "_") + "}"

        return _MACRO.sub(value, self.text(text))

    def folder(self, text: str) -> str:
        """A working directory inside the repository."""
        return joined("", self.script(text))

    def members(self, node: Node | None) -> Iterator[Node]:
        """The maps of a list, through `${{ if }}`, `${{ each }}` and `${{ parameters.list }}`."""
        pending = list(node.many()) if node is not None else []
        while pending and self.budget[0] > 0:
            item = pending.pop(0)
            self.budget[0] -= 1
            if item.kind == "scalar":
                name = _NAME.fullmatch(
                    item.text.strip().removeprefix("${{").removesuffix("}}").strip()
                )
                given = self.parameters.get(name[2] or name[3]) if name else None
                pending[:0] = given.list() if given is not None else ()
            elif item.kind == "map":
                inserted = [key for key in item.entries if key.startswith("${{")]
                if len(inserted) < len(item.entries):
                    yield item
                for key in inserted:
                    value = item.get(key)
                    if value is not None and value.kind == "list" and self._holds(key):
                        pending[:0] = value.list()

    def _holds(self, key: str) -> bool:
        found = _IF.fullmatch(key.strip())
        if not found:
            return True
        known: dict[str, str | None] = {
            f"parameters.{name.lower()}": node.text
            for name, node in self.parameters.items()
            if node.kind == "scalar"
        }
        return evaluate(found[1], known) is not False

    def template(self, node: Node) -> Template | None:
        """The template that an item names, with its parameters; None where it cannot be read."""
        name = self.text(node.str_at("template"))
        span = Span(self.path, node.line_of("template"))
        name, _, repository = name.partition("@")
        if repository not in ("", "self"):
            self.unreadable.append(Unreadable(span, f"template {name} of another repository"))
            return None
        path = inside(name, base=folder_of(self.path))
        data = self.getter(path) if path and path not in self.calls else None
        root = root_map(data, path) if data is not None else None
        if not isinstance(root, Node) or len(self.calls) >= MAX_TEMPLATES:
            reason = root.reason if isinstance(root, Unreadable) else "no such file, or a cycle"
            self.unreadable.append(Unreadable(span, f"template {name}: {reason}"))
            return None
        parameters = {**_defaults(root.get("parameters")), **self._given(node.get("parameters"))}
        context = replace(self, path=path, calls=(*self.calls, path), parameters=parameters)
        return Template(root, context)

    def _given(self, node: Node | None) -> dict[str, Node]:
        if node is None:
            return {}
        return {
            key: replace(value, text=self.text(value.text)) if "${{" in value.text else value
            for key, value in node.items()
        }

    def with_variables(self, node: Node | None) -> Context:
        """This context with the variables of a `variables:` block, through templates."""
        found = dict(self.variables)
        if node is not None and node.kind == "map":
            for key, value in node.items():
                found[key.lower()] = self.text(value.text)
            return replace(self, variables=found)
        context = self
        for item in self.members(node):
            if item.get("template") is not None:
                template = context.template(item)
                if template is not None:
                    inner = template.context.with_variables(template.root.get("variables"))
                    context = replace(context, variables=inner.variables)
            elif item.str_at("name"):
                own = {item.str_at("name").lower(): context.text(item.str_at("value"))}
                context = replace(context, variables={**context.variables, **own})
        return context


def _defaults(node: Node | None) -> dict[str, Node]:
    if node is None:
        return {}
    if node.kind == "map":
        return dict(node.items())
    found = {item.str_at("name"): item.get("default") for item in node.list()}
    return {name: value for name, value in found.items() if name and value is not None}
