"""Gates as steps: a program of a pipeline or CI job that fails on a metric before the promotion."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_audit.graph.comparisons import mentions_metric
from mlops_audit.graph.gatechecks import Checks, Gate
from mlops_audit.graph.promotions import PROMOTES
from mlops_audit.model import Evidence

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["gates_of_steps"]


class _Steps:
    """Finds the steps of one project that stand before a promotion."""

    def __init__(self, project: Project, checks: Checks) -> None:
        self.project = project
        self.checks = checks

    def promoting_steps(self) -> list[tuple[int, int, Evidence]]:
        """Steps of pipelines that register or deploy: pipeline, position, evidence."""
        found = []
        for n, pipeline in enumerate(self.project.pipelines):
            for m, step in enumerate(pipeline.steps):
                if re.search(r"regist|deploy|promot|push|publish|release", step.name.lower()):
                    found.append((n, m, step.evidence))
        return found

    def of_steps(self) -> Iterator[Gate]:
        """Programs that fail or cancel a run on a bad metric before a later step promotes."""
        exits = list(self._failing())
        if not exits:
            return
        promoting = self.promoting_steps()
        for n, pipeline in enumerate(self.project.pipelines):
            for m, step in enumerate(pipeline.steps):
                after = [e for p, q, e in promoting if p == n and q > m]
                if not after:
                    continue
                paths = {s.path for s in step.code} | self._run_by(step.evidence)
                for kind, places, path in exits:
                    if path in paths:
                        yield Gate(kind, (*places, after[0]))
        yield from self._of_jobs(exits)

    def _run_by(self, evidence: Evidence) -> set[str]:
        """The files that a step's line names (`script_name=...`, a stage's command)."""
        path, line = evidence.span.path, evidence.span.line or 0
        found = set()
        module = self.project.modules.get(path)
        if module is not None:
            for call in module.calls:
                if call.span.line == line:
                    for value in (*call.args, *(v for _, v in call.kwargs)):
                        found |= self._files(value.text.strip("\"'"), path)
        for target in self.project.targets:
            if target.span == evidence.span:
                words = [w for c in target.commands for w in c.argv]
                for word in words:
                    place = self.project.places.file(word, target.folder)
                    if place:
                        found.add(place)
        return found

    def _files(self, text: str, near: str) -> set[str]:
        """A script by its path, or by a setting whose name tells it (`e.evaluate_script_path`)."""
        if text.endswith(".py"):
            place = self.project.places.file(text, near.rpartition("/")[0])
            return {place} if place else set()
        named = re.search(r"(\w+?)_script(_path|_name)?$", text, re.IGNORECASE)
        if not named:
            return set()
        word = named[1].lower().rsplit(".", 1)[-1]
        return {m.path for m in self.project.source if word in m.path.rsplit("/", 1)[-1].lower()}

    def _failing(self) -> Iterator[tuple[str, tuple[Evidence, ...], str]]:
        """Branches on metrics whose arm raises, exits non-zero or cancels the run."""
        for module in self.project.source:
            for branch in module.branches:
                if not branch.compares or branch.kind != "if":
                    continue
                for lines, flip in ((branch.body, True), (branch.orelse, False)):
                    if lines is None or not self.checks.exits(module, lines, hard=True):
                        continue
                    for kind, places in self.checks.branch(module, branch, flip=flip):
                        yield kind, places, module.path

    def _of_jobs(self, exits: list[tuple[str, tuple[Evidence, ...], str]]) -> Iterator[Gate]:
        """Checks that CI runs before a job of it registers or deploys."""
        reach = self.project.automation
        promoted = [
            (way, evidence)
            for use, way, evidence in self.project.reached_uses(reach, *PROMOTES)
            if use.where in {"command", "action"}
        ]
        if not promoted:
            return
        for kind, places, path in exits:
            way = reach.way("module", path)
            if way is None or way.soft:
                continue
            for later, evidence in promoted:
                here = Evidence(later.node.span, later.node.detail)
                if _before(way.chain(), (*later.chain(), here)):
                    yield Gate(kind, (*places, evidence))
                    break
        for way in reach.of("command"):
            command, _ = way.node.payload
            condition = command.condition
            fails = command.program == "exit" and command.argv[1:2] not in {("0",), ()}
            if fails and condition and mentions_metric(condition):
                yield Gate("metric", (Evidence(way.node.span, f"if {condition}"), promoted[0][1]))


def gates_of_steps(project: Project, checks: Checks) -> Iterator[Gate]:
    """Programs that fail or cancel a run on a bad metric before a later step promotes."""
    return _Steps(project, checks).of_steps()


def _before(first: tuple[Evidence, ...], later: tuple[Evidence, ...]) -> bool:
    """Whether one place comes before another, by the last lines of a file that lead to both."""
    ends = [{e.span.path: e.span.line or 0 for e in chain} for chain in (first, later)]
    shared = ends[0].keys() & ends[1].keys()
    return all(ends[0][path] <= ends[1][path] for path in shared)
