"""Where training takes its settings from: files, the command line, the environment, constants."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.code import Call, Module
from mlops_audit.graph import Project
from mlops_audit.graph.kedronodes import kedro_nodes
from mlops_audit.graph.lifecycle import CAMEL
from mlops_audit.graph.magefiles import mage_pipelines
from mlops_audit.graph.rulefiles import config_place
from mlops_audit.graph.scopes import Scope, calls_of, scopes, uses_of
from mlops_audit.graph.training import trains_here
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence, Span
from mlops_audit.practices.automation._options import (
    DEFINES,
    HYPER,
    PIPELINE_PARAMETER,
    PLACE,
    PLACES,
    Source,
    never_read,
    tunes,
)
from mlops_audit.practices.automation._settings_files import reads_file, settings_files
from mlops_audit.practices.automation._trainers import training_programs
from mlops_audit.regex import regex

__all__ = ["Source", "sources_of_settings", "tunes_training", "unread_settings"]

_OF_TRAINING = regex(
    r"learning|epoch|depth|estimators|leaves|dropout|hparam|hyper|(^|_)lr$|alpha|gamma|regulari|"
    r"penalty|momentum|optimi[sz]er|kernel|solver|test_size|(train|batch)_?(size|steps)|max_steps|"
    r"num_(boost|trees|layers|steps|trials)|(^|_)seed$|random_state",
    re.IGNORECASE,
)
_ENV_PLACES = regex(
    r"path|dir(_|$)|folder|root|file|bucket|date|day|month|year|data|csv|input|output|table|model",
    re.IGNORECASE,
)
_SERVICES = regex(
    r"mlflow|wandb|neptune|comet|clearml|dagshub|^aws_|^azure_|^google_|api_?key|token|secret|"
    r"passw|credential|endpoint|_host$|_port$|_ur[il]$|user(name)?$",
    re.IGNORECASE,
)
_MODULE = regex(
    r"(^|/)(\w*config\w*|\w*settings?|hyper_?param\w*|params|parameters|constants?)\.py$",
    re.IGNORECASE,
)
_ENTRY = regex(r"[{,]\s*[\"'](\w{2,40})[\"']\s*:")  # of a table of settings
_RUN_CONFIG = regex(r"dagster\.(Config|PermissiveConfig|RunConfig)$|zenml\..*BaseParameters$")
_SETTINGS_CLASS = regex(r"pydantic(_settings)?(\.\w+){0,3}\.BaseSettings$")
_ALL_ARGUMENTS = regex(r"(sys\.)?argv(\[1?:\])?")
_OF_KEDRO = regex(r"params:|parameters$")


def sources_of_settings(project: Project) -> list[Source]:
    """Where the training programs take their settings from, best first."""
    found: list[Source] = []
    for module, trained, walked in training_programs(project):
        found += _of_program(project, module, trained, walked)
        if any(s.kind in {"file", "arguments"} for s in found):
            break
    found += [*_of_nodes(project), *_of_runs(project), *_of_mage(project)]
    order = ("file", "arguments", "places", "env", "module")
    return sorted(found, key=lambda s: order.index(s.kind))


def _of_nodes(project: Project) -> Iterator[Source]:
    """Settings that Kedro hands to a node that trains: `params:learning_rate`, `parameters`."""
    for node in kedro_nodes(project):
        names = [name for name in node.inputs if _OF_KEDRO.match(name)]
        trained = trains_here(project, scopes(project, [node.function])) if names else ()
        if trained:
            of_training = any(name == "parameters" or tunes(name) for name in names)
            shown = Evidence(trained[0][1].span, f"trains: {trained[0][1].told}")
            yield Source("file" if of_training else "places", node.evidence, shown)


def _of_mage(project: Project) -> Iterator[Source]:
    """Variables of a Mage pipeline that trains, which its blocks are given."""
    for pipeline in mage_pipelines(project):
        trained = pipeline.trains(project) if pipeline.variables else None
        if trained is not None:
            named = sorted(pipeline.variables, key=lambda v: not HYPER.search(v[0]))
            of_training = bool(HYPER.search(named[0][0]))
            yield Source("file" if of_training else "places", named[0][1], trained)


# Platforms on which each run of a pipeline is given its function's parameters.
_TAKES_INPUTS = frozenset({"Flyte", "Kubeflow", "Prefect", "ZenML"})


def _of_runs(project: Project) -> Iterator[Source]:
    """Parameters that each run of a platform's pipeline is given, and what they train with."""
    trained = next((u.evidence() for u in project.uses("train.fit", notebook=False)), None)
    if trained is None:
        return
    for module in project.source:
        for call in module.calls if "RuntimeParameter" in module.names else ():
            value = call.arg(0, "name")
            if call.method == "RuntimeParameter" and value is not None and _sure(value.literal):
                yield Source("arguments", Evidence(call.span, call.told), trained)
    for use in project.uses("pipeline.define", notebook=False):
        if use.tool not in _TAKES_INPUTS or use.call is None:
            continue
        owner = project.modules[use.path].function(use.call.decorates)
        tuned = [p.name for p in owner.params if _sure(p.name)] if owner is not None else []
        if owner is not None and tuned:
            shown = f"pipeline {owner.name}: {', '.join(tuned[:3])}"
            yield Source("arguments", Evidence(owner.span, shown), trained)


