"""Guarded JSON with positions, in the same `Node`s as YAML.

Comments and trailing commas, as editors' configuration files have them, are read over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from mlops_audit.facts.decoding import text_to_read
from mlops_audit.facts.nodes import Entry, Node, is_null_text
from mlops_audit.facts.types import Unreadable
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = ["load_json"]

MAX_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 100

_TOKEN = regex(
    r"""
    (?P<space>[ \t\r\n]+|//[^\n]*|/\*.*?\*/)
    |(?P<string>"(?:[^"\\]|\\.)*")
    |(?P<mark>[{}\[\],:])
    |(?P<word>[-+.\w]+)
    """,
    re.VERBOSE | re.DOTALL,
)


class _BrokenError(Exception):
    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


_Token = tuple[str, str, int]


def load_json(data: bytes | str, path: str) -> Node | Unreadable:
    """The root node of a JSON file, or an `Unreadable` that says why not. Never raises.

    Args:
        data: the file's bytes or text.
        path: its path in the repository, for the span of an `Unreadable`.
    """
    text = text_to_read(data, path, "JSON", MAX_BYTES)
    if isinstance(text, Unreadable):
        return text
    tokens = _tokens(text)
    try:
        node = _value(tokens, next(tokens), 0)
        trailing = next(tokens)
    except _BrokenError as error:
        return Unreadable(Span(path, error.line), f"no JSON: {error.reason}")
    if trailing[0] != "end":
        return Unreadable(Span(path, trailing[2]), "no JSON: text after the end")
    return node


def _tokens(text: str) -> Iterator[_Token]:
    at, line = 0, 1
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise _BrokenError("an unexpected character", line)
        kind = found.lastgroup or ""
        token = found[0]
        if kind != "space":
            yield kind, token, line
        if kind in ("space", "string"):
            line += token.count("\n")
        at = found.end()
    while True:
        yield "end", "", line


def _value(tokens: Iterator[_Token], token: _Token, depth: int) -> Node:
    kind, text, line = token
    if depth > MAX_DEPTH:
        raise _BrokenError(f"nested deeper than {MAX_DEPTH} levels", line)
    if kind == "string":
        return Node("scalar", line, _string(text, line), line, quoted=True)
    if kind == "word":
        if is_null_text(text):
            return Node("null", line, text, line)
        return Node("scalar", line, text, line)
    if text == "{":
        return _map(tokens, line, depth)
    if text == "[":
        return _list(tokens, line, depth)
    raise _BrokenError("a value is missing", line)


def _map(tokens: Iterator[_Token], start: int, depth: int) -> Node:
    entries: dict[str, Entry] = {}
    for kind, text, line in tokens:
        if text == "}" and kind == "mark":
            break
        if kind != "string":
            raise _BrokenError("a key is missing", line)
        key = _string(text, line)
        if next(tokens)[1] != ":":
            raise _BrokenError("a colon is missing", line)
        entries[key] = Entry(key, line, _value(tokens, next(tokens), depth + 1))
        _, after, at = next(tokens)
        if after == "}":
            break
        if after != ",":
            raise _BrokenError("a comma is missing", at)
    return Node("map", start, entries=entries)


def _list(tokens: Iterator[_Token], start: int, depth: int) -> Node:
    members: list[Node] = []
    for token in tokens:
        if token[0] == "mark" and token[1] == "]":
            break
        members.append(_value(tokens, token, depth + 1))
        kind, after, at = next(tokens)
        if kind == "mark" and after == "]":
            break
        if kind != "mark" or after != ",":
            raise _BrokenError("a comma is missing", at)
    return Node("list", start, children=tuple(members))


def _string(text: str, line: int) -> str:
    try:
        value: str = json.loads(text, strict=False)
    except ValueError:
        raise _BrokenError("a string with a broken escape", line) from None
    return value
