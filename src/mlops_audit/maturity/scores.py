"""Scores from 0 to 100: in all, by principle, by asset, and the matrix of the two."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mlops_audit.maturity.ladder import Ladder
from mlops_audit.maturity.standing import CREDIT, Standings
from mlops_audit.model import ASSETS, PRINCIPLES, Finding, Outcome, Scores

__all__ = ["mean", "no_scores", "scores"]


def mean(outcomes: Iterable[Outcome | None]) -> float | None:
    """Mean credit of what is asked and applies, times 100, one decimal; None when empty."""
    credits_ = [CREDIT[o] for o in outcomes if o is not None and o is not Outcome.NOT_APPLICABLE]
    return round(100 * sum(credits_) / len(credits_), 1) if credits_ else None


def scores(findings: Sequence[Finding], standings: Standings, ladder: Ladder) -> Scores:
    """Score the practices that are asked; an asset gets every practice that names it."""
    asked = [f.practice for f in findings if f.practice.asked]
    outcome = standings.outcome
    return Scores(
        total=mean(outcome(p.id) for p in asked),
        principles={
            key: mean(outcome(p.id) for p in asked if p.principle == key) for key in PRINCIPLES
        },
        assets={asset: mean(outcome(p.id) for p in asked if asset in p.assets) for asset in ASSETS},
        matrix={
            key: {
                asset: mean(
                    outcome(p.id) for p in asked if p.principle == key and asset in p.assets
                )
                for asset in ASSETS
            }
            for key in PRINCIPLES
        },
        principle_levels={key: ladder.principle_level(key) for key in PRINCIPLES},
    )


def no_scores() -> Scores:
    """What a repository without a role gets: nothing was asked of it."""
    return Scores(
        total=None,
        principles=dict.fromkeys(PRINCIPLES),
        assets=dict.fromkeys(ASSETS),
        matrix={key: dict.fromkeys(ASSETS) for key in PRINCIPLES},
        principle_levels=dict.fromkeys(PRINCIPLES, 0),
    )
