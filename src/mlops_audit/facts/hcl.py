"""A tolerant scanner for HCL: blocks, attributes, heredocs; comments removed; lines kept.

The result is a `Node`: blocks and attributes are a map's keys (a block's labels joined to its
type by spaces; a key that stands several times holds a list). What is neither a literal nor a
list or object is a scalar with the expression's text and the tag `!hcl`.
"""

from __future__ import annotations

import re

from msgspec import Struct

from mlops_audit.facts.nodes import Entry, Node, null_node, text_node
from mlops_audit.regex import regex

__all__ = ["HclBlock", "scan_hcl"]

MAX_TEXT = 2 * 1024 * 1024
MAX_DEPTH = 60
MAX_LABELS = 4

_TOKEN = regex(
    r"""
    (?P<space>[ \t\r]+)
    |(?P<newline>\n)
    |(?P<comment>\#[^\n]*|//[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<heredoc><<(?P<dash>[-~]?)(?P<mark_>\w{1,80})[ \t\r]*\n)
    |(?P<string>"(?:[^"\\$%\n]|\\.|[$%](?!\{)|[$%]\{(?:[^{}"\n]|"[^"\n]*"|\{[^{}\n]*\})*\})*")
    |(?P<unclosed>"[^\n]*)
    |(?P<word>[\w.\-*]+)
    |(?P<mark>=>|==|!=|<=|>=|&&|\|\||.)
    """,
    re.VERBOSE | re.DOTALL,
)
_LITERAL = regex(r"-?\d+(?:\.\d+)?|true|false|null")
_ENCODERS = frozenset({"jsonencode", "yamlencode"})
_ESCAPE = regex(r"\\([\\\"nt])")
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}


class HclBlock(Struct, frozen=True):
    """A block at the top of a file: `resource "aws_x" "y" { … }`."""

    type: str
    labels: tuple[str, ...]
    line: int
    body: Node


class _Token(Struct, frozen=True):
    kind: str
    text: str
    line: int
    text_line: int = 0


class _RefusedError(Exception):
    """Nested deeper than any real file."""


def scan_hcl(text: str) -> tuple[HclBlock, ...] | None:
    """The blocks of a file in order; None when it is too long or nested too deep."""
    if len(text) > MAX_TEXT:
        return None
    scanner = _Scanner(_tokens(text))
    try:
        return tuple(scanner.blocks())
    except _RefusedError:
        return None


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at, line = 0, 1
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            break
        kind, written, at = match.lastgroup or "", match[0], match.end()
        if match["mark_"]:
            body, at = _heredoc(text, at, match["mark_"])
            found.append(_Token("string", body, line, line + 1))
            line += 1 + text[match.end() : at].count("\n")
            continue
        if kind == "string":
            inner = _ESCAPE.sub(lambda m: _ESCAPES[m[1]], written[1:-1])
            found.append(_Token(kind, inner, line, line))
        elif kind in ("word", "mark", "newline"):
            found.append(_Token(kind, written, line))
        line += written.count("\n")
    return found


def _heredoc(text: str, at: int, mark: str) -> tuple[str, int]:
    end = re.compile(rf"^[ \t]*{re.escape(mark)}[ \t\r]*$", re.MULTILINE).search(text, at)
    if end is None:
        return text[at:], len(text)
    return text[at : end.start()], end.end()


