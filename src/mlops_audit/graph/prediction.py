"""How a trained model is used: services, batch jobs, streams, commands, functions and demos.

The role decision and AUT17 share this module, so they agree (practices.md, rule 5 and AUT17).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Call, Function, Module
from mlops_audit.graph.scopes import Scope, calls_of, scopes, uses_of
from mlops_audit.graph.training import trains_here
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence, Span

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["KINDS", "Prediction", "find_predictions"]

# Strongest first; the first five pass AUT17, the others are partial at most.
KINDS = ("service", "stream", "batch", "command", "function", "demo", "evaluation", "client")
_SERVERS = ("serve.http", "serve.route", "serve.grpc", "serve.stream")
_PREDICT_METHODS = frozenset(
    {"predict", "predict_proba", "predict_log_proba", "decision_function", "predict_on_batch",
     "predict_generator", "generate", "forecast", "inference", "infer", "recommend", "kneighbors",
     "predict_step", "make_future_dataframe", "transcribe", "predict_batch", "classify", "detect",
     "invoke_endpoint", "get_forecast", "inplace_predict", "predict_raw", "rec"}
)  # fmt: skip
_PREDICT_NAME = re.compile(
    r"(^|_)(predict|predictions?|infer|inference|forecast|classify|recommend|detect|transcribe|"
    r"score|translate|summari[sz]e|generate|segment|rank|answer)(_|$|s$)",
    re.IGNORECASE,
)
_MODEL_CALL = re.compile(
    r"^(self\.)?\w{0,40}(model|net|network|classifier|regressor|detector|predictor|generator|"
    r"session|pipe|pipeline|learner|encoder)(s?\[[^\]\n]{1,60}\])?\(",
    re.IGNORECASE,
)
_LOAD_NAME = re.compile(
    r"(^|_)(load|get|fetch|download|restore|read)_(\w{1,30}_)?(model|checkpoint|ckpt|weights|"
    r"classifier|regressor|predictor|pipeline|learner|artifacts?|estimator|network|pretrained)"
    r"|^from_pretrained$|^load_state_dict$|^load_from_checkpoint$|^load_learner$",
    re.IGNORECASE,
)
_MODEL_WORD = re.compile(
    r"model|\bclf|classif|regress|estimator|predictor|pipeline|\.pkl|\.joblib|\.pt\b|\.pth|\.h5|"
    r"\.onnx|ckpt|checkpoint|weights|_net\b|booster|learner",
    re.IGNORECASE,
)
_MODEL_TARGET = re.compile(
    r"(^|\.|_)(model|clf|classifier|regressor|predictor|pipeline|learner|net|booster|estimator)$",
    re.IGNORECASE,
)
_EVALUATES = re.compile(
    r"(^|[/_])(eval|evaluat\w*|test|tests|testing|metrics?|performance|valid|validat\w*|bench\w*)"
    r"([/_.]|$)",
    re.IGNORECASE,
)
_SHOWS = re.compile(r"(^|[/_])(plots?|plotting|visuali[sz]\w*)([/_.]|$)", re.IGNORECASE)
_STORES = re.compile(
    r"^(to_csv|to_parquet|to_sql|to_gbq|to_json|to_excel|to_feather|to_pickle|to_dataframe|"
    r"insert|insert_rows|insert_rows_json|insert_many|insert_one|save|savetxt|write|writerow|"
    r"writerows|write_table|saveAsTable|upload_from_string|upload_file|upload_fileobj|upload|"
    r"put_object|put_item|dump|imwrite|upload_from_filename|execute_values|write_csv|"
    r"write_parquet|load_table_from_dataframe|append_row|send|produce|add_table|add_all|"
    r"save_predictions|write_predictions|save_results|upload_blob|batch_predict)$"
)
_STORE_NAME = re.compile(
    r"(^|_)(save|write|store|upload|insert|log|export|persist)_\w{0,30}(pred|result|output|score|"
    r"forecast|infer|data)",
    re.IGNORECASE,
)
_READS_SET = re.compile(
    r"^(read_csv|read_parquet|read_sql|read_sql_query|read_gbq|read_json|read_table|read_excel|"
    r"read_feather|read_pickle|load_dataset|glob|iglob|listdir|rglob|scan|DataLoader|csv|parquet|"
    r"read_delta|table|scan_csv|from_csv|read_data|load_data|get_data|fetch_data|read_batch|"
    r"download_data|open_dataset|to_dataframe|to_pandas|image_dataset_from_directory|"
    r"flow_from_directory|list_blobs|list_objects_v2|get_batch_data|read)$"
)
_READ_NAME = re.compile(
    r"(^|_)(load|get|read|fetch|extract|query|download|prepare|process)_\w{0,30}"
    r"(data|features|dataset|df|batch|inputs?|records|rows|samples)",
    re.IGNORECASE,
)
_TEST_SET = re.compile(
    r"(^|[^a-z])(x_|y_)?(test|train|val|valid|validation|holdout|eval)([^a-z]|$)|submission",
    re.IGNORECASE,
)
_FIGURES = re.compile(r"\bmetrics?\b|confusion|report|\.png|\.svg|fig\b|logger|\.pkl|\.joblib")
_OF_PREDICTIONS = re.compile(
    r"pred|result|output|score|forecast|infer|submission|label|df\b|data|cluster|recommend|"
    r"caption|answer|rows",
    re.IGNORECASE,
)
# What was predicted, subtracted by hand from what came true.
_OWN_ERROR = re.compile(
    r"\b(abs|square|power|mean)\([^()]{0,80} - (actual|y_?true|truth|ground_?truth|y_test)\b|"
    r"\([^()]{0,80} - (actual|y_?true|truth|ground_?truth|y_test)\)\.(abs|pow|mean)\b"
)
_HANDLERS = frozenset({"lambda_handler", "handler", "model_fn", "predict_fn", "input_fn"})
_HANDLER_BASES = re.compile(
    r"(BaseHandler|BasePredictor|kserve\.Model|KFModel|MLModel|LitAPI|PredictionHandler|"
    r"cpr\.Predictor|SeldonComponent|TritonPythonModel|PythonPredictor|BaseRunner)$"
)
_TRITON = "TritonPythonModel"
_PARAMETERS = frozenset({"config.parse"})
_MANAGED = re.compile(
    r"(deploy|create_endpoint|Endpoint\.create|InferenceConfig|OnlineEndpoint|"
    r"OnlineDeployment|ModelDeployOp|EndpointCreateOp|LitServer|ModelServer|"
    r"MLServer|Triton|seldon_core|\.serve|ManagedOnline|KubernetesOnline)"
)
_ENDPOINTS = re.compile(
    r"az ml (online|batch)-(deployment|endpoint) (create|update)|sagemaker create-endpoint|"
    r"gcloud ai endpoints deploy-model|az ml model deploy|mlflow deployments (create|update)|"
    r"bentoml deploy|truss push|cog push"
)
_MAX_CANDIDATES = 400


@dataclass(frozen=True, slots=True)
class Prediction:
    """One way in which the repository predicts.

    `kind` is one of `KINDS`. `loads` is where the model comes from; `stores` says that the
    predictions are kept, `parameters` that a person or scheduler chooses the input, `data` why
    the input is only the data of training or testing.
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


