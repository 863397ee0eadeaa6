"""Package metadata and declared dependencies: pyproject, setup.py, setup.cfg, Pipfile, pixi."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from mlops_audit.facts.inipos import load_ini
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.pytext import constants, dotted, literal_words, parse_python, text_of
from mlops_audit.facts.requirements import (
    PythonPin,
    Requirement,
    conda_requirement,
    normal_name,
    parse_requirement,
    python_pin,
    read_requirements,
)
from mlops_audit.facts.tomlpos import load_toml
from mlops_audit.facts.types import Unreadable
from mlops_audit.model import Span

__all__ = ["Manifest", "PackageMeta", "read_manifest"]

_EMPTY = Node("map", 1)
_DEV_GROUPS = frozenset({"dev", "test", "tests", "lint", "docs", "doc", "ci", "develop", "typing"})
_VERSION_TOOLS = ("hatch-vcs", "setuptools-scm", "setuptools_scm", "versioneer", "dunamai", "pdm")

Getter = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True)
class PackageMeta:
    """What a project says about itself as a package.

    `backend` is the build backend, `scripts` the console scripts (name, `module:function`),
    `packages` the packages or folders that it declares, `version_tool` what derives a dynamic
    version (`hatch-vcs`, `setuptools-scm`, ...).
    """

    path: str
    span: Span
    name: str = ""
    version: str = ""
    version_span: Span | None = None
    requires_python: str = ""
    requires_python_span: Span | None = None
    backend: str = ""
    backend_span: Span | None = None
    scripts: tuple[tuple[str, str], ...] = ()
    packages: tuple[str, ...] = ()
    license: str = ""
    authors: tuple[str, ...] = ()
    maintainers: tuple[str, ...] = ()
    version_tool: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one manifest declares."""

    package: PackageMeta | None = None
    requirements: tuple[Requirement, ...] = ()
    pythons: tuple[PythonPin, ...] = field(default=())


def read_manifest(data: bytes, path: str, get: Getter = lambda _: None) -> Manifest | Unreadable:
    """Read `pyproject.toml`, `pixi.toml`, `Pipfile`, `setup.cfg` or `setup.py`, by its name."""
    name = posixpath.basename(path)
    if name == "setup.py":
        return _setup_py(data, path, get)
    if name == "setup.cfg":
        root = load_ini(data, path)
        return root if isinstance(root, Unreadable) else _setup_cfg(root, path)
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


def _group(name: str, kind: str) -> str:
    return "dev" if name.lower() in _DEV_GROUPS else f"{kind}:{name}"


# -- pyproject.toml -----------------------------------------------------------------------------


