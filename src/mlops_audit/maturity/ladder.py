"""The arithmetic of levels: musts, the shoulds' share, the profile and what blocks the next."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mlops_audit.maturity.standing import CREDIT, Standings
from mlops_audit.maturity.types import MaturityModel, Need
from mlops_audit.model import Ask, LevelResult, Outcome, ProfileRow

__all__ = ["Ladder", "floor2"]


def floor2(share: float) -> float:
    """Two decimals, never rounded up: a share that is too small must not look sufficient."""
    return math.floor(share * 100 + 1e-9) / 100


class Ladder:
    """A model with levels, together with how the practices stand."""

    def __init__(self, model: MaturityModel, standings: Standings) -> None:
        self.model = model
        self.standings = standings
        self.top = model.levels[-1].number
        self._musts: dict[int, list[Need]] = {level.number: [] for level in model.levels}
        self._shoulds: dict[int, list[str]] = {level.number: [] for level in model.levels}
        if model.catalogue:
            self._read_catalogue()
        for level in model.levels:
            self._musts[level.number] += level.musts
            self._shoulds[level.number] += level.shoulds

    def _read_catalogue(self) -> None:
        found = self.standings.findings
        asked: dict[str, tuple[Ask, ...]] = {
            practice: finding.practice.asked for practice, finding in found.items()
        }
        asked |= {p: asks for p, asks in self.model.reserved.items() if p not in found}
        for practice, asks in asked.items():
            for ask in (a for a in asks if a.level <= self.top):
                if ask.is_must:
                    stand_ins = self.model.met_by.get(practice, ())
                    need = Need(practice, stand_ins, soft=ask.kind == "must~")
                    self._musts[ask.level].append(need)
                else:
                    self._shoulds[ask.level].append(practice)

    def musts(self, level: int) -> list[Need]:
        """What `level` introduces as a must."""
        return self._musts[level]

    def _met(self, level: int) -> bool:
        return all(self.standings.met(need, level) for need in self._musts[level])

    def shoulds(self, level: int) -> dict[str, float]:
        """The shoulds up to `level` that count, each with its credit.

        What has become a must by then is none; `n/a`, what is not implemented, and what has to
        be run and was not are left out.
        """
        musts = {need.practice for n in range(level + 1) for need in self._musts[n]}
        found: dict[str, float] = {}
        for number in range(level + 1):
            for practice in self._shoulds[number]:
                outcome = self.standings.outcome(practice, number)
                if practice in musts or practice in found or outcome is None:
                    continue
                waits = practice in self.model.left_out_while_unknown
                if outcome is Outcome.NOT_APPLICABLE or (waits and outcome is Outcome.UNKNOWN):
                    continue
                found[practice] = CREDIT[outcome]
        return found

    def share(self, level: int) -> float:
        """The share of the shoulds' weight up to `level` that is met; 1 where there is none."""
        credits_ = self.shoulds(level)
        return sum(credits_.values()) / len(credits_) if credits_ else 1.0

    def reached(self) -> int:
        """The highest level that is reached with all lower ones."""
        reached = 0
        for level in range(1, self.top + 1):
            if not self._met(level) or self.share(level) < self.model.share:
                break
            reached = level
        return reached

    def principle_level(self, principle: str) -> int:
        """The highest level up to which all musts of `principle` are met."""
        for level in range(1, self.top + 1):
            needs = [n for n in self._musts[level] if n.practice.startswith(principle)]
            if not all(self.standings.met(need, level) for need in needs):
                return level - 1
        return self.top

    def missing(self) -> list[str]:
        """Practices that the levels ask for and that do not exist yet."""
        asked = [need.practice for needs in self._musts.values() for need in needs]
        asked += [practice for group in self._shoulds.values() for practice in group]
        absent = {p for p in asked if self.standings.outcome(p) is None}
        place = {p: number for number, p in enumerate(self.model.reserved)}
        return sorted(absent, key=lambda p: (place.get(p, len(place)), p))

    def blocking(self, reached: int, upto: int) -> list[str]:
        """What keeps `upto` away: musts in catalogue order, then the cheapest shoulds."""
        absent = set(self.missing())
        unmet = [
            need.practice
            for level in range(1, upto + 1)
            for need in self._musts[level]
            if need.practice not in absent and not self.standings.met(need, level)
        ]
        musts = self.standings.sort(list(dict.fromkeys(unmet)))
        chosen: list[str] = []
        for level in range(reached + 1, upto + 1):
            credits_ = self.shoulds(level)
            credits_ |= {p: 1.0 for p in (*chosen, *musts) if p in credits_}
            wanted = self.model.share * len(credits_)
            for practice in sorted(credits_, key=self._cost):
                if sum(credits_.values()) >= wanted:
                    break
                if credits_[practice] < 1:
                    credits_[practice] = 1.0
                    chosen.append(practice)
        return [*musts, *chosen]

    def _cost(self, practice: str) -> tuple[int, int, int]:
        """What a should costs to meet: begun first, then what template files provide, fewest."""
        finding = self.standings.findings[practice]
        begun = finding.outcome is Outcome.PARTIAL
        files = len(finding.practice.fix.template)
        return (0 if begun else 1 if files else 2, files, self.standings.order[practice])

    def profile(self, *, shown_only: bool = False) -> tuple[ProfileRow, ...]:
        """For each level, the musts that it introduces and how many of them are met."""
        met = self.standings.shown if shown_only else self.standings.met
        return tuple(
            ProfileRow(level, len(needs), sum(met(need, level) for need in needs))
            for level, needs in self._musts.items()
            if level > 0
        )

    def result(self, kind: str, target: int | None = None) -> LevelResult:
        """The level, with everything that a report says about it.

        Args:
            kind: the repository's role; `none` is level 0 with nothing to climb.
            target: the level whose distance is measured.
        """
        names = self.model.level_names()
        remark = self.model.remarks.get(kind)
        if kind == "none":
            return _nothing(names[0], target, self.profile(shown_only=True), self.missing(), remark)
        reached = self.reached()
        following = reached + 1 if reached < self.top else None
        upto = min(max(following or reached, target or 0), self.top)
        return LevelResult(
            reached=reached,
            name=names[reached],
            target=target,
            target_met=None if target is None else reached >= target,
            next=(following, names[following]) if following is not None else None,
            blocking=tuple(self.blocking(reached, upto)) if following is not None else (),
            should_share=floor2(self.share(following or reached)),
            profile=self.profile(),
            missing=tuple(self.missing()),
            remark=remark,
            meaning=self.model.levels[reached].meaning,
            enough=self.model.enough,
        )


def _nothing(
    name: str,
    target: int | None,
    profile: tuple[ProfileRow, ...],
    missing: Sequence[str],
    remark: str | None,
) -> LevelResult:
    met = None if target is None else target <= 0
    return LevelResult(0, name, target, met, None, (), 0.0, profile, tuple(missing), remark)
