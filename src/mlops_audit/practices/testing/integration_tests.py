"""TST02: tests run several components together."""

from __future__ import annotations

from mlops_audit.graph import Project
from mlops_audit.model import Verdict, counted, failed, hollow, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.testing._smoke import checked_runs, smoke_runs

_LOOKED = (
    "a test that runs several components together: steps of the pipeline, the service with a "
    "model, code with its store"
)


@practice(
    id="TST02",
    title="Tests run several components together",
    assets="code",
    level="4s, 5M",
    sources="S0 S2 S4",
    fix="Write a test in tests/integration that runs two pipeline steps on a tiny data set.",
    template=(
        "tests/integration/test_registry.py",
        "tests/integration",
        "tests",
    ),
)
def integration_tests(project: Project) -> Verdict:
    """Look for counting tests of several components, then for smoke runs in automation."""
    kinds = project.test_kinds
    together = [
        c
        for c in project.tests.counting
        if kinds.kind(c) in {"integration", "system", "acceptance"} and len(c.exercises) > 0
    ]
    real = [c for c in together if not c.patched or kinds.together(c) or kinds.drives(c)]
    if real:
        real.sort(key=lambda c: (kinds.stubbed(c), kinds.kind(c) != "integration", c.path))
        return passed(
            f"{counted(real, 'test runs', 'tests run')} several components together",
            [c.evidence() for c in real],
        )
    if checked := checked_runs(project):
        return passed("a script of CI runs several components and checks the outcome", checked)
    if smoke := smoke_runs(project):
        return partial("only a smoke script runs several components in automation", smoke)
    mocked = [c for c in project.tests.cases if "mocked" in c.void or c in together]
    if mocked:
        return hollow(
            "every test of several components mocks them",
            [c.evidence() for c in mocked],
            looked_for=_LOOKED,
        )
    return failed("no test runs several components together", looked_for=_LOOKED)
