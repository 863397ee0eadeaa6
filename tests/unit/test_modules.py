"""What counts as a module of a package."""

from __future__ import annotations

from pathlib import Path

from mlops_audit.modules import module_names


def test_modules_are_files_without_an_underscore(tmp_path: Path) -> None:
    """Helpers, packages, documentation and bytecode are left out; the order is that of names."""
    for name in ("b.py", "a_b.py", "a.py", "_helper.py", "__init__.py", "a.md", "c.pyc"):
        (tmp_path / name).touch()
    (tmp_path / "package").mkdir()
    assert module_names([str(tmp_path)]) == ["a", "a_b", "b"]
