"""GitLab CI: includes, extends, `!reference`, rules and child pipelines."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from mlops_audit.facts.cicommon import Script, broken, glued, inside, joined, root_map
from mlops_audit.facts.conditions import evaluate
from mlops_audit.facts.gitlab_files import MAX_EXTENDS, Field, Fields, Pipeline
from mlops_audit.facts.gitlab_rules import Reach, job_reach, pipeline_triggers
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.types import Command, Getter, Job, Step, Trigger, Unreadable, Workflow
from mlops_audit.model import Span

__all__ = ["read_gitlab"]

NAME = ".gitlab-ci.yml"
_STAGES = (".pre", "build", "test", "deploy", ".post")


def read_gitlab(path: str, data: bytes, getter: Getter) -> tuple[Workflow, ...]:
    """The pipeline of a `.gitlab-ci.yml` with all local files that it includes.

    An unreadable file is a workflow without jobs; includes that cannot be read stand in
    `unreadable` beside the rest.
    """
    root = root_map(data, path)
    if isinstance(root, Unreadable):
        return broken("gitlab", root)
    workflow = _read(path, root, getter, (path,))
    if "/" in path:
        reason = f"GitLab reads {NAME} at the repository's root only"
        workflow = replace(workflow, disabled=reason)
    return (workflow,)


def _read(path: str, root: Node, getter: Getter, calls: tuple[str, ...]) -> Workflow:
    pipeline = Pipeline(getter, calls)
    pipeline.add(path, root)
    rules = pipeline.top.get("workflow")
    mentions = _mentions(pipeline)
    triggers = pipeline_triggers(rules.node if rules else None, mentions, Span(path, root.line))
    env = _variables(pipeline.top.get("variables"))
    names = [name for name in pipeline.jobs if not name.startswith(".")]
    jobs = _ordered(pipeline, names, tuple(_job(n, pipeline, triggers, env) for n in names))
    return Workflow(
        "gitlab",
        path,
        (rules.node.str_at("name") if rules else "") or path,
        Span(path, root.line),
        triggers,
        jobs,
        env,
        disabled=""
        if jobs and triggers
        else "no jobs"
        if triggers
        else "`workflow: rules` holds for nothing",
        unreadable=tuple(pipeline.unreadable),
    )


def _mentions(pipeline: Pipeline) -> str:
    """The text of all rules, to see which sources the file reckons with."""
    texts: list[str] = []
    fields = [
        f[key] for f in pipeline.jobs.values() for key in ("rules", "only", "except") if key in f
    ]
    for item in [*fields, *filter(None, [pipeline.top.get("workflow")])]:
        texts.extend(node.text for node in item.node.walk() if node.text)
    return " ".join(texts)


def _variables(item: Field | None) -> dict[str, str]:
    if item is None:
        return {}
    return {key: node.text or node.str_at("value") for key, node in item.node.items()}


def _job(
    name: str, pipeline: Pipeline, triggers: tuple[Trigger, ...], env: Mapping[str, str]
) -> Job:
    fields = pipeline.fields(name)
    span = pipeline.spans[name]
    own = _variables(fields.get("variables"))
    rules = _rules(pipeline, fields.get("rules"))
    reach = job_reach(rules, _node(fields, "only"), _node(fields, "except"), triggers)
    when = _text(fields, "when")
    calls, jobs = _child(pipeline, fields)
    soft = _soft(fields, reach)
    known = {k: v for k, v in {**env, **own}.items() if "$" not in v}
    return Job(
        name,
        span,
        _steps(pipeline, fields, known),
        _needs(fields),
        soft=bool(soft),
        why_soft=soft,
        environment=_named(fields, "environment", "name"),
        image=_named(fields, "image", "name") or _default_image(pipeline),
        calls=calls,
        env=own,
        manual=reach.manual or when == "manual",
        triggers=() if reach.triggers == triggers else reach.triggers,
        jobs=jobs,
        disabled="`when: never`" if when == "never" else reach.disabled,
    )


def _rules(pipeline: Pipeline, item: Field | None) -> tuple[Node, ...] | None:
    if item is None:
        return None
    found: list[Node] = []
    pending = [(item, 0)]
    while pending:
        here, depth = pending.pop(0)
        if here.node.tag == "!reference" and depth < MAX_EXTENDS:
            referenced = pipeline.referenced(here.node)
            pending[:0] = [(referenced, depth + 1)] if referenced else []
        elif here.node.kind == "list" and depth < MAX_EXTENDS:
            members = [Field(here.path, node.line, node) for node in here.node.children]
            pending[:0] = [(member, depth + 1) for member in members]
        elif here.node.kind == "map":
            found.append(here.node)
    return tuple(found)


def _node(fields: Fields, key: str) -> Node | None:
    item = fields.get(key)
    return item.node if item is not None else None


def _text(fields: Fields, key: str) -> str:
    item = fields.get(key)
    return item.node.text if item is not None else ""


def _named(fields: Fields, key: str, inner: str) -> str:
    item = fields.get(key)
    return (item.node.text or item.node.str_at(inner)) if item is not None else ""


def _default_image(pipeline: Pipeline) -> str:
    item = pipeline.default("image")
    return (item.node.text or item.node.str_at("name")) if item is not None else ""


def _soft(fields: Fields, reach: Reach) -> str:
    allowed = fields.get("allow_failure")
    if allowed is not None and evaluate(allowed.node.text) is True:
        return "allow_failure"
    return "allow_failure in its rule" if reach.soft else ""


def _needs(fields: Fields) -> tuple[str, ...]:
    item = fields.get("needs") or fields.get("dependencies")
    if item is None:
        return ()
    names = (node.text or node.str_at("job") for node in item.node.many())
    return tuple(name for name in names if name)


def _ordered(pipeline: Pipeline, names: list[str], jobs: tuple[Job, ...]) -> tuple[Job, ...]:
    """Without `needs`, a job waits for the jobs of the stage before its own."""
    listed = pipeline.top.get("stages")
    stages = [".pre", *listed.node.strings(), ".post"] if listed else list(_STAGES)
    stage_of = {name: _text(pipeline.fields(name), "stage") or "test" for name in names}
    found: list[Job] = []
    for job in jobs:
        here = stage_of[job.name]
        if "needs" in pipeline.fields(job.name) or here not in stages:
            found.append(job)
            continue
        earlier = reversed(stages[: stages.index(here)])
        before = (tuple(name for name in names if stage_of[name] == stage) for stage in earlier)
        found.append(replace(job, needs=next(filter(None, before), ())))
    return tuple(found)


def _steps(pipeline: Pipeline, fields: Fields, known: Mapping[str, str]) -> tuple[Step, ...]:
    found: list[Step] = []
    cwd = ""
    for key in ("before_script", "script", "after_script"):
        item = fields.get(key)
        if item is None and key != "script":
            item = pipeline.default(key)
        pieces = list(pipeline.pieces(item))
        if not pieces:
            continue
        after = key == "after_script"
        # GitLab's runner sets errexit and, where the shell knows it, pipefail.
        script = Script("", "" if after else cwd, pipefail=True, literal=known)
        commands = _run(pieces, script)
        cwd = _folder_after(commands, cwd)
        text = "\n".join(piece.node.text for piece in pieces)
        span = Span(pieces[0].path, pieces[0].node.line)
        why = "after_script cannot fail the job" if after else ""
        found.append(Step(span, key, text, commands, soft=after, why_soft=why))
    return tuple(found)


def _run(pieces: list[Field], script: Script) -> tuple[Command, ...]:
    """The commands of script lines that may stand in several files."""
    found: list[Command] = []
    start = 0
    for end in range(1, len(pieces) + 1):
        if end == len(pieces) or pieces[end].path != pieces[start].path:
            here = replace(script, path=pieces[start].path)
            commands = glued([piece.node for piece in pieces[start:end]], here)
            found.extend(commands)
            script = replace(script, cwd=_folder_after(commands, script.cwd))
            start = end
    return tuple(found)


def _folder_after(commands: tuple[Command, ...], cwd: str) -> str:
    if not commands:
        return cwd
    last = commands[-1]
    return joined(last.cwd, last.argv[1]) if last.program == "cd" and last.argv[1:] else last.cwd


def _child(pipeline: Pipeline, fields: Fields) -> tuple[str, tuple[Job, ...]]:
    item = fields.get("trigger")
    if item is None:
        return "", ()
    include = item.node.get("include")
    if include is None:
        return item.node.text or item.node.str_at("project"), ()
    path = ""
    jobs: list[Job] = []
    for node in include.many():
        local = inside(node.text or node.str_at("local"))
        path = path or local
        if not local or local in pipeline.calls or len(pipeline.calls) > MAX_EXTENDS:
            continue
        data = pipeline.getter(local)
        root = root_map(data, local) if data is not None else None
        if isinstance(root, Node):
            jobs.extend(_read(local, root, pipeline.getter, (*pipeline.calls, local)).jobs)
    return path, tuple(jobs)
