"""What several formats say in the same words."""

from __future__ import annotations

import pytest

from mlops_audit.audit import audit
from mlops_audit.maturity import load_model
from mlops_audit.model import Report
from mlops_audit.reports import render
from mlops_audit.tree.memory import MemoryTree

FILES = {"train.py": b"from sklearn.svm import SVC\nSVC().fit([[1]], [1])\n"}


def judged(model: str) -> Report:
    """A small project that trains, judged by a model."""
    return audit(MemoryTree(FILES), models=[load_model(model)])


@pytest.mark.parametrize("form", ["text", "html"])
def test_only_the_ladder_calls_a_practice_must_or_should(form: str) -> None:
    """What another model asks for is not in a practice's metadata, so nothing is said of it."""
    marks = {"text": ", must)", "html": '<span class="tag">must</span>'}
    assert marks[form] in render(judged("ladder"), form)
    assert marks[form] not in render(judged("google"), form)


def test_what_blocks_a_level_of_another_model_is_an_error() -> None:
    """A practice that blocks is never called a mere should of a ladder that was not asked."""
    lines = render(judged("google"), "gitlab")
    assert '"severity": "major"' in lines
    assert '"severity": "minor"' not in lines
