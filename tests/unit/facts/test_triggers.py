"""Whether triggers can fire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.triggers import cron_problem, trigger_is_live
from mlops_audit.facts.types import Trigger, TriggerKind
from mlops_audit.model import Span

PUSH, AT = TriggerKind.PUSH, Span("ci.yml", 1)


@pytest.mark.parametrize(
    ("branches", "ignore", "live"),
    [
        ((), (), True),
        (("main",), (), False),
        (("main", "master"), (), True),
        (("ma*",), (), True),
        (("**",), (), True),
        (("**", "!master", "!dev/**"), (), False),
        (("!master",), (), True),
        ((), ("master",), True),
        ((), ("*", "dev/*"), False),
        (("refs/heads/master",), (), True),
        (("/^mas.*$/",), (), True),
        (("/^rel/",), (), False),
        (("$CI_DEFAULT_BRANCH",), (), True),
        (("release/*",), (), False),
        (("dev/*",), (), True),
    ],
)
def test_branch_filters(branches: tuple[str, ...], ignore: tuple[str, ...], live: bool) -> None:  # noqa: FBT001 -- a table's column
    """A filter is live when a branch that exists passes it."""
    trigger = Trigger(PUSH, AT, branches, ignore)
    assert trigger_is_live(trigger, frozenset({"master", "dev/x"}))[0] is live


def test_unknown_branches_are_taken_as_live() -> None:
    """A clone that shows no branches cannot make a filter dead, and the reason says so."""
    live, reason = trigger_is_live(Trigger(PUSH, AT, ("main",)), None)
    assert live
    assert "clone" in reason


def test_disabled_and_impossible_triggers_are_dead() -> None:
    """A trigger that the file disables, or a date that never comes, is not live."""
    assert not trigger_is_live(Trigger(PUSH, AT, disabled="State: DISABLED"), None)[0]
    never = Trigger(TriggerKind.SCHEDULE, AT, cron="0 0 31 2 *")
    assert trigger_is_live(never, None) == (
        False,
        "'0 0 31 2 *' names a day that no such month has",
    )


@pytest.mark.parametrize(
    ("cron", "broken"),
    [
        ("0 3 * * 1-5", False),
        ("0 0 30 FEB *", True),
        ("0 0 31 4,6 *", True),
        ("0 0 31 1,2 *", False),
        ("0 0 31 2 1", False),
        ("@daily", False),
        ("rate(1 day)", False),
        ("cron(0 12 * * ? *)", False),
        ("each day", True),
        ("H 4 * * *", False),
        ("soon", True),
    ],
)
def test_cron(cron: str, broken: bool) -> None:  # noqa: FBT001 -- a table's column
    """Schedules that can come, that never come and that are none."""
    assert bool(cron_problem(cron)) is broken


@pytest.mark.parametrize("pattern", ["[?--]", "[a&&b]", "[a||b]", "/[a--b]/", "/[[a]/"])
def test_signs_of_sets_are_plain_characters(pattern: str) -> None:
    """What Python may one day read as an operator of sets makes no warning."""
    assert trigger_is_live(Trigger(PUSH, AT, (pattern,)), frozenset({"main"}))[0] in (True, False)


@given(st.text("*!/^$.()[]{}+?ab\\-,", max_size=40), st.text("ab/*", max_size=20))
def test_arbitrary_patterns_never_raise(pattern: str, name: str) -> None:
    """Whatever the filter, the answer is yes or no."""
    assert trigger_is_live(Trigger(PUSH, AT, (pattern,)), frozenset({name}))[0] in (True, False)
