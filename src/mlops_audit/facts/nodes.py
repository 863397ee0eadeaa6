"""The tree that the guarded YAML and JSON readers give: plain nodes with line numbers.

Nothing here is ever built by a tag of the audited file; `!Ref`, `!Sub`, `!reference`, `!vault` and
the like stay in `Node.tag`, and the node below them is an ordinary one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from mlops_audit.regex import regex

__all__ = ["EMPTY", "Entry", "Node", "Plain", "Scalar", "null_node", "text_node"]

Scalar = str | int | float | bool | None
Plain = Scalar | list["Plain"] | dict[str, "Plain"]

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
# YAML 1.2 core schema, chapter 10.3.2; lengths are bounded because `int` refuses 4300 digits.
_INT = regex(r"[-+]?[0-9]{1,300}")
_RADIX = regex(r"0o[0-7]{1,200}|0x[0-9a-fA-F]{1,200}")
_FLOAT = regex(r"[-+]?(?:\.[0-9]{1,300}|[0-9]{1,300}(?:\.[0-9]{0,300})?)(?:[eE][-+]?[0-9]{1,6})?")
_SPECIAL = regex(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


class Entry(Struct, frozen=True, eq=False):
    """One key of a map: the key's own line (1-based) and its value."""

    key: str
    line: int
    node: Node


_NO_ENTRIES: Mapping[str, Entry] = {}


class Node(Struct, frozen=True, eq=False):
    """A place in a YAML or JSON file.

    `kind` is `map`, `list`, `scalar` or `null`. `line` (1-based) is where the value starts;
    `text_line` is where a scalar's text starts, one below for a block scalar (`run: |`). `text`
    is the scalar as written, after escapes and folding. `tag` is `!Ref` and the like, or empty.
    A map keeps the file's order; of a key that stands twice the last value counts, as in YAML
    readers; merge keys (`<<`) are applied. All trees are bounded in size and depth, also through
    aliases.
    """

    kind: str
    line: int
    text: str = ""
    text_line: int = 0
    tag: str = ""
    quoted: bool = False
    entries: Mapping[str, Entry] = field(default_factory=lambda: _NO_ENTRIES)
    children: tuple[Node, ...] = ()

    @property
    def value(self) -> Scalar:
        """The scalar's value in YAML 1.2's sense: `on` and `yes` are strings, `1e-05` a float."""
        if self.kind != "scalar":
            return None
        return self.text if self.quoted else resolve(self.text)

    @property
    def is_null(self) -> bool:
        """Whether the value is absent (`key:`), `~` or `null`."""
        return self.kind == "null"

    def items(self) -> Iterator[tuple[str, Node]]:
        """The keys and values of a map, in the file's order; nothing for other kinds."""
        for entry in self.entries.values():
            yield entry.key, entry.node

    def keys(self) -> tuple[str, ...]:
        """The keys of a map as written, in the file's order."""
        return tuple(self.entries)

    def get(self, *path: str) -> Node | None:
        """The node below `path`, or None where a step is missing or null stands in the way."""
        node = self
        for key in path:
            entry = node.entries.get(key)
            if entry is None:
                return None
            node = entry.node
        return node

    def line_of(self, *path: str) -> int:
        """The line of the last key of `path`, or of the deepest node on the way there."""
        node, line = self, self.line
        for key in path:
            entry = node.entries.get(key)
            if entry is None:
                return line
            node, line = entry.node, entry.line
        return line

    def str_at(self, *path: str) -> str:
        """The text of the scalar below `path`, or an empty string."""
        node = self.get(*path)
        return node.text if node is not None and node.kind == "scalar" else ""

    def list(self) -> tuple[Node, ...]:
        """The members of a list; nothing for other kinds."""
        return self.children

    def many(self) -> tuple[Node, ...]:
        """The members of a list; a scalar or map counts as a list of one, null as none."""
        if self.kind == "list":
            return self.children
        return () if self.kind == "null" else (self,)

    def strings(self) -> tuple[str, ...]:
        """The texts of the scalars of `many()`, others left out."""
        return tuple(node.text for node in self.many() if node.kind == "scalar")

    def plain(self) -> Plain:
        """Python data for comparisons; tags are dropped."""
        if self.kind == "map":
            return {key: node.plain() for key, node in self.items()}
        if self.kind == "list":
            return [node.plain() for node in self.children]
        return self.value

    def strings_at(self, *path: str) -> tuple[str, ...]:
        """The texts of the scalar or list below `path`; none where nothing is."""
        node = self.get(*path)
        return node.strings() if node is not None else ()

    def list_at(self, *path: str) -> tuple[Node, ...]:
        """The members of the list below `path`; none where no list is."""
        node = self.get(*path)
        return node.children if node is not None else ()

    def walk(self) -> Iterator[Node]:
        """This node and all below it, in the file's order."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            if node.kind == "map":
                stack.extend(entry.node for entry in reversed(tuple(node.entries.values())))
            else:
                stack.extend(reversed(node.children))


EMPTY = Node("map", 1)  # stands for a map that is not there


def resolve(text: str) -> Scalar:
    """A plain scalar's value by the YAML 1.2 core schema."""
    if text in _NULLS:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if text[0] not in "+-.0123456789":
        return text
    if _INT.fullmatch(text):
        return int(text)
    if _RADIX.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _SPECIAL.fullmatch(text):
        return float(text.replace(".", ""))
    return text


def text_node(text: str, line: int) -> Node:
    """A string scalar at `line`, for readers that make a node of something else."""
    return Node("scalar", line, text, line, quoted=True)


def null_node(line: int) -> Node:
    """An absent value at `line`."""
    return Node("null", line)


def is_null_text(text: str) -> bool:
    """Whether a plain scalar of this text is null."""
    return text in _NULLS