def _pyproject(root: Node, path: str, get: Getter) -> Manifest:
    project = root.get("project") or _EMPTY
    tool = root.get("tool") or _EMPTY
    poetry = tool.get("poetry") or _EMPTY
    found = list(_listed(project.get("dependencies"), path, "runtime"))
    for name, node in (project.get("optional-dependencies") or _EMPTY).items():
        found += _listed(node, path, _group(name, "extra"))
    for name, node in (root.get("dependency-groups") or _EMPTY).items():
        found += _listed(node, path, _group(name, "group"))
    for name, node in (tool.get("pdm", "dev-dependencies") or _EMPTY).items():
        found += _listed(node, path, _group(name, "dev"))
    found += _listed(tool.get("uv", "dev-dependencies"), path, "dev")
    found += _listed(tool.get("rye", "dev-dependencies"), path, "dev")
    for name, node in (tool.get("hatch", "envs") or _EMPTY).items():
        for key in ("dependencies", "extra-dependencies"):
            found += _listed(node.get(key), path, f"env:{name}")
    found += _dynamic(tool, path, get)
    pythons: list[PythonPin] = []
    _poetry(poetry, path, found, pythons)
    if tool.get("pixi") is not None:
        requirements, pins = _pixi(tool.get("pixi") or _EMPTY, path)
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
    for name, node in (poetry.get("group") or _EMPTY).items():
        tables.append((_group(name, "group"), node.get("dependencies")))
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
    poetry = tool.get("poetry") or _EMPTY
    backend = root.get("build-system", "build-backend")
    if not project.entries and not poetry.entries and backend is None:
        return None
    base = project if project.entries else poetry
    version = base.get("version") or poetry.get("version")
    requires = (root.get("build-system", "requires") or _EMPTY).strings()
    dynamic = "version" in (project.get("dynamic") or _EMPTY).strings()
    tables = {"setuptools_scm": tool.get("setuptools_scm"), "hatch-vcs": None}
    tools = [t for t in _VERSION_TOOLS if any(t in r for r in requires)]
    tools += [k for k, v in tables.items() if v is not None]
    if "poetry-dynamic-versioning" in tool.entries:
        tools, dynamic = ["poetry-dynamic-versioning"], True
    required = project.get("requires-python") or poetry.get("dependencies", "python")
    scripts = [
        *(project.get("scripts") or _EMPTY).items(),
        *(poetry.get("scripts") or _EMPTY).items(),
    ]
    return PackageMeta(
        path=path,
        span=Span(path, base.line),
        name=base.str_at("name"),
        version=version.text if version is not None else "",
        version_span=Span(path, version.line) if version is not None else None,
        requires_python=required.text if required is not None else "",
        requires_python_span=Span(path, required.line) if required is not None else None,
        backend=backend.text if backend is not None else "",
        backend_span=Span(path, backend.line) if backend is not None else None,
        scripts=tuple((n, v.text) for n, v in scripts if v.kind == "scalar"),
        packages=_packages(tool, poetry),
        license=base.str_at("license") or base.str_at("license", "text")
        or base.str_at("license", "file"),
        authors=_people(base.get("authors")),
        maintainers=_people(base.get("maintainers")),
        version_tool=tools[0] if dynamic and tools else "",
    )  # fmt: skip


def _packages(tool: Node, poetry: Node) -> tuple[str, ...]:
    found: list[str] = []
    for part in (poetry.get("packages") or _EMPTY).many():
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
        node = tool.get(*keys)
        found += node.strings() if node is not None else ()
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
    places += [(_group(n, "feature"), node) for n, node in (root.get("feature") or _EMPTY).items()]
    for group, place in places:
        for key in ("dependencies", "pypi-dependencies"):
            for name, entry in (place.get(key) or _EMPTY).entries.items():
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
        for name, entry in (root.get(table) or _EMPTY).entries.items():
            found.append(_spec(name, entry.node, Span(path, entry.line), group))
    pythons: list[PythonPin] = []
    for key in ("python_full_version", "python_version"):
        node = root.get("requires", key)
        if node is not None:
            pythons.append(python_pin(node.text, Span(path, node.line), "pipfile"))
    return Manifest(None, tuple(found), tuple(pythons))


def _setup_cfg(root: Node, path: str) -> Manifest:
    metadata, options = root.get("metadata") or _EMPTY, root.get("options") or _EMPTY
    found: list[Requirement] = []

    def add(node: Node | None, group: str) -> None:
        for number, line in enumerate(
            node.text.split("\n") if node is not None else (), node.text_line if node else 1
        ):
            requirement = parse_requirement(line, Span(path, number), group)
            if requirement is not None:
                found.append(requirement)

    add(options.get("install_requires"), "runtime")
    for name, node in (root.get("options.extras_require") or _EMPTY).items():
        add(node, _group(name, "extra"))
    pythons: list[PythonPin] = []
    required = options.get("python_requires")
    if required is not None:
        pythons.append(python_pin(required.text, Span(path, required.line), "python_requires"))
    package = None
    if metadata.str_at("name"):
        version = metadata.get("version")
        entries = root.str_at("options.entry_points", "console_scripts").split("\n")
        pairs = [tuple(p.strip() for p in e.split("=", 1)) for e in entries if "=" in e]
        package = PackageMeta(
            path,
            Span(path, metadata.line),
            metadata.str_at("name"),
            version.text if version is not None else "",
            Span(path, version.line) if version is not None else None,
            required.text if required is not None else "",
            Span(path, required.line) if required is not None else None,
            "setuptools",
            Span(path, metadata.line),
            scripts=tuple((p[0], p[1]) for p in pairs),
            packages=tuple(options.str_at("packages").split()),
            license=metadata.str_at("license"),
            authors=tuple(a for a in (metadata.str_at("author"),) if a),
            maintainers=tuple(a for a in (metadata.str_at("maintainer"),) if a),
        )
    return Manifest(package, tuple(found), tuple(pythons))


