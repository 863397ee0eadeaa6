"""Programs, flows and functions of the project that load a model and predict."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Call, Function, Module
from mlops_audit.facts.snakefiles import is_snakefile
from mlops_audit.graph.kedronodes import Dataset, kedro_datasets, kedro_nodes
from mlops_audit.graph.magefiles import mage_predictions
from mlops_audit.graph.predicting import (
    KINDS,
    PREDICT_METHODS,
    PREDICT_NAME,
    SERVERS,
    Doing,
    Prediction,
    doing_of,
    names_load,
    shown_calls,
)
from mlops_audit.graph.scopes import Scope
from mlops_audit.graph.sourcenotebooks import source_notebooks
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["programs"]

_EVALUATES = regex(
    r"(^|[/_])(eval|evaluat\w*|test|tests|testing|metrics?|performance|valid|validat\w*|bench\w*|"
    r"back_?test\w*|hindcasts?)([/_.]|$)",
    re.IGNORECASE,
)
_SHOWS = regex(r"(^|[/_])(plots?|plotting|visuali[sz]\w*)([/_.]|$)", re.IGNORECASE)
_TEST_SET = regex(
    r"(^|[^a-z])(x_|y_)?(test|train|val|valid|validation|holdout|eval)([^a-z]|$)|submission",
    re.IGNORECASE,
)
_FIGURES = regex(r"\bmetrics?\b|confusion|report|\.png|\.svg|(?<!con)fig\b|logger|\.pkl|\.joblib")
_OF_PREDICTIONS = regex(
    r"pred|result|output|score|forecast|infer|submission|label|df\b|data|cluster|recommend|"
    r"caption|answer|rows",
    re.IGNORECASE,
)
# A file to hand in, by its own name or the variable that holds its path.
_SUBMISSION = regex(
    r"[\"'][^\"'\n]{0,80}submission|submission_?(file|path|csv|dir|name)", re.IGNORECASE
)
# Data that an argument of the program names: a person chooses it.
_GIVEN = regex(
    r"\b(args|opts?|options|flags)\.\w{0,30}(dir|path|file|input|folder|images?|videos?|source)",
    re.IGNORECASE,
)
_ASKS_FOR = frozenset({"add_argument", "option", "argument", "Option", "Argument"})
_INPUT = regex(
    r"-{0,2}(?!out|save|model|ckpt|checkpoint|weight|config|param)\w{0,30}?"
    r"(im(age|g)|input|file|video|audio|text|folder|url|source|csv|prompt|sentence|query)"
    r"(s|[_-]?(path|file|dir|name)s?)?$",
    re.IGNORECASE,
)
# What a framework calls on a model that is being trained: another model may run in it.
_OF_A_MODEL = frozenset({"forward", "training_step", "validation_step", "test_step"})
_ESTIMATOR = regex(r"(^|\.)(BaseEstimator|(Classifier|Regressor|Cluster|Outlier)Mixin)$")
_CONVERTER = regex(
    r"^tf2onnx\.|onnx\.export$|^coremltools\.|TFLiteConverter|jit\.trace$|^skl2onnx\."
)
# What lays out the time to come, and where results are kept for others.
_AHEAD = frozenset({"make_future_dataframe", "make_future_dataframes"})
_TABLES = regex(r"(^|\.)(saveAsTable|insertInto|to_sql|to_gbq|load_table_from_dataframe)$")
_MAX_CANDIDATES = 400
# Names in the arguments of a call, without attributes, keywords and what is called.
_NAMES = regex(r"(?<![.\w])(?!(?:None|True|False)\b)[A-Za-z_]\w*(?![\w(=])")
_QUOTED = regex(r"[rbuf]{0,2}(\"[^\"]{0,2000}\"|'[^']{0,2000}')")
_FETCHES = regex(r"read|load|open|fetch|query|get|next|iter|input\(", re.IGNORECASE)
_STEPS = 3  # assignments between a text and the model
# Kedro's layers `05_model_input` and `07_model_output` hold data.
_KEPT_MODEL = regex(
    r"models?(?!_?(in|out)put)|classifier|regressor|estimator|predictor|checkpoint|booster|learner",
    re.IGNORECASE,
)
_COMMON_FILES = frozenset({"nodes.py", "pipeline.py", "steps.py", "tasks.py"})


def _named(path: str) -> str:
    """A file's name; where many files have it, as in Kedro's pipelines, with its folder."""
    folder, _, name = path.rpartition("/")
    return f"{folder.rsplit('/', 1)[-1]}/{name}" if name in _COMMON_FILES else name


def programs(project: Project) -> Iterator[Prediction]:
    """Programs, flows and functions that load a model and predict."""
    served = {u.path for u in project.uses(*SERVERS, "serve.demo", notebook=False)}
    for module in project.source[:5000]:
        if module.path in served or not _may_predict(project, module):
            continue
        found = [p for f in _entries(module) if (p := _program(project, module, f))]
        if found:
            yield min(found, key=lambda p: KINDS.index(p.kind))
    yield from _of_kedro(project)
    yield from mage_predictions(project)


def _of_kedro(project: Project) -> Iterator[Prediction]:
    """Nodes of Kedro that are given a stored model, and whose predictions the catalog stores."""
    stored = kedro_datasets(project)
    for node in kedro_nodes(project):
        models = [d for n in node.inputs if (d := stored.get(n)) and _is_model(d)]
        kept = [d for n in node.outputs if (d := stored.get(n)) and not _FIGURES.search(d.name)]
        named = " ".join((node.function.qualname, *node.inputs, *node.outputs))
        if not models or not kept or _TEST_SET.search(named) or _EVALUATES.search(f"/{named}/"):
            continue
        doing = doing_of(project, [node.function])
        if doing.predicts and not doing.trains and not doing.measures:
            shown = (*shown_calls(doing.predicts[:1], "predicts"), node.evidence, kept[0].evidence)
            yield Prediction(
                "batch", node.function.path, shown, stores=True, scope=node.function.qualname
            )


def _is_model(dataset: Dataset) -> bool:
    """Whether a dataset of a catalog is a model: by its class, its file or its name."""
    return any(_KEPT_MODEL.search(t) for t in (dataset.kind, dataset.path, dataset.name))


def _may_predict(project: Project, module: Module) -> bool:
    """Whether a module has a call that predicts or loads, or is a program that calls one."""
    if _predicts_itself(project, module):
        return True
    if module.main_line is None:
        return False
    called = {
        symbol.path
        for call in module.calls
        if call.runs
        for symbol in project.index.targets(call, module.path)[:1]
    }
    return any(_predicts_itself(project, project.modules[p]) for p in called - {module.path})


def _predicts_itself(project: Project, module: Module) -> bool:
    if any(
        c.method in PREDICT_METHODS or PREDICT_NAME.search(c.method) or names_load(c.method)
        for c in module.calls
    ):
        return True
    return any(
        u.capability in {"predict.call", "model.load", "registry.load"}
        for u in project.uses_in(module.path)
    )


def _entries(module: Module) -> Iterator[Scope]:
    """The module itself where it is a program, then its functions."""
    if module.main_line is not None or not module.functions:
        yield Scope(module.path)
    for number, function in enumerate(module.functions):
        inside = f"{function.owner}." if function.owner else ""
        if (
            number < _MAX_CANDIDATES
            and not function.stub
            and function.name not in _OF_A_MODEL
            and "." not in function.qualname.removeprefix(inside)
        ):
            yield Scope(module.path, function.qualname)


def _program(project: Project, module: Module, root: Scope) -> Prediction | None:
    doing = doing_of(project, [root])
    if not doing.predicts:
        return None
    function = module.function(root.qualname)
    if function is not None and (
        _converts(module, function, doing) or _asks_itself(module, function, doing)
    ):
        return None
    if doing.trains and (forecast := _forecast(module, root, doing)):
        return forecast
    if not doing.loads or doing.trains:
        return _function(project, module, function, doing)
    shown = [
        *shown_calls(doing.predicts[:1], "predicts"),
        *shown_calls(doing.loads[:1], "loads the model"),
    ]
    chosen = doing.parameters or bool(_arguments(module)) or bool(function and function.params)
    if doing.measures:
        tested = not (doing.stores and _stores_predictions(doing))
        if tested:
            return None
    on_tests = (
        _only_test_data(doing)
        or _of_own_run(project, module, root)
        or bool(_EVALUATES.search(f"{_named(module.path)}/{root.qualname}"))
    )
    if on_tests and doing.stores and _stores_predictions(doing):
        return Prediction("evaluation", module.path, tuple(shown), stores=True, scope=root.qualname)
    if on_tests:
        return None
    if doing.stores and doing.reads and (kept := _stores_predictions(doing)):
        shown += shown_calls(kept[-1:], "stores")
        return Prediction(
            "batch", module.path, tuple(shown), stores=True, parameters=chosen, scope=root.qualname
        )
    # A page of cells takes no input but what its widgets ask for.
    noted = module.path in source_notebooks(project) and not any(
        c.name.startswith("dbutils.widgets") for c in module.calls
    )
    if noted and function is None:
        return None
    aside = bool(_SHOWS.search(f"{_named(module.path)}/{root.qualname}"))
    if (not root.qualname or _started(project, module, root)) and chosen and not noted:
        used = not aside or _takes_input(module, doing)
        told = Prediction(
            "command", module.path, tuple(shown), parameters=True, scope=root.qualname
        )
        return told if used else None
    only = aside or (function is not None and _only_evaluated(project, module, function))
    kind = "evaluation" if only else "function"
    return Prediction(kind, module.path, tuple(shown), scope=root.qualname)


def _forecast(module: Module, root: Scope, doing: Doing) -> Prediction | None:
    """A program that fits series in order to say how they go on, and stores what it says.

    Such a model lives for one run: fitting and forecasting are one job, whose result is used.
    """
    ahead = [
        (m, c)
        for m, c in doing.predicts
        if c.method not in _AHEAD and _AHEAD & {o.method for o in m.calls_in(c.scope)}
    ]
    kept = [(m, c) for m, c in _stores_predictions(doing) if _TABLES.search(c.name)]
    if not ahead or not kept or doing.measures:
        return None
    shown = [*shown_calls(ahead[:1], "forecasts"), *shown_calls(kept[-1:], "stores")]
    return Prediction("batch", module.path, tuple(shown), stores=True, scope=root.qualname)


def _converts(module: Module, function: Function, doing: Doing) -> bool:
    """Whether a function only wraps the model it loads, for a converter to another format."""
    inside = all(
        c.scope.startswith(f"{function.qualname}.") and m is module for m, c in doing.predicts
    )
    return inside and any(_CONVERTER.search(c.name) for c in module.calls_in(function.qualname))


def _asks_itself(module: Module, function: Function, doing: Doing) -> bool:
    """Whether a function predicts only for a text that stands in it: a trial of what it made."""
    params = {p.name for p in function.params}
    for other, call in doing.predicts:
        if other is not module or call.scope != function.qualname:
            return False
        texts = [v.text for v in (*call.args, *(v for _, v in call.kwargs))]
        for _ in range(_STEPS):
            names = {name for text in texts for name in _NAMES.findall(_QUOTED.sub("", text))}
            found = [a for a in module.assigns_by_scope.get(call.scope, ()) if a.value.text]
            values = [a.value for a in found if names.intersection(a.targets)]
            known = {t for a in found for t in a.targets}
            if names & params or not names <= known or any(_FETCHES.search(v.text) for v in values):
                return False
            if any(v.text.partition(".")[0] in names for v in values):  # changed, from elsewhere
                return False
            texts = [v.text.partition("(")[2] if v.is_call else v.text for v in values]
        if any(_NAMES.search(_QUOTED.sub("", text)) for text in texts):
            return False
    return bool(doing.predicts)


def _of_own_run(project: Project, module: Module, root: Scope) -> bool:
    """Whether a rule of a Snakefile predicts for the data that its other rules train on."""
    if not is_snakefile(module.path) or not root.qualname:
        return False
    return bool(doing_of(project, [Scope(module.path)]).trains)


def _only_evaluated(project: Project, module: Module, function: Function) -> bool:
    """Whether only evaluations and plots of the project call a function that predicts.

    So does a caller that hands it the data of training or testing.
    """
    callers = [
        (f"{_named(other.path)}/{call.scope}", _handed(call))
        for other in project.source
        for call in other.calls
        if call.method == function.name
        and any(
            s.path == module.path and s.qualname == function.qualname
            for s in project.index.targets(call, other.path)
        )
    ]
    return bool(callers) and all(
        _EVALUATES.search(c) or _SHOWS.search(c) or (not function.owner and _of_tests(t))
        for c, t in callers
    )


def _of_tests(text: str) -> bool:
    """Whether what a call is handed is the data of training or testing, and no argument's."""
    return bool(_TEST_SET.search(text)) and not _GIVEN.search(text)


