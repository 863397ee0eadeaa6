"""Smoke scripts: programs that CI or CD runs to see that service or pipeline answers at all."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.graph import Project
from mlops_audit.graph.execution import Node, Way
from mlops_audit.graph.scopes import Scope, scopes, uses_of
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

__all__ = ["asserting_smoke_runs", "checked_runs", "smoke_runs"]

_NAMES = regex(
    r"smoke|(^|[/_])(test|verify|check)_?(scor\w*|service|endpoint|api|deploy\w*|predict\w*|web\w*|app|"
    r"inference|pipeline|integration)|(scor\w*|service|endpoint|api|deployment)_?test|(^|/)(e2e|integration)",
    re.IGNORECASE,
)
# A step, job or file of automation that says it runs the whole chain as a test.
_END_TO_END = regex(
    r"(^|[^a-z])(smoke|e2e|end[-_ ]to[-_ ]end|(integration|system)[-_ ]?tests?)([^a-z]|$)",
    re.IGNORECASE,
)
_CALLS = regex(
    r"^(requests|httpx|urllib|aiohttp)\.|(^|\.)(invoke_endpoint|call_web_app|urlopen)$|Webservice|"
    r"Endpoint|^boto3\.client\.invoke|(^|\.)(predict|score)$"
)
_CURL = regex(
    r"curl .{0,200}(predict|invocations|score|infer|localhost|127\.0\.0\.1|/v\d)|"
    r"az ml (online|batch)-endpoint invoke|sagemaker-runtime invoke-endpoint|"
    r"gcloud (beta )?ai endpoints (raw-)?predict|databricks serving-endpoints query"
)
_TEST_JOB = regex(r"(^|[^a-z])tests?([^a-z]|$)", re.IGNORECASE)
# What says of itself that it tests, beside a call of the deployed endpoint.
_SAYS = regex(r"(^|[^a-z])(smoke|test|verify|check)([^a-z]|$)", re.IGNORECASE)
_ENDPOINT = regex(r"(endpoints?\.|Endpoint\.|\.|_)(invoke|invoke_endpoint|predict|query)$")
_TESTS = frozenset({"[", "[[", "test"})
_TRAINS = frozenset({"train.fit", "train.loop", "predict.call", "pipeline.run", "model.load"})


def asserting_smoke_runs(project: Project) -> list[Evidence]:
    """Programs that automation runs, that call the service and fail on a wrong answer."""
    found = []
    for path, evidence in _programs(project):
        module = project.modules[path]
        calls = any(_CALLS.search(c.name) for c in module.calls)
        checks = any(not a.constant for a in module.asserts) or any(
            r.guards and not r.swallowed for r in module.raises
        )
        if calls and checks:
            spans = [a.span for a in module.asserts if not a.constant] or [Span(path, 1)]
            found.append(Evidence(spans[0], "fails on a wrong answer", evidence.chain))
    return found


def checked_runs(project: Project) -> list[Evidence]:
    """Scripts of CI that run the whole chain as a test and fail on what it leaves behind."""
    found: list[Evidence] = []
    for way in project.ci().of("module"):
        runs = way.previous
        script = runs.node.span.path if runs is not None and runs.node.kind == "command" else ""
        if runs is None or script not in project.scripts:
            continue
        said = any(_END_TO_END.search(f"{e.detail} {e.span.path}") for e in way.chain())
        if said and _comes_to_model(project, way.node.key[0]):
            found += _compared(project, script, runs.node.span.line or 0)
    return list(dict.fromkeys(found))


def _compared(project: Project, script: str, start: int) -> Iterator[Evidence]:
    """Where a script compares what a command says, after a line, and may exit with an error."""
    commands = [c for c in project.script(script) if (c.span.line or 0) > start]
    exits = [c for c in commands if c.program == "exit" and c.condition and c.argv[1:] != ("0",)]
    for command in commands:
        if command.program in _TESTS and any("$(" in word for word in command.argv) and exits:
            yield Evidence(command.span, f"exits unless {command.text}")


def smoke_runs(project: Project, *, whole: bool = False) -> list[Evidence]:
    """Smoke scripts, `RUN` steps that predict, and calls of the service in automation.

    Args:
        project: the project.
        whole: only scripts that come to a model or to the service.
    """
    found = [e for p, e in _programs(project) if not whole or _comes_to_model(project, p)]
    for way in project.automation.of("command"):
        if _CURL.search(way.node.detail):
            found.append(way.evidence())
        target = any(n.kind == "target" and n.key[0].startswith("docker") for n in way.nodes())
        if target and any(
            e.target.kind == "module" and _runs_model(project, e.target.key[0])
            for e in project.graph.edges(way.node)
        ):
            found.append(way.evidence())
    found += [
        way.previous.evidence()
        for way in project.automation.of("module")
        if way.previous is not None
        and way.previous.node.kind == "command"
        and _runs_model(project, way.node.key[0])
        and any(_END_TO_END.search(f"{e.detail} {e.span.path}") for e in way.chain())
    ]
    return list(dict.fromkeys([*found, *_test_job(project)]))


def _test_job(project: Project) -> list[Evidence]:
    """Programs of a job that is called test, of which several come to a model."""
    jobs: dict[Node, dict[str, Evidence]] = {}
    for way in project.ci().of("module"):
        job = next((n for n in way.nodes() if n.kind == "job"), None)
        before = way.previous
        if before is None or before.node.kind != "command" or job is None:
            continue
        if _TEST_JOB.search(job.detail) and _comes_to_model(project, way.node.key[0]):
            jobs.setdefault(job, {}).setdefault(way.node.key[0], before.evidence())
    return [e for programs in jobs.values() if len(programs) > 1 for e in programs.values()]


def _programs(project: Project) -> list[tuple[str, Evidence]]:
    return [
        (w.node.key[0], w.evidence())
        for w in project.automation.of("module")
        if w.previous is not None
        and w.previous.node.kind == "command"
        and w.node.key[0] in project.modules
        and (_NAMES.search(w.node.key[0]) or _asks_endpoint(project, w))
    ]


def _asks_endpoint(project: Project, way: Way) -> bool:
    """Whether a program that says it tests calls the endpoint of a managed platform."""
    path = way.node.key[0]
    if not _SAYS.search(" ".join([path, *(e.detail for e in way.chain())])):
        return False
    if any(c.method == "describe_endpoint" for c in project.modules[path].calls):
        return True  # the platform is asked whether the endpoint is there
    uses = (u for u in project.uses_in(path) if u.capability == "serve.client" and u.call)
    return any(_ENDPOINT.search(u.call.name) for u in uses if u.call)


def _comes_to_model(project: Project, path: str) -> bool:
    """Whether a script, or what it runs, trains, predicts, or asks a service."""
    walked = scopes(project, [Scope(path)], imports=True)
    if any(
        u.capability in _TRAINS or u.capability == "serve.client" for u in uses_of(project, walked)
    ):
        return True
    return any(_CALLS.search(c.name) for c in project.modules[path].calls)


def _runs_model(project: Project, path: str) -> bool:
    return any(u.capability in _TRAINS for u in project.uses_in(path))
