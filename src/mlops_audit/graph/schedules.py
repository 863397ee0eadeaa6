"""What starts training: schedules, events, new data, signals, changes and people.

A `Start` is one way in which training begins, with what starts it and where it trains. Schedules
that are paused or disabled are kept, with the reason, so that a practice can name them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Call, Function, Module
from mlops_audit.facts.nodes import Node as DataNode
from mlops_audit.facts.shell import parse_shell
from mlops_audit.facts.types import Trigger, TriggerKind
from mlops_audit.graph.execution import Node, Reach
from mlops_audit.graph.lifecycle import TRAIN, named_parts
from mlops_audit.graph.nodes import started
from mlops_audit.graph.scopes import Scope, calls_of, commands_of, scopes, scopes_from, uses_of
from mlops_audit.graph.training import is_training, trains_here
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence, Span

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["DATA_EVENT", "Start", "starts_of_training", "trains_in"]

# A cloud's event that says new data has come, in code, configuration or deployment commands.
DATA_EVENT = re.compile(
    r"s3:ObjectCreated|Object Created|storage\.object|object\.finalize|blobTrigger|blob_trigger|"
    r"BlobCreated|--trigger-bucket|--trigger-resource|path_on_datastore|aws_s3_bucket_notification|"
    r"S3KeySensor|FileSensor|GCSObject\w*Sensor|WasbBlobSensor|asset_sensor|multi_asset_sensor|"
    r"S3EventSource|s3_event|HdfsSensor|Dataset\(|S3PrefixSensor|SqlSensor|BigQueryTable\w*Sensor",
)
_STORES = frozenset(
    {"registry.register", "registry.promote", "tracker.model", "tracker.artifacts",
     "tracker.autolog", "artifact.upload", "data.remote", "data.version", "model.push",
     "image.publish", "deploy.run", "evaluate.report", "pipeline.run", "release.automate",
     "tracker.metrics", "package.publish"}
)  # fmt: skip
_TRACKED = frozenset(
    {"tracker.model", "tracker.artifacts", "tracker.autolog", "tracker.metrics", "model.push",
     "registry.register", "registry.load", "data.version", "artifact.upload"}
)  # fmt: skip
_ADDRESS = re.compile(
    r"WANDB_API_KEY|MLFLOW_TRACKING|NEPTUNE_API|COMET_API|CLEARML|DAGSHUB|AWS_(SECRET|ROLE|ACCESS)|"
    r"AZURE|GOOGLE|GCP_|HF_TOKEN|HUGGING|configure-aws-credentials"
)
_PLATFORM = re.compile(
    r"(start_pipeline_execution|start_execution|create_run_from|run_deployment|PipelineJob|"
    r"create_training_job|trigger_dag|TriggerDagRun|RestAPITask|start_job_run)",
)
# Commands that carry files away; from a store to here is a download.
_UPLOADS = re.compile(
    r"git push|dvc push|\bscp\b|rsync|aws s3 (cp|sync|mv) (?!s3://)\S+ s3://|"
    r"az storage blob upload|(gsutil (-m )?|gcloud storage )(cp|rsync|mv) (-\w+ ){0,3}(?!gs://)\S+ gs://"
)
_DISPATCH = re.compile(
    r"/dispatches|/dagRuns|/create_flow_run|/jobs/run-now|/pipelines/.*runs|"
    r"launchPipelineExecution|launchRun\b"  # mutations of Dagster's GraphQL
)
_DATA_PATHS = re.compile(
    r"(^|/)(data|datasets?|raw|inputs?)(/|$)|\.dvc$|dvc\.lock$|\.(csv|parquet)$", re.IGNORECASE
)
_EVENT_PARAMS = ({"event", "context"}, {"cloud_event"}, {"event"}, {"myblob"}, {"event", "_"})
_SWITCHED_OFF = (
    "is_paused_upon_creation=True", "paused=True", "active=False", "is_schedule_active=False",
    "enabled=False", "DefaultScheduleStatus.STOPPED", "State=DISABLED", "is_enabled=False",
)  # fmt: skip
_NO_SCHEDULE = frozenset({"None", "'@once'", '"@once"', "'None'"})
_CRON_FILE = re.compile(
    r"(^|/)(crontab|cronjobs?|[\w-]*\.cron|[\w-]*crontab[\w.-]*)$|(^|/)cron\.d/"
)
_CRON_LINE = re.compile(r"^\s*(@\w+|(\S+\s+){5})(?P<command>\S.*)$")
_TRAIN_NAME = re.compile(r"(^|[^a-z])(re)?train|fine.?tun", re.IGNORECASE)
# A rule of EventBridge that listens to an alarm, and one that runs a pipeline of SageMaker.
_ALARM = "CloudWatch Alarm State Change"
_RUNS_PIPELINE = re.compile(
    r"sagemaker[_:-]?pipeline|:pipeline/|StartPipelineExecution", re.IGNORECASE
)
_KINDS = ("schedule", "data", "event", "signal", "workflow", "route", "push", "manual",
          "pull_request")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Start:
    """One way in which training begins.

    `kind` is one of schedule, data, event, signal (an alarm), route (an HTTP request), push,
    manual, pull_request. `starts` is what begins it, `trains` where the model is fitted.
    `disabled` says why it never happens; `kept` that the model is stored, compared or published;
    `default` that the tool's own default schedule stands for a configured one.
    """

    kind: str
    starts: Evidence
    trains: Evidence
    kept: bool = True
    disabled: str = ""
    default: bool = False


def starts_of_training(project: Project) -> tuple[Start, ...]:
    """All ways in which training begins, the most automatic first."""
    found = [
        *_of_ci(project),
        *_of_calls(project),
        *_of_commands(project),
        *_of_files(project),
        *_of_resources(project),
        *_of_handlers(project),
    ]
    return tuple(
        sorted(
            dict.fromkeys(found),
            key=lambda s: (
                bool(s.disabled),
                not s.kept,
                s.default,
                _KINDS.index(s.kind),
                str(s.starts.span),
            ),
        )
    )


# -- what trains ----------------------------------------------------------------------------


def trains_in(
    project: Project, code: Iterable[Scope], nodes: Iterable[Node] = ()
) -> Evidence | None:
    """Where code or commands train, themselves or by starting a training pipeline."""
    wanted = tuple(code)
    trained = trains_here(project, wanted)
    if trained:
        call = trained[0][1]
        return Evidence(call.span, f"trains: {_line(call)}")
    uses = [*uses_of(project, wanted), *commands_of(project, nodes)]
    for use in uses:
        if is_training(use):
            return use.evidence()
    for use in uses:
        if use.capability in {"pipeline.run", "notebook.execute"} and _pipeline_trains(
            project, use
        ):
            return use.evidence()
    for module, call in calls_of(project, wanted):
        told = call.text
        if call.method == "post":  # the request's body is often made up before
            told += "".join(
                a.value.literal
                for a in module.assigns
                if a.scope == call.scope
                and isinstance(a.value.literal, str)
                and any(t in call.text for t in a.targets)
            )
        if (
            (_DISPATCH.search(told) or _PLATFORM.search(call.name))
            and (_TRAIN_NAME.search(told) or _PLATFORM.search(call.name))
            and _has_training_pipeline(project)
        ):
            return Evidence(call.span, _line(call))
    return None


def _pipeline_trains(project: Project, use: Use) -> bool:
    """Whether the pipeline that is run trains; where it is not known, by the project's own."""
    if use.capability == "notebook.execute":
        return bool(_TRAIN_NAME.search(use.detail))
    return _has_training_pipeline(project) and not re.search(
        r"score|scoring|predict|inference|deploy|test_", use.path, re.IGNORECASE
    )


