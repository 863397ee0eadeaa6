"""Which files are the project's own."""

from __future__ import annotations

from mlops_audit.graph.ownership import left_out

_SERVER = [f"src/server/part/module_{n}.py" for n in range(20)]


def test_metadata_below_a_licence_marks_vendored_code() -> None:
    """A folder with its own licence is foreign also where its parts hold the metadata."""
    paths = ["LICENSE", "app.py", "src/server/LICENSE", "src/server/part/pyproject.toml", *_SERVER]
    found = left_out(paths)
    assert "src/server/part/module_3.py" in found
    assert "app.py" not in found


def test_a_licence_below_is_the_projects_where_the_root_has_none() -> None:
    """A project that lives in a folder, licence included, is not left out."""
    paths = ["README.md", "project/LICENSE", "project/part/pyproject.toml"]
    paths += [f"project/part/module_{n}.py" for n in range(20)]
    assert not left_out(paths)
