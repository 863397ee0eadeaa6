"""Which pipelines GitLab's `workflow: rules`, `rules`, `only` and `except` let start."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from mlops_audit.facts.conditions import evaluate, literals
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.triggers import OTHER_BRANCH
from mlops_audit.facts.types import Trigger, TriggerKind
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = ["Reach", "bindings", "job_reach", "pipeline_triggers"]

_SOURCES = {
    TriggerKind.PUSH: "push",
    TriggerKind.TAG: "push",
    TriggerKind.PULL_REQUEST: "merge_request_event",
    TriggerKind.SCHEDULE: "schedule",
    TriggerKind.MANUAL: "web",
    TriggerKind.EVENT: "trigger",
    TriggerKind.CALL: "parent_pipeline",
}
# What a call comes from: a job's token or another project, a trigger's token, the API.
_CALLS = ("pipeline", "trigger", "api")
# Words of `only` and `except` for each kind; any other word is a branch or tag.
_WORDS = {
    TriggerKind.PUSH: ("branches", "pushes"),
    TriggerKind.TAG: ("tags", "pushes"),
    TriggerKind.PULL_REQUEST: ("merge_requests", "external_pull_requests"),
    TriggerKind.SCHEDULE: ("schedules", "branches"),
    TriggerKind.MANUAL: ("web", "branches"),
    TriggerKind.EVENT: ("triggers", "api", "pipelines", "branches"),
    TriggerKind.CALL: ("pipelines", "branches"),
}
_KEYWORDS = frozenset(
    [
        "branches",
        "pushes",
        "tags",
        "merge_requests",
        "external_pull_requests",
        "schedules",
        "web",
        "triggers",
        "api",
        "pipelines",
        "external",
        "chat",
    ]
)
_BRANCH_REGEX = regex(
    r"\$CI_(?:COMMIT_BRANCH|COMMIT_REF_NAME|MERGE_REQUEST_TARGET_BRANCH_NAME)\s*=~\s*(/(?:[^/\\\n]|\\.)+/\w*)"
)
_TAG_REGEX = regex(r"\$CI_COMMIT_(?:TAG|REF_NAME)\s*=~\s*(/(?:[^/\\\n]|\\.)+/\w*)")


class Reach(Struct, frozen=True):
    """The triggers that reach a job, and how: by a person's hand, with failure allowed."""

    triggers: tuple[Trigger, ...]
    manual: bool = False
    soft: bool = False
    disabled: str = ""


def bindings(kind: TriggerKind, branch: str) -> Mapping[str, str | None]:
    """GitLab's predefined variables in a pipeline of this kind."""
    tag, merge = kind is TriggerKind.TAG, kind is TriggerKind.PULL_REQUEST
    known: dict[str, str | None] = {
        "ci_default_branch": "$default",
        "ci_commit_tag": branch if tag else None,
        "ci_commit_branch": None if tag or merge else branch,
        "ci_merge_request_id": "1" if merge else None,
        "ci_merge_request_iid": "1" if merge else None,
        "ci_merge_request_target_branch_name": branch if merge else None,
        "ci": "true",
    }
    if not merge:
        known["ci_commit_ref_name"] = branch
    if kind is TriggerKind.EVENT:
        # A call names a branch or a tag, and comes from a pipeline or from outside.
        del known["ci_commit_tag"]
    else:
        known["ci_pipeline_source"] = _SOURCES.get(kind)
    return known


def pipeline_triggers(workflow: Node | None, mentions: str, span: Span) -> tuple[Trigger, ...]:
    """What starts the pipeline.

    A push always does unless the rules say no. Merge requests, schedules and API calls are set
    up in the project's settings as well, so they count only where a rule names them.
    """
    kinds = [TriggerKind.PUSH, TriggerKind.TAG, TriggerKind.MANUAL]
    if re.search(r"merge_request|MERGE_REQUEST", mentions):
        kinds.append(TriggerKind.PULL_REQUEST)
    if re.search(r"schedule", mentions):
        kinds.append(TriggerKind.SCHEDULE)
    if re.search(r"\b(triggers?|api|pipelines?)\b", mentions):
        kinds.append(TriggerKind.EVENT)
    # No line says so: it is what GitLab does by itself.
    base = tuple(Trigger(kind, Span(span.path)) for kind in kinds)
    rules = workflow.get("rules") if workflow is not None else None
    if rules is None:
        return base
    here = replace(span, line=rules.line)
    return _by_rules(tuple(n for n in rules.list() if n.kind == "map"), _at(base, here)).triggers


