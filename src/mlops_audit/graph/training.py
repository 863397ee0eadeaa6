"""Which code trains a model, as opposed to fitting a scaler, an encoder or a curve."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Call, Function, Module
from mlops_audit.graph.memo import once
from mlops_audit.graph.scopes import Scope, calls_of, scopes, uses_of
from mlops_audit.graph.uses import Use, gives_coefficients
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["TRAINING", "draws", "is_training", "own_fit", "programs", "training_calls",
           "training_programs", "trains_here"]  # fmt: skip

TRAINING = ("train.fit", "train.search", "train.loop")
# Receivers of `.fit` that prepare features.
_PREPARES = regex(
    r"scal(er|ing)|encod|vector|tfidf|\bdv\b|\bcv\b|count_vect|bag_of|token|imput|pca\b|reduc|umap|"
    r"tsne|svd|transform|preproc|normali[sz]|standard|discreti|binari[sz]|selector|\ble\b|\bohe\b|"
    r"featur|augment|datagen|generator|explain|visuali[sz]|elbow|calib|detector_drift|column",
    re.IGNORECASE,
)
_MODELS = regex(
    r"model|\bclf\b|classif|regress|estimator|\breg\b|pipe|\bnet\b|learn|train|forest|tree|boost|"
    r"svm|svc|knn|kmeans|cluster|bayes|\blr\b|\brf\b|xgb|lgb|catboost|search|\bgs\b|grid|forecast|"
    r"prophet|automl|tuner|\bgan\b|autoencoder|\bself\b",
    re.IGNORECASE,
)
_LIBRARY_TRANSFORMS = regex(
    r"\.(preprocessing|impute|feature_extraction|feature_selection|decomposition|compose)\."
)
# Steps of pipelines: defining one runs no training, but where an estimator of SageMaker's trains
# and where the platform itself brings the training code.
_STEPS = regex(
    r"^(tfx|kfp|google_cloud_pipeline_components(?![\w.]*\.AutoML\w*TrainingJobRunOp$)|"
    r"sagemaker\.workflow(?!\.steps\.T(raining|uning)))\."
)
# The `train()` of a network that was read only sets its mode.
_A_NETWORK = regex(r"\.from_(pretrained|config)\.train$")
_DRAWS = regex(r"(^|\.)_?(plot|draw|visuali[sz]e|illustrate)_\w")
_LABELLED = 2  # `fit(X, y)`


def draws(scope: str) -> bool:
    """Whether a function makes a picture, by its name: what it fits is for that alone."""
    return bool(scope) and _DRAWS.search(scope) is not None


def is_training(use: Use) -> bool:
    """Whether a use is one that trains a model."""
    if use.capability not in TRAINING:
        return False
    kind = use.details.kind if use.details else ""
    if kind == "curve" or draws(use.scope):
        return False
    call = use.call
    if call is None:
        return True
    if _LIBRARY_TRANSFORMS.search(call.name) or _STEPS.match(call.name):
        return False
    if call.method == "train" and _A_NETWORK.search(call.name):
        return False
    if kind == "receiver unknown" or call.name.startswith("?.fit"):
        return _fits(call)
    return True


def _fits(call: Call) -> bool:
    """Whether a `fit` on an unknown receiver is one of a model, by its name and arguments."""
    if _PREPARES.search(call.receiver):
        return False
    if call.receiver == "self" and "transform" in call.scope.lower():
        return False  # a transformer fits itself
    if _MODELS.search(call.receiver):
        return True
    return len(call.args) >= _LABELLED or any(
        k in {"y", "epochs", "sample_weight", "eval_set", "validation_data", "callbacks"}
        for k, _ in call.kwargs
    )


# Receivers whose origin is a project's function or a dynamic look-up: no row of the catalogue can
# know them, but the methods speak for themselves.
_DYNAMIC = regex(r"^(eval|getattr|globals|locals|hydra\.utils\.(instantiate|get_class)|:|\.)")
# A project's own builder, imported from another module: `from model_def import get_model`.
_BUILDER = regex(
    r"(^|\.)(get|build|create|make|define|init|load)_(\w{1,30}_)?(model|net|network|classifier|regressor|"
    r"estimator|pipeline)(_\w{1,30})?\.\w+$"
)
_OF_A_CLASS = regex(r"[a-z]\w*(\.\w+){0,8}\.[A-Z]\w*\.fit$")
_OF_TRAINING = frozenset(
    {"epochs", "n_epochs", "num_epochs", "max_epochs", "validation_data", "eval_set", "val_data"}
)
_TRAINS = frozenset({"fit", "fit_predict", "partial_fit", "backward"})
_MODE = frozenset({"mode"})
_BUILT_IN = regex(r"^(sum|max|min|zip|dict|list|tuple|next|getattr|eval|\?)\.")


def own_fit(module: Module) -> Function | None:
    """The method that fits a model which the project implements: its class also predicts."""
    for function in module.functions:
        if function.name == "fit" and function.owner and not function.stub:
            predict = module.function(f"{function.owner}.predict")
            if predict is not None and not predict.stub:
                return function
    return None


def programs(project: Project, paths: Iterable[str]) -> frozenset[str]:
    """The modules among some that a person starts, and that are no examples or tests.

    What a library's classes do when others call them is its product; only a program of its own
    shows how the project itself works.
    """
    started = {v.split(":")[0] for v in project.console_scripts.values()}
    return frozenset(
        path
        for path in paths
        if (module := project.modules.get(path)) is not None
        and not (project.is_example(path) or project.is_test(path))
        and not _tries_itself(project, path)
        and (
            module.main_line is not None
            or any(path.removesuffix(".py").replace("/", ".").endswith(s) for s in started)
        )
    )


def _tries_itself(project: Project, path: str) -> bool:
    """Whether a package's module only tries its own code when it is run: it takes no settings."""
    folder = path.rpartition("/")[0]
    if not folder or not project.has(f"{folder}/__init__.py"):
        return False
    if path.endswith(("/__main__.py", "/cli.py", "/main.py")):
        return False
    return not any(u.capability == "config.parse" for u in project.uses_in(path))


