"""Evaluations on held-out data: metrics of a test or validation set, loops over it, names of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_audit.facts.code import Call, Module
from mlops_audit.graph.called import is_called
from mlops_audit.graph.datanames import (
    EVALUATES,
    METRIC_NAME,
    TEXT,
    given_validation,
    held_names,
    is_evaluation_script,
    set_of,
    without_train,
)
from mlops_audit.graph.sourcelines import line_span
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

if TYPE_CHECKING:  # imported for types only, to keep the project free to use this module
    from mlops_audit.graph.project import Project

__all__ = [
    "Held",
    "evaluations_in",
    "evaluations_of_tests",
    "fits_before_the_split",
    "metrics_of_the_fit",
]

# Checks of what the data looks like evaluate no model.
_CHECKS = regex(
    r"validate_(\w+_)?(columns?|schemas?|data|datasets?|inputs?|types?|dtypes|names?|paths?|files?|"
    r"config|params|args|arguments|number_of_\w+|shapes?)(_|$)|"
    r"^test_(set|data|split|size|ratio|df|frame|path|file)"
)
_WRITES_TO = regex(r"path|(^|_)dir|file|folder|name|prefix|(^|_)log(_|$)|title", re.IGNORECASE)
_PREDICTS = regex(r"(^|_)(predict|predict_proba|forecast|inference|infer|predictions?)(_|$)")
_LOADER = regex(
    r"load|dl$|data|iter(ator)?$|gen|batch|_ds|^ds_|[xy]_?(te|val)|_[xy]$|_set|set$|_df"
)
_SET_WORDS = {
    "test": "test", "val": "val", "valid": "val", "validation": "val", "dev": "val", "eval": "val",
}  # fmt: skip
# A file of a data set that comes in parts: `stsb/sts-test.csv`; what a check reports is none.
_SET_FILE = regex(
    r"(?:^|(?<!reports)(?<!results)[/_.-])(test|dev|val|valid|validation)"
    r"\.(?:csv|tsv|txt|jsonl?|parquet)$",
    re.IGNORECASE,
)
_AGREES = frozenset({"spearmanr", "pearsonr", "kendalltau"})  # scores beside a person's
# What was predicted, taken from or compared with what came true: an error made by hand.
_PREDICTED = regex(r"(^|_|y)(pred\w*|hat|forecasts?)(_|$)", re.IGNORECASE)
_APART = regex(r"\(\s*([\w.]{1,60})\s*(?:-|==|!=)\s*([\w.]{1,60})\s*\)")
_MEANS = frozenset({"mean", "average", "sum", "median", "nanmean", "reduce_mean"})
_LOGS = frozenset(
    {"log", "log_metric", "log_metrics", "log_scalar", "add_scalar", "log_dict", "set_metric",
     "report_scalar"}
)  # fmt: skip


class Held(Struct, frozen=True):
    """An evaluation on held-out data: `test`, `val` or `cv` (cross-validation)."""

    on: str
    evidence: Evidence
    notebook: bool = False
    weak: bool = False  # only a name says so, no call was seen
    unseen: bool = False  # and nothing at all is seen to be done with it


def evaluations_in(project: Project, module: Module) -> Iterator[Held]:
    """The evaluations of one module on data that the names say is held out."""
    library = {u.span: u for u in project.uses_in(module.path) if u.capability == "evaluate.metric"}
    held = held_names(project, module)
    computes = (
        bool(library)
        or bool({"no_grad", "inference_mode"} & module.names)
        or bool(_AGREES & module.names and not module.notebook)
        or any(_says_evaluate(c) for c in module.calls)
    )
    predicted: dict[str, str] = {}  # what predictions on a set are called
    for call in module.calls:
        if not call.runs or call.decorates:
            continue
        predicts = _PREDICTS.search(call.method.lower()) is not None
        told = call.span in library or _says_evaluate(call) or _by_hand(call)
        on = _data_of(call, held, predicted) if predicts or told else ""
        if predicts and on in {"test", "val"}:
            predicted.update(dict.fromkeys(call.targets, on))
        if told and call.span not in library and _hands_over_all(project, module, call):
            continue
        if _never_evaluates(call) or (
            call.method in _LOGS and not is_called(project, module.path, call.scope)
        ):
            continue
        if told and on in {"test", "val"}:
            yield Held(on, Evidence(call.span, call.told), module.notebook)
        elif call.method == "test" and call.name.endswith("Trainer.test"):
            yield Held("test", Evidence(call.span, call.told), module.notebook)
        elif value := given_validation(module, call):
            on = "test" if set_of(without_train(value)) == "test" else "val"
            yield Held(on, Evidence(call.span, call.told), module.notebook)
    yield from _logged(project, module)
    if computes:
        yield from _loops(project, module)


def _by_hand(call: Call) -> bool:
    """Whether a mean is the error of predictions: `np.mean((y_test - y_pred) ** 2)`."""
    if call.method not in _MEANS:
        return False
    pairs = (found.groups() for found in _APART.finditer(call.text[: TEXT * 2]))
    return any(bool(_PREDICTED.search(a)) is not bool(_PREDICTED.search(b)) for a, b in pairs)


def _handed(module: Module, name: str) -> str:
    """The set that callers hand to a function's parameter, whatever the parameter is called."""
    if any(name in a.targets for a in module.assigns):
        return ""
    found = set()
    for function in module.functions:
        places = [n for n, p in enumerate(function.params) if p.name == name]
        for call in module.calls if places else ():
            if call.name == f":{function.qualname}":
                value = call.arg(places[0], name)
                found.add(set_of(value.text) if value is not None else "")
    return found.pop() if len(found) == 1 else ""


