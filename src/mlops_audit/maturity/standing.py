"""How each practice stands once strengths of evidence, approvals and excuses are applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlops_audit.maturity.types import Need
from mlops_audit.model import Finding, Outcome, Strength

__all__ = ["CREDIT", "Standings"]

CREDIT: Mapping[Outcome, float] = {
    Outcome.PASS: 1.0,
    Outcome.PARTIAL: 0.5,
    Outcome.FAIL: 0.0,
    Outcome.UNKNOWN: 0.0,
}
"""What an outcome is worth; `n/a` is left out of every sum."""


class Standings:
    """The outcomes that count, by practice; a practice that does not exist stands nowhere."""

    def __init__(
        self,
        findings: Sequence[Finding],
        *,
        evidence: Strength = Strength.ATTESTED,
        by_level: Mapping[int, Strength] | None = None,
        by_practice: Mapping[str, Strength] | None = None,
        approved: frozenset[str] = frozenset(),
        excused: frozenset[str] = frozenset(),
    ) -> None:
        self.findings = {finding.practice.id: finding for finding in findings}
        self.order = {practice: place for place, practice in enumerate(self.findings)}
        self._evidence = evidence
        self._by_level = by_level or {}
        self._by_practice = by_practice or {}
        # An approval is a person's word: where more is asked, it does not count.
        self._approved = approved if evidence is Strength.ATTESTED else frozenset()
        self._excused = excused

    def outcome(self, practice: str, level: int | None = None) -> Outcome | None:
        """The outcome that counts, for what `level` asks; None for a practice not implemented."""
        if practice in self._excused:
            return Outcome.NOT_APPLICABLE
        finding = self.findings.get(practice)
        if finding is None:
            return None
        if finding.outcome not in (Outcome.PASS, Outcome.PARTIAL):
            return finding.outcome
        strength = finding.strength or Strength.FOUND
        needed = [self._evidence]
        needed += [s for s in (self._by_practice.get(practice),) if s]
        needed += [s for s in (self._by_practice.get(finding.practice.slug),) if s]
        needed += [s for s in (self._by_level.get(level) if level is not None else None,) if s]
        if strength.rank < max(s.rank for s in needed):
            return Outcome.FAIL
        return finding.outcome

    def met(self, need: Need, level: int | None = None) -> bool:
        """Whether a must is met."""
        outcome = self.outcome(need.practice, level)
        if outcome in (Outcome.PASS, Outcome.NOT_APPLICABLE):
            return True
        if outcome is Outcome.PARTIAL and need.soft:
            return True
        if need.practice in self._approved and outcome is not None:
            return True
        return any(self.outcome(p, level) is Outcome.PASS for p in need.stand_ins)

    def shown(self, need: Need, level: int | None = None) -> bool:
        """Whether a must is met by something that is there, and not because it does not apply."""
        applies = self.outcome(need.practice, level) is not Outcome.NOT_APPLICABLE
        return applies and self.met(need, level)

    def sort(self, practices: Sequence[str]) -> list[str]:
        """In catalogue order, those that do not exist last."""
        last = len(self.order)
        return sorted(practices, key=lambda p: (self.order.get(p, last), p))
