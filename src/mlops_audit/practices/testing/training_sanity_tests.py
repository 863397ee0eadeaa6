"""TST07: tests check what training must do."""

from __future__ import annotations

import re

from mlops_audit.facts.code import Assert
from mlops_audit.graph import Project
from mlops_audit.graph.testcases import TestCase
from mlops_audit.model import Evidence, Verdict, failed, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.testing._models import (
    asserts_of,
    calls_of,
    learns,
    model_cases,
    texts_of,
    training_cases,
)
from mlops_audit.regex import regex

_LOOKED = (
    "a test that trains and asserts that loss falls, a small batch is overfitted, checkpoints or "
    "early stopping work, or the same seed gives the same model"
)
_NAMES = regex(
    r"overfit|loss_(decreas|fall|drop|goes|reduc|improv)|(decreas|reduc|lower)\w*_loss|converg|memori[sz]e|"
    r"checkpoint|ckpt|resume|early_stop|determinis|reproduc|same_seed|seed|improve|increase_acc|"
    r"weights?_(change|update)|params?_(change|update)|gradient|(cpu|gpu|cuda|mps|device|ddp)(_|$)",
    re.IGNORECASE,
)
# A file that is not there, or settings that are wrong, are refused before anything is trained.
_REFUSED = regex(r"missing|not_found|non_?exist|no_(checkpoint|file|model)|invalid|raises")
_FILES = regex(
    r"ckpt|checkpoint|\.pth?\b|\.h5|\.keras|weights|model\w*\.(pkl|joblib|bin)", re.IGNORECASE
)
_EXISTS = regex(r"exists\(|is_file\(|isfile\(|listdir|iterdir|glob\(")
_LOSS = regex(r"loss|error|acc|auc|score", re.IGNORECASE)
_VALUES = regex(
    r"assert_(almost|array_almost|allclose|close|array_equal|frame_equal)|allclose|approx|isclose|torch\.equal"
)
_MEASURES = regex(r"threshold|metric|auc|scores?\b|precision|recall|\bf1|rmse|\bmae\b")
_PREDICTED = regex(r"pred|weight|coef|param|state_dict|output", re.IGNORECASE)
_OF_DATA = regex(r"data_?sets?|data_?load|tokeni[sz]er|config(?!ured)|(^|/)test_[^/]*_ds\.py$")
_SHAPE = regex(r"shape|dtype|size\(|len\(|isinstance|ndim|type\(", re.IGNORECASE)


@practice(
    id="TST07",
    title="Tests check what training must do",
    assets="model",
    level="4s",
    sources="S0 S4",
    fix="Train a few steps on one small batch in a test and assert that the loss falls.",
    template=(
        "tests/model",
        "tests/unit/test_train_model.py",
        "tests/unit/test_predictor.py",
        "tests/integration/test_loop.py",
        "tests/integration/test_skew.py",
    ),
    needs=("training",),
)
def training_sanity_tests(project: Project) -> Verdict:
    """Look at tests that train: what they assert of training, or only of shapes."""
    if not learns(project):
        return failed("nothing here is trained", looked_for=_LOOKED)
    trained = list(training_cases(project))
    found = [e for c in trained if (e := _checks_training(project, c)) is not None]
    if found:
        tests = "1 test checks" if len(found) == 1 else f"{len(found)} tests check"
        # Names and losses say it more plainly than values that come out of a training.
        found.sort(key=lambda e: not (_NAMES.search(e.detail) or _LOSS.search(e.detail)))
        return passed(f"{tests} what training must do", found)
    shapes = [
        c
        for c in dict.fromkeys([*trained, *model_cases(project)])
        if _SHAPE.search(texts_of(project, c))
        and not _OF_DATA.search(c.path)
        and not _asks_service(project, c)
    ]
    shapes += [c for c in project.tests.counting if c not in shapes and _builds_model(project, c)]
    if shapes:
        return partial(
            "tests of the model check output shape or type only",
            [_asserting(c, asserts_of(project, c), _SHAPE) for c in shapes],
        )
    return failed("no test checks what training must do", looked_for=_LOOKED)


def _asks_service(project: Project, case: TestCase) -> bool:
    """Whether a test only asks a service, whose answers say nothing of training."""
    return case.service or "test.client" in project.test_kinds.reach(case).capabilities


def _checks_training(project: Project, case: TestCase) -> Evidence | None:
    """The test by its name, else its assertion on what training must do."""
    texts = texts_of(project, case)
    settings = case.direct and all("config" in s.qualname.lower() for s in case.direct)
    told = _NAMES.search(case.name) and not settings and not _REFUSED.search(case.name)
    if told and (_LOSS.search(texts) or not _SHAPE.search(texts)):
        return case.evidence()
    asserted = asserts_of(project, case)
    if _EXISTS.search(texts) and _FILES.search(texts):
        return _asserting(case, asserted, _EXISTS)
    for item in asserted:
        for compare in item.compares:
            both = (compare.left, compare.right)
            ordered = compare.op in {"<", ">", "<=", ">="} and not any(v.is_literal for v in both)
            if ordered and all(_LOSS.search(v.text) for v in both):
                return Evidence(item.span, f"{case.name}: assert {item.test}")
    values = _VALUES.search(texts) and _PREDICTED.search(texts)
    trains = any(c.method == "fit" or "train" in c.method for c in calls_of(project, case))
    if not (values and trains):
        return None
    compared = [
        Evidence(c.span, f"{case.name}: {c.text}")
        for c in calls_of(project, case)
        if "assert" in c.method.lower() and _VALUES.search(c.text)
    ] or [
        Evidence(a.span, f"{case.name}: assert {a.test}")
        for a in asserted
        if _VALUES.search(a.test)
    ]
    learned = [e for e in compared if not _MEASURES.search(e.detail.partition(": ")[2])]
    # That a metric or a threshold is computed rightly says nothing of training.
    return learned[0] if learned else None if compared else case.evidence()


def _asserting(case: TestCase, asserted: list[Assert], on: re.Pattern[str]) -> Evidence:
    """The assertion of a test that matches, else the test."""
    item = next((a for a in asserted if on.search(a.test)), None)
    if item is None:
        return case.evidence()
    return Evidence(item.span, f"{case.name}: assert {_first_line(item.test)}")


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else ""


def _builds_model(project: Project, case: TestCase) -> bool:
    """Whether a test builds a network of the project and looks at its output's shape."""
    own = any(
        re.search(r"model|classifier|net|regressor", s.qualname, re.IGNORECASE)
        and not _OF_DATA.search(s.qualname.lower())
        for s in case.exercises
    )
    return own and bool(re.search(r"\.shape|dtype|\.size\(", texts_of(project, case)))