def _has_training_pipeline(project: Project) -> bool:
    return any(p.with_part(TRAIN) for p in project.pipelines if p.dag)


def _kept(
    project: Project, code: Iterable[Scope], nodes: Iterable[Node] = (), *, tracked: bool = True
) -> bool:
    """Whether what trains also stores, compares or publishes beyond the machine it runs on.

    A tracker without its address writes beside the program: it does not count unless `tracked`.
    """
    wanted = tuple(code)
    nodes = tuple(nodes)
    for use in (*uses_of(project, wanted), *commands_of(project, nodes)):
        kept = use.capability in _STORES or use.capability.startswith("registry.")
        if kept and (tracked or use.capability not in _TRACKED):
            return True
    for node in nodes:
        if node.kind == "action" and any(
            m.capability in _STORES for m in project.catalogue.action(node.key[-1])
        ):
            return True
        if node.kind == "command":
            text = " ".join(node.payload[0].argv)
            if _UPLOADS.search(text):
                return True
    return any(_PLATFORM.search(c.name) for _, c in calls_of(project, wanted))


def _saved(project: Project, code: Iterable[Scope]) -> bool:
    """Whether a long-lived worker that trains writes the model anywhere."""
    wanted = tuple(code)
    if not trains_here(project, wanted):  # what it starts elsewhere keeps its own model
        return any(u.capability in _STORES for m in project.source for u in project.uses_in(m.path))
    return (
        _kept(project, wanted)
        or any(u.capability == "model.save" for u in uses_of(project, wanted))
        or any(
            re.search(r"save|dump|upload|register|log_model", c.method)
            for _, c in calls_of(project, wanted)
        )
    )


