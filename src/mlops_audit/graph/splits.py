"""How data is split, which data evaluations use, and which data chose something before.

Names decide most: a metric computed from `y_test` used held-out data. Names that a split itself
gives (`a, b, c, d = train_test_split(...)`) count like these. No data flow is followed across
functions beyond the names of arguments, so what is generic (`evaluate(model, loader)`) is judged
by the callers' names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Call, Module
from mlops_audit.graph.called import is_called
from mlops_audit.graph.settings import setting
from mlops_audit.graph.sourcelines import keyword_span, line_span
from mlops_audit.graph.training import is_training
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence, Span

if TYPE_CHECKING:  # imported for types only, to keep the project free to use this module
    from mlops_audit.graph.project import Project

__all__ = ["Choice", "Held", "Splits", "set_of"]

_END = (
    r"(?:$|[^a-z]|ing(?:$|[^a-z])|sets?(?:$|[^a-z])|data|loader|df|ds|dl|gen|iter|split|idx|ind|x|"
    r"y|images?|labels?|examples?)"
)
_START = r"(?:^|[^a-z]|(?<![a-z])[xyd])"
_TEST = re.compile(
    f"{_START}(?:test|tst|hold_?out|held_?out|unseen|oot|oos){_END}|(?:^|[^a-z])[xy]?te(?:_|$|[^a-z_])"
)
_VAL = re.compile(f"{_START}(?:val|valid|validation|dev|eval|evaluation){_END}")
_TRAIN = re.compile(f"{_START}(?:train|trn|training){_END}|(?:^|[^a-z])[xy]?tr(?:_|$|[^a-z_])")
_WRITES_TO = re.compile(r"path|(^|_)dir|file|folder|name|prefix|(^|_)log(_|$)|title", re.IGNORECASE)
_NOT_DATA = re.compile(
    r"test_size|val_size|validation_split|eval\(\)|is_test|test_mode|eval_mode|--"
)
_EVALUATES = re.compile(
    r"^test(_|$)|(^|_)(evaluate|evaluation|eval|score|scores|validate|metrics?|accuracy|acc|rmse|mae|mse|"
    r"mape|f1|auc|roc|precision|recall|report|confusion_matrix|estimate_loss|perplexity)(_|$)"
)
_NO_SET = re.compile(
    r"steps|size|len|num|count|score|acc|loss|metric|pred|task|time", re.IGNORECASE
)
_PREDICTS = re.compile(r"(^|_)(predict|predict_proba|forecast|inference|infer|predictions?)(_|$)")
_METRIC_NAME = re.compile(
    r"(acc|accuracy|rmse|mae|mse|mape|r2|f1|auc|precision|recall|loss|bleu|rouge|score|metric|"
    r"perplexity|iou|dice|map|error|ndcg|fbeta|fitness)", re.IGNORECASE
)  # fmt: skip
_BEST = re.compile(r"(^|[^a-z])(best|min|max|lowest|highest|prev|optimal)(_|[^a-z]|$)|best")
# A best value that was updated just before is compared with `==`.
_ORDERS = frozenset({"<", ">", "<=", ">=", "=="})
_SAVES = re.compile(
    r"(save|dump|state_dict|deepcopy|checkpoint|save_pretrained|copy|clone|log_model)"
)
_SPLITS = re.compile(
    r"(^|_)(train_test_split|train_val_split|split_data\w*|split_dataset\w*|make_splits?|"
    r"data_split\w*|split_train\w*|train_valid\w*split|temporal_train_test_split|"
    r"stratified?_split|time_split|random_split|split)$"
)
_DATASETS = re.compile(
    r"^(torchvision|torchtext|torchaudio)\.datasets\.|^(tensorflow\.)?keras\.datasets\.\w+\.load_data"
)
_UNSUPERVISED = re.compile(
    r"\.(cluster|decomposition|mixture|manifold|covariance|outlier|pyod)\b|KMeans|DBSCAN|IsolationForest|"
    r"LocalOutlierFactor|OneClassSVM|HDBSCAN|KElbow|Birch|Agglomerative|GaussianMixture|NMF|UMAP|TSNE|"
    r"LatentDirichlet|LdaModel|LdaMulticore|BERTopic|top2vec|Word2Vec|FastText|Doc2Vec|SpectralClustering|"
    r"MiniBatchKMeans|KModes|KPrototypes|apriori|fpgrowth|PCA\b|kmeans"
)  # fmt: skip
_LOADER = re.compile(
    r"load|dl$|data|iter(ator)?$|gen|batch|_ds|^ds_|[xy]_?(te|val)|_[xy]$|_set|set$|_df"
)
_SET_WORDS = {
    "test": "test", "val": "val", "valid": "val", "validation": "val", "dev": "val", "eval": "val",
}  # fmt: skip
# A file of a data set that comes in parts: `stsb/sts-test.csv`; what a check reports is none.
_SET_FILE = re.compile(
    r"(?:^|(?<!reports)(?<!results)[/_.-])(test|dev|val|valid|validation)"
    r"\.(?:csv|tsv|txt|jsonl?|parquet)$",
    re.IGNORECASE,
)
_AGREES = frozenset({"spearmanr", "pearsonr", "kendalltau"})  # scores beside a person's
_CROSS = frozenset(
    {"cross_val_score", "cross_validate", "cv", "cross_validation", "cross_val_predict"}
)
_LOGS = frozenset(
    {"log", "log_metric", "log_metrics", "log_scalar", "add_scalar", "log_dict", "set_metric",
     "report_scalar"}
)  # fmt: skip
_FITS = ("train.fit", "train.search", "train.loop", "train.estimator")
_TEXT = 80
_RUN_METRIC = re.compile(
    r"\b(?:test|val|valid|validation)_(?:mae|mse|rmse|loss|acc|accuracy|f1|auc)\b"
)
_CALLBACK = re.compile(r"\.(ModelCheckpoint|EarlyStopping)$")
_NEAR = 12  # lines of a callback's settings


@dataclass(frozen=True, slots=True)
class Held:
    """An evaluation on held-out data: `test`, `val` or `cv` (cross-validation)."""

    on: str
    evidence: Evidence
    notebook: bool = False
    weak: bool = False  # only a name says so, no call was seen


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that a set chose: `what` is checkpoint, stopping or hyperparameters."""

    on: str  # test, val, cv, or empty when the names do not say
    what: str
    evidence: Evidence


