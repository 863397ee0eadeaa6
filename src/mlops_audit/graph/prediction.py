"""How a trained model is used: services, batch jobs, streams, commands, functions and demos.

The role decision and AUT17 share this module, so they agree (practices.md, rule 5 and AUT17).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Function, Module
from mlops_audit.graph.batchinputs import predicts_test_data
from mlops_audit.graph.memo import once
from mlops_audit.graph.predicting import (
    KINDS,
    MODEL_WORD,
    PREDICT_NAME,
    SERVERS,
    Prediction,
    asks_server,
    doing_of,
    is_switch,
    shown_calls,
)
from mlops_audit.graph.predictionprograms import programs
from mlops_audit.graph.scopes import Scope, scopes, uses_of
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["find_predictions", "trials"]

PREDICT_ROUTE = regex(
    r"predict|infer|invoc|scor|classif|recogni|detect|recommend|forecast|generat|transcri|answer|chat",
    re.IGNORECASE,
)
_HANDLERS = frozenset({"lambda_handler", "handler", "model_fn", "predict_fn", "input_fn"})
_REQUESTS = frozenset({"request", "req", "http_request"})
# A container of SageMaker calls both, also where the model is the fitted transformer alone.
_CONTRACT = frozenset({"model_fn", "predict_fn"})
_OF_ESTIMATORS = frozenset({"features", "labels", "mode", "params"})  # what TensorFlow hands over
_OF_A_TRIAL = frozenset({"main", "demo", "test", "self_test", "run_local"})
_HANDLER_BASES = regex(
    r"(BaseHandler|BasePredictor|kserve\.Model|KFModel|MLModel|LitAPI|PredictionHandler|"
    r"cpr\.Predictor|SeldonComponent|TritonPythonModel|PythonPredictor|BaseRunner|"
    r"(django|rest_framework|flask|tornado|falcon|starlette|sanic)\b[\w.]*\.\w*(View|ViewSet|Resource|"
    r"RequestHandler|HTTPEndpoint)|flask_rest\w*\.Resource|maxfw\.core\.PredictAPI)$"
)
# Classes that a platform finds by their name alone.
_HANDLER_NAMES = frozenset({"TritonPythonModel", "EndpointHandler"})
_MANAGED = regex(
    r"(deploy|create_endpoint|Endpoint\.create|InferenceConfig|OnlineEndpoint|"
    r"OnlineDeployment|ModelDeployOp|EndpointCreateOp|LitServer|ModelServer|"
    r"MLServer|Triton|seldon_core|\.serve|ManagedOnline|KubernetesOnline)"
)
_ENDPOINTS = regex(
    r"az ml (online|batch)-(deployment|endpoint) (create|update)|sagemaker create-endpoint|"
    r"gcloud ai endpoints deploy-model|az ml model deploy|mlflow deployments (create|update)|"
    r"bentoml deploy|truss push|cog push"
)


def find_predictions(project: Project) -> tuple[Prediction, ...]:
    """All ways in which the code outside tests and notebooks predicts, strongest kind first."""
    found = [*_managed(project), *_services(project), *_handlers(project), *programs(project)]
    found += _demos(project, found)
    return tuple(
        sorted(
            found, key=lambda p: (KINDS.index(p.kind), project.is_example(p.path), p.path, p.scope)
        )
    )


def _services(project: Project) -> Iterator[Prediction]:
    """Modules that build a server or define routes, and whose code predicts."""
    by_path: dict[str, list[Use]] = {}
    for use in project.uses(*SERVERS, notebook=False):
        if use.where == "call":
            by_path.setdefault(use.path, []).append(use)
    for path in sorted(by_path):
        module = project.modules[path]
        roots = [Scope(path), *(Scope(path, f.qualname) for f in module.functions)]
        doing = doing_of(project, roots, imports=True)
        if not doing.predicts:
            continue
        # Somebody else's model behind a name such as `predict`: it must come from somewhere.
        named = any(MODEL_WORD.search(c.text) or asks_server(c) for _, c in doing.predicts)
        filled = _filled_in(project, path) if not doing.loads and not named else None
        if not (doing.loads or named or filled or _remote_model(project, roots)):
            continue
        uses = by_path[path]
        kind = "stream" if all(u.capability == "serve.stream" for u in uses) else "service"
        best = next((u for u in uses if u.capability in {"serve.route", "serve.grpc"}), uses[0])
        shown = [
            *_routes(project, module, uses, best),
            *shown_calls(doing.predicts[:2], "predicts"),
        ]
        shown += [filled] if filled else shown_calls(doing.loads[:1], "loads the model")
        yield Prediction(kind, path, tuple(shown), bool(doing.stores), parameters=True)


def _filled_in(project: Project, path: str) -> Evidence | None:
    """A class of another module, with a model, that fills in what a server's class leaves open."""
    for other in project.source:
        for klass in other.classes if other.path != path else ():
            parents = (project.index.resolve(b, other.path) for b in klass.bases)
            if not any(p is not None and p.path == path for p in parents):
                continue
            outer = klass.qualname.rpartition(".")[0]
            inside = (f.qualname for f in other.functions if f.owner == klass.qualname)
            roots = [Scope(other.path, q) for q in (outer, *inside)]
            doing = doing_of(project, roots)
            if doing.loads and doing.predicts:
                return next(iter(shown_calls(doing.loads[:1], "loads the model")))
    return None