def _handed(call: Call) -> str:
    """The arguments of a call, without what switches are set to."""
    values = [*call.args, *(v for k, v in call.kwargs if k != "**")]
    return " ".join(v.text[:120] for v in values if not v.is_literal)


def _function(
    project: Project, module: Module, function: Function | None, doing: Doing
) -> Prediction | None:
    """A function that predicts with a model that it is given."""
    if function is None or doing.trains or doing.measures or not function.params:
        return None
    if _of_estimator(project, module, function):
        return None
    if _EVALUATES.search(_named(module.path)):
        return None
    if _only_test_data(doing) and not _submits(doing):
        return None
    if not PREDICT_NAME.search(function.name) or function.name.startswith("test"):
        return None
    if re.search(r"train|eval|valid|test|metric|objective|loss", function.name, re.IGNORECASE):
        return None
    only = _submits(doing) or bool(_SHOWS.search(f"/{function.name}/"))
    only = only or _only_evaluated(project, module, function)
    return Prediction(
        "evaluation" if only else "function",
        module.path,
        tuple(shown_calls(doing.predicts[:1], "predicts")),
        scope=function.qualname,
    )


def _of_estimator(project: Project, module: Module, function: Function) -> bool:
    """Whether a method belongs to an estimator that the project trains: it uses no stored one."""
    owner = module.klass(function.owner) if function.owner else None
    if owner is None or module.function(f"{function.owner}.fit") is None:
        return False
    if not any(_ESTIMATOR.search(base) for base in project.index.bases(module.path, owner)):
        return False
    return any(
        c.method == owner.name for m in project.source for c in m.calls
    )  # else it is offered


