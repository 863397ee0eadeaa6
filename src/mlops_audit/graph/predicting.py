"""What a piece of code does, as far as predictions go: loads a model, predicts, reads, stores."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_audit.facts.code import Call, Module
from mlops_audit.graph.memo import once
from mlops_audit.graph.scopes import Scope, calls_of, scopes, uses_of
from mlops_audit.graph.training import trains_here
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = [
    "KINDS",
    "MODEL_WORD",
    "PREDICT_METHODS",
    "PREDICT_NAME",
    "SERVERS",
    "Doing",
    "Prediction",
    "asks_server",
    "doing_of",
    "is_switch",
    "names_load",
    "shown_calls",
]

# Strongest first; the first five pass AUT17, the others are partial at most.
KINDS = ("service", "stream", "batch", "command", "function", "demo", "evaluation", "client")
SERVERS = ("serve.http", "serve.route", "serve.grpc", "serve.stream")
PREDICT_METHODS = frozenset(
    {"predict", "predict_proba", "predict_log_proba", "decision_function", "predict_on_batch",
     "predict_generator", "generate", "forecast", "inference", "infer", "recommend", "kneighbors",
     "predict_step", "make_future_dataframe", "transcribe", "predict_batch", "classify", "detect",
     "invoke_endpoint", "get_forecast", "inplace_predict", "predict_raw", "rec"}
)  # fmt: skip
PREDICT_NAME = regex(
    r"(^|_)(predict|predictions?|infer|inference|forecast|classify|recommend|detect|transcribe|"
    r"score|translate|summari[sz]e|generate|segment|rank|answer)(_|$|s$)",
    re.IGNORECASE,
)
_MODEL_CALL = regex(
    r"^(self\.)?\w{0,40}(model|net|network|classifier|regressor|detector|predictor|generator|"
    r"session|pipe|pipeline|learner|encoder)(s?\[[^\]\n]{1,60}\])?\(",
    re.IGNORECASE,
)
_LOAD_NAME = regex(
    r"(^|_)(load|get|fetch|download|restore|read)_(\w{1,30}_)?(model|checkpoint|ckpt|weights|"
    r"classifier|regressor|predictor|pipeline|learner|artifacts?|estimator|network|pretrained)"
    r"|^from_pretrained$|^load_state_dict$|^load_from_checkpoint$|^load_learner$",
    re.IGNORECASE,
)
MODEL_WORD = regex(
    r"model|\bclf|classif|regress|estimator|predictor|pipeline|\.pkl|\.joblib|\.pt\b|\.pth|\.h5|"
    r"\.onnx|ckpt|checkpoint|weights|_net\b|booster|learner",
    re.IGNORECASE,
)
_MODEL_TARGET = regex(
    r"(^|\.|_)(model|clf|classifier|regressor|predictor|pipeline|learner|net|booster|estimator)$",
    re.IGNORECASE,
)
_MODEL_CLASS = regex(r"(^|\.)[A-Z]\w{0,40}(Model|Classifier|Regressor|Predictor|Estimator)"
                          r"(Wrapper)?$|(^|\.)ModelWrapper$")  # fmt: skip
_STORES = regex(
    r"^(to_csv|to_parquet|to_sql|to_gbq|to_json|to_excel|to_feather|to_pickle|to_dataframe|"
    r"insert|insert_rows|insert_rows_json|insert_many|insert_one|save|savetxt|write|writerow|"
    r"writerows|write_table|saveAsTable|upload_from_string|upload_file|upload_fileobj|upload|"
    r"put_object|put_item|dump|imwrite|upload_from_filename|execute_values|write_csv|"
    r"write_parquet|load_table_from_dataframe|append_row|send|produce|add_table|add_all|"
    r"save_predictions|write_predictions|save_results|upload_blob|batch_predict)$"
)
# Beside what the names of methods below say: reads and asks whose arguments or targets decide.
_MAY_TELL = frozenset(
    {
        "load",
        "download",
        "restore",
        "from_pretrained",
        "post",
        "request",
        "urlopen",
        "zero_grad",
        "forward",
    }
)
_AT = regex(r"-?\d+$|(\w*_)?(i|j|n|k|idx|index|pos|position|at|loc)$|len\(")
_STORE_NAME = regex(
    r"(^|_)(save|write|store|upload|insert|log|export|persist)_\w{0,30}(pred|result|output|score|"
    r"forecast|infer|data)",
    re.IGNORECASE,
)
_READS_SET = regex(
    r"^(read_csv|read_parquet|read_sql|read_sql_query|read_gbq|read_json|read_table|read_excel|"
    r"read_feather|read_pickle|load_dataset|glob|iglob|listdir|rglob|scan|DataLoader|csv|parquet|"
    r"read_delta|table|scan_csv|from_csv|read_data|load_data|get_data|fetch_data|read_batch|"
    r"download_data|open_dataset|to_dataframe|to_pandas|image_dataset_from_directory|"
    r"flow_from_directory|list_blobs|list_objects_v2|get_batch_data|read)$"
)
_READ_NAME = regex(
    r"(^|_)(load|get|read|fetch|extract|query|download|prepare|process)_\w{0,30}"
    r"(data|features|dataset|df|batch|inputs?|records|rows|samples)",
    re.IGNORECASE,
)
# What was predicted, subtracted by hand from what came true.
_OWN_ERROR = regex(
    r"\b(abs|square|power|mean)\([^()]{0,80} - (actual|y_?true|truth|ground_?truth|y_test)\b|"
    r"\([^()]{0,80} - (actual|y_?true|truth|ground_?truth|y_test)\)(\.(abs|pow|mean)\b|\s*\*\*)"
)
# MLflow's and SageMaker's path, TensorFlow Serving's, and that of the open inference protocol.
_SERVED = regex(r"/invocations\b|:predict\b|/v[12]/models/")
_PARAMETERS = frozenset({"config.parse"})
# Spark's reader, and a parameter that a job of Databricks hands to its notebook.
_SPARK_READ = regex(r"\bspark\b[\w.]*\.read(Stream)?\b")
_WIDGET = regex(r"\bdbutils\.widgets\.get\(")


class Prediction(Struct, frozen=True):
    """One way in which the repository predicts.

    `kind` is one of `KINDS`. `stores` says that the predictions are kept, `parameters` that a
    person or scheduler chooses the input. `scope` is the function that predicts, where it is one.
    """

    kind: str
    path: str
    evidence: tuple[Evidence, ...]
    stores: bool = False
    parameters: bool = False
    scope: str = ""

    @property
    def counts(self) -> bool:
        """Whether it is one of the kinds that pass AUT17."""
        return self.kind in {"service", "stream", "batch", "command"}


class Doing(Struct, frozen=True):
    """What a piece of code does, as far as predictions go."""

    predicts: tuple[tuple[Module, Call], ...]
    loads: tuple[tuple[Module, Call], ...]
    stores: tuple[tuple[Module, Call], ...]
    reads: tuple[tuple[Module, Call], ...]
    trains: bool
    measures: bool
    parameters: bool


def is_prediction(module: Module, call: Call, predicting: frozenset[object]) -> bool:
    """Whether a call makes a model predict."""
    if call.span in predicting and not is_switch(call):
        return True
    if call.method in PREDICT_METHODS and "." in call.name:
        return not call.name.startswith(("numpy.", "pandas.", "random.", "uuid.", "secrets."))
    # `model.forward(x)` is `model(x)` without its hooks.
    forward = call.method == "forward" and bool(_MODEL_TARGET.search(call.receiver))
    if forward or (_MODEL_CALL.match(call.text) and not _constructs(call)):
        near = module.function(call.scope)
        return near is None or not near.name.startswith(("forward", "train", "build", "__init__"))
    return False


# The same few names stand in all calls, and many walks ask of each.
@lru_cache(maxsize=4096)
def names_load(method: str) -> bool:
    """Whether a function's name says that it reads a stored model."""
    return _LOAD_NAME.search(method) is not None


