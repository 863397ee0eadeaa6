"""The shell grammar: tokens in, a small tree of lists, pipelines and compound commands out.

Tolerant: what does not fit is skipped, a construct that is never closed ends with the text.
"""

from __future__ import annotations

from msgspec import Struct, field

from mlops_audit.facts.shelltokens import Token

__all__ = ["AndOr", "Case", "Func", "Group", "If", "Listing", "Loop", "Node", "Pipe", "Simple"]
__all__ += ["TooDeepError", "parse_tokens"]

_DEPTH = 40
_OPENERS = frozenset({"if", "for", "while", "until", "case", "select", "{", "function"})


class TooDeepError(Exception):
    """The text nests deeper than any script that people write."""


class Simple(Struct):
    """Words of one simple command, and its redirections as (operator, target) pairs."""

    words: list[Token]
    redirects: list[tuple[Token, Token | None]]
    line: int


class Pipe(Struct):
    """Commands joined by `|`."""

    items: list[Node]
    negated: bool = False


class AndOr(Struct):
    """Pipelines joined by `&&` and `||`; `background` when it ends in `&`."""

    items: list[Pipe]
    ops: list[str]
    background: bool = False


class Listing(Struct):
    """Statements in order."""

    items: list[AndOr] = field(default_factory=list)


class If(Struct):
    """Clauses of condition and body, and the `else`."""

    clauses: list[tuple[Listing, Listing]]
    otherwise: Listing | None


class Loop(Struct):
    """`for` (with its variable and words), `while` and `until` (with their condition)."""

    kind: str
    variable: str
    words: list[Token]
    condition: Listing | None
    body: Listing


class Case(Struct):
    """A `case`: the word and the bodies with their patterns."""

    word: Token | None
    clauses: list[tuple[list[Token], Listing]]


class Func(Struct):
    """A function's definition."""

    name: str
    body: Node


class Group(Struct):
    """`{ …; }` or, as a `subshell`, `( … )`; what it reads or writes is in `redirects`."""

    body: Listing
    subshell: bool
    redirects: list[tuple[Token, Token | None]] = field(default_factory=list)


