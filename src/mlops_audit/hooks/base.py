"""What hooks share: the files that a commit changes, and a problem in one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from mlops_audit.model import Span

__all__ = ["Files", "Hook", "Problem", "passages", "texts"]


class Problem(Struct, frozen=True):
    """Where, what is wrong, and what to do about it."""

    span: Span
    what: str
    fix: str

    def __str__(self) -> str:
        """`path:line: what; what to do`, without a line number where there is none."""
        span = self.span
        if span.cell is not None:
            return f"{span.path}: cell {span.cell}: {self.what}; {self.fix}"
        place = span.path if span.line is None else f"{span.path}:{span.line}"
        return f"{place}: {self.what}; {self.fix}"


class Files(Protocol):
    """The files of the coming commit: git's index, or in tests a dictionary."""

    def names(self) -> Sequence[str]:
        """The files to look at: those given to the hook, else those that the commit changes."""

    def changed(self) -> Mapping[str, str]:
        """What the commit changes: A (new), M (other content) or D (gone), by path."""

    def all_names(self) -> Sequence[str]:
        """Every file of the coming commit."""

    def sizes(self, paths: Sequence[str]) -> Mapping[str, int]:
        """Bytes that git would store, of the files that there are."""

    def head(self, path: str, size: int) -> bytes:
        """The first bytes, empty where there are none."""

    def read_all(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        """Contents, those left out that are absent or over the tree's limit."""


Hook = Callable[[Files], Iterable[Problem]]


def texts(files: Files, paths: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Paths with their text; what holds NUL bytes is none."""
    for path, data in files.read_all(paths).items():
        if b"\0" not in data[:8192]:
            yield path, data.decode("utf-8", "replace")


def passages(path: str, text: str, *, code: bool = False) -> Iterator[tuple[str, int | None]]:
    """A whole text; of a notebook the cells with their numbers, or those of `code` alone."""
    if not path.endswith(".ipynb"):
        yield text, None
        return
    from mlops_audit.facts.notebooks import read_cells  # noqa: PLC0415 -- most files are none

    for cell in read_cells(path, text.encode()).cells:
        if cell.kind == "code" or not code:
            yield cell.source, cell.index