@dataclass(frozen=True, slots=True)
class _Doing:
    """What a piece of code does, as far as predictions go."""

    predicts: tuple[tuple[Module, Call], ...]
    loads: tuple[tuple[Module, Call], ...]
    stores: tuple[tuple[Module, Call], ...]
    reads: tuple[tuple[Module, Call], ...]
    trains: bool
    measures: bool
    parameters: bool


def find_predictions(project: Project) -> tuple[Prediction, ...]:
    """All ways in which the code outside tests and notebooks predicts, strongest kind first."""
    found = [*_managed(project), *_services(project), *_handlers(project), *_programs(project)]
    found += _demos(project, found)
    return tuple(
        sorted(
            found, key=lambda p: (KINDS.index(p.kind), project.is_example(p.path), p.path, p.scope)
        )
    )


# -- what code does ---------------------------------------------------------------------------


def is_prediction(module: Module, call: Call, predicting: frozenset[object]) -> bool:
    """Whether a call makes a model predict."""
    if call.span in predicting and not _switch(call):
        return True
    if call.method in _PREDICT_METHODS and "." in call.name:
        return not call.name.startswith(("numpy.", "pandas.", "random.", "uuid.", "secrets."))
    if _MODEL_CALL.match(call.text) and not _constructs(call):
        near = module.function(call.scope)
        return near is None or not near.name.startswith(("forward", "train", "build", "__init__"))
    return False


def _switch(call: Call) -> bool:
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


