"""What a document holds: sections, code blocks, tables and links, as the readers give them."""

from __future__ import annotations

from msgspec import Struct

from mlops_audit.facts.nodes import Node
from mlops_audit.facts.types import Command
from mlops_audit.model import Span

__all__ = ["CodeBlock", "Document", "Link", "Section", "Table"]


class Link(Struct, frozen=True):
    """A link; `url` as written, `target` the file of the repository that it leads to, if any."""

    text: str
    url: str
    target: str
    span: Span


class CodeBlock(Struct, frozen=True):
    """A code block; `commands` where it is a shell text."""

    language: str
    text: str
    span: Span
    commands: tuple[Command, ...] = ()


class Table(Struct, frozen=True):
    """A table: its header's cells and its rows."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    span: Span


class Section(Struct, frozen=True):
    """A heading and what stands below it, up to the next heading.

    `level` counts from 1; 0 is what stands before the first heading. `text` is the prose without
    code and comments; `words` counts it.
    """

    level: int
    title: str
    span: Span
    text: str = ""
    words: int = 0
    code: tuple[CodeBlock, ...] = ()
    links: tuple[Link, ...] = ()
    tables: tuple[Table, ...] = ()
    items: tuple[str, ...] = ()


class Document(Struct, frozen=True):
    """A document: sections in order, front matter, counts over all."""

    path: str
    title: str = ""
    sections: tuple[Section, ...] = ()
    front_matter: Node | None = None
    words: int = 0
    lines: int = 0

    @property
    def links(self) -> tuple[Link, ...]:
        """All links, in order."""
        return tuple(link for section in self.sections for link in section.links)

    @property
    def commands(self) -> tuple[Command, ...]:
        """The commands of all code blocks, in order."""
        return tuple(c for s in self.sections for block in s.code for c in block.commands)

    def under(self, section: Section) -> tuple[Section, ...]:
        """A section with the sections below it (of deeper levels)."""
        at = self.sections.index(section)
        end = at + 1
        while end < len(self.sections) and self.sections[end].level > section.level:
            end += 1
        return self.sections[at:end]