def _arguments(module: Module) -> str:
    """How a program takes its input without a known library (`sys.argv`, `exec` of settings)."""
    if "sys.argv" in module.names or "argv" in module.names:
        return "sys.argv"
    return next((c.name for c in module.calls if c.name in {"exec", "input"} and not c.scope), "")


def _takes_input(module: Module, doing: Doing) -> bool:
    """Whether a program that draws is handed what it predicts for, or keeps the predictions.

    One that draws what the model makes of the project's own data shows the model to its makers.
    """
    asked = (v.literal for c in module.calls for v in c.args[:2] if c.method in _ASKS_FOR)
    named = any(isinstance(a, str) and _INPUT.match(a) for a in asked)
    return named or bool(_arguments(module)) or bool(_stores_predictions(doing))


def _started(project: Project, module: Module, root: Scope) -> bool:
    """Whether the module is a program, or a console script starts the function."""
    del project
    return module.main_line is not None and any(
        c.method == root.qualname or root.qualname in {v.name.lstrip(":") for v in c.args}
        for c in module.calls_in("")
    )


def _stores_predictions(doing: Doing) -> list[tuple[Module, Call]]:
    """What is stored that has to do with predictions: not only figures or metrics."""
    found = []
    for module, call in doing.stores:
        text = call.text + " ".join(call.targets)
        mask = call.method == "imwrite" and "pred" in text  # a picture may be what is predicted
        if (_FIGURES.search(text) and not mask) or "download" in call.scope:
            continue
        # `to_json()` without a place hands its text back: settings that are written, say.
        if call.method.startswith("to_") and not (call.args or call.kwargs):
            continue
        if call.method.startswith("to_") or _OF_PREDICTIONS.search(text):
            found.append((module, call))
    return found


def _only_test_data(doing: Doing) -> bool:
    """Whether everything that is predicted is the data of training or testing."""
    if _submits(doing):
        return True
    if any(_GIVEN.search(c.text[:300]) for _, c in doing.predicts):
        return False
    texts = [" ".join([c.text, *c.targets]) for _, c in doing.predicts]
    texts = [t[:200] for t in texts]
    return bool(texts) and all(_TEST_SET.search(t) for t in texts)


def _submits(doing: Doing) -> bool:
    """Whether what is predicted is handed in to a competition: it is for the test data alone."""
    return any(_SUBMISSION.search(c.text[:200]) for _, c in doing.stores)
