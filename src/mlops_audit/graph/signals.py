"""Signals that start retraining: a branch on drift, on quality in use, or on new data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_audit.facts.code import Branch, Call, Module
from mlops_audit.graph.scopes import Scope, scopes
from mlops_audit.graph.trained import asks_to_train, trains_in
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["Signal", "find_signals"]

_SIGNAL = regex(
    r"drift|decay|degrad|deteriorat|(?<!p)retrain|re_train|new_?data|data_?changed|new_?files?|"
    r"new_?records|stale|outdated|\bpsi\b|performance_?(drop|alert|bad|low)|needs?_training|"
    r"should_train|trigger_training|anomal\w*_detected|below_threshold|quality_?(drop|bad|low)|"
    r"==\s*[\"'](alerting|firing)\b",  # what Grafana and Alertmanager say of an alert's state
    re.IGNORECASE,
)
_METRIC = regex(
    r"accuracy|\bacc\b|f1|auc|rmse|\bmse\b|\bmae\b|mape|\br2\b|precision|recall|error|score|metric",
    re.IGNORECASE,
)
_RETRAINS = regex(r"(?<!p)re_?train", re.IGNORECASE)  # not `from_pretrained`
_ASKS = regex(r"(?<!p)re_?-?train", re.IGNORECASE)
_NOTIFIES = regex(
    r"(issues|create_issue|slack|send_mail|sendmail|send_email|notify|publish|webhook|alert|"
    r"teams|pagerduty|post_message|chat_postMessage)",
    re.IGNORECASE,
)
_TEMPLATED = regex(r"argparse|args\.|opt\.|cfg\.|config\[|flags\.|sys\.argv|environ|getenv")

_LEAVES = regex(r"return\b|raise\b|((sys|os)\.)?_?(exit|quit)\(")


class Signal(Struct, frozen=True):
    """A signal and what it starts; not `starts` where it only asks people for it."""

    evidence: tuple[Evidence, ...]
    starts: bool
    constant: bool = False


def find_signals(project: Project) -> tuple[Signal, ...]:
    """All signals in code, workflows and infrastructure, those that start training first."""
    found = [*_branches(project), *_conditions(project)]
    found += [
        Signal((start.starts, start.trains), starts=True)
        for start in project.starts
        if start.kind in {"data", "signal"} and not start.disabled
    ]
    return tuple(sorted(found, key=lambda s: (s.constant, not s.starts, str(s.evidence[0].span))))


def _branches(project: Project) -> Iterator[Signal]:
    if project.roles.kind == "library" and not project.roles.trains:
        return  # what a library offers starts nothing here
    for module in project.source:
        if project.is_example(module.path):
            continue
        for branch in module.branches:
            if branch.kind == "if" and _is_signal(module, branch):
                yield from _of_branch(project, module, branch)


def _is_signal(module: Module, branch: Branch) -> bool:
    """Whether the test is about drift, quality in use or new data, and no option of a program."""
    test = branch.test
    if _TEMPLATED.search(test) or "__name__" in test:
        return False
    if _SIGNAL.search(test):
        function = module.function(branch.scope)
        # `def train(retraining=False): if retraining:` is an option that a caller sets.
        own = {p.name for p in function.params} if function else set()
        bare = [n for n in branch.names if _SIGNAL.search(n)]
        if not bare or branch.compares or any(n.split(".")[0] not in own for n in bare):
            return True
        for name in bare:  # what a caller hands in may hold the signal: `report["drift_found"]`
            test = test.replace(name, "")
        return bool(_SIGNAL.search(test))
    return bool(_METRIC.search(test) and branch.compares)


def _of_branch(project: Project, module: Module, branch: Branch) -> Iterator[Signal]:
    plain = bool(_SIGNAL.search(branch.test))
    for lines in (branch.body, branch.orelse, _afterwards(project, module, branch)):
        calls = [c for c in module.calls_within(lines) if c.scope == branch.scope]
        code = scopes(project, [s for c in calls for s in _called(project, module, c)])
        trained = _training(project, module, calls, code)
        place = Evidence(branch.span, f"if {branch.test}")
        if trained is not None and (plain or _named_retraining(calls)):
            yield Signal((place, trained), starts=True, constant=branch.constant is not None)
            return
        if plain and (asked := _asks(module, branch, calls)):
            yield Signal((place, asked), starts=False, constant=branch.constant is not None)
            return


def _afterwards(project: Project, module: Module, branch: Branch) -> tuple[int, int] | None:
    """The rest of a function or program that runs only when a test has not left it."""
    function = module.function(branch.scope)
    if not branch.test.startswith("not ") or branch.orelse or module.notebook:
        return None
    if branch.scope and function is None:
        return None
    lines = project.lines(module.path)
    last = lines[branch.body[1] - 1].strip() if branch.body[1] <= len(lines) else ""
    end = function.end_line if function is not None else len(lines)
    return (branch.body[1] + 1, end) if _LEAVES.match(last) else None


def _called(project: Project, module: Module, call: Call) -> Iterator[Scope]:
    for symbol in project.index.targets(call, module.path):
        yield Scope(symbol.path, symbol.qualname)


def _training(
    project: Project, module: Module, calls: list[Call], code: tuple[Scope, ...]
) -> Evidence | None:
    """Where a branch trains: its own calls, what they run, or the task that it chooses."""
    trained = trains_in(project, code)
    if trained is not None:
        first = next((c for c in calls if list(_called(project, module, c))), None)
        line = first.text if first and first.text else trained.detail
        return Evidence(first.span if first else trained.span, line)
    for call in calls:
        starts = re.search(
            r"run_deployment|start_pipeline|start_execution|create_run|trigger|"
            r"submit|dispatch|PipelineJob|start_training|(?<!p)retrain",
            call.name,
        )
        if starts and (
            _RETRAINS.search(call.text) or trains_in(project, [Scope(module.path, call.scope)])
        ):
            return Evidence(call.span, call.told)
        if "dispatches" in call.text or (
            call.method == "post" and asks_to_train(project, module, call)
        ):
            return Evidence(call.span, call.told)
    return None


def _named_retraining(calls: list[Call]) -> bool:
    return any(_RETRAINS.search(c.name) or _RETRAINS.search(c.text) for c in calls)


def _asks(module: Module, branch: Branch, calls: list[Call]) -> Evidence | None:
    """An issue or alert within a branch whose words ask for retraining."""
    for call in calls:
        told = _NOTIFIES.search(call.name) or _NOTIFIES.search(call.text)
        asks = any(
            _ASKS.search(t.value)
            for t in module.texts
            if branch.body[0] <= module.flat(t.span) <= branch.body[1]
        )
        if told and asks and not call.name.startswith(("logging.", "print", "logger.")):
            return Evidence(call.span, call.told)
    return None


def _conditions(project: Project) -> Iterator[Signal]:
    """Jobs and steps of CI that train, or ask for it, when an earlier one has found a signal."""
    for way in project.automation.of("job", "step"):
        item = way.node.payload[1]
        condition = item.condition
        if not condition or not _SIGNAL.search(condition) or item.void_condition or item.disabled:
            continue
        place = Evidence(way.node.span, f"if: {condition}")
        reach = project.graph.reach([way.node])
        code = scopes(project, [Scope(n.key[0]) for n in reach.ways if n.kind == "module"])
        nodes = [n for n in reach.ways if n.kind == "command"]
        trained = trains_in(project, code, nodes)
        if trained is not None:
            yield Signal((place, trained), starts=True)
            continue
        for node in nodes:
            text = " ".join(node.payload[0].argv)
            if re.search(r"gh (issue|workflow run)|dispatches", text):
                runs = "workflow run" in text or "dispatches" in text
                yield Signal((place, Evidence(node.span, text)), starts=runs)
                break
