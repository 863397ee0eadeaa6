"""Package metadata and declared dependencies: pyproject, setup.py, setup.cfg, Pipfile, pixi."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from mlops_audit.facts.inipos import load_ini
from mlops_audit.facts.nodes import EMPTY, Node
from mlops_audit.facts.requirements import (
    PythonPin,
    Requirement,
    conda_requirement,
    normal_name,
    parse_requirement,
    python_pin,
    read_requirements,
)
from mlops_audit.facts.setupfiles import (
    Manifest,
    PackageMeta,
    group_of,
    read_setup_cfg,
    read_setup_py,
)
from mlops_audit.facts.tomlpos import load_toml
from mlops_audit.facts.types import Getter, Unreadable
from mlops_audit.model import Span

__all__ = ["read_manifest"]


def read_manifest(data: bytes, path: str, get: Getter = lambda _: None) -> Manifest | Unreadable:
    """Read `pyproject.toml`, `pixi.toml`, `Pipfile`, `setup.cfg` or `setup.py`, by its name."""
    name = posixpath.basename(path)
    if name == "setup.py":
        return read_setup_py(data, path, get)
    if name == "setup.cfg":
        root = load_ini(data, path)
        return root if isinstance(root, Unreadable) else read_setup_cfg(root, path)
    root = load_toml(data, path)
    if isinstance(root, Unreadable):
        return root
    if name == "Pipfile":
        return _pipfile(root, path)
    if name == "pixi.toml":
        return Manifest(None, *_pixi(root, path))
    return _pyproject(root, path, get)


def _listed(node: Node | None, path: str, group: str) -> Iterator[Requirement]:
    for part in node.many() if node is not None else ():
        if part.kind == "scalar":
            found = parse_requirement(part.text, Span(path, part.line), group)
            if found is not None:
                yield found


# -- pyproject.toml -----------------------------------------------------------------------------


def _pyproject(root: Node, path: str, get: Getter) -> Manifest:
    project = root.get("project") or EMPTY
    tool = root.get("tool") or EMPTY
    poetry = tool.get("poetry") or EMPTY
    found = list(_listed(project.get("dependencies"), path, "runtime"))
    for name, node in (project.get("optional-dependencies") or EMPTY).items():
        found += _listed(node, path, group_of(name, "extra"))
    for name, node in (root.get("dependency-groups") or EMPTY).items():
        found += _listed(node, path, group_of(name, "group"))
    for name, node in (tool.get("pdm", "dev-dependencies") or EMPTY).items():
        found += _listed(node, path, group_of(name, "dev"))
    found += _listed(tool.get("uv", "dev-dependencies"), path, "dev")
    found += _listed(tool.get("rye", "dev-dependencies"), path, "dev")
    for name, node in (tool.get("hatch", "envs") or EMPTY).items():
        for key in ("dependencies", "extra-dependencies"):
            found += _listed(node.get(key), path, f"env:{name}")
    found += _dynamic(tool, path, get)
    pythons: list[PythonPin] = []
    _poetry(poetry, path, found, pythons)
    if tool.get("pixi") is not None:
        requirements, pins = _pixi(tool.get("pixi") or EMPTY, path)
        found += requirements
        pythons += pins
    required = project.get("requires-python")
    if required is not None:
        pythons.append(python_pin(required.text, Span(path, required.line), "requires-python"))
    return Manifest(_meta(root, project, tool, path), tuple(found), tuple(pythons))


def _dynamic(tool: Node, path: str, get: Getter) -> list[Requirement]:
    """Setuptools' `dependencies = {file = ["requirements.txt"]}`."""
    node = tool.get("setuptools", "dynamic", "dependencies", "file")
    found: list[Requirement] = []
    for part in node.many() if node is not None else ():
        place = posixpath.normpath(posixpath.join(posixpath.dirname(path), part.text))
        data = get(place)
        if data is not None:
            found += read_requirements(data, place, get, "runtime")
    return found


def _poetry(poetry: Node, path: str, found: list[Requirement], pythons: list[PythonPin]) -> None:
    tables = [("runtime", poetry.get("dependencies")), ("dev", poetry.get("dev-dependencies"))]
    for name, node in (poetry.get("group") or EMPTY).items():
        tables.append((group_of(name, "group"), node.get("dependencies")))
    for group, table in tables:
        for name, entry in table.entries.items() if table is not None else ():
            if name == "python":
                text = entry.node.text or entry.node.str_at("version")
                pythons.append(python_pin(text, Span(path, entry.line), "poetry"))
            else:
                found.append(_spec(name, entry.node, Span(path, entry.line), group))


