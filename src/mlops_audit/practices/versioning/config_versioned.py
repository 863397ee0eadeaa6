"""VER08: hyperparameters and settings in tracked files."""

from __future__ import annotations

import re

from mlops_audit.graph import Project
from mlops_audit.graph.cloudpipelines import cloud_settings
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
    settings_in_use,
    settings_modules,
)
from mlops_audit.regex import regex

_STORED_MODEL = regex(r"(^|/)(python_env|conda|MLmodel|registered_model_meta)(\.ya?ml)?$")
_OF_A_MODEL = regex(
    r"(^|/)(artifacts?|checkpoints?|weights|pretrained\w*|saved_models?|exported\w*)/.*\.json$",
    re.IGNORECASE,
)
_MONITORS = regex(r"(^|/)\w*(monitor|drift)[^/]*(/|\.)", re.IGNORECASE)
_LOOKED_FOR = "hyperparameters in a tracked settings file or module that code reads"


_WATCHING = "settings of the monitoring"
# JSON also holds data, answers and schemas; its name says that it holds settings.
_JSON_SETTINGS = regex(
    r"(^|[/_.-]|project|pipeline|app|model|train(ing)?)(config\w*|settings?|conf|params|parameters)"
    r"\.json$",
    re.IGNORECASE,
)


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
    every: list[Evidence] = []
    for path, found, is_read in settings_files(project):
        if found and _OF_A_MODEL.search(path) and not read_by_training(project, path):
            unused += found[:1]  # what a finished model was trained with
        elif found and is_read and _of_monitoring(project, path):
            plain.append(Evidence(Span(path), _WATCHING))
        elif found and is_read:
            hyper += found[:3]
            every += found
        elif found:
            unused += found[:1]
        elif is_read and _is_settings(path) and not _STORED_MODEL.search(path):
            plain.append(_first_line(project, path, "settings"))
    for path, found in settings_modules(project):
        if found:
            hyper += found[:2]
            every += found
        else:
            plain.append(_first_line(project, path, "a settings module"))
    told, given = _of_mage(project)
    told += [e for name, e in cloud_settings(project) if is_hyperparameter(name)]
    hyper += told[:3]
    every += told
    # What packages an image holds, and what a cluster runs, are settings of another kind.
    plain = [e for e in plain if not _OTHER.search(project.text(e.span.path) or "")] or plain
    if not hyper:
        return _in_code(project, plain, unused, given)
    hyper.sort(key=lambda e: not _PLAINLY.search(e.detail))
    if all(_DIVIDES.search(e.detail) for e in every) and _written_in_code(project):
        said = "how data is split and drawn is tracked, hyperparameters are constants in code"
        return partial(said, hyper[:4])
    return passed("hyperparameters stand in tracked settings that code reads", hyper[:8])


def _is_settings(path: str) -> bool:
    return not path.endswith(".json") or bool(_JSON_SETTINGS.search(path))


def _of_monitoring(project: Project, path: str) -> bool:
    """Whether the name of a file, or the code beside it, says that it serves the monitoring."""
    folder = path.rpartition("/")[0]
    beside = [p for p in project.modules if p.rpartition("/")[0] == folder] if folder else []
    watches = not project.roles.training.intersection(beside) and any(
        u.path in beside for u in project.uses("drift.detect", test=False, notebook=False)
    )
    return (watches or bool(_MONITORS.search(path))) and not read_by_training(project, path)


def _of_mage(project: Project) -> tuple[list[Evidence], list[Evidence]]:
    """The hyperparameters among the variables of Mage's pipelines that train, else the first."""
    told: list[Evidence] = []
    given: list[Evidence] = []
    for pipeline in mage_pipelines(project):
        if pipeline.variables and pipeline.trains(project):
            found = [e for name, e in pipeline.variables if is_hyperparameter(name)]
            told += found
            given += [pipeline.variables[0][1]] if not found else []
    return told, given


