"""Whether a trigger can fire, and which triggers a job's own condition leaves."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping

from msgspec.structs import replace

from mlops_audit.facts.conditions import evaluate, literals
from mlops_audit.facts.patterns import matches
from mlops_audit.facts.types import Trigger, TriggerKind
from mlops_audit.regex import regex

__all__ = ["OTHER_BRANCH", "cron_problem", "narrow", "trigger_is_live"]

_ON_BRANCHES = frozenset(
    {
        TriggerKind.PUSH,
        TriggerKind.PULL_REQUEST,
        TriggerKind.SCHEDULE,
        TriggerKind.WORKFLOW,
        TriggerKind.EXTERNAL,
    }
)
# Days of the longest such month; 29 February exists.
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MONTHS = (
    *("jan", "feb", "mar", "apr", "may", "jun"),
    *("jul", "aug", "sep", "oct", "nov", "dec"),
)
_CRON_FIELDS = 5  # Jenkins, Azure and cloud schedulers know 6 or 7 as well
_CRON_FIELD = regex(r"[\w*,/\-?#LW]+")
# A branch that no condition names stands for all others.
OTHER_BRANCH = "\x00other"

Bind = Callable[[TriggerKind, str], Mapping[str, str | None]]


def trigger_is_live(trigger: Trigger, branches: frozenset[str] | None) -> tuple[bool, str]:
    """Whether the trigger can ever fire, and why (not).

    Args:
        trigger: as a reader gave it.
        branches: names of the branches that exist, or None where the clone cannot tell (shallow,
            detached): a branch filter is then taken as live.

    Returns:
        The answer and one clause of reason, empty where there is nothing to say.
    """
    if trigger.disabled:
        return False, trigger.disabled
    if trigger.cron and (problem := cron_problem(trigger.cron)):
        return False, problem
    filtered = trigger.branches or trigger.branches_ignore
    if not filtered or trigger.kind not in _ON_BRANCHES:
        return True, ""
    if branches is None:
        return True, "the clone does not show the branches; its branch filter is taken as live"
    found = sorted(name for name in branches if _passes(trigger, name) is True)
    if found:
        return True, f"branch {found[0]}"
    if any(_passes(trigger, name) is None for name in branches):
        return True, f"branch filter {_shown(trigger)} cannot be evaluated and is taken as live"
    return False, f"branch filter {_shown(trigger)} names no branch that exists"


def _shown(trigger: Trigger) -> str:
    if trigger.branches:
        return ", ".join(trigger.branches[:4])
    return "all but " + ", ".join(trigger.branches_ignore[:4])


def _passes(trigger: Trigger, name: str) -> bool | None:
    """Whether a branch passes the filters: of the positive and `!` patterns the last one wins."""
    unknown = False
    positive = any(not pattern.startswith("!") for pattern in trigger.branches)
    verdict = bool(trigger.branches) and not positive
    if not trigger.branches:
        verdict = True
    for pattern in trigger.branches:
        found = matches(pattern.removeprefix("!"), name)
        unknown = unknown or found is None
        if found:
            verdict = not pattern.startswith("!")
    for pattern in trigger.branches_ignore:
        found = matches(pattern, name)
        unknown = unknown or found is None
        if found:
            return False
    return None if unknown and not verdict else verdict


def cron_problem(cron: str) -> str:
    """Why a schedule never comes: broken, or a day that no month has; else an empty string."""
    text = cron.strip().removeprefix("cron(").removesuffix(")")
    if text.startswith(("@", "rate(", "every ", "H ", "R")) or "$" in text or "{{" in text:
        return ""
    fields = [field for field in text.split() if not field.startswith(("TZ=", "CRON_TZ="))]
    if len(fields) not in (_CRON_FIELDS, 6, 7) or not all(map(_CRON_FIELD.fullmatch, fields)):
        return f"{cron!r} is no cron expression"
    if len(fields) == _CRON_FIELDS:
        return _impossible_day(fields[2], fields[3], fields[4], cron)
    return ""


def _impossible_day(day: str, month: str, weekday: str, cron: str) -> str:
    if not day.isdigit() or weekday not in ("*", "?"):
        return ""
    months = [_month(part) for part in month.split(",")]
    if not months or any(number is None for number in months):
        return ""
    if all(int(day) > _DAYS[(number or 1) - 1] for number in months):
        return f"{cron!r} names a day that no such month has"
    return ""


def _month(text: str) -> int | None:
    if re.fullmatch(r"0?[1-9]|1[0-2]", text):
        return int(text)
    return _MONTHS.index(text.lower()) + 1 if text.lower() in _MONTHS else None


def narrow(condition: str, triggers: Iterable[Trigger], bind: Bind) -> tuple[Trigger, ...]:
    """The triggers for which a condition can hold, with the branches that it asks for.

    Args:
        condition: the expression, without `${{ }}`.
        triggers: the workflow's.
        bind: what a system's names stand for in a run of a kind on a branch.
    """
    left: list[Trigger] = []
    candidates = _candidates(condition)
    for trigger in triggers:
        if evaluate(condition, bind(trigger.kind, OTHER_BRANCH)) is not False:
            left.append(trigger)
            continue
        if trigger.kind is TriggerKind.TAG and _for_tags(condition, bind):
            left.append(trigger)
        if trigger.kind not in (TriggerKind.PUSH, TriggerKind.PULL_REQUEST):
            continue
        names = _holding(condition, candidates, functools.partial(bind, trigger.kind))
        names = [name for name in names if _passes(trigger, name) is not False or "*" in name]
        if names:
            left.append(replace(trigger, branches=tuple(names), branches_ignore=()))
        elif (
            trigger.kind is TriggerKind.PUSH and not trigger.branches and _for_tags(condition, bind)
        ):
            left.append(replace(trigger, kind=TriggerKind.TAG, branches_ignore=()))
    return tuple(left)


def _for_tags(condition: str, bind: Bind) -> bool:
    """Whether the push of some tag passes a condition, which may ask for a prefix or a name."""
    names = [text.removeprefix("refs/tags/") for text in literals(condition)]
    tags = [OTHER_BRANCH, *(n + OTHER_BRANCH for n in names), *names]
    return any(evaluate(condition, bind(TriggerKind.TAG, tag)) is not False for tag in tags)


def _candidates(condition: str) -> list[str]:
    names = [text.removeprefix("refs/heads/") for text in literals(condition)]
    names = [name for name in names if name and " " not in name and not name.startswith("refs/")]
    return list(dict.fromkeys([*names, "$default"]))


def _holding(
    condition: str, candidates: list[str], bind: Callable[[str], Mapping[str, str | None]]
) -> list[str]:
    names: list[str] = []
    for name in candidates:
        if evaluate(condition, bind(name + OTHER_BRANCH)) is not False:
            names.append(name.rstrip("/") + "/**" if name.endswith("/") else name + "**")
        elif evaluate(condition, bind(name)) is not False:
            names.append(name)
    return names