def is_load(call: Call, loading: frozenset[object]) -> bool:
    """Whether a call reads a stored model."""
    if call.span in loading:
        return True
    if call.method in {"load", "download", "restore", "from_pretrained"} and call.targets:
        return any(_MODEL_TARGET.search(t) for t in call.targets)
    return bool(_LOAD_NAME.search(call.method))


def _gives_checkpoint(call: Call) -> bool:
    """Whether a trainer is told which stored model predicts (`trainer.predict(ckpt_path=...)`)."""
    value = call.kw("ckpt_path")
    return value is not None and value.text != "None"


def _doing(project: Project, roots: Iterable[Scope], *, imports: bool = False) -> _Doing:
    walked = scopes(project, roots, imports=imports)
    uses = tuple(uses_of(project, walked))
    predicting = frozenset(u.span for u in uses if u.capability == "predict.call")
    loading = frozenset(u.span for u in uses if _loads_model(project, u))
    predicts, loads, stores, reads = [], [], [], []
    by_hand = False
    for module, call in calls_of(project, walked):
        if is_load(call, loading):
            loads.append((module, call))
        elif is_prediction(module, call, predicting):
            predicts.append((module, call))
            if _gives_checkpoint(call):
                loads.append((module, call))
        if _STORES.match(call.method) or _STORE_NAME.search(call.method):
            stores.append((module, call))
        if _READS_SET.match(call.method) or _READ_NAME.search(call.method):
            reads.append((module, call))
        by_hand = by_hand or bool(_OWN_ERROR.search(call.text[:200]))
    measures = by_hand or any(
        u.capability in {"evaluate.metric", "evaluate.report"} and not u.test for u in uses
    )
    return _Doing(
        tuple(predicts),
        tuple(loads),
        tuple(stores),
        tuple(reads),
        bool(trains_here(project, walked)),
        measures,
        any(u.capability in _PARAMETERS for u in uses),
    )


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
    if any(_MODEL_WORD.search(t) for t in around):
        return True
    module = project.modules[use.path]
    line = module.flat(call.span)
    opened = (c for c in module.calls_within((line - 2, line)) if c.method == "open")
    return any(_MODEL_WORD.search(c.text) for c in opened)


def _shown(items: Iterable[tuple[Module, Call]], what: str) -> Iterator[Evidence]:
    for _, call in items:
        line = call.text.splitlines()[0][:90] if call.text else call.name
        yield Evidence(call.span, f"{what}: {line}")


# -- services -----------------------------------------------------------------------------------


def _services(project: Project) -> Iterator[Prediction]:
    """Modules that build a server or define routes, and whose code predicts."""
    by_path: dict[str, list[Use]] = {}
    for use in project.uses(*_SERVERS, notebook=False):
        if use.where == "call":
            by_path.setdefault(use.path, []).append(use)
    for path in sorted(by_path):
        module = project.modules[path]
        roots = [Scope(path), *(Scope(path, f.qualname) for f in module.functions)]
        doing = _doing(project, roots, imports=True)
        if not doing.predicts:
            continue
        # Somebody else's model behind a name such as `predict`: it must come from somewhere.
        named = any(_MODEL_WORD.search(c.text) for _, c in doing.predicts)
        if not doing.loads and not named and not _remote_model(project, roots):
            continue
        uses = by_path[path]
        kind = "stream" if all(u.capability == "serve.stream" for u in uses) else "service"
        best = next((u for u in uses if u.capability in {"serve.route", "serve.grpc"}), uses[0])
        shown = [*_routes(project, module, uses, best), *_shown(doing.predicts[:2], "predicts")]
        shown += _shown(doing.loads[:1], "loads the model")
        yield Prediction(kind, path, tuple(shown), bool(doing.stores), parameters=True)


def _routes(project: Project, module: Module, uses: list[Use], best: Use) -> list[Evidence]:
    """The route whose function predicts, else the first route."""
    for use in uses:
        if use.call is None or not use.call.decorates:
            continue
        doing = _doing(project, [Scope(module.path, use.call.decorates)])
        if doing.predicts:
            return [use.evidence()]
    return [best.evidence()]


def _remote_model(project: Project, roots: list[Scope]) -> bool:
    """Whether code asks a hosted model: there is nothing to load."""
    walked = scopes(project, roots, imports=True)
    return any(
        u.capability == "predict.call" and not (u.call and _switch(u.call))
        for u in uses_of(project, walked)
    )


