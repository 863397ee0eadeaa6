"""Experiment trackers: which are called, whether they are on, and where their runs go."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from mlops_audit.facts.code import Call, Guard, Module, Value
from mlops_audit.graph.called import is_called
from mlops_audit.graph.catalogue import Match
from mlops_audit.graph.memo import once
from mlops_audit.graph.settings import Setting, is_set, settings, switch
from mlops_audit.graph.sourcelines import keyword_span
from mlops_audit.graph.uses import Use, keywords
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["LOCAL", "Tracked", "tracked"]

# Lightning logs to whatever logger its trainer has; one that is set stands in another place.
LOCAL = frozenset({"TensorBoard", "CSV loggers", "tf.summary", "Lightning", "PyTorch Lightning"})
_RECORDS = frozenset(
    ["tracker.run", "tracker.params", "tracker.metrics", "tracker.artifacts", "tracker.model",
     "tracker.autolog", "tracker.input", "tracker.remote", "tracker.local", "tracker.off"]
)  # fmt: skip
_SWITCH_WORD = regex(
    r"wandb|w_and_b|mlflow|neptune|comet|clearml|\baim\b|track|swanlab|dvclive|report_to|"
    r"experiment_name|(^|_)log(s|ger|ging|_metrics)?($|_)|enable_log|tensorboard|(^|_)tb($|_)",
    re.IGNORECASE,
)
_NAME = regex(r"[A-Za-z_][\w.]*")
_TARGETS = frozenset(
    {"_target_", "target", "class_path", "class_name", "_class", "__target__", "type"}
)
_GROUP = regex(r"(^|/)(loggers?|trackers?|callbacks)/([\w\-]+)\.ya?ml$")
_ENDING = regex(r"\.ya?ml$")  # `logger: wandb.yaml` chooses `wandb`
_CHOICE = regex(r"(^|[ /.])(loggers?|trackers?|callbacks)$")
# `os.environ.get("USE_MLFLOW") == "1"`: a switch without a default, that the environment turns.
_FLAG_OF = regex(
    r"(?:environ\.get|getenv)\(\s*['\"](\w*(?:USE|ENABLE|WITH|TRACK|LOG)\w*)['\"]\s*\)"
)
_ENVIRON = regex(r"environ\[['\"](\w+)['\"]\]")
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


class Tracked(Struct, frozen=True):
    """One thing that a tracker records.

    `standing` is `on`; `local` for TensorBoard, CSV and offline runs; `switch` where it is off as
    the repository stands; `off` where it is disabled. `notebook` says where it stands.
    """

    tool: str
    capability: str
    standing: str
    evidence: Evidence
    notebook: bool = False
    use: Use | None = None

    @property
    def counts(self) -> bool:
        """Whether it records at all."""
        return self.standing in {"on", "local"}


@once
def tracked(project: Project) -> tuple[Tracked, ...]:
    """All that trackers record, those that are on first, scripts before notebooks."""
    found = [*_called(project), *_disabled(project), *_values(project), *_configured(project)]
    found += [*_environment(project), *_lightning(project)]
    found += _handed_on(project, found)
    order = ("on", "local", "switch", "off")
    return tuple(
        sorted(
            dict.fromkeys(_by_start(found)),
            key=lambda t: (t.notebook, order.index(t.standing), project.is_example(_path(t))),
        )
    )


def _handed_on(project: Project, found: list[Tracked]) -> Iterator[Tracked]:
    """What goes to a TensorBoard writer that a module is handed by another: `self.writer`."""
    writers = [t for t in found if t.capability == "tracker.local" and t.tool == "TensorBoard"]
    if not any(t.counts for t in writers):
        return
    known = {t.evidence.span for t in found}
    for path, module in project.modules.items():
        if path in project.test_files:
            continue
        for call in module.calls:
            capability = _WRITES.get(call.method)
            if not capability or not call.runs or call.span in known:
                continue
            own = call.name.startswith((":", "?")) and _WRITER.search(call.receiver)
            if own and is_called(project, path, call.scope):
                shown = Evidence(call.span, call.told)
                yield Tracked("TensorBoard", capability, "local", shown, module.notebook)


def _by_start(found: list[Tracked]) -> Iterator[Tracked]:
    """Where every start of a tool is off, so is all else that it would record."""
    starts: dict[str, set[str]] = {}
    for item in found:
        if item.capability in {"tracker.run", "tracker.off"}:
            starts.setdefault(item.tool, set()).add(item.standing)
    for item in found:
        known = starts.get(item.tool, set())
        if item.standing in {"on", "local"} and known and known <= {"off", "switch"}:
            yield replace(item, standing=min(known))
        else:
            yield item


def _path(item: Tracked) -> str:
    return item.evidence.span.path


# -- calls ----------------------------------------------------------------------------------------


def _called(project: Project) -> Iterator[Tracked]:
    off = {u.span for u in project.uses("tracker.off", test=False)}
    for use in project.uses("tracker.*", test=False):
        if use.capability not in _RECORDS or use.call is None:
            continue
        if not is_called(project, use.path, use.scope) or not _writes(project, use):
            continue
        quiet = use.call.kw("logger")
        if use.tool in LOCAL and quiet is not None and quiet.literal is False:
            continue
        standing = _standing(project, use.tool, use.capability, use.call)
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


def _standing(project: Project, tool: str, capability: str, call: Call | None) -> str:
    del project
    if tool in LOCAL or capability == "tracker.local":
        return "local"
    if call is not None:
        mode = call.kw("mode")
        if mode is not None and mode.literal == "disabled":
            return "off"
        for name in ("disabled", "disable"):
            disabled = call.kw(name)
            if disabled is not None and disabled.literal is True:
                return "off"
    return "off" if capability == "tracker.off" else "on"


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
    found = _state(project, call.guards)
    if found is not None or not call.scope:
        return found
    name = call.scope.rsplit(".", 1)[-1]
    states = [_state(project, c.guards) for c in _calls_named(project).get(name, ())]
    if states and all(s is not None and s[0] == "off" for s in states):
        return states[0]
    return None


@once
def _calls_named(project: Project) -> dict[str, list[Call]]:
    found: dict[str, list[Call]] = {}
    for path, module in project.modules.items():
        if path not in project.test_files:
            for call in module.calls:
                found.setdefault(call.method, []).append(call)
    return found


def _state(project: Project, guards: tuple[Guard, ...]) -> tuple[str, Evidence | None] | None:
    for guard in guards:
        if guard.negated or re.search(r"\bnot\b|is None|!=", guard.text):
            continue
        if (variable := _FLAG_OF.search(guard.text)) and not is_set(project, variable[1]):
            return "off", None
        for name in _NAME.findall(guard.text):
            last = name.rsplit(".", 1)[-1]
            if _SWITCH_WORD.search(last) and (known := switch(project, last)).state:
                return known.state, known.evidence
    return None


def _disabled(project: Project) -> Iterator[Tracked]:
    """Calls behind a constant that is false: a person must edit it, or a settings file does."""
    for path, module in project.modules.items():
        if path in project.test_files:
            continue
        imports = frozenset(i.module for i in module.imports) | frozenset(
            i.dotted for i in module.imports
        )
        for call in module.calls:
            if call.runs or any(g.never and not g.names for g in call.guards):
                continue  # a literal `False` is no switch, and code after a `return` has none
            for match in project.catalogue.calls(call.name, imports):
                if match.capability not in _RECORDS or not match.details.holds(
                    keywords(call), len(call.args)
                ):
                    continue
                known = _state(project, call.guards)
                on = known is not None and known[0] == "on"
                standing = _standing(project, match.tool.name, match.capability, call)
                detail = call.told
                chain = (known[1],) if known is not None and known[1] is not None else ()
                yield Tracked(
                    match.tool.name,
                    match.capability,
                    standing if on else "switch",
                    Evidence(call.span, detail, chain),
                    module.notebook,
                )


# -- values: report_to=, settings files, variables ------------------------------------------------


def _values(project: Project) -> Iterator[Tracked]:
    """Keyword arguments of calls that name a tracker, such as `report_to="wandb"`."""
    for path, module in project.modules.items():
        if path in project.test_files:
            continue
        for call in module.calls:
            for key, value in call.kwargs if call.runs else ():
                for match in _named(project, key, value):
                    known = _state(project, call.guards)
                    standing = _standing(project, match.tool.name, match.capability, None)
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
                if match.capability in _RECORDS:
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
            if match.capability not in _RECORDS or not match.details.holds(told):
                continue
            standing = _standing(project, match.tool.name, match.capability, None)
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
    for path, module in project.modules.items():
        if path in project.test_files or not {"environ", "os"} & module.names:
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


# -- Lightning ------------------------------------------------------------------------------------


def _lightning(project: Project) -> Iterator[Tracked]:
    """`self.log` in Lightning modules goes to the trainer's logger, else to TensorBoard."""
    for path, module in project.modules.items():
        if path in project.test_files:
            continue
        owners = _lightning_classes(project, module)
        if not owners:
            continue
        for call in module.calls:
            owner = call.scope.split(".", 1)[0]
            quiet = call.kw("logger")
            if quiet is not None and quiet.literal is False:
                continue
            if owner not in owners or not call.text.startswith("self.") or not call.runs:
                continue
            capability = {"log": "tracker.metrics", "log_dict": "tracker.metrics",
                          "save_hyperparameters": "tracker.params"}.get(call.method)  # fmt: skip
            if capability:
                detail = call.text
                yield Tracked(
                    "Lightning",
                    capability,
                    "local",
                    Evidence(call.span, detail),
                    module.notebook,
                )


def _lightning_classes(project: Project, module: Module) -> frozenset[str]:
    return frozenset(
        c.qualname
        for c in module.classes
        if any(_LIGHTNING.search(b) for b in project.index.bases(module.path, c))
    )
