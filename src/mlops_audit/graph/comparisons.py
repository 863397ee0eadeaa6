"""Comparisons of model metrics: what is compared with what, and in which direction."""

from __future__ import annotations

import re

from msgspec import Struct

from mlops_audit.facts.code import Compare
from mlops_audit.regex import regex

__all__ = ["Judgement", "judge", "mentions_metric"]

_LOWER = regex(
    r"loss|\bmse\b|_mse|mse_|rmse|\bmae\b|_mae|mae_|mape|smape|(^|[^a-z])err(or)?s?([^a-z]|$)|"
    r"perplexity|(^|_)wer($|_)|brier|deviance|residual",
    re.IGNORECASE,
)
_HIGHER = regex(
    r"accura|(^|[^a-z])acc([^a-z]|$)|f1|f_?beta|auc|roc|precision|recall|(^|[^a-z])r2|r_?squared|"
    r"(^|[^a-z])map([^a-z]|$)|ndcg|(^|[^a-z])iou|dice|silhouette|bleu|rouge|gini|kappa|"
    r"(^|[^a-z])scores?([^a-z]|$)",
    re.IGNORECASE,
)
_NEUTRAL = regex(
    r"metric|performance|improvement|quality|(^|[^a-z])perf([^a-z]|$)|(^|_)gain|evaluation|"
    r"(^|_)eval_",
    re.IGNORECASE,
)
_REFERENCE = regex(
    r"thresh|(^|[^a-z])min_|minimum|(^|[^a-z])max_|limit|baseline|prod(uction)?|current|best|old|"
    r"champ(ion)?|deployed|existing|previous|prev_|target|required|expected|base_|reference|last_|"
    r"acceptable|cutoff|criteria|latest_|serving|registered",
    re.IGNORECASE,
)
_TRAINING = regex(
    r"(^|[^a-z])train(ing)?_(set_)?(acc|loss|score|f1|r2|rmse|mae|mse|auc|metric|error|recall)",
    re.IGNORECASE,
)
_NOT_A_METRIC = regex(
    r"metric_?name|metric_?type|metric ==|len\(|\.shape|isinstance|is None|monitor_mode|_mode\b|"
    r"error_code|status|errors\b|returncode|exit_?code|num_|n_errors|loss_?(type|fn|name)|retry|"
    r"confidence|detection_score|scores?_thresh|proba|map_",
    re.IGNORECASE,
)
_NUMBER = regex(r"^-?\d+(\.\d+)?(e-?\d+)?$")
_ORDER = {">": 1, ">=": 1, "<": -1, "<=": -1}


class Judgement(Struct, frozen=True):
    """What a comparison of metrics says when it holds.

    `better` is True when it holds for a better model, False for a worse one, None when the
    direction is not known. `current` says that the other side is a model in use, not a number.
    """

    better: bool | None
    training: bool = False
    trivial: bool = False
    current: bool = False


def mentions_metric(text: str) -> bool:
    """Whether a text names a metric of a model."""
    bare = text.replace(" ", "")
    if _NOT_A_METRIC.search(text):
        return False
    return bool(_LOWER.search(bare) or _HIGHER.search(bare) or _NEUTRAL.search(bare))


def judge(compare: Compare) -> Judgement | None:
    """What a comparison says of a model; None when it compares no metrics in order."""
    direction = _ORDER.get(compare.op)
    left, right = compare.left.text, compare.right.text
    if direction is None or not (mentions_metric(left) or mentions_metric(right)):
        return None
    if _NOT_A_METRIC.search(left) or _NOT_A_METRIC.search(right):
        return None
    candidate_left = _is_candidate_left(left, right)
    candidate, reference = (left, right) if candidate_left else (right, left)
    if not candidate_left:
        direction = -direction
    sense = _sense(candidate) or _sense(reference)
    better = None if sense is None else direction == sense
    number = _NUMBER.match(reference.strip())
    trivial = bool(number) and float(number[0]) <= 0 and sense == 1 if number else False
    return Judgement(
        better,
        training=bool(_TRAINING.search(candidate)) and not _REFERENCE.search(candidate),
        trivial=trivial,
        current=not number and not re.search(r"thresh|min_|max_|limit|cutoff", reference),
    )


def _is_candidate_left(left: str, right: str) -> bool:
    """Whether the left side is the new model's metric and the right side what it must meet."""
    if _NUMBER.match(right.strip()):
        return True
    if _NUMBER.match(left.strip()):
        return False
    stated = re.compile(r"thresh|min_|max_|limit|cutoff|required", re.IGNORECASE)
    if bool(stated.search(left)) != bool(stated.search(right)):
        return bool(stated.search(right))
    as_reference = (bool(_REFERENCE.search(left)), bool(_REFERENCE.search(right)))
    if as_reference == (True, False):
        return False
    if as_reference == (True, True):
        return not re.search(
            r"prod|current|old|deployed|existing|champ(ion)?|thresh|baseline", left
        )
    return mentions_metric(left) or not mentions_metric(right)


def _sense(text: str) -> int | None:
    """1 where more is better, -1 where less is."""
    if _LOWER.search(text) and not re.search(r"neg_|negative", text):
        return -1
    return 1 if _HIGHER.search(text) else None
