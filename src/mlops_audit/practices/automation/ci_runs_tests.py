"""AUT06."""

from __future__ import annotations

import re

from mlops_audit.facts.types import Command, TriggerKind
from mlops_audit.graph import Project
from mlops_audit.graph.execution import Way
from mlops_audit.graph.sourcelines import line_at
from mlops_audit.model import Evidence, Verdict, failed, hollow, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_LOOKED_FOR = "a CI job that runs the tests of this project and fails when they fail"
_SMOKE = regex(r"smoke|sanity|(^|[/_ -])tests?([/_. -]|$)", re.IGNORECASE)
_NAMED = regex(r"\b(smoke|(unit |integration )?tests?)\b", re.IGNORECASE)
# Their steps evaluate a model as often as they test code (`python test.py`).
_ORCHESTRATORS = frozenset({"argo", "tekton"})
_OF_CODE = frozenset(
    {TriggerKind.PUSH, TriggerKind.PULL_REQUEST, TriggerKind.TAG, TriggerKind.RELEASE}
)
_IMPORTED = regex(r"\b(?:import|from)\s+([A-Za-z_][\w.]*)")


@practice(
    id="AUT06",
    title="CI runs the tests",
    assets="code",
    level="2s, 5M",
    sources="S0 S1",
    fix="Let the CI workflow run the test suite, e.g. `pytest`, on every pull request.",
    template=(".github/workflows/ci.yml", "Makefile", "tests"),
)
def ci_runs_tests(project: Project) -> Verdict:
    """Tests that count, reached from CI on a way whose failure fails the job."""
    found = project.tests.run_by(project.automation)
    hard = [(case, way) for case, way in found if not way.soft]
    if hard:
        places = list(dict.fromkeys(way.evidence() for _, way in hard))
        tests = len({(case.path, case.qualname) for case, _ in hard})
        return passed(f"CI runs {tests} of the project's tests.", places)
    if found:
        way = found[0][1]
        return partial(
            f"CI runs the tests, but {way.why or 'their failure is ignored'}.", way.evidence()
        )
    runs = [
        (use, evidence)
        for use, _, evidence in project.reached_uses(project.automation, "test.run")
        if use.where in {"command", "action"}
    ]
    if runs and project.tests.cases:
        return partial(
            "CI runs a test runner, but the suite exercises nothing of the project.",
            [e for _, e in runs],
        )
    smoke = _smoke(project)
    if smoke:
        return partial("CI runs smoke scripts only.", smoke)
    if runs:
        return hollow(
            "CI runs a test runner, but there are no tests that it finds.",
            [e for _, e in runs],
            looked_for=_LOOKED_FOR,
        )
    named = _named_tests(project)
    if named:
        return hollow("A job is called test and runs none.", named, looked_for=_LOOKED_FOR)
    return failed("CI runs no tests.", looked_for=_LOOKED_FOR)


def _smoke(project: Project) -> list[Evidence]:
    """Programs of the project that CI runs to see whether they work."""
    found = []
    for way in project.automation.of("command"):
        if _orchestrated(way):
            continue
        command, _ = way.node.payload
        runs = any(e.target.kind in {"module", "notebook"} for e in project.graph.edges(way.node))
        program = " ".join(w for w in command.argv[:3] if not w.startswith("-"))
        named = any(n.kind in {"step", "job"} and _NAMED.search(n.detail) for n in way.nodes())
        if (runs and (named or _SMOKE.search(program))) or _imports_own(project, command):
            found.append(way.evidence())
    return found


def _orchestrated(way: Way) -> bool:
    """Whether an orchestrator's own schedule or a person runs it, not a change of the code."""
    for node in way.nodes():
        if node.kind == "trigger":
            workflow, _ = node.payload
            return workflow.system in _ORCHESTRATORS and not any(
                t.kind in _OF_CODE for t in workflow.triggers
            )
    return False


def _imports_own(project: Project, command: Command) -> bool:
    """Whether `python -c` imports code of the project."""
    if not command.program.startswith("python") or "-c" not in command.argv:
        return False
    if re.search(r"(\$\(|`)\s*python", line_at(project, command.span)):
        return False  # a script asks for a value
    code = " ".join(command.argv[command.argv.index("-c") + 1 :][:1])
    names = _IMPORTED.findall(code)
    return any(project.index.resolve(name, "") is not None for name in names)


def _named_tests(project: Project) -> list[Evidence]:
    return [
        Evidence(way.node.span, way.node.detail)
        for way in project.automation.of("job", "step")
        if _NAMED.search(way.node.detail) and not _orchestrated(way)
    ][:3]
