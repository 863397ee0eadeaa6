"""AUT04."""

from __future__ import annotations

from mlops_audit.graph import Project
from mlops_audit.model import Evidence, Verdict, failed, hollow, partial, passed
from mlops_audit.practices.automation._jobs import Task, script_tasks, tasks
from mlops_audit.practices.base import practice

_LOOKED_FOR = (
    "one-word commands (Makefile, justfile, tox, nox, mise, poe, ...) for at least two of install, "
    "test, lint, train, serve, build, run the pipeline"
)
_ENOUGH = 2


@practice(
    id="AUT04",
    title="Common jobs have one-word commands",
    assets="code",
    level="2s",
    sources="S4",
    fix="Add a Makefile with the targets setup, test, lint and train.",
    template=("Makefile",),
)
def task_runner(project: Project) -> Verdict:
    """Targets of a task runner at the root that do at least two common jobs."""
    found = tasks(project)
    working = [t for t in found if t.jobs]
    main = [t for t in working if not t.folder or t.folder in {".mise", ".config/mise"}]
    jobs = {j for t in main for j in t.jobs}
    if len(jobs) >= _ENOUGH <= len(main):  # one command that trains by a pipeline is one
        return passed(f"One-word commands for {_listed(jobs)}.", _spread(main))
    everywhere = {j for t in working for j in t.jobs}
    if len(everywhere) >= _ENOUGH <= len(working) and len(working) > len(main):
        return partial("The task file serves only a part of the repository.", _spread(working))
    scripts = script_tasks(project)
    if scripts:
        named = {j for t in (*scripts, *working) for j in t.jobs}
        one = f"scripts and {working[0].evidence.detail}" if working else "scripts alone"
        return partial(
            f"Shell {one} do the common jobs ({_listed(named)}).",
            [*_spread(scripts), *_spread(working)],
        )
    lost = [t for t in found if t.missing]
    empty = [t for t in found if not t.jobs]
    if lost or (empty and not working):
        return hollow(
            "The task file has no recipe that does a common job.",
            _places(lost or empty),
            looked_for=_LOOKED_FOR,
        )
    return failed(
        "There is at most one one-word command." if working else "No task runner.",
        looked_for=_LOOKED_FOR,
        evidence=_places(working),
    )


def _spread(found: list[Task]) -> list[Evidence]:
    """One task for each job, in the order of the file."""
    told: set[str] = set()
    shown = []
    for task in found:
        if task.jobs - told:
            told |= task.jobs
            shown.append(task.evidence)
    return shown


def _places(found: list[Task]) -> list[Evidence]:
    return [t.evidence for t in found[:5]]


def _listed(jobs: set[str]) -> str:
    return ", ".join(sorted(jobs))