def _hands_over_all(project: Project, module: Module, call: Call) -> bool:
    """Whether a function of the project gets both held-out sets: what it measures stands in it."""
    sets = {set_of(v.text) for v in (*call.args, *(v for _, v in call.kwargs))}
    return {"test", "val"} <= sets and bool(project.index.targets(call, module.path))


def fits_before_the_split(project: Project, module: Module) -> Iterator[Evidence]:
    """Fits on all the data that is split only afterwards, where none is on the training part."""
    splits = [u.call for u in project.uses_in(module.path) if u.capability == "evaluate.split"]
    fits = [c for c in module.calls if c.method == "fit" and len(c.args) > 1 and c.runs]
    for split in splits if fits else ():
        if split is None or split.method != "train_test_split" or not split.targets:
            continue
        whole = {_root(v.text) for v in split.args}
        near = [(c, _root(c.args[0].text)) for c in fits if c.scope == split.scope]
        early = [c for c, root in near if root in whole and _before(module, c, split)]
        if early and not any(root in split.targets for _, root in near):
            yield Evidence(early[0].span, early[0].text)


def _root(text: str) -> str:
    """The variable at the start of an expression: `df` of `df[["a"]].values`."""
    return re.split(r"[^\w]", text, maxsplit=1)[0]


def _before(module: Module, one: Call, two: Call) -> bool:
    return module.flat(one.span) < module.flat(two.span)


def metrics_of_the_fit(project: Project, module: Module, on: str = "") -> Iterator[Evidence]:
    """Metrics of a model on the very data that it was fitted on.

    `model.fit(X, y)`, then `accuracy_score(y, model.predict(X))` in the same function.

    Args:
        project: the project.
        module: the module.
        on: what the data's name says: `train`, or nothing.
    """
    metrics = [u.call for u in project.uses_in(module.path) if u.capability == "evaluate.metric"]
    fits = [c for c in module.calls if c.method == "fit" and len(c.args) > 1 and c.runs]
    for fit in fits if metrics else ():
        data, truth = fit.args[0].text, fit.args[1].text
        if (set_of(data) or "") != on:
            continue
        model = {fit.receiver, *fit.targets}
        again = [
            c for c in module.calls
            if c.scope == fit.scope and c.receiver in model and c.args
            and _PREDICTS.search(c.method.lower())
            and data in {c.args[0].text, c.args[0].text.split("[")[0]}
        ]  # fmt: skip
        told = {t for c in again for t in c.targets}
        for call in metrics:
            if call is None or call.scope != fit.scope:
                continue
            if call.receiver in model and call.args and call.args[0].text == data:
                yield Evidence(call.span, call.told)  # `model.score(X, y)`
            if not again:
                continue
            texts = {v.text for v in (*call.args, *(v for _, v in call.kwargs))}
            if truth in texts and (texts & told or any(c.text in t for c in again for t in texts)):
                yield Evidence(call.span, call.told)


def evaluations_of_tests(project: Project) -> Iterator[Held]:
    """Metrics that tests compute on held-out data, where nothing else does."""
    for use in project.uses("evaluate.metric", test=True):
        call = use.call
        module = project.modules.get(use.path)
        if call is None or module is None:
            continue
        on = _data_of(call, held_names(project, module), {})
        if on in {"test", "val"} and not is_evaluation_script(use.path):
            yield Held(on, use.evidence())