@lru_cache(maxsize=4096)
def _names_store(method: str) -> bool:
    return _STORE_NAME.search(method) is not None


@lru_cache(maxsize=4096)
def _names_read(method: str) -> bool:
    return _READS_SET.match(method) is not None or _READ_NAME.search(method) is not None


def is_switch(call: Call) -> bool:
    """Whether a call only sets the mode (`torch.no_grad()`, `model.eval()`)."""
    return call.method in {"no_grad", "inference_mode", "eval"}


def _constructs(call: Call) -> bool:
    """Whether a call builds a model (`Net(...)`, `build_model(...)`) and runs none."""
    head = call.text.split("(", 1)[0].rsplit(".", 1)[-1]
    builder = re.match(
        r"(get|build|create|make|load|init|define|save|register|log|train|fit|"
        r"download|compile|deploy|eval|test|evaluate|set|update|run|start|submit|is|has|check|"
        r"(un)?wrap|append|prepare|freeze|validate|export|convert|delete|remove|list)_",
        head,
    )
    return head[:1].isupper() or bool(builder)


def asks_server(call: Call) -> bool:
    """Whether a call sends a request to a model server, by the path that its protocol has."""
    return call.method in {"post", "request", "urlopen"} and bool(_SERVED.search(call.text))


def is_load(call: Call, loading: frozenset[object]) -> bool:
    """Whether a call reads a stored model."""
    if call.span in loading:
        return True
    if call.method in {"load", "download", "restore", "from_pretrained"} and call.targets:
        # `ModelWrapper.load("models")`: a class of the project that keeps a model.
        return bool(_MODEL_CLASS.search(call.receiver)) or any(
            _MODEL_TARGET.search(t) for t in call.targets
        )
    return names_load(call.method)