def _line(call: Call) -> str:
    return call.text.splitlines()[0][:90] if call.text else call.name


# -- CI ---------------------------------------------------------------------------------------


def _of_ci(project: Project) -> Iterator[Start]:
    for workflow in project.workflows:
        if workflow.reusable:
            continue
        for trigger in workflow.triggers:
            kind = _ci_kind(project, trigger)
            if not kind:
                continue
            reach = project.graph.reach([project.nodes.trigger(workflow, trigger)])
            tracked = bool(_ADDRESS.search(project.text(workflow.path) or ""))
            found = _trained_in(project, reach, tracked=tracked)
            if found is None:
                continue
            evidence, kept = found
            live, why = project.trigger_is_live(trigger)
            dead = workflow.disabled or trigger.disabled or ("" if live else why)
            name = workflow.name or workflow.path
            what = {"data": "new data", "signal": "an alarm"}.get(kind, "")
            event = trigger.kind is TriggerKind.EVENT and what
            cause = f"on {what}" if event else f"{started(trigger)} {trigger.cron}"
            detail = f"{name}: {cause}".strip()
            yield Start(kind, Evidence(trigger.span, detail), evidence, kept, dead)


def _ci_kind(project: Project, trigger: Trigger) -> str:
    if trigger.kind is TriggerKind.WORKFLOW:
        after = [w for w in project.workflows if w.name in trigger.after]
        kinds = {
            _ci_kind(project, t)
            for w in after
            for t in w.triggers
            if t.kind is not TriggerKind.WORKFLOW
        }
        return next((k for k in _KINDS if k in kinds), "push")
    if trigger.kind in {TriggerKind.PUSH, TriggerKind.EXTERNAL, TriggerKind.TAG}:
        data = trigger.paths and all(
            _DATA_PATHS.search(p.rstrip("*/")) or _DATA_PATHS.search(p) for p in trigger.paths
        )
        return "data" if data else "push"
    if trigger.kind is TriggerKind.EVENT and trigger.types in {("data",), ("alarm",)}:
        return "data" if trigger.types == ("data",) else "signal"
    return {
        TriggerKind.SCHEDULE: "schedule",
        TriggerKind.EVENT: "event",
        TriggerKind.RELEASE: "push",
        TriggerKind.MANUAL: "manual",
        TriggerKind.PULL_REQUEST: "pull_request",
    }.get(trigger.kind, "")


def _trained_in(project: Project, reach: Reach, *, tracked: bool) -> tuple[Evidence, bool] | None:
    """Where CI trains outside its tests, and whether the model is kept."""
    nodes = [w.node for w in reach.ways.values() if not _through_tests(project, w.nodes())]
    others = [n for n in nodes if n.kind in {"command", "action"}]
    for node in others:
        for use in project.uses_at(reach.ways[node]):
            if is_training(use) or (
                use.capability == "pipeline.run" and _pipeline_trains(project, use)
            ):
                evidence = reach.ways[node].evidence(use.detail, use.span)
                remote = use.capability == "pipeline.run" and _remote(use)
                return evidence, remote or _kept(
                    project, _code(project, nodes), others, tracked=tracked
                )
    for node in nodes:
        previous = reach.ways[node].previous
        if node.kind in {"module", "notebook"} and previous and previous.node.kind != "module":
            code = scopes(project, [Scope(node.key[0])])
            trained = trains_in(project, code)
            if trained:
                way = reach.ways[node]
                evidence = Evidence(trained.span, trained.detail, (*way.chain(),))
                return evidence, _kept(project, code, others, tracked=tracked)
    return None


