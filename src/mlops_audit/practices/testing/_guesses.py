"""Guesses that are the same for every row, measured like a model: the majority, a mean, zeros."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_audit.facts.code import Assign, Call, Module
from mlops_audit.graph import Project
from mlops_audit.graph.training import TRAINING
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

__all__ = ["constant_guesses"]

_MODELS = {*TRAINING, "train.estimator"}
_MEASURES = regex(r"(^|_)(accuracy|score|error|mae|mse|rmse|mape|rmsle|auc|f1|r2|log_loss)(_|$)")
# One value for each row: `np.full(len(y), y.mean())`, `[0] * len(y)`.
_SAME = regex(
    r"(\w{1,30}\.){0,2}(zeros|ones|full)(_like)?\(|np\.repeat\(|"
    r"\[\s*[\w.\-\"']{1,40}(\(\))?\s*\]\s*\*\s*len\("
)


def constant_guesses(project: Project, module: Module, calls: list[Call]) -> Iterator[Evidence]:
    """Metrics of a constant guess, in a module that measures a model which it trains."""
    if not any(u.capability in _MODELS for u in project.uses_in(module.path)):
        return
    for call in calls:
        if len(call.args) < 2 or not _MEASURES.search(call.method):  # noqa: PLR2004 -- actual, guess
            continue
        guess = call.args[1].text
        # Zeros that are filled row by row afterwards are an answer: what was said last counts.
        last = _last(module, call, guess)
        if _SAME.match(guess) or (
            last is not None
            and guess in last.targets
            and not last.augmented
            and (last.value.is_literal or _SAME.match(last.value.text))
        ):
            yield Evidence(call.span, f"the same guess for every row: {call.told}")


def _last(module: Module, call: Call, guess: str) -> Assign | None:
    """What the guess, or a part of it, was set to last before the call in its function."""
    before = [
        a
        for a in module.assigns
        if a.scope == call.scope
        and module.flat(a.span) < module.flat(call.span)
        and any(t == guess or t.startswith(f"{guess}[") for t in a.targets)
    ]
    return before[-1] if before else None
