"""What starts a GitHub workflow, and what its names stand for in a run."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_audit.facts.nodes import Entry, Node
from mlops_audit.facts.types import Trigger, TriggerKind
from mlops_audit.model import Span

__all__ = ["bindings", "read_triggers"]

_KINDS = {
    "push": TriggerKind.PUSH,
    "pull_request": TriggerKind.PULL_REQUEST,
    "pull_request_target": TriggerKind.PULL_REQUEST,
    "merge_group": TriggerKind.PULL_REQUEST,
    "release": TriggerKind.RELEASE,
    "workflow_dispatch": TriggerKind.MANUAL,
    "workflow_call": TriggerKind.CALL,
    "workflow_run": TriggerKind.WORKFLOW,
}
_EVENTS = {
    TriggerKind.PUSH: "push",
    TriggerKind.TAG: "push",
    TriggerKind.PULL_REQUEST: "pull_request",
    TriggerKind.RELEASE: "release",
    TriggerKind.SCHEDULE: "schedule",
    TriggerKind.MANUAL: "workflow_dispatch",
    TriggerKind.WORKFLOW: "workflow_run",
}
DEFAULT_BRANCH = "$default"


def bindings(kind: TriggerKind, branch: str) -> Mapping[str, str | None]:
    """What `github.event_name`, `github.ref` and others are in a run of this kind."""
    known: dict[str, str | None] = {"github.event.repository.default_branch": DEFAULT_BRANCH}
    if kind in _EVENTS:
        known["github.event_name"] = _EVENTS[kind]
    if kind is TriggerKind.PUSH:
        known |= {
            "github.ref": f"refs/heads/{branch}",
            "github.ref_name": branch,
            "github.ref_type": "branch",
            "github.head_ref": "",
            "github.base_ref": "",
        }
    elif kind is TriggerKind.TAG:
        known |= {"github.ref": f"refs/tags/{branch}", "github.ref_type": "tag"}
    elif kind is TriggerKind.PULL_REQUEST:
        known |= {"github.ref": "refs/pull/1/merge", "github.base_ref": branch}
    return known


def read_triggers(root: Node, path: str) -> tuple[Trigger, ...]:
    """The triggers of `on:`, which may be a name, a list of names or a map."""
    on = root.entries.get("on") or root.entries.get("true")
    if on is None:
        return ()
    if on.node.kind != "map":
        nodes = on.node.many()
        return tuple(
            trigger
            for node in nodes
            if node.kind == "scalar"
            for trigger in _event(Entry(node.text, node.line, Node("null", node.line)), path)
        )
    return tuple(trigger for entry in on.node.entries.values() for trigger in _event(entry, path))


def _event(entry: Entry, path: str) -> tuple[Trigger, ...]:
    span = Span(path, entry.line)
    node = entry.node
    if entry.key == "schedule":
        return tuple(
            Trigger(TriggerKind.SCHEDULE, Span(path, item.line), cron=item.str_at("cron"))
            for item in node.many()
            if item.str_at("cron")
        )
    kind = _KINDS.get(entry.key, TriggerKind.EVENT)
    if kind is TriggerKind.EVENT:
        types = node.strings_at("types")
        return (Trigger(kind, span, types=(entry.key, *types)),)
    if kind is TriggerKind.PUSH:
        return _push(node, span)
    return (
        Trigger(
            kind,
            span,
            branches=node.strings_at("branches"),
            branches_ignore=node.strings_at("branches-ignore"),
            paths=node.strings_at("paths"),
            paths_ignore=node.strings_at("paths-ignore"),
            after=node.strings_at("workflows"),
            types=node.strings_at("types"),
        ),
    )


def _push(node: Node, span: Span) -> tuple[Trigger, ...]:
    """A push of branches, of tags, or both: a filter for one alone leaves the other out."""
    branches = node.strings_at("branches")
    ignored = node.strings_at("branches-ignore")
    tags = node.strings_at("tags") + tuple(f"!{tag}" for tag in node.strings_at("tags-ignore"))
    paths, without = node.strings_at("paths"), node.strings_at("paths-ignore")
    found: list[Trigger] = []
    if branches or ignored or not tags:
        found.append(Trigger(TriggerKind.PUSH, span, branches, ignored, paths, without))
    if tags:
        found.append(Trigger(TriggerKind.TAG, span, paths=paths, paths_ignore=without, tags=tags))
    return tuple(found)
