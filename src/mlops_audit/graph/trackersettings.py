"""Trackers that a value names: in a keyword, a settings file or a variable of the environment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Value
from mlops_audit.graph.catalogue import Match
from mlops_audit.graph.settings import Setting, settings
from mlops_audit.graph.sourcelines import keyword_span
from mlops_audit.graph.trackerstanding import RECORDS, Tracked, standing_of, switch_around
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["named_trackers"]

_TARGETS = frozenset(
    {"_target_", "target", "class_path", "class_name", "_class", "__target__", "type"}
)
_GROUP = regex(r"(^|/)(loggers?|trackers?|callbacks)/([\w\-]+)\.ya?ml$")
_ENDING = regex(r"\.ya?ml$")  # `logger: wandb.yaml` chooses `wandb`
_CHOICE = regex(r"(^|[ /.])(loggers?|trackers?|callbacks)$")
_ENVIRON = regex(r"environ\[['\"](\w+)['\"]\]")


def named_trackers(project: Project) -> Iterator[Tracked]:
    """Trackers named by keywords of calls, then by settings, then by variables that code sets."""
    yield from _values(project)
    yield from _configured(project)
    yield from _environment(project)


def _values(project: Project) -> Iterator[Tracked]:
    """Keyword arguments of calls that name a tracker, such as `report_to="wandb"`."""
    for module in project.own_code:
        for call in module.calls:
            for key, value in call.kwargs if call.runs else ():
                for match in _named(project, key, value):
                    known = switch_around(project, call.guards)
                    standing = standing_of(match.tool.name, match.capability, None)
                    if known is not None and known[0] == "off" and standing != "off":
                        standing = "switch"
                    yield Tracked(
                        match.tool.name,
                        match.capability,
                        standing,
                        Evidence(keyword_span(project, call, key), f"{key}={value.text}"),
                        module.notebook,
                    )


def _named(project: Project, key: str, value: Value) -> Iterator[Match]:
    for text in value.strings() if value.items else (value.literal,):
        if isinstance(text, str):
            for match in project.catalogue.value(key, text):
                if match.capability in RECORDS:
                    yield match


def _configured(project: Project) -> Iterator[Tracked]:
    """Settings that name a tracker, or the class of one."""
    known = settings(project)
    chosen = _chosen(project, known)
    beside: dict[tuple[str, str], dict[str, object]] = {}
    for item in known:
        beside.setdefault((item.span.path, item.key.rpartition(".")[0]), {})[item.name] = item.value
    for item in known:
        if not isinstance(item.value, str):
            continue
        matches: tuple[Match, ...] = ()
        if item.name in _TARGETS and "." in item.value:
            matches = project.catalogue.calls(item.value)
        elif item.name:
            matches = project.catalogue.value(item.name, item.value)
        above = item.key.rpartition(".")[0]
        told = beside.get((item.span.path, above), {}) if matches else {}
        for match in matches:
            if match.capability not in RECORDS or not match.details.holds(told):
                continue
            standing = standing_of(match.tool.name, match.capability, None)
            group = _GROUP.search(item.span.path)
            if group and standing != "off" and group[3] not in chosen:
                standing = "switch"
            yield Tracked(match.tool.name, match.capability, standing, item.evidence())


def _chosen(project: Project, known: tuple[Setting, ...]) -> frozenset[str]:
    """The members of configuration groups that settings or commands choose."""
    found: set[str] = set()
    for item in known:
        if isinstance(item.value, str) and _CHOICE.search(item.name):
            found.add(item.value)
    for command, _ in project.all_commands:
        for word in command.argv:
            key, equals, value = word.lstrip("+-").partition("=")
            if equals and _CHOICE.search(key):
                found.add(value)
    for item in known:  # a group's member that lists others: `many_loggers: [csv, wandb]`
        group = _GROUP.search(item.span.path)
        if (
            group
            and {group[3], f"{group[3]}.yaml"} & found
            and item.key == "defaults"
            and isinstance(item.value, str)
        ):
            found.add(item.value)
    return frozenset(_ENDING.sub("", name) for name in found)


def _environment(project: Project) -> Iterator[Tracked]:
    """Variables that code sets for a tracker, such as `os.environ["WANDB_PROJECT"]`."""
    for module in project.own_code:
        if not {"environ", "os"} & module.names:
            continue
        for assign in module.assigns:
            name = next((m[1] for t in assign.targets if (m := _ENVIRON.search(t))), "")
            for match in project.catalogue.env(name) if name else ():
                if match.capability == "tracker.run" and not name.endswith("KEY"):
                    yield Tracked(
                        match.tool.name,
                        match.capability,
                        "on",
                        Evidence(assign.span, f"sets {name}"),
                        module.notebook,
                    )
