"""Settings of a run that its code keeps: dumped into a file, in a checkpoint, or by Hydra."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.code import Call, Module, Value
from mlops_audit.graph import Project
from mlops_audit.graph.called import is_called
from mlops_audit.graph.settings import setting
from mlops_audit.model import Evidence, Span
from mlops_audit.practices.tracking._records import own_calls
from mlops_audit.practices.tracking._result_files import DUMPS
from mlops_audit.regex import regex

__all__ = ["checkpoints", "snapshots"]

_SETTINGS = regex(
    r"^(vars\(|asdict\(|dict\(|OmegaConf\.\w+\(|dataclasses\.asdict\()*(self\.)?_?(\w{1,20}[._])?"
    r"(args?|cfg|conf|config\w*|hparams|hyper_?param\w*|params|parameters|settings|opts?|flags|"
    r"FLAGS)\b(\.(__dict__|to_dict\(\)|dict\(\)|model_dump\(.{0,30}\)|as_dict\(\)|dump\(\)))?\)*$"
)
# `{k: str(v) for k, v in vars(args).items()}`: all settings of a run, made ready to be written.
_COPIED = regex(
    r"(\bvars|\basdict|to_container|to_dict)\((self\.)?(args?|cfg|config|hparams|opts?|params)\)|"
    r"\b(args?|cfg|config|hparams|opts?)\.__dict__"
)
_DEPLOYS = regex(r"deploy|stack|infra|terraform|template|run_pipeline", re.IGNORECASE)
_SAVES = regex(r"(_?save(_\w{1,40})?|dump)$")
_FILLED = regex(r"^[\w.]+\[[\"'](\w+)[\"']\]$")
_META_KEYS = regex(
    r"^(config|cfg|args|hparams|hyper_?parameters|hyper_params|model_args|params|metadata|meta|"
    r"settings|classes|class_names|features|feature_names|columns|vocab|version|"
    r"model_config|train_config|metrics|data_version|git_\w+|commit|"
    r"(best|val|valid|test)_(\w{1,20}_)?(loss|acc|accuracy|score|auc|f1|metrics?|iou|dice|map)|"
    r"best_(metrics?|score|loss|acc\w*)|\w{1,20}_best)$",
    re.IGNORECASE,
)


def snapshots(project: Project) -> list[Evidence]:
    """Places that keep the settings of a run: dumped, in a checkpoint, or by Hydra."""
    found = [
        u.evidence()
        for u in project.uses("config.save", test=False)
        if is_called(project, u.path, u.scope)
        and _is_settings(u.detail)
        and not _DEPLOYS.search(f"{u.path} {u.scope}")
    ]
    for module, call in own_calls(project):
        if call.method not in DUMPS or not is_called(project, module.path, call.scope):
            continue
        first = call.args[0] if call.args else None
        if first is None:
            continue
        if _DEPLOYS.search(f"{module.path} {call.scope}"):
            continue
        whole = _SETTINGS.match(first.text) and not module.notebook
        copied = _COPIED.search(_given(module, call, first))
        if whole or copied or re.search(r"dumps?\((vars\()?(args|cfg|config)\b", first.text):
            found.append(Evidence(call.span, call.told))
    found += [e for e, keys in checkpoints(project) if any(_is_settings(k) for k in keys)]
    found += [
        Evidence(c.span, "Hydra keeps the settings of each run")
        for m, c in own_calls(project, notebooks=False)
        if c.name == "hydra.main" and c.decorates and _hydra_name(c) not in _without_record(project)
    ]
    return found


def _hydra_name(call: Call) -> str:
    """The settings file that a program of Hydra reads, without its ending."""
    value = call.kw("config_name")
    name = value.literal if value is not None else None
    return name.removesuffix(".yaml") if isinstance(name, str) else ""


def _without_record(project: Project) -> frozenset[str]:
    """The settings files that tell Hydra to keep none of a run's settings."""
    return frozenset(
        item.span.path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        for item in setting(project, "output_subdir")
        if item.key.endswith("hydra.output_subdir") and item.value in {None, "", "null"}
    )


def _given(module: Module, call: Call, value: Value) -> str:
    """What the name that a call writes was last set to."""
    before = [
        a
        for a in module.assigns
        if value.text in a.targets
        and a.scope == call.scope
        and module.flat(a.span) <= module.flat(call.span)
    ]
    return max(before, key=lambda a: module.flat(a.span)).value.text if before else ""


def _is_settings(key: str) -> bool:
    return bool(re.search(r"config|cfg|args|hparams|param|settings", key, re.IGNORECASE))


def checkpoints(project: Project) -> Iterator[tuple[Evidence, tuple[str, ...]]]:
    """Dictionaries that are saved with a model in them, and their keys that describe it."""
    for module, call in own_calls(project):
        # Also a function of the project that saves on one machine of many: `save_on_master`.
        if not _SAVES.match(call.method) or not call.args:
            continue
        if not is_called(project, module.path, call.scope):
            continue
        keys, place = _keys(module, call, call.args[0])
        if not keys and len(call.args) > 1:  # Lightning's Fabric is told the path first
            keys, place = _keys(module, call, call.args[1])
        holds = any(
            re.search(r"model|state|net|weights|estimator|clf", k, re.IGNORECASE) for k in keys
        )
        told = tuple(k for k in keys if _META_KEYS.match(k))
        if holds and told:
            detail = f"saved with the model: {', '.join(told[:5])}"
            yield Evidence(place, detail), told


def _keys(module: Module, call: Call, value: Value) -> tuple[list[str], Span]:
    """The keys of the dictionary that a call saves, and where it is written down."""
    if value.keys:
        return [k.strip("\"'") for k in value.keys], call.span
    here = module.flat(call.span)
    before = [a for a in module.assigns if a.scope == call.scope and module.flat(a.span) <= here]
    whole = [a for a in before if value.text in a.targets and a.value.keys]
    if whole:
        return [k.strip("\"'") for k in whole[-1].value.keys], whole[-1].span
    # Filled key by key: `package["args"] = self.args`.
    filled = {
        m[1]: a.span
        for a in before
        for target in a.targets
        if target.startswith(f"{value.text}[") and (m := _FILLED.search(target))
    }
    told = [span for key, span in filled.items() if _META_KEYS.match(key)]
    return list(filled), told[0] if told else call.span
