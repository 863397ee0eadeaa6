"""Alerts: what sends a message, what decides whether it is sent, and what the message names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_audit.facts.code import Call, Guard, Module
from mlops_audit.facts.resources import Resource
from mlops_audit.graph.called import is_called
from mlops_audit.graph.dataconditions import EXITS
from mlops_audit.graph.memo import once
from mlops_audit.graph.settings import settings
from mlops_audit.graph.sightings import sightings
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["Alert", "alerts", "stopping_monitors"]

_POSTS = frozenset(
    {"requests.post", "httpx.post", "urllib.request.urlopen", "aiohttp.ClientSession.post"}
)
_WEBHOOK = regex(
    r"slack|discord|teams|webhook_?url|pagerduty|opsgenie|telegram|mattermost|incoming",
    re.IGNORECASE,
)
_RESULT = regex(
    r"drift|decay|degrad|thresh|metric|rmse|\bmae\b|mape|accura|\bauc\b|f1|score|error_?rate|latenc|"
    r"anomal|fail|passed|alert|quality|\bpsi\b|p_?value|share|shift|missing|violat|status|>|<",
    re.IGNORECASE,
)
_SETTING = regex(
    r"webhook|token|url|enabled?|recipient|email|notify|slack|debug|verbose|is None", re.IGNORECASE
)
_FINISHED = regex(r"finish|complet|\bdone\b|success|started|ready", re.IGNORECASE)
_MONITOR_PATH = regex(r"monitor|drift|watch|alert|observ", re.IGNORECASE)
_BREACH = regex(
    r"drift|decay|degrad|thresh|metric|rmse|\bmae\b|accura|\bauc\b|passed|p_?value|anomal|alert",
    re.IGNORECASE,
)
_OWN_HOSTS = ("//localhost", "//127.0.0.1", "//0.0.0.0")
_CALLBACKS = frozenset({"on_failure_callback", "sla_miss_callback", "on_failure"})
_ON_FAILURE = regex(r"(email|webhook)_notifications\.on_failure")


class Alert(Struct, frozen=True):
    """Something that tells people.

    `decided` says that a threshold or result decides whether it is sent; `named` that the message
    holds a value; `finished` that it only tells that a job has ended. `where` is `code`, `ci`,
    `infrastructure`, `rules`, `unloaded` (rules that no server takes) or `notebook`.
    """

    evidence: Evidence
    where: str
    decided: bool = True
    named: bool = True
    finished: bool = False


# Metrics that a cloud or its agent sends by itself.
_OF_A_PLATFORM = regex(r"/?AWS/|CWAgent|ContainerInsights|LambdaInsights|ECS/", re.IGNORECASE)
_SENDERS = (
    ".py", ".ipynb", ".sh", ".ts", ".js", ".tf", ".yml", ".yaml", ".json", ".go", ".java", ".scala",
)  # fmt: skip


@once
def alerts(project: Project) -> tuple[Alert, ...]:
    """All alerts, those that a result decides first."""
    found = [*_declared(project), *_rules(project), *_sent(project), *_posted(project)]
    found += _job_failures(project)
    return tuple(
        sorted(
            dict.fromkeys(found),
            key=lambda a: (a.where == "notebook", not a.decided, not a.named, str(a.evidence.span)),
        )
    )


def _declared(project: Project) -> Iterator[Alert]:
    """Alarms in infrastructure."""
    for item in sightings(project, "alert.send"):
        if item.where == "resource":
            silent = item.resource is not None and _is_silent(project, item.resource)
            yield Alert(item.evidence, "silent" if silent else "infrastructure", not silent)


def _is_silent(project: Project, resource: Resource) -> bool:
    """Whether an alarm watches a metric of the project's own that nothing here sends."""
    name = _written(resource, "metric_name", "MetricName")
    space = _written(resource, "namespace", "Namespace")
    if not name or not space or _OF_A_PLATFORM.match(space):
        return False
    told = {p for p in project.paths if p.endswith(_SENDERS)}
    said = sum((project.text(p) or "").count(name) for p in sorted(told))
    alarms = [r for r in project.resources if _written(r, "metric_name", "MetricName") == name]
    return said <= len(alarms)


def _written(resource: Resource, *keys: str) -> str:
    """The text under the first key that is there, where it is written out."""
    given = next((n for k in keys if (n := resource.node.get(k)) is not None), None)
    if given is None or given.kind != "scalar" or given.tag or "$" in given.text:
        return ""
    return given.text


def _rules(project: Project) -> Iterator[Alert]:
    """Prometheus rules with an expression, and Grafana's alert rules."""
    known = settings(project)
    expressions = {(s.span.path, s.key.rpartition(".")[0]) for s in known if s.name == "expr"}
    for item in known:
        holder = item.key.rpartition(".")[0]
        rule = item.name == "alert" and (item.span.path, holder) in expressions
        if rule and not _is_loaded(project, item.span.path, item.key):
            yield Alert(item.evidence(), "unloaded", decided=False)
        elif rule or (item.name == "title" and holder.endswith("groups.rules")):
            yield Alert(item.evidence(), "rules")


@once
def _loaded_rules(project: Project) -> tuple[str, ...] | None:
    """What the Prometheus servers configured here take for rules; None where none is configured."""
    known = settings(project)
    servers = {s.span.path for s in known if s.key.startswith("scrape_configs.")}
    if not servers:
        return None
    return tuple(
        str(s.value) for s in known if s.span.path in servers and s.key.startswith("rule_files")
    )