class _Scanner:
    """Walks the tokens once; what it does not understand is skipped to the end of its line."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.at = 0

    def peek(self, ahead: int = 0) -> _Token:
        """The token `ahead` places further, or an end mark."""
        position = self.at + ahead
        return self.tokens[position] if position < len(self.tokens) else _Token("end", "", 1)

    def skip_lines(self) -> None:
        """Go over line ends and commas."""
        while self.peek().kind == "newline" or self._is(","):
            self.at += 1

    def _is(self, mark: str, ahead: int = 0) -> bool:
        token = self.peek(ahead)
        return token.kind == "mark" and token.text == mark

    def blocks(self) -> list[HclBlock]:
        """All blocks at the top."""
        found: list[HclBlock] = []
        while self.peek().kind != "end":
            self.skip_lines()
            token = self.peek()
            labels = self._labels() if token.kind == "word" else None
            if labels is None:
                self.at += 1
                continue
            found.append(HclBlock(token.text, labels, token.line, self._body(1)))
        return found

    def _labels(self) -> tuple[str, ...] | None:
        """The labels up to a block's brace, which is passed; None where no block starts."""
        ahead = 1
        while ahead <= MAX_LABELS and self.peek(ahead).kind in ("string", "word"):
            ahead += 1
        if not self._is("{", ahead):
            return None
        labels = tuple(self.peek(n).text for n in range(1, ahead))
        self.at += ahead + 1
        return labels

    def _body(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise _RefusedError
        start = self.peek().line
        found: dict[str, list[Entry]] = {}
        while self.peek().kind != "end":
            self.skip_lines()
            token = self.peek()
            if self._is("}"):
                self.at += 1
                break
            self._member(token, found, depth)
        entries = {key: _joined(items) for key, items in found.items()}
        return Node("map", start, entries=entries)

    def _member(self, token: _Token, found: dict[str, list[Entry]], depth: int) -> None:
        if token.kind in ("word", "string"):
            if self._is("=", 1) or self._is(":", 1):
                self.at += 2
                entry = Entry(token.text, token.line, self._value(depth))
                found.setdefault(token.text, []).append(entry)
                return
            labels = self._labels() if token.kind == "word" else None
            if labels is not None:
                # `dynamic "stage" { content { … } }` stands for the blocks that it makes.
                name = labels[0] if token.text == "dynamic" and labels else token.text
                body = self._body(depth + 1)
                content = body.get("content") if token.text == "dynamic" else None
                found.setdefault(name, []).append(Entry(name, token.line, content or body))
                return
        if token.kind != "end":
            self.at += 1

    def _value(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise _RefusedError
        token = self.peek()
        if token.kind in ("string", "word") and self._ends(1):
            self.at += 1
            return _scalar(token)
        if self._is("["):
            mark = self.at
            node = self._list(depth)
            if self._ends(0):
                return node
            self.at = mark
        if self._is("{"):
            self.at += 1
            return self._body(depth + 1)
        if token.text in _ENCODERS and self._is("(", 1):
            return self._encoded(depth) or self._expression()
        return self._expression()

    def _encoded(self, depth: int) -> Node | None:
        """What `jsonencode({ … })` is given: a definition that is written as an object."""
        mark = self.at
        self.at += 2
        self.skip_lines()
        node = self._value(depth + 1) if self._is("{") or self._is("[") else None
        self.skip_lines()
        if node is not None and self._is(")"):
            self.at += 1
            if self._ends(0):
                return node
        self.at = mark
        return None

    def _ends(self, ahead: int) -> bool:
        token = self.peek(ahead)
        if token.kind in ("newline", "end"):
            return True
        return token.kind == "mark" and token.text in ",]})"

    def _list(self, depth: int) -> Node:
        line = self.peek().line
        self.at += 1
        members: list[Node] = []
        while self.peek().kind != "end":
            self.skip_lines()
            if self._is("]"):
                self.at += 1
                break
            before = self.at
            members.append(self._value(depth + 1))
            if self.at == before:
                self.at += 1
        return Node("list", line, children=tuple(members))

    def _expression(self) -> Node:
        """Everything up to the end of the line or the surrounding bracket, as text."""
        line, words, open_marks = self.peek().line, [], 0
        while (token := self.peek()).kind != "end":
            if open_marks == 0 and self._ends(0):
                break
            if token.kind == "mark" and token.text in "([{":
                open_marks += 1
            elif token.kind == "mark" and token.text in ")]}":
                open_marks -= 1
            words.append(f'"{token.text}"' if token.kind == "string" else token.text.strip())
            self.at += 1
        text = " ".join(filter(None, words))[:4000]
        return Node("scalar", line, text, line, "!hcl", quoted=True)


def _joined(items: list[Entry]) -> Entry:
    if len(items) == 1:
        return items[0]
    first = items[0]
    nodes = tuple(item.node for item in items)
    return Entry(first.key, first.line, Node("list", first.line, children=nodes))


def _scalar(token: _Token) -> Node:
    if token.kind == "string":
        node = text_node(token.text, token.line)
        return Node("scalar", node.line, node.text, token.text_line or token.line, quoted=True)
    if token.text == "null":
        return null_node(token.line)
    if _LITERAL.fullmatch(token.text):
        return Node("scalar", token.line, token.text, token.line)
    return Node("scalar", token.line, token.text, token.line, "!hcl", quoted=True)
