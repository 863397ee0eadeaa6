"""Which common jobs the targets of task runners and shell scripts do."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from mlops_audit.facts.types import Target
from mlops_audit.graph import Project
from mlops_audit.graph.execution import Node
from mlops_audit.graph.lifecycle import TRAIN, parts_of_nodes
from mlops_audit.graph.scopes import commands_of, scopes_from
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

__all__ = ["RUNNERS", "Task", "script_tasks", "tasks"]

RUNNERS = frozenset(
    {"make", "just", "tox", "nox", "mise", "poe", "hatch", "pdm", "invoke", "task", "pixi", "rye",
     "taskipy", "duty", "doit", "rake", "uv", "script"}
)  # fmt: skip
_JOBS = {
    "env.install": "install",
    "hooks.install": "install",
    "test.run": "test",
    "lint.run": "lint",
    "security.scan": "lint",
    "format.run": "lint",
    "format.check": "lint",
    "types.run": "lint",
    "hooks.run": "lint",
    "serve.http": "serve",
    "serve.model": "serve",
    "serve.demo": "serve",
    "deploy.local": "serve",
    "tracker.server": "serve",
    "image.build": "build",
    "package.build": "build",
    "program.build": "build",
    "docs.build": "build",
    "image.publish": "build",
    "package.publish": "build",
    "pipeline.run": "run the pipeline",
    "pipeline.deploy": "run the pipeline",
    "train.fit": "train",
    "train.search": "train",
    "deploy.run": "deploy",
    "infra.apply": "deploy",
}
_PACKS = regex(r"python[\d.]*\s+(setup\.py\s|-m\s+build\b)")
_INSTALLS = regex(
    r"^(pip3?|uv pip|conda|mamba|poetry|pipenv|pdm|npm|yarn|apt(-get)?|brew)\s+(\S+\s+){0,3}?"
    r"(install|sync|env create|ci)\b|^(python3? -m )?(pip install|venv)|^conda env|^virtualenv|"
    r"^uv sync|^python3? setup\.py (develop|install)"
)
_COMPOSE = regex(r"^docker(-compose| compose)\b.*\b(up|run|start|build)\b")


class Task(Struct, frozen=True):
    """A target or script with the jobs that it does; `folder` is where its file lies."""

    name: str
    evidence: Evidence
    jobs: frozenset[str]
    folder: str
    missing: bool = False


def tasks(project: Project) -> list[Task]:
    """The targets of task runners with what they do."""
    found = []
    for target in project.targets:
        if target.runner in RUNNERS and "$" not in target.name:
            nodes = [project.nodes.target(target)]
            jobs = _jobs(project, nodes)
            if not jobs and target.runner in {"tox", "nox"} and target.commands:
                jobs = frozenset({"test"})
            folder = target.span.path.rpartition("/")[0]
            place = Evidence(target.span, f"{target.runner} {target.name}")
            if _lacks_list(project, target):
                jobs = frozenset()
            missing = bool(target.commands) and not jobs and _missing(project, target)
            found.append(Task(target.name, place, jobs, folder, missing))
    return found


def script_tasks(project: Project) -> list[Task]:
    """The shell scripts of the project with what they do."""
    found = []
    for path in project.scripts:
        script = project.nodes.script(path, "")
        jobs = _jobs(project, [script])
        if jobs:
            place = _first_at_work(project, script, jobs)
            found.append(Task(path, place, jobs, path.rpartition("/")[0]))
    return found


_BESIDE = regex(r"\b(apt|apt-get|brew|yum)\b|\b(list|info|activate|config)\b|--version")


def _first_at_work(project: Project, script: Node, jobs: frozenset[str]) -> Evidence:
    """The first command of a script that does one of its jobs, else the script as a whole."""
    at_work = [
        (node, done)
        for edge in project.graph.edges(script)
        if (node := edge.target).kind == "command" and (done := _jobs(project, [node]))
    ]
    if not at_work:
        return Evidence(script.span, f"script for {', '.join(sorted(jobs))}")
    # What is installed first, or only listed, says least of what a script is for.
    plain = [(n, done) for n, done in at_work if not _BESIDE.search(n.detail)] or at_work
    node, done = next(((n, d) for n, d in plain if d - {"install"}), plain[0])
    return Evidence(node.span, f"script for {', '.join(sorted(done))}: {node.detail}")


def _jobs(project: Project, nodes: Iterable[Node]) -> frozenset[str]:
    roots = list(nodes)
    _, others = scopes_from(project, roots)
    found: set[str] = set()
    packs = False
    for use in commands_of(project, others):
        job = _JOBS.get(use.capability)
        if job:
            found.add(job)
    for node in others:
        if node.kind != "command":
            continue
        text = " ".join(node.payload[0].argv)
        if _INSTALLS.match(text):
            found.add("install")
        if _COMPOSE.match(text):
            found.add("build" if " build" in text else "serve")
        if any(e.target.kind == "tests" for e in project.graph.edges(node)):
            found.add("test")
        packs = packs or bool(_PACKS.match(text))
    parts = parts_of_nodes(project, roots, "")
    if TRAIN in parts:
        found.add("train")
    elif parts and not packs:
        found.add("run the pipeline")
    return frozenset(found)


def _lacks_list(project: Project, target: Target) -> bool:
    """Whether a target stops at a list of packages that does not exist."""
    for command in target.commands:
        words = command.argv
        if "install" not in words or "-r" not in words[:-1]:
            continue
        name = words[words.index("-r") + 1].removeprefix("{toxinidir}/")
        told = re.fullmatch(r"[\w./\-]{1,200}", name) and not project.tree.ignores(name)
        if told and not project.places.file(name, command.cwd or target.folder):
            return not project.places.file(name, "")
    return False


def _missing(project: Project, target: Target) -> bool:
    """Whether every command of a target calls a file that does not exist."""
    if _lacks_list(project, target):
        return True
    called = [w for c in target.commands for w in c.argv[:3] if w.endswith((".py", ".sh"))]
    return bool(called) and not any(project.places.file(w, target.folder) for w in called)
