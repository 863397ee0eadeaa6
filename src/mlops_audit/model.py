"""The words that every other module speaks: places, evidence, verdicts, practices and reports.

Frozen dataclasses only; this module imports nothing else of the package. Data flows one way
through them: a reader gives facts with a `Span`, a practice turns facts into a `Verdict` with
`Evidence`, the maturity model turns verdicts into an `Assessment`, a report writes a `Report`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sized
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

__all__ = [
    "ASSETS",
    "PRINCIPLES",
    "Ask",
    "Assessment",
    "Attestation",
    "Change",
    "Comparison",
    "Diagnostic",
    "Evidence",
    "Finding",
    "Fix",
    "Gate",
    "LevelResult",
    "Loop",
    "LoopLink",
    "LoopNode",
    "LoopStep",
    "ModelResult",
    "Outcome",
    "Practice",
    "ProfileRow",
    "ProjectInfo",
    "Report",
    "RepositoryInfo",
    "RolesInfo",
    "Scores",
    "Span",
    "Strength",
    "Verdict",
    "Waiver",
    "counted",
    "failed",
    "hollow",
    "not_applicable",
    "partial",
    "passed",
    "sentence",
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
        return list(Strength).index(self)


@dataclass(frozen=True, slots=True)
class Span:
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


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen at a place, and the hops (trigger first) that lead there."""

    span: Span
    detail: str
    chain: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
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
_WORD = re.compile(r"[a-z]+(?=[ ,])")


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
    return tuple(dict.fromkeys(_one_line(item) for item in items))


def _one_line(evidence: Evidence) -> Evidence:
    """The evidence with its detail in one line, as a condition over several lines has it not."""
    if "\n" not in evidence.detail:
        return evidence
    return Evidence(evidence.span, " ".join(evidence.detail.split()), evidence.chain)


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


@dataclass(frozen=True, slots=True)
class Ask:
    """That a level of the ladder asks for a practice; `kind` is `must`, `must~` or `should`.

    A `must~` is met by `partial` too.
    """

    level: int
    kind: str

    @property
    def is_must(self) -> bool:
        """Whether the level cannot be reached without it."""
        return self.kind != "should"


_ASK = re.compile(r"([1-5])(M~|M|s)")
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


@dataclass(frozen=True, slots=True)
class Fix:
    """The first step that would mend a practice, and the template's files that provide it."""

    step: str
    template: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Practice:
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


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """Something that could not be read or understood, and what follows from it."""

    path: str
    message: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Waiver:
    """A practice that a team takes out of the gates, with its reason and until when."""

    practice: str
    reason: str
    owner: str
    expires: str
    url: str | None = None
    date: str | None = None
    expired: bool = False


@dataclass(frozen=True, slots=True)
class Attestation:
    """A person's word for a practice that a repository cannot show itself."""

    practice: str
    reason: str
    owner: str
    expires: str
    url: str | None = None
    date: str | None = None
    expired: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A practice with its verdict as it is reported."""

    practice: Practice
    verdict: Verdict
    strength: Strength | None
    project: str | None = None

    @property
    def outcome(self) -> Outcome:
        """The verdict's outcome."""
        return self.verdict.outcome


@dataclass(frozen=True, slots=True)
class RepositoryInfo:
    """What was audited. `commit` is None outside git; `unread` counts files not read."""

    path: str
    commit: str | None
    dirty: bool
    files: int
    unread: int
    remote_url: str | None = None


@dataclass(frozen=True, slots=True)
class ProjectInfo:
    """One project of a repository: its folder (`.` for the root) and name."""

    path: str
    name: str


@dataclass(frozen=True, slots=True)
class RolesInfo:
    """What the repository is for.

    `kind` is `trains`, `serves`, `library`, `notebooks` or `none`; `serves` is `service`,
    `batch`, `command`, `demo` or `none`.
    """

    kind: str
    trains: bool
    serves: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """How many of the musts introduced at `level` are met."""

    level: int
    musts: int
    met: int


