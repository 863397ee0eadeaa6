"""Files that code writes at places which another function, a settings file or a framework names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Call, Function, Value
from mlops_audit.graph.outputs import (
    Output,
    computed_path,
    literal_path,
    saves_models,
    written,
)
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["handed_files"]

# Where frameworks keep what they train; the argument that names the folder.
_KEEPERS = (
    (regex(r"^transformers\..*TrainingArguments$"), "output_dir", 0),
    (regex(r"^trl\.\w*Config$"), "output_dir", 0),
    (regex(r"^(pytorch_)?lightning\..*ModelCheckpoint$"), "dirpath", 0),
    (regex(r"^(tensorflow\.)?keras\..*ModelCheckpoint$"), "filepath", 0),
    (regex(r"^(pytorch_)?lightning\.(.*\.)?Trainer$"), "default_root_dir", -1),
)
_NAMES = ("TrainingArguments", "Config", "ModelCheckpoint", "Trainer")
# What sends MLflow's runs elsewhere, beside an address that is set.
_PLATFORMS = frozenset({"azureml", "azure", "databricks", "sagemaker", "dagshub", "zenml", "kedro"})
_ADDRESS = ("MLFLOW_TRACKING_URI", "azureml", "databricks")


def handed_files(project: Project) -> Iterator[Output]:
    """The files that code outside tests writes at a path that does not stand in the call.

    A function that writes where its caller says (`save_object(path, model)`) writes at every place
    that its callers name.
    """
    takers: dict[str, list[tuple[str, Function, Value, Call]]] = {}
    for module in project.own_code:
        for call in module.calls:
            if not call.runs:
                continue
            if (keeper := _kept(call)) is not None:
                found = computed_path(keeper, module, call.scope, project)
                if found is not None:
                    yield Output(found[0], found[1], model=True, call=call, module=module)
                continue
            value = written(call)
            if value is None or literal_path(value, module, call.scope, project) is not None:
                continue
            found = computed_path(value, module, call.scope, project)
            if found is not None:
                yield Output(found[0], found[1], saves_models(call, module), call, module)
                continue
            function = module.function(call.scope)
            if function is not None and any(p.name == value.text for p in function.params):
                takers.setdefault(function.name, []).append((module.path, function, value, call))
    yield from _given(project, takers)
    yield from _tracked_here(project)


def _tracked_here(project: Project) -> Iterator[Output]:
    """The folder where MLflow keeps the models that scripts log, while nothing names a server."""
    logged = [
        u
        for u in project.uses("tracker.model", test=False, notebook=False)
        if u.tool == "MLflow" and u.call is not None and not project.is_example(u.path)
    ]
    if not logged or any(project.uses("tracker.uri", "tracker.remote")):
        return
    if any(m.roots & _PLATFORMS for m in project.modules.values()):
        return
    for path in project.glob("**/*.y*ml", "**/*.env*", "**/Dockerfile*", "Makefile", "README*"):
        if any(word in (project.text(path) or "") for word in _ADDRESS):
            return
    use = logged[0]
    if use.call is not None:
        module = project.modules[use.path]
        yield Output("mlruns", exact=True, model=True, call=use.call, module=module)


def _kept(call: Call) -> Value | None:
    if not call.method.endswith(_NAMES):
        return None
    for names, argument, position in _KEEPERS:
        if names.search(call.name):
            return call.kw(argument) or (call.arg(position) if position >= 0 else None)
    return None


def _given(
    project: Project, takers: dict[str, list[tuple[str, Function, Value, Call]]]
) -> Iterator[Output]:
    """What callers hand to functions that write where they are told."""
    for module in project.own_code if takers else ():
        for call in module.calls:
            if not call.runs or call.method not in takers:
                continue
            targets = {(s.path, s.qualname) for s in project.index.targets(call, module.path)}
            for home, function, value, write in takers[call.method]:
                if (home, function.qualname) not in targets:
                    continue
                given = _argument(call, function, value.text)
                found = given and computed_path(given, module, call.scope, project)
                if found:
                    model = saves_models(write, project.modules[home])
                    yield Output(found[0], found[1], model, call, module)


def _argument(call: Call, function: Function, name: str) -> Value | None:
    names = [p.name for p in function.params if not p.gathers]
    if function.owner and names[:1] in (["self"], ["cls"]):
        names = names[1:]
    return call.arg(names.index(name), name) if name in names else None
