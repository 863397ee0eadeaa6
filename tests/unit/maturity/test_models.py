"""The model files, and the models that are no ladder."""

from __future__ import annotations

import contextlib
import runpy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.config import ConfigError
from mlops_audit.maturity import (
    MaturityModel,
    Settings,
    load_model,
    model_names,
    parse_level,
    parse_model,
)

LADDER = load_model("ladder")
_LADDER_TESTS = runpy.run_path(str(Path(__file__).with_name("test_ladder.py")))
assess, all_findings = _LADDER_TESTS["assess"], _LADDER_TESTS["all_findings"]


def data(
    name: str, *, asked: Settings | None = None, default: str = "pass", **outcomes: str
) -> Any:  # noqa: ANN401 -- JSON data
    """The result of one model over the whole catalogue."""
    found = assess(all_findings(default, **outcomes), LADDER, load_model(name), asked=asked)
    return found.models[1].data


def test_the_default_comes_first() -> None:
    """The models are those of the documentation, the ladder first."""
    assert model_names() == (
        "ladder",
        "stages",
        "steps",
        "google",
        "microsoft",
        "ml-test-score",
        "crisp-ml-q",
        "stack-canvas",
    )


@pytest.mark.parametrize("name", model_names())
def test_models_name_practices_that_exist_and_their_source(name: str) -> None:
    """Every practice that a model names is in the catalogue, and it cites a public source."""
    model = load_model(name)
    assert set(model.practices()) <= set(LADDER.reserved)
    assert any(source.startswith("https://") for source in model.sources)


@pytest.mark.parametrize("name", ["stages", "steps", "google", "microsoft"])
def test_other_ladders_reach_their_top(name: str) -> None:
    """With everything passed each ladder is at its top, with nothing at its bottom."""
    assert data(name)["next"] is None
    lowest = data(name, default="fail")
    assert lowest["reached"] <= 1


def test_stages_take_drift_or_quality() -> None:
    """The second stage is met by MON04 or by MON05."""
    assert data("stages", MON04="fail")["reached"] == 3
    assert data("stages", MON05="fail")["reached"] == 3
    assert data("stages", MON04="fail", MON05="fail")["reached"] == 1


def test_ml_test_score_has_its_twenty_eight_tests() -> None:
    """Four sections of seven tests; those that no practice stands for say why."""
    sections = load_model("ml-test-score").sections
    assert [len(section.tests) for section in sections] == [7, 7, 7, 7]
    for test in (t for section in sections for t in section.tests):
        assert bool(test.practices) != bool(test.unmapped)


def test_ml_test_score_is_its_weakest_section() -> None:
    """The final score is the minimum, and nothing that is not mapped earns a point."""
    found = data("ml-test-score")
    assert found["score"] == min(section["score"] for section in found["sections"])
    assert all(s["score"] <= s["reachable"] for s in found["sections"])
    assert len(found["unmapped"]) == 6
    assert data("ml-test-score", default="fail")["score"] == 0


def test_ml_test_score_gives_half_a_point_by_hand() -> None:
    """A test that nothing runs automatically, or that is partial, earns half a point."""

    def points(**outcomes: str) -> float:
        found = assess(all_findings(**outcomes), load_model("ml-test-score")).models[0]
        sections = found.data["sections"]
        rows = [t for s in sections for t in s["tests"] if t["id"] == "data-7"]
        return float(rows[0]["points"])

    assert points() == 1
    assert points(AUT06="fail") == 0.5
    assert points(TST05="partial") == 0.5
    assert points(TST05="n/a") == 0


def test_ml_test_score_can_gate() -> None:
    """Its bands are levels, so that it can be the first model."""
    level = assess(all_findings("fail"), load_model("ml-test-score")).level
    assert (level.reached, level.next[0]) == (0, 1)
    assert assess(all_findings(), load_model("ml-test-score")).level.reached >= 2


def test_crisp_ml_q_has_six_phases_of_four_elements() -> None:
    """Each phase has requirements, tasks, risks and methods, each with a share."""
    found = data("crisp-ml-q", COL08="partial")
    assert [len(phase["elements"]) for phase in found["phases"]] == [4] * 6
    assert found["phases"][0]["elements"][0]["share"] == 0.5
    assert data("crisp-ml-q", default="n/a")["share"] is None


def test_stack_canvas_has_eleven_blocks_and_three_dilemmas() -> None:
    """A block is filled by what was found, not needed with a reason, or empty."""
    asked = Settings(not_needed={"metadata-store": "one model only"})
    found = data("stack-canvas", asked=asked, default="fail", AUT17="pass")
    blocks = {block["key"]: block for block in found["blocks"]}
    assert [b["dilemma"] for b in found["blocks"]].count(True) == 3
    assert len(blocks) == 14
    assert blocks["prediction-serving"]["state"] == "filled"
    assert blocks["prediction-serving"]["by"][0]["practice"] == "AUT17"
    assert blocks["metadata-store"]["state"] == "not needed"
    assert blocks["value-proposition"]["state"] == "empty"


def test_first_model_without_levels_leaves_the_ladder_its_level() -> None:
    """A canvas gives no level: the ladder's is reported."""
    assert assess(all_findings(), load_model("stack-canvas")).level.name == "CI/CD/CT"


@pytest.mark.parametrize("value", [2, "2", "Reproducible", " reproducible "])
def test_levels_are_named_by_number_or_name(value: int | str) -> None:
    """A level may be written as its number or its name in any case."""
    assert parse_level(LADDER, value) == 2


@pytest.mark.parametrize("value", [6, -1, "9", "Reproducable", "", "²"])
def test_unknown_levels_are_refused_with_the_list(value: int | str) -> None:
    """The message lists the levels that there are."""
    with pytest.raises(ConfigError, match="0 Ad hoc"):
        parse_level(LADDER, value)


def test_unknown_models_are_refused_with_the_nearest() -> None:
    """A mistyped model names the one that was meant."""
    with pytest.raises(ConfigError, match="did you mean 'google'"):
        load_model("gogle")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x", "not readable"),
        ("name = 'a'", "no 'title'"),
        ("name='a'\ntitle='a'\nkind='leader'\nsources=[]", "did you mean 'ladder'"),
        ("name='a'\ntitle='a'\nkind='ladder'\nsources=[]", "without levels"),
        (
            "name='a'\ntitle='a'\nkind='ladder'\nsources=[]\n[[levels]]\nnumber=1\nname='x'",
            "numbered 0, 1, 2",
        ),
        ("name='a'\ntitle='a'\nkind='ladder'\nsources=[]\n[reserved]\nAUT01='9x'", "9x"),
    ],
)
def test_wrong_model_files_are_refused(text: str, said: str) -> None:
    """Each mistake is one line that names the file."""
    with pytest.raises(ConfigError, match=r"^my\.toml: ") as caught:
        parse_model(text.encode(), "my.toml")
    assert said in str(caught.value)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_model_or_refused(content: bytes) -> None:
    """Whatever stands in a model file, nothing but a ConfigError is raised."""
    with contextlib.suppress(ConfigError):
        assert isinstance(parse_model(content, "x.toml"), MaturityModel)
