"""Pipeline definitions that files tell: steps with commands, inputs and outputs, and schedules.

Snakemake and Nextflow are in `workflowscripts`; pipelines that are Python programs (Kedro,
Airflow, Prefect, ...) are read from the code, not here.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable

from mlops_audit.facts.ci import read_workflow, systems
from mlops_audit.facts.databricks import is_job, read_jobs
from mlops_audit.facts.jsonpos import load_json
from mlops_audit.facts.nodes import EMPTY, Node
from mlops_audit.facts.pipelinetypes import PipelineFile, PipelineStep, first_command
from mlops_audit.facts.types import Command, Getter, Unreadable
from mlops_audit.facts.workflowscripts import read_nextflow, read_snakefile
from mlops_audit.facts.yamlpos import load_yaml
from mlops_audit.model import Span

__all__ = ["PipelineFile", "PipelineStep", "read_pipeline_file", "read_pipelines"]

Found = tuple[PipelineFile, ...]


def read_pipelines(
    paths: Iterable[str], get: Getter
) -> tuple[tuple[PipelineFile, ...], tuple[Unreadable, ...]]:
    """Read all pipeline definitions of a tree, in the order of the sorted paths.

    Args:
        paths: the tree's files.
        get: bytes of a file by path, None where it cannot be read.
    """
    found: list[PipelineFile] = []
    unreadable: list[Unreadable] = []
    for path in sorted(paths):
        if not _may_be(path):
            continue
        data = get(path)
        result = read_pipeline_file(data, path, get) if data is not None else ()
        if isinstance(result, Unreadable):
            unreadable.append(result)
        else:
            found += result
    return tuple(found), tuple(unreadable)


def _may_be(path: str) -> bool:
    name = posixpath.basename(path)
    suffix = posixpath.splitext(name)[1].lower()
    return suffix in {".yml", ".yaml", ".smk", ".nf", ".asl", ".json"} or name == "Snakefile"


def read_pipeline_file(data: bytes, path: str, get: Getter = lambda _: None) -> Found | Unreadable:
    """Read one file; nothing where it defines no pipeline (told by name and content)."""
    name = posixpath.basename(path)
    if name == "Snakefile" or path.endswith(".smk"):
        return read_snakefile(data, path)
    if path.endswith(".nf"):
        return read_nextflow(data, path)
    if path.endswith((".json", ".asl")):
        if b'"StartAt"' in data and b'"States"' in data:
            return _parsed(load_json(data, path), path, _step_functions)
        if b'"Steps"' in data and b'"Version"' in data and b'"2020-12-01"' in data:
            return _parsed(load_json(data, path), path, _sagemaker)
        return _parsed(load_json(data, path), path, read_jobs) if is_job(data) else ()
    if systems()["argo"].looks(data):
        return _argo(data, path, get)
    if is_job(data):
        jobs = _parsed(load_yaml(data, path), path, read_jobs)
        if jobs:
            return jobs
    for marks, read in _YAML:
        if all(m in data for m in marks):
            result = _parsed(load_yaml(data, path), path, read)
            if result:
                return result
    return ()


def _parsed(
    root: Node | Unreadable, path: str, read: Callable[[Node, str], Found]
) -> Found | Unreadable:
    return root if isinstance(root, Unreadable) else read(root, path)


def _texts(node: Node | None) -> tuple[str, ...]:
    """The texts below a node, wherever they stand."""
    if node is None:
        return ()
    return tuple(n.text for n in node.walk() if n.kind == "scalar" and n.text)[:100]


def _words(node: Node | None, path: str) -> Command | None:
    words = node.strings() if node is not None else ()
    line = node.line if node is not None else 1
    return Command(words, Span(path, line), " ".join(words)) if words else None


def _argo(data: bytes, path: str, get: Getter) -> Found:
    found: list[PipelineFile] = []
    for workflow in read_workflow("argo", path, data, get):
        cron = next((t.cron for t in workflow.triggers if t.cron), "")
        tasks = {j.name: next((s.name for s in j.steps if s.name), j.name) for j in workflow.jobs}
        steps = tuple(
            PipelineStep(
                tasks[job.name],
                job.span,
                next((c for s in job.steps for c in s.commands), None),
                needs=tuple(tasks.get(n, n) for n in job.needs),
            )
            for job in workflow.jobs
        )
        if steps:
            paused = bool(workflow.disabled)
            found.append(PipelineFile("argo", workflow.name, workflow.span, steps, cron, paused))
    return tuple(found)


def _azure_ml(root: Node, path: str) -> Found:
    """Azure ML's pipeline, command and schedule jobs (`$schema: …pipelineJob.schema.json`)."""
    schema = root.str_at("$schema")
    if "azureml" not in schema:
        return ()
    name = root.str_at("display_name") or root.str_at("name")
    if "schedule" in schema:
        trigger = root.get("trigger") or EMPTY
        cron = trigger.str_at("expression") or trigger.str_at("frequency")
        paused = root.str_at("is_enabled") == "false"
        job = root.str_at("create_job") or root.str_at("create_job", "job")
        span = Span(path, root.line_of("create_job"))
        started = (PipelineStep(job or "job", span),)
        return (PipelineFile("azureml", name, Span(path, 1), started, cron, paused),)
    jobs = root.get("jobs")
    table = jobs.entries if jobs is not None else {}
    steps = tuple(
        PipelineStep(
            key,
            Span(path, entry.line),
            first_command(
                entry.node.get("command") or entry.node.get("component", "command"), path
            ),
            _texts(entry.node.get("inputs")),
            tuple((entry.node.get("outputs") or EMPTY).keys()),
        )
        for key, entry in table.items()
    )
    command = root.get("command")
    if not steps and command is not None and "command" in schema.lower():
        step = PipelineStep(
            name or "command",
            Span(path, command.line),
            first_command(command, path),
            _texts(root.get("inputs")),
            (root.get("outputs") or EMPTY).keys(),
        )
        steps = (step,)
    return (PipelineFile("azureml", name, Span(path, 1), steps),) if steps else ()