# How the data is divided and drawn; nothing of the model.
_DIVIDES = regex(
    r"^\W*([\w.-]*[_.-])?(test_?size|val(idation)?_?size|split(_?ratio)?|train_?split|random_?state|seed|"
    r"n_?splits|cv_?folds|threshold|max_?features|ngrams?|ngram_?range)\b[\"']?\s*[:=]",
    re.IGNORECASE,
)

_COMPILED = regex(r"^# PIPELINE DEFINITION$|^sdkVersion: kfp\b", re.MULTILINE)
_OTHER = regex(r"^(dependencies|channels|apiVersion|kind)\s*:", re.MULTILINE)
_PLAINLY = regex(
    r"learning_?rate|\blr\b|epochs?|batch|depth|estimators|hidden|dropout|layers|test_size|alpha|gamma|"
    r"weight_decay|momentum|features|iter|units|optimi[sz]er|loss|kernel|\bC\b|leaf|penalty|warmup",
    re.IGNORECASE,
)
_DEFAULT = regex(r"\s*defaultValue:")  # of a compiled pipeline's parameter
# JSON of pages, editors and notebooks' servers.
_OF_TOOLS = regex(
    r"(^|/)(front-?end|web(site)?|ui|public|static|client|dashboards?|resources|home|\.[^/]+)/|"
    r"jupyter|(^|/)settings\.json$",
    re.IGNORECASE,
)
_PLUMBING = regex(r"getLogger|TypeVar|get_logger")
_SETTING = regex(r"""^\s*["']?[A-Za-z_][\w.-]*["']?\s*[:=]""")


def _written_in_code(project: Project) -> bool:
    """Whether training code gives its model literal hyperparameters, or the range of a search."""
    for path in sorted(project.roles.training):
        module = project.modules.get(path)
        for call in module.calls if module is not None else ():
            given = ((k, v) for k, v in call.kwargs if k == "C" or is_hyperparameter(k))
            if call.method.startswith("suggest_") or any(
                v.is_literal
                and isinstance(v.literal, int | float | str)
                and not _DIVIDES.search(f"{k}:")
                for k, v in given
            ):
                return True
    return False


def _first_line(project: Project, path: str, what: str) -> Evidence:
    """A file of settings by the first setting in it; no line of a docstring is one."""
    module = project.modules.get(path)
    for assign in module.assigns if module is not None else ():
        plumbing = _PLUMBING.search(assign.value.text)
        if not assign.scope and not assign.targets[0].startswith("__") and not plumbing:
            told = f"{what}: {assign.targets[0]} = {assign.value.text.splitlines()[0]}"
            return Evidence(assign.span, told)
    text = project.text(path) or ""
    compiled = _COMPILED.search(text) and "defaultValue:" in text
    setting = _DEFAULT if compiled else _SETTING
    for number, line in enumerate(text.splitlines(), 1):
        if setting.match(line):
            return Evidence(Span(path, number), f"{what}: {line.strip()}")
    return Evidence(Span(path), what)


def _in_use(project: Project, place: Evidence) -> bool:
    """Whether a service, a pipeline or what deploys them takes its settings from a file."""
    path = place.span.path
    plainly = place.detail != _WATCHING and _JSON_SETTINGS.search(path)
    return bool(plainly and not _OF_TOOLS.search(path)) or settings_in_use(project, path)


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
    of_training = [e for e in plain if read_by_training(project, e.span.path)] + given
    used = plain if project.roles.trains else []
    plain = of_training or [e for e in used if _in_use(project, e)]
    if plain:
        return partial("settings are tracked, hyperparameters are constants in code", plain[:3])
    if unused:
        return hollow("a settings file is read by nothing", unused, looked_for=_LOOKED_FOR)
    return failed(
        "hyperparameters stand in notebooks or as constants in code", looked_for=_LOOKED_FOR
    )
