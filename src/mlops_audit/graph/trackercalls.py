"""What calls record with trackers, and whether they are on where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Call, Module
from mlops_audit.graph.called import is_called
from mlops_audit.graph.memo import once
from mlops_audit.graph.settings import switch
from mlops_audit.graph.trackerstanding import LOCAL, RECORDS, Tracked, standing_of, switch_around
from mlops_audit.graph.uses import Use, keywords
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["lightning_logs", "tracker_calls", "writer_calls"]

_EITHER = regex(
    r"[\"'](?P<first>\w+)[\"'] if (?P<not>not )?(?P<name>[\w.]+) else [\"'](?P<other>\w+)[\"']"
)
_WRITER = regex(r"writer|summary|tensor_?board|(^|[._])tb([._]|$)|board$", re.IGNORECASE)
_WRITES = {
    "add_scalar": "tracker.metrics", "add_scalars": "tracker.metrics",
    "add_image": "tracker.artifacts", "add_images": "tracker.artifacts",
    "add_figure": "tracker.artifacts",
}  # fmt: skip
_LIGHTNING = regex(r"(^|\.)(LightningModule|LightningCLI)$")


def tracker_calls(project: Project) -> Iterator[Tracked]:
    """Calls of trackers: those that run, then those behind a constant that is false."""
    yield from _running(project)
    yield from _disabled(project)


def _running(project: Project) -> Iterator[Tracked]:
    off = {u.span for u in project.uses("tracker.off", test=False)}
    for use in project.uses("tracker.*", test=False):
        if use.capability not in RECORDS or use.call is None:
            continue
        if not is_called(project, use.path, use.scope) or not _writes(project, use):
            continue
        if use.tool in LOCAL and _is_quiet(use.call):
            continue
        standing = standing_of(use.tool, use.capability, use.call)
        if use.span in off or use.capability == "tracker.off":
            standing = "off"
        elif standing == "on" and _is_disabled(project, use):
            standing = "switch"
        evidence, flag = use.evidence(), _flag(project, use)
        if standing in {"on", "local"} and flag is not None:
            if flag[0] == "off":
                standing = "switch"
            elif flag[1] is not None:
                evidence = Evidence(use.span, use.detail, (flag[1],))
        yield Tracked(use.tool, use.capability, standing, evidence, use.notebook, use)


def _is_quiet(call: Call) -> bool:
    """Whether a call is told to keep away from the logger."""
    quiet = call.kw("logger")
    return quiet is not None and quiet.literal is False


def _is_disabled(project: Project, use: Use) -> bool:
    """Whether `mode="disabled" if not ONLINE else "online"` is disabled as the code stands."""
    mode = use.call.kw("mode") if use.call is not None else None
    found = _EITHER.fullmatch(mode.text) if mode is not None else None
    if found is None:
        return False
    constant = project.modules[use.path].constants.get(found["name"])
    if constant is not None and constant.is_literal:
        known = bool(constant.literal)
    else:
        known = switch(project, found["name"].rsplit(".", 1)[-1]).state == "on"
    chosen = found["first"] if known is not bool(found["not"]) else found["other"]
    return chosen == "disabled"


def _writes(project: Project, use: Use) -> bool:
    """`tf.summary` writes only where a writer is, Lightning's Fabric only to its own loggers."""
    called = use.call.name if use.call is not None else ""
    if use.tool in LOCAL and use.call and (".Fabric." in called or use.call.receiver == "fabric"):
        return _fabric_logs(project)
    if use.tool != "tf.summary":
        return True
    writers = project.uses_in(use.path)
    return any(u.capability == "tracker.local" for u in writers)


@once
def _fabric_logs(project: Project) -> bool:
    """Whether a Fabric of the project is given loggers, or arguments that may hold them."""
    for module in project.modules.values():
        for call in module.calls if "Fabric" in module.names else ():
            given = call.kw("loggers") if call.method == "Fabric" else None
            if given is not None and not (given.is_literal and given.literal is None):
                return True
            if call.method == "Fabric" and call.spreads:
                return True
    return False


def _flag(project: Project, use: Use) -> tuple[str, Evidence | None] | None:
    """The switch that decides whether a call records: around it, or around what calls it."""
    call = use.call
    if call is None:
        return None
    found = switch_around(project, call.guards)
    if found is not None or not call.scope:
        return found
    name = call.scope.rsplit(".", 1)[-1]
    states = [switch_around(project, c.guards) for c in _calls_named(project).get(name, ())]
    if states and all(s is not None and s[0] == "off" for s in states):
        return states[0]
    return None


@once
def _calls_named(project: Project) -> dict[str, list[Call]]:
    found: dict[str, list[Call]] = {}
    for module in project.own_code:
        for call in module.calls:
            found.setdefault(call.method, []).append(call)
    return found


def _disabled(project: Project) -> Iterator[Tracked]:
    """Calls behind a constant that is false: a person must edit it, or a settings file does."""
    for module in project.own_code:
        imports = frozenset(i.module for i in module.imports) | frozenset(
            i.dotted for i in module.imports
        )
        for call in module.calls:
            if call.runs or any(g.never and not g.names for g in call.guards):
                continue  # a literal `False` is no switch, and code after a `return` has none
            for match in project.catalogue.calls(call.name, imports):
                if match.capability not in RECORDS or not match.details.holds(
                    keywords(call), len(call.args)
                ):
                    continue
                known = switch_around(project, call.guards)
                on = known is not None and known[0] == "on"
                standing = standing_of(match.tool.name, match.capability, call)
                chain = (known[1],) if known is not None and known[1] is not None else ()
                yield Tracked(
                    match.tool.name,
                    match.capability,
                    standing if on else "switch",
                    Evidence(call.span, call.told, chain),
                    module.notebook,
                )


def writer_calls(project: Project, found: list[Tracked]) -> Iterator[Tracked]:
    """What goes to a TensorBoard writer that a module is handed by another: `self.writer`."""
    writers = [t for t in found if t.capability == "tracker.local" and t.tool == "TensorBoard"]
    if not any(t.counts for t in writers):
        return
    known = {t.evidence.span for t in found}
    for module in project.own_code:
        for call in module.calls:
            capability = _WRITES.get(call.method)
            if not capability or not call.runs or call.span in known:
                continue
            own = call.name.startswith((":", "?")) and _WRITER.search(call.receiver)
            if own and is_called(project, module.path, call.scope):
                shown = Evidence(call.span, call.told)
                yield Tracked("TensorBoard", capability, "local", shown, module.notebook)


def lightning_logs(project: Project) -> Iterator[Tracked]:
    """`self.log` in Lightning modules goes to the trainer's logger, else to TensorBoard."""
    for module in project.own_code:
        owners = _lightning_classes(project, module)
        if not owners:
            continue
        for call in module.calls:
            owner = call.scope.split(".", 1)[0]
            if owner not in owners or not call.text.startswith("self.") or not call.runs:
                continue
            capability = {"log": "tracker.metrics", "log_dict": "tracker.metrics",
                          "save_hyperparameters": "tracker.params"}.get(call.method)  # fmt: skip
            if capability and not _is_quiet(call):
                shown = Evidence(call.span, call.text)
                yield Tracked("Lightning", capability, "local", shown, module.notebook)


def _lightning_classes(project: Project, module: Module) -> frozenset[str]:
    return frozenset(
        c.qualname
        for c in module.classes
        if any(_LIGHTNING.search(b) for b in project.index.bases(module.path, c))
    )