def set_of(text: str) -> str:
    """Which set a name or expression means: `test`, `val`, `train` or (empty) none."""
    lowered = _NOT_DATA.sub("", text).lower()
    if _TEST.search(lowered):
        return "test"
    if _VAL.search(lowered):
        return "val"
    return "train" if _TRAIN.search(lowered) else ""


class Splits:
    """The splits, evaluations and choices of a project's training code."""

    def __init__(self, project: Project) -> None:
        self.project = project

    @cached_property
    def modules(self) -> tuple[Module, ...]:
        """Source modules and notebooks that are no tests, and no examples of a library."""
        library = self.project.roles.kind == "library"
        training = self.project.roles.training
        return tuple(
            m
            for p, m in sorted(self.project.modules.items())
            if (p not in self.project.test_files or _is_evaluation_script(p))
            and (not library or (p in training and not self.project.is_example(p)))
        )

    # -- splits -------------------------------------------------------------------------------

    @cached_property
    def splits(self) -> tuple[Evidence, ...]:
        """Where data is split, or a set that comes apart is read."""
        uses = self.project.uses("evaluate.split", "evaluate.cross_validate")
        paths = {m.path for m in self.modules}
        found = [use.evidence() for use in uses if use.path in paths]
        for module in self.modules:
            found += self._splits_in(module)
        return tuple(sorted(dict.fromkeys(found), key=_order))

    def _splits_in(self, module: Module) -> Iterator[Evidence]:
        for call in module.calls:
            own = _SPLITS.search(call.method) and len(call.targets) > 1 and not _of_text(call)
            train = call.kw("train")
            official = _DATASETS.match(call.name) and (
                (train is not None and train.literal is False) or "load_data" in call.name
            )
            named = call.kw("split")
            told = named is not None and set_of(named.text) in {"test", "val"}
            if own or official or told:
                yield Evidence(call.span, _short(call.text or call.name))
        pairs: dict[str, set[str]] = {}
        for item in module.assigns:
            for target in item.targets:
                name = "" if _NO_SET.search(target) else set_of(target)
                if name and not item.value.is_literal:
                    pairs.setdefault(item.scope, set()).add(name)
                    if (
                        len(pairs[item.scope]) > 1
                        and name != "train"
                        and "train" in pairs[item.scope]
                    ):
                        yield Evidence(
                            item.span, _short(f"{', '.join(item.targets)} = {item.value.text}")
                        )

    # -- evaluations ---------------------------------------------------------------------------

    @cached_property
    def evaluations(self) -> tuple[Held, ...]:
        """Evaluations on data that the names say is held out, tests first."""
        found: list[Held] = []
        for module in self.modules:
            found += self._evaluations_in(module)
        if not found:
            found += self._in_tests()
        for use in self.project.uses("evaluate.cross_validate"):
            known = any(use.path == m.path for m in self.modules)
            if use.call and known and use.call.method in _CROSS:
                found.append(Held("cv", use.evidence(), use.notebook))
        for use in self.project.uses("evaluate.metric", notebook=None):
            if use.where == "command":
                found.append(Held("val" if set_of(use.detail) == "val" else "test", use.evidence()))
        rank = {"test": 0, "val": 1, "cv": 2}
        return tuple(
            sorted(
                dict.fromkeys(found),
                key=lambda h: (h.notebook, rank[h.on], h.weak, *_order(h.evidence)),
            )
        )

    def _evaluations_in(self, module: Module) -> Iterator[Held]:
        library = {
            u.span: u
            for u in self.project.uses_in(module.path)
            if u.capability == "evaluate.metric"
        }
        held = _held_names(self.project, module)
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
            on = self._data_of(call, held, predicted)
            if _PREDICTS.search(call.method.lower()) and on in {"test", "val"}:
                predicted.update(dict.fromkeys(call.targets, on))
            told = call.span in library or _says_evaluate(call)
            if _never_evaluates(call) or (call.method in _LOGS and not self._called(module, call)):
                continue
            if told and on in {"test", "val"}:
                yield Held(on, Evidence(call.span, _short(call.text)), module.notebook)
            elif call.method == "test" and call.name.endswith("Trainer.test"):
                yield Held("test", Evidence(call.span, _short(call.text)), module.notebook)
            elif value := _given_validation(call):
                on = "test" if set_of(_without_train(value)) == "test" else "val"
                yield Held(on, Evidence(call.span, _short(call.text)), module.notebook)
        yield from self._logged(module)
        if computes:
            yield from _loops(self.project, module)

    def _in_tests(self) -> Iterator[Held]:
        """Metrics that tests compute on held-out data, where nothing else does."""
        for use in self.project.uses("evaluate.metric", test=True):
            call = use.call
            module = self.project.modules.get(use.path)
            if call is None or module is None:
                continue
            on = self._data_of(call, _held_names(self.project, module), {})
            if on in {"test", "val"} and not _is_evaluation_script(use.path):
                yield Held(on, use.evidence())

    def _data_of(self, call: Call, held: dict[str, str], predicted: dict[str, str]) -> str:
        """The set that a call's arguments name: test before val before train."""
        found: set[str] = set()
        for value in (*call.args, *(v for k, v in call.kwargs if not _WRITES_TO.search(k))):
            text = value.text
            if len(text) <= _TEXT * 2 and not text.rsplit(".", 1)[-1].isupper():
                found.add(set_of(text))
                words = set(re.findall(r"[A-Za-z_]\w*", text))
                found.update(held[w] for w in words if w in held)
                found.update(predicted[w] for w in words if w in predicted)
        found.add(set_of(call.receiver.rsplit(".", 1)[-1]) if call.receiver else "")
        return next((s for s in ("test", "val", "train") if s in found), "")

    def _called(self, module: Module, call: Call) -> bool:
        return is_called(self.project, module.path, call.scope)

    def _logged(self, module: Module) -> Iterator[Held]:
        """Metrics whose logged name says which set they were computed on."""
        for call in module.calls:
            if call.method not in _LOGS or not call.runs or not self._called(module, call):
                continue
            for value in call.args[:2]:
                for text in (*value.keys, *value.strings()):
                    on = set_of(text)
                    if on in {"test", "val"} and _METRIC_NAME.search(text):
                        yield Held(on, Evidence(call.span, _short(call.text)), module.notebook)

    # -- choices -------------------------------------------------------------------------------

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        """What held-out data chose: checkpoints, the moment to stop, hyperparameters."""
        found: list[Choice] = []
        for module in self.modules:
            found += self._choices_in(module)
        for use in self.project.uses("train.early_stop", "train.search"):
            found += self._choices_of(use)
        found += _configured_choices(self.project)
        for module in self.modules:
            found += _run_choices(module)
        return tuple(dict.fromkeys(found))

    def _choices_in(self, module: Module) -> Iterator[Choice]:
        held = _held_names(self.project, module)
        for branch in module.branches:
            for compare in branch.compares:
                text = f"{compare.left.text} {compare.right.text}"
                if compare.op not in _ORDERS or not _BEST.search(text.lower()):
                    continue
                if not _METRIC_NAME.search(text):
                    continue
                inside = module.calls_within(branch.body)
                stored = any(_SAVES.search(c.method.lower()) for c in inside)
                kept = any(
                    branch.body[0] <= module.flat(a.span) <= branch.body[1]
                    and any("model" in t or "param" in t for t in a.targets)
                    for a in module.assigns
                )
                if stored or kept:
                    names = (compare.left.text, compare.right.text)
                    on = set_of(text) or _measured_on(module, compare.scope, names, held)
                    on = on or _scope_set(module, compare.scope, held)
                    yield Choice(
                        on, "checkpoint", Evidence(branch.span, _short(f"if {branch.test}"))
                    )
        for call in module.calls:
            if not call.runs:
                continue
            if call.method == "ModelCheckpoint" and (
                call.kw("monitor") or call.kw("save_best_only")
            ):
                best = call.kw("save_best_only")
                if best is None or best.literal is not False:
                    yield Choice(
                        _fit_set(module), "checkpoint", Evidence(call.span, _short(call.text))
                    )
            yield from _kept_best(self.project, module, call)

    def _choices_of(self, use: Use) -> Iterator[Choice]:
        module = self.project.modules.get(use.path)
        if module is None or use.call is None:
            return
        call = use.call
        if use.capability == "train.early_stop":
            if call.name.startswith("sklearn."):
                return  # splits its own validation set off the training data
            watched = set_of(_without_train(_given_validation(call)))
            on = watched if watched in {"test", "val"} else _fit_set(module)
            yield Choice(on, "stopping", use.evidence())
        elif not call.name.startswith(("sklearn.", "imblearn.", "dask_ml.", "skopt.BayesSearchCV")):
            yield Choice(self._objective_set(module, call), "hyperparameters", use.evidence())
        elif call.name.startswith("sklearn."):
            yield Choice("cv", "hyperparameters", use.evidence())

    def _objective_set(self, module: Module, call: Call) -> str:
        """The set on which the function that a search minimises measures."""
        scopes = {v.name.lstrip(":") for v in (*call.args, *(v for _, v in call.kwargs)) if v.name}
        scopes |= {f.qualname for f in module.functions if "objective" in f.name.lower()}
        held = _held_names(self.project, module)
        found = {_scope_set(module, s, held) for s in scopes if module.function(s)}
        return next((s for s in ("test", "val") if s in found), "")

    # -- what there is nothing to hold out for -----------------------------------------------------

    @cached_property
    def unsupervised(self) -> bool:
        """Whether everything that is fitted finds structure without labels."""
        fits = [(u, u.call) for u in self.project.uses(*_FITS) if u.call is not None]
        named = [call for _, call in fits if not call.name.startswith("?")]
        if not named or not all(_UNSUPERVISED.search(call.name) for call in named):
            return False
        return all(
            not is_training(use)
            or _UNSUPERVISED.search(f"{call.name} {call.receiver}")
            or self._clusters(use.path)
            for use, call in fits
        )

    def _clusters(self, path: str) -> bool:
        module = self.project.modules[path]
        return any(_UNSUPERVISED.search(i.dotted) for i in module.imports)


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
                place = Evidence(call.span, _short(call.text))
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
            if callback and monitor is not None and set_of(str(monitor.value)) in {"test", "val"}:
                what = "checkpoint" if callback[1] == "ModelCheckpoint" else "stopping"
                yield Choice(set_of(str(monitor.value)), what, monitor.evidence())


