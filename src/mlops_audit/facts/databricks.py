"""Databricks' jobs: in bundles, in deployment files of dbx, and as the Jobs API takes them.

A job is a list of tasks, or one task by itself. Bundles name jobs by keys below `resources`; dbx
lists them for each environment; a JSON file of the API is one job.
"""

from __future__ import annotations

from collections.abc import Iterator

from mlops_audit.facts.nodes import Node
from mlops_audit.facts.pipelinetypes import PipelineFile, PipelineStep
from mlops_audit.facts.types import Command
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = ["is_job", "read_jobs", "starts_cluster"]

_TASKS = (
    (("spark_python_task", "python_file"), "python"),
    (("notebook_task", "notebook_path"), "notebook"),
    (("python_wheel_task", "entry_point"), ""),
)  # fmt: skip
_LISTS = frozenset({"jobs", "workflows"})
_MAX_NODES = 20_000
_MAX_JOBS = 400
# Where dbx and the API say that the file is copied from here or mounted there.
_SCHEME = regex(r"^(file:(fuse:)?//|dbfs:/|/dbfs/)")


def is_job(data: bytes) -> bool:
    """Whether a file may define jobs: the words of the tasks stand in it."""
    return any(key[0].encode() in data for key, _ in _TASKS)


def read_jobs(root: Node, path: str) -> tuple[PipelineFile, ...]:
    """All jobs of a file, in its order; nothing where it defines none."""
    found = [_job(key, node, line, path) for key, node, line in _found(root)]
    return tuple(job for job in found if job.steps)[:_MAX_JOBS]


def starts_cluster(root: Node) -> bool:
    """Whether a job of a file starts a cluster that the file describes."""
    return any(
        place.get("new_cluster") is not None or place.get("job_clusters") is not None
        for _, job, _ in _found(root)
        for place in (job, *job.list_at("tasks"))
    )


def _found(root: Node) -> Iterator[tuple[str, Node, int]]:
    """The maps that are jobs, each with its key and line."""
    if _is_job(root):
        yield "", root, root.line
        return
    queue: list[tuple[str, Node]] = [("", root)]
    seen = 0
    while queue and seen < _MAX_NODES:
        key, node = queue.pop(0)
        seen += 1
        for name, entry in node.entries.items():
            child = entry.node
            if key in _LISTS and _is_job(child):  # `resources: jobs: name: {...}`
                yield name, child, entry.line
            elif name in _LISTS and child.kind == "list":
                yield from (("", item, item.line) for item in child.list() if _is_job(item))
            elif child.kind == "map":
                queue.append((name, child))


def _is_job(node: Node) -> bool:
    if node.kind != "map":
        return False
    tasks = node.get("tasks")
    listed = tasks.list() if tasks is not None else ()
    return (
        any(item.get("task_key") is not None for item in listed) or _command(node, "") is not None
    )


def _job(key: str, node: Node, line: int, path: str) -> PipelineFile:
    tasks = node.list_at("tasks") or (node,)
    name = node.str_at("name") or key
    steps = tuple(
        PipelineStep(
            task.str_at("task_key") or name,
            Span(path, task.line),
            _command(task, path),
            needs=tuple(n.str_at("task_key") for n in task.list_at("depends_on")),
        )
        for task in tasks
    )
    cron = node.str_at("schedule", "quartz_cron_expression")
    interval = node.str_at("trigger", "periodic", "unit") or node.str_at(
        "trigger", "file_arrival", "url"
    )
    states = {node.str_at(k, "pause_status") for k in ("schedule", "trigger", "continuous")}
    paused = "PAUSED" in states
    return PipelineFile(
        "databricks", name, Span(path, line), steps, cron or interval, paused, key or name
    )


def _command(task: Node, path: str) -> Command | None:
    """What a task runs: a Python file, a notebook, or an entry point of a wheel."""
    for key, program in _TASKS:
        target = _SCHEME.sub("", task.str_at(*key))
        if target:
            rest = task.strings_at(key[0], "parameters")
            words = tuple(w for w in (program, target, *rest) if w)
            line = task.get(key[0]) or task
            return Command(words, Span(path, line.line), " ".join(words))
    return None