def _remote(use: Use) -> bool:
    """Whether the run lives on a platform that keeps what it makes."""
    return use.where == "action" or bool(_PLATFORM.search(use.detail))


def _code(project: Project, nodes: Iterable[Node]) -> tuple[Scope, ...]:
    modules = [Scope(n.key[0]) for n in nodes if n.kind in {"module", "notebook"}]
    return scopes(project, modules)


def _through_tests(project: Project, nodes: tuple[Node, ...]) -> bool:
    return any(n.kind == "tests" or project.is_test(n.span.path) for n in nodes)


# -- schedules in code --------------------------------------------------------------------------


def _of_calls(project: Project) -> Iterator[Start]:
    for use in project.uses("pipeline.schedule", notebook=False):
        if use.call is not None and not project.is_example(use.path):
            yield from _of_call(project, use, use.call)
    for use in project.uses("pipeline.define", notebook=False):
        # Airflow's DAG without any schedule runs daily by default up to version 2.
        if use.call and use.tool == "Apache Airflow" and not _has_schedule(use.call):
            trained = _in_dag(project, use.path, use.call)
            if trained:
                yield Start("schedule", use.evidence(), trained, default=True)


def _has_schedule(call: Call) -> bool:
    keys = {"schedule", "schedule_interval", "timetable", "**"}
    return any(k in keys for k, _ in call.kwargs)


def _of_call(project: Project, use: Use, call: Call) -> Iterator[Start]:
    if use.tool == "Apache Airflow":
        yield from _airflow(project, use, call)
        return
    roots = list(_scheduled(project, use.path, call))
    code = scopes(project, roots)
    trained = trains_in(project, code)
    if trained is None:
        trained = _by_pipeline(project, use)
    if trained is None:
        return
    kind = "data" if DATA_EVENT.search(call.text) else "schedule"
    disabled = _paused(call)
    yield Start(kind, use.evidence(), trained, _saved(project, code) or not code, disabled)


def _airflow(project: Project, use: Use, call: Call) -> Iterator[Start]:
    if "Sensor" in call.method:
        trained = _in_dag(project, use.path, call)
        if trained and DATA_EVENT.search(call.text):
            yield Start("data", use.evidence(), trained)
        return
    value = call.kw("schedule") or call.kw("schedule_interval") or call.kw("timetable")
    trained = _in_dag(project, use.path, call)
    if value is None or trained is None:
        return
    disabled = "the schedule is None" if value.text in _NO_SCHEDULE else _paused(call)
    kind = "data" if DATA_EVENT.search(value.text) else "schedule"
    yield Start(kind, use.evidence(), trained, disabled=disabled)


def _in_dag(project: Project, path: str, call: Call) -> Evidence | None:
    """Where the steps of the DAG file, or of a DAG that it triggers, train."""
    paths = {path}
    module = project.modules[path]
    for other in module.calls:
        if other.method == "TriggerDagRunOperator":
            name = other.kw("trigger_dag_id")
            paths |= _dags_named(project, str(name.literal) if name else "")
    several = len([c for c in module.calls if c.method in {"DAG", "dag"}]) > 1
    for pipeline in project.pipelines:
        for step in pipeline.with_part(TRAIN):
            place = step.evidence.span
            own = not several or not call.decorates or _within(module, call, place)
            if pipeline.dag and place.path in paths and own:
                return step.evidence
    return None


def _within(module: Module, call: Call, place: Span) -> bool:
    function = module.function(call.decorates)
    return function is None or (function.span.line or 0) <= (place.line or 0) <= function.end_line


def _dags_named(project: Project, name: str) -> set[str]:
    return {
        m.path
        for m in project.source
        if name and any(c.method in {"DAG", "dag"} and name in c.text for c in m.calls)
    }


