"""TST11: model or service is tested with noisy, missing or wrong input."""

from __future__ import annotations

import re

from mlops_audit.graph import Project
from mlops_audit.graph.testcases import TestCase
from mlops_audit.model import Verdict, failed, hollow, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.testing._models import calls_of, texts_of
from mlops_audit.regex import regex

_LOOKED = "tests that give the model or the service noisy, missing or wrong input"
_NAMES = regex(
    r"nois|missing|invalid|malformed|corrupt|nan\b|_nan|none_input|null|empty|wrong|bad_|_bad|garbage|"
    r"out_of_range|outlier|adversarial|robust|unknown_categor|unexpected|extreme|negative_|typo|fuzz|"
    r"incorrect|unprocessable|4\d\d|(identif|find|report|catch|reject)\w*_(\w+_)?errors?$",
    re.IGNORECASE,
)
_STATUS = regex(r"\b(400|404|413|415|422)\b|HTTP_4|UNPROCESSABLE|BAD_REQUEST")
_REFUSES = regex(
    r"\b4\d\d\b|HTTP_4|raises|error|exception|refus|invalid|missing|nan|null", re.IGNORECASE
)
_PREDICTS = regex(r"predict|infer|forecast|score|classif|transcribe|generate|detect", re.IGNORECASE)
_CHECKS = regex(r"valid|check", re.IGNORECASE)
_NO_INPUT = regex(
    r"config|settings|auth|login|token|user|permission|argument|param_validation", re.IGNORECASE
)
_BODIES = frozenset({"json", "data", "files", "params", "content", "json_data"})
_ESTIMATES = frozenset({"fit", "fit_transform", "fit_predict", "transform"})
_MODEL = frozenset({"predict.call", "model.load", "registry.load"})


@practice(
    id="TST11",
    title="Model or service is tested with wrong input",
    assets="model",
    level="5s",
    sources="S0 S4",
    fix="Post a request without a field and with a value out of range, and assert on the answers.",
    template=(
        "tests/behaviour/test_robustness.py",
        "tests/acceptance/test_success_criteria.py",
        "tests/integration/test_monitor.py",
        "tests/integration/test_service.py",
        "tests/data/test_checks.py",
        "tests/unit/test_quality.py",
        "tests/unit/test_bundle.py",
    ),
)
def robustness_tests(project: Project) -> Verdict:
    """Look for tests of the model or the service whose input is wrong."""
    tools = [u.evidence() for u in project.uses("test.robustness", test=None, notebook=False)]
    tools += [
        c.evidence()
        for c in project.tests.counting
        if "test.property" in project.test_kinds.reach(c).capabilities and _on_model(project, c)
    ]
    found = [
        c.evidence(_REFUSES)
        for c in project.tests.counting
        if _on_model(project, c) and _wrong_input(project, c)
    ]
    if found or tools:
        return passed("model or service is tested with wrong input", [*found, *tools])
    named = [c for c in project.tests.cases if _NAMES.search(c.name) and not c.counts]
    if named:
        return hollow(
            "tests are named after wrong input and test nothing",
            [c.evidence() for c in named],
            looked_for=_LOOKED,
        )
    return failed("no test gives wrong input to model or service", looked_for=_LOOKED)


def _on_model(project: Project, case: TestCase) -> bool:
    capabilities = project.test_kinds.reach(case).capabilities
    served = case.service or "test.client" in capabilities
    predicts = any(_PREDICTS.search(s.qualname) for s in case.exercises) or any(
        c.method in {"predict", "predict_proba", "forecast"} for c in calls_of(project, case)
    )
    if served:
        predicts = predicts or any(
            _PREDICTS.search(f.name)
            for s in case.exercises
            if s.kind == "module"
            for f in project.modules[s.path].functions
        )
        texts = " ".join(t.value for t in project.modules[case.path].texts if not t.doc)
        if _serves(project, case):
            return True
        return bool(_MODEL & capabilities) or predicts or bool(_PREDICTS.search(texts))
    return predicts or _checks_input(project, case) or _on_estimator(project, case)


def _on_estimator(project: Project, case: TestCase) -> bool:
    """Whether a test of a library gives input to what others fit: its models and transformers."""
    return project.roles.kind == "library" and any(
        c.method in _ESTIMATES for c in calls_of(project, case)
    )


def _checks_input(project: Project, case: TestCase) -> bool:
    """Whether a test calls the check that a function of the project makes before it predicts."""
    checks = {s for s in case.direct if _CHECKS.search(s.qualname)}
    if not checks:
        return False
    return any(
        _PREDICTS.search(call.scope) and checks.intersection(project.index.targets(call, m.path))
        for m in project.source
        for call in m.calls
        if _CHECKS.search(call.method)
    )


def _serves(project: Project, case: TestCase) -> bool:
    """Whether what a test starts is the service, or imports its routes (also in a function)."""
    serving = project.roles.serving
    started = project.test_kinds.reach(case).modules
    if started & serving:
        return True
    return any(
        symbol.path in serving
        for path in started
        for item in project.modules[path].imports
        for symbol in (project.index.resolve(item.dotted, path),)
        if symbol is not None
    )


def _sends(project: Project, case: TestCase) -> bool:
    return any(name in _BODIES for c in calls_of(project, case) for name, _ in c.kwargs)


def _wrong_input(project: Project, case: TestCase) -> bool:
    if _NO_INPUT.search(case.name):
        return False
    texts = texts_of(project, case)
    status = _STATUS.search(texts)
    if status and not re.search(r"/nothing|not_found", case.name):
        # That a page is not found says nothing of input, unless something was sent.
        missing = set(_STATUS.findall(texts)) == {"404"}
        if not missing or _PREDICTS.search(texts) or _sends(project, case):
            return True
    raises = any(
        c.name == "pytest.raises" or c.method == "assertRaises" for c in calls_of(project, case)
    )
    return bool(_NAMES.search(case.name)) or (
        raises and bool(re.search(r"predict|infer|score", case.name, re.IGNORECASE))
    )
