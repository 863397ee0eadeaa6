"""CircleCI: jobs, commands with parameters, workflows with filters and schedules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from mlops_audit.facts.cicommon import Script, broken, joined, root_map, texts
from mlops_audit.facts.conditions import evaluate
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.signs import Signs
from mlops_audit.facts.types import Getter, Job, Step, Trigger, TriggerKind, Unreadable, Workflow
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = ["SIGNS", "read_circleci"]

SIGNS = Signs(r"(?:.*/)?\.circleci/[^/]+\.ya?ml")

_PARAMETER = regex(r"<<\s*([\w.\-]{1,100})\s*>>")
MAX_DEPTH = 8
MAX_STEPS = 2000


class _Context(Struct, frozen=True):
    path: str
    root: Node
    parameters: Mapping[str, Node] = field(default_factory=dict)
    cwd: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    shell: str = ""
    depth: int = 0
    budget: list[int] = field(default_factory=lambda: [MAX_STEPS])

    def text(self, text: str) -> str:
        """A text with `<< parameters.x >>` replaced where it is known."""

        def value(found: re.Match[str]) -> str:
            node = self.parameters.get(found[1].removeprefix("parameters."))
            known = node is not None and node.kind == "scalar" and "\n" not in node.text
            return node.text if node is not None and known else "${" + found[1] + "}"

        return _PARAMETER.sub(value, text) if "<<" in text else text


def read_circleci(path: str, data: bytes, getter: Getter) -> tuple[Workflow, ...]:
    """One workflow for each entry of `workflows:` that is not empty.

    An unreadable file is one workflow without jobs.
    """
    del getter  # a configuration names no other files
    root = root_map(data, path)
    if isinstance(root, Unreadable):
        return broken("circleci", root)
    context = _Context(path, root, _defaults(root.get("parameters"), "pipeline.parameters."))
    found: list[Workflow] = []
    workflows = root.get("workflows")
    for name, node in workflows.items() if workflows is not None else ():
        if node.kind == "map":
            found.append(_workflow(name, node, root.line_of("workflows", name), context))
    if not found:
        found.append(_without_workflows(context))
    if path.count("/") > 1:
        reason = "CircleCI reads .circleci at the repository's root only"
        found = [replace(workflow, disabled=reason) for workflow in found]
    return tuple(found)


def _without_workflows(context: _Context) -> Workflow:
    """Older files run the job `build` on every push."""
    span = Span(context.path, context.root.line_of("jobs"))
    node = context.root.get("jobs", "build")
    jobs = (_job("build", "build", Node("map", span.line or 1), context),) if node else ()
    trigger = Trigger(TriggerKind.PUSH, span)
    off = "" if jobs else "no workflows and no job `build`"
    return Workflow("circleci", context.path, context.path, span, (trigger,), jobs, disabled=off)


def _workflow(name: str, node: Node, line: int, context: _Context) -> Workflow:
    span = Span(context.path, line)
    triggers = _triggers(node, span)
    jobs: list[Job] = []
    listed = node.get("jobs")
    for item in listed.many() if listed is not None else ():
        if item.kind == "scalar":
            jobs.append(_job(item.text, item.text, Node("map", item.line), context))
        for key, inner in item.items():
            jobs.append(
                _job(inner.str_at("name") or key, key, replace(inner, line=item.line), context)
            )
    off = "" if jobs else "no jobs"
    condition = node.get("when")
    if condition is not None and condition.kind == "scalar" and evaluate(condition.text) is False:
        off = "`when: false`"
    if (never := node.get("unless")) is not None and evaluate(never.text) is True:
        off = "`unless: true`"
    reaching = tuple(_reached(job, triggers) for job in jobs)
    triggers, reaching = _with_tags(triggers, reaching)
    return Workflow("circleci", context.path, name, span, triggers, reaching, disabled=off)


def _with_tags(
    triggers: tuple[Trigger, ...], jobs: tuple[Job, ...]
) -> tuple[tuple[Trigger, ...], tuple[Job, ...]]:
    """A tag starts a workflow for those of its jobs alone whose filters name tags."""
    tags = tuple(t for job in jobs for t in job.triggers if t.kind is TriggerKind.TAG)
    if not tags:
        return triggers, jobs
    rest = tuple(job if job.triggers else replace(job, triggers=triggers) for job in jobs)
    return (*triggers, *dict.fromkeys(tags)), rest


def _triggers(node: Node, span: Span) -> tuple[Trigger, ...]:
    listed = node.get("triggers")
    found: list[Trigger] = []
    for item in listed.many() if listed is not None else ():
        schedule = item.get("schedule")
        if schedule is not None and schedule.str_at("cron"):
            here = Span(span.path, schedule.line_of("cron"))
            only, ignored = _filter(schedule, "branches")
            cron = schedule.str_at("cron")
            found.append(Trigger(TriggerKind.SCHEDULE, here, only, ignored, cron=cron))
    return tuple(found) or (Trigger(TriggerKind.PUSH, span),)


def _filter(node: Node, kind: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return node.strings_at("filters", kind, "only"), node.strings_at("filters", kind, "ignore")


def _reached(job: Job, triggers: tuple[Trigger, ...]) -> Job:
    """A job's own filters narrow the workflow's push; a schedule has none."""
    if not job.triggers or not any(t.kind is TriggerKind.PUSH for t in triggers):
        return replace(job, triggers=())
    return job


def _own_triggers(node: Node, span: Span) -> tuple[Trigger, ...]:
    only, ignored = _filter(node, "branches")
    tags, _ = _filter(node, "tags")
    found: list[Trigger] = []
    nothing = ignored in (("/.*/",), ("/^.*$/",), ("/.+/",)) and not only
    if (only or ignored) and not nothing:
        found.append(Trigger(TriggerKind.PUSH, span, only, ignored))
    if tags:
        found.append(Trigger(TriggerKind.TAG, span, tags=tags))
        if not only and not ignored:
            found.append(Trigger(TriggerKind.PUSH, span))
    return tuple(found)


def _job(name: str, key: str, call: Node, context: _Context) -> Job:
    span = Span(context.path, call.line)
    requires = call.get("requires")
    needs = tuple(n.text or next(iter(n.entries), "") for n in requires.many()) if requires else ()
    approval = call.str_at("type") == "approval"
    node = context.root.get("jobs", key)
    triggers = _own_triggers(call, span)
    if node is None or approval:
        uses = (Step(span, uses=key, inputs=texts(call)),) if "/" in key else ()
        return Job(name, span, uses, needs, manual=approval, inputs=texts(call), triggers=triggers)
    context = replace(
        context,
        parameters={
            **context.parameters,
            **_defaults(node.get("parameters")),
            **dict(call.items()),
        },
    )
    executor = _executor(node, context)
    env = {
        **texts(executor.get("environment") if executor else None),
        **texts(node.get("environment")),
    }
    context = replace(
        context,
        cwd=_cwd(node.str_at("working_directory"), _root(node)),
        env={key: context.text(value) for key, value in env.items()},
        shell=node.str_at("shell"),
    )
    steps = node.get("steps")
    return Job(
        name,
        Span(context.path, context.root.line_of("jobs", key)),
        tuple(_steps(steps, context)),
        needs,
        image=_image(node, context) or (_image(executor, context) if executor else ""),
        inputs=texts(call),
        env=dict(context.env),
        triggers=triggers,
    )


def _cwd(folder: str, root: str = "") -> str:
    """`~/project` and absolute folders are where the repository itself is checked out.

    `root` is where a `checkout` step says that it puts the repository: below it the folder counts.
    """
    root = root.rstrip("/")
    if root and folder.startswith(f"{root}/"):
        return joined("", folder.removeprefix(f"{root}/"))
    return "" if folder.startswith(("~", "/")) else joined("", folder)


def _root(job: Node) -> str:
    """The folder into which a job checks out the repository, where its step names one."""
    steps = job.get("steps")
    for step in steps.list() if steps is not None else ():
        if path := step.str_at("checkout", "path"):
            return path
    return ""


def _defaults(node: Node | None, prefix: str = "") -> dict[str, Node]:
    if node is None:
        return {}
    found = {prefix + name: value.get("default") for name, value in node.items()}
    return {name: value for name, value in found.items() if value is not None}


def _executor(node: Node, context: _Context) -> Node | None:
    executor = node.get("executor")
    if executor is None:
        return None
    return context.root.get("executors", context.text(executor.text or executor.str_at("name")))


def _image(node: Node, context: _Context) -> str:
    docker = node.get("docker")
    first = next(iter(docker.list()), None) if docker is not None else None
    return (
        context.text(first.str_at("image"))
        if first is not None
        else node.str_at("machine", "image")
    )


def _steps(node: Node | None, context: _Context) -> Iterator[Step]:
    for item in node.list() if node is not None else ():
        context.budget[0] -= 1
        if context.budget[0] <= 0:
            return
        if item.kind == "scalar":
            parameter = _PARAMETER.fullmatch(item.text.strip())
            given = (
                context.parameters.get(parameter[1].removeprefix("parameters."))
                if parameter
                else None
            )
            if given is not None and context.depth < MAX_DEPTH:
                yield from _steps(given, replace(context, depth=context.depth + 1))
            else:
                yield _called(item.text, Node("map", item.line), item.line, context)
        for key, inner in item.items():
            yield from _keyed(key, inner, item.line_of(key), context)


def _keyed(key: str, node: Node, line: int, context: _Context) -> Iterator[Step]:
    if key == "run":
        yield _run(node, line, context)
    elif key in ("when", "unless"):
        condition = node.get("condition")
        constant = evaluate(context.text(condition.text)) if condition is not None else None
        off = constant is False if key == "when" else constant is True
        for step in _steps(node.get("steps"), replace(context, depth=context.depth + 1)):
            yield replace(step, disabled=f"`{key}` never holds") if off else step
    else:
        yield _called(key, node, line, context)


def _called(name: str, node: Node, line: int, context: _Context) -> Step:
    """A built-in step, an orb's command, or a command of this file with its steps below it."""
    span = Span(context.path, line)
    inputs = {key: context.text(text) for key, text in texts(node).items()}
    command = context.root.get("commands", name)
    if command is None or context.depth >= MAX_DEPTH:
        return Step(span, uses=name, inputs=inputs)
    given = {key: replace(value, text=context.text(value.text)) for key, value in node.items()}
    inner = replace(
        context,
        parameters={**_defaults(command.get("parameters")), **given},
        depth=context.depth + 1,
    )
    steps = tuple(_steps(command.get("steps"), inner))
    return Step(span, uses=name, inputs=inputs, local=context.path, steps=steps)


def _run(node: Node, line: int, context: _Context) -> Step:
    text = node if node.kind == "scalar" else node.get("command")
    env = texts(node.get("environment"))
    shell = node.str_at("shell") or context.shell
    folder = node.str_at("working_directory")
    script = Script(
        context.path,
        _cwd(context.text(folder)) if folder else context.cwd,
        # CircleCI's default is `bash -eo pipefail`.
        errexit=not shell or "e" in "".join(w for w in shell.split()[1:] if w.startswith("-")),
        pipefail=not shell or "pipefail" in shell,
        literal={**context.env, **env},
    )
    found = script.parse(context.text(text.text), text.text_line or text.line) if text else ()
    when = node.str_at("when")
    background = node.str_at("background") == "true"
    return Step(
        Span(context.path, line),
        node.str_at("name"),
        text.text if text is not None else "",
        found,
        env=env,
        condition=when,
        soft=background,
        why_soft="background: true" if background else "",
        cwd=script.cwd,
    )
