"""The arithmetic of levels, checked against the text of its definition and an oracle."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from mlops_audit.maturity import MaturityModel, Settings, evaluate, load_model, parse_model
from mlops_audit.model import (
    Assessment,
    Evidence,
    Finding,
    Fix,
    Outcome,
    Practice,
    RolesInfo,
    Span,
    Strength,
    Verdict,
    not_applicable,
)

LADDER = load_model("ladder")
TRAINS = RolesInfo("trains", trains=True, serves="service")
HERE = (Evidence(Span("a.py", 1), "seen"),)


def finding(
    practice: str,
    outcome: str,
    *,
    strength: Strength | None = Strength.FOUND,
    template: tuple[str, ...] = (),
) -> Finding:
    """A practice of the real catalogue's asks with an outcome."""
    verdict = Verdict(Outcome(outcome), "because", HERE)
    asked = LADDER.reserved[practice]
    made = Practice(
        id=practice,
        slug=practice.lower(),
        title=practice,
        assets=("code",),
        asked=asked,
        fix=Fix("do it", template),
        judge=lambda _: not_applicable(""),
    )
    return Finding(made, verdict, strength if outcome in {"pass", "partial"} else None)


def all_findings(default: str = "pass", **outcomes: str) -> list[Finding]:
    """Every practice of the catalogue, with `default` but for those named."""
    return [finding(p, outcomes.get(p, default)) for p in LADDER.reserved]


def assess(
    findings: list[Finding],
    *models: MaturityModel,
    roles: RolesInfo = TRAINS,
    asked: Settings | None = None,
) -> Assessment:
    """Evaluate with the ladder first unless other models are named."""
    return evaluate(findings, models or (LADDER,), ladder=LADDER, roles=roles, settings=asked)


def test_everything_passed_is_the_top() -> None:
    """Nothing blocks the top level, and there is no next one."""
    level = assess(all_findings()).level
    assert (level.reached, level.name, level.next, level.blocking) == (5, "CI/CD/CT", None, ())
    assert [(row.musts, row.met) for row in level.profile] == [
        (4, 4),
        (6, 6),
        (6, 6),
        (8, 8),
        (7, 7),
    ]


def test_soft_must_is_met_by_partial() -> None:
    """`M~` takes a partial, `M` does not."""
    assert assess(all_findings(VER01="partial")).level.reached == 5
    assert assess(all_findings(TST01="partial")).level.reached == 1


def test_soft_must_that_hardens_caps_where_it_hardens() -> None:
    """MON05 is `M~` at 3 and `M` at 4: a partial holds level 3."""
    assert assess(all_findings(MON05="partial")).level.reached == 3


def test_not_applicable_counts_as_met() -> None:
    """`n/a` never stands in the way."""
    assert assess(all_findings(AUT17="n/a", MON03="n/a")).level.reached == 5


def test_unknown_never_meets_a_must() -> None:
    """What could not be read is not there."""
    level = assess(all_findings(REP11="unknown")).level
    assert level.reached == 0
    assert level.blocking == ("REP11",)


def test_quality_over_time_stands_in_for_drift() -> None:
    """MON04 is met where MON05 passes, and not where MON05 does not apply."""
    assert assess(all_findings(MON04="fail")).level.reached == 5
    assert assess(all_findings(MON04="fail", MON05="n/a")).level.reached == 2
    assert assess(all_findings(MON04="fail", MON05="partial")).level.reached == 2


def test_a_person_can_stand_for_the_promotion_gate() -> None:
    """A named approver meets AUT13 and nothing else, and only while attested evidence counts."""
    findings = all_findings(AUT13="fail")
    approved = Settings(approved=frozenset(["AUT13"]))
    assert assess(findings).level.reached == 3
    assert assess(findings, asked=approved).level.reached == 5
    strict = replace(approved, evidence=Strength.FOUND)
    assert assess(findings, asked=strict).level.reached == 3
    other = Settings(approved=frozenset(["AUT01"]))
    assert assess(all_findings(AUT01="fail"), asked=other).level.reached == 3