def _scheduled(project: Project, path: str, call: Call) -> Iterator[Scope]:
    """What a schedule starts: functions it is given, that it decorates, or that are near it."""
    module = project.modules[path]
    around = [c for c in module.calls if c is not call and _holds(c, call)]
    named = False
    for holder in (call, *around):
        for value in (*holder.args, *(v for _, v in holder.kwargs)):
            for name in [value.name, *(i.name for i in value.items)]:
                symbol = project.index.resolve(name, path) if name else None
                if symbol and symbol.kind != "module":
                    named = True
                    yield Scope(symbol.path, symbol.qualname)
        symbol = project.index.resolve(holder.name.rpartition(".")[0], path)
        if symbol and symbol.kind != "module":
            named = True
            yield Scope(symbol.path, symbol.qualname)
        if holder.decorates:
            named = True
            yield Scope(path, holder.decorates)
            for function in module.functions:
                if function.owner == holder.decorates:
                    yield Scope(path, function.qualname)
    if not named:
        yield Scope(path, call.scope)
        for item in module.functions:
            if any("flow" in d or "pipeline" in d for d in item.decorators):
                yield Scope(path, item.qualname)


def _holds(outer: Call, inner: Call) -> bool:
    """Whether a call is given the other as an argument, or uses the name that it is bound to."""
    if inner.text and inner.text in outer.text and outer.scope == inner.scope:
        return True
    texts = [v.text for v in (*outer.args, *(v for _, v in outer.kwargs))]
    return any(t in texts for t in inner.targets) or bool(
        set(inner.targets) & {outer.receiver.split(".")[0]}
    )


def _by_pipeline(project: Project, use: Use) -> Evidence | None:
    """The training step of the same tool's pipeline, where the schedule names a pipeline."""
    if not re.search(r"pipeline|flow|job|schedule", use.detail, re.IGNORECASE):
        return None
    for pipeline in project.pipelines:
        if pipeline.tool == use.tool and pipeline.dag:
            steps = pipeline.with_part(TRAIN)
            if steps and not re.search(r"batch|scor|predict|infer|monitor", use.path.lower()):
                return steps[0].evidence
    return None


def _paused(call: Call) -> str:
    text = call.text.replace(" ", "")
    for word in _SWITCHED_OFF:
        if word in text:
            return f"it is switched off ({word})"
    return ""


# -- schedules in commands, files and infrastructure ---------------------------------------------


def _of_commands(project: Project) -> Iterator[Start]:
    """`prefect deployment build train.py:flow --cron ...`, `gcloud scheduler jobs create ...`."""
    for use in project.uses("pipeline.schedule", notebook=False):
        command = use.command
        if command is None:
            continue
        for word in command.argv[1:]:
            name, _, function = word.partition(":")
            place = project.places.file(name) if name.endswith(".py") else None
            if place and place in project.modules:
                code = scopes(project, [Scope(place, function)])
                trained = trains_in(project, code)
                if trained:
                    yield Start("schedule", use.evidence(), trained, _saved(project, code))
        if _TRAIN_NAME.search(use.detail) and project.roles.training:
            yield Start("schedule", use.evidence(), use.evidence())


def _of_files(project: Project) -> Iterator[Start]:
    """Pipelines whose file holds a schedule, and crontabs."""
    for file in project.pipeline_files:
        if not file.schedule:
            continue
        for step in file.steps:
            nodes = [project.nodes.command(step.command, "")] if step.command else []
            code, others = scopes_from(project, nodes)
            trained = trains_in(project, code, others)
            if trained is None and named_parts(step.name) == {TRAIN}:
                trained = Evidence(step.span, f"step {step.name}")
            if trained:
                start = Evidence(file.span, f"{file.tool} {file.name}: {file.schedule}")
                yield Start(
                    "schedule", start, trained, disabled="it is paused" if file.paused else ""
                )
                break
    for path in project.paths:
        if not _CRON_FILE.search(path):
            continue
        for number, line in enumerate((project.text(path) or "").splitlines()[:500], 1):
            found = None if line.lstrip().startswith("#") else _CRON_LINE.match(line[:1000])
            if found:
                commands = parse_shell(found["command"], path=path, line=number)
                code, others = scopes_from(
                    project, [project.nodes.command(c, "") for c in commands]
                )
                trained = trains_in(project, code, others)
                if trained:
                    yield Start(
                        "schedule", Evidence(Span(path, number), line.strip()[:90]), trained
                    )


