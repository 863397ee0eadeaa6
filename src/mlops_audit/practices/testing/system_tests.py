"""TST03: tests drive the whole thing: the chain from data to model, or the service over HTTP."""

from __future__ import annotations

from mlops_audit.graph import Project
from mlops_audit.graph.testcases import TestCase
from mlops_audit.model import Verdict, counted, failed, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.testing._smoke import asserting_smoke_runs, checked_runs, smoke_runs

_LOOKED = (
    "a test that drives the pipeline from raw data to a model, or the service over HTTP, with the "
    "real or a tiny real model"
)


@practice(
    id="TST03",
    title="Tests drive the whole system",
    assets="system",
    level="5s",
    sources="S0 S2",
    fix="Start the service in a test with a tiny trained model, post a request and assert on the "
    "prediction.",
    template=(
        "tests/system",
        "tests/acceptance",
        "tests/integration",
        "tests/behaviour/test_robustness.py",
        "tests/unit/test_predict_model.py",
    ),
)
def system_tests(project: Project) -> Verdict:
    """Look for tests that drive everything, with a real model before those with a stub."""
    kinds = project.test_kinds
    driving = [c for c in project.tests.counting if kinds.drives(c) or _said(project, c)]
    real = [c for c in driving if not kinds.stubbed(c)]
    if real:
        return passed(
            f"{counted(real, 'test drives', 'tests drive')} the whole system",
            [c.evidence() for c in real],
        )
    if smoke := asserting_smoke_runs(project):
        return passed("a smoke script drives the deployed service and asserts", smoke)
    if checked := checked_runs(project):
        return passed("a script of CI runs the whole chain and checks the outcome", checked)
    if driving:
        return partial(
            "tests drive the system with a stub in place of a part",
            [c.evidence() for c in driving],
        )
    silent = [c for c in project.tests.silent if kinds.drives(c) or _said(project, c)]
    if silent:
        return partial(
            "the whole chain is run without an assertion", [c.evidence() for c in silent]
        )
    if smoke := smoke_runs(project, whole=True):
        return partial("a smoke script runs the system without an assertion", smoke)
    return failed("no test drives the whole system", looked_for=_LOOKED)


def _said(project: Project, case: TestCase) -> bool:
    """Whether a test says that it is one of the system, and runs several components."""
    kinds = project.test_kinds
    return kinds.kind(case) in {"system", "acceptance"} and kinds.together(case)