def _routes(project: Project, module: Module, uses: list[Use], best: Use) -> list[Evidence]:
    """The route whose function predicts, by its name before others, else the first route."""
    for use in sorted(uses, key=lambda u: not PREDICT_ROUTE.search(u.detail)):
        if use.call is None or not use.call.decorates:
            continue
        doing = doing_of(project, [Scope(module.path, use.call.decorates)])
        if doing.predicts:
            return [use.evidence()]
    return [best.evidence()]


def _remote_model(project: Project, roots: list[Scope]) -> bool:
    """Whether code asks a hosted model: there is nothing to load."""
    walked = scopes(project, roots, imports=True)
    return any(
        u.capability == "predict.call" and not (u.call and is_switch(u.call))
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
        if _only_prepares(project, use):
            continue
        tested = use.call is not None and predicts_test_data(project, use.path, use.call)
        kind = "evaluation" if tested else "batch"
        yield Prediction(kind, use.path, (use.evidence(),), stores=True, parameters=not tested)
    asked = project.uses("predict.call", test=False, notebook=False)
    for path in project.paths if asked else ():
        for match in project.catalogue.file(path):
            if match.capability == "serve.model":
                shown = (Evidence(Span(path), f"served by {match.tool.name}"), asked[0].evidence())
                yield Prediction("service", path, shown, parameters=True)


def _only_prepares(project: Project, use: Use) -> bool:
    """Whether what is mapped over the batches is the project's own and predicts nothing."""
    given = use.call.args[:1] if use.call is not None else ()
    symbol = project.index.resolve(given[0].name, use.path) if given and given[0].name else None
    if symbol is None:
        return False
    own = project.modules[symbol.path].functions
    mapped = [f for f in own if symbol.qualname in (f.qualname, f.owner)]
    walked = [Scope(symbol.path, f.qualname) for f in mapped]
    return bool(walked) and not doing_of(project, walked).predicts


def _handlers(project: Project) -> Iterator[Prediction]:
    """Scoring scripts that a platform calls: `init` and `run`, handlers, predictor classes."""
    for module in project.source:
        names = {f.name: f for f in module.functions if not f.owner and not f.stub}
        roots: list[Function] = []
        if "init" in names and "run" in names:
            roots = [names["init"], names["run"]]
        else:
            roots = [names[n] for n in sorted(_HANDLERS & names.keys()) if not _builds(names[n])]
            roots += [f for f in names.values() if _takes_request(module, f)]
        for klass in module.classes:
            bases = tuple(project.index.bases(module.path, klass))
            if klass.name in _HANDLER_NAMES or any(_HANDLER_BASES.search(b) for b in bases):
                roots += [f for f in module.functions if f.owner == klass.qualname]
        if not roots:
            continue
        called = [Scope(module.path, f.qualname) for f in roots]
        doing = doing_of(project, [Scope(module.path), *called])
        if doing.trains and module.main_line is not None:
            doing = doing_of(project, called)  # a trial of its own fits a model to ask
        if doing.loads and (doing.predicts or names.keys() >= _CONTRACT) and not doing.trains:
            shown = [Evidence(roots[-1].span, f"{roots[-1].name}() is called by the platform")]
            shown = [*shown_calls(doing.predicts[:1], "predicts"), *shown]
            shown += shown_calls(doing.loads[:1], "loads the model")
            batch = "batch" in module.path.lower()
            yield Prediction(
                "batch" if batch else "service",
                module.path,
                tuple(shown),
                bool(doing.stores),
                parameters=True,
            )


def _builds(function: Function) -> bool:
    """Whether a function builds the network of an Estimator: `model_fn(features, labels, mode)`."""
    given = {p.name for p in function.params}
    return function.name in _CONTRACT | {"input_fn"} and bool(_OF_ESTIMATORS & given)


def _takes_request(module: Module, function: Function) -> bool:
    """Whether a cloud calls a function with a request, whose body it asks for."""
    name = function.params[0].name if function.params else ""
    return name in _REQUESTS and any(
        c.receiver == name and c.method in {"get_json", "get_data"}
        for c in module.calls_in(function.qualname)
    )


@once
def trials(project: Project) -> frozenset[str]:
    """Modules that a platform calls and that fit a model only to try themselves out."""
    found = set()
    for module in project.source:
        names = {f.name for f in module.functions if not f.owner and not f.stub}
        if not names >= _CONTRACT or module.main_line is None:
            continue
        fits = [u for u in project.uses_in(module.path) if u.capability == "train.fit"]
        start = module.main_line
        if fits and all(
            u.scope in _OF_A_TRIAL or (not u.scope and module.flat(u.span) >= start) for u in fits
        ):
            found.add(module.path)
    return frozenset(found)


def _asks(project: Project, module: Module, path: str) -> bool:
    """Whether a page that calls a service asks for predictions: it posts, or a name says so."""
    calls = (u.call for u in project.uses_in(path) if u.capability == "serve.client")
    if any(c is not None and not c.name.endswith(".get") for c in calls):
        return True
    told = [t.value for t in module.texts if not t.doc] + [f.name for f in module.functions]
    return any(PREDICT_NAME.search(re.sub(r"\W+", "_", t[:200])) for t in told)


_TYPED = regex(r"(\w{1,60}) :?= (?:\w{1,30}\.){1,3}chat_input\(")
_ASKED = frozenset({"chat", "stream_chat", "query", "invoke", "stream", "run", "ask", "predict"})
_LLM = frozenset({"llama_index", "langchain", "langchain_core", "langgraph", "haystack", "dspy"})


def _answers(project: Project, module: Module) -> Evidence | None:
    """A call that hands what somebody typed into a chat to an agent which the project builds."""
    if not any(m.roots & _LLM for m in project.source):
        return None
    typed = set(_TYPED.findall(project.text(module.path) or ""))
    for call in module.calls if typed else ():
        if call.method in _ASKED and call.runs and call.receiver:
            given = {w for v in call.args for w in re.findall(r"\w+", v.text[:200])}
            if typed & given:
                return Evidence(call.span, f"predicts: {call.told}")
    return None


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
        doing = doing_of(project, roots, imports=True)
        if doing.predicts and not doing.trains:
            shown = (use.evidence(), *shown_calls(doing.predicts[:1], "predicts"))
            yield Prediction("demo", path, shown)
            continue
        if (answer := _answers(project, module)) is not None:
            yield Prediction("demo", path, (use.evidence(), answer))
            continue
        client = next((u for u in project.uses_in(path) if u.capability == "serve.client"), None)
        if client is not None and _asks(project, module, path):
            kind = "demo" if service is not None else "client"
            yield Prediction(kind, path, (use.evidence(), client.evidence()))