def _is_loaded(project: Project, path: str, key: str) -> bool:
    """Whether a server takes a file of rules; Kubernetes brings its own kind to the server."""
    loaded = None if key.startswith("spec.") else _loaded_rules(project)
    bare = key.startswith(("groups.", "rules."))
    if loaded is None or not bare:
        return True
    name = path.rsplit("/", 1)[-1]
    return any("$" in p or fnmatchcase(name, p.rsplit("/", 1)[-1]) for p in loaded)


def _sent(project: Project) -> Iterator[Alert]:
    for item in sightings(project, "alert.send"):
        use = item.use
        if use is None:
            continue
        if use.call is not None:
            yield _of_call(project, project.modules[use.path], use.call, item.evidence)
        elif item.where in {"action", "command"}:
            monitors = bool(_MONITOR_PATH.search(f"{item.path} {item.evidence.detail}"))
            yield Alert(
                item.evidence, "code" if monitors else "ci", decided=monitors, named=monitors
            )


def _posted(project: Project) -> Iterator[Alert]:
    """Messages posted to a webhook without a library for it."""
    for module in project.own_code:
        if project.is_example(module.path):
            continue
        for call in module.calls:
            if call.name in _POSTS and call.runs and is_called(project, module.path, call.scope):
                words = f"{call.text[:300]} {call.scope}"
                if _WEBHOOK.search(words) and not _to_itself(call):
                    yield _of_call(project, module, call, Evidence(call.span, call.text))


def _to_itself(call: Call) -> bool:
    """Whether a request goes to this machine: a bot asks its service, and tells nobody."""
    address = call.arg(0, "url")
    given = address.literal if address is not None else None
    return isinstance(given, str) and any(host in given for host in _OWN_HOSTS)


def _of_call(project: Project, module: Module, call: Call, evidence: Evidence) -> Alert:
    around = [*call.guards]
    texts = [call.text[:400]]
    name = call.scope.rsplit(".", 1)[-1]
    if call.scope and not _results(around):
        for caller, guards in _callers(project, name):
            around += guards
            texts.append(caller)
    message = " ".join(texts)
    finished = bool(_FINISHED.search(message)) and not _results(around)
    return Alert(
        evidence,
        "notebook" if module.notebook else "code",
        decided=_results(around) or "AlertConfig" in call.text,
        named="{" in message or "%" in message or ".format(" in message or "+" in message
        or "AlertConfig" in call.text,
        finished=finished,
    )  # fmt: skip


def _callers(project: Project, name: str, hops: int = 2) -> Iterator[tuple[str, tuple[Guard, ...]]]:
    """The calls of a function, with what stands around them, and those of its callers."""
    for module in project.own_code:
        for call in module.calls:
            handed = any(v.text == name for v in (*call.args, *(v for _, v in call.kwargs)))
            if call.method == name or handed:
                yield call.text[:300], call.guards
                if hops > 1 and call.scope and not call.guards:
                    yield from _callers(project, call.scope.rsplit(".", 1)[-1], hops - 1)


def _results(guards: list[Guard]) -> bool:
    """Whether a condition is one on a result, rather than on a setting of the channel."""
    return any(_RESULT.search(g.text) and not _only_setting(g.text) for g in guards)


def _only_setting(text: str) -> bool:
    return bool(_SETTING.search(text)) and not re.search(
        r"drift|thresh|metric|score|rmse|accura|anomal|degrad|quality|fail|<|>", text, re.IGNORECASE
    )


def _job_failures(project: Project) -> Iterator[Alert]:
    """Mails and callbacks of an orchestrator when a task fails."""
    for module in project.own_code:
        given = [
            (a.span, k.strip("\"'"), v)
            for a in module.assigns
            for k, v in zip(a.value.keys, a.value.items, strict=False)
        ]
        given += [(c.span, k, v) for c in module.calls for k, v in c.kwargs]
        for span, key, value in given:
            callback = key in _CALLBACKS and value.text not in {"None", "[]"}
            if callback or (key == "email_on_failure" and value.literal is True):
                yield _of_job(Evidence(span, f"{key}: {value.text}"))
    for item in settings(project):
        if _ON_FAILURE.search(item.key) and item.value:
            yield _of_job(item.evidence())


def _of_job(evidence: Evidence) -> Alert:
    return Alert(evidence, "code", decided=True, named=False)


# What is wrong with the code or its call, whatever the figures are.
_OF_CODE = frozenset({"NotImplementedError", "TypeError", "KeyError", "ImportError"})


@once
def stopping_monitors(project: Project) -> tuple[Evidence, ...]:
    """Thresholds in monitoring code that fail the job."""
    found: list[Evidence] = []
    for module in project.source:
        if not _MONITOR_PATH.search(module.path):
            continue
        found += [
            Evidence(r.span, r.text or r.name)
            for r in module.raises
            if _breached(r.guards) and r.name not in _OF_CODE
        ]
        found += [
            Evidence(c.span, c.text)
            for c in module.calls
            if c.name in EXITS and _breached(c.guards)
        ]
    return tuple(found)


def _breached(guards: tuple[Guard, ...]) -> bool:
    """Whether a condition says that a monitored figure is bad."""
    return any(_BREACH.search(g.text) for g in guards)
