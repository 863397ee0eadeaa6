"""Configuration of test runners: what pytest collects, where from, and with which options."""

from __future__ import annotations

import shlex

from msgspec import Struct

from mlops_audit.facts.inipos import load_ini
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.tomlpos import load_toml
from mlops_audit.facts.types import Unreadable
from mlops_audit.model import Span

__all__ = ["CONFIG_NAMES", "PytestConfig", "read_pytest_config"]

# pytest's own order of precedence, https://docs.pytest.org/en/stable/reference/customize.html
CONFIG_NAMES = ("pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")
_SECTIONS = {"setup.cfg": ("tool:pytest",)}


class PytestConfig(Struct, frozen=True):
    """One pytest configuration; the defaults are pytest's. `span` is where `addopts` stands."""

    span: Span
    files: tuple[str, ...] = ("test_*.py", "*_test.py")
    functions: tuple[str, ...] = ("test",)
    classes: tuple[str, ...] = ("Test",)
    options: tuple[str, ...] = ()


def read_pytest_config(path: str, data: bytes) -> PytestConfig | None:
    """The pytest configuration in a file; None where it holds none or cannot be read."""
    name = path.rsplit("/", 1)[-1]
    if name.endswith(".toml"):
        root = load_toml(data, path)
        tool = root.get("tool") if isinstance(root, Node) else None
        section = tool.get("pytest") if tool else None
        section = (section.get("ini_options") or section) if section else None
    else:
        root = load_ini(data, path)
        section = None
        if isinstance(root, Node):
            for known in _SECTIONS.get(name, ("pytest",)):
                section = section or root.get(known)
    if isinstance(root, Unreadable) or section is None:
        return None
    options = section.get("addopts")
    default = PytestConfig(Span(path))
    return PytestConfig(
        Span(path, options.line if options else section.line),
        files=_words(section.get("python_files")) or default.files,
        functions=_words(section.get("python_functions")) or default.functions,
        classes=_words(section.get("python_classes")) or default.classes,
        options=_words(options),
    )


def _words(node: Node | None) -> tuple[str, ...]:
    if node is None:
        return ()
    if node.kind == "list":
        return tuple(str(c.value) for c in node.children if c.kind == "scalar")
    try:
        return tuple(shlex.split(str(node.value), comments=True))
    except ValueError:
        return tuple(str(node.value).split())