@once
def training_programs(project: Project) -> frozenset[str]:
    """The modules that train, and the programs that start what trains in another module."""
    found = {p for p in project.roles.training if p not in project.test_files}
    for module in project.source:
        path = module.path
        if path in found or project.is_example(path) or module.main_line is None:
            continue
        if trains_here(project, scopes(project, [Scope(path)])):
            found.add(path)
    return frozenset(found)


def training_calls(module: Module) -> Iterator[Call]:
    """Calls that train although no row of the catalogue can know their receiver."""
    return (call for call in module.calls if call.runs and _dynamic(module, call))


def _dynamic(module: Module, call: Call) -> bool:
    method = call.method
    if method in _TRAINS and draws(call.scope):
        return False
    if method in {"fit_predict", "partial_fit", "fit"} and (
        _DYNAMIC.match(call.name) or _BUILDER.search(call.name)
    ):
        return bool(call.name.count(".")) and _fits(call)
    if method == "fit" and _OF_A_CLASS.match(call.name):
        # A library that no row knows: the arguments or the receiver speak for themselves.
        told = any(k in _OF_TRAINING for k, _ in call.kwargs) or _MODELS.search(call.receiver)
        aside = _PREPARES.search(call.receiver) or _LIBRARY_TRANSFORMS.search(call.name)
        return bool(told) and not aside and not gives_coefficients(module, call)
    # A loss is whatever a model or a function of a library gave (`model(**batch).loss.backward()`).
    given = _BUILT_IN.match(call.name) or re.match(r"[a-z]\w*\.\w+\.", call.name)
    return method == "backward" and "torch" in module.roots and bool(given)


def trains_here(project: Project, found: Iterable[Scope]) -> list[tuple[Module, Call]]:
    """The training calls in scopes."""
    calls: list[tuple[Module, Call]] = []
    for scope in found:
        known = project.training_calls.get(scope)
        if known is None:
            known = project.training_calls[scope] = _trained(project, scope)
        if known:
            module = project.modules[scope.path]
            calls += [(module, call) for call in known]
    return calls


def _trained(project: Project, scope: Scope) -> tuple[Call, ...]:
    spans = {u.span for u in uses_of(project, (scope,)) if is_training(u)}
    return tuple(
        call
        for module, call in calls_of(project, (scope,))
        if call.span in spans
        or _dynamic(module, call)
        or _own_fit(project, module, call)
        or _renamed_fit(project, module, call)
    )


def _renamed_fit(project: Project, module: Module, call: Call) -> bool:
    """Whether a call fits a library's model under the project's name: `Learner = XGBRegressor`."""
    place, _, name = call.name.rpartition(".")[0].rpartition(".")
    if call.method != "fit" or not place:
        return False
    path = project.index.module(place, module.path)
    known = project.modules.get(path) if path else None
    value = known.constants.get(name) if known else None
    if value is None or value.is_call or not value.name:
        return False
    return bool(_MODELS.search(value.name)) and not _PREPARES.search(value.name)


def _own_fit(project: Project, module: Module, call: Call) -> bool:
    """Whether a call fits a model that this project implements: its class also predicts."""
    if call.method not in {"fit", "train"} or "." not in call.name.lstrip(":."):
        return False
    symbol = project.index.resolve(call.name, module.path)
    if symbol is None or symbol.kind != "function":
        return False
    owner = symbol.qualname.rpartition(".")[0]
    known = project.modules[symbol.path]
    function = known.function(symbol.qualname)
    # A method of this name that takes a flag only sets the mode of a network.
    flag = (
        call.method == "train"
        and function is not None
        and _MODE & {p.name for p in function.params}
    )
    return bool(owner and not flag and known.function(f"{owner}.predict"))
