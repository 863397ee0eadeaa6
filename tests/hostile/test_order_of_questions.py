"""A practice is a pure function of the project: its verdict does not depend on who asked before.

Practices are judged by several processes, each of which asks some of them in whatever order, so a
cache that depends on its first asker would make reports differ from run to run.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import pytest
from tests.hostile.hollow import BASE
from tests.hostile.honest import HONEST

from mlops_audit import judging
from mlops_audit.audit import Request, audit
from mlops_audit.judging import Judged
from mlops_audit.model import Practice
from mlops_audit.practices import registry
from mlops_audit.reports import render
from mlops_audit.tree import GitInfo, MemoryTree

_GIT = GitInfo(commit="0" * 40, branches=("main",), default_branch="main", commits=3)
# Two hooks of one name, functions that return each other's results, `cd`s on one line, a page that
# is too large to be read, and one that is a link to somewhere else.
_TANGLED: Mapping[str, str] = {
    ".pre-commit-config.yaml": """\
repos:
  - repo: local
    hooks:
      - {id: check, name: a, language: system, entry: pytest}
      - {id: check, name: b, language: system, entry: python src/train.py}
""",
    "Makefile": "all:\n\tcd api && make test && cd ../web && make test\n"
    "test: check\n\tpytest\ncheck:\n\tpython src/train.py\ntest: all\n",
    "src/made.py": """\
import mlflow
from src.found import other


def one(x):
    return other(x) if x else mlflow.MlflowClient()


def two():
    return one(1)
""",
    "src/found.py": """\
import mlflow
from src.made import one, two


def other(x):
    return one(x) if x else mlflow.MlflowClient()


other(1).log_metric("accuracy", 0.5)
two().log_metric("loss", 0.5)
""",
    "docs/data.md": "x" * 3_000_000,
    "conf/own.yaml": "path: /home/anna/data\n" * 20,
}
REPOSITORIES: Mapping[str, Mapping[str, str]] = {
    "hollow": BASE,
    "tested": {**BASE, **HONEST["CI, reusable workflow, make, tox, pytest"].files},
    "tracked": {**BASE, **HONEST["CI, script, module, function, tracker's wrapper"].files},
    "watched": {
        **BASE,
        **HONEST["cron, module, drift, wrapper, alert"].files,
        **HONEST["DVC stage, shell script, module, function that validates"].files,
    },
    "tangled": {**BASE, **_TANGLED},
}


def tree(name: str) -> MemoryTree:
    """A repository; nothing in it was asked for yet."""
    links = {"docs/more.md": "../../elsewhere.md"} if name == "tangled" else {}
    return MemoryTree(REPOSITORIES[name], git=_GIT, links=links)


def report(name: str, order: Callable[[list[Practice]], list[Practice]]) -> tuple[str, set[str]]:
    """The report of practices that are asked one by one in an order, and whom was asked."""
    asked: list[str] = []

    def one_by_one(
        work: Callable[[list[Practice]], Judged], groups: list[list[Practice]], _count: int
    ) -> list[Judged]:
        ordered = order([practice for group in groups for practice in group])
        asked.extend(practice.id for practice in ordered)
        return [work([practice]) for practice in ordered]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(judging, "divided", one_by_one)
        found = audit(tree(name), jobs=1)
    return render(found, "json"), set(asked)


@pytest.mark.parametrize("name", REPOSITORIES)
def test_no_verdict_depends_on_the_order_of_questions(name: str) -> None:
    """In whatever order the practices are asked, the report has the same bytes."""
    orders: list[Callable[[list[Practice]], list[Practice]]] = [
        lambda listed: sorted(listed, key=lambda p: p.id),
        lambda listed: sorted(listed, key=lambda p: p.id, reverse=True),
    ]
    for seed in range(3):
        drawn = random.Random(seed)  # noqa: S311 -- no secret
        orders.append(lambda listed, drawn=drawn: drawn.sample(listed, len(listed)))  # type: ignore[misc]
    found = [report(name, order) for order in orders]
    assert len({text for text, _ in found}) == 1
    assert all(asked == {p.id for p in registry().practices} for _, asked in found)


@pytest.mark.parametrize("name", REPOSITORIES)
def test_a_practice_asked_alone_says_the_same(name: str) -> None:
    """Asked as the only one, each practice has the verdict that it has among all others."""
    for together in audit(tree(name), jobs=1).findings:
        request = Request(practices=(together.practice,))
        (alone,) = audit(tree(name), request=request, jobs=1).findings
        assert alone == together