def test_half_of_the_shoulds_is_enough() -> None:
    """Level 1 has six shoulds: three passes reach it, two and a half do not."""
    shoulds = [p for p, asks in LADDER.reserved.items() if asks[0].level == 1]
    shoulds = [p for p in shoulds if not LADDER.reserved[p][0].is_must]
    failing = shoulds[: len(shoulds) // 2 + len(shoulds) % 2]
    enough = assess(all_findings(**dict.fromkeys(failing, "fail"))).level
    one_more = [*failing, next(p for p in shoulds if p not in failing)]
    short = assess(all_findings(**dict.fromkeys(one_more, "fail"))).level
    assert short.reached == 0
    assert enough.reached >= (1 if len(shoulds) % 2 == 0 else 0)
    assert short.should_share < 0.5


def test_what_became_a_must_is_no_should_any_more() -> None:
    """TST18 is a should at 1 and a must at 2: it counts in the share of level 1 alone."""
    from mlops_audit.maturity.ladder import Ladder  # noqa: PLC0415 -- its own arithmetic
    from mlops_audit.maturity.standing import Standings  # noqa: PLC0415 -- the same

    ladder = Ladder(LADDER, Standings(all_findings()))
    assert "TST18" in ladder.shoulds(1)
    assert "TST18" not in ladder.shoulds(2)


def test_what_was_not_run_is_left_out() -> None:
    """REP09 counts in the share only once it has been run."""
    from mlops_audit.maturity.ladder import Ladder  # noqa: PLC0415 -- its own arithmetic
    from mlops_audit.maturity.standing import Standings  # noqa: PLC0415 -- the same

    assert "REP09" not in Ladder(LADDER, Standings(all_findings(REP09="unknown"))).shoulds(4)
    assert "REP09" in Ladder(LADDER, Standings(all_findings(REP09="fail"))).shoulds(4)


def test_missing_practices_cap_the_level() -> None:
    """A must that does not exist as code yet caps the level, and is named and not blocking."""
    findings = [f for f in all_findings() if f.practice.id not in {"AUT17", "COL11"}]
    level = assess(findings).level
    assert level.reached == 2
    assert level.missing == ("AUT17", "COL11")
    assert level.blocking == ()


def test_blocking_lists_musts_then_the_cheapest_shoulds() -> None:
    """Musts come in catalogue order; of the shoulds just those that lift the share, begun first."""
    findings = all_findings("fail", VER01="pass", VER02="pass", COL01="pass", STR01="partial")
    level = assess(findings).level
    assert level.blocking[0] == "REP11"
    assert level.blocking[1] == "STR01"
    shoulds = level.blocking[1:]
    after = all_findings(
        "fail",
        **dict.fromkeys(["VER01", "VER02", "COL01", "REP11", *shoulds], "pass"),
    )
    assert assess(after).level.reached == 1
    less = all_findings(
        "fail",
        **dict.fromkeys(["VER01", "VER02", "COL01", "REP11", *shoulds[:-1]], "pass"),
    )
    assert assess(less).level.reached == 0


def test_blocking_reaches_up_to_the_target() -> None:
    """With a target, what blocks all levels up to it is listed, and mending it reaches it."""
    findings = all_findings("fail")
    level = assess(findings, asked=Settings(target=3)).level
    assert level.target_met is False
    mended = all_findings("fail", **dict.fromkeys(level.blocking, "pass"))
    assert assess(mended).level.reached == 3


def test_role_none_is_level_zero_without_a_score() -> None:
    """A repository without a model gets a plain sentence and no score."""
    found = assess(all_findings(), roles=RolesInfo("none", trains=False, serves="none"))
    assert found.level.reached == 0
    assert found.scores.total is None
    assert found.level.blocking == ()
    assert found.level.remark is not None
    assert set(found.scores.principles.values()) == {None}


def test_libraries_and_notebooks_get_a_remark() -> None:
    """The ladder is reported with the remark that it was not made for them."""
    for kind in ("library", "notebooks"):
        level = assess(all_findings(), roles=RolesInfo(kind, trains=True, serves="none")).level
        assert level.reached == 5
        assert "not made for" in (level.remark or "")


def test_weak_evidence_can_be_left_out() -> None:
    """`--evidence found` does not count what a person attests."""
    findings = [f for f in all_findings() if f.practice.id != "MON05"]
    findings.append(finding("MON05", "pass", strength=Strength.ATTESTED))
    assert assess(findings).level.reached == 5
    assert assess(findings, asked=Settings(evidence=Strength.FOUND)).level.reached == 2


@pytest.mark.parametrize("key", ["TST01", "tst01", "2", "Reproducible"])
def test_a_policy_can_ask_for_verified_evidence(key: str) -> None:
    """`require` holds for a practice by id or slug, or for what a level asks."""
    asked = Settings(require={key: Strength.VERIFIED})
    assert assess(all_findings(), asked=asked).level.reached == 1


def test_excused_practices_count_as_not_applicable() -> None:
    """A gate sees what is waived as not applicable."""
    asked = Settings(excused=frozenset(["TST01"]))
    assert assess(all_findings(TST01="fail"), asked=asked).level.reached == 5


def test_principle_levels_look_at_the_principle_alone() -> None:
    """A principle's level is the highest up to which its own musts are met."""
    levels = assess(all_findings(AUT17="fail", TST01="fail")).scores.principle_levels
    assert (levels["AUT"], levels["TST"], levels["COL"]) == (2, 1, 5)


def test_scores_are_means_of_what_applies() -> None:
    """Pass 1, partial a half, fail and unknown 0, `n/a` left out, one decimal."""
    findings = [
        finding("AUT01", "pass"),
        finding("AUT02", "partial"),
        finding("AUT03", "unknown"),
        finding("AUT04", "n/a"),
    ]
    found = assess(findings).scores
    assert found.total == 50.0
    assert found.principles["AUT"] == 50.0
    assert found.principles["VER"] is None
    assert found.matrix["AUT"] == {"data": None, "model": None, "code": 50.0, "system": None}


def test_own_model_gives_the_level() -> None:
    """A team's own ladder, with stand-ins and shoulds of its own, gates in place of the default."""
    own = parse_model(
        b"name = 'ours'\ntitle = 't'\nkind = 'ladder'\nsources = ['https://x']\nshare = 1\n"
        b"[[levels]]\nnumber = 0\nname = 'No'\n"
        b"[[levels]]\nnumber = 1\nname = 'Yes'\nmust = ['VER01~', 'MON03|MON04']\n"
        b"should = ['COL02']\n",
        "ours.toml",
    )
    findings = all_findings(VER01="partial", MON03="fail")
    assert assess(findings, own).level.name == "Yes"
    assert assess(all_findings(COL02="fail"), own).level.blocking == ("COL02",)
    assert assess(all_findings(MON03="fail", MON04="fail"), own).level.blocking == ("MON03",)


def oracle(outcomes: dict[str, str]) -> int:
    """The definition, written a second time: the level from outcomes alone."""
    asks = [(p, a.level, a.kind) for p, asked in LADDER.reserved.items() for a in asked]
    reached = 0
    for level in range(1, 6):
        upto = [(p, kind) for p, n, kind in asks if n <= level]
        musts = {p for p, kind in upto if kind != "should"}
        met = all(
            outcomes[p] in {"pass", "n/a"}
            or (outcomes[p] == "partial" and kind == "must~")
            or (p == "MON04" and outcomes["MON05"] == "pass")
            for p, kind in upto
            if kind != "should"
        )
        shoulds = {
            p
            for p, kind in upto
            if p not in musts
            and outcomes[p] != "n/a"
            and not (p == "REP09" and outcomes[p] == "unknown")
        }
        weight = sum({"pass": 1.0, "partial": 0.5}.get(outcomes[p], 0) for p in shoulds)
        if not met or weight * 2 < len(shoulds):
            break
        reached = level
    return reached


@settings(max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from(sorted(LADDER.reserved)),
        st.sampled_from(["partial", "fail", "n/a", "unknown"]),
        max_size=60,
    )
)
def test_levels_agree_with_a_second_writing(outcomes: dict[str, str]) -> None:
    """For any outcomes the level is what the definition says, and mending what blocks lifts it."""
    found = assess(all_findings(**outcomes)).level
    every = dict.fromkeys(LADDER.reserved, "pass") | outcomes
    assert found.reached == oracle(every)
    if found.next is not None:
        mended = every | dict.fromkeys(found.blocking, "pass")
        assert assess(all_findings(**mended)).level.reached >= found.next[0]
