"""What a maturity model's file says, typed."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from mlops_audit.model import Ask

__all__ = [
    "Band",
    "Block",
    "Cell",
    "Level",
    "MaturityModel",
    "Need",
    "Phase",
    "Section",
    "Test",
]


class Need(Struct, frozen=True):
    """A must: `practice`, or one of the practices that stand in for it.

    `soft` says that `partial` meets it (written `VER01~`; stand-ins are written `MON04|MON05`
    and always have to pass).
    """

    practice: str
    stand_ins: tuple[str, ...] = ()
    soft: bool = False

    @property
    def practices(self) -> tuple[str, ...]:
        """The practice and its stand-ins."""
        return (self.practice, *self.stand_ins)


class Level(Struct, frozen=True):
    """A rung: what it is called, what it means, and what a model other than the ladder asks."""

    number: int
    name: str
    meaning: str = ""
    musts: tuple[Need, ...] = ()
    shoulds: tuple[str, ...] = ()


class Test(Struct, frozen=True):
    """A test of a `score` model: every practice counts; automated by all of `automated_by`.

    `most` is the most that a repository can show (1.0, or 0.5 where a practice covers the test
    in part); `unmapped` says why no practice stands for it.
    """

    id: str
    title: str
    practices: tuple[str, ...] = ()
    automated_by: tuple[str, ...] = ()
    most: float = 1.0
    unmapped: str = ""


class Section(Struct, frozen=True):
    """A section of a `score` model, with its tests."""

    name: str
    tests: tuple[Test, ...]


class Band(Struct, frozen=True):
    """A band of a score: it holds from scores above `above` up to the next band."""

    above: float
    name: str


class Cell(Struct, frozen=True):
    """A named group of practices, with what the model says of it."""

    name: str
    practices: tuple[str, ...]
    note: str = ""


class Phase(Struct, frozen=True):
    """A phase of a `shares` model, with its elements."""

    name: str
    elements: tuple[Cell, ...]


class Block(Struct, frozen=True):
    """A block of a `blocks` model: filled by the evidence of any of its practices."""

    key: str
    name: str
    question: str
    practices: tuple[str, ...]
    dilemma: bool = False


class MaturityModel(Struct, frozen=True):
    """A maturity model as its file states it; `kind` says which of the parts are used.

    `ladder` uses `levels`, `share` and the rules beside them; `score` uses `sections` and
    `bands`; `shares` uses `phases`; `blocks` uses `blocks`. With `catalogue` the levels' asks
    stand in the practices themselves and in `reserved` for those that do not exist yet.
    """

    name: str
    title: str
    kind: str
    sources: tuple[str, ...]
    about: str = ""
    enough: str = ""
    order: int = 99
    levels: tuple[Level, ...] = ()
    share: float = 0.0
    catalogue: bool = False
    met_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    approvable: frozenset[str] = frozenset()
    left_out_while_unknown: frozenset[str] = frozenset()
    reserved: Mapping[str, tuple[Ask, ...]] = field(default_factory=dict)
    remarks: Mapping[str, str] = field(default_factory=dict)
    sections: tuple[Section, ...] = ()
    bands: tuple[Band, ...] = ()
    phases: tuple[Phase, ...] = ()
    blocks: tuple[Block, ...] = ()

    @property
    def has_levels(self) -> bool:
        """Whether it puts a repository at a level."""
        return bool(self.levels or self.bands)

    def level_names(self) -> Mapping[int, str]:
        """Level numbers and names, level 0 included."""
        if self.bands:
            return {number: band.name for number, band in enumerate(self.bands)}
        return {level.number: level.name for level in self.levels}

    def practices(self) -> tuple[str, ...]:
        """Every practice that the file names, in the file's order."""
        named = [p for lvl in self.levels for need in lvl.musts for p in need.practices]
        named += [p for lvl in self.levels for p in lvl.shoulds]
        tests = [test for section in self.sections for test in section.tests]
        named += [p for test in tests for p in (*test.practices, *test.automated_by)]
        named += [p for phase in self.phases for cell in phase.elements for p in cell.practices]
        named += [p for block in self.blocks for p in block.practices]
        return tuple(dict.fromkeys(named))
