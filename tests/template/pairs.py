"""Few combinations of answers in which every two answers that go together meet."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, Template
from jinja2.meta import find_undeclared_variables
from tests.template.support import ROOT

Choices = dict[str, dict[Any, str]]
Answers = dict[str, Any]
Pair = frozenset[tuple[str, Any]]

_JINJA = Environment(autoescape=False)  # noqa: S701 -- conditions over answers, no page
# Which level, data, task and the like a choice may go with is found in this order.
_LEVEL = "maturity_level"


def questions(path: Path = ROOT / "copier.yml") -> dict[str, Any]:
    """The template's questions by name."""
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {name: value for name, value in settings.items() if not name.startswith("_")}


def choices(asked: Mapping[str, Any]) -> Choices:
    """Each question with choices: its values with the condition that refuses them.

    Choices that depend on the level are those of all levels; one that a level lacks is refused
    there.
    """
    found: Choices = {}
    for name, question in asked.items():
        given = question.get("choices")
        if given is None:
            continue
        if isinstance(given, str):
            values: dict[Any, str] = {}
            for level in range(1, 6):
                for value in yaml.safe_load(_JINJA.from_string(given).render(maturity_level=level)):
                    template = "{%% if %r not in (%s) %%}not offered{%% endif %%}"
                    values[value] = template % (value, given.strip().strip("{}").strip())
            found[name] = values
        else:
            pairs = given.items() if isinstance(given, dict) else ((v, v) for v in given)
            found[name] = {
                value["value"] if isinstance(value, dict) else value: value.get("validator", "")
                if isinstance(value, dict)
                else ""
                for _, value in pairs
            }
    return found


@functools.cache
def _condition(text: str) -> tuple[Template, tuple[str, ...]]:
    """A condition and the answers that it asks for."""
    return _JINJA.from_string(text), tuple(sorted(find_undeclared_variables(_JINJA.parse(text))))


@functools.cache
def _said(text: str, answers: tuple[tuple[str, Any], ...]) -> str:
    return _condition(text)[0].render(dict(answers)).strip()


def refusal(answers: Mapping[str, Any], offered: Choices, defaults: Mapping[str, Any]) -> str:
    """Why copier refuses the answers, or nothing; what is not answered has its default."""
    for name, value in answers.items():
        text = offered[name][value]
        if not text:
            continue
        names = _condition(text)[1]
        known = tuple((n, answers.get(n, defaults.get(n))) for n in names)
        if said := _said(text, known):
            return f"{name} {value}: {said}"
    return ""


def default_answers(asked: Mapping[str, Any], offered: Choices) -> Answers:
    """The defaults of the questions with choices; one that is Jinja stands for its last value."""
    found: Answers = {}
    for name, values in offered.items():
        default = asked[name]["default"]
        found[name] = default if default in values else list(values)[-1]
    return found


def _completed(
    begun: Answers, offered: Choices, defaults: Answers, missing: set[Pair]
) -> Answers | None:
    """The answers with all questions answered, each by what meets most new answers."""
    rows = [begun]
    for name in offered:
        if name in begun:
            continue
        longer: list[Answers] = []
        for row in rows:
            tried = sorted(
                ((_gain(row, (name, value), missing), -place, value)
                for place, value in enumerate(offered[name])), reverse=True,
            )  # fmt: skip
            for _, _, value in tried:
                one = {**row, name: value}
                if not refusal(one, offered, defaults):
                    longer.append(one)
        # A few ways are kept open, since a later question may refuse the best one.
        rows = longer[:8]
    return rows[0] if rows else None


def _gain(row: Answers, answer: tuple[str, Any], missing: set[Pair]) -> int:
    return sum(frozenset([answer, item]) in missing for item in row.items())


def _possible(pair: Pair, offered: Choices, defaults: Answers) -> bool:
    """Whether some level lets both answers be given."""
    answers = dict(pair)
    levels = [answers[_LEVEL]] if _LEVEL in answers else list(offered[_LEVEL])
    return any(
        _completed({_LEVEL: level, **answers}, offered, defaults, set()) is not None
        for level in levels
    )


def all_pairs(offered: Choices, defaults: Answers) -> tuple[set[Pair], set[Pair]]:
    """Every two answers to different questions: those that go together, and those that do not."""
    every = {
        frozenset([(one, a), (other, b)])
        for one, other in itertools.combinations(offered, 2)
        for a in offered[one]
        for b in offered[other]
    }
    together = {pair for pair in every if _possible(pair, offered, defaults)}
    return together, every - together


def rows(offered: Choices, defaults: Answers) -> Iterator[Answers]:
    """Combinations in which every two answers that go together meet at least once."""
    missing, _ = all_pairs(offered, defaults)
    # The choices that only high levels offer come first, so that few rows hold many of them.
    order = {name: place for place, name in enumerate(offered)}
    while missing:
        pair = min(missing, key=lambda p: sorted((order[n], str(v)) for n, v in p))
        begun = dict(sorted(pair, key=lambda item: order[item[0]]))
        levels = [begun[_LEVEL]] if _LEVEL in begun else sorted(offered[_LEVEL], reverse=True)
        found = [
            row
            for level in levels
            if (row := _completed({_LEVEL: level, **begun}, offered, defaults, missing))
        ]
        best = max(found, key=lambda row: len(pairs_of(row) & missing))
        row = {name: best[name] for name in offered}
        missing -= pairs_of(row)
        yield row


def pairs_of(row: Answers) -> set[Pair]:
    """Every two answers of a combination."""
    return {frozenset(two) for two in itertools.combinations(row.items(), 2)}
