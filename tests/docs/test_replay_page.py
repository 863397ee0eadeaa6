"""The guide to the loop: its figures come from a replay, in words that fit what happened."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def module(path: Path) -> object:
    """A script of tools/ as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = made
    spec.loader.exec_module(made)
    return made


def window(name: str, **happened: object) -> dict[str, object]:
    """One month of a replay in which nothing happened but what is given."""
    quiet = {"version": "v1.0.0", "error": 0.2, "error_of_first_model": 0.3, "alerts": []}
    return {
        "window": name,
        **quiet,
        "held_back": "",
        "retrained": False,
        "promoted": "",
        **happened,
    }


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The reports of a project that has lived through four months."""
    summary = {
        "windows": 4, "windows_with_alerts": 3, "retrainings": 2, "held_back": 1, "promotions": 1,
        "later_windows": 2, "mean_error_in_later_windows": 0.15,
        "mean_error_of_first_model_in_later_windows": 0.3,
    }  # fmt: skip
    windows = [
        window("2012-01"),
        window("2012-02", alerts=["performance"], retrained=True),
        window("2012-03", alerts=["performance"], retrained=True, promoted="v1.1.0"),
        window("2012-04", alerts=["business"], held_back="data valid: a sensor"),
    ]
    alarms = {"quality": {"calls": 1, "windows": 7}, "drift": {"calls": 0, "windows": 12}}
    reports = tmp_path / "reports"
    reports.mkdir()
    replay = {"summary": summary, "windows": windows}
    (reports / "replay.json").write_text(json.dumps(replay), encoding="utf-8")
    thresholds = {"false_alarms": alarms}
    (reports / "thresholds.json").write_text(json.dumps(thresholds), encoding="utf-8")
    return tmp_path


def test_every_month_says_what_followed(project: Path) -> None:
    """Nothing, a challenger that stayed outside, one that was promoted, or why triage held back."""
    lines = module(ROOT / "tools/replay_page.py").told(project).splitlines()  # type: ignore[attr-defined]
    ends = {line.split(" | ")[0].strip("| "): line.split(" | ")[-1].strip("| ") for line in lines}
    assert ends["2012-01"] == "nothing to do"
    assert ends["2012-02"] == "the gate kept the old one"
    assert ends["2012-03"] == "promoted as v1.1.0"
    assert ends["2012-04"] == "data valid: a sensor"
    assert ends["false alarms about quality on 2011"] == "1 of 7 months"
    assert ends["gain, on months that decided nothing"] == "50.0%"


def test_the_page_is_made_of_such_figures() -> None:
    """What the guide shows between its marks is a table of the tool's rows."""
    page = (ROOT / "docs/guides/loop.md").read_text(encoding="utf-8")
    shown = page.split("<!-- replay -->")[1].split("<!-- end -->")[0]
    assert "| false alarms about quality on 2011 |" in shown
    assert shown.count("\n| 2012-") == 12