def _data_of(call: Call, held: dict[str, str], predicted: dict[str, str]) -> str:
    """The set that a call's arguments name: test before val before train."""
    found: set[str] = set()
    for value in (*call.args, *(v for k, v in call.kwargs if not _WRITES_TO.search(k))):
        text = value.text
        if len(text) <= TEXT * 2 and not text.rsplit(".", 1)[-1].isupper():
            found.add(set_of(text))
            words = set(re.findall(r"[A-Za-z_]\w*", text))
            found.update(held[w] for w in words if w in held)
            found.update(predicted[w] for w in words if w in predicted)
    found.add(set_of(call.receiver.rsplit(".", 1)[-1]) if call.receiver else "")
    return next((s for s in ("test", "val", "train") if s in found), "")


def _logged(project: Project, module: Module) -> Iterator[Held]:
    """Metrics whose logged name says which set they were computed on."""
    for call in module.calls:
        if (
            call.method not in _LOGS
            or not call.runs
            or not is_called(project, module.path, call.scope)
        ):
            continue
        for value in call.args[:2]:
            for text in (*value.keys, *value.strings()):
                on = set_of(text)
                if on in {"test", "val"} and METRIC_NAME.search(text):
                    yield Held(on, Evidence(call.span, call.told), module.notebook)


def _says_evaluate(call: Call) -> bool:
    """Whether a call's name says that it evaluates a model; Python's own `eval` evaluates text."""
    method = call.method.lower()
    return call.name != "eval" and bool(EVALUATES.search(method)) and not _CHECKS.search(method)


def _never_evaluates(call: Call) -> bool:
    return call.name in {"print", "len", "isinstance", "str"} or call.method in {
        "train_test_split", "to_csv", "save", "append", "join", "load", "read_csv", "DataLoader",
        "add_argument", "get_logger", "info", "debug", "literal_eval", "reset", "eval", "DMatrix",
        "makedirs", "exists", "getLogger", "setattr", "getattr", "dump",
    }  # fmt: skip


def _loops(project: Project, module: Module) -> Iterator[Held]:
    """Held-out loaders that a module which computes metrics iterates over by hand."""
    seen: set[str] = set()
    called = {c.method for c in module.calls} | {f.name for f in module.functions}
    for name in sorted(module.names - called):
        on = _handed(module, name) or set_of(name)
        if on not in {"test", "val"} or on in seen or not _LOADER.search(name.lower()):
            continue
        if name.isupper():
            continue  # a constant names a thing, it holds no data
        seen.add(on)
        place = _iterated(project, module, name)
        if place is not None:
            yield Held(on, Evidence(place, f"evaluates on {name}"), module.notebook, weak=True)
            continue
        place = _set_at(module, name)
        if place.line is None:
            place = next((c.span for c in module.calls if name in c.text[:200]), place)
        said = Evidence(place, f"holds out {name}")
        yield Held(on, said, module.notebook, weak=True, unseen=True)
    for text in module.texts:
        on = _SET_WORDS.get(text.value, "")
        if on and on not in seen and not text.doc and EVALUATES.search(text.scope.lower()):
            seen.add(on)
            detail = f"evaluates on {text.value!r}"
            yield Held(on, Evidence(text.span, detail), module.notebook, weak=True)
        elif not text.doc and (found := _SET_FILE.search(text.value)):
            on = _SET_WORDS[found[1].lower()]
            if on not in seen:
                seen.add(on)
                detail = f"evaluates on {text.value}"
                said = Evidence(text.span, detail)
                yield Held(on, said, module.notebook, weak=True, unseen=True)


def _iterated(project: Project, module: Module, name: str) -> Span | None:
    """The loop of a module over a set."""
    if module.notebook:
        return None
    file = Span(module.path)
    loop = rf"\bfor\b[^#]{{1,80}}\bin\b[^#]{{0,80}}\b{re.escape(name)}\b"
    place = line_span(project, file, loop, module.lines)
    return None if place == file else place


def _set_at(module: Module, name: str) -> Span:
    """Where a name is given its value; the module's first line where nothing shows it."""
    made = (c.span for c in module.calls if name in c.targets)
    given = (a.span for a in module.assigns if name in a.targets)
    return next(made, None) or next(given, None) or Span(module.path)
