"""Regular expressions that are compiled when they are first asked.

A start knows over a thousand of them, and compiling them all costs a sixth of a first audit; half
of them are for tools, files and words that a repository does not have.
"""

from __future__ import annotations

import re
from typing import Any, cast

__all__ = ["regex"]

_METHODS = ("search", "match", "fullmatch", "finditer", "findall", "sub", "subn", "split")


def regex(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """`re.compile`, put off until the expression is first asked.

    Args:
        pattern: as for `re.compile`; a wrong one is told at first use.
        flags: of `re`, such as `re.IGNORECASE`.
    """
    return cast("re.Pattern[str]", _Lazy(pattern, flags))


class _Lazy:
    """Stands for a compiled expression; from its first use on, its methods are that one's own."""

    __slots__ = (*_METHODS, "flags", "pattern")

    def __init__(self, pattern: str, flags: int) -> None:
        self.pattern = pattern
        self.flags = flags

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- a method of `re.Pattern`
        """Asked only for what is not set yet."""
        if name not in _METHODS:
            raise AttributeError(name)
        compiled = re.compile(self.pattern, self.flags)
        for method in _METHODS:
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)