def _of_resources(project: Project) -> Iterator[Start]:
    """Cron jobs, rules and schedulers of infrastructure as code."""
    by_name = {(r.path, r.name): r for r in project.resources}
    for resource in project.resources:
        text = _texts(resource.node)
        event = bool(DATA_EVENT.search(text)) and re.search(
            r"Rule|Notification|Trigger|Function|notification|rule", resource.kind
        )
        alarm = _ALARM in text
        if not resource.schedule and not event and not alarm:
            continue
        near = [
            by_name[resource.path, n] for n in resource.references if (resource.path, n) in by_name
        ]
        told = " ".join([resource.name, text, *(f"{r.name} {_texts(r.node)}" for r in near)])
        commands = [
            c
            for container in resource.containers
            for c in parse_shell(
                " ".join((*container.command, *container.args)),
                path=resource.path,
                line=container.span.line or 1,
            )
        ]
        code, others = scopes_from(project, [project.nodes.command(c, "") for c in commands])
        trained = trains_in(project, code, others)
        named = _TRAIN_NAME.search(told) or (alarm and _RUNS_PIPELINE.search(told))
        if trained is None and named and project.roles.training:
            trained = Evidence(resource.span, f"{resource.kind} {resource.name} starts training")
        if trained:
            when = resource.schedule or ("an alarm" if alarm else "new data")
            start = Evidence(resource.span, f"{resource.kind} {resource.name}: {when}")
            kind = "schedule" if resource.schedule else "signal" if alarm else "data"
            yield Start(kind, start, trained, disabled=resource.disabled)


def _texts(node: DataNode) -> str:
    """All words of a resource, bounded."""
    found: list[str] = []
    stack = [node]
    while stack and len(found) < 400:  # noqa: PLR2004 -- a resource, not a whole file
        current = stack.pop()
        if current.kind == "scalar":
            found.append(current.text)
        else:
            for key, value in current.items():
                found.append(key)
                stack.append(value)
            stack.extend(current.list())
    return " ".join(found)


def _of_handlers(project: Project) -> Iterator[Start]:
    """Functions that a cloud calls on an event, and routes of a service, that start training."""
    for module in project.source:
        for function in module.functions:
            names = {p.name for p in function.params}
            events = names in _EVENT_PARAMS or any(
                re.search(
                    r"cloud_event|blob_trigger|timer_trigger|queue_trigger|event_grid|"
                    r"schedule_trigger",
                    d,
                )
                for d in function.decorators
            )
            routes = [
                c
                for c in module.calls
                if c.decorates == function.qualname
                and re.search(r"\.(get|post|put|route|api_route)$", c.name)
            ]
            if not events and not routes:
                continue
            code = scopes(project, [Scope(module.path, function.qualname)])
            trained = trains_in(project, code)
            if trained is None:
                continue
            kind = "route" if routes else _handled(project, module, function)
            if not kind:
                continue
            place = Evidence(function.span, f"{function.name}() is called by an event")
            if routes:
                place = Evidence(routes[0].span, f"a request starts it: {_line(routes[0])}")
            yield Start(kind, place, trained, _saved(project, code))


def _handled(project: Project, module: Module, function: Function) -> str:
    """What calls a function of a cloud, by what it reads of its event."""
    decorated = " ".join(function.decorators)
    if re.search(r"timer|schedule", decorated):
        return "schedule"
    lines = (project.text(module.path) or "").splitlines()
    text = "\n".join(lines[(function.span.line or 1) - 1 : function.end_line])
    if re.search(r"CodePipeline\.job|ResourceProperties|RequestType", "\n".join(lines)):
        return "push" if "CodePipeline.job" in "\n".join(lines) else ""
    if "blob" in decorated or re.search(r"\[.Records.\]|event\[.bucket.\]", text):
        return "data"
    if decorated or re.search(r"b64decode|\bmessage\b|cloud_event|pubsub|\[.detail.\]", text):
        return "event"
    return "route"