def _step_functions(root: Node, path: str) -> Found:
    """A state machine in Amazon States Language; nested branches are flattened."""
    steps: list[PipelineStep] = []
    stack = [root.get("States") or EMPTY]
    while stack and len(steps) < 500:  # noqa: PLR2004 -- a cap
        for name, entry in stack.pop().entries.items():
            node = entry.node
            kind, resource = node.str_at("Type"), node.str_at("Resource")
            words = tuple(w for w in (kind, resource) if w)
            command = Command(words, Span(path, entry.line), " ".join(words)) if resource else None
            following = tuple(n for n in (node.str_at("Next"), node.str_at("Default")) if n)
            steps.append(PipelineStep(name, Span(path, entry.line), command, outputs=following))
            stack += [b.get("States") or EMPTY for b in node.list_at("Branches")]
            inner = node.get("Iterator", "States") or node.get("ItemProcessor", "States")
            stack += [inner] if inner is not None else []
    name = root.str_at("Comment")
    made = PipelineFile("step-functions", name, Span(path, root.line), tuple(steps))
    return (made,) if steps else ()


def _sagemaker(root: Node, path: str) -> Found:
    steps = tuple(
        PipelineStep(
            node.str_at("Name"),
            Span(path, node.line),
            _words(node.get("Arguments", "AppSpecification", "ContainerEntrypoint"), path),
            needs=node.strings_at("DependsOn"),
        )
        for node in root.list_at("Steps")
    )
    return (PipelineFile("sagemaker", "", Span(path, 1), steps),) if steps else ()


def _kubeflow(root: Node, path: str) -> Found:
    """A compiled Kubeflow or Vertex pipeline (IR YAML)."""
    executors = root.get("deploymentSpec", "executors") or EMPTY
    steps: list[PipelineStep] = []
    for key, entry in (root.get("root", "dag", "tasks") or EMPTY).entries.items():
        node = entry.node
        component = node.str_at("componentRef", "name")
        label = root.str_at("components", component, "executorLabel")
        container = executors.get(label, "container") or EMPTY
        needs = node.strings_at("dependentTasks")
        command = _words(container.get("command"), path)
        steps.append(PipelineStep(key, Span(path, entry.line), command, needs=needs))
    name = root.str_at("pipelineInfo", "name")
    return (PipelineFile("kubeflow", name, Span(path, 1), tuple(steps)),) if steps else ()


def _ploomber(root: Node, path: str) -> Found:
    folder = posixpath.dirname(path)
    steps: list[PipelineStep] = []
    for node in root.list_at("tasks"):
        source = node.str_at("source")
        if not source or node.get("product") is None:
            return ()
        span = Span(path, node.line)
        words = ("python", posixpath.join(folder, source))
        command = Command(words, span, " ".join(words))
        name = node.str_at("name") or posixpath.splitext(posixpath.basename(source))[0]
        upstream = _texts(node.get("upstream"))
        steps.append(PipelineStep(name, span, command, (), _texts(node.get("product")), upstream))
    return (PipelineFile("ploomber", "", Span(path, 1), tuple(steps)),) if steps else ()


def _cloud_workflows(root: Node, path: str) -> Found:
    """Google Cloud Workflows: `main.steps`, each step a map of one name."""
    steps: list[PipelineStep] = []
    for item in root.list_at("main", "steps"):
        for name, entry in item.entries.items():
            call = entry.node.str_at("call")
            span = Span(path, entry.line)
            command = Command((call,), span, call) if call else None
            steps.append(PipelineStep(name, span, command, _texts(entry.node.get("args"))))
    return (PipelineFile("cloud-workflows", "main", Span(path, 1), tuple(steps)),) if steps else ()


def _recipe(root: Node, path: str) -> Found:
    """MLflow Recipes: the template's fixed steps."""
    if not root.str_at("recipe").count("/"):
        return ()
    steps = tuple(
        PipelineStep(name, Span(path, entry.line))
        for name, entry in (root.get("steps") or EMPTY).entries.items()
    )
    return (PipelineFile("mlflow-recipes", root.str_at("recipe"), Span(path, 1), steps),)


_YAML: tuple[tuple[tuple[bytes, ...], Callable[[Node, str], Found]], ...] = (
    ((b"azureml", b"$schema"), _azure_ml),
    ((b"pipelineInfo:", b"deploymentSpec:"), _kubeflow),
    ((b"tasks:", b"source:", b"product:"), _ploomber),
    ((b"main:", b"steps:", b"call:"), _cloud_workflows),
    ((b"recipe:", b"steps:"), _recipe),
)
