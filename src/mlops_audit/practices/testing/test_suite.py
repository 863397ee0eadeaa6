"""TST01: a suite of tests exercises the project's code."""

from __future__ import annotations

from mlops_audit.graph import Project
from mlops_audit.graph.doctests import doctests
from mlops_audit.graph.othertests import foreign_tests
from mlops_audit.model import Evidence, Verdict, counted, failed, hollow, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.testing._notebooks import executed_notebooks

_ENOUGH = 3  # the catalogue's own figure
_LOOKED = (
    "at least three tests that a runner collects, with assertions on the project's own code "
    "(tests/, test_*.py, *_test.py, or files that CI names)"
)


@practice(
    id="TST01",
    title="A test suite exercises the project's code",
    assets="code",
    level="2M",
    sources="S0 S1 S2 S4",
    fix="Write three tests in tests/unit that call functions of the project and assert on results.",
    template=(
        "tests/unit/test_build_features.py",
        "tests",
    ),
)
def test_suite(project: Project) -> Verdict:
    """Count the tests that assert something of the project's own code and can run."""
    counting = project.tests.counting
    others = foreign_tests(project)
    if len(counting) + len(others) >= _ENOUGH:
        kinds = project.test_kinds.by_kind(counting)
        parts = [f"{len(cases)} {kind}" for kind, cases in kinds.items()]
        parts += [f"{len(others)} in other languages"] if others else []
        told = ", ".join(parts)
        shown = [cases[0].evidence() for cases in kinds.values()]
        shown += [c.evidence() for c in counting[:6]] + list(others[:3])
        total = len(counting) + len(others)
        return passed(f"{total} tests assert on the project's code: {told}", shown)
    return _in_part(project, others) or _none(project)


def _in_part(project: Project, others: tuple[Evidence, ...]) -> Verdict | None:
    counting = project.tests.counting
    if counting or others:
        count = len(counting) + len(others)
        return partial(
            f"only {count} test{'s' if count > 1 else ''} assert on the project's code",
            [*(c.evidence() for c in counting), *others],
        )
    silent = project.tests.silent
    if len(silent) >= _ENOUGH:
        return partial(
            f"{counted(silent, 'test runs', 'tests run')} the project's code and assert nothing",
            [c.evidence() for c in silent[:5]],
        )
    if run := doctests(project):
        return partial("the only tests are doctests", run[:5])
    if notebooks := executed_notebooks(project):
        return partial("the only tests are notebooks with assertions that are executed", notebooks)
    return None


def _none(project: Project) -> Verdict:
    cases = [c for c in project.tests.cases if not c.counts]
    if not cases:
        return failed("there are no tests", looked_for=_LOOKED)
    first = cases[0]
    why = first.void or _why(bool(first.asserts), bool(first.exercises))
    return hollow(
        f"{len(cases)} test function{'s' if len(cases) > 1 else ''}, none counts: the first {why}",
        [c.evidence() for c in cases[:5]],
        looked_for=_LOOKED,
    )


def _why(asserts: bool, exercises: bool) -> str:  # noqa: FBT001 -- the two halves of the rule
    if not exercises:
        return "exercises nothing of the project"
    return "asserts nothing that can fail" if not asserts else "cannot run"