Node = Simple | If | Loop | Case | Func | Group


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.k = 0
        self.depth = 0

    def peek(self) -> Token | None:
        return self.tokens[self.k] if self.k < len(self.tokens) else None

    def is_op(self, *ops: str) -> bool:
        token = self.peek()
        return token is not None and token.kind == "op" and token.text in ops

    def keyword(self) -> str:
        token = self.peek()
        if token is None or token.kind != "word" or token.quoted:
            return ""
        return token.text

    def skip(self, *ops: str) -> None:
        while self.is_op(*ops):
            self.k += 1

    # -- lists ---------------------------------------------------------------------------------
    def listing(self, stop: frozenset[str]) -> Listing:
        """Statements up to a stop word (not taken) or the end."""
        self.depth += 1
        if self.depth > _DEPTH:
            raise TooDeepError
        result = Listing()
        while self.peek() is not None:
            if self.is_op("\n", ";", "&"):
                self.k += 1
                continue
            token = self.tokens[self.k]
            if (token.kind == "op" or not token.quoted) and token.text in stop:
                break
            before = self.k
            statement = self.and_or(stop)
            if statement.items:
                result.items.append(statement)
            if self.k == before:
                self.k += 1  # a stray operator or keyword
        self.depth -= 1
        return result

    def and_or(self, stop: frozenset[str]) -> AndOr:
        result = AndOr([], [])
        while True:
            pipe = self.pipeline(stop)
            if pipe.items:
                result.items.append(pipe)
            elif result.ops:
                result.ops.pop()
            if not self.is_op("&&", "||") or not pipe.items:
                break
            result.ops.append(self.tokens[self.k].text)
            self.k += 1
            self.skip("\n")
        if self.is_op("&"):
            result.background = True
            self.k += 1
        if len(result.ops) >= len(result.items):
            del result.ops[max(0, len(result.items) - 1) :]
        return result

    def pipeline(self, stop: frozenset[str]) -> Pipe:
        result = Pipe([])
        while self.keyword() in {"!", "time"} and not result.items:
            result.negated ^= self.keyword() == "!"
            self.k += 1
        while True:
            node = self.command(stop)
            if node is not None:
                result.items.append(node)
            if node is None or not self.is_op("|", "|&"):
                break
            self.k += 1
            self.skip("\n")
        return result

    # -- commands ------------------------------------------------------------------------------
    def command(self, stop: frozenset[str]) -> Node | None:
        token = self.peek()
        if token is None:
            return None
        word = self.keyword()
        if word in stop:
            return None
        if word in _OPENERS:
            return self.compound(word)
        if self.is_op("("):
            self.k += 1
            body = self.listing(frozenset({")"}))
            self.take(")")
            return Group(body, subshell=True, redirects=self.redirects())
        if token.kind == "op":
            return None
        if self.is_function():
            name = token.text
            self.k += 3
            return self.function(name)
        return self.simple()

    def take(self, text: str) -> None:
        token = self.peek()
        if token is not None and token.text == text:
            self.k += 1

    def is_function(self) -> bool:
        following = self.tokens[self.k + 1 : self.k + 3]
        return (
            self.tokens[self.k].kind == "word"
            and len(following) == 2  # noqa: PLR2004 -- the two parentheses of `name()`
            and [t.text for t in following] == ["(", ")"]
            and all(t.kind == "op" for t in following)
        )

    def function(self, name: str) -> Node | None:
        self.skip("\n")
        self.depth += 1
        if self.depth > _DEPTH:
            raise TooDeepError
        body = self.command(frozenset())
        self.depth -= 1
        return Func(name, body) if body is not None else None

    def simple(self) -> Simple:
        words: list[Token] = []
        redirects: list[tuple[Token, Token | None]] = []
        line = self.tokens[self.k].line
        while (token := self.peek()) is not None and token.kind != "op":
            if token.kind == "redir":
                redirects.append(self.redirect())
            else:
                words.append(token)
                self.k += 1
        return Simple(words, redirects, line)

    def redirect(self) -> tuple[Token, Token | None]:
        operator = self.tokens[self.k]
        self.k += 1
        target = self.peek()
        if target is not None and target.kind == "word":
            self.k += 1
            return operator, target
        return operator, None

    def redirects(self) -> list[tuple[Token, Token | None]]:
        found: list[tuple[Token, Token | None]] = []
        while (token := self.peek()) is not None and token.kind == "redir":
            found.append(self.redirect())
        return found

    def compound(self, word: str) -> Node | None:
        self.k += 1
        if word == "{":
            body = self.listing(frozenset({"}"}))
            self.take("}")
            return Group(body, subshell=False, redirects=self.redirects())
        if word == "function":
            name = self.keyword()
            self.k += 1
            self.skip("(", ")")
            return self.function(name)
        node: Node
        if word == "if":
            node = self.if_()
        elif word == "case":
            node = self.case()
        else:
            node = self.loop(word)
        redirects = self.redirects()
        if redirects:
            return Group(Listing([AndOr([Pipe([node])], [])]), subshell=False, redirects=redirects)
        return node

    def if_(self) -> If:
        clauses: list[tuple[Listing, Listing]] = []
        otherwise: Listing | None = None
        closing = frozenset({"elif", "else", "fi"})
        while True:
            condition = self.listing(frozenset({"then", "fi"}))
            self.take("then")
            clauses.append((condition, self.listing(closing)))
            if self.keyword() != "elif":
                break
            self.k += 1
        if self.keyword() == "else":
            self.k += 1
            otherwise = self.listing(frozenset({"fi"}))
        self.take("fi")
        return If(clauses, otherwise)

    def loop(self, kind: str) -> Loop:
        variable, words, condition = "", [], None
        if kind in {"for", "select"}:
            token = self.peek()
            if token is not None and token.kind == "word":
                variable = token.text
                self.k += 1
            self.skip("\n")
            if self.keyword() == "in":
                self.k += 1
                while (token := self.peek()) is not None and token.kind == "word":
                    words.append(token)
                    self.k += 1
            else:  # `for ((i=0; …))` and `for x` over the arguments
                while self.peek() is not None and self.keyword() != "do":
                    self.k += 1
            self.skip("\n", ";")
        else:
            condition = self.listing(frozenset({"do", "done"}))
        self.take("do")
        body = self.listing(frozenset({"done"}))
        self.take("done")
        return Loop(kind, variable, words, condition, body)

    def case(self) -> Case:
        word = self.peek()
        self.k += 1
        self.skip("\n")
        self.take("in")
        clauses: list[tuple[list[Token], Listing]] = []
        closing = frozenset({";;", ";&", ";;&", "esac"})
        while self.peek() is not None:
            self.skip("\n", ";", "(", ";;", ";&", ";;&")
            if self.peek() is None or self.keyword() == "esac":
                break
            patterns: list[Token] = []
            while (token := self.peek()) is not None and not self.is_op(")", "\n"):
                if token.kind == "word":
                    patterns.append(token)
                self.k += 1
            self.k += 1
            clauses.append((patterns, self.listing(closing)))
        self.take("esac")
        return Case(word if word is not None and word.kind == "word" else None, clauses)


def parse_tokens(tokens: list[Token]) -> Listing:
    """Build the tree.

    Raises:
        TooDeepError: the text nests more than 40 compound commands.
    """
    return _Parser(tokens).listing(frozenset())
