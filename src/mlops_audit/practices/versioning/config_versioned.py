"""VER08: hyperparameters and settings in tracked files."""

from __future__ import annotations

import re

from mlops_audit.graph import Project
from mlops_audit.graph.magefiles import mage_pipelines
from mlops_audit.graph.stores import LIBRARY
from mlops_audit.model import (
    Evidence,
    Span,
    Verdict,
    failed,
    hollow,
    not_applicable,
    partial,
    passed,
)
from mlops_audit.practices.base import practice
from mlops_audit.practices.versioning._settings import (
    code_defaults,
    command_line,
    is_hyperparameter,
    read_by_training,
    settings_files,
    settings_modules,
)

_STORED_MODEL = re.compile(r"(^|/)(python_env|conda|MLmodel|registered_model_meta)(\.ya?ml)?$")
_MONITORS = re.compile(r"(^|/)\w*(monitor|drift)[^/]*(/|\.)", re.IGNORECASE)
_LOOKED_FOR = "hyperparameters in a tracked settings file or module that code reads"


@practice(
    id="VER08",
    title="Hyperparameters and settings are tracked files",
    assets="model, code",
    level="1s",
    sources="S2 S4",
    fix="Move hyperparameters from code into params.yaml and read it in the training program.",
    template=(
        "params.yaml",
        "src/<package>/params.py",
    ),
    needs=("training",),
)
def config_versioned(project: Project) -> Verdict:
    """Judge where hyperparameters stand."""
    if project.roles.kind == "library":
        return not_applicable(LIBRARY)
    hyper: list[Evidence] = []
    plain: list[Evidence] = []
    unused: list[Evidence] = []
    given: list[Evidence] = []
    for path, found, is_read in settings_files(project):
        if found and is_read and _MONITORS.search(path) and not read_by_training(project, path):
            plain.append(Evidence(Span(path), "settings of the monitoring"))
        elif found and is_read:
            hyper += found[:3]
        elif found:
            unused += found[:1]
        elif is_read and not path.endswith(".json") and not _STORED_MODEL.search(path):
            plain.append(_first_line(project, path, "settings"))
    for path, found in settings_modules(project):
        if found:
            hyper += found[:2]
        else:
            plain.append(_first_line(project, path, "a settings module"))
    for pipeline in mage_pipelines(project):
        if pipeline.variables and pipeline.trains(project):
            told = [e for name, e in pipeline.variables if is_hyperparameter(name)]
            hyper += told[:3]
            given += [pipeline.variables[0][1]] if not told else []
    # What packages an image holds, and what a cluster runs, are settings of another kind.
    plain = [e for e in plain if not _OTHER.search(project.text(e.span.path) or "")] or plain
    if hyper:
        hyper.sort(key=lambda e: not _PLAINLY.search(e.detail))
        return passed("hyperparameters stand in tracked settings that code reads", hyper[:8])
    return _in_code(project, plain, unused, given)


_OTHER = re.compile(r"^(dependencies|channels|apiVersion|kind)\s*:", re.MULTILINE)
_PLAINLY = re.compile(
    r"learning_?rate|\blr\b|epochs?|batch|depth|estimators|hidden|dropout|layers|test_size|alpha|gamma|"
    r"weight_decay|momentum|features|iter|units|optimi[sz]er|loss|kernel|\bC\b|leaf|penalty|warmup",
    re.IGNORECASE,
)
_SETTING = re.compile(r"""^\s*["']?[A-Za-z_][\w.-]*["']?\s*[:=]""")


def _first_line(project: Project, path: str, what: str) -> Evidence:
    """A file of settings by the first setting in it; no line of a docstring is one."""
    module = project.modules.get(path)
    for assign in module.assigns if module is not None else ():
        if not assign.scope and not assign.targets[0].startswith("__"):
            told = f"{what}: {assign.targets[0]} = {assign.value.text.splitlines()[0]}"
            return Evidence(assign.span, told)
    for number, line in enumerate((project.text(path) or "").splitlines(), 1):
        if _SETTING.match(line):
            return Evidence(Span(path, number), f"{what}: {line.strip()}")
    return Evidence(Span(path), what)


def _in_code(
    project: Project, plain: list[Evidence], unused: list[Evidence], given: list[Evidence]
) -> Verdict:
    """Judge a project whose settings files hold no hyperparameters."""
    lines = list(command_line(project))
    if lines:
        return partial("hyperparameters stand in command lines of tracked scripts", lines[:5])
    defaults = list(code_defaults(project))
    if defaults:
        said = "hyperparameters are defaults in code"
        if plain:
            said = f"settings are tracked, {said} and no file sets them"
        return partial(said, [*plain[:3], *defaults[:3]])
    plain = [e for e in plain if read_by_training(project, e.span.path)] + given
    if plain:
        return partial("settings are tracked, hyperparameters are constants in code", plain[:3])
    if unused:
        return hollow("a settings file is read by nothing", unused, looked_for=_LOOKED_FOR)
    return failed(
        "hyperparameters stand in notebooks or as constants in code", looked_for=_LOOKED_FOR
    )
