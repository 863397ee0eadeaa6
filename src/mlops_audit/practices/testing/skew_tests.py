"""TST15: training and serving give the same features and predictions."""

from __future__ import annotations

import re

from mlops_audit.graph import Project
from mlops_audit.graph.features import shared_queries
from mlops_audit.graph.fittedparts import shared_transformer
from mlops_audit.graph.index import Symbol
from mlops_audit.graph.lifecycle import TRAIN
from mlops_audit.graph.scopes import scopes_from
from mlops_audit.graph.training import training_programs
from mlops_audit.model import Evidence, Verdict, failed, hollow, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.testing._skew import shared_within
from mlops_audit.regex import regex

_LOOKED = "a test that training and serving give the same features or the same prediction"
_NAMES = regex(
    r"(train|serv|online|offline)\w*skew|skew_(test|check|between)|parity|(train|serv|batch|online|offline)\w*_consisten|train\w*_(and|vs|equals?)_(serv|infer)|same_(features|prediction)|"
    r"(offline|online)_(and|vs|equals?|matches)|matches_(training|batch|offline|serving)",
    re.IGNORECASE,
)
_SHARED = regex(
    r"(^|[._])process(_|$)|pre_?process|feature|transform|prepare|encod|tokeni|clean|schema|predict|"
    r"normali|check$|augment|prompt",
    re.IGNORECASE,
)
_SERVING_PATH = regex(
    r"(^|/)(serv\w*|api|app|inference|predict\w*|scor\w*|deploy\w*|batch\w*)(/|\.py$|_)",
    re.IGNORECASE,
)
_TRAINING_PATH = regex(
    r"(^|/)(train\w*|\w*_train(ing)?|evaluat\w*|tuning|fit)(/|\.py$|_)|test_performance",
    re.IGNORECASE,
)
_TIDIES = regex(r"clean_?up|tidy|teardown", re.IGNORECASE)
_NETWORK = regex(r"(^|\.)(nn\.Module|LightningModule|PreTrainedModel|Model|Module)$")
_BARE = frozenset({"run", "main", "execute", "apply", "call", "start"})
_DEPTH = 2  # functions between a side's module and what both sides share
_EXPORTED = regex(r"(TFTransformOutput|transform_features_layer|TransformFeaturesLayer)")


@practice(
    id="TST15",
    title="Training and serving give the same features",
    assets="model",
    level="5s",
    sources="S2 S4",
    fix="Put the features into one function; test that service and batch give the same prediction.",
    template=("tests/integration/test_skew.py",),
    needs=("training", "prediction"),
)
def skew_tests(project: Project) -> Verdict:
    """Look for tests of parity, then for code that both sides share."""
    serving = _side(project, project.roles.serving, _SERVING_PATH)
    training = _side(project, training_programs(project), _TRAINING_PATH) | _steps(project)
    training -= serving
    tests = [
        c.evidence()
        for c in project.tests.counting
        if _NAMES.search(c.name)
        and {s.path for s in c.exercises} & (serving | training)
        and len(c.exercises) > 1
    ]
    if tests:
        return passed("a test compares training with serving", tests)
    shared = _shared(project, training, serving)
    shared += shared_within(project, _SHARED)
    shared += [u.evidence() for m in project.source for u in project.uses_in(m.path)
               if _EXPORTED.search(u.detail)]  # fmt: skip
    shared += shared_queries(project) + shared_transformer(project, serving)
    stores: dict[str, Evidence] = {}
    for use in project.uses("feature.store", notebook=False):
        if not project.is_example(use.path):
            stores.setdefault(use.path, use.evidence())
    if set(stores) & serving and set(stores) & training:
        shared += [stores[p] for p in sorted(stores)]
    if shared:
        return partial("training and serving share one function, but no test compares them", shared)
    named = [c for c in project.tests.cases if re.search("skew|parity", c.name, re.IGNORECASE)]
    if named:
        return hollow(
            "tests are named after skew and compare nothing",
            [c.evidence() for c in named],
            looked_for=_LOOKED,
        )
    return failed("no test compares training with serving", looked_for=_LOOKED)


_SCORES = regex(r"(^|/)(eval(uat\w*)?|metrics?|scor\w*)(/|_|\.py$)", re.IGNORECASE)


_TRAINS = regex(r"(^|[._])(re)?(train|fit)(ing)?([._]|$)|Train(er|ing)?[A-Z]")
_ANSWERS = regex(r"(^|[._])(predict|serve|infer)(ion|ing|ence)?([._]|$)")