@dataclass(frozen=True, slots=True)
class LevelResult:
    """The level reached and what blocks the next one (musts first, then the cheapest shoulds).

    `meaning` says what the level means, `enough` which level the model's sources call enough for
    whom.
    """

    reached: int
    name: str
    target: int | None
    target_met: bool | None
    next: tuple[int, str] | None
    blocking: tuple[str, ...]
    should_share: float
    profile: tuple[ProfileRow, ...]
    missing: tuple[str, ...]
    remark: str | None = None
    meaning: str = ""
    enough: str = ""


@dataclass(frozen=True, slots=True)
class ModelResult:
    """The result of one maturity model; `data` is plain JSON data whose shape `kind` decides."""

    name: str
    kind: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores from 0 to 100 with one decimal; None where nothing was asked."""

    total: float | None
    principles: Mapping[str, float | None]
    assets: Mapping[str, float | None]
    matrix: Mapping[str, Mapping[str, float | None]]
    principle_levels: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Assessment:
    """Verdicts seen through the maturity models; `models` starts with the one that gates."""

    level: LevelResult
    scores: Scores
    models: tuple[ModelResult, ...]


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether what a call asked for is met; `reasons` are sentences that say why it is not."""

    met: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A practice whose outcome differs from a baseline's; `worse` when it lost something."""

    practice: str
    before: str
    after: str
    worse: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed against a baseline: a revision, or the report in a file.

    `level` is the level there; `new` are practices that the baseline does not know, `gone` those
    that only the baseline knows (it is stale, or made by another version).
    """

    against: str
    level: int | None
    changes: tuple[Change, ...] = ()
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def worse(self) -> tuple[Change, ...]:
        """The changes for the worse."""
        return tuple(change for change in self.changes if change.worse)

    @property
    def better(self) -> tuple[Change, ...]:
        """The changes that are none for the worse."""
        return tuple(change for change in self.changes if not change.worse)


@dataclass(frozen=True, slots=True)
class LoopNode:
    """One thing of the loop: `kind` is a station (`trigger`, `job` …), `name` what people call it.

    `by_hand` says of a trigger that only a person starts what follows.
    """

    kind: str
    name: str
    evidence: Evidence
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class LoopLink:
    """That one node leads to another, by their numbers; `via` are the hops left out between."""

    source: int
    target: int
    via: tuple[Evidence, ...] = ()
    soft: bool = False


@dataclass(frozen=True, slots=True)
class LoopStep:
    """The arrow between two neighbouring stations of the loop.

    `state` is `found`, `partial`, `missing` or `n/a`; `reason` is one sentence; `looked_for` says
    what would have counted; `practices` are the ids of those that judge it.
    """

    source: str
    target: str
    state: str
    reason: str
    looked_for: str = ""
    evidence: tuple[Evidence, ...] = ()
    practices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Loop:
    """The way from a trigger to a model in use and back, as far as the files show it.

    `stations` maps each kind of node to its title, in the loop's order; `steps` has one arrow for
    each of them, the last one back to the first.
    """

    stations: Mapping[str, str]
    nodes: tuple[LoopNode, ...]
    links: tuple[LoopLink, ...]
    steps: tuple[LoopStep, ...]

    def at(self, kind: str) -> tuple[LoopNode, ...]:
        """The nodes of one station."""
        return tuple(node for node in self.nodes if node.kind == kind)

    @property
    def missing(self) -> tuple[LoopStep, ...]:
        """The arrows that are not there, or not wholly."""
        return tuple(step for step in self.steps if step.state in {"missing", "partial"})


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a report format may show.

    `loop` and `beside`, the results of models that nobody asked for, are there for the formats
    that are looked at. `extra` may hold `history`: earlier results, oldest first, as mappings
    with `label`, `level` and `score`.
    """

    repository: RepositoryInfo
    roles: RolesInfo
    projects: tuple[ProjectInfo, ...]
    assessment: Assessment
    findings: tuple[Finding, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    attestations: tuple[Attestation, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    version: str = ""
    gate: Gate | None = None
    comparison: Comparison | None = None
    loop: Loop | None = None
    beside: tuple[ModelResult, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
