"""The report: verdicts as findings, what the maturity models make of them, and the loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from mlops_audit.model.verdicts import Evidence, Outcome, Practice, Strength, Verdict

__all__ = [
    "Assessment",
    "Attestation",
    "Change",
    "Comparison",
    "Diagnostic",
    "Finding",
    "Gate",
    "LevelResult",
    "Loop",
    "LoopLink",
    "LoopNode",
    "LoopStep",
    "ModelResult",
    "ProfileRow",
    "ProjectInfo",
    "Report",
    "RepositoryInfo",
    "RolesInfo",
    "Scores",
    "Waiver",
]


class Diagnostic(Struct, frozen=True):
    """Something that could not be read or understood, and what follows from it."""

    path: str
    message: str
    line: int | None = None


class Waiver(Struct, frozen=True):
    """A practice that a team takes out of the gates, with its reason and until when."""

    practice: str
    reason: str
    owner: str
    expires: str
    url: str | None = None
    date: str | None = None
    expired: bool = False


class Attestation(Struct, frozen=True):
    """A person's word for a practice that a repository cannot show itself."""

    practice: str
    reason: str
    owner: str
    expires: str
    url: str | None = None
    date: str | None = None
    expired: bool = False


class Finding(Struct, frozen=True):
    """A practice with its verdict as it is reported."""

    practice: Practice
    verdict: Verdict
    strength: Strength | None
    project: str | None = None

    @property
    def outcome(self) -> Outcome:
        """The verdict's outcome."""
        return self.verdict.outcome


class RepositoryInfo(Struct, frozen=True):
    """What was audited. `commit` is None outside git; `unread` counts files not read."""

    path: str
    commit: str | None
    dirty: bool
    files: int
    unread: int
    remote_url: str | None = None


class ProjectInfo(Struct, frozen=True):
    """One project of a repository: its folder (`.` for the root) and name."""

    path: str
    name: str


class RolesInfo(Struct, frozen=True):
    """What the repository is for.

    `kind` is `trains`, `serves`, `library`, `notebooks` or `none`; `serves` is `service`,
    `batch`, `command`, `demo` or `none`.
    """

    kind: str
    trains: bool
    serves: str
    evidence: tuple[Evidence, ...] = ()


class ProfileRow(Struct, frozen=True):
    """How many of the musts introduced at `level` are met."""

    level: int
    musts: int
    met: int


class LevelResult(Struct, frozen=True):
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


class ModelResult(Struct, frozen=True):
    """The result of one maturity model; `data` is plain JSON data whose shape `kind` decides."""

    name: str
    kind: str
    data: Mapping[str, Any]


class Scores(Struct, frozen=True):
    """Scores from 0 to 100 with one decimal; None where nothing was asked."""

    total: float | None
    principles: Mapping[str, float | None]
    assets: Mapping[str, float | None]
    matrix: Mapping[str, Mapping[str, float | None]]
    principle_levels: Mapping[str, int]


class Assessment(Struct, frozen=True):
    """Verdicts seen through the maturity models; `models` starts with the one that gates."""

    level: LevelResult
    scores: Scores
    models: tuple[ModelResult, ...]


class Gate(Struct, frozen=True):
    """Whether what a call asked for is met; `reasons` are sentences that say why it is not."""

    met: bool
    reasons: tuple[str, ...] = ()


class Change(Struct, frozen=True):
    """A practice whose outcome differs from a baseline's; `worse` when it lost something."""

    practice: str
    before: str
    after: str
    worse: bool


class Comparison(Struct, frozen=True):
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


class LoopNode(Struct, frozen=True):
    """One thing of the loop: `kind` is a station (`trigger`, `job` …), `name` what people call it.

    `by_hand` says of a trigger that only a person starts what follows.
    """

    kind: str
    name: str
    evidence: Evidence
    by_hand: bool = False


class LoopLink(Struct, frozen=True):
    """That one node leads to another, by their numbers; `via` are the hops left out between."""

    source: int
    target: int
    via: tuple[Evidence, ...] = ()
    soft: bool = False


class LoopStep(Struct, frozen=True):
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


class Loop(Struct, frozen=True):
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


class Report(Struct, frozen=True):
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