def _held_names(project: Project, module: Module) -> dict[str, str]:
    """Names that a split gives to the held-out part, whatever they are called."""
    found: dict[str, str] = {}
    for use in project.uses_in(module.path):
        call = use.call
        if use.capability != "evaluate.split" or call is None or len(call.targets) < 2:  # noqa: PLR2004 -- a split
            continue
        targets = call.targets
        held = targets[1::2] if call.method == "train_test_split" else targets[1:]
        for name in held:
            found[name] = set_of(name) if set_of(name) in {"test", "val"} else "test"
    return found


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
            on = set_of(value.text) if len(value.text) <= _TEXT else ""
            if on or (on := held.get(value.text, "")):
                return on
    return ""


def _scope_set(module: Module, scope: str, held: dict[str, str]) -> str:
    """The held-out set that a function names most plainly."""
    found: set[str] = set()
    for call in module.calls_in(scope):
        for value in (*call.args, *(v for _, v in call.kwargs)):
            if len(value.text) <= _TEXT:
                found.add(set_of(value.text))
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
        value = _given_validation(call)
        if value:
            found.add(set_of(_without_train(value)) or "val")
    return next((s for s in ("test", "val") if s in found), "val")


def _kept_best(project: Project, module: Module, call: Call) -> Iterator[Choice]:
    """Checkpoints that a library keeps by itself: the one that a set likes best."""
    best = call.kw("load_best_model_at_end")
    if best is not None and best.literal is True:
        place = keyword_span(project, call, "load_best_model_at_end")
        said = f"{call.method}(load_best_model_at_end=True)"
        yield Choice(_fit_set(module), "checkpoint", Evidence(place, said))
    best = call.kw("use_best_model")  # CatBoost
    if best is not None and best.literal is True and (value := _given_validation(call)):
        on = set_of(_without_train(value)) or "val"
        yield Choice(on, "checkpoint", Evidence(call.span, _short(call.text)))
    if call.name.startswith("ultralytics.") and call.method == "train":
        yield Choice("val", "checkpoint", Evidence(call.span, _short(call.text)))


