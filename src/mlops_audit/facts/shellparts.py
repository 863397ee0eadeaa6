"""Words of the shell: the pieces that quoting and expansion make of them.

Kept as literal pieces: GitHub's `${{ }}`, Jinja's `{{ }}`, Azure's `$(name)` and `$[ ]`, and
arithmetic. A quote that is never closed is an ordinary character, so that prose, Windows paths and
half a script still give words.
"""

from __future__ import annotations

import re

from msgspec import Struct

from mlops_audit.regex import regex

__all__ = ["Part", "WordReader", "match_paren"]


class Part(Struct, frozen=True):
    """A piece of a word.

    `kind` is `lit` (text), `var` (text is the name, `default` what stands in when it is unset) or
    `sub` (text is the inner script of a command substitution, `line` where it starts).
    """

    kind: str
    text: str
    quoted: bool = False
    raw: str = ""
    default: str | None = None
    line: int = 0


_RUN = regex(r"[^\s'\"\\$`;&|<>(){]+")
_VARIABLE = regex(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]")
_BRACED = regex(r"([A-Za-z_][A-Za-z0-9_]*|[0-9@*])(?:(:?[-=+?])(.*))?", re.DOTALL)
_DOUBLE = regex(r"[^\"\\$`{]+")
_PAREN_STOP = regex(r"[\\'\"()`#]")
_ARRAY = regex(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
_AZURE_NAME = regex(r"[A-Za-z_][\w.\-\[\]']*")
_BRACE_STOP = regex(r"\\.|[{}]", re.DOTALL)
_BRACES = {"{{": "}}", "{%": "%}", "{#": "#}"}


def match_paren(text: str, start: int) -> int:  # noqa: C901, PLR0912 -- one state machine
    """Give the index of the `)` that closes the group whose inside starts at `start`.

    The text's length when it is never closed. One pass, no recursion.
    """
    stack = [")"]
    i, n = start, len(text)
    while i < n:
        found = _PAREN_STOP.search(text, i)
        if not found:
            return n
        i, char = found.start(), found[0]
        if char == "\\":
            i += 2
            continue
        if stack[-1] == '"':
            if char == '"':
                stack.pop()
            elif char == "(" and i and text[i - 1] == "$":
                stack.append(")")
        elif char == '"':
            stack.append('"')
        elif char in "'`":
            i = text.find(char, i + 1)
            if i < 0:
                return n
        elif char == "(":
            stack.append(")")
        elif char == ")":
            stack.pop()
            if not stack:
                return i
        elif text[i - 1].isspace():  # a comment
            i = text.find("\n", i)
            if i < 0:
                return n
        i += 1
    return n


class WordReader:
    """A place in a text that moves on over words; `i` is the index, `line` counts from 1."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.i = 0
        self.line = 1
        # Once a closing mark is known to be absent from the rest, no later search is made for it:
        # this keeps hostile input linear.
        self.absent: set[str] = set()

    def advance(self, end: int) -> str:
        """Move to an index and give what lies between."""
        piece = self.text[self.i : end]
        self.line += piece.count("\n")
        self.i = end
        return piece

    def find(self, mark: str, start: int) -> int:
        """The index of the mark at or after `start`, -1 where there is none."""
        if mark in self.absent:
            return -1
        found = self.text.find(mark, start)
        if found < 0:
            self.absent.add(mark)
        return found

    def word(self) -> tuple[Part, ...]:
        """Move over the word that starts here and give its pieces."""
        start = self.i
        parts: list[Part] = []
        n = len(self.text)
        while self.i < n:
            char = self.text[self.i]
            if char.isspace() or char in ";&|":
                break
            if char in "<>" and not (self.text.startswith("(", self.i + 1) and not parts):
                break
            if char in "()":
                if char == "(" and _ARRAY.fullmatch(self.text, start, self.i):
                    end = min(match_paren(self.text, self.i + 1) + 1, n)
                    raw = self.advance(end)
                    parts.append(Part("lit", raw, raw=raw))
                    continue
                break
            before = self.i
            self._piece(char, parts)
            if self.i == before:  # pragma: no cover -- a guard against standing still
                self.i += 1
        return tuple(parts)

    def _piece(self, char: str, parts: list[Part]) -> None:
        run = _RUN.match(self.text, self.i)
        if run:
            parts.append(Part("lit", run[0], raw=run[0]))
            self.i = run.end()
        elif char == "\\":
            self._escape(parts)
        elif char == "'":
            self._single(parts)
        elif char == '"':
            self._double(parts)
        elif char == "$":
            self._dollar(parts, quoted=False)
        elif char == "`":
            self._backtick(parts, quoted=False)
        elif char in "<>":  # process substitution
            end = min(match_paren(self.text, self.i + 2) + 1, len(self.text))
            line, raw = self.line, self.advance(end)
            parts.append(Part("sub", raw[2:-1], raw=raw, line=line))
        else:
            self._brace(parts, quoted=False)

    def _escape(self, parts: list[Part]) -> None:
        following = self.text[self.i + 1 : self.i + 2]
        self.advance(min(self.i + 2, len(self.text)))
        if following != "\n":
            # A backslash before a letter is a Windows path far more often than an escape.
            text = "\\" + following if following.isalnum() or not following else following
            parts.append(Part("lit", text, quoted=not following.isalnum(), raw="\\" + following))

    def _single(self, parts: list[Part]) -> None:
        end = self.find("'", self.i + 1)
        if end < 0:
            parts.append(Part("lit", "'", raw="'"))
            self.i += 1
            return
        raw = self.advance(end + 1)
        parts.append(Part("lit", raw[1:-1], quoted=True, raw=raw))

    def _double(self, parts: list[Part]) -> None:
        if '"' in self.absent or self.find('"', self.i + 1) < 0:
            parts.append(Part("lit", '"', raw='"'))
            self.i += 1
            return
        self.i += 1
        n = len(self.text)
        before = len(parts)
        while self.i < n and self.text[self.i] != '"':
            char = self.text[self.i]
            run = _DOUBLE.match(self.text, self.i)
            if run:
                piece = self.advance(run.end())
                parts.append(Part("lit", piece, quoted=True, raw=piece))
            elif char == "\\":
                following = self.text[self.i + 1 : self.i + 2]
                raw = self.advance(min(self.i + 2, n))
                text = following if following in {'"', "\\", "$", "`"} else raw
                if following != "\n":
                    parts.append(Part("lit", text, quoted=True, raw=raw))
            elif char == "$":
                self._dollar(parts, quoted=True)
            elif char == "`":
                self._backtick(parts, quoted=True)
            else:
                self._brace(parts, quoted=True)
        self.i = min(self.i + 1, n)
        if len(parts) == before:
            parts.append(Part("lit", "", quoted=True, raw='""'))

    def _brace(self, parts: list[Part], *, quoted: bool) -> None:
        """`{{ x }}` is one piece with its spaces; any other brace is an ordinary character."""
        closing = _BRACES.get(self.text[self.i : self.i + 2], "")
        end = self.find(closing, self.i + 2) if closing else -1
        raw = self.advance(end + 2 if end >= 0 else self.i + 1)
        parts.append(Part("lit", raw, quoted=quoted, raw=raw))

    def _backtick(self, parts: list[Part], *, quoted: bool) -> None:
        end = self.find("`", self.i + 1)
        line = self.line
        if end < 0:
            parts.append(Part("lit", "`", quoted=quoted, raw="`"))
            self.i += 1
            return
        raw = self.advance(end + 1)
        parts.append(Part("sub", raw[1:-1], quoted=quoted, raw=raw, line=line))

    def _dollar(self, parts: list[Part], *, quoted: bool) -> None:
        text, i, line = self.text, self.i, self.line
        following = text[i + 1 : i + 2]
        if following == "(":
            self._parenthesis(parts, quoted=quoted)
            return
        if following == "{":
            self._braced(parts, quoted=quoted)
            return
        if following == "[" and (end := self.find("]", i)) >= 0:
            raw = self.advance(end + 1)
            parts.append(Part("lit", raw, quoted=quoted, raw=raw))
            return
        if following == "'" and not quoted:  # ANSI quoting: $'…'
            self.i += 1
            self._single(parts)
            return
        name = _VARIABLE.match(text, i + 1)
        if name:
            self.i = name.end()
            parts.append(Part("var", name[0], quoted=quoted, raw=text[i : self.i], line=line))
            return
        self.i += 1
        parts.append(Part("lit", "$", quoted=quoted, raw="$"))

    def _parenthesis(self, parts: list[Part], *, quoted: bool) -> None:
        line = self.line
        arithmetic = self.text.startswith("((", self.i + 1)
        end = min(match_paren(self.text, self.i + 2) + 1, len(self.text))
        raw = self.advance(end)
        inner = raw[2:-1]
        if arithmetic or _AZURE_NAME.fullmatch(inner):
            # `$(Build.Reason)` is an Azure variable; a command of one word tells nothing either.
            parts.append(Part("lit", raw, quoted=quoted, raw=raw))
        else:
            parts.append(Part("sub", inner, quoted=quoted, raw=raw, line=line))

    def _braced(self, parts: list[Part], *, quoted: bool) -> None:
        text, i, line = self.text, self.i, self.line
        if text.startswith("{{", i + 1):
            end = self.find("}}", i)
            raw = self.advance(end + 2 if end >= 0 else i + 1)
            parts.append(Part("lit", raw, quoted=quoted, raw=raw))
            return
        end = self._closing_brace(i + 2)
        if end < 0:
            parts.append(Part("lit", "$", quoted=quoted, raw="$"))
            self.i += 1
            return
        raw = self.advance(end + 1)
        found = _BRACED.fullmatch(raw, 2, len(raw) - 1)
        if not found:
            parts.append(Part("lit", raw, quoted=quoted, raw=raw))
            return
        default = found[3] if found[2] and found[2][-1] in "-=" else None
        if found[2] and found[2][-1] == "+":
            parts.append(Part("lit", raw, quoted=quoted, raw=raw))
            return
        parts.append(Part("var", found[1], quoted=quoted, raw=raw, default=default, line=line))

    def _closing_brace(self, start: int) -> int:
        if "${" in self.absent:
            return -1
        depth = 1
        for found in _BRACE_STOP.finditer(self.text, start):
            if found[0] == "{":
                depth += 1
            elif found[0] == "}":
                depth -= 1
                if not depth:
                    return found.start()
        self.absent.add("${")
        return -1