def _gives_checkpoint(call: Call) -> bool:
    """Whether a trainer is told which stored model predicts (`trainer.predict(ckpt_path=...)`)."""
    value = call.kw("ckpt_path")
    return value is not None and value.text != "None"


@once
def _telling(project: Project, scope: Scope) -> tuple[tuple[Module, Call], ...]:
    """The calls of a scope that may load a model, predict, measure, read or store.

    Many walks come through a scope, and few of its calls can tell anything.
    """
    used = {use.span for use in uses_of(project, (scope,))}
    return tuple(
        (module, call)
        for module, call in calls_of(project, (scope,))
        if call.span in used
        or call.method in PREDICT_METHODS
        or call.method in _MAY_TELL
        or _STORES.match(call.method)
        or names_load(call.method)
        or _names_store(call.method)
        or _names_read(call.method)
        or _MODEL_CALL.match(call.text)
        or _WIDGET.match(call.text)
        or _OWN_ERROR.search(call.text[:200])
    )


def doing_of(project: Project, roots: Iterable[Scope], *, imports: bool = False) -> Doing:
    """What code does from these places on, through the project's own functions."""
    walked = scopes(project, roots, imports=imports)
    uses = tuple(uses_of(project, walked))
    predicting = frozenset(
        u.span
        for u in uses
        if u.capability == "predict.call" and not (u.call and is_switch(u.call))
    )
    loading = frozenset(u.span for u in uses if _loads_model(project, u))
    told = [pair for scope in walked for pair in _telling(project, scope)]
    held = frozenset(t for u in uses if u.call and u.span in loading for t in u.call.targets)
    held |= {t for _, c in told if names_load(c.method) for t in c.targets}
    predicts, loads, stores, reads = [], [], [], []
    served = bool(project.uses("serve.model", notebook=False))
    by_hand = given = False
    for module, call in told:
        if _only_named(project, module, call, loading | predicting):
            pass
        elif is_load(call, loading) and not _asks(call, loading, held):
            loads.append((module, call))
            if call.span in predicting:  # one call does both: `fs.score_batch("models:/m/1", df)`
                predicts.append((module, call))
        elif (
            is_prediction(module, call, predicting)
            or _asks(call, loading, held)
            or (served and asks_server(call))
        ):
            predicts.append((module, call))
            if _gives_checkpoint(call):
                loads.append((module, call))
        if (_STORES.match(call.method) and not _into_list(call)) or _names_store(call.method):
            stores.append((module, call))
        if _reads(call):
            reads.append((module, call))
        given = given or bool(_WIDGET.match(call.text))
        by_hand = by_hand or bool(_OWN_ERROR.search(call.text[:200]))
    measures = (
        by_hand
        or _gives_error(project, walked)
        or any(u.capability in {"evaluate.metric", "evaluate.report"} and not u.test for u in uses)
    )
    return Doing(
        tuple(predicts),
        tuple(loads),
        tuple(stores),
        tuple(reads),
        # An object that is called may hide the step; the gradients before it are in sight.
        bool(trains_here(project, walked)) or any(c.method == "zero_grad" for _, c in told),
        measures,
        given or any(u.capability in _PARAMETERS for u in uses),
    )


