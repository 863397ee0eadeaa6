"""What hooks share: the files that a commit changes, and a problem in one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from mlops_audit.model import Span

__all__ = ["Files", "Hook", "Problem", "no_code"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Where, what is wrong, and what to do about it."""

    span: Span
    what: str
    fix: str

    def __str__(self) -> str:
        """`path:line: what; what to do`, without a line number where there is none."""
        span = self.span
        place = span.path if span.line is None else f"{span.path}:{span.line}"
        cell = f"cell {span.cell}: " if span.cell is not None else ""
        return f"{place}: {cell}{self.what}; {self.fix}"


class Files(Protocol):
    """The files of the coming commit; `tree.staged` gives them, tests give a dictionary."""

    def names(self) -> Sequence[str]:
        """The files to look at: those given to the hook, else those that the commit changes."""

    def status(self, path: str) -> str:
        """A for a new file, M for a changed one, D for a deleted one, empty for another."""

    def all_names(self) -> Sequence[str]:
        """Every file of the coming commit."""

    def size(self, path: str) -> int:
        """Bytes that git would store."""

    def head(self, path: str, size: int) -> bytes:
        """The first bytes."""

    def read(self, path: str) -> bytes | None:
        """The content; None where there is none, or too much of it."""

    def read_all(self, paths: Sequence[str]) -> dict[str, bytes]:
        """Several contents, those that cannot be read left out."""


Hook = Callable[[Files], Iterable[Problem]]


def no_code(data: bytes) -> bool:
    """Whether bytes are no text that a person writes."""
    return b"\0" in data[:8192]
