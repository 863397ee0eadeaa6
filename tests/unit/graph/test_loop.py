"""The loop: what stands at its stations, how long chains fold, and which arrows are missing."""

from __future__ import annotations

import json

import pytest

from mlops_audit.config import Config
from mlops_audit.graph import Project
from mlops_audit.graph.loop import loop_of
from mlops_audit.model import Evidence, Loop, Outcome, Span, Verdict, failed, partial, passed
from mlops_audit.reports.loop import FORMATS, draw, fitted, said, some, wrapped
from mlops_audit.tree.memory import MemoryTree

TRAIN = """import joblib
from sklearn.svm import SVC

m = SVC()
m.fit(x, y)
joblib.dump(m, 'm.pkl')
"""
CI = """on:
  schedule:
    - cron: '0 3 * * *'
jobs:
  nightly:
    steps:
      - run: make all
"""
MAKE = "all: train\ntrain:\n\tsh run.sh\n"
DVC = "stages:\n  train:\n    cmd: python train.py\n    deps: [train.py]\n    outs: [m.pkl]\n"


def laid(files: dict[str, str], verdicts: dict[str, Verdict] | None = None) -> Loop:
    """The loop of a repository in memory."""
    return loop_of(Project.load(MemoryTree(files), Config()), verdicts)


def state(loop: Loop, source: str) -> str:
    """How the arrow from a station stands."""
    return next(step.state for step in loop.steps if step.source == source)


def names(loop: Loop, kind: str) -> list[str]:
    """What stands at a station."""
    return [node.name for node in loop.at(kind)]


def test_script_alone_is_started_by_a_person() -> None:
    """A training script without anything around it has a person as its only trigger."""
    loop = laid({"train.py": TRAIN})
    (trigger,) = loop.at("trigger")
    assert trigger.by_hand
    assert "train.py" in trigger.name
    assert [state(loop, k) for k in ("trigger", "job", "stage")] == ["missing"] * 3
    assert all(step.looked_for for step in loop.missing if step.state == "missing")


def test_long_chains_fold_into_their_ends() -> None:
    """A schedule that trains through make and a script links the job with the code directly."""
    loop = laid(
        {
            "train.py": TRAIN,
            ".github/workflows/ci.yml": CI,
            "Makefile": MAKE,
            "run.sh": "python train.py\n",
        }
    )
    assert state(loop, "trigger") == "found"
    assert state(loop, "job") == "found"
    code = next(n for n, node in enumerate(loop.nodes) if node.name == "train.py")
    (link,) = [li for li in loop.links if li.target == code]
    assert loop.nodes[link.source].kind == "job"
    assert any("run.sh" in hop.detail for hop in link.via)


def test_stages_of_a_pipeline_lead_to_code_and_model() -> None:
    """A DVC stage is linked with the program that it runs."""
    loop = laid({"train.py": TRAIN, "dvc.yaml": DVC})
    assert names(loop, "stage") == ["train"]
    assert state(loop, "stage") == "found"
    ends = {(loop.nodes[li.source].kind, loop.nodes[li.target].kind) for li in loop.links}
    assert ("stage", "code") in ends
    assert state(loop, "data") == "found"


def test_tests_of_training_are_no_training() -> None:
    """A job that runs tests of the training code does not train."""
    files = {
        "src/train.py": "def train(x, y):\n    from sklearn.svm import SVC\n    SVC().fit(x, y)\n",
        "tests/test_train.py": "from src.train import train\n\ndef test():\n    train(1, 2)\n",
        ".github/workflows/ci.yml": "on: push\njobs:\n  t:\n    steps:\n      - run: pytest\n",
    }
    assert state(laid(files), "job") == "missing"


def test_dead_triggers_are_named() -> None:
    """A trigger that cannot fire starts nothing, and is shown as the reason."""
    text = CI.replace("jobs:\n  nightly:\n", "jobs:\n  nightly:\n    if: false\n")
    loop = laid({"train.py": TRAIN, ".github/workflows/ci.yml": text})
    assert state(loop, "job") == "missing"


