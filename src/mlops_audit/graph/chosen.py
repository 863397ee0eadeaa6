"""What held-out data chose: checkpoints, the moment to stop, hyperparameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_audit.facts.code import Call, Module
from mlops_audit.graph.datanames import (
    METRIC_NAME,
    TEXT,
    given_validation,
    held_names,
    set_of,
    spelled,
    without_train,
)
from mlops_audit.graph.settings import setting
from mlops_audit.graph.sourcelines import keyword_span, line_span
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

if TYPE_CHECKING:  # imported for types only, to keep the project free to use this module
    from mlops_audit.graph.project import Project

__all__ = ["Choice", "choices_of"]

_BEST = regex(r"(^|[^a-z])(best|min|max|lowest|highest|prev|optimal)(_|[^a-z]|$)|best")
# A best value that was updated just before is compared with `==`.
_ORDERS = frozenset({"<", ">", "<=", ">=", "=="})
_SAVES = regex(r"(save|dump|state_dict|deepcopy|checkpoint|save_pretrained|copy|clone|log_model)")
_RUN_METRIC = regex(r"\b(?:test|val|valid|validation)_(?:mae|mse|rmse|loss|acc|accuracy|f1|auc)\b")
_CALLBACK = regex(r"\.(ModelCheckpoint|EarlyStopping)$")
_TAKES_BEST = regex(r"\b(?:max|min)\((?:sorted\()?(?:list\()?([A-Za-z_]\w{0,60})\b")
_BY_KEY = regex(r"\b(?:max|min)\([^\n]{1,120}?key\s*=\s*([^\n]{1,120})")
_FIRST = regex(r"([A-Za-z_]\w{0,60})\.(?:iloc|index|loc)\[0\]")
_CUT = regex(r"threshold|cut_?off")
_NEAR = 12  # lines of a callback's settings
# Keys by which boosting libraries stop early, where the parameters are a dictionary.
_STOPS = ("early_stopping_round", "early_stopping_rounds", "od_wait")


class Choice(Struct, frozen=True):
    """Something that a set chose: `what` is checkpoint, threshold, stopping, model or the like."""

    on: str  # test, val, cv, or empty when the names do not say
    what: str
    evidence: Evidence


def choices_of(project: Project, modules: tuple[Module, ...]) -> tuple[Choice, ...]:
    """What held-out data chose in these modules, and in the project's settings."""
    found: list[Choice] = []
    for module in modules:
        found += _choices_in(project, module)
    for use in project.uses("train.early_stop", "train.search"):
        found += _choices_of_use(project, use)
    found += _configured_choices(project)
    found += _swept(project)
    for module in modules:
        found += _run_choices(module)
    return tuple(dict.fromkeys(found))


def _choices_in(project: Project, module: Module) -> Iterator[Choice]:
    held = held_names(project, module)
    for branch in module.branches:
        for compare in branch.compares:
            text = f"{compare.left.text} {compare.right.text}"
            if compare.op not in _ORDERS or not _BEST.search(text.lower()):
                continue
            if not METRIC_NAME.search(text):
                continue
            inside = module.calls_within(branch.body)
            stored = any(_SAVES.search(c.method.lower()) for c in inside)
            given = [
                t.lower()
                for a in module.assigns
                if branch.body[0] <= module.flat(a.span) <= branch.body[1]
                for t in a.targets
            ]
            kept = any("model" in t or "param" in t for t in given)
            cut = not (stored or kept) and any(_CUT.search(t) for t in given)
            if stored or kept or cut:
                names = (compare.left.text, compare.right.text)
                on = set_of(text) or _measured_on(module, compare.scope, names, held)
                on = on or _scope_set(module, compare.scope, held)
                what = "threshold" if cut else "checkpoint"
                yield Choice(on, what, Evidence(branch.span, f"if {branch.test}"))
    for call in module.calls:
        if not call.runs:
            continue
        if call.method == "ModelCheckpoint" and (call.kw("monitor") or call.kw("save_best_only")):
            best = call.kw("save_best_only")
            if best is None or best.literal is not False:
                yield Choice(_fit_set(module), "checkpoint", Evidence(call.span, call.told))
        yield from _kept_best(project, module, call)
    yield from _stopped(project, module)
    yield from _best_of(module, held)


