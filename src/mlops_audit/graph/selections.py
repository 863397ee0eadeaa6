"""Which tests a run of pytest takes: its `-m` for marks and its `-k` for names.

Grammar of both: https://docs.pytest.org/en/stable/how-to/usage.html#specifying-which-tests-to-run
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from msgspec import Struct

from mlops_audit.regex import regex

__all__ = ["Selection", "selection_of"]

_TOKEN = regex(r"[()]|[^\s()]{1,200}")
_WORD = regex(r"[\w.:+\-\[\]/]+")
_MOST = 60  # tokens: no expression that a person writes has more


class Selection(Struct, frozen=True):
    """The expressions of a run: empty ones take every test."""

    marks: str = ""
    names: str = ""

    def takes(self, marks: Collection[str], names: Collection[str]) -> bool:
        """Whether a test with these marks and names (its own, its class's, its file's) is taken.

        An expression that cannot be read takes every test.
        """
        bare = {m.split("(", 1)[0] for m in marks}
        lower = [n.lower() for n in (*names, *bare)]
        return _holds(self.marks, bare.__contains__) and _holds(
            self.names, lambda word: any(word.lower() in n for n in lower)
        )

    def above(self, other: Selection) -> Selection:
        """This selection, with the other's expressions where it has none."""
        return Selection(self.marks or other.marks, self.names or other.names)


def selection_of(words: Sequence[str]) -> Selection:
    """What the words of a command or of `addopts` select; the last of an option holds."""
    found = {"-m": "", "-k": ""}
    for at, word in enumerate(words):
        option, rest = word[:2], word[2:]
        if option not in found or word.startswith("--"):
            continue
        found[option] = rest.removeprefix("=") if rest else "".join(words[at + 1 : at + 2])
    return Selection(found["-m"], found["-k"])


def _holds(expression: str, known: Callable[[str], bool]) -> bool:
    tokens = _TOKEN.findall(expression)
    if (
        not tokens
        or len(tokens) > _MOST
        or not all(t in "()" or _WORD.fullmatch(t) for t in tokens)
    ):
        return True
    reader = _Reader(tokens, known)
    value = reader.either()
    return value if value is not None and not reader.tokens else True


class _Reader:
    """Reads `not`, `and`, `or` and brackets over words; None where the grammar is broken."""

    def __init__(self, tokens: list[str], known: Callable[[str], bool]) -> None:
        self.tokens = tokens[::-1]
        self.known = known

    def either(self) -> bool | None:
        value = self._both()
        while value is not None and self._next("or"):
            other = self._both()
            value = None if other is None else value or other
        return value

    def _both(self) -> bool | None:
        value = self._one()
        while value is not None and self._next("and"):
            other = self._one()
            value = None if other is None else value and other
        return value

    def _one(self) -> bool | None:
        if not self.tokens:
            return None
        word = self.tokens.pop()
        if word == "not":
            value = self._one()
            return None if value is None else not value
        if word == "(":
            value = self.either()
            return value if self._next(")") else None
        return None if word in {")", "and", "or"} else self.known(word)

    def _next(self, word: str) -> bool:
        if self.tokens and self.tokens[-1] == word:
            self.tokens.pop()
            return True
        return False
