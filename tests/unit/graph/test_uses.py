"""Uses of tools in calls."""

from __future__ import annotations

import pytest

from mlops_audit.config import Config
from mlops_audit.graph import Project
from mlops_audit.tree import MemoryTree

SCHEMA = "import pandera.pandas as pa\n\ndef rows():\n    {body}\n\n"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("return pa.DataFrameSchema({})", True),
        ("return dict({})", False),
        ("if pa:\n        return dict()\n    return pa.DataFrameSchema({})", False),
    ],
)
def test_what_an_own_function_builds_is_used_as_the_library_s(body: str, *, found: bool) -> None:
    """A method of what a function gives back is that class's, if it can be nothing else."""
    code = SCHEMA.format(body=body) + "schema = rows()\nschema.validate(1)\nrows().validate(2)\n"
    project = Project.load(MemoryTree({"a.py": code.encode()}), Config())
    lines = [use.span.line for use in project.uses("data.validate")]
    last = len(code.splitlines())
    assert lines == ([last - 1, last] if found else [])


def test_a_function_that_calls_itself_is_no_loop() -> None:
    """A builder of itself builds nothing that is known."""
    code = "def a():\n    return a().validate(1)\n\na().validate(2)\n"
    project = Project.load(MemoryTree({"a.py": code.encode()}), Config())
    assert list(project.uses("data.validate")) == []


@pytest.mark.parametrize(("defined", "found"), [(True, False), (False, True)])
def test_a_tool_s_own_repository_uses_it_nowhere(*, defined: bool, found: bool) -> None:
    """What the project itself defines under the tool's name is no use of the tool."""
    files = {"run.py": b"from pandera import DataFrameSchema\n\nDataFrameSchema({}).validate(1)\n"}
    if defined:
        own = b"class DataFrameSchema:\n    def validate(self, x):\n        return x\n"
        files |= {"pandera/__init__.py": own}
    project = Project.load(MemoryTree(files), Config())
    assert bool(list(project.uses("data.validate"))) is found
