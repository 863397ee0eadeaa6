"""Imports of the project's own code that cannot work: the module or the name does not exist."""

from __future__ import annotations

import sys
from functools import cached_property
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Import, Module
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project asks for its tests, which are read from the project
    from mlops_audit.graph.project import Project

__all__ = ["BrokenImports"]

# Files that a build writes, and so are in no clone.
_GENERATED = regex(r"(^|\.|_)(version|__about__|_C|pb2|pb2_grpc|generated|_ext|ops|cuda)(\.|$)")


# Files that name what is installed, or where a package's folder lies.
_INSTALLS = (
    "**/setup.py", "**/setup.cfg", "**/pyproject.toml", "**/Pipfile", "**/*requirement*.txt",
    "**/requirements/*.txt", "**/*environment*.y*ml", "**/conda*.y*ml", "**/Dockerfile*",
    ".gitmodules", "**/tox.ini", "**/noxfile.py", "**/Makefile",
)  # fmt: skip


class BrokenImports:
    """Finds the first import of a module that names own code that does not exist."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.index = project.index
        self._known: dict[str, str] = {}

    def of(self, path: str) -> str:
        """What a module imports that does not exist, as a clause; empty when nothing."""
        if path not in self._known:
            module = self.project.modules[path]
            found = (self._missing(module, i) for i in module.imports if not i.scope)
            first = next((f for f in found if f), "")
            self._known[path] = f"imports {first}, which does not exist" if first else ""
        return self._known[path]

    @cached_property
    def _own_roots(self) -> frozenset[str]:
        """First segments of imports that really name modules of the project."""
        found: set[str] = set()
        for path, module in self.project.modules.items():
            for root in module.roots - found:
                if self.index.module(root, path) or any(
                    self.index.module(i.module, path) for i in module.imports if i.root == root
                ):
                    found.add(root)
        return frozenset(found)

    @cached_property
    def _stems(self) -> frozenset[str]:
        """All paths of the tree without extensions, and all folders: files of any language."""
        found: set[str] = set()
        for path in self.project.tree.entries:
            parts = path.split("/")
            parts[-1] = parts[-1].split(".", 1)[0]
            found.update("/".join(parts[:n]) for n in range(1, len(parts) + 1))
        return frozenset(found)

    @cached_property
    def _last_parts(self) -> frozenset[str]:
        return frozenset("/".join(s.split("/")[-2:]) for s in self._stems)

    @cached_property
    def _former(self) -> frozenset[str]:
        """Packages that only tests import, that nothing installs, and whose modules lie here.

        The tests still call a package by the name that it had in the template they came from.
        """
        tested = self.project.test_files
        elsewhere: set[str] = set(sys.stdlib_module_names)
        for path, module in self.project.modules.items():
            if path not in tested:
                elsewhere |= module.roots
        found: set[str] = set()
        for path in sorted(tested & self.project.modules.keys()):
            for item in self.project.modules[path].imports:
                known = item.root in elsewhere or item.root in self._own_roots
                if item.root and not known and self._lies_here(item):
                    found.add(item.root)
        if not found:
            return frozenset()
        installed = "\n".join(self.project.text(p) or "" for p in self.project.glob(*_INSTALLS))
        installed = installed.lower().replace("-", "_")
        return frozenset(r for r in found if r.lower().replace("-", "_") not in installed)

    def _lies_here(self, item: Import) -> bool:
        """Whether a module of the project has the rest of that path, and in it that name."""
        rest = item.module.partition(".")[2]
        if not rest or not item.name:
            return False
        if f"{rest}.{item.name}".replace(".", "/") in self._last_parts:
            return True
        tail = f"/{rest.replace('.', '/')}.py"
        return any(f"/{p}".endswith(tail) and self._holds(p, item) for p in self.project.modules)

    def _missing(self, module: Module, item: Import) -> str:
        if item.module.startswith("."):
            return ""
        if item.root not in self._own_roots:
            return item.module if item.root in self._former else ""
        if _GENERATED.search(item.module) or _GENERATED.search(item.name):
            return ""
        target = self.index.module(item.module, module.path)
        if target is None:
            tail = "/".join(item.module.split(".")[-2:])
            known = "." not in item.module or tail in self._last_parts
            resolved = self.index.resolve(item.module, module.path)
            return "" if known or resolved else item.module
        if not item.name or item.name == "*" or target == module.path:
            return ""
        return "" if self._holds(target, item) else item.dotted

    def _holds(self, path: str, item: Import) -> bool:
        """Whether a module has a name, or may have it."""
        module = self.project.modules[path]
        name = item.name
        if module.error or module.function("__getattr__") or {"globals", "setattr"} & module.names:
            return True
        if module.function(name) or module.klass(name) or name in module.names:
            return True
        if any(name in a.targets for a in module.assigns):
            return True
        if any(i.alias == name or i.name == "*" or i.alias.split(".")[0] == name
               for i in module.imports):  # fmt: skip
            return True
        folder = path.removesuffix("/__init__.py") if path.endswith("__init__.py") else ""
        return bool(folder) and f"{folder}/{name}" in self._stems
