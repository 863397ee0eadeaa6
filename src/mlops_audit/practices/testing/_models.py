"""What the tests of models share: which tests train, which have a trained model."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.code import Assert, Call
from mlops_audit.graph import Project
from mlops_audit.graph.testcases import TestCase
from mlops_audit.regex import regex

__all__ = ["asserts_of", "calls_of", "learns", "model_cases", "texts_of", "training_cases"]

_TRAINS = frozenset({"train.fit", "train.loop", "train.search"})
_TRAIN_NAMES = regex(
    r"(^|_)(train\w*|fit|overfit|fine_?tune|learn|train_step|trainer)(_|$)", re.IGNORECASE
)
_SETTING = regex(r"(config\w*|settings|args|arguments|params|options)$", re.IGNORECASE)
_OF_DATA = regex(
    r"split|(load|read|get|make|prepare)_(\w+_)?train|"
    r"train_(test|val\w*|data\w*|sets?|df|loader|x|y|features|path|file)(_|$)",
    re.IGNORECASE,
)
_MODELS = frozenset({"predict.call", "model.load", "registry.load", *_TRAINS})
_LOADS = frozenset({"model.load", "registry.load"})
_PREDICT_NAMES = regex(
    r"(^|_)(predict\w*|forecast|infer\w*|score|classif\w*|"
    r"model(?!_(dump|validate|fields|copy|config|construct|json)))(_|$)|"
    r"^generate(_?(text|answers?|response|predictions?|tokens?|images?|captions?|summar\w*|"
    r"completions?|sequences?))?$",
    re.IGNORECASE,
)


def _trains(name: str) -> bool:
    """Whether a name says that something is trained, rather than what a training is set to."""
    return bool(_TRAIN_NAMES.search(name)) and not (_SETTING.search(name) or _OF_DATA.search(name))


def learns(project: Project) -> bool:
    """Whether the project's own code has to do with models at all, whatever its role."""
    if project.roles.trains:
        return True
    uses = project.uses("train.fit", "predict.call", "evaluate.metric", test=None, notebook=False)
    return any(not project.is_example(u.path) for u in uses)


def training_cases(project: Project) -> Iterator[TestCase]:
    """Counting tests that train a model of the project."""
    for case in project.tests.counting:
        capabilities = project.test_kinds.reach(case).capabilities
        named = any(_trains(s.qualname.replace(".", "_")) for s in case.exercises)
        called = any(_trains(c.method) for c in calls_of(project, case))
        if _TRAINS & capabilities or (named and called):
            yield case


def model_cases(project: Project) -> Iterator[TestCase]:
    """Tests with assertions in which a model predicts: of the project's code, or one it loads."""
    for case in project.tests.cases:
        stored = not case.void and case.asserts and not case.exercises
        if not (case.counts or (stored and _LOADS & project.test_kinds.reach(case).capabilities)):
            continue
        capabilities = project.test_kinds.reach(case).capabilities
        named = any(_PREDICT_NAMES.search(c.method) for c in calls_of(project, case))
        if _MODELS & capabilities or named:
            yield case


def calls_of(project: Project, case: TestCase) -> Iterator[Call]:
    """The calls of a test and of the helpers and fixtures that it runs."""
    for path, scope in case.scopes:
        yield from project.modules[path].calls_in(scope)


def asserts_of(project: Project, case: TestCase) -> list[Assert]:
    """The assertions of a test and its helpers."""
    found: list[Assert] = []
    for path, scope in case.scopes:
        # The class around a test holds other tests too.
        inner = project.modules[path].function(scope) is not None
        found += [
            a
            for a in project.modules[path].asserts
            if a.scope == scope or (inner and a.scope.startswith(f"{scope}."))
        ]
    return found


def texts_of(project: Project, case: TestCase) -> str:
    """The tested expressions of a test, in one text: assertions and asserting calls."""
    parts = [a.test for a in asserts_of(project, case)]
    parts += [c.text for c in calls_of(project, case) if "assert" in c.method.lower()]
    return "\n".join(parts)