def _managed(project: Project) -> Iterator[Prediction]:
    """Model servers, managed endpoints and batch transforms that code or commands set up."""
    for use in project.uses("serve.model", notebook=False):
        told = use.details is not None and use.details.kind == "managed"
        if use.where == "call" and not told and not (use.call and _MANAGED.search(use.call.name)):
            continue
        yield Prediction("service", use.path, (use.evidence(),), parameters=True)
    for use in project.uses("deploy.run", notebook=False):
        if use.where == "command" and _ENDPOINTS.search(use.detail):
            kind = "batch" if "batch" in use.detail else "service"
            yield Prediction(kind, use.path, (use.evidence(),), parameters=True)
    for resource in project.resources:
        matches = project.catalogue.resource(resource.kind)
        if any(m.capability == "serve.model" for m in matches):
            place = Evidence(resource.span, f"{resource.kind} {resource.name}")
            yield Prediction("service", resource.path, (place,), parameters=True)
    for use in project.uses("serve.batch", notebook=False):
        yield Prediction("batch", use.path, (use.evidence(),), stores=True, parameters=True)
    asked = project.uses("predict.call", test=False, notebook=False)
    for path in project.paths if asked else ():
        for match in project.catalogue.file(path):
            if match.capability == "serve.model":
                shown = (Evidence(Span(path), f"served by {match.tool.name}"), asked[0].evidence())
                yield Prediction("service", path, shown, parameters=True)


def _handlers(project: Project) -> Iterator[Prediction]:
    """Scoring scripts that a platform calls: `init` and `run`, handlers, predictor classes."""
    for module in project.source:
        names = {f.name: f for f in module.functions if not f.owner and not f.stub}
        roots: list[Function] = []
        if "init" in names and "run" in names:
            roots = [names["init"], names["run"]]
        else:
            roots = [names[n] for n in sorted(_HANDLERS & names.keys())]
        for klass in module.classes:
            bases = tuple(project.index.bases(module.path, klass))
            if klass.name == _TRITON or any(_HANDLER_BASES.search(b) for b in bases):
                roots += [f for f in module.functions if f.owner == klass.qualname]
        if not roots:
            continue
        doing = _doing(
            project, [Scope(module.path), *(Scope(module.path, f.qualname) for f in roots)]
        )
        if doing.loads and doing.predicts and not doing.trains:
            shown = [Evidence(roots[-1].span, f"{roots[-1].name}() is called by the platform")]
            shown = [*_shown(doing.predicts[:1], "predicts"), *shown]
            shown += _shown(doing.loads[:1], "loads the model")
            batch = "batch" in module.path.lower()
            yield Prediction(
                "batch" if batch else "service",
                module.path,
                tuple(shown),
                bool(doing.stores),
                parameters=True,
            )


# -- programs ------------------------------------------------------------------------------------


def _programs(project: Project) -> Iterator[Prediction]:
    """Programs, flows and functions that load a model and predict."""
    served = {u.path for u in project.uses(*_SERVERS, "serve.demo", notebook=False)}
    for module in project.source[:5000]:
        if module.path in served or not _may_predict(project, module):
            continue
        found = [p for f in _entries(module) if (p := _program(project, module, f))]
        if found:
            yield min(found, key=lambda p: KINDS.index(p.kind))


def _may_predict(project: Project, module: Module) -> bool:
    """Whether a module has a call that predicts or loads, or imports one that does."""
    if any(
        c.method in _PREDICT_METHODS
        or _PREDICT_NAME.search(c.method)
        or _LOAD_NAME.search(c.method)
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
            and "." not in function.qualname.removeprefix(inside)
        ):
            yield Scope(module.path, function.qualname)


