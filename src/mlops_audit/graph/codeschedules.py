"""Training that a schedule or sensor in code starts: Airflow, Prefect, Dagster, SDKs of clouds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Call, Module
from mlops_audit.graph.lifecycle import TRAIN
from mlops_audit.graph.scopes import Scope, processes, scopes, scopes_from, uses_of
from mlops_audit.graph.trained import Start, is_kept, is_saved, trains_in
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["DATA_EVENT", "starts_of_calls"]

# A cloud's event that says new data has come, in code, configuration or deployment commands.
DATA_EVENT = regex(
    r"s3:ObjectCreated|Object Created|storage\.object|object\.finalize|blobTrigger|blob_trigger|"
    r"BlobCreated|--trigger-bucket|--trigger-resource|path_on_datastore|aws_s3_bucket_notification|"
    r"S3KeySensor|FileSensor|GCSObject\w*Sensor|WasbBlobSensor|asset_sensor|multi_asset_sensor|"
    r"S3EventSource|s3_event|HdfsSensor|Dataset\(|S3PrefixSensor|SqlSensor|BigQueryTable\w*Sensor",
)
# What an event is called that says the same, where a project names its events itself.
_DATA_NAME = regex(
    r"data|(?<![a-z])(s3|gcs|blob|bucket|file|table|ingest\w*|upload\w*|etl)(?![a-z])"
)
_FITS_EACH = frozenset({"cross_val_score", "cross_validate", "cv", "cross_validation"})
_SWITCHED_OFF = (
    "is_paused_upon_creation=True", "paused=True", "active=False", "is_schedule_active=False",
    "enabled=False", "DefaultScheduleStatus.STOPPED", "State=DISABLED", "is_enabled=False",
)  # fmt: skip
# Tools that store what each step of each run returns.
_KEEPS_OUTPUTS = frozenset({"Dagster", "Flyte", "Metaflow", "ZenML"})
_NO_SCHEDULE = frozenset({"None", "'@once'", '"@once"', "'None'"})


def starts_of_calls(project: Project) -> Iterator[Start]:
    """Every call that schedules training, and Airflow's default schedule."""
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
    trained, beside = trains_in(project, code), False
    if trained is None:
        trained, beside = _by_process(project, code)
    if trained is None:
        trained = _cross_validates(project, code) or _by_pipeline(project, use)
    if trained is None:
        return
    kind = _kind(call)
    disabled = _paused(call)
    kept = use.tool in _KEEPS_OUTPUTS or is_saved(project, code) or not code or beside
    yield Start(kind, use.evidence(), trained, kept, disabled)


def _kind(call: Call) -> str:
    """Whether time, new data or some other event starts what a call schedules."""
    if DATA_EVENT.search(call.text):
        return "data"
    if not call.name.startswith("metaflow.trigger"):
        return "schedule"
    return "data" if _DATA_NAME.search(call.text.partition("(")[2]) else "event"


def _cross_validates(project: Project, code: Iterable[Scope]) -> Evidence | None:
    """Where code fits and compares models by cross-validation, and nowhere else."""
    for use in uses_of(project, code):
        call = use.call if use.capability == "evaluate.cross_validate" else None
        if call is not None and call.method in _FITS_EACH:
            return Evidence(call.span, f"trains: {call.told}")
    return None


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
    kind = "data" if DATA_EVENT.search(value.text) else "schedule"
    if value.text in _NO_SCHEDULE:  # somebody triggers it in Airflow's page
        kind = "manual"
    yield Start(kind, use.evidence(), trained, disabled=_paused(call))


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
    return _by_process(project, scopes(project, [Scope(path, call.decorates or call.scope)]))[0]


def _by_process(project: Project, code: Iterable[Scope]) -> tuple[Evidence | None, bool]:
    """Where a process trains that code starts: a stage of another tool's pipeline, a program.

    The second value says whether what it trains is stored.
    """
    started, others = scopes_from(project, processes(project, code))
    trained = trains_in(project, started, others)
    kept = trained is not None and (is_kept(project, started, others) or is_saved(project, started))
    return trained, kept


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
            if use.call is not None and use.call.decorates:  # it starts what it stands over
                steps = tuple(s for s in steps if s.evidence.span.path == use.path)
            if steps and not re.search(r"batch|scor|predict|infer|monitor", use.path.lower()):
                return steps[0].evidence
    return None


def _paused(call: Call) -> str:
    text = call.text.replace(" ", "")
    for word in _SWITCHED_OFF:
        if word in text:
            return f"it is switched off ({word})"
    return ""
