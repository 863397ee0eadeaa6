"""Three-valued evaluation of CI conditions: true, false, or not to be known from the file.

One small grammar covers GitHub's `${{ a == 'b' && c }}`, Azure's `and(eq(…), …)` and GitLab's
`$A == "b" && $C =~ /re/`; whatever is not understood is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from msgspec import Struct

from mlops_audit.facts.patterns import safe_search
from mlops_audit.regex import regex

__all__ = ["evaluate", "literals", "unwrap"]

MAX_LENGTH = 4000
MAX_DEPTH = 40
_PAIR = 2

_TOKEN = regex(
    r"""\s*(?:
    (?P<text>'(?:[^']|'')*'|"[^"]*")
    |(?P<regex>/(?:[^/\\\n]|\\.)+/[a-z]{0,3}(?=\s|\)|$))
    |(?P<number>-?\d+(?:\.\d+)?(?![\w.]))
    |(?P<op>==|!=|=~|!~|&&|\|\||<=|>=|[<>!(),])
    |(?P<name>\$?\{?[A-Za-z_][\w.*\-]*\}?(?:\[\s*'[^'\]]*'\s*\]|\.[\w*\-]+)*)
    )""",
    re.VERBOSE,
)
_WRAPPED = regex(r"\$\{\{(.*)\}\}", re.DOTALL)


class _Unknown:
    """What the file cannot tell."""


UNKNOWN = _Unknown()
_Value = str | float | bool | None | _Unknown
_Known = Mapping[str, str | None]


def unwrap(condition: str) -> tuple[str, str]:
    """An `if:` of GitHub without its `${{ }}`, and why it always holds although it looks not so.

    Text beside `${{ }}` makes the whole a non-empty string, which is true:
    `if: ${{ x }} == 'y'`.
    """
    text = condition.strip()
    if "${{" not in text:
        return text, ""
    found = _WRAPPED.fullmatch(text)
    if found and "${{" not in found[1]:
        return found[1].strip(), ""
    outside = re.sub(r"\$\{\{(?:(?!\$\{\{).){0,2000}?\}\}", "", text, flags=re.DOTALL).strip()
    if outside:
        return "", f"`if: {text}` is a non-empty text, so it always holds"
    return text, ""


def literals(condition: str) -> tuple[str, ...]:
    """The string literals of a condition, in order, without their quotes."""
    texts = [found["text"] for found in _TOKEN.finditer(condition[:MAX_LENGTH]) if found["text"]]
    return tuple(dict.fromkeys(text[1:-1] for text in texts if text[1:-1]))


def evaluate(condition: str, known: _Known | None = None) -> bool | None:
    """Whether the condition holds; None when the file cannot tell.

    Args:
        condition: the expression, without `${{ }}`.
        known: names with their values (None: the name is known to be unset), lower-case,
            `variables['Build.Reason']` as `variables.build.reason`, `$CI_X` as `ci_x`.
    """
    if len(condition) > MAX_LENGTH:
        return None
    tokens = _tokens(condition)
    if not tokens:
        return None
    parser = _Parser(tokens, known or {})
    try:
        value = parser.alternative(0)
    except _SyntaxError:
        return None
    return None if parser.at < len(tokens) else _truth(value)


def _tokens(condition: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    at, text = 0, condition.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            return []
        tokens.append((found.lastgroup or "", found[found.lastgroup or 0]))
        at = found.end()
    return tokens


class _SyntaxError(Exception):
    """The condition is not of this grammar."""


class _Parser(Struct):
    tokens: list[tuple[str, str]]
    known: _Known
    at: int = 0

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def alternative(self, depth: int) -> _Value:
        return self._chain(depth, "||", self.conjunction, any_of)

    def conjunction(self, depth: int) -> _Value:
        return self._chain(depth, "&&", self.comparison, all_of)

    def _chain(
        self,
        depth: int,
        operator: str,
        operand: Callable[[int], _Value],
        join: Callable[[list[_Value]], _Value],
    ) -> _Value:
        values = [operand(depth)]
        while self.peek() == operator:
            self.at += 1
            values.append(operand(depth))
        return values[0] if len(values) == 1 else join(values)

    def comparison(self, depth: int) -> _Value:
        left = self.unary(depth)
        operator = self.peek()
        if operator not in ("==", "!=", "=~", "!~", "<", ">", "<=", ">="):
            return left
        self.at += 1
        if operator in ("=~", "!~"):
            return self._regex(left, negated=operator == "!~")
        right = self.unary(depth)
        if operator not in ("==", "!="):
            return UNKNOWN
        same = _equal(left, right)
        return same if operator == "==" else _negated(same)

    def _regex(self, left: _Value, *, negated: bool) -> _Value:
        if self.at >= len(self.tokens):
            raise _SyntaxError
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind != "regex" or isinstance(left, _Unknown):
            return UNKNOWN
        found = safe_search(text, "" if left is None else str(left))
        value: _Value = UNKNOWN if found is None else found
        return _negated(value) if negated else value

    def unary(self, depth: int) -> _Value:
        if depth > MAX_DEPTH or self.at >= len(self.tokens):
            raise _SyntaxError
        kind, text = self.tokens[self.at]
        self.at += 1
        if text == "!":
            return _negated(self.unary(depth + 1))
        if text == "(":
            value = self.alternative(depth + 1)
            self._expect(")")
            return value
        if kind == "text":
            # A variable inside a literal is filled in when the pipeline runs.
            return UNKNOWN if "$" in text else text[1:-1].replace("''", "'")
        if kind == "number":
            return float(text)
        if kind == "name":
            return self._call(text, depth) if self.peek() == "(" else self._name(text)
        raise _SyntaxError

    def _expect(self, text: str) -> None:
        if self.peek() != text:
            raise _SyntaxError
        self.at += 1

    def _name(self, text: str) -> _Value:
        plain = text.lower()
        if plain in ("true", "false"):
            return plain == "true"
        if plain == "null":
            return None
        key = re.sub(r"\[\s*'([^']*)'\s*\]", r".\1", plain).strip("${}")
        return self.known.get(key, UNKNOWN)

    def _call(self, name: str, depth: int) -> _Value:
        self._expect("(")
        values: list[_Value] = []
        while self.peek() != ")":
            values.append(self.alternative(depth + 1))
            if self.peek() == ",":
                self.at += 1
            elif self.peek() != ")":
                raise _SyntaxError
        self.at += 1
        function = _FUNCTIONS.get(name.lower())
        return function(values) if function else UNKNOWN


def _truth(value: _Value) -> bool | None:
    return None if isinstance(value, _Unknown) else bool(value)


def _negated(value: _Value) -> _Value:
    truth = _truth(value)
    return UNKNOWN if truth is None else not truth


def _equal(left: _Value, right: _Value) -> _Value:
    if isinstance(left, _Unknown) or isinstance(right, _Unknown):
        return UNKNOWN
    if isinstance(left, str) and isinstance(right, str):
        return left.lower() == right.lower()
    if isinstance(left, bool) != isinstance(right, bool) and left is not None and right is not None:
        return str(left).lower() == str(right).lower()
    return left == right


def all_of(values: list[_Value]) -> _Value:
    """False when one is, true when all are."""
    truths = [_truth(value) for value in values]
    if False in truths:
        return False
    return UNKNOWN if None in truths else True


def any_of(values: list[_Value]) -> _Value:
    """True when one is, false when all are."""
    truths = [_truth(value) for value in values]
    if True in truths:
        return True
    return UNKNOWN if None in truths else False


def _texts(test: Callable[[str, str], bool]) -> Callable[[list[_Value]], _Value]:
    def call(values: list[_Value]) -> _Value:
        left, right = values if len(values) == _PAIR else (UNKNOWN, UNKNOWN)
        if isinstance(left, str) and isinstance(right, str):
            return test(left.lower(), right.lower())
        return False if left is None else UNKNOWN

    return call


def _eq(values: list[_Value]) -> _Value:
    return _equal(values[0], values[1]) if len(values) == _PAIR else UNKNOWN


_FUNCTIONS: Mapping[str, Callable[[list[_Value]], _Value]] = {
    "and": all_of,
    "or": any_of,
    "not": lambda values: _negated(values[0]) if len(values) == 1 else UNKNOWN,
    "eq": _eq,
    "ne": lambda values: _negated(_eq(values)),
    "in": lambda values: any_of([_equal(values[0], other) for other in values[1:]]),
    "notin": lambda values: _negated(any_of([_equal(values[0], v) for v in values[1:]])),
    "startswith": _texts(lambda left, right: left.startswith(right)),
    "endswith": _texts(lambda left, right: left.endswith(right)),
    "contains": _texts(lambda left, right: right in left),
    "always": lambda _values: True,
}
