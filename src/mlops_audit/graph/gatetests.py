"""Gates as tests: an asserted threshold on a model's metric, before the job that gives it out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_audit.facts.types import Job, Workflow
from mlops_audit.graph.execution import Way
from mlops_audit.graph.gatechecks import Gate
from mlops_audit.graph.promotions import PROMOTES
from mlops_audit.graph.testcases import TestCase
from mlops_audit.graph.thresholds import is_range, sets_limit
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["gates_of_tests"]

# A model in a package is given out with it.
_GIVES_OUT = (*PROMOTES, "package.publish")
_SENDS = regex(r"(^|\s)(-F|--form|-T|--upload-file)(\s|=)")
_NAMED = regex(r"(publish|upload|push|release|regist|deploy)")
_MODEL = regex(r"model|package")
_LOADED = frozenset({"model.load", "registry.load"})
_FITTED = frozenset({"train.fit", "train.loop", "train.search"})


def gates_of_tests(project: Project) -> Iterator[Gate]:
    """Tests that CI runs on the model before the same job, or one that needs it, gives it out."""
    reach = project.automation
    given = [
        (way, evidence)
        for use, way, evidence in project.reached_uses(reach, *_GIVES_OUT)
        if use.where in {"command", "action"} and not _of_docs(use.details)
    ]
    given += [(w, w.evidence()) for w in reach.of("command") if _sent(w)]
    if not given:
        return
    for case, way in project.tests.run_by(reach) if _any_limit(project) else ():
        limit = None if way.soft else _limit(project, case)
        if limit is None or not _on_the_model(project, case):
            continue
        for later, evidence in given:
            if _stands_before(way, later):
                yield Gate("metric", (limit, evidence))
                break


def _of_docs(details: object) -> bool:
    return getattr(details, "kind", "") == "docs"


def _sent(way: Way) -> bool:
    """Whether a step that is called so uploads a model or package by hand."""
    command, _ = way.node.payload
    if command.program != "curl" or not _SENDS.search(command.text):
        return False
    told = " ".join(n.detail for n in way.nodes()[:-1])
    return bool(_NAMED.search(told) and _MODEL.search(told))


def _any_limit(project: Project) -> bool:
    return any(
        sets_limit(c)
        for p in project.test_files
        if p in project.modules
        for item in project.modules[p].asserts
        for c in item.compares
    )


def _limit(project: Project, case: TestCase) -> Evidence | None:
    """Where a test asserts that a metric is better than a limit which not every model meets."""
    for item in project.modules[case.path].asserts:
        if item.scope != case.qualname or item.constant or item.swallowed:
            continue
        for compare in item.compares:
            if sets_limit(compare) and not is_range(compare):
                return Evidence(item.span, f"assert {item.test}")
    return None


def _on_the_model(project: Project, case: TestCase) -> bool:
    """Whether a test judges the stored model, or one that the project's own training code makes."""
    if project.test_kinds.stubbed(case):
        return False
    reach = project.test_kinds.reach(case)
    if reach.capabilities & _LOADED:
        return True
    fits = bool(reach.capabilities & _FITTED) and "data.read" in reach.capabilities
    return fits and bool(_training_code(project) & reach.modules)


def _training_code(project: Project) -> set[str]:
    """The programs that train and the modules that they import."""
    found = {p for p in project.roles.training if p in project.modules and not project.is_test(p)}
    return found.union(*map(project.index.imported, found))


def _stands_before(check: Way, later: Way) -> bool:
    """Whether a check comes first in the job that gives out, or in one that this job needs."""
    first, then = _job(check), _job(later)
    if first is None or then is None or first[0].path != then[0].path:
        return False
    if first[1] == then[1]:
        return _line(check, then[0].path) < _line(later, then[0].path)
    return first[1].name in _needed(then)


def _job(way: Way) -> tuple[Workflow, Job] | None:
    return next((n.payload[:2] for n in way.nodes() if n.kind == "job"), None)


def _line(way: Way, path: str) -> int:
    """How far down its job a command stands."""
    nodes = way.nodes()
    inside = nodes[next((i for i, n in enumerate(nodes) if n.kind == "job"), 0) :]
    return max((n.span.line or 0 for n in inside if n.span.path == path), default=0)


def _needed(place: tuple[Workflow, Job]) -> set[str]:
    """The jobs that must have ended well before a job starts."""
    workflow, job = place
    jobs = {j.name: j for j in workflow.jobs}
    found: set[str] = set()
    queue = list(job.needs)
    while queue:
        name = queue.pop()
        if name not in found:
            found.add(name)
            queue += jobs[name].needs if name in jobs else ()
    return found
