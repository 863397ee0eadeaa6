"""Which part of a model's life a piece of code or a command is: prepare, train, evaluate, predict.

What the code does decides; the name of a step only where the code is not here to be read, or
where one program takes the name of its task as an argument.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from mlops_audit.graph.execution import Node
from mlops_audit.graph.scopes import Scope, calls_of, commands_of, scopes_from, uses_of
from mlops_audit.graph.training import TRAINING, is_training, trains_here
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.facts.code import Assign, Value
    from mlops_audit.graph.project import Project
    from mlops_audit.graph.uses import Use

__all__ = [
    "CAMEL",
    "EVALUATE",
    "PREDICT",
    "PREPARE",
    "TRAIN",
    "named_parts",
    "parts_of",
    "parts_of_nodes",
    "scores_written_numbers",
]

PREPARE, TRAIN, EVALUATE, PREDICT = "prepare", "train", "evaluate", "predict"
REPORT = "report"  # called an evaluation, and shows what another step has measured

_NAMES = (
    (
        TRAIN,
        regex(
            r"(^|[^a-z])(re)?(train(ing|er|ed)?|fit|finetun\w*|fine_?tun\w*|tun(e|er|ing)|hpo|"
            r"hyper\w*|cluster(ing)?|segmentation|sweep|model_build\w*|build_model|modell?ing)"
            r"([^a-z]|$)"
        ),
    ),
    (
        EVALUATE,
        regex(
            r"(^|[^a-z])(evaluat\w*|eval|model_test\w*|test_model\w*|validate_model|"
            r"model_validat\w*|validation_model|model_performance\w*|score_model|silhouette\w*|"
            r"test_metrics?|model_quality|performance_on\w*|analyze_model|"
            r"(calc|comput|combin|aggregat)\w*_(\w+_)?(metrics?|performance\w*))([^a-z]|$)"
        ),
    ),
    (
        PREDICT,
        regex(
            r"(^|[^a-z])(predict\w*|infer\w*|inference|batch_?scor\w*|scor(e|ing)|forecast\w*)"
            r"([^a-z]|$)"
        ),
    ),
    (
        PREPARE,
        regex(
            r"(^|[^a-z])(prep\w*|pre_?process\w*|process\w*|clean\w*|featur\w*|transform\w*|"
            r"split\w*|ingest\w*|extract\w*|load_?data|load|data_load\w*|read_?data|read|etl|"
            r"data|dataset|make_dataset|get_data|download\w*|wrangl\w*|munge|normali\w*|scal\w*|"
            r"token\w*|encode\w*|impute\w*|merge\w*|join|augment\w*|example_?gen|"
            r"statistics_?gen|schema_?gen|filter\w*|reduce_dimension\w*|fetch\w*|crawl\w*|"
            r"scrap(e|er|ing))([^a-z]|$)"
        ),
    ),
)
# Words that hold `train` or `test` and name data.
_OF_DATA = regex(
    r"train_?(and_?)?(test|val|valid|dev|eval)\w*|test_?train|(train(ing)?|test)_(data|set|df|split|"
    r"input|features)\w*"
)
_WATCHES = regex(r"monitor|drift")
_NOT_A_STEP = regex(r"monitor|drift|alert|notify|deploy|regist|promot|upload|push|report")
CAMEL = regex(r"(?<=[a-z0-9])(?=[A-Z])")  # where a word of `TrainModel` begins
_PREPARES = frozenset({"train.transform", "evaluate.split", "data.process", "feature.store"})
_TABLES = regex(
    r"^(dropna|fillna|merge|get_dummies|drop_duplicates|train_test_split|resize|tokenize|"
    r"drop|astype|to_datetime|groupby|rename|join|concat|withColumn|map|assign|Transform|"
    r"random_split|encode|resample|interpolate|apply|normalize)$"
)
_READS = regex(
    r"^(read_\w+|load_dataset|urlretrieve|imread|load_\w*data\w*|extractall|ZipFile|get|open|"
    r"execute|query|listdir|glob|load)$"
)
_READS_TABLE = regex(r"^(read_\w+|load_dataset|open_dataset|scan_\w+)$")
_STORES = regex(r"^(to_\w+|save\w*|write\w*|dump|savez|imwrite|insert\w*|upload\w*|copy\w*)$")
_PREDICTS = frozenset({"predict", "predict_proba", "batch_predict"})
_PAIR = ("y_true", "y_pred")
_SCORED = frozenset({*_PAIR, "y_score", "y_prob", "y_test", "labels", "predictions"})
_GENERIC = 60  # scopes behind one command: a program that does everything
# What shows or passes on what another step has made.
_TELLERS = frozenset({"echo", "printf", "cat", "cml", "git", "ls", "cd", "true", "mkdir", "tee"})
_MANY_TABLES = 2  # table calls without any file: a step between others


def named_parts(name: str) -> frozenset[str]:
    """The parts that a name claims, e.g. `run_feature_pipeline`, `TrainModel`."""
    text = CAMEL.sub("_", name).lower().replace("-", "_")
    text = _OF_DATA.sub("data", re.sub(r"[^a-z0-9]+", "_", text))
    if _NOT_A_STEP.search(text):
        return frozenset()
    for part, pattern in _NAMES:
        if pattern.search(text):
            return frozenset({part})
    return frozenset()


def parts_of(project: Project, found: Iterable[Scope], name: str = "") -> frozenset[str]:
    """The parts that code plays; `name` decides between preparing and what cannot be read."""
    wanted = tuple(found)
    if trains_here(project, wanted):
        return frozenset({TRAIN})
    named = named_parts(name)
    uses = (u for u in uses_of(project, wanted) if not scores_written_numbers(project, u))
    capabilities = {u.capability for u in uses}
    parts: set[str] = set()
    watching = bool(_WATCHES.search(name.lower()))
    if wanted and _WATCHES.search(wanted[0].path.lower()):
        return frozenset()  # what it reads and scores is no part of how a model is made
    if "evaluate.metric" in capabilities and not watching:
        parts.add(EVALUATE)
    methods = [c.method for _, c in calls_of(project, wanted)]
    predicts = capabilities & {"predict.call", "serve.batch"} or _PREDICTS & set(methods)
    if predicts and EVALUATE not in parts:
        parts.add(PREDICT)
    if capabilities & _PREPARES:
        parts.add(PREPARE)
    elif not parts:
        tables = [m for m in methods if _TABLES.match(m)]
        moves = any(_READS.match(m) for m in methods) and any(_STORES.match(m) for m in methods)
        moves = moves or any(_READS_TABLE.match(m) for m in methods)
        if (tables and moves) or len(tables) > _MANY_TABLES or (named == {PREPARE} and wanted):
            parts.add(PREPARE)
    if PREPARE in parts and parts - {PREPARE}:
        parts.discard(PREPARE)  # it transforms its input in order to predict or evaluate
    if EVALUATE in named and not parts & {EVALUATE, TRAIN}:
        parts = {EVALUATE} if wanted else parts
    if watching:
        parts.discard(PREDICT)
    return frozenset(parts)


def scores_written_numbers(project: Project, use: Use) -> bool:
    """Whether a metric compares numbers that stand in the code: a show of the call, no score."""
    if use.capability != "evaluate.metric" or use.call is None:
        return False
    module = project.modules.get(use.path)
    given = [*use.call.args[:2], *(v for k, v in use.call.kwargs if k in _SCORED)]
    if module is None or len(given) < len(_PAIR):
        return False
    return all(_is_written(v, module.assigns_by_scope.get(use.scope, ())) for v in given)


def _is_written(value: Value, assigned: Iterable[Assign]) -> bool:
    """Whether a value is a list of literals, or a name that is set to one and to nothing else."""
    if value.text.isidentifier():
        set_to = [a.value for a in assigned if value.text in a.targets]
        return len(set_to) == 1 and _is_written_list(set_to[0])
    return _is_written_list(value)


def _is_written_list(value: Value) -> bool:
    return bool(value.items) and not value.is_call and all(v.is_literal for v in value.items)


def parts_of_nodes(project: Project, nodes: Iterable[Node], name: str = "") -> frozenset[str]:
    """The parts that commands, scripts or programs play."""
    code, others = scopes_from(project, nodes, imports=False)
    uses = tuple(commands_of(project, others))
    if any(u.capability in TRAINING and is_training(u) for u in uses):
        return frozenset({TRAIN})
    named = named_parts(name)
    if not code:
        return frozenset({REPORT}) if EVALUATE in named and _only_tells(others) else named
    found = parts_of(project, code, name)
    # One program for all tasks (`run.py --job training`): its argument says which one it is.
    generic = TRAIN in found and len(code) > _GENERIC
    if named and (not found or found == {PREPARE} or (generic and named != found)):
        return named
    return found


def _only_tells(nodes: Iterable[Node]) -> bool:
    """Whether all that runs is commands that show results, whatever the step is called."""
    programs = {n.payload[0].program for n in nodes if n.kind == "command"}
    return bool(programs) and programs <= _TELLERS
