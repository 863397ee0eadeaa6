"""The names that tell which part of the data is meant: training, validation or test."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Call, Module
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

if TYPE_CHECKING:  # imported for types only, to keep the project free to use this module
    from mlops_audit.graph.project import Project

__all__ = [
    "EVALUATES",
    "METRIC_NAME",
    "TEXT",
    "by_place",
    "given_validation",
    "held_names",
    "is_evaluation_script",
    "set_of",
    "spelled",
    "without_train",
]

_END = (
    r"(?:$|[^a-z]|ing(?:$|[^a-z])|sets?(?:$|[^a-z])|data|loader|df|ds|dl|gen|iter|split|idx|ind|x|"
    r"y|images?|labels?|examples?)"
)
_START = r"(?:^|[^a-z]|(?<![a-z])[xyd])"
_TEST = regex(
    f"{_START}(?:test|tst|hold_?out|held_?out|unseen|oot|oos){_END}|(?:^|[^a-z])[xy]?te(?:_|$|[^a-z_])|"
    # The parts of a corpus of speech: `tr`, `cv` and `tt`.
    r"(?:^|[^a-z])tt_?(?:loader|data|set|ds|dl)"
)
_VAL = regex(
    f"{_START}(?:val|valid|validation|dev|eval|evaluation){_END}|"
    r"(?:^|[^a-z])cv_?(?:loader|data|set|ds|dl)"
)
_TRAIN = regex(f"{_START}(?:train|trn|training){_END}|(?:^|[^a-z])[xy]?tr(?:_|$|[^a-z_])")
_NOT_DATA = regex(r"test_size|val_size|validation_split|eval\(\)|is_test|test_mode|eval_mode|--")
EVALUATES = regex(
    r"^test(_|$)|(^|_)(evaluate|evaluation|eval|score|scores|validate|metrics?|accuracy|acc|rmse|mae|mse|"
    r"mape|f1|auc|roc|precision|recall|report|confusion_matrix|estimate_loss|perplexity)(_|$)"
)
METRIC_NAME = regex(
    r"(acc|accuracy|rmse|mae|mse|mape|r_?2|f1|auc|precision|recall|loss|bleu|rouge|score|metric|"
    r"perplexity|iou|dice|map|error|ndcg|fbeta|fitness|(^|[^a-z])(bce|nll|ppl|wer|cer|psnr|ssim|fid|"
    r"elbo|kappa|mcc|eer)([^a-z]|$))", re.IGNORECASE
)  # fmt: skip
TEXT = 80  # characters of an expression; in a longer one a word tells little of the whole
# `evals=[(dtrain, "train")]` watches what the model is fitted on.
_ONLY_TRAIN = regex(r"[\[(\s]*\w*train\w*\s*(,\s*[\"']\w*train\w*[\"'])?[\])\s,]*", re.IGNORECASE)


@lru_cache(maxsize=4096)
def set_of(text: str) -> str:
    """Which set a name or expression means: `test`, `val`, `train` or (empty) none."""
    lowered = _NOT_DATA.sub("", text).lower()
    if _TEST.search(lowered):
        return "test"
    if _VAL.search(lowered):
        return "val"
    return "train" if _TRAIN.search(lowered) else ""


def held_names(project: Project, module: Module) -> dict[str, str]:
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


def given_validation(module: Module, call: Call) -> str:
    """What a fit watches: `validation_data=`, `eval_set=`, `evals=`, `eval_dataset=`."""
    for key in ("validation_data", "eval_set", "evals", "eval_dataset", "valid_sets", "watchlist"):
        value = call.kw(key)
        if value is None or value.text == "None":
            continue
        told = spelled(module, call.scope, value.text)
        if not _ONLY_TRAIN.fullmatch(told):
            return told
    split = call.kw("validation_split")
    return "validation" if split is not None and call.method == "fit" else ""


def spelled(module: Module, scope: str, text: str) -> str:
    """The list that a variable of a function holds: `sets = [(X_train, y), (X_test, z)]`."""
    if not text.isidentifier():
        return text
    shown = (a.value.text for a in module.assigns if a.scope == scope and text in a.targets)
    return next((t for t in shown if t.startswith(("[", "("))), text)


def without_train(text: str) -> str:
    """An expression without the names of training data."""
    return re.sub(r"\w*train\w*", "", text)


def is_evaluation_script(path: str) -> bool:
    """Whether a file whose name says test evaluates a model instead: `test.py` of research code."""
    return path.rsplit("/", 1)[-1] in {"test.py", "eval.py", "evaluate.py", "test_model.py"}


def by_place(evidence: Evidence) -> tuple[bool, str, int, int]:
    """The order of evidence: notebooks last, then by path and line."""
    span = evidence.span
    return (span.path.endswith(".ipynb"), span.path, span.cell or 0, span.line or 0)
