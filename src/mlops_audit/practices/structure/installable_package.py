"""STR02: the source can be installed as a package."""

from __future__ import annotations

from posixpath import dirname

from mlops_audit.facts.dependencies import PackageMeta
from mlops_audit.graph import Project
from mlops_audit.graph.sourcelines import line_span
from mlops_audit.model import Evidence, Span, Verdict, failed, hollow, partial, passed, unknown
from mlops_audit.practices.base import practice
from mlops_audit.practices.structure._packages import by_path, found_packages

_SETUP = 60  # lines of what a setup is given
_LOOKED_FOR = "pyproject.toml or setup.py with a build backend, and a package that it finds"


@practice(
    id="STR02",
    title="The source is an installable package",
    assets="code",
    level="2s, 4M~",
    sources="S1 S4",
    fix="Move the modules to src/<package>/ and add [build-system] to pyproject.toml.",
    template=("pyproject.toml", "src/<package>/__init__.py"),
)
def installable_package(project: Project) -> Verdict:
    """Look for packages that a build would find."""
    metas = [m for m in project.dependencies.packages if not project.is_test(m.path)]
    empty: list[PackageMeta] = []
    built = {dirname(m.path) for m in metas if m.backend and not _of_setuptools(m)}
    for meta in sorted(metas, key=lambda m: (project.is_example(m.path), m.path.count("/"))):
        setup = meta.path.endswith(("setup.py", "setup.cfg"))
        # Beside a pyproject.toml that names another backend, no installer runs a setup.
        if not (meta.backend or setup) or (setup and dirname(meta.path) in built):
            continue
        packages = found_packages(project, meta)
        if packages:
            shown = [Evidence(meta.backend_span or meta.span, f"build backend {meta.backend}")]
            shown += [Evidence(Span(_first(project, p)), f"package {p}") for p in packages[:3]]
            return passed(f"A build by {meta.path} finds {', '.join(packages[:3])}.", shown)
        empty.append(meta)
    imported = by_path(project)
    if imported:
        said = (
            f"A build by {empty[0].path} finds no package" if empty else "No build backend packs it"
        )
        places = [_empty(project, m) for m in empty[:2]]
        return partial(
            f"{said}; modules in folders are imported by path.", [*imported[:3], *places]
        )
    if empty and _modules(project):
        where = [_empty(project, m) for m in empty[:3]]
        return partial(f"A build by {empty[0].path} finds no package.", where)
    if empty:
        where = [_empty(project, m) for m in empty[:3]]
        said = f"A build by {empty[0].path} has nothing to install."
        return hollow(said, where, looked_for=_LOOKED_FOR)
    broken = [u for u in project.dependencies.unreadable if _is_setup(u.span.path)]
    if broken:
        where = [Evidence(u.span, u.reason) for u in broken]
        return unknown(f"The file {broken[0].span.path} could not be understood.", where)
    return failed("There are scripts or notebooks only, no package.", looked_for=_LOOKED_FOR)


def _of_setuptools(meta: PackageMeta) -> bool:
    return "setuptools" in meta.backend or not meta.path.endswith("pyproject.toml")


def _empty(project: Project, meta: PackageMeta) -> Evidence:
    """The line of a setup that says which packages there are, if any does."""
    last = (meta.span.line or 1) + _SETUP
    place = line_span(project, meta.span, r"\bpackages\b|py_modules", last)
    return Evidence(place, "finds no package with code")


def _is_setup(path: str) -> bool:
    return path.rsplit("/", 1)[-1] in {"pyproject.toml", "setup.py", "setup.cfg"}


def _first(project: Project, place: str) -> str:
    if place in project.modules:
        return place
    start = f"{place}/__init__.py"
    if project.has(start):
        return start
    return next(p for p in project.modules if p.startswith(f"{place}/"))


def _modules(project: Project) -> bool:
    return any(not m.path.endswith("setup.py") and m.functions for m in project.source)