def _given_validation(call: Call) -> str:
    """What a fit watches: `validation_data=`, `eval_set=`, `evals=`, `eval_dataset=`."""
    for key in ("validation_data", "eval_set", "evals", "eval_dataset", "valid_sets", "watchlist"):
        value = call.kw(key)
        if value is not None and value.text != "None":
            return value.text
    split = call.kw("validation_split")
    return "validation" if split is not None and call.method == "fit" else ""


def _without_train(text: str) -> str:
    return re.sub(r"\w*train\w*", "", text)


def _says_evaluate(call: Call) -> bool:
    """Whether a call's name says that it evaluates a model; Python's own `eval` evaluates text."""
    return call.name != "eval" and bool(_EVALUATES.search(call.method.lower()))


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
        on = set_of(name)
        if on not in {"test", "val"} or on in seen or not _LOADER.search(name.lower()):
            continue
        if name.isupper():
            continue  # a constant names a thing, it holds no data
        seen.add(on)
        place = _iterated(project, module, name)
        if place is not None:
            yield Held(on, Evidence(place, f"evaluates on {name}"), module.notebook, weak=True)
            continue
        place = next((c.span for c in module.calls if name in c.text[:200]), _set_at(module, name))
        yield Held(on, Evidence(place, f"holds out {name}"), module.notebook, weak=True)
    for text in module.texts:
        on = _SET_WORDS.get(text.value, "")
        if on and on not in seen and not text.doc and _EVALUATES.search(text.scope.lower()):
            seen.add(on)
            detail = f"evaluates on {text.value!r}"
            yield Held(on, Evidence(text.span, detail), module.notebook, weak=True)
        elif not text.doc and (found := _SET_FILE.search(text.value)):
            on = _SET_WORDS[found[1].lower()]
            if on not in seen:
                seen.add(on)
                detail = f"evaluates on {text.value}"
                yield Held(on, Evidence(text.span, detail[:_TEXT]), module.notebook, weak=True)


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


def _of_text(call: Call) -> bool:
    """Whether a `split` is one of a string."""
    first = call.arg(0)
    return call.method == "split" and (
        first is None
        or isinstance(first.literal, str)
        or call.name.startswith(("str.", "os.", "re."))
    )


def _is_evaluation_script(path: str) -> bool:
    """Whether a file whose name says test evaluates a model instead: `test.py` of research code."""
    return path.rsplit("/", 1)[-1] in {"test.py", "eval.py", "evaluate.py", "test_model.py"}


def _order(evidence: Evidence) -> tuple[bool, str, int, int]:
    span = evidence.span
    return (span.path.endswith(".ipynb"), span.path, span.cell or 0, span.line or 0)


def _short(text: str) -> str:
    first = text.splitlines()[0] if text else ""
    return first[: _TEXT + 20]
