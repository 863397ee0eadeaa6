"""Training that CI starts: on a schedule, an event, a change, or by a person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from mlops_audit.facts.types import Trigger, TriggerKind
from mlops_audit.graph.execution import Node, Reach, Way
from mlops_audit.graph.nodes import started
from mlops_audit.graph.scopes import Scope, scopes
from mlops_audit.graph.trained import KINDS, PLATFORM, Start, is_kept, pipeline_trains, trains_in
from mlops_audit.graph.training import is_training
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["REMOTE_STORE", "is_entered", "starts_of_ci"]

# What a workflow hands to code so that it reaches a tracker or store elsewhere.
REMOTE_STORE = regex(
    r"WANDB_API_KEY|MLFLOW_TRACKING|NEPTUNE_API|COMET_API|CLEARML|DAGSHUB|AWS_(SECRET|ROLE|ACCESS)|"
    r"AZURE|GOOGLE|GCP_|HF_TOKEN|HUGGING|configure-aws-credentials|HOPSWORKS_|DATABRICKS_"
)
_OF_TESTS = regex(r"^(?!.*train).*\b(smoke )?tests?$", re.IGNORECASE)
_DATA_PATHS = regex(
    r"(^|/)(data|datasets?|raw|inputs?)(/|$)|\.dvc$|dvc\.lock$|\.(csv|parquet)$", re.IGNORECASE
)


def starts_of_ci(project: Project) -> Iterator[Start]:
    """Every trigger of a workflow that reaches training outside its tests."""
    for workflow in project.workflows:
        if workflow.reusable:
            continue
        for trigger in workflow.triggers:
            kind = _ci_kind(project, trigger)
            if not kind:
                continue
            reach = project.graph.reach([project.nodes.trigger(workflow, trigger)])
            tracked = bool(REMOTE_STORE.search(project.text(workflow.path) or ""))
            found = _trained_in(project, reach, tracked=tracked)
            if found is None:
                continue
            evidence, kept = found
            # What a test of the code itself trains is thrown away with it.
            kept = kept and not _OF_TESTS.search(workflow.name)
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
        return next((k for k in KINDS if k in kinds), "push")
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
    nodes = _outside_tests(project, reach)
    others = [n for n in nodes if n.kind in {"command", "action"}]
    for node in others:
        for use in project.uses_at(reach.ways[node]):
            if is_training(use) or (
                use.capability == "pipeline.run" and pipeline_trains(project, use)
            ):
                evidence = reach.ways[node].evidence(use.detail, use.span)
                remote = use.capability == "pipeline.run" and _remote(use)
                begun = [n for n in nodes if n.kind != "function" or is_entered(reach.ways[n])]
                return evidence, remote or is_kept(
                    project, _code(project, begun), others, tracked=tracked
                )
    for node in nodes:
        previous = reach.ways[node].previous
        apart = previous is not None and previous.node.kind != "module"
        if is_entered(reach.ways[node]) or (node.kind in {"module", "notebook"} and apart):
            code = scopes(project, [_entry(node)])
            trained = trains_in(project, code)
            if trained:
                way = reach.ways[node]
                evidence = Evidence(trained.span, trained.detail, (*way.chain(),))
                return evidence, is_kept(project, code, others, tracked=tracked)
    return None


def _remote(use: Use) -> bool:
    """Whether the run lives on a platform that keeps what it makes."""
    return use.where == "action" or bool(PLATFORM.search(use.detail))


def _code(project: Project, nodes: Iterable[Node]) -> tuple[Scope, ...]:
    entries = [_entry(n) for n in nodes if n.kind in {"module", "notebook", "function"}]
    return scopes(project, entries)


def is_entered(way: Way) -> bool:
    """Whether a command enters code by this function: a console script, a named module's."""
    return bool(
        way.node.kind == "function" and way.previous and way.previous.node.kind == "command"
    )


def _entry(node: Node) -> Scope:
    """Where a node of code begins."""
    return Scope(node.key[0], node.payload.qualname if node.kind == "function" else "")


def _outside_tests(project: Project, reach: Reach) -> list[Node]:
    """What is reached otherwise than through tests."""
    tests: set[int] = set()  # ids of the ways that lead into them
    found: list[Node] = []
    for way in reach.ways.values():  # nearest first: what leads to a node stands before it
        node = way.node
        if id(way.previous) in tests or node.kind == "tests" or project.is_test(node.span.path):
            tests.add(id(way))
        else:
            found.append(node)
    return found
