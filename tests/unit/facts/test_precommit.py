"""What the readers of git hooks give."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.precommit import (
    hook_targets,
    read_hook_script,
    read_lefthook,
    read_lint_staged,
    read_precommit,
)
from mlops_audit.facts.types import Unreadable

CONFIG = b"""\
repos:
  - repo: https://github.com/astral-sh/ruff-pre-commit
    rev: v1
    hooks:
      - id: ruff
        args: [--fix]
  - repo: local
    hooks:
      - id: t
        name: tests
        entry: bash -c "pytest -q"
        language: system
        stages: [manual]
#     - id: off
"""


def test_precommit() -> None:
    """Hooks know repository, revision, arguments, stages and what a local one runs."""
    hooks = read_precommit(CONFIG, ".pre-commit-config.yaml")
    assert not isinstance(hooks, Unreadable)
    assert [(h.id, h.rev, h.args, h.stages, h.span.line) for h in hooks] == [
        ("ruff", "v1", ("--fix",), (), 5),
        ("t", "", (), ("manual",), 9),
    ]
    ruff, tests = hook_targets(hooks)
    assert ruff.commands[0].argv == ("ruff", "--fix")
    assert [c.argv for c in tests.commands] == [("bash", "-c", "pytest -q"), ("pytest", "-q")]
    assert (ruff.default, tests.default) == (True, False)


def test_other_hooks() -> None:
    """lefthook, husky and lint-staged give targets."""
    text = b"pre-commit:\n  commands:\n    l:\n      run: ruff check\n  jobs:\n    - run: mypy\n"
    left = read_lefthook(text, "lefthook.yml")
    assert not isinstance(left, Unreadable)
    assert [(t.name, t.commands[0].program) for t in left] == [
        ("pre-commit/l", "ruff"),
        ("pre-commit/1", "mypy"),
    ]
    assert read_hook_script(b"npm test\n", ".husky/pre-commit")[0].commands[0].program == "npm"
    staged = read_lint_staged(b'{"lint-staged": {"*.py": ["ruff check"]}}', "package.json")
    assert not isinstance(staged, Unreadable)
    assert staged[0].commands[0].argv == ("ruff", "check")


@given(st.binary(max_size=120))
def test_any_bytes(data: bytes) -> None:
    """No bytes raise."""
    read_precommit(data, "x")
    read_lefthook(data, "x")
    read_lint_staged(data, "x")
    read_hook_script(data, ".husky/x")
