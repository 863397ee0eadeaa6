"""Pipelines of Mage: `metadata.yaml` names their blocks, `triggers.yaml` what starts them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_audit.facts.nodes import Node
from mlops_audit.facts.types import Unreadable
from mlops_audit.facts.yamlpos import load_yaml
from mlops_audit.graph.memo import once
from mlops_audit.graph.predicting import Prediction, doing_of, shown_calls
from mlops_audit.graph.scopes import Scope, scopes
from mlops_audit.graph.trained import Start, is_saved, trains_in
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["MagePipeline", "blocks_after", "mage_pipelines", "mage_predictions", "starts_of_mage"]

_FILE = regex(r"^(.*/|)pipelines/([^/]{1,200})/metadata\.yaml$")
_SCHEDULE = "time"
_API = "api"


class MageBlock(Struct, frozen=True):
    """One block: its kind, the module that holds it, and the blocks it waits for."""

    name: str
    kind: str
    path: str
    after: tuple[str, ...]


class MageTrigger(Struct, frozen=True):
    """One trigger: a schedule (`time`), a call from outside (`api`) or an event."""

    kind: str
    when: Evidence
    active: bool


class MagePipeline(Struct, frozen=True):
    """One pipeline with its blocks and its triggers."""

    name: str
    blocks: tuple[MageBlock, ...]
    triggers: tuple[MageTrigger, ...]
    variables: tuple[tuple[str, Evidence], ...]
    evidence: Evidence

    def trains(self, project: Project) -> Evidence | None:
        """Where the pipeline trains, if it does."""
        return trains_in(project, self.code(project))

    def code(self, project: Project) -> tuple[Scope, ...]:
        """What runs when the pipeline runs."""
        return scopes(project, [s for b in self.blocks for s in _scopes(project, b)])


@once
def mage_pipelines(project: Project) -> tuple[MagePipeline, ...]:
    """The pipelines whose blocks are modules of the project."""
    return tuple(_pipelines(project))


def _pipelines(project: Project) -> Iterator[MagePipeline]:
    for path in project.glob("**/pipelines/*/metadata.yaml"):
        found = _FILE.match(path)
        root = _read(project, path)
        listed = root.get("blocks") if root is not None else None
        if not found or root is None or listed is None or not root.str_at("type"):
            continue
        blocks = tuple(b for n in listed.many() if (b := _block(project, found[1], n)))
        if blocks:
            name = root.str_at("uuid") or found[2]
            triggers = tuple(_triggers(project, f"{found[1]}pipelines/{found[2]}/triggers.yaml"))
            said = Evidence(Span(path, listed.line), f"Mage pipeline {name}")
            yield MagePipeline(name, blocks, triggers, tuple(_variables(path, root)), said)


def _variables(path: str, root: Node) -> Iterator[tuple[str, Evidence]]:
    """The variables that each run of a pipeline is given."""
    given = root.get("variables")
    for name, node in given.items() if given is not None and given.kind == "map" else ():
        yield name, Evidence(Span(path, node.line), f"{name}: {node.value}")


def _read(project: Project, path: str) -> Node | None:
    data = project.data(path)
    root = load_yaml(data, path) if data else None
    return None if root is None or isinstance(root, Unreadable) else root


def _block(project: Project, folder: str, node: Node) -> MageBlock | None:
    kind, name = node.str_at("type"), node.str_at("uuid")
    source = node.get("configuration", "file_source")
    given = (source.str_at("path") if source is not None else "") or f"{kind}s/{name}.py"
    for tried in (given, f"{kind}s/{name}.py", f"{kind}/{name}.py"):
        path = f"{folder}{tried}"
        if path in project.modules:
            waits = node.get("upstream_blocks")
            after = tuple(str(n.value) for n in waits.many()) if waits is not None else ()
            return MageBlock(name, kind, path, after)
    return None


def _triggers(project: Project, path: str) -> Iterator[MageTrigger]:
    root = _read(project, path) if path in project.paths else None
    listed = root.get("triggers") if root is not None else None
    for node in listed.many() if listed is not None else ():
        kind = node.str_at("schedule_type")
        when = node.str_at("schedule_interval") or node.str_at("name")
        key = "schedule_interval" if node.get("schedule_interval") else "schedule_type"
        if kind:
            said = Evidence(Span(path, node.line_of(key)), f"Mage: {kind} trigger {when}")
            yield MageTrigger(kind, said, node.str_at("status") == "active")


def _scopes(project: Project, block: MageBlock) -> tuple[Scope, ...]:
    module = project.modules[block.path]
    return tuple(Scope(block.path, f.qualname) for f in module.functions)


def starts_of_mage(project: Project) -> Iterator[Start]:
    """Pipelines that train and have a schedule."""
    for pipeline in mage_pipelines(project):
        trained = pipeline.trains(project)
        for trigger in pipeline.triggers if trained is not None else ():
            if trigger.kind == _SCHEDULE and trained is not None:
                off = "" if trigger.active else "it is switched off"
                kept = is_saved(project, pipeline.code(project))
                yield Start("schedule", trigger.when, trained, kept, disabled=off)


def mage_predictions(project: Project) -> Iterator[Prediction]:
    """Blocks that are given a model and predict, in pipelines that do not train."""
    for pipeline in mage_pipelines(project):
        if pipeline.trains(project) is not None:
            continue
        for block in pipeline.blocks:
            doing = doing_of(project, list(_scopes(project, block)))
            if not doing.predicts or doing.measures:
                continue
            later = [b for b in blocks_after(pipeline, block) if b.kind == "data_exporter"]
            called = [t.when for t in pipeline.triggers if t.kind == _API and t.active]
            shown = shown_calls(doing.predicts[:1], "predicts")
            if later:
                function = next(iter(project.modules[later[0].path].functions), None)
                place = function.span if function is not None else Span(later[0].path)
                kept = Evidence(place, f"block {later[0].name} stores")
                said = (*shown, pipeline.evidence, kept)
                yield Prediction("batch", block.path, said, stores=True)
            elif called:
                yield Prediction("service", block.path, (*shown, called[0]))


def blocks_after(pipeline: MagePipeline, block: MageBlock) -> tuple[MageBlock, ...]:
    """The blocks that wait for a block, also through others."""
    found: dict[str, MageBlock] = {}
    names = {block.name}
    for _ in pipeline.blocks:
        new = [b for b in pipeline.blocks if b.name not in found and names & set(b.after)]
        found.update((b.name, b) for b in new)
        names = {b.name for b in new}
    return tuple(found.values())
