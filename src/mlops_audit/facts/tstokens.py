"""The brackets and words of a TypeScript or JavaScript file, without understanding it.

Types, control flow and regular expressions are not told apart: what the readers above need are
calls with literal arguments, and for these words, strings and balanced brackets are enough.
"""

from __future__ import annotations

import re

from msgspec import Struct, field

from mlops_audit.regex import regex

__all__ = ["Group", "Item", "Word", "read_groups"]

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 80

_TOKEN = regex(
    r"//[^\n]*|/\*(?s:.*?)\*/"
    r"|(?P<string>'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\")"
    r"|(?P<template>`(?:[^`\\]|\\(?s:.))*`)"
    r"|(?P<name>[A-Za-z_$][\w$]*)"
    r"|(?P<number>\d[\w.]*)"
    r"|(?P<mark>=>|\?\.|&&|\|\||\?\?|[=!]==?|\.\.\.|[^\s\w])"
)
_CLOSES = {"(": ")", "[": "]", "{": "}"}
_ESCAPE = regex(r"\\(.)", re.DOTALL)


class Word(Struct, frozen=True):
    """A word, string, number or mark; `text` of a string is what stands between the quotes."""

    kind: str
    text: str
    line: int
    start: int
    end: int


class Group(Struct):
    """Brackets and what stands in them; offsets are those of the brackets themselves."""

    opens: str
    line: int
    start: int
    end: int = 0
    items: list[Item] = field(default_factory=list)


Item = Word | Group


def read_groups(text: str) -> Group | None:
    """The file as one group of words and nested groups; None when it is too large or too deep.

    A closing bracket that does not fit is ignored, an opening one that is never closed ends with
    the file.
    """
    if len(text) > MAX_BYTES:
        return None
    root = Group("", 1, 0, len(text))
    stack = [root]
    line, at = 1, 0
    for match in _TOKEN.finditer(text):
        line += text.count("\n", at, match.start())
        at = match.start()
        kind = match.lastgroup
        if kind is None:
            continue
        told = match[0]
        if kind == "mark" and told in _CLOSES:
            if len(stack) > MAX_DEPTH:
                return None
            group = Group(told, line, at, len(text))
            stack[-1].items.append(group)
            stack.append(group)
        elif kind == "mark" and told in ")]}":
            if len(stack) > 1 and _CLOSES[stack[-1].opens] == told:
                stack.pop().end = match.end()
        else:
            stack[-1].items.append(_word(kind, told, line, match.start(), match.end()))
    return root


def _word(kind: str, told: str, line: int, start: int, end: int) -> Word:
    if kind == "template":
        # Holes stay in the text: `${name}` says that the whole is not known.
        whole = "${" in told
        return Word("template" if whole else "string", told[1:-1], line, start, end)
    if kind == "string":
        return Word(kind, _ESCAPE.sub(r"\1", told[1:-1]), line, start, end)
    return Word(kind, told, line, start, end)
