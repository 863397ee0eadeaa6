"""TST08: a trained model is tested by its behaviour."""

from __future__ import annotations

import re

from mlops_audit.facts.code import Value
from mlops_audit.graph import Project
from mlops_audit.graph.dataconditions import ends_run
from mlops_audit.graph.testcases import TestCase
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence, Verdict, failed, hollow, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.testing._models import (
    asserts_of,
    calls_of,
    learns,
    model_cases,
    texts_of,
)
from mlops_audit.regex import regex

_LOOKED = (
    "a test on a trained model: an invariance or directional test, or three cases of minimum "
    "functionality"
)
_INVARIANT = regex(
    r"invarian|directional|monoton|perturb|counterfactual|same_prediction|should_not_change|unchanged_by|"
    r"increases_with|decreases_with|higher_than_when|metamorphic",
    re.IGNORECASE,
)
_MFT = regex(
    r"\bmft\b|_mft|minimum_func|min_func|sanity_case|easy_(case|example)|obvious|known_case",
    re.IGNORECASE,
)
_PREDICTS = regex(
    r"predict|forecast|infer|classif|score|proba|get_label|get_prob|generate", re.IGNORECASE
)
_RELATIONS = frozenset({"<", "<=", ">", ">=", "==", "!="})
_CLOSE = regex(r"^(assert_)?(all_?close|almost_equal|array_equal)|^assert\w*(Equal|Less|Greater)")
_ROOT = regex(r"[A-Za-z_]\w*")
# `model.predict(rows)[0]`: who is asked, and with what.
_ASKS = regex(r"([\w.]{0,60}\b(?:predict(?:_proba)?|forecast|score_one|classify))\((.{1,200})")
_ROUTE = regex(r"[\"'/](predict|infer|inference|score|classify)\w{0,20}/?[\"'?]", re.IGNORECASE)
_GIVES = regex(r"(^|\.)(predict|infer|inference|classify)(_\w{1,30})?\(")
_SENDS = regex(r"\.(post|put|request)\(")
_STANDS_IN = regex(
    r"mock|dependency_overrides|monkeypatch|(fake|stub|dummy)_?(model|predict|classif|regress|client)",
    re.IGNORECASE,
)
_BESIDE = regex(
    r"status|headers|detail|error|message|version|\blen\(|shape|\btype\(|dtype|mimetype|keys\(",
    re.IGNORECASE,
)
_ANSWER_KEY = regex(
    r"predict|label|class|result|output|answer|sentiment|fraud|churn", re.IGNORECASE
)
_SAYS = regex(r"==\s*([\"'{]|True|False|[01]\b)")
_WORDS = 3  # of a class's name; more are a message
_HOPS = 4  # from a name to what the model gave
_BEHAVIOUR = regex(r"(^|/)(behaviou?r\w*|checklist)(/|_)", re.IGNORECASE)
_ENOUGH = 3  # the catalogue's own figure


@practice(
    id="TST08",
    title="A trained model is tested by its behaviour",
    assets="model",
    level="4s",
    sources="S0",
    fix="Change one input of a prediction where the effect is known, and assert on the direction.",
    template=("tests/behaviour",),
    needs=("training",),
)
def behavioural_tests(project: Project) -> Verdict:
    """Look for invariance, directional and minimum-functionality tests."""
    if not learns(project):
        return failed("there is no model here", looked_for=_LOOKED)
    uses = project.uses("test.behaviour", test=None, notebook=False)
    tools = [u.evidence() for u in uses if _acts(project, u)]
    served = [c for c in project.tests.counting if _asks_service(project, c)]
    predicting = [c for c in model_cases(project) if _predicts(project, c)]
    predicting += [c for c in served if c not in predicting]
    strong = [c for c in predicting if _INVARIANT.search(c.name) or _compares(project, c)]
    if tools or strong:
        shown: list[Evidence] = [*(c.evidence() for c in strong), *tools]
        return passed("the trained model's behaviour is tested", shown)
    if uses:
        return partial(
            "behaviour is tested, but nothing acts on the result", [u.evidence() for u in uses[:3]]
        )
    cases = [
        (c, _cases(project, c))
        for c in predicting
        if _MFT.search(c.name) or _BEHAVIOUR.search(c.path)
    ]
    cases += [
        (c, n)
        for c in predicting
        if c not in {known for known, _ in cases} and (n := _known_answers(project, c))
    ]
    total = sum(n for _, n in cases)
    if total >= _ENOUGH:
        return passed(
            f"{total} cases of minimum functionality", [c.evidence(_SAYS) for c, _ in cases]
        )
    if cases:
        return partial(
            "only one or two cases of minimum functionality", [c.evidence(_SAYS) for c, _ in cases]
        )
    named = [c for c in project.tests.cases if _INVARIANT.search(c.name)]
    if named:
        return hollow(
            "tests are named like behavioural tests and test no trained model",
            [c.evidence() for c in named],
            looked_for=_LOOKED,
        )
    return failed("no test looks at a trained model's behaviour", looked_for=_LOOKED)