def _spec(name: str, node: Node, span: Span, group: str) -> Requirement:
    """A dependency of Poetry's, Pipenv's or pixi's tables."""
    node = node.list()[0] if node.kind == "list" and node.list() else node
    text = node.text if node.kind == "scalar" else node.str_at("version")
    raw = f"{name} {text}".strip()
    pin, version = "range", ""
    if node.get("git") is not None:
        pin = "commit" if node.str_at("rev") or node.str_at("ref") else "url"
        raw = f"{name} {node.str_at('git')}"
    elif any(node.get(k) is not None for k in ("path", "url", "file")):
        pin = "url"
    elif text in {"", "*"}:
        pin = "bare"
    elif re.fullmatch(r"={0,3}\s*\d[\w.!+]*", text):
        pin, version = "exact", text.lstrip("= ")
    return Requirement(normal_name(name), raw, pin, version, span, group, span.path)


def _meta(root: Node, project: Node, tool: Node, path: str) -> PackageMeta | None:
    poetry = tool.get("poetry") or EMPTY
    backend = root.get("build-system", "build-backend")
    if not project.entries and not poetry.entries and backend is None:
        return None
    base = project if project.entries else poetry
    version = base.get("version") or poetry.get("version")
    scripts = [
        *(project.get("scripts") or EMPTY).items(),
        *(poetry.get("scripts") or EMPTY).items(),
    ]
    return PackageMeta(
        path=path,
        span=Span(path, base.line),
        name=base.str_at("name"),
        version=version.text if version is not None else "",
        backend=backend.text if backend is not None else "",
        backend_span=Span(path, backend.line) if backend is not None else None,
        scripts=tuple((n, v.text) for n, v in scripts if v.kind == "scalar"),
        packages=_packages(tool, poetry),
        license=base.str_at("license") or base.str_at("license", "text")
        or base.str_at("license", "file"),
        authors=_people(base.get("authors")),
        maintainers=_people(base.get("maintainers")),
    )  # fmt: skip


def _packages(tool: Node, poetry: Node) -> tuple[str, ...]:
    found: list[str] = []
    for part in (poetry.get("packages") or EMPTY).many():
        place = posixpath.join(part.str_at("from"), part.str_at("include"))
        found.append(place)
    for keys in (
        ("hatch", "build", "targets", "wheel", "packages"),
        ("setuptools", "packages"),
        ("setuptools", "packages", "find", "where"),
        ("setuptools", "py-modules"),
        ("flit", "module", "name"),
        ("uv", "build-backend", "module-name"),
    ):
        found += tool.strings_at(*keys)
    return tuple(f for f in found if f)


def _people(node: Node | None) -> tuple[str, ...]:
    if node is None:
        return ()
    return tuple(
        n.text if n.kind == "scalar" else f"{n.str_at('name')} <{n.str_at('email')}>".strip()
        for n in node.many()
    )


# -- other formats ------------------------------------------------------------------------------


def _pixi(root: Node, path: str) -> tuple[tuple[Requirement, ...], tuple[PythonPin, ...]]:
    found: list[Requirement] = []
    pythons: list[PythonPin] = []
    places = [("runtime", root)]
    places += [(group_of(n, "feature"), node) for n, node in (root.get("feature") or EMPTY).items()]
    for group, place in places:
        for key in ("dependencies", "pypi-dependencies"):
            for name, entry in (place.get(key) or EMPTY).entries.items():
                span = Span(path, entry.line)
                if name == "python":
                    pythons.append(python_pin(entry.node.text, span, "pixi"))
                elif key == "dependencies" and entry.node.kind == "scalar":
                    text = entry.node.text
                    text = name if text == "*" else f"{name} {text}"
                    requirement = conda_requirement(text, span, group)
                    found += [requirement] if requirement is not None else []
                else:
                    found.append(_spec(name, entry.node, span, group))
    return tuple(found), tuple(pythons)


def _pipfile(root: Node, path: str) -> Manifest:
    found: list[Requirement] = []
    for table, group in (("packages", "runtime"), ("dev-packages", "dev")):
        for name, entry in (root.get(table) or EMPTY).entries.items():
            found.append(_spec(name, entry.node, Span(path, entry.line), group))
    pythons: list[PythonPin] = []
    for key in ("python_full_version", "python_version"):
        node = root.get("requires", key)
        if node is not None:
            pythons.append(python_pin(node.text, Span(path, node.line), "pipfile"))
    return Manifest(None, tuple(found), tuple(pythons))
