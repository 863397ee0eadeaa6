"""Which of a project's modules are its own code, and which are tests."""

from __future__ import annotations

import json

from mlops_audit.config import Config
from mlops_audit.graph import Project
from mlops_audit.tree import MemoryTree

NOTEBOOK = json.dumps(
    {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"language": "python"}},
        "cells": [{"cell_type": "code", "metadata": {}, "outputs": [], "source": "x = 1"}],
    }
)


def test_own_code_is_what_is_no_test() -> None:
    """Notebooks are code of the project's own; the sources leave them out, and both leave tests."""
    files = {"a.py": "x = 1\n", "nb.ipynb": NOTEBOOK, "tests/test_a.py": "def test_a(): pass\n"}
    project = Project.load(MemoryTree({p: t.encode() for p, t in files.items()}), Config())
    assert [m.path for m in project.own_code] == ["a.py", "nb.ipynb"]
    assert [m.path for m in project.source] == ["a.py"]
    assert project.test_files == {"tests/test_a.py"}
