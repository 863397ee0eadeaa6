"""TST04: data is validated, and bad data stops the run."""

from __future__ import annotations

import re

from mlops_audit.graph import Project
from mlops_audit.graph.datatests import run_by_job, run_by_step
from mlops_audit.graph.testcases import TestCase
from mlops_audit.graph.validation import DataCheck
from mlops_audit.model import Evidence, Verdict, failed, hollow, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_LOOKED = (
    "a check of data whose failure stops the run: Great Expectations, Pandera, TFDV, Deepchecks, "
    "Soda, dbt tests, a schema on records, or hand-written checks that raise"
)
_OUTPUT = regex(r"output|predict|shap|importance|result", re.IGNORECASE)
_INPUT = regex(r"input|raw|feature|train|target|label|source", re.IGNORECASE)
_MADE = regex(r"(^|_)(predict\w*|export\w*|inference|outputs?)(_|$)", re.IGNORECASE)
_DATA_TEST = regex(
    r"\b(columns|is_?null|is_?na|notna|notnull|duplicated|dtypes?|nunique|between|isin|shape|nan|"
    r"min|max|unique|n_nan|schema)\b"
)
_READS = regex(r"(^|\.)(read_\w+|load_dataset|open_dataset)$")

_COUNTS_ANSWERS = regex(
    r"^assert [^\n]{0,200}(\bpredictions|_predictions|\by_?pred|\bpreds)[\w\[\]'\"]{0,30}"
    r"(\.shape|\)\s*==|\)$)"
)


@practice(
    id="TST04",
    title="Data is validated, and bad data stops the run",
    assets="data",
    level="2s, 3M",
    sources="S0 S2 S4",
    fix="Add a stage before training that checks columns, types, ranges and missing values, and "
    "raises when one fails.",
    template=(
        "dvc.yaml",
        "src/<package>/data/validate.py",
        "src/<package>/data/checks.py",
        "src/<package>/data/prepare.py",
        "src/<package>/models/split.py",
        "src/<package>/data/validate_great_expectations.py",
    ),
)
def data_validation(project: Project) -> Verdict:
    """Look for checks in code first, then in tests and notebooks."""
    checks = [c for c in project.validation.checks if c.tool or project.roles.kind != "library"]
    live = [c for c in checks if c.where == "code" and c.called]
    stopping = [c for c in live if c.stops and not c.soft]
    if stopping and not _outputs_only(project, stopping):
        tools = sorted({c.tool for c in stopping if c.tool}) or ["hand-written checks"]
        return passed(f"bad data stops the run: {', '.join(tools)}", [c.evidence for c in stopping])
    tests = _tests(project, checks)
    for evidence, ran in tests:
        if ran:
            return passed("tests of the data are run by a job on the real data", evidence)
    if live:
        return _weak(project, live)
    if tests:
        return partial("data is checked in tests only", [e for e, _ in tests])
    notebooks = [c.evidence for c in checks if c.where == "notebook"]
    if notebooks:
        return partial("data is checked in a notebook only", notebooks)
    return _none(project, checks)


def _outputs_only(project: Project, checks: list[DataCheck]) -> bool:
    """Whether all checks look at what a model gave: by a schema's name, or where they stand."""
    return all(
        _OUTPUT.search(c.evidence.detail) and not _INPUT.search(c.evidence.detail)
        if c.tool == "Pandera"
        else not c.tool and _hands_out(project, c.evidence)
        for c in checks
    )


def _hands_out(project: Project, evidence: Evidence) -> bool:
    """Whether a line counts rows in a function that predicts or exports."""
    module = project.modules.get(evidence.span.path)
    line = evidence.span.line or 0
    around = (
        [f for f in module.functions if (f.span.line or 0) <= line <= f.end_line] if module else []
    )
    if _COUNTS_ANSWERS.search(evidence.detail):
        return True
    counted = "len(" in evidence.detail and not _DATA_TEST.search(evidence.detail)
    return counted and bool(around) and bool(_MADE.search(around[-1].name))


def _weak(project: Project, live: list[DataCheck]) -> Verdict:
    shown = [c.evidence for c in live[:6]]
    soft = next((c.soft for c in live if c.soft), "")
    if soft:
        return partial(f"data is validated, but cannot stop the run: {soft}", shown)
    if _outputs_only(project, live):
        return partial("only outputs are validated", shown)
    return partial("data is validated, but nothing acts on the result", shown)


def _tests(project: Project, checks: list[DataCheck]) -> list[tuple[Evidence, bool]]:
    """Tests that check data, and whether a job other than the code's own CI runs them."""
    in_tests = {c.evidence.span.path: c.evidence for c in checks if c.where == "test"}
    found: list[tuple[Evidence, bool]] = []
    for case in project.tests.cases:
        if case.void or not case.asserts:
            continue
        evidence = in_tests.get(case.path)
        if evidence is None and (case.exercises or not _reads_and_looks(project, case)):
            continue
        # A test that is handed its data reads the real one where a step of a pipeline runs it.
        runs = run_by_job if evidence is not None else run_by_step
        found.append((evidence or case.evidence(), runs(project, case.path)))
    own = {c.path for c in project.tests.cases if c.exercises}
    return [(e, ran) for e, ran in dict(found).items() if ran or e.span.path not in own]


def _reads_and_looks(project: Project, case: TestCase) -> bool:
    """Whether a test reads a file of data and asserts on what is in it."""
    module = project.modules[case.path]
    lines = range(case.span.line or 0, case.end_line + 1)
    known: set[str] = set()
    for path, scope in case.scopes:
        for call in project.modules[path].calls_in(scope):
            if _READS.search(call.name):
                known |= {"read_", "load_dataset", "open_dataset"}
                known |= {t.rsplit(".", 1)[-1] for t in call.targets}
                known.add(scope.rsplit(".", 1)[-1])  # a fixture or helper that hands it on
    if not known:
        return False
    inside = [c for c in module.calls if (c.span.line or 0) in lines]
    given = [(c.text, c.targets) for c in inside]
    given += [(a.value.text, a.targets) for a in module.assigns if (a.span.line or 0) in lines]
    for text, targets in given:
        if any(name in text for name in known):
            known |= {t for t in targets if t.isidentifier()}
    texts = [c.text for c in inside if "assert" in c.method.lower()]
    texts += [a.test for a in module.asserts if (a.span.line or 0) in lines]
    return any(_DATA_TEST.search(t) and any(n in t for n in known) for t in texts)


def _none(project: Project, checks: list[DataCheck]) -> Verdict:
    uncalled = [c.evidence for c in checks if not c.called and c.where == "code"]
    stated = [
        u.evidence()
        for u in project.uses("data.expectation", notebook=False)
        if u.path not in project.roles.serving
    ]
    if uncalled or stated:
        what = "a check of data is written" if uncalled else "expectations are stated"
        return hollow(f"{what} and never called", [*uncalled, *stated][:5], looked_for=_LOOKED)
    return failed("no check of data was found", looked_for=_LOOKED)
