"""A tree in memory can hold what a scenario shows beyond plain files."""

from __future__ import annotations

from mlops_audit.tree import MemoryTree, Unread


def test_absent_and_executable_files() -> None:
    """An absent file is listed and cannot be read; the executable bit is kept."""
    tree = MemoryTree({"run.sh": "true\n"}, absent=["data/a.csv"], executable=["run.sh"])
    assert tree.entries["data/a.csv"].absent
    assert tree.entries["data/a.csv"].size is None
    assert isinstance(tree.read("data/a.csv"), Unread)
    assert tree.entries["run.sh"].executable