def _best_of(module: Module, held: dict[str, str]) -> Iterator[Choice]:
    """The model with the best score on a set: `best_score = max(report.values())`."""
    for assign in module.assigns:
        if not any(_BEST.search(t.lower()) for t in assign.targets):
            continue
        shown = f"{assign.targets[0]} = {assign.value.text}"
        # `max(results, key=lambda r: r["test_accuracy"])` says itself what was measured on.
        keyed = _BY_KEY.search(assign.value.text)
        if keyed and METRIC_NAME.search(keyed[1]) and (on := set_of(keyed[1])) in {"test", "val"}:
            yield Choice(on, "model", Evidence(assign.span, shown))
            return
        if (ranked := _FIRST.match(assign.value.text)) and _is_ranked(
            module, assign.scope, ranked[1]
        ):
            measured = [c for c in module.calls_in(assign.scope) if METRIC_NAME.search(c.method)]
            sets = {set_of(v.text) or held.get(v.text, "") for c in measured for v in c.args[:2]}
            if on := next((s for s in ("val", "test") if s in sets), ""):
                yield Choice(on, "model", Evidence(assign.span, shown))
            return
        taken = _TAKES_BEST.search(assign.value.text)
        if taken is None:
            continue
        measured = [c for c in module.calls_in(assign.scope) if taken[1] in c.targets]
        given = [v.text for c in measured for v in (*c.args, *(v for _, v in c.kwargs))]
        sets = {set_of(t) or held.get(t, "") for t in given if len(t) <= TEXT}
        on = next((s for s in ("val", "test") if s in sets), "")
        if on:
            yield Choice(on, "model", Evidence(assign.span, shown))
            return


def _is_ranked(module: Module, scope: str, name: str) -> bool:
    """Whether a table of results was sorted by a metric."""
    return any(
        c.method == "sort_values" and name in c.targets and METRIC_NAME.search(c.text.lower())
        for c in module.calls_in(scope)
    )


def _stopped(project: Project, module: Module) -> Iterator[Choice]:
    """Early stopping among a dictionary of parameters, beside a fit that watches a set."""
    if not module.names.isdisjoint(_STOPS) or not any(
        given_validation(module, c) for c in module.calls
    ):
        return  # a keyword tells a tool's row
    for item in module.assigns:
        key = next((k for k in item.value.keys if k in _STOPS), "")
        value = item.value.get(key) if key else None
        if value is not None and not (value.is_literal and not value.literal):
            place = line_span(project, item.span, rf"\b{key}\b")
            yield Choice(_fit_set(module), "stopping", Evidence(place, f"{key}: {value.text}"))


def _choices_of_use(project: Project, use: Use) -> Iterator[Choice]:
    module = project.modules.get(use.path)
    if module is None or use.call is None:
        return
    call = use.call
    if use.capability == "train.early_stop":
        if call.name.startswith("sklearn."):
            return  # splits its own validation set off the training data
        watched = set_of(without_train(given_validation(module, call)))
        on = watched if watched in {"test", "val"} else _fit_set(module)
        yield Choice(on, "stopping", use.evidence())
    elif not call.name.startswith(("sklearn.", "imblearn.", "dask_ml.", "skopt.BayesSearchCV")):
        yield Choice(_objective_set(project, module, call), "hyperparameters", use.evidence())
    elif call.name.startswith("sklearn."):
        yield Choice("cv", "hyperparameters", use.evidence())


def _objective_set(project: Project, module: Module, call: Call) -> str:
    """The set on which the function that a search minimises measures."""
    scopes = {v.name.lstrip(":") for v in (*call.args, *(v for _, v in call.kwargs)) if v.name}
    scopes |= {f.qualname for f in module.functions if "objective" in f.name.lower()}
    held = held_names(project, module)
    found = {_scope_set(module, s, held) for s in scopes if module.function(s)}
    return next((s for s in ("test", "val") if s in found), "")


def _run_choices(module: Module) -> Iterator[Choice]:
    """The best of several tracked runs, taken by a metric of held-out data."""
    if not any(c.method == "search_runs" for c in module.calls):
        return
    named = [t for t in module.texts if not t.doc and _RUN_METRIC.search(t.value)]
    for call in module.calls:
        picks = call.method in {"idxmin", "idxmax"} and "metric" in call.text
        if picks or (call.method == "search_runs" and call.kw("order_by") is not None):
            found = _RUN_METRIC.search(call.text)
            said = found[0] if found else next((t.value for t in named), "")
            if set_of(said) in {"test", "val"}:
                place = Evidence(call.span, call.told)
                yield Choice(set_of(said), "hyperparameters", place)
                return


