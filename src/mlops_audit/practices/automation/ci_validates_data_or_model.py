"""AUT08."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.graph import Project
from mlops_audit.graph.cistarts import is_entered
from mlops_audit.graph.execution import Way
from mlops_audit.graph.scopes import Scope, calls_of, scopes, uses_of
from mlops_audit.graph.testcases import TestCase
from mlops_audit.graph.thresholds import metric_gates
from mlops_audit.graph.training import is_training, trains_here
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence, Verdict, failed, partial, passed
from mlops_audit.practices.automation._ci import unattended
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_TRAINS = regex(r"train|(^|_)fit(_|$)")
_LOOKED_FOR = "a CI job that validates data, trains or runs the pipeline, or tests a model"
_EVALUATES = regex(r"(^|[/_])(eval|evals|evaluat\w*)([/_.]|$)", re.IGNORECASE)
_SHOWS = regex(
    r"GITHUB_STEP_SUMMARY|upload-artifact|Publish\w*Artifact|comment|\bcml\b", re.IGNORECASE
)
_PULLS = regex(r"\bdvc (pull|fetch)\b|\bgit lfs pull\b")
_DATA_TESTS = regex(r"(^|[/_])data(sets?|loaders?|_?modules?)?(_\w+)?\.py$", re.IGNORECASE)
_STARTS = regex(r"(^|\.)(mlflow\.run|subprocess\.\w+|os\.system)$")  # other programs
_ROUTE = regex(r"[\"'/](predict|infer|inference|score|classify)\w{0,20}/?[\"'?]", re.IGNORECASE)
_REFUSED = regex(r"status(_code)?\b.{0,12}\b[45]\d\d\b")
_ANSWERED = regex(r"\b20\d\b|\.json\(\)|predict|\bok\b")
_CHECKS = ("data.validate", "evaluate.gate", "test.behaviour", "test.robustness")


@practice(
    id="AUT08",
    title="CI validates data or a model",
    assets="data, model",
    level="5M",
    sources="S0 S3 S4",
    fix="Let CI train on a small sample and fail when the metric is below a threshold.",
    template=(
        ".github/workflows/verify.yml",
        "src/<package>/models/train_sample.py",
        "Makefile",
    ),
)
def ci_validates_data_or_model(project: Project) -> Verdict:
    """Validation, training or model tests reached from CI, themselves or through the tests."""
    found = [*_in_jobs(project), *_in_tests(project)]
    hard = [e for way, e in found if not way.soft]
    if hard:
        return passed(f"CI checks data or a model ({hard[0].detail}).", hard)
    if found:
        way, evidence = found[0]
        return partial(
            f"CI checks data or a model, but {way.why or 'it cannot fail the job'}.", evidence
        )
    reports = [
        evidence
        for use, _, evidence in project.reached_uses(project.automation, "evaluate.report")
        if use.where == "command"
    ]
    if reports:
        return partial("CI posts metrics, without a gate.", reports)
    if evaluated := _evaluated(project):
        return partial(
            "CI evaluates the model and shows what it measured, without a gate.", evaluated
        )
    return failed("CI checks neither data nor a model.", looked_for=_LOOKED_FOR)


def _evaluated(project: Project) -> list[Evidence]:
    """Programs that evaluate, in jobs that keep or show what they have measured."""
    found = []
    for way in project.automation.of("module"):
        step = way.previous
        if step is None or step.node.kind == "module" or _in_test(project, way):
            continue
        if not _EVALUATES.search(way.node.key[0]):
            continue
        job = next((n.payload[1] for n in way.nodes() if n.kind == "job"), None)
        told = "\n".join(f"{s.uses} {s.run}" for s in job.steps) if job is not None else ""
        asks = any(
            u.capability in {"predict.call", "evaluate.metric"}
            for u in uses_of(project, scopes(project, [Scope(way.node.key[0])]))
        )
        if asks and _SHOWS.search(told):
            found.append(way.evidence())
    return found


def _in_jobs(project: Project) -> Iterator[tuple[Way, Evidence]]:
    """Validation anywhere; training and pipelines where no person has to start them."""
    for use, way, evidence in project.reached_uses(project.automation, "data.validate"):
        if not _in_test(project, way) and use.where in {"command", "action"}:
            yield way, evidence
    reach = unattended(project)
    for use, way, evidence in project.reached_uses(reach, "pipeline.run", "train.*"):
        if use.where == "call" or _replaced(project, way):
            continue
        if use.capability == "pipeline.run" or is_training(use):
            yield way, evidence
    for way in reach.of("module", "notebook", "function"):
        if way.previous is None or way.previous.node.kind == "module" or _in_test(project, way):
            continue
        entry = ""
        if way.node.kind == "function":
            if not is_entered(way):
                continue
            entry = way.node.payload.qualname
        place = _told(project, scopes(project, [Scope(way.node.key[0], entry)]))
        if place is not None:
            yield way, way.evidence(place.detail, place.span)


def _told(project: Project, code: tuple[Scope, ...]) -> Evidence | None:
    """Where code trains, runs a pipeline or checks data or a model."""
    for _, call in trains_here(project, code):
        return Evidence(call.span, f"trains: {call.told}")
    for use in uses_of(project, code):
        if use.capability in _CHECKS:
            return Evidence(use.span, f"checks: {use.detail}")
        if is_training(use):
            return Evidence(use.span, f"trains: {use.detail}")
        if use.capability == "pipeline.run":
            return Evidence(use.span, f"runs the pipeline: {use.detail}")
    paths = {scope.path for scope in code}
    failing = (g for g in metric_gates(project) if g.fails and not g.hollow)
    gate = next((g for g in failing if g.evidence.span.path in paths), None)
    return Evidence(gate.evidence.span, f"checks: {gate.evidence.detail}") if gate else None


def _in_test(project: Project, way: Way) -> bool:
    return any(n.kind == "tests" for n in way.nodes()) or project.is_test(way.node.span.path)


def _replaced(project: Project, way: Way) -> bool:
    """Whether the test on the way puts something in the place of what starts other programs."""
    return any(
        call.decorates == node.payload.qualname
        and any(_STARTS.search(str(v.literal)) for v in call.args[:1])
        for node in way.nodes()
        if node.kind == "function" and node.payload.path in project.test_files
        for call in project.modules[node.payload.path].calls
    )


def _in_tests(project: Project) -> Iterator[tuple[Way, Evidence]]:
    """The tests that CI runs and that train, validate data, or test a stored model."""
    for case, way in project.tests.run_by(project.automation):
        told = _tested(project, case) or _of_pulled_data(case, way)
        if told is not None:
            start = Evidence(case.span, case.name)
            way_there = (*way.evidence(span=told.span).chain, start)
            yield way, Evidence(told.span, f"{case.name} {told.detail}", way_there)


def _of_pulled_data(case: TestCase, way: Way) -> Evidence | None:
    """A test of the data sets in a job that has fetched the versioned data before."""
    jobs = [n.payload[1] for n in way.nodes() if n.kind == "job"]
    pulled = any(_PULLS.search(step.run) for job in jobs for step in job.steps)
    if not pulled or not _DATA_TESTS.search(case.path) or not case.asserts or case.patched:
        return None
    return Evidence(case.asserts[0].span, f"tests the data: {case.asserts[0].detail}")


def _tested(project: Project, case: TestCase) -> Evidence | None:
    """The line at which a test trains, validates data, runs the pipeline or asks a model."""
    roots = [Scope(p, s) for p, s in case.scopes] or [Scope(case.path, case.qualname)]
    run = (s for s in (*case.programs, *case.exercises) if s not in case.helped)
    roots += [Scope(s.path, s.qualname) for s in run]
    code = scopes(project, roots)
    replaced = {s.qualname.rsplit(".", 1)[-1] for s in case.patched}
    trained = trains_here(project, code)
    mocked = any(_TRAINS.search(name) for name in replaced)
    if trained and not (mocked or any(c.scope.rsplit(".", 1)[-1] in replaced for _, c in trained)):
        call = trained[0][1]
        return Evidence(call.span, f"trains: {call.told}")
    uses = tuple(uses_of(project, code))
    checks = next((u for u in uses if _validates(u)), None)
    if checks is not None:
        return Evidence(checks.span, f"validates data: {checks.detail}")
    if case.patched:
        return None
    runs = next((u for u in uses if u.capability == "pipeline.run"), None)
    if runs is not None:
        return Evidence(runs.span, f"runs the pipeline: {runs.detail}")
    calls = [c for _, c in calls_of(project, code)]
    loads = any(u.capability in {"model.load", "registry.load"} for u in uses) or any(
        c.method.startswith("load_model") for c in calls
    )
    asked = [
        *(Evidence(u.span, u.detail) for u in uses if u.capability == "predict.call"),
        *(Evidence(c.span, c.told) for c in calls if c.method.startswith("predict")),
    ]
    if not (loads and asked):
        return _served(project, case)
    return Evidence(asked[0].span, f"asks a stored model: {asked[0].detail}")


def _served(project: Project, case: TestCase) -> Evidence | None:
    """Where a test asks the service, with the model that it loads itself, for a prediction."""
    kinds = project.test_kinds
    found = kinds.reach(case).capabilities
    loads = found & {"model.load", "registry.load"}
    if not loads or "test.client" not in found or kinds.stubbed(case):
        return None
    told = " ".join(a.detail for a in case.asserts)
    if _REFUSED.search(told) and not _ANSWERED.search(told):
        return None
    for path, scope in case.scopes:
        for call in project.modules[path].calls_in(scope):
            if call.method == "post" and _ROUTE.search(call.text[:200]):
                return Evidence(call.span, f"asks the service's model: {call.told}")
    return None


def _validates(use: Use) -> bool:
    return use.capability in {"data.validate", "test.behaviour", "evaluate.gate"}
