"""A tolerant scanner for Groovy as Jenkins uses it: statements, blocks and strings with lines."""

from __future__ import annotations

import re

from msgspec import Struct, field

from mlops_audit.regex import regex

__all__ = ["Block", "Token", "scan_groovy"]

MAX_TEXT = 1024 * 1024
MAX_DEPTH = 80

_TOKEN = regex(
    r"""
    (?P<space>[ \t\r]+)
    |(?P<newline>\n)
    |(?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z)|\A\#![^\n]*)
    |(?P<string>'''(?:[^\\']|\\.|'(?!''))*'''|\"\"\"(?:[^\\"]|\\.|"(?!""))*\"\"\"
        |(?!''')'(?:[^'\\\n]|\\.)*'|(?!\"\"\")"(?:[^"\\\n]|\\.)*")
    |(?P<unclosed>\"\"\".*|'''.*|["'][^\n]*)
    |(?P<word>@?[A-Za-z_$][\w$.]*)
    |(?P<mark>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_STEP = {"(": 1, "[": 1, ")": -1, "]": -1}
_ESCAPE = regex(r"\\([\\'\"$])")


class Token(Struct, frozen=True):
    """A word, string or mark; a string's text starts on `line`."""

    kind: str
    text: str
    line: int


class Block(Struct):
    """A statement; `children` is None unless braces follow its tokens."""

    tokens: tuple[Token, ...]
    line: int
    children: list[Block] | None = field(default=None)

    @property
    def name(self) -> str:
        """The first word, or an empty string."""
        first = self.tokens[0] if self.tokens else None
        return first.text if first is not None and first.kind == "word" else ""

    def first_string(self) -> str:
        """The first string of the statement, or an empty one."""
        return next((token.text for token in self.tokens if token.kind == "string"), "")

    def named(self, name: str) -> list[Block]:
        """The children of a name."""
        return [child for child in self.children or () if child.name == name]


def scan_groovy(text: str) -> list[Block] | None:
    """The statements of a text as a tree; None when it is too long or nested too deep."""
    if len(text) > MAX_TEXT:
        return None
    current: list[Token] = []
    parens: list[int] = [0]
    opened: list[list[Block]] = [[]]
    for token in _tokens(text):
        children = opened[-1]
        if token.kind == "mark":
            parens[-1] = max(0, parens[-1] + _STEP.get(token.text, 0))
        if token.text == "{" and token.kind == "mark":
            opened.append([])
            if not current and children and children[-1].children is None:
                # The brace may stand on the line below `stage('x')`.
                current = list(children.pop().tokens)
            line = current[0].line if current else token.line
            children.append(Block(tuple(current), line, opened[-1]))
            parens.append(0)
            current = []
            if len(opened) > MAX_DEPTH:
                return None
        elif token.text == "}" and token.kind == "mark":
            _end(children, current)
            current = []
            if len(opened) > 1:
                opened.pop()
                parens.pop()
        elif _ends(token) and parens[-1] == 0:
            _end(children, current)
            current = []
        elif token.kind != "newline":
            current.append(token)
    _end(opened[-1], current)
    return opened[0]


def _ends(token: Token) -> bool:
    return token.kind == "newline" or (token.kind == "mark" and token.text == ";")


def _end(children: list[Block], tokens: list[Token]) -> None:
    if tokens and any(token.kind != "mark" for token in tokens):
        children.append(Block(tuple(tokens), tokens[0].line))


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    line = 1
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        written = match[0]
        if kind == "string":
            found.append(Token(kind, _string(written), line))
        elif kind in ("word", "mark", "newline"):
            found.append(Token(kind, written, line))
        if kind in ("newline", "comment", "string", "unclosed"):
            line += written.count("\n")
    return found


def _string(written: str) -> str:
    quotes = 3 if written[:3] in ("'''", '"""') else 1
    return _ESCAPE.sub(r"\1", written[quotes:-quotes])