def _configured_choices(project: Project) -> Iterator[Choice]:
    """Callbacks that settings name for a program to build: what they watch chooses."""
    watched = {(s.span.path, s.span.line): s for s in setting(project, "monitor")}
    for key in ("_target_", "class_path"):
        for item in setting(project, key):
            callback = _CALLBACK.search(str(item.value))
            near = (item.span.line or 0) + 1
            places = ((item.span.path, line) for line in range(near, near + _NEAR))
            monitor = next((watched[p] for p in places if p in watched), None)
            if not callback or monitor is None:
                continue
            value = str(monitor.value)
            on = set_of(value)
            if on in {"test", "val"} or value.startswith("${"):  # a resolver names the metric
                what = "checkpoint" if callback[1] == "ModelCheckpoint" else "stopping"
                yield Choice(on, what, monitor.evidence())


def _swept(project: Project) -> Iterator[Choice]:
    """The metric that a sweep of Weights & Biases searches by."""
    methods = {s.span.path for s in setting(project, "method") if s.key == "method"}
    for item in setting(project, "name"):
        if item.key == "metric.name" and item.span.path in methods:
            on = set_of(str(item.value))
            if on in {"test", "val"}:
                yield Choice(on, "hyperparameters", item.evidence())


def _measured_on(module: Module, scope: str, names: tuple[str, ...], held: dict[str, str]) -> str:
    """The held-out set behind a compared value: followed back to the call that measured it."""
    known = set(names)
    for item in module.assigns:  # `fitness = top1`, one step is what people write
        if item.scope == scope and known.intersection(item.targets) and not item.value.is_call:
            known.add(item.value.text)
    for call in module.calls_in(scope):
        if not known.intersection(
            n.strip() for t in call.targets for n in t.strip("()").split(",")
        ):
            continue
        for value in (*call.args, *(v for _, v in call.kwargs)):
            on = set_of(value.text) if len(value.text) <= TEXT else ""
            if on or (on := held.get(value.text, "")):
                return on
    return ""


def _scope_set(module: Module, scope: str, held: dict[str, str]) -> str:
    """The held-out set that a function names most plainly."""
    found: set[str] = set()
    for call in module.calls_in(scope):
        for value in (*call.args, *(v for _, v in call.kwargs)):
            if len(value.text) <= TEXT:
                text = spelled(module, scope, value.text)
                found.add(set_of(text))
                found.add(held.get(value.text, ""))
        found.update(set_of(t) for t in call.targets)
    function = module.function(scope)
    if function is not None:
        found.update(set_of(p.name) for p in function.params)
    if "val" in found:
        return "val"
    return "test" if "test" in found else ""


def _fit_set(module: Module) -> str:
    """The set that the module's fits are told to watch."""
    found: set[str] = set()
    for call in module.calls:
        value = given_validation(module, call)
        if value:
            found.add(set_of(without_train(value)) or "val")
    return next((s for s in ("test", "val") if s in found), "val")


def _kept_best(project: Project, module: Module, call: Call) -> Iterator[Choice]:
    """Checkpoints that a library keeps by itself: the one that a set likes best."""
    best = call.kw("load_best_model_at_end")
    if best is not None and (best.literal is True or best.text.startswith("True if ")):
        place = keyword_span(project, call, "load_best_model_at_end")
        said = f"{call.method}(load_best_model_at_end={best.text})"
        yield Choice(_fit_set(module), "checkpoint", Evidence(place, said))
    elif best is not None and not best.is_literal:  # a settings file says it
        for item in setting(project, "load_best_model_at_end"):
            if str(item.value).lower() == "true":
                yield Choice(_fit_set(module), "checkpoint", item.evidence())
                break
    best = call.kw("use_best_model")  # CatBoost
    if best is not None and best.literal is True and (value := given_validation(module, call)):
        on = set_of(without_train(value)) or "val"
        yield Choice(on, "checkpoint", Evidence(call.span, call.told))
    if call.name.startswith("ultralytics.") and call.method == "train":
        yield Choice("val", "checkpoint", Evidence(call.span, call.told))
