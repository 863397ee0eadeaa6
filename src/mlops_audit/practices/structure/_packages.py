"""Which packages a build would put into a distribution of the project."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from mlops_audit.facts.dependencies import PackageMeta
from mlops_audit.graph import Project
from mlops_audit.model import Evidence, Span

__all__ = ["by_path", "found_packages"]

# Folders that setuptools' discovery passes over, and that hold no package anyhow.
_RESERVED = frozenset(
    [
        "ci",
        "bin",
        "debian",
        "doc",
        "docs",
        "documentation",
        "manpages",
        "news",
        "newsfragments",
        "changelog",
        "test",
        "tests",
        "example",
        "examples",
        "scripts",
        "tools",
        "util",
        "utils",
        "python",
        "build",
        "benchmark",
        "benchmarks",
        "exercise",
        "exercises",
        "htmlcov",
        "env",
        "venv",
        "notebooks",
        "data",
        "requirements",
        "tasks",
        "fabfile",
        "site_scons",
    ]
)
_BY_NAME = ("poetry", "hatchling", "flit", "uv_build", "maturin", "mesonpy", "scikit_build")


def found_packages(project: Project, meta: PackageMeta) -> tuple[str, ...]:
    """The folders (or single modules) with code that the package's build finds, sorted."""
    base = posixpath.dirname(meta.path)
    if meta.packages and not meta.packages[0].startswith("find_packages"):
        places = _declared(project, meta, base)
    elif meta.path.endswith(("setup.py", "setup.cfg")) or meta.packages or _finds(project, meta):
        places = _discovered(project, meta, base)
    elif any(b in meta.backend for b in _BY_NAME):
        places = _named(project, meta, base)
    else:
        places = _layout(project, base)
    return tuple(sorted({p for p in places if _has_code(project, p)}))


def _finds(project: Project, meta: PackageMeta) -> bool:
    """Whether the build looks for packages by itself, in whatever folder they are."""
    return "packages.find" in (project.text(meta.path) or "") or "pdm" in meta.backend


def _has_code(project: Project, place: str) -> bool:
    """Whether a module or folder holds anything beyond empty files."""
    if place.endswith(".py"):
        return place in project.modules
    return any(
        m.path.startswith(f"{place}/") and (m.functions or m.classes or m.calls or m.assigns)
        for m in project.modules.values()
        if not m.notebook
    )


def _declared(project: Project, meta: PackageMeta, base: str) -> Iterator[str]:
    for name in meta.packages:
        plain = name.strip("'\"").rstrip("/*").removeprefix("./")
        if plain in {".", "find:", "find_namespace:"} or plain.startswith("find"):
            yield from _discovered(project, meta, base)
            continue
        for start in ("", "src", "lib", "python"):
            for form in (plain, plain.replace(".", "/")):
                place = posixpath.normpath(posixpath.join(base, start, form))
                if f"{place}.py" in project.modules:
                    yield f"{place}.py"
                if place != "." and _is_folder(project, place):
                    # `where = ["src"]` names the folder above the packages.
                    inner = list(_children(project, place))
                    yield from inner if plain in {"src", "lib", "python"} and inner else [place]


def _is_folder(project: Project, place: str) -> bool:
    return place in project.places.folders


def _children(project: Project, base: str) -> Iterator[str]:
    """The packages directly in a folder."""
    inside = f"{base}/" if base else ""
    for path in project.paths:
        if path.startswith(inside) and path.endswith("/__init__.py"):
            rest = path.removeprefix(inside)
            if rest.count("/") == 1:
                yield f"{inside}{rest.split('/')[0]}"


def _discovered(project: Project, meta: PackageMeta, base: str) -> Iterator[str]:
    """What `find_packages()` finds: folders with an `__init__.py`."""
    text = project.text(meta.path) or ""
    starts = re.findall(
        r"(?:where|package_dir|find_packages\()\s*[=(]?\s*\{?[^\n\"']{0,20}[\"']([\w./]{0,60})",
        text,
    )
    # `find_packages(where="src")` looks there and nowhere else.
    only = re.findall(
        r"find_(?:namespace_)?packages\(\s*(?:where\s*=\s*)?[\"']([\w./]{1,60})", text
    )
    places = only or ("", *starts, "src")
    tried = [posixpath.normpath(posixpath.join(base, s)) for s in places]
    # A build that is run from the root counts its folders from there.
    tried += [s for s, t in zip(places, tried, strict=True) if base and s and s.startswith(base)]
    for place in dict.fromkeys("" if t == "." else t for t in tried):
        for child in _children(project, place):
            if child.rsplit("/", 1)[-1] not in {"tests", "test", "docs", "examples"}:
                yield child
    if "namespace" in text:
        for place in dict.fromkeys(
            posixpath.normpath(posixpath.join(base, s)) for s in (*starts, "src")
        ):
            if place != "." and _is_folder(project, place):
                yield place
    for name in re.findall(r"py_modules\s*=\s*\[?\s*([^\]\n]{1,200})", text):
        for word in re.findall(r"[\"']([\w.]{1,60})[\"']", name):
            yield posixpath.join(base, f"{word.replace('.', '/')}.py")


def _named(project: Project, meta: PackageMeta, base: str) -> Iterator[str]:
    """Backends that look for a package of the project's own name."""
    name = re.sub(r"[-.\s]+", "_", meta.name)
    for start in ("", "src", "python"):
        for form in dict.fromkeys((name, name.lower())):
            place = posixpath.normpath(posixpath.join(base, start, form))
            if f"{place}.py" in project.modules:
                yield f"{place}.py"
            if _is_folder(project, place):
                yield place


def _layout(project: Project, base: str) -> Iterator[str]:
    """Setuptools' automatic discovery: the `src` layout, or one package in the root."""
    source = posixpath.join(base, "src")
    inside = f"{base}/" if base else ""
    if _is_folder(project, source):
        children = {
            f"{source}/{p.removeprefix(f'{source}/').split('/')[0]}"
            for p in project.modules
            if p.startswith(f"{source}/") and p.endswith(".py")
        }
        yield from sorted(children)
        if children:
            return
    flat = {
        p.removeprefix(inside).split("/")[0]
        for p in project.modules
        if p.startswith(inside) and p.removeprefix(inside).count("/") and p.endswith(".py")
    }
    every = {
        p.removeprefix(inside).split("/")[0]
        for p in project.paths
        if p.startswith(inside) and p.removeprefix(inside).count("/")
    }
    every = {f for f in every if f.isidentifier() and f not in _RESERVED}
    flat = {f for f in flat if f in every}
    # Setuptools refuses to guess between several folders in the root.
    if len(every) == 1 and flat:
        yield f"{inside}{flat.pop()}"


def by_path(project: Project) -> list[Evidence]:
    """Modules in a folder that others import from where they happen to run."""
    found = []
    beside = set()
    for path, module in project.modules.items():
        # What another folder imports shows it more plainly than what stands beside it.
        for item in sorted(module.imports, key=lambda i: i.module.startswith(".")):
            symbol = project.index.resolve(item.dotted, path) or project.index.resolve(
                item.module, path
            )
            if (
                symbol
                and symbol.path != path
                and "/" in symbol.path
                and symbol.path not in project.test_files
            ):
                relative = item.module.startswith(".")
                detail = f"imports {symbol.path} by {'its place' if relative else 'path'}"
                beside |= {path} if relative else set()
                found.append(Evidence(Span(path, item.span.line, item.span.cell), detail))
                break
    return sorted(
        found, key=lambda e: (e.span.path in beside, project.is_test(e.span.path), e.span.path)
    )