@pytest.mark.parametrize("outcome", [Outcome.PASS, Outcome.PARTIAL, Outcome.FAIL])
def test_verdicts_decide_where_they_are_given(outcome: Outcome) -> None:
    """The picture says of the way back what AUT12 says."""
    seen = Evidence(Span("a.yml", 1), "on: repository_dispatch")
    made = {
        Outcome.PASS: passed("a signal", seen),
        Outcome.PARTIAL: partial("an issue", seen),
        Outcome.FAIL: failed("no signal", looked_for="a signal"),
    }
    loop = laid({"train.py": TRAIN}, {"AUT12": made[outcome]})
    words = {Outcome.PASS: "found", Outcome.PARTIAL: "partial", Outcome.FAIL: "missing"}
    assert state(loop, "monitor") == words[outcome]
    assert loop.steps[-1].practices == ("AUT12",)


def test_partly_watched_is_no_closed_loop() -> None:
    """Quality over time that holds in part makes the arrow to the monitors partial."""
    files = {
        "train.py": TRAIN,
        "serve.py": "import joblib\nfrom fastapi import FastAPI\n\napp = FastAPI()\n"
        "model = joblib.load('m.pkl')\n\n\n@app.post('/predict')\ndef predict(x: float):\n"
        "    return model.predict([[x]])\n",
    }
    seen = Evidence(Span("serve.py", 9), "def predict")
    assert state(laid(files), "service") == "missing"
    assert state(laid(files, {"MON05": partial("new data", seen)}), "service") == "partial"
    assert state(laid(files, {"MON05": passed("windows", seen)}), "service") == "found"
    assert state(laid(files, {"MON06": passed("alerts", seen)}), "service") == "partial"


def test_nothing_is_asked_of_what_does_not_train() -> None:
    """Where nothing trains or predicts, most arrows do not apply."""
    loop = laid({"README.md": "# Notes\n"})
    assert [s.state for s in loop.steps if s.state == "n/a"]
    assert state(loop, "job") == state(loop, "monitor") == "n/a"


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_draws_every_loop(form: str) -> None:
    """An empty repository is drawn too, always in the same way."""
    files = {"train.py": TRAIN, "dvc.yaml": DVC, ".github/workflows/ci.yml": CI}
    for given in ({}, files):
        assert draw(laid(given), form) == draw(laid(given), form)
    if form == "json":
        data = json.loads(draw(laid(files), form))
        ids = {node["id"] for node in data["nodes"]}
        assert all({link["from"], link["to"]} <= ids for link in data["links"])


def test_stations_are_capped_in_words() -> None:
    """Of many nodes a few are shown, and the rest is counted; never `+1 more`."""
    loop = laid({f"t{n}.py": TRAIN for n in range(9)})
    nodes = loop.at("code")
    assert [len(some(nodes, most)[0]) for most in (9, 8, 4)] == [9, 7, 3]
    assert some(nodes, 4)[1] == 6


def test_labels_fit_and_keep_what_tells_them_apart() -> None:
    """A long path keeps its end, other text its beginning, and nothing invisible is left."""
    assert fitted("a/very/long/path/to/train.py", 12) == "…to/train.py"
    assert fitted("a sentence that is long", 12) == "a sentence…"
    assert fitted("batch: src/very/long/predict.py", 20) == "batch: …/predict.py"
    assert fitted("one.long.models.train_model (make)", 26) == "…models.train_model (make)"
    assert wrapped("one two three", 8, 2) == ["one two", "three"]
    assert wrapped("one two three four", 8, 2) == ["one two", "three f…"]
    assert wrapped("nothing_to_break_at_all", 8, 2) == ["nothing…"]
    assert fitted("\x1b[31m", 20) == "\\x1b[31m"
    assert len(fitted("漢" * 30, 20)) <= 10


def test_summary_counts_what_applies() -> None:
    """The sentence counts arrows that apply."""
    assert said(laid({"train.py": TRAIN})).startswith("1 of ")