def _side(project: Project, roles: frozenset[str], pattern: re.Pattern[str]) -> frozenset[str]:
    """The modules of one side, by role and by place."""
    own = [m.path for m in project.source]
    return frozenset(p for p in own if p in roles or pattern.search(p))


def _steps(project: Project) -> frozenset[str]:
    """The programs that the steps of a training pipeline run, such as that of its preparation."""
    tools = {p.tool.lower() for p in project.pipelines if p.dag and p.with_part(TRAIN)}
    nodes = [project.nodes.target(t) for t in project.targets if t.runner in tools]
    code, _ = scopes_from(project, nodes)
    return frozenset(s.path for s in code if s.path in project.modules)


def _shared(project: Project, training: frozenset[str], serving: frozenset[str]) -> list[Evidence]:
    left, right = _called(project, training, _ANSWERS), _called(project, serving, _TRAINS)
    # What serving takes from the very module that trains with it.
    for symbol in right:
        if symbol not in left and symbol.path in training and symbol.path not in serving:
            for call in project.modules[symbol.path].calls:
                if project.index.resolve(call.name, symbol.path) == symbol:
                    left[symbol] = Evidence(call.span, call.told)
                    break
    found = []
    for symbol in sorted(set(left) & set(right), key=lambda s: (s.path, s.qualname)):
        if _is_network(project, symbol):
            continue  # the model itself, whatever its name holds
        if (
            _SHARED.search(_called_by(symbol))
            and not _SCORES.search(symbol.path)
            and not _TIDIES.search(symbol.qualname)
        ):
            name = symbol.qualname or symbol.path
            found += [_by(right[symbol], "serving", name), _by(left[symbol], "training", name)]
    return found


def _is_network(project: Project, symbol: Symbol) -> bool:
    owner = symbol.qualname.partition(".")[0]
    cls = project.modules[symbol.path].klass(owner)
    return cls is not None and any(
        _NETWORK.search(base) for base in project.index.bases(symbol.path, cls)
    )


def _by(place: Evidence, side: str, name: str) -> Evidence:
    """A call of a shared function with the side that it belongs to."""
    told = place.detail if name.rsplit(".", 1)[-1] in place.detail else f"{name}: {place.detail}"
    return Evidence(place.span, f"{side} calls {told}")


def _called_by(symbol: Symbol) -> str:
    """A function's name, before a bare `run` or `main` that of its module."""
    stem = symbol.path.rsplit("/", 1)[-1].removesuffix(".py")
    return f"{stem}.{symbol.qualname}" if symbol.qualname in _BARE else symbol.qualname


def _answering(project: Project, paths: frozenset[str]) -> list[tuple[str, str, int]]:
    """The methods that predict, of the project's classes that serving imports.

    What such an object is loaded from says nothing of its class.
    """
    found: list[tuple[str, str, int]] = []
    for path in sorted(paths):
        for item in project.modules[path].imports:
            symbol = project.index.resolve(item.dotted, path) if item.name else None
            if symbol is None or symbol.kind != "class" or symbol.path in paths:
                continue
            found += [
                (symbol.path, f.qualname, 0)
                for f in project.modules[symbol.path].functions
                if f.owner == symbol.qualname and _ANSWERS.search(f.name)
            ]
    return found


def _called(
    project: Project, paths: frozenset[str], other: re.Pattern[str]
) -> dict[Symbol, Evidence]:
    """Functions of other modules that these modules call, each with one place.

    What a function of the other side's name does (`train` in a service) is not this side's.
    """
    found: dict[Symbol, Evidence] = {}
    queue = [(p, "", _DEPTH) for p in sorted(paths)]
    queue += _answering(project, paths) if other is _TRAINS else []
    while queue:
        path, scope, depth = queue.pop(0)
        module = project.modules[path]
        for call in module.calls_in(scope) if scope else module.calls:
            symbol = None if call.name.startswith("?") else project.index.resolve(call.name, path)
            if symbol is None or symbol in found or call.method == "with_options":
                continue  # a pipeline is set up here, its steps run elsewhere
            if other.search(call.scope) or other.search(symbol.qualname):
                continue
            if symbol.path != path or scope:
                text = call.told
                found[symbol] = Evidence(call.span, text)
                if depth and symbol.qualname:
                    queue.append((symbol.path, symbol.qualname, depth - 1))
    return found
