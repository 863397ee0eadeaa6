"""TST10: the model is compared with a simple baseline."""

from __future__ import annotations

import re

from mlops_audit.facts.code import Call, Module
from mlops_audit.graph import Project
from mlops_audit.graph.called import is_called
from mlops_audit.model import Evidence, Span, Verdict, failed, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.testing._basemodels import base_models
from mlops_audit.practices.testing._guesses import constant_guesses
from mlops_audit.regex import regex

_LOOKED = "a Dummy, linear, naive or zero-shot model whose metric is computed beside the model's"
_OWN = regex(
    r"(^|_)(naive|dummy|majority|persistence|random_guess|last_value|mean_predictor|seasonal_naive|"
    r"zero_shot|heuristic)_(\w*_)?(baseline|model|forecast\w*|predict\w*|classifier|regressor)(_|$)|"
    r"(^|_)(build|fit|train|evaluate|compute|make|get|run)_baseline|"
    r"(^|_)(evaluate|eval|score)_(the_)?(naive|dummy|majority|persistence)(_|$)",
    re.IGNORECASE,
)
_LINEAR = regex(
    r"(^|\.)(LinearRegression|LogisticRegression|Ridge|Lasso|ElasticNet|GaussianNB|MultinomialNB)$"
)
_STRONG = regex(
    r"(^|\.)(RandomForest\w+|GradientBoosting\w+|HistGradientBoosting\w+|ExtraTrees\w+|XGB\w+|LGBM\w+|"
    r"CatBoost\w+|MLP\w+|SVC|SVR|Sequential|LightGBM\w*)$"
)
# What a prediction by a rule is called.
_RULE = regex(
    r"simple|naive|baseline|dummy|seasonal|majority|persist|constant|rule|(^|_)(mean|median|last)(_|$)",
    re.IGNORECASE,
)
_METRIC = regex(r"error|accuracy|score|mae|mse|rmse|mape|loss|auc|f1|r2", re.IGNORECASE)
# What is printed of a guess by a rule, and of the model beside it.
_SAID = regex(r"^print\(\s*[rf]{0,2}[\"']([^\"'\n]{1,80})")
_GUESSED = regex(r"\b(naive|dummy|majority|persistence|random guess)\b", re.IGNORECASE)
_ERROR = regex(r"\b(mse|rmse|mae|mape|error|accuracy|auc|f1|r2)\b", re.IGNORECASE)
_ASIDE = regex(r"(^|/)(\w*monitor\w*|\w*drift\w*)(/|\.|_)|\.secrets", re.IGNORECASE)
_FILES = ("**/*baseline*.py", "**/*baseline*.y*ml", "**/*baseline*.sh", "**/*baseline*.json")
_HEADING = regex(r"^#{1,5} .*\bbaselines?\b", re.IGNORECASE)


@practice(
    id="TST10",
    title="The model is compared with a simple baseline",
    assets="model",
    level="3s",
    sources="S4",
    fix="Fit a DummyRegressor or a seasonal naive forecast in the evaluation; report both metrics.",
    template=(
        "src/<package>/models/evaluate_model.py",
        "tests/acceptance/test_success_criteria.py",
    ),
    needs=("training",),
)
def baseline_comparison(project: Project) -> Verdict:
    """Look for baselines whose metric is computed, in code before notebooks and prose."""
    code: list[Evidence] = []
    notes: list[Evidence] = []
    for path, module in sorted(project.modules.items()):
        if path in project.test_files or _ASIDE.search(path):
            continue
        if project.roles.kind == "library" and project.is_example(path):
            continue
        (notes if module.notebook else code).extend(_baselines(project, module))
    code += [
        c.evidence()
        for c in project.tests.counting
        if re.search(
            r"(than|vs|against|beats?|over)_(the_)?(\w+_)?(baseline|dummy|naive|majority)", c.name
        )
        and project.roles.trains
    ]
    tests = {(c.path, c.qualname) for c in project.tests.counting}
    code += [  # a library's check compares wherever it runs
        u.evidence()
        for u in project.uses("baseline.model", test=True)
        if u.details and u.details.kind == "check" and (u.path, u.scope) in tests
    ]
    if code:
        return passed("the model is compared with a simple baseline in code", code)
    if notes:
        return partial("the model is compared with a baseline in a notebook only", notes)
    prose = _prose(project)
    if prose:
        return partial("a baseline has its own script or configuration, compared in prose", prose)
    return failed("the model is compared with no simple baseline", looked_for=_LOOKED)


