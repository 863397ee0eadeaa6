"""Programs: which modules of the project run together."""

from __future__ import annotations

from mlops_audit.graph import Project
from mlops_audit.graph.memo import once
from mlops_audit.regex import regex

__all__ = ["imports", "same_program"]

_SETTINGS_SIZE = 200_000  # bytes; a larger file is data
_TARGET = regex(
    r"""\b(?:_target_|target|class_path)["']?\s*:\s*["']?([A-Za-z_]\w*(?:\.\w+){1,9})"""
)
_BUILDS = regex(
    r"(^|[.:])(instantiate\w*|import_module|get_class|get_method|locate|LightningCLI|"
    r"build_from_cfg|get_obj_from_str)$"
)
_HOPS = 400  # modules of one program


@once
def _configured(project: Project) -> tuple[str, ...]:
    """The classes and functions that settings name for a program to build."""
    found: set[str] = set()
    for path in project.glob("**/*.yaml", "**/*.yml"):
        if (project.entry(path).size or 0) < _SETTINGS_SIZE:
            found.update(_TARGET.findall(project.text(path) or ""))
    return tuple(sorted(found))


@once
def imports(project: Project, path: str) -> frozenset[str]:
    """All modules of the project that a module imports, also through others."""
    seen: set[str] = set()
    queue = [path]
    while queue and len(seen) < _HOPS:
        for near in _imports(project, queue.pop()):
            if near not in seen and near != path:
                seen.add(near)
                queue.append(near)
    return frozenset(seen)


@once
def _imports(project: Project, path: str) -> tuple[str, ...]:
    """The modules of the project that a module imports itself, or builds by settings."""
    module = project.modules.get(path)
    if module is None:
        return ()
    imported = project.index.imported(path)
    if not any(_BUILDS.search(c.name) for c in module.calls):
        return imported
    built = (project.index.resolve(name, path) for name in _configured(project))
    return tuple(dict.fromkeys([*imported, *(symbol.path for symbol in built if symbol)]))


def same_program(project: Project, one: str, other: str) -> bool:
    """Whether some program runs both modules; a notebook is a program of its own."""
    known = _programs(project)
    # A pipeline's file may train through its tool, without a module of its own.
    return one == other or bool(known.get(one, set()) & known.get(other, set()))


@once
def _programs(project: Project) -> dict[str, set[str]]:
    """The modules (tests left out) whose programs hold each module, by its path."""
    found: dict[str, set[str]] = {path: {path} for path in project.modules}
    for path in project.modules:
        if path not in project.test_files:
            for member in imports(project, path):
                found[member].add(path)
    return found
