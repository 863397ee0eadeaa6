"""TST06: a threshold on a metric fails a test, a stage or a job."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from mlops_audit.facts.code import Call, Compare, Value
from mlops_audit.graph import Project
from mlops_audit.graph.testcases import TestCase
from mlops_audit.graph.thresholds import METRIC, is_range, metric_gates
from mlops_audit.model import Evidence, Span, Verdict, failed, hollow, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_LOOKED = "a threshold on an evaluation metric whose failure fails a test, a stage or a job"
_ASSERTS = regex(r"^assert(Greater|Less)(Equal)?$")
_SHELL = regex(
    r"(accuracy|\bacc\b|f1|rmse|\bmae\b|\bmse\b|auc|precision|recall|score|loss)[^\n]{0,200}"
    r"(-lt|-gt|-le|-ge|<|>|\bbc\b)[\s\S]{0,300}exit 1",
    re.IGNORECASE,
)
_MODEL = frozenset(
    {"train.fit", "train.loop", "train.search", "predict.call", "model.load", "registry.load",
     "pipeline.run"}
)  # fmt: skip
_LIMIT = regex(
    r"thresh|(^|_|\W)(min|max)(imum)?(_|\W|$)|required|acceptable|cut_?off|benchmark", re.IGNORECASE
)
_OF_TWO = frozenset({"precision_score", "recall_score", "f1_score"})
_GUESS = 0.5
# What only stands behind a gate: the model that it let pass.
_WITHHELD = regex(r"(^|_)(not|doesnt|skips?|reject\w*|fails?)_|\bis False\b|\bis None\b|\bnot ")
_BEHIND = regex(r"regist|promot|deploy|model|artifact|release|predict|bless", re.IGNORECASE)
_EVALUATES = regex(r"(^|_)(train|fit|evaluate|eval|score|predict|test_model|accuracy)(_|$)")


@practice(
    id="TST06",
    title="A threshold on a metric fails a test, a stage or a job",
    assets="model",
    level="3M~",
    sources="S0 S1 S2 S4",
    fix="Write the threshold into params.yaml and let the evaluation stage raise below it.",
    template=(
        "tests/model",
        "src/<package>/models/evaluate_model.py",
        "params.yaml",
        "src/<package>/models/quality.py",
    ),
    needs=("training",),
)
def model_quality_test(project: Project) -> Verdict:
    """Look for thresholds in tests, code, tools and CI scripts."""
    tested, ranged = _tests(project)
    gates = metric_gates(project)
    failing = [g.evidence for g in gates if g.fails and not g.hollow]
    withheld = [g for g in gates if not g.fails and not g.hollow]
    hard = [*tested, *failing, *_scripts(project)]
    if not hard and withheld:
        tests = _tests_of_gates(project, withheld[0].evidence.span)
        hard = [withheld[0].evidence, *tests] if tests else []
    if hard:
        return passed("a threshold on a metric fails what runs it", hard)
    if withheld:
        return partial(
            "a threshold withholds the model, but fails nothing", [g.evidence for g in withheld]
        )
    promoted = [g.evidence[-2:][0] for g in project.gates if g.kind == "metric" and g.evidence]
    if promoted and not any(g.hollow for g in gates):
        return partial("a comparison withholds promotion, but fails nothing", promoted[:3])
    if ranged:
        return partial("a metric is only asserted to exist or to be in range", ranged)
    void = [g for g in gates if g.hollow]
    if void:
        return hollow(
            f"a threshold stands there, but {void[0].hollow}",
            [g.evidence for g in void],
            looked_for=_LOOKED,
        )
    return failed("no threshold on a metric fails anything", looked_for=_LOOKED)


def _tests(project: Project) -> tuple[list[Evidence], list[Evidence]]:
    """Assertions of tests on a model's metric: with a threshold, and those of a range."""
    hard: list[Evidence] = []
    weak: list[Evidence] = []
    stored = [c for c in project.tests.cases if not c.counts and _reads_metrics(project, c)]
    for case in (*project.tests.counting, *stored):
        for compare, evidence in _compares(project, case):
            both = f"{compare.left.text} {compare.right.text}".lower()
            if not METRIC.search(both) and not _named_metric(compare):
                continue
            if "len(" in both or not (case in stored or _on_a_model(project, case)):
                continue
            if compare.op == "in" and (
                not METRIC.search(compare.left.text.lower()) or _PRINTED.search(compare.right.text)
            ):
                continue  # something else in a variable called metrics, or a word that is printed
            compare = _with_numbers(project, case, compare)  # noqa: PLW2901 -- the same one, spelled
            number = compare.left.is_literal or compare.right.is_literal or _limited(compare)
            if _guessed(project, case, compare):
                continue
            if is_range(compare) or compare.op in {"in", "is not"}:
                weak.append(evidence)
            elif compare.op in {"<", "<=", ">", ">="} and number and not _apart(both):
                hard.append(evidence)
    return hard, weak