def _baselines(project: Project, module: Module) -> list[Evidence]:
    uses = project.uses_in(module.path)
    metrics = any(u.capability.startswith("evaluate.") for u in uses) or any(
        re.search(r"evaluate|score|metric|rmse|mae|accuracy", c.method) for c in module.calls
    )
    calls = [c for c in module.calls if c.runs and is_called(project, module.path, c.scope)]
    if not metrics:
        return _printed(calls)
    found = [
        u.evidence()
        for u in uses
        if u.capability == "baseline.model" and (u.call is None or u.call in calls)
    ]
    found += [
        Evidence(c.span, c.told)
        for c in calls
        if _OWN.search(c.method)
        and not c.name.startswith(("pytest", "unittest"))
        and (c.name.startswith((":", ".")) or project.index.resolve(c.name, module.path))
    ]
    linear = [c for c in calls if _LINEAR.search(c.name)]
    strong = [c for c in calls if _STRONG.search(c.name)]
    pair = next(((a, b) for a in linear for b in strong if not _chosen_between(a, b, calls)), None)
    if pair:
        other = Evidence(pair[1].span, pair[1].told)
        told = f"{pair[0].told} beside {pair[1].method}"
        found.append(Evidence(pair[0].span, told, (other,)))
    found += [*_beside(calls), *_printed(calls)]
    found += base_models(project, module)
    found += constant_guesses(project, module, calls)
    return found


def _chosen_between(first: Call, second: Call, calls: list[Call]) -> bool:
    """Whether a name decides which of two models is built, and no loop builds them all."""
    if first.scope != second.scope or not first.scope:
        return False
    guards = (first.guards, second.guards)
    names = [{n for g in side for n in g.names if "==" in g.text} for side in guards]
    if not (names[0] & names[1]):
        return False
    builder = first.scope.rsplit(".", 1)[-1]
    return not any(c.loops and c.method == builder for c in calls)


def _beside(calls: list[Call]) -> list[Evidence]:
    """A metric of the same actual values for the model's prediction and for that of a rule."""
    groups: dict[tuple[str, str, str], list[Call]] = {}
    for call in calls:
        if len(call.args) > 1 and _METRIC.search(call.method):
            groups.setdefault((call.scope, call.name, call.args[0].text), []).append(call)
    return [
        Evidence(call.span, f"beside the model's: {call.told}")
        for group in groups.values()
        if len({c.args[1].text for c in group}) > 1
        for call in group
        if _is_rule(call) and any(not _is_rule(c) for c in group)
    ]


def _printed(calls: list[Call]) -> list[Evidence]:
    """An error that is printed as a rule's, beside one of the model."""
    told = [(c, said[1]) for c in calls if (said := _SAID.match(c.text)) and _computed(c)]
    told = [(c, words) for c, words in told if _ERROR.search(words)]
    rules = [c for c, words in told if _GUESSED.search(words)]
    return [Evidence(c.span, c.told) for c in rules] if len(rules) < len(told) else []


def _computed(call: Call) -> bool:
    """Whether more than a text is printed."""
    return len(call.args) > 1 or "{" in call.text


def _is_rule(call: Call) -> bool:
    """Whether the second values are a rule's; a vote of many models is none."""
    text = call.args[1].text
    return bool(_RULE.search(text)) and not re.search(r"vot(e|ing)", text)


def _prose(project: Project) -> list[Evidence]:
    """Scripts or settings of a baseline, and a documented comparison."""
    found = [Evidence(Span(p), "a baseline's own file") for p in project.glob(*_FILES)
             if not _ASIDE.search(p) and not project.is_test(p)
             and (project.text(p) or "").strip()]  # fmt: skip
    for path in project.glob("readme*", "docs/**/*.md"):
        for number, line in enumerate(project.lines(path), 1):
            scripts = project.glob("**/eval_*.py", "**/evaluate_*.py", "**/*baseline*")
            if _HEADING.match(line) and (found or scripts):
                found.append(Evidence(Span(path, number), line.strip()))
                found += [Evidence(Span(p), "evaluates a baseline") for p in scripts[:3]]
    documented = any(e.span.path.lower().endswith(".md") for e in found)
    return found if documented else []
