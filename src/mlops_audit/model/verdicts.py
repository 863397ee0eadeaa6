"""Places, evidence, verdicts and practices: what the audit says of one repository."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sized
from enum import StrEnum
from typing import Any

from msgspec import Struct
from msgspec.structs import force_setattr

from mlops_audit.regex import regex

__all__ = [
    "ASSETS",
    "PRINCIPLES",
    "Ask",
    "Evidence",
    "Fix",
    "Outcome",
    "Practice",
    "Span",
    "Strength",
    "Verdict",
    "counted",
    "failed",
    "hollow",
    "not_applicable",
    "parse_asks",
    "partial",
    "passed",
    "sentence",
    "shortened",
    "unknown",
]

PRINCIPLES: Mapping[str, str] = {
    "AUT": "Automation and operation",
    "VER": "Versioning",
    "TRK": "Experiment tracking and metadata",
    "TST": "Testing",
    "MON": "Monitoring",
    "REP": "Reproducibility",
    "COL": "Collaboration and governance",
    "STR": "Structure",
}
ASSETS = ("data", "model", "code", "system")


class Outcome(StrEnum):
    """What a practice concluded about a repository."""

    PASS = "pass"  # noqa: S105 -- an outcome, not a password
    PARTIAL = "partial"
    FAIL = "fail"
    NOT_APPLICABLE = "n/a"
    UNKNOWN = "unknown"


class Strength(StrEnum):
    """How evidence was obtained, weakest first: `ATTESTED < FOUND < VERIFIED`."""

    ATTESTED = "attested"
    FOUND = "found"
    VERIFIED = "verified"

    @property
    def rank(self) -> int:
        """Position in the order, 0 for the weakest."""
        return _RANKS[self]


_RANKS = {strength: rank for rank, strength in enumerate(Strength)}


class Span(Struct, frozen=True):
    """A place in the audited repository.

    `path` is relative and POSIX; `.` means the repository as a whole and `tag:NAME` a git tag,
    both without a line. `line` counts from 1, within the cell for notebooks; `cell` from 1.
    """

    path: str
    line: int | None = None
    cell: int | None = None

    def __str__(self) -> str:
        cell = f"#{self.cell}" if self.cell is not None else ""
        line = f":{self.line}" if self.line is not None else ""
        return f"{self.path}{cell}{line}"


_LONGEST = 120  # characters of what was seen: a line of a report
_BRACKETS = regex(r"(?<=[(\[{]) |,? (?=[)\]}])")  # what lines leave behind that become one


def shortened(text: str, most: int = _LONGEST) -> str:
    """A text in one line of at most `most` characters, cut at the end of a word with `…`."""
    if "\n" in text or "\r" in text:
        text = _BRACKETS.sub("", " ".join(text[: 8 * most].split()))
    if len(text) <= most:
        return text
    end = text.rfind(" ", most // 2, most)
    return text[: end if end > 0 else most - 1].rstrip(" ,;:") + "…"


class Evidence(Struct, frozen=True):
    """What was seen at a place, and the hops (trigger first) that lead there.

    `detail` is kept in one line and cut where it is long, so that nobody has to do so before.
    """

    span: Span
    detail: str
    chain: tuple[Evidence, ...] = ()

    def __post_init__(self) -> None:
        if len(self.detail) > _LONGEST or "\n" in self.detail:
            force_setattr(self, "detail", shortened(self.detail))


class Verdict(Struct, frozen=True):
    """One practice's outcome.

    Build it with `passed`, `partial`, `failed`, `hollow`, `not_applicable` or `unknown`.

    Raises:
        ValueError: a pass or partial without evidence.
    """

    outcome: Outcome
    reason: str
    evidence: tuple[Evidence, ...] = ()
    looked_for: str | None = None
    hollow: bool = False

    def __post_init__(self) -> None:
        if self.outcome in (Outcome.PASS, Outcome.PARTIAL) and not self.evidence:
            msg = f"a {self.outcome} needs evidence: {self.reason}"
            raise ValueError(msg)


# Commands keep their names at the start of a sentence, as paths and code do.
_COMMANDS = frozenset({"dvc", "git", "just", "kedro", "make", "nox", "pip", "poe", "tox", "uv"})
_WORD = regex(r"[a-z]+(?=[ ,])")


def sentence(text: str) -> str:
    """A remark as people write a sentence: with a capital and a full stop.

    A command, a path or code at its start keeps its spelling.
    """
    word = _WORD.match(text)
    if word and word[0] not in _COMMANDS:
        text = text[0].upper() + text[1:]
    return text if not text or text.endswith((".", "!", "?", "…")) else f"{text}."


def counted(items: Sized, one: str, many: str) -> str:
    """How many there are, in words that agree: `1 test runs`, `2 tests run`."""
    return f"{len(items)} {one if len(items) == 1 else many}"


def _listed(evidence: Evidence | tuple[Evidence, ...] | list[Evidence]) -> tuple[Evidence, ...]:
    items = (evidence,) if isinstance(evidence, Evidence) else tuple(evidence)
    return tuple(dict.fromkeys(items))


def passed(reason: str, evidence: Evidence | tuple[Evidence, ...] | list[Evidence]) -> Verdict:
    """The practice holds: `evidence` shows it, best first."""
    return Verdict(Outcome.PASS, reason, _listed(evidence))


def partial(reason: str, evidence: Evidence | tuple[Evidence, ...] | list[Evidence]) -> Verdict:
    """The practice holds in part; `reason` says what is missing."""
    return Verdict(Outcome.PARTIAL, reason, _listed(evidence))


def failed(
    reason: str,
    *,
    looked_for: str,
    evidence: Evidence | tuple[Evidence, ...] | list[Evidence] = (),
) -> Verdict:
    """No evidence that counts; `evidence` may name the places that break the practice."""
    return Verdict(Outcome.FAIL, reason, _listed(evidence), looked_for)


def hollow(
    reason: str,
    evidence: Evidence | tuple[Evidence, ...] | list[Evidence],
    *,
    looked_for: str,
) -> Verdict:
    """A fail where something looks like evidence and is none; `evidence` says where it stands."""
    return Verdict(Outcome.FAIL, reason, _listed(evidence), looked_for, hollow=True)


def not_applicable(reason: str) -> Verdict:
    """The practice does not apply to this repository."""
    return Verdict(Outcome.NOT_APPLICABLE, reason)


def unknown(
    reason: str, evidence: Evidence | tuple[Evidence, ...] | list[Evidence] = ()
) -> Verdict:
    """What would decide could not be read or understood, or has to be run."""
    return Verdict(Outcome.UNKNOWN, reason, _listed(evidence))


class Ask(Struct, frozen=True):
    """That a level of the ladder asks for a practice; `kind` is `must`, `must~` or `should`.

    A `must~` is met by `partial` too.
    """

    level: int
    kind: str

    @property
    def is_must(self) -> bool:
        """Whether the level cannot be reached without it."""
        return self.kind != "should"


_ASK = regex(r"([1-5])(M~|M|s)")
_ASK_KINDS = {"M": "must", "M~": "must~", "s": "should"}


def parse_asks(level: str) -> tuple[Ask, ...]:
    """Read the catalogue's notation: `"2s, 4M"` asks a should at 2 and a must at 4.

    Raises:
        ValueError: the text has another form.
    """
    asks: list[Ask] = []
    for part in (p.strip() for p in level.split(",")):
        found = _ASK.fullmatch(part)
        if not found:
            msg = f"level {level!r}: {part!r} is not a level 1 to 5 followed by M, M~ or s"
            raise ValueError(msg)
        asks.append(Ask(int(found[1]), _ASK_KINDS[found[2]]))
    return tuple(asks)


class Fix(Struct, frozen=True):
    """The first step that would mend a practice, and the template's files that provide it."""

    step: str
    template: tuple[str, ...] = ()


class Practice(Struct, frozen=True):
    """A practice of the catalogue: its metadata and the pure function that judges it.

    `judge` takes a `graph.Project` (typed loosely here: this module imports nothing of ours).
    `needs` names the roles without which a `fail` becomes `n/a`: `training`, `prediction`,
    `application` (n/a for a pure library).
    """

    id: str
    slug: str
    title: str
    assets: tuple[str, ...]
    asked: tuple[Ask, ...]
    fix: Fix
    judge: Callable[[Any], Verdict]
    needs: tuple[str, ...] = ()
    attestable: bool = False
    sources: tuple[str, ...] = ()

    @property
    def principle(self) -> str:
        """The principle's key, e.g. `AUT`."""
        return self.id[:3]