def _at(triggers: Iterable[Trigger], span: Span) -> tuple[Trigger, ...]:
    return tuple(replace(trigger, span=span) for trigger in triggers)


def job_reach(
    rules: tuple[Node, ...] | None,
    only: Node | None,
    without: Node | None,
    triggers: tuple[Trigger, ...],
) -> Reach:
    """The triggers that a job's own rules leave of the pipeline's."""
    if rules is not None:
        return _by_rules(rules, triggers)
    if only is None and without is None:
        return Reach(triggers)
    left = tuple(t for trigger in triggers if (t := _by_words(trigger, only, without)) is not None)
    return Reach(left, disabled="" if left else "`only`/`except` leave no pipeline")


def _by_rules(rules: tuple[Node, ...], triggers: tuple[Trigger, ...]) -> Reach:
    found: list[Trigger] = []
    manual = soft = True
    for trigger in triggers:
        branches: list[str] = []
        rule = _first(rules, trigger.kind, OTHER_BRANCH)
        if rule is None and trigger.kind is not TriggerKind.TAG:
            for name in _candidates(rules):
                rule_here = _first(rules, trigger.kind, name)
                if rule_here is not None:
                    branches.append(name)
                    rule = rule or rule_here
            branches.extend(text for text, _ in _regexes(rules, trigger.kind, _BRANCH_REGEX))
            if branches and rule is None:
                rule = rules[0]
        elif rule is None:
            rule = next((rule for _, rule in _regexes(rules, trigger.kind, _TAG_REGEX)), None)
        if rule is None:
            continue
        manual = manual and rule.str_at("when") == "manual"
        soft = soft and rule.str_at("allow_failure") == "true"
        found.append(replace(trigger, branches=tuple(branches)) if branches else trigger)
    if not found:
        return Reach((), disabled="its rules hold for no pipeline")
    return Reach(tuple(found), manual, soft)


def _candidates(rules: tuple[Node, ...]) -> list[str]:
    names: dict[str, None] = {"$default": None}
    for rule in rules:
        for text in literals(rule.str_at("if")):
            if " " not in text:
                names.setdefault(text)
    return list(names)


def _regexes(
    rules: tuple[Node, ...], kind: TriggerKind, pattern: re.Pattern[str]
) -> list[tuple[str, Node]]:
    """Regular expressions over branches or tags of rules that could hold for such a one."""
    found: list[tuple[str, Node]] = []
    for rule in rules:
        condition = rule.str_at("if")
        if rule.str_at("when") == "never":
            continue
        for match in pattern.finditer(condition):
            rest = condition.replace(match[0], "true")
            if evaluate(rest, bindings(kind, OTHER_BRANCH)) is not False:
                found.append((match[1], rule))
    return found


def _first(rules: tuple[Node, ...], kind: TriggerKind, branch: str) -> Node | None:
    """The first rule that can hold and lets the job run; None when none does."""
    known = bindings(kind, branch)
    if kind is not TriggerKind.EVENT:
        return _first_of(rules, known)
    sources = ({**known, "ci_pipeline_source": source} for source in _CALLS)
    return next(filter(None, (_first_of(rules, here) for here in sources)), None)


def _first_of(rules: tuple[Node, ...], known: Mapping[str, str | None]) -> Node | None:
    for rule in rules:
        condition = rule.get("if")
        value = True if condition is None else evaluate(condition.text, known)
        if value is True and (rule.get("changes") is not None or rule.get("exists") is not None):
            value = None
        if value is False:
            continue
        if rule.str_at("when") != "never":
            return rule
        if value is True:
            return None
    return None


def _by_words(trigger: Trigger, only: Node | None, without: Node | None) -> Trigger | None:
    words = _refs(only) if only is not None else ("branches", "tags")
    refused = _refs(without) if without is not None else ()
    kind = trigger.kind
    names = tuple(word for word in words if word not in _KEYWORDS)
    taken = _WORDS.get(kind, ())
    if any(word in refused for word in taken[:1]):
        return None
    if any(word in words for word in taken):
        named: tuple[str, ...] = ()
    elif names and kind is not TriggerKind.PULL_REQUEST:
        named = names
    else:
        return None
    ignored = tuple(word for word in refused if word not in _KEYWORDS)
    return replace(trigger, branches=named or trigger.branches, branches_ignore=ignored)


def _refs(node: Node) -> tuple[str, ...]:
    if node.kind == "map":
        refs = node.get("refs")
        found = refs.strings() if refs is not None else ("branches", "tags")
    else:
        found = node.strings()
    return tuple(word.split("@")[0] for word in found)