def _program(project: Project, module: Module, root: Scope) -> Prediction | None:
    doing = _doing(project, [root])
    if not doing.predicts:
        return None
    function = module.function(root.qualname)
    if not doing.loads or doing.trains:
        return _function(project, module, function, doing)
    shown = [*_shown(doing.predicts[:1], "predicts"), *_shown(doing.loads[:1], "loads the model")]
    chosen = doing.parameters or bool(_arguments(module)) or bool(function and function.params)
    if doing.measures:
        tested = not (doing.stores and _stores_predictions(doing))
        if tested:
            return None
    on_tests = _only_test_data(doing) or bool(
        _EVALUATES.search(f"{module.path.rsplit('/', 1)[-1]}/{root.qualname}")
    )
    if on_tests and doing.stores and _stores_predictions(doing):
        return Prediction("evaluation", module.path, tuple(shown), stores=True, scope=root.qualname)
    if on_tests:
        return None
    if doing.stores and doing.reads and _stores_predictions(doing):
        shown += _shown(doing.stores[-1:], "stores")
        return Prediction(
            "batch", module.path, tuple(shown), stores=True, parameters=chosen, scope=root.qualname
        )
    if (not root.qualname or _started(project, module, root)) and chosen:
        return Prediction(
            "command", module.path, tuple(shown), parameters=True, scope=root.qualname
        )
    aside = _SHOWS.search(f"{module.path.rsplit('/', 1)[-1]}/{root.qualname}")
    only = aside or (function is not None and _only_evaluated(project, module, function))
    kind = "evaluation" if only else "function"
    return Prediction(kind, module.path, tuple(shown), scope=root.qualname)


def _only_evaluated(project: Project, module: Module, function: Function) -> bool:
    """Whether only evaluations and plots of the project call a function that predicts."""
    callers = [
        f"{other.path.rsplit('/', 1)[-1]}/{call.scope}"
        for other in project.source
        for call in other.calls
        if call.method == function.name
        and any(
            s.path == module.path and s.qualname == function.qualname
            for s in project.index.targets(call, other.path)
        )
    ]
    return bool(callers) and all(_EVALUATES.search(c) or _SHOWS.search(c) for c in callers)


def _function(
    project: Project, module: Module, function: Function | None, doing: _Doing
) -> Prediction | None:
    """A function that predicts with a model that it is given."""
    del project
    if function is None or doing.trains or doing.measures or not function.params:
        return None
    if _only_test_data(doing):
        return None
    if not _PREDICT_NAME.search(function.name) or function.name.startswith("test"):
        return None
    if re.search(r"train|eval|valid|test|metric|objective|loss", function.name, re.IGNORECASE):
        return None
    return Prediction(
        "function",
        module.path,
        tuple(_shown(doing.predicts[:1], "predicts")),
        scope=function.qualname,
    )


def _arguments(module: Module) -> str:
    """How a program takes its input without a known library (`sys.argv`, `exec` of settings)."""
    if "sys.argv" in module.names or "argv" in module.names:
        return "sys.argv"
    return next((c.name for c in module.calls if c.name in {"exec", "input"} and not c.scope), "")


def _started(project: Project, module: Module, root: Scope) -> bool:
    """Whether the module is a program, or a console script starts the function."""
    del project
    return module.main_line is not None and any(
        c.method == root.qualname or root.qualname in {v.name.lstrip(":") for v in c.args}
        for c in module.calls_in("")
    )


def _stores_predictions(doing: _Doing) -> bool:
    """Whether what is stored has to do with predictions: not only figures or metrics."""
    for _, call in doing.stores:
        text = call.text + " ".join(call.targets)
        if _FIGURES.search(text):
            continue
        if call.method.startswith("to_") or _OF_PREDICTIONS.search(text):
            return True
    return False


def _only_test_data(doing: _Doing) -> bool:
    """Whether everything that is predicted is the data of training or testing."""
    texts = [" ".join([c.text, *c.targets]) for _, c in doing.predicts]
    texts = [t[:200] for t in texts]
    return bool(texts) and all(_TEST_SET.search(t) for t in texts)


# -- demos ----------------------------------------------------------------------------------------


def _demos(project: Project, known: list[Prediction]) -> Iterator[Prediction]:
    """Demo apps that predict themselves, or call a service of this repository."""
    service = next((p for p in known if p.kind == "service"), None)
    by_path: dict[str, Use] = {}
    for use in project.uses("serve.demo", notebook=False):
        if use.where == "call":
            by_path.setdefault(use.path, use)
    for path, use in sorted(by_path.items()):
        module = project.modules[path]
        roots = [Scope(path), *(Scope(path, f.qualname) for f in module.functions)]
        doing = _doing(project, roots, imports=True)
        if doing.predicts and not doing.trains:
            shown = (use.evidence(), *_shown(doing.predicts[:1], "predicts"))
            yield Prediction("demo", path, shown)
            continue
        client = next((u for u in project.uses_in(path) if u.capability == "serve.client"), None)
        if client is not None:
            kind = "demo" if service is not None else "client"
            yield Prediction(kind, path, (use.evidence(), client.evidence()))
