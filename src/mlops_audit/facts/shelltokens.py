"""The shell lexer: a text in, words and operators with their lines out, in one linear pass."""

from __future__ import annotations

from msgspec import Struct

from mlops_audit.facts.shellparts import Part, WordReader
from mlops_audit.regex import regex

__all__ = ["Part", "Token", "tokenize"]


class Token(Struct):
    """`kind` is `word`, `op` or `redir`; a line's end is an op too. Lines count from 1."""

    kind: str
    text: str
    line: int
    start: int
    end: int
    parts: tuple[Part, ...] = ()
    heredoc: str | None = None
    heredoc_line: int = 0
    heredoc_raw: bool = False

    @property
    def quoted(self) -> bool:
        """Whether any piece stood in quotes (a quoted word is never a keyword)."""
        return any(p.quoted for p in self.parts)


_BLANK = regex(r"[^\S\n]+")
_OPERATOR = regex(r";;&|;;|;&|&&|\|\||\|&|[;&|()]")
_REDIRECT = regex(r"&>>|&>|<<<|<<-|<<|>>|>&|<&|>\||<>|[<>]")


class _Lexer(WordReader):
    """One pass over the text; `tokens` holds the result."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.tokens: list[Token] = []
        self.pending: list[Token] = []  # redirections whose here-documents are still to come

    def run(self) -> list[Token]:
        text, n = self.text, len(self.text)
        while self.i < n:
            blank = _BLANK.match(text, self.i)
            if blank:
                self.i = blank.end()
                continue
            char = text[self.i]
            if char == "\n":
                self._newline()
            elif char == "#":
                end = text.find("\n", self.i)
                self.i = n if end < 0 else end
            elif text.startswith("\\\n", self.i):
                self.advance(self.i + 2)
            elif text.startswith("{%", self.i) and self.find("%}", self.i) >= 0:
                self.advance(self.find("%}", self.i) + 2)  # a template statement is no word
            elif not self._operator() and not self._test():
                self._word()
        return self.tokens

    def _newline(self) -> None:
        self.tokens.append(Token("op", "\n", self.line, self.i, self.i + 1))
        self.advance(self.i + 1)
        for token in self.pending:
            self._heredoc(token)
        self.pending.clear()

    def _operator(self) -> bool:
        redirect = _REDIRECT.match(self.text, self.i)
        if redirect and not self.text.startswith(("<(", ">("), self.i):
            self._redirect(redirect.end())
            return True
        found = _OPERATOR.match(self.text, self.i)
        if not found:
            return False
        self.tokens.append(Token("op", found[0], self.line, self.i, found.end()))
        self.i = found.end()
        return True

    def _redirect(self, end: int) -> None:
        operator = self.text[self.i : end]
        last = self.tokens[-1] if self.tokens else None
        if last and last.kind == "word" and last.end == self.i and last.text.isdigit():
            self.tokens.pop()  # the file descriptor of `2>`
            operator = last.text + operator
        token = Token("redir", operator, self.line, self.i, end)
        self.tokens.append(token)
        self.i = end
        if operator.endswith(("<<", "<<-")) and not operator.endswith("<<<"):
            self.pending.append(token)

    def _heredoc(self, token: Token) -> None:
        """Take the lines up to the delimiter, the word that follows the redirection."""
        last = len(self.tokens) - 1
        at = next(k for k in range(last, -1, -1) if self.tokens[k] is token)
        if at == last or self.tokens[at + 1].kind != "word":
            return
        word = self.tokens[at + 1]
        delimiter = "".join(p.text if p.kind == "lit" else p.raw for p in word.parts)
        strip = token.text.endswith("-")
        token.heredoc_line, token.heredoc_raw = self.line, word.quoted
        lines: list[str] = []
        text, n = self.text, len(self.text)
        while self.i < n:
            end = text.find("\n", self.i)
            end = n if end < 0 else end
            line = text[self.i : end]
            self.i = min(end + 1, n)
            self.line += 1
            if line.rstrip() == delimiter or (strip and line.strip() == delimiter):
                break
            lines.append(line.lstrip("\t") if strip else line)
        token.heredoc = "\n".join(lines)

    def _word(self) -> None:
        start, line = self.i, self.line
        parts = self.word()
        self.tokens.append(Token("word", self.text[start : self.i], line, start, self.i, parts))

    def _test(self) -> bool:
        """`[[ … ]]` holds operators that are no operators of the list."""
        opening = self.text[self.i : self.i + 3]
        if opening[:2] != "[[" or not opening[2:].isspace():
            return False
        end = self.find("]]", self.i)
        if end < 0:
            return False
        start, line = self.i, self.line
        body = self.advance(end + 2)
        for piece in ("[[", body[2:-2].strip(), "]]"):
            self.tokens.append(
                Token("word", piece, line, start, self.i, (Part("lit", piece, raw=piece),))
            )
        return True


def tokenize(text: str) -> list[Token]:
    """Split a shell text into words, operators and redirections; never raises, linear time."""
    return _Lexer(text).run()
