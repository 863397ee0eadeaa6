"""Guarded TOML with positions, in the same `Node`s as YAML and JSON.

`tomli` gives values without places, so a scan of the lines finds where each key stands, and
where the texts of a list stand below it.
"""

from __future__ import annotations

import re

import tomli
from msgspec import Struct, field

from mlops_audit.facts.decoding import text_to_read
from mlops_audit.facts.nodes import Entry, Node, null_node, text_node
from mlops_audit.facts.types import Unreadable
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = ["load_toml"]

MAX_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 60
_HEADER = regex(r"\s*(\[\[?)\s*([^\]]+?)\s*\]")
_KEY = regex(r"""\s*((?:"[^"]*"|'[^']*'|[\w.\- ])+?)\s*=""")
_KEY_PART = regex(r"""\s*(?:"([^"]*)"|'([^']*)'|([\w\-]+))\s*\.?""")
_MULTILINE = ('"""', "'''")

_Path = tuple[str, ...]


class _Places(Struct):
    """The line of each key's path; list members of tables are counted into the path."""

    lines: list[str]
    keys: dict[_Path, int] = field(default_factory=dict)

    def scan(self) -> None:
        table: _Path = ()
        counts: dict[_Path, int] = {}
        closing = ""
        for number, line in enumerate(self.lines, 1):
            if closing:
                closing = "" if closing in line else closing
                continue
            head = line[:400]  # keys and headers are short; this keeps the scan linear
            header = _HEADER.match(head)
            if header and "=" not in line.split("]", 1)[0]:
                table = _parts(header[2])
                if header[1] == "[[":
                    counts[table] = counts.get(table, -1) + 1
                    self.keys.setdefault(table, number)
                    table = (*table, str(counts[table]))
                else:
                    table = self._within(table, counts)
                # A table that has no header of its own stands where its first one does.
                for size in range(1, len(table) + 1):
                    self.keys.setdefault(table[:size], number)
                continue
            key = _KEY.match(head)
            if key:
                path = table
                for part in _parts(key[1]):
                    path = (*path, part)
                    self.keys.setdefault(path, number)
            for mark in _MULTILINE:
                if line.count(mark) % 2:
                    closing = mark

    @staticmethod
    def _within(table: _Path, counts: dict[_Path, int]) -> _Path:
        """A table below the last member of a list of tables."""
        for size in range(len(table) - 1, 0, -1):
            if table[:size] in counts:
                return (*table[:size], str(counts[table[:size]]), *table[size:])
        return table

    def text(self, text: str, start: int) -> int:
        """The line at or below `start` on which a text stands, else `start`."""
        for number in range(start, min(start + 400, len(self.lines)) + 1):
            if text and text in self.lines[number - 1]:
                return number
        return start


def _parts(text: str) -> _Path:
    return tuple(m[1] or m[2] or m[3] or "" for m in _KEY_PART.finditer(text))[:MAX_DEPTH]


def load_toml(data: bytes | str, path: str) -> Node | Unreadable:
    """The root node of a TOML file, or an `Unreadable` that says why not. Never raises.

    Args:
        data: the file's bytes or text.
        path: its path in the repository, for the span of an `Unreadable`.
    """
    text = text_to_read(data, path, "TOML", MAX_BYTES)
    if isinstance(text, Unreadable):
        return text
    try:
        root = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        reason = str(error).split(" (at", 1)[0][:120]
        return Unreadable(Span(path, int(found[1]) if found else None), f"no TOML: {reason}")
    except (RecursionError, ValueError, MemoryError):
        return Unreadable(Span(path), "TOML that nests too deep or holds an impossible number")
    places = _Places(text.split("\n"))
    places.scan()
    return _node(root, (), 1, places)


def _node(value: object, path: _Path, line: int, places: _Places) -> Node:
    line = places.keys.get(path, line)
    if len(path) > MAX_DEPTH:
        return null_node(line)
    if isinstance(value, dict):
        entries: dict[str, Entry] = {}
        for key, inner in value.items():
            node = _node(inner, (*path, key), line, places)
            entries[key] = Entry(key, places.keys.get((*path, key), line), node)
        return Node("map", line, entries=entries)
    if isinstance(value, list):
        children: list[Node] = []
        at = line
        for number, inner in enumerate(value):
            if isinstance(inner, str):
                at = places.text(inner, at)
            elif isinstance(inner, (dict, list)):
                values = inner.values() if isinstance(inner, dict) else inner
                at = places.text(next((v for v in values if isinstance(v, str)), ""), at)
            children.append(_node(inner, (*path, str(number)), at, places))
        return Node("list", line, children=tuple(children))
    if isinstance(value, str):
        opening = places.lines[line - 1].rstrip() if line <= len(places.lines) else ""
        node = text_node(value, line)
        below = opening.endswith(_MULTILINE)
        return Node("scalar", line, value, line + 1, quoted=True) if below else node
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return Node("scalar", line, text, line, quoted=not isinstance(value, (bool, int, float)))
