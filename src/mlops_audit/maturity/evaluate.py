"""The evaluator: findings and models → an `Assessment`. Pure; what a level asks is data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from mlops_audit.maturity.ladder import Ladder
from mlops_audit.maturity.other import blocks, score, score_level, shares
from mlops_audit.maturity.scores import no_scores, scores
from mlops_audit.maturity.standing import Standings
from mlops_audit.maturity.types import MaturityModel
from mlops_audit.model import Assessment, Finding, LevelResult, ModelResult, RolesInfo, Strength

__all__ = ["Settings", "evaluate"]


class Settings(Struct, frozen=True):
    """What a team or a call asks of the evaluation.

    `evidence` is the weakest strength that counts anywhere; `require` asks for more by `*`, by a
    level's number or name, or by a practice's id. `approved` holds the practices that a named
    person stands for (`promotion-approver`), `excused` those that count as not applicable (for
    gates: waived or not selected). `not_needed` gives the canvas blocks that are not needed, with
    the reason. `target` is a level of the first model.
    """

    evidence: Strength = Strength.ATTESTED
    require: Mapping[str, Strength] = field(default_factory=dict)
    approved: frozenset[str] = frozenset()
    excused: frozenset[str] = frozenset()
    not_needed: Mapping[str, str] = field(default_factory=dict)
    target: int | None = None


def evaluate(
    findings: Sequence[Finding],
    models: Sequence[MaturityModel],
    *,
    ladder: MaturityModel,
    roles: RolesInfo,
    settings: Settings | None = None,
) -> Assessment:
    """See findings through every model.

    Args:
        findings: one a practice, in catalogue order.
        models: the first one gives the level (the ladder does where that one has no levels).
        ladder: the default model, whose levels the principles' levels and the catalogue use.
        roles: what the repository is for; `none` is level 0 without a score.
        settings: strengths, stand-ins, target.
    """
    settings = settings or Settings()
    gating = models[0] if models and models[0].has_levels else ladder
    results: list[ModelResult] = []
    level: LevelResult | None = None
    for model in models or (ladder,):
        standings = _standings(findings, model, settings)
        reached = _level(model, standings, roles, settings if model is gating else None)
        if model is gating:
            level = reached
        results.append(_result(model, standings, reached, settings))
    if level is None:
        level = _level(gating, _standings(findings, gating, settings), roles, settings)
    if level is None:  # pragma: no cover -- the ladder has levels
        raise ValueError(f"{gating.name} has no levels")
    if level.remark is None:
        level = replace(level, remark=ladder.remarks.get(roles.kind))
    standings = _standings(findings, ladder, settings)
    figures = (
        no_scores()
        if roles.kind == "none"
        else scores(findings, standings, Ladder(ladder, standings))
    )
    return Assessment(level, figures, tuple(results))


def _standings(findings: Sequence[Finding], model: MaturityModel, settings: Settings) -> Standings:
    names = {str(n): n for n in model.level_names()}
    names |= {name.casefold(): n for n, name in model.level_names().items()}
    by_level = {
        names[k.casefold()]: v for k, v in settings.require.items() if k.casefold() in names
    }
    return Standings(
        findings,
        evidence=max((settings.evidence, settings.require.get("*", Strength.ATTESTED)), key=_rank),
        by_level=by_level,
        by_practice=settings.require,
        approved=settings.approved & model.approvable,
        excused=settings.excused,
    )


def _rank(strength: Strength) -> int:
    return strength.rank


def _level(
    model: MaturityModel, standings: Standings, roles: RolesInfo, settings: Settings | None
) -> LevelResult | None:
    target = settings.target if settings else None
    if model.levels:
        return Ladder(model, standings).result(roles.kind, target)
    if model.bands:
        return score_level(model, standings, roles.kind, target)
    return None


def _result(
    model: MaturityModel, standings: Standings, level: LevelResult | None, settings: Settings
) -> ModelResult:
    data: dict[str, object] = {"title": model.title, "sources": list(model.sources)}
    if model.kind == "ladder" and level is not None:
        data |= {
            "reached": level.reached,
            "name": level.name,
            "next": {"level": level.next[0], "name": level.next[1]} if level.next else None,
            "blocking": list(level.blocking),
            "should_share": level.should_share,
            "profile": [
                {"level": row.level, "musts": row.musts, "met": row.met} for row in level.profile
            ],
            "missing": list(level.missing),
            "levels": [
                {"level": each.number, "name": each.name, "meaning": each.meaning}
                for each in model.levels
            ],
        }
    elif model.kind == "score":
        data |= score(model, standings)
    elif model.kind == "shares":
        data |= shares(model, standings)
    else:
        data |= blocks(model, standings, settings.not_needed)
    return ModelResult(model.name, model.kind, data)
