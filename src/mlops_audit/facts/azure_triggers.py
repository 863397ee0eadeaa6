"""What starts an Azure pipeline, with the defaults of Azure's YAML schema."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_audit.facts.cicommon import listed_and_refused
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.types import Trigger, TriggerKind
from mlops_audit.model import Span

__all__ = ["bindings", "read_triggers"]

_REASONS = {
    TriggerKind.PUSH: "IndividualCI",
    TriggerKind.TAG: "IndividualCI",
    TriggerKind.PULL_REQUEST: "PullRequest",
    TriggerKind.SCHEDULE: "Schedule",
    TriggerKind.MANUAL: "Manual",
    TriggerKind.WORKFLOW: "ResourceTrigger",
}


def bindings(kind: TriggerKind, branch: str) -> Mapping[str, str | None]:
    """Azure's predefined variables in a run of this kind."""
    known: dict[str, str | None] = {}
    if kind in _REASONS:
        known["variables.build.reason"] = _REASONS[kind]
    if kind is TriggerKind.PUSH:
        known["variables.build.sourcebranch"] = f"refs/heads/{branch}"
        known["variables.build.sourcebranchname"] = branch.rsplit("/", 1)[-1]
    elif kind is TriggerKind.TAG:
        known["variables.build.sourcebranch"] = f"refs/tags/{branch}"
    elif kind is TriggerKind.PULL_REQUEST:
        known["variables.build.sourcebranch"] = "refs/pull/1/merge"
        known["variables.system.pullrequest.targetbranch"] = branch
    return known


def read_triggers(root: Node, path: str) -> tuple[Trigger, ...]:
    """The triggers of a pipeline; a person can start any.

    Without `trigger:` every push starts it, without `pr:` every pull request does (where the
    code is hosted at GitHub or Bitbucket); `none` turns either off.
    """
    manual = Trigger(TriggerKind.MANUAL, Span(path))
    found = [
        *_push(root, path),
        *_pull(root, path),
        *_schedules(root, path),
        *_resources(root, path),
    ]
    return (*found, manual)


def _none(node: Node) -> bool:
    """`none`, also as the only member of a list, which people write for it."""
    return tuple(text.lower() for text in node.strings()) == ("none",)


def _push(root: Node, path: str) -> tuple[Trigger, ...]:
    node = root.get("trigger")
    span = Span(path, root.line_of("trigger"))
    if node is None or node.kind == "null":
        return (Trigger(TriggerKind.PUSH, Span(path)),)  # no line says so
    if _none(node):
        return ()
    if node.kind != "map":
        return (Trigger(TriggerKind.PUSH, span, branches=node.strings()),)
    tags = listed_and_refused(node.get("tags"))[0]
    branches, ignored = listed_and_refused(node.get("branches"))
    paths, without = listed_and_refused(node.get("paths"))
    found: list[Trigger] = []
    if branches or ignored or not tags:
        found.append(Trigger(TriggerKind.PUSH, span, branches, ignored, paths, without))
    if tags:
        found.append(Trigger(TriggerKind.TAG, span, tags=tags))
    return tuple(found)


def _pull(root: Node, path: str) -> tuple[Trigger, ...]:
    node = root.get("pr")
    span = Span(path, root.line_of("pr"))
    if node is None or node.kind == "null":
        return (Trigger(TriggerKind.PULL_REQUEST, Span(path)),)
    if _none(node):
        return ()
    if node.kind != "map":
        return (Trigger(TriggerKind.PULL_REQUEST, span, branches=node.strings()),)
    branches, ignored = listed_and_refused(node.get("branches"))
    paths, without = listed_and_refused(node.get("paths"))
    return (Trigger(TriggerKind.PULL_REQUEST, span, branches, ignored, paths, without),)


def _schedules(root: Node, path: str) -> tuple[Trigger, ...]:
    found: list[Trigger] = []
    for item in root.list_at("schedules"):
        cron = item.str_at("cron")
        if cron:
            branches, ignored = listed_and_refused(item.get("branches"))
            span = Span(path, item.line_of("cron"))
            found.append(Trigger(TriggerKind.SCHEDULE, span, branches, ignored, cron=cron))
    return tuple(found)


def _resources(root: Node, path: str) -> tuple[Trigger, ...]:
    found: list[Trigger] = []
    resources = root.get("resources")
    for key, group in resources.items() if resources is not None else ():
        for item in group.many():
            trigger = item.get("trigger")
            hook = key == "webhooks"
            if not hook and (trigger is None or _none(trigger) or trigger.value is False):
                continue
            span = Span(path, item.line_of("trigger"))
            if key == "pipelines":
                filtered = trigger.get("branches") if trigger else None
                branches, ignored = listed_and_refused(filtered)
                source = item.str_at("source") or item.str_at("pipeline")
                found.append(
                    Trigger(TriggerKind.WORKFLOW, span, branches, ignored, after=(source,))
                )
            else:
                found.append(Trigger(TriggerKind.EVENT, span, types=(key,)))
    return tuple(found)