def _sure(name: object) -> bool:
    """Whether a parameter of a whole pipeline is one of the training."""
    return isinstance(name, str) and bool(_OF_TRAINING.search(name))


def _of_program(
    project: Project, module: Module, trained: Evidence, walked: tuple[Scope, ...]
) -> Iterator[Source]:
    uses = [u for u in uses_of(project, walked) if u.capability in {"config.parse", "config.env"}]
    calls = list(calls_of(project, walked))
    yield from settings_files(project, uses, calls, trained)
    if (place := config_place(module)) is not None:
        yield Source("file", place, trained)
    names = _option_names(project, uses, calls)
    parsed = [u for u in uses if u.capability == "config.parse" and not reads_file(u)]
    if parsed and (names or not _only_switches(calls)):
        kind = "arguments" if any(tunes(n) for n in names) or not names else "places"
        yield Source(kind, parsed[0].evidence(), trained)
    yield from _of_run_configuration(project, walked, trained)
    yield from _of_pipeline_parameters(module, trained)
    if home := _home_made(module) or _sets_any(project, module):
        yield Source("arguments", home, trained)
    elif "argv" in module.names:
        call = next((c for c in module.calls if "argv" in c.text), None)
        place = Evidence(call.span, call.told) if call else trained
        named = [
            a
            for a in module.assigns
            if "argv" in a.value.text
            and any(HYPER.search(t) and not PLACES.search(t) for t in a.targets)
        ]
        if named:
            shown = f"{named[0].targets[0]} = {named[0].value.text}"
            yield Source("arguments", Evidence(named[0].span, shown), trained)
        else:
            yield Source("places", place, trained)
    elif (read := _helped(project, module, walked)) is not None:
        yield Source("places", read, trained)
    for use in uses:
        if use.capability == "config.env" and not _of_services(use):
            yield Source("env", use.evidence(), trained)
            break
    yield from _of_modules(project, walked, trained)


def _of_services(use: Use) -> bool:
    """Whether a variable says where a service is, who asks it, or nothing of a training."""
    if use.call is not None and use.call.method == "load_dotenv":
        return True  # which variables are read stands where they are
    names = re.findall(r"[\"'](\w+)[\"']", use.detail)[:1]
    if not names or HYPER.search(names[0]):
        return False
    return bool(_SERVICES.search(names[0])) or not _ENV_PLACES.search(names[0])


def _of_run_configuration(
    project: Project, walked: tuple[Scope, ...], trained: Evidence
) -> Iterator[Source]:
    """Classes of settings that an orchestrator, or the environment, fills for each run."""
    for path in dict.fromkeys(s.path for s in walked):
        for klass in project.modules[path].classes:
            bases = tuple(project.index.bases(path, klass)) if klass.fields else ()
            if any(_RUN_CONFIG.match(b) for b in bases):
                tuned = [f.name for f in klass.fields if tunes(f.name)]
            elif any(_SETTINGS_CLASS.match(b) for b in bases):
                tuned = [f.name for f in klass.fields if HYPER.search(f.name)]
            else:
                continue
            if tuned:
                shown = f"class {klass.name}: {', '.join(tuned[:3])}"
                yield Source("arguments", Evidence(klass.span, shown), trained)


def _of_pipeline_parameters(module: Module, trained: Evidence) -> Iterator[Source]:
    """Parameters that a platform's pipeline takes for each run."""
    given: list[tuple[str, Call]] = []
    for call in module.calls:
        if PIPELINE_PARAMETER.search(call.name):
            value = call.arg(0, "name")
            if value is not None and isinstance(value.literal, str):
                given.append((CAMEL.sub("_", value.literal), call))
    tuned = [call for name, call in given if tunes(name)]
    if given:
        call = (tuned or [given[0][1]])[0]
        kind = "arguments" if tuned else "places"
        yield Source(kind, Evidence(call.span, call.told), trained)