def _with_numbers(project: Project, case: TestCase, compare: Compare) -> Compare:
    """A comparison with the numbers that the test or its module gives to the names in it."""
    module = project.modules[case.path]

    def number(value: Value) -> Value:
        if value.is_literal or not value.text.isidentifier():
            return value
        local = [
            a.value for a in module.assigns if a.scope == case.qualname and value.text in a.targets
        ]
        given = local or [module.constants.get(value.text, value)]
        return given[0] if len(given) == 1 and isinstance(given[0].literal, int | float) else value

    return replace(compare, left=number(compare.left), right=number(compare.right))


def _guessed(project: Project, case: TestCase, compare: Compare) -> bool:
    """Whether a model that guesses meets a limit: 0.5 at most, where there are two classes.

    Without `average`, precision, recall and F1 of scikit-learn are those of two classes.
    """
    limits = [s.literal for s in (compare.left, compare.right) if s.is_literal]
    if compare.op not in {">", ">="} or not limits or not isinstance(limits[0], int | float):
        return False
    calls = project.modules[case.path].calls_in(case.qualname)
    binary = any(c.method in _OF_TWO and c.kw("average") is None for c in calls)
    return limits[0] <= _GUESS and (binary or "auc" in compare.left.text.lower())


def _limited(compare: Compare) -> bool:
    """Whether a metric is compared with what settings name as its limit."""
    sides = (compare.left.text, compare.right.text)
    return sum(bool(_LIMIT.search(s.rsplit(".", 1)[-1])) for s in sides) == 1


def _reads_metrics(project: Project, case: TestCase) -> bool:
    """Whether a test that calls nothing here reads the metrics that an evaluation wrote."""
    if case.void or not case.asserts:
        return False
    module = project.modules[case.path]
    owner = case.qualname.rpartition(".")[0]
    reads = any(_LOADS.search(c.name) for c in module.calls_in(case.qualname))
    return reads and any(
        _METRICS_FILE.search(t.value)
        for t in module.texts
        if not t.doc and t.scope in {case.qualname, owner, ""}
    )


_LOADS = regex(r"(^|\.)(load|safe_load|read_csv|read_json|loads|read_text)$")
_METRICS_FILE = regex(
    r"(metrics?|scores?|evaluation|performance|results?)[\w.-]*\.(json|ya?ml|csv|toml)$",
    re.IGNORECASE,
)
_PRINTED = regex(r"stdout|stderr|caplog|capsys|readouterr|html|\btext\b|\.output\b")


def _apart(text: str) -> bool:
    """Whether a comparison is one of two values that should agree, not of a value and a limit."""
    return "abs(" in text or " - " in text


def _named_metric(compare: Compare) -> bool:
    return any(
        METRIC.search(v.name.rsplit(".", 1)[-1].lower())
        for v in (compare.left, compare.right)
        if v.name
    )


def _compares(project: Project, case: TestCase) -> Iterator[tuple[Compare, Evidence]]:
    module = project.modules[case.path]
    inside = (case.qualname, f"{case.qualname}.")
    for item in module.asserts:
        if item.scope == inside[0] or item.scope.startswith(inside[1]):
            for compare in item.compares:
                yield compare, Evidence(item.span, f"assert {item.test}")
    for call in module.calls_in(case.qualname):
        if _ASSERTS.match(call.method) and len(call.args) > 1:
            yield _as_compare(call), Evidence(call.span, call.told)


def _as_compare(call: Call) -> Compare:
    op = ">" if "Greater" in call.method else "<"
    return Compare(call.args[0], op, call.args[1], call.span)


def _on_a_model(project: Project, case: TestCase) -> bool:
    """Whether the test trains, loads or evaluates a model, not a metric's function on its own."""
    if _MODEL & project.test_kinds.reach(case).capabilities:
        return True
    return any(_EVALUATES.search(s.qualname.rsplit(".", 1)[-1].lower()) for s in case.exercises)


def _tests_of_gates(project: Project, gate: Span) -> list[Evidence]:
    """Tests that run the pipeline with a withholding gate and look for the model behind it."""
    return [
        Evidence(
            case.asserts[-1].span,
            f"{case.name}, behind the gate: {case.asserts[-1].detail}",
            (Evidence(case.span, case.name),),
        )
        for case in project.tests.counting
        if gate.path in project.test_kinds.reach(case).modules
        and project.test_kinds.kind(case) in {"system", "integration"}
        and _BEHIND.search(told := f"{case.name} {case.asserts[-1].detail}")
        and not _WITHHELD.search(told)
        and not _lowers(project, case)
    ]


def _lowers(project: Project, case: TestCase) -> bool:
    """Whether a test, or its fixtures, sets the gate's limit to what a guess meets."""
    for path, scope in ((case.path, case.qualname), *case.scopes):
        for call in project.modules[path].calls_in(scope):
            for name, value in call.kwargs:
                limit = value.literal
                if "thresh" in name.lower() and isinstance(limit, int | float) and limit <= _GUESS:
                    return True
    return False


def _scripts(project: Project) -> list[Evidence]:
    """CI steps whose shell text compares a metric and exits."""
    return [
        Evidence(step.span, step.name or "compares a metric and exits")
        for workflow in project.workflows
        if not workflow.disabled
        for job in workflow.jobs
        for step in job.steps
        if step.run and len(step.run) < 20_000 and _SHELL.search(step.run) and not step.soft  # noqa: PLR2004 -- a script, not a blob
    ]