def _setup_py(data: bytes, path: str, get: Getter) -> Manifest | Unreadable:
    tree = parse_python(data)
    if tree is None:
        return Unreadable(Span(path), "not valid Python")
    values = constants(tree)
    call = next(
        (
            n
            for n in ast.walk(tree)
            if isinstance(n, ast.Call) and dotted(n.func) in {"setup", "setuptools.setup"}
        ),
        None,
    )
    if call is None:
        return Manifest()
    words = {k.arg: k.value for k in call.keywords if k.arg}
    found: list[Requirement] = []
    for text, line in _texts(words.get("install_requires"), values):
        requirement = parse_requirement(text, Span(path, line))
        found += [requirement] if requirement is not None else []
    if "install_requires" in words and not found:
        found += _from_file(tree, path, get)
    extras = words.get("extras_require")
    extras = values.get(extras.id, extras) if isinstance(extras, ast.Name) else extras
    if isinstance(extras, ast.Dict):
        for key, value in zip(extras.keys, extras.values, strict=True):
            group = _group(text_of(key, values), "extra")
            for text, line in _texts(value, values):
                requirement = parse_requirement(text, Span(path, line), group)
                found += [requirement] if requirement is not None else []
    required = words.get("python_requires")
    pythons: list[PythonPin] = []
    if required is not None:
        span = Span(path, required.lineno)
        pythons.append(python_pin(text_of(required, values), span, "python_requires"))
    return Manifest(_setup_meta(call, words, values, path), tuple(found), tuple(pythons))


def _texts(node: ast.expr | None, values: dict[str, ast.expr]) -> list[tuple[str, int]]:
    """The texts of a list expression, with their lines."""
    if isinstance(node, ast.Name):
        node = values.get(node.id, node)
    if isinstance(node, (ast.List, ast.Tuple)):
        return [(w, e.lineno) for e in node.elts[:2_000] for w in literal_words([e], values)]
    if isinstance(node, ast.BinOp):
        return [*_texts(node.left, values), *_texts(node.right, values)] if _shallow(node) else []
    return []


def _shallow(node: ast.BinOp) -> bool:
    return sum(1 for _ in ast.walk(node)) < 5_000  # noqa: PLR2004 -- a bound on the work


def _from_file(tree: ast.Module, path: str, get: Getter) -> list[Requirement]:
    """Requirements that the set-up reads from a file it names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            name = node.value
            if re.fullmatch(r"[\w./-]*require\w*\.(?:txt|in)", name):
                place = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
                data = get(place)
                if data is not None:
                    return list(read_requirements(data, place, get, "runtime"))
    return []


def _setup_meta(
    call: ast.Call, words: dict[str, ast.expr], values: dict[str, ast.expr], path: str
) -> PackageMeta:
    def place(key: str) -> Span | None:
        return Span(path, words[key].lineno) if key in words else None

    def text(key: str) -> str:
        return text_of(words.get(key), values)

    scripts: list[tuple[str, str]] = []
    entries = words.get("entry_points")
    if isinstance(entries, ast.Dict):
        for key, value in zip(entries.keys, entries.values, strict=True):
            if text_of(key, values) == "console_scripts":
                for entry, _ in _texts(value, values):
                    name, _, target = entry.partition("=")
                    scripts.append((name.strip(), target.strip()))
    packages = words.get("packages")
    listed = [t for t, _ in _texts(packages, values)] if packages is not None else []
    if isinstance(packages, ast.Call):
        listed = ["find_packages:" + ",".join(literal_words(packages.args, values))]
    tool = "setuptools-scm" if "use_scm_version" in words else ""
    return PackageMeta(
        path,
        Span(path, call.lineno),
        text("name"),
        text("version"),
        place("version"),
        text("python_requires"),
        place("python_requires"),
        "setuptools",
        Span(path, call.lineno),
        tuple(scripts),
        tuple(listed),
        text("license"),
        tuple(a for a in (text("author"),) if a),
        tuple(a for a in (text("maintainer"),) if a),
        tool,
    )