def unread_settings(project: Project) -> Evidence | None:
    """A file named like the settings of a training, for when nothing reads it."""
    files = [p for p in project.paths if re.search(r"(^|/)(hyper_?)?params\w*\.(ya?ml|json)$", p)]
    return Evidence(Span(files[0]), "settings") if files else None


def tunes_training(name: str) -> bool:
    """Whether a setting's name is one of a hyperparameter."""
    return bool(HYPER.search(name))


def _option_names(project: Project, uses: list[Use], calls: list[tuple[Module, Call]]) -> list[str]:
    """The options that a program declares; for fire and typer, the parameters of the function."""
    names: list[str] = []
    known = list({module.path: module for module, _ in calls}.values())
    for module, call in calls:
        if DEFINES.search(call.name) and not _is_switch(call):
            given = call.args or tuple(v for k, v in call.kwargs if k == "name")
            texts = [v.literal for v in given if isinstance(v.literal, str)]
            # What is declared and never asked for tunes nothing.
            told = PLACE if never_read(call, known) else max(texts, key=len, default="")
            names += [told] if texts else []
        if call.method in {"Fire", "run", "CLI", "cli", "auto_cli"} and call.args:
            symbol = project.index.resolve(call.args[0].name, module.path)
            function = project.index.function_of(symbol) if symbol else None
            names += [p.name for p in function.params] if function else []
    for use in uses:
        if use.call and use.call.decorates:
            owner = project.modules[use.path].function(use.call.decorates)
            names += [p.name for p in owner.params] if owner else []
        if use.call and use.call.name == "metaflow.IncludeFile":
            names.append(PLACE)  # which file of data goes with the run
    return names


def _is_switch(call: Call) -> bool:
    """Whether an option takes no value and chooses what is done: `--download`, `--train`."""
    action = call.kw("action")
    if action is None or action.literal not in {"store_true", "store_false"}:
        return False
    return not any(isinstance(v.literal, str) and HYPER.search(v.literal) for v in call.args)


def _only_switches(calls: list[tuple[Module, Call]]) -> bool:
    """Whether all that a program is told is which of its steps to do."""
    defined = [c for _, c in calls if DEFINES.search(c.name)]
    return len(defined) > 1 and all(_is_switch(c) for c in defined)


def _home_made(module: Module) -> Evidence | None:
    """`exec` of a file of settings: values given outside overwrite the module's own."""
    for call in module.calls:
        if call.name == "exec" and call.args and "open(" in call.args[0].text:
            return Evidence(call.span, call.told)
    return None


def _sets_any(project: Project, module: Module) -> Evidence | None:
    """A parser of the project that sets whatever the command line names: `--lr=0.1`."""
    for call in module.calls if "argv" in module.names else ():
        if not call.args or not _ALL_ARGUMENTS.fullmatch(call.args[0].text):
            continue
        for other in project.source:
            for function in other.functions:
                if function.name != call.method:
                    continue
                inside = {c.method for c in other.calls_in(function.qualname)}
                if "setattr" in inside or inside & {"literal_eval", "set_attribute"}:
                    return Evidence(call.span, call.told)
    return None


def _helped(project: Project, module: Module, walked: tuple[Scope, ...]) -> Evidence | None:
    """The arguments by their position, which a helper in another module hands to the program."""
    for scope in walked:
        other = project.modules.get(scope.path)
        if other is None or scope.path == module.path or not scope.qualname:
            continue
        for assign in other.assigns if "argv" in other.names else ():
            if assign.scope == scope.qualname and re.match(r"sys\.argv\[", assign.value.text):
                return Evidence(assign.span, f"{assign.targets[0]} = {assign.value.text}")
    return None


def _of_modules(project: Project, walked: tuple[Scope, ...], trained: Evidence) -> Iterator[Source]:
    """A settings module of constants that the training code imports."""
    for path in dict.fromkeys(s.path for s in walked):
        module = project.modules.get(path)
        if module is None or not _MODULE.search(path):
            continue
        for assign in module.assigns:
            if assign.scope:
                continue
            value = assign.value
            table = (k for k in _ENTRY.findall(value.text[:2000]) if _OF_TRAINING.search(k))
            if (value.is_literal and tunes(assign.targets[0])) or next(table, ""):
                detail = f"{assign.targets[0]} = {value.text}"
                yield Source("module", Evidence(assign.span, detail), trained)
                return
