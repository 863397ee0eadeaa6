"""Which files do the work of each stage: computing features, training, predicting."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_audit.facts.code import Module
from mlops_audit.graph.features import feature_code, made_in
from mlops_audit.graph.scopes import Scope, calls_of, scopes
from mlops_audit.graph.training import TRAINING, is_training, trains_here
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["Stage", "Stages", "find_stages"]

# Modules that are named for their work come first as evidence, and count where features exist.
_NAMES = {
    "features": regex(r"featur|preprocess|transform|prepar|data|etl", re.IGNORECASE),
    "training": regex(r"train|fit|model", re.IGNORECASE),
    "inference": regex(r"predict|infer|serv|scor|app|api|deploy|batch", re.IGNORECASE),
}
_FEATURE_MODULE = regex(
    r"(^|/)((build_|make_|create_)?features?(_\w+)?|feature-\w+|featuri[sz]\w*|"
    r"(data_)?preproc\w*|transformations?)(/|\.py$)",
    re.IGNORECASE,
)
_COMMANDS = ("command", "entrypoint", "local_entrypoint", "flow", "dag", "task", "step", "op")


# Switches a mode on, or sets a rate, and trains nothing by itself.
_PREPARES = regex(r"\b(model|net|self)\.train\(\)$|scheduler\.step\(\)$")


class Stage(Struct, frozen=True):
    """The work of one stage: the files that do it, and a place in each; empty where none does."""

    name: str
    places: tuple[tuple[str, Evidence], ...]

    @property
    def files(self) -> frozenset[str]:
        """The files that do this work."""
        return frozenset(p for p, _ in self.places)

    def __bool__(self) -> bool:
        """Whether anything does this work."""
        return bool(self.places)

    def shown(self, apart_from: frozenset[str] = frozenset()) -> Evidence:
        """A place that shows the stage, in a file of its own where there is one."""
        own = [e for p, e in self.places if p not in apart_from] or [e for _, e in self.places]
        return next((e for e in own if not _PREPARES.search(e.detail)), own[0])


class Stages(Struct, frozen=True):
    """The three stages of a project.

    `commands` says that one file trains and predicts, but in separate commands.
    """

    features: Stage
    training: Stage
    inference: Stage
    commands: bool = False

    @property
    def features_apart(self) -> bool:
        """Whether features are computed in a module that neither trains nor alone predicts."""
        own = self.features.files - self.training.files
        # A model that is fitted there to choose columns is no training stage.
        named = {p for p in self.features.files if _FEATURE_MODULE.search(p)}
        own |= named if self.training.files - self.features.files else set()
        elsewhere = not self.inference or bool(self.inference.files - self.features.files)
        return bool(own - self.inference.files) or (bool(own) and elsewhere)

    @property
    def inference_apart(self) -> bool:
        """Whether a module predicts without training."""
        return bool(self.inference.files - self.training.files) or self.commands

    @property
    def training_apart(self) -> bool:
        """Whether a module trains without predicting."""
        return bool(self.training.files - self.inference.files) or self.commands


def find_stages(project: Project) -> Stages:
    """Find what does features, training and inference, tests and examples left out."""
    features = _stage("features", [(e.span.path, e) for e in _features(project)], project)
    training = _stage("training", _training(project), project)
    used = [p for p in project.predictions if p.kind not in {"client", "evaluation"}]
    used = used or [p for p in project.predictions if p.kind == "evaluation"]
    inference = _stage("inference", [(p.path, p.evidence[0]) for p in used], project)
    both = training.files & inference.files
    commands = any(_in_commands(project, path) for path in both)
    return Stages(features, training, inference, commands)


def _stage(name: str, found: list[tuple[str, Evidence]], project: Project) -> Stage:
    first: dict[str, Evidence] = {}
    for path, evidence in found:
        if path not in project.test_files:
            first.setdefault(path, evidence)
    own = {p: e for p, e in first.items() if not project.is_example(p)}
    ranked = sorted(
        (own or first).items(),
        key=lambda i: (i[0].endswith(".ipynb"), not _NAMES[name].search(i[0])),
    )
    return Stage(name, tuple(ranked))


def _features(project: Project) -> list[Evidence]:
    found = list(feature_code(project))
    found += [u.evidence() for u in project.uses("feature.store", test=False)]
    if found:
        found += [
            made_in(module, module.functions[0])
            for module in project.source
            if module.functions and _FEATURE_MODULE.search(module.path)
        ]
    return found


def _training(project: Project) -> list[tuple[str, Evidence]]:
    found = [(u.path, u.evidence()) for u in project.uses(*TRAINING) if is_training(u)]
    known = {p for p, _ in found}
    found += [(e.span.path, e) for e in project.roles.evidence if e.span.path not in known]
    found = [(p, e) for p, e in found if p in project.roles.training]
    return sorted(found, key=lambda i: (i[0].endswith(".ipynb"), "train" not in i[0], i[0]))


def _in_commands(project: Project, path: str) -> bool:
    """Whether a module that trains and predicts does each in a command of its own."""
    module = project.modules.get(path)
    if module is None:
        return False
    trains, predicts = set(), set()
    for function in module.functions:
        if any(d.rsplit(".", 1)[-1] in _COMMANDS[:3] for d in function.decorators):
            found = scopes(project, [Scope(path, function.qualname)])
            if trains_here(project, found):
                trains.add(function.qualname)
            elif _predicts(project, found):
                predicts.add(function.qualname)
    return bool(trains and predicts)


def _predicts(project: Project, found: tuple[Scope, ...]) -> bool:
    calls: list[tuple[Module, str]] = [(m, c.method) for m, c in calls_of(project, found)]
    return any(name.startswith(("predict", "generate", "infer")) for _, name in calls)