def _compares(project: Project, case: TestCase) -> bool:
    """Whether a test sets two predictions of one model for different input against each other."""
    module = project.modules[case.path]
    for scope in {scope for path, scope in case.scopes if path == case.path}:
        given = {t: a.value.text for a in module.assigns if a.scope == scope for t in a.targets}
        pairs = [
            (c.left.text, c.right.text)
            for a in module.asserts
            if a.scope == scope
            for c in a.compares
            if c.op in _RELATIONS
        ]
        pairs += [
            (c.args[0].text, c.args[1].text)
            for c in module.calls_in(scope)
            if len(c.args) > 1 and _CLOSE.search(c.method)
        ]
        if any(_differ(_asked(one, given), _asked(two, given)) for one, two in pairs):
            return True
    return False


def _asked(text: str, given: dict[str, str]) -> tuple[str, str] | None:
    """Which model is asked in an expression, or in what its variable holds, and with what."""
    root = _ROOT.match(text)
    held = given.get(root.group(), "") if root and "(" not in text else ""
    found = _ASKS.search(held or text)
    return (found[1], found[2]) if found else None


def _differ(one: tuple[str, str] | None, two: tuple[str, str] | None) -> bool:
    return one is not None and two is not None and one[0] == two[0] and one[1] != two[1]


def _acts(project: Project, use: Use) -> bool:
    """Whether a failing behavioural test can end what runs it: a test, an assertion, a raise."""
    if use.call is None or use.test or "assert" in use.call.name:
        return True
    return ends_run(project.modules[use.path])


def _predicts(project: Project, case: TestCase) -> bool:
    return any(_PREDICTS.search(c.method) for c in calls_of(project, case)) or any(
        _PREDICTS.search(s.qualname) for s in case.exercises
    )


def _asks_service(project: Project, case: TestCase) -> bool:
    """Whether a test sends something to a route of the service that predicts."""
    return any(
        c.method in {"post", "put", "request"} and _ROUTE.search(c.text)
        for c in calls_of(project, case)
    )


def _known_answers(project: Project, case: TestCase) -> int:
    """How often a test says which class the model, asked itself or as a service, has to give."""
    calls = list(calls_of(project, case))
    if case.patched or any(_STANDS_IN.search(c.text) for c in calls):
        return 0
    asked = {t for c in calls if _GIVES.search(c.text.split("\n", 1)[0]) for t in c.targets}
    if _asks_service(project, case):
        asked |= {t for c in calls if _SENDS.search(c.text) for t in c.targets}
    scopes = {scope for path, scope in case.scopes if path == case.path}
    given = {
        t: a.value for a in project.modules[case.path].assigns if a.scope in scopes
        for t in a.targets
    }  # fmt: skip
    return sum(
        compare.op == "=="
        and _is_class(given.get(other.text, other))
        and _is_answer(side.text, {k: v.text for k, v in given.items()}, asked)
        for item in asserts_of(project, case)
        for compare in (item.compares if not item.constant else ())
        for side, other in ((compare.left, compare.right), (compare.right, compare.left))
    )


def _is_class(value: Value) -> bool:
    """Whether a value is a class: a word, a switch, or one of a dictionary with such a value."""
    if value.items and not value.keys and not value.is_call:
        return all(_is_class(v) for v in value.items)
    if value.keys:
        return any(
            _ANSWER_KEY.search(k) and _is_class(v)
            for k, v in zip(value.keys, value.items, strict=False)
        )
    if isinstance(value.literal, str):
        return bool(value.literal) and len(value.literal.split()) <= _WORDS
    return value.is_literal and type(value.literal) in {bool, int} and value.literal in {0, 1}


def _is_answer(text: str, given: dict[str, str], asked: set[str]) -> bool:
    """Whether an expression is what the model gave: not its status, nor a message beside it."""
    if _BESIDE.search(text):
        return False
    for _ in range(_HOPS):
        root = _ROOT.match(text)
        if root is None:
            return False
        name = root.group()
        if name in asked:
            return not _BESIDE.search(text)
        if name not in given or given[name] == text:
            return False
        text = given[name]
    return False


def _cases(project: Project, case: TestCase) -> int:
    """How many cases a test has: its parameters' sets, else its assertions."""
    module = project.modules[case.path]
    for call in module.calls:
        if call.decorates == case.qualname and call.method == "parametrize" and len(call.args) > 1:
            return max(1, len(call.args[1].items))
    return max(1, len(case.asserts), texts_of(project, case).count("\n") + 1)