def _gives_error(project: Project, walked: Iterable[Scope]) -> bool:
    """Whether a function gives back what was predicted less what came true, without a call."""
    modules = ((project.modules.get(scope.path), scope.qualname) for scope in walked)
    functions = (m.function(name) for m, name in modules if m is not None and name)
    return any(
        " - " in value.text and _OWN_ERROR.search(value.text[:200])
        for function in functions
        if function is not None
        for value in function.returns
    )


def _reads(call: Call) -> bool:
    """Whether a call reads a set of data."""
    if call.method == "load":
        return bool(_SPARK_READ.search(call.text))
    return _names_read(call.method)


def _only_named(project: Project, module: Module, call: Call, known: frozenset[object]) -> bool:
    """Whether a function of the project only has the name: what it does is walked by itself."""
    if call.span in known or call.method in PREDICT_METHODS:
        return False
    if names_load(call.method) and not call.method.startswith("get_"):
        return False
    named = _MODEL_CALL.match(call.text) or names_load(call.method)
    return bool(named) and any(
        s.kind == "function" for s in project.index.targets(call, module.path)
    )


def _asks(call: Call, loading: frozenset[object], held: frozenset[str]) -> bool:
    """Whether a call that stands where a model is loaded makes a loaded one predict.

    `load(path).predict(rows)` is two calls on one line, `self.model(x)` bears the loader's name,
    of a library or of the project (`pipe = get_pipeline(path)`, `pipe(text)`).
    """
    if call.span not in loading and not names_load(call.method):
        return False
    return call.method in PREDICT_METHODS or call.text.split("(", 1)[0] in held


def _into_list(call: Call) -> bool:
    """Whether something is put into a list of the program (`rows.insert(0, row)`)."""
    return call.method == "insert" and bool(call.args) and bool(_AT.match(call.args[0].text))


def _loads_model(project: Project, use: Use) -> bool:
    """Whether a use reads a model; of a pickle, by the names around it."""
    if use.capability == "registry.load":
        return True
    if use.capability != "model.load":
        return False
    if use.details is None or use.details.kind != "object" or use.call is None:
        return True
    call = use.call
    around = [call.text, *call.targets, call.scope]
    if any(MODEL_WORD.search(t) for t in around):
        return True
    module = project.modules[use.path]
    line = module.flat(call.span)
    opened = (c for c in module.calls_within((line - 2, line)) if c.method == "open")
    return any(MODEL_WORD.search(c.text) for c in opened)


def shown_calls(items: Iterable[tuple[Module, Call]], what: str) -> Iterator[Evidence]:
    """The calls as evidence, each with a word of what it does."""
    for _, call in items:
        yield Evidence(call.span, f"{what}: {call.told}")
