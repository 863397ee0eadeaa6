"""What a package says of itself, and setuptools' own files of it: setup.py is never run."""

from __future__ import annotations

import ast
import posixpath
import re

from msgspec import Struct, field

from mlops_audit.facts.nodes import EMPTY, Node
from mlops_audit.facts.pytext import constants, dotted, literal_words, parse_python, text_of
from mlops_audit.facts.requirements import (
    PythonPin,
    Requirement,
    parse_requirement,
    python_pin,
    read_requirements,
)
from mlops_audit.facts.types import Getter, Unreadable
from mlops_audit.model import Span

__all__ = [
    "Manifest",
    "PackageMeta",
    "group_of",
    "read_setup_cfg",
    "read_setup_py",
]

_DEV_GROUPS = frozenset({"dev", "test", "tests", "lint", "docs", "doc", "ci", "develop", "typing"})


class PackageMeta(Struct, frozen=True):
    """What a project says about itself as a package.

    `backend` is the build backend, `scripts` the console scripts (name, `module:function`),
    `packages` the packages or folders that it declares.
    """

    path: str
    span: Span
    name: str = ""
    version: str = ""
    backend: str = ""
    backend_span: Span | None = None
    scripts: tuple[tuple[str, str], ...] = ()
    packages: tuple[str, ...] = ()
    license: str = ""
    authors: tuple[str, ...] = ()
    maintainers: tuple[str, ...] = ()


class Manifest(Struct, frozen=True):
    """What one manifest declares."""

    package: PackageMeta | None = None
    requirements: tuple[Requirement, ...] = ()
    pythons: tuple[PythonPin, ...] = field(default=())


def group_of(name: str, kind: str) -> str:
    """The group of requirements that a name of an extra or environment means."""
    return "dev" if name.lower() in _DEV_GROUPS else f"{kind}:{name}"


def read_setup_cfg(root: Node, path: str) -> Manifest:
    """Read `setup.cfg`."""
    metadata, options = root.get("metadata") or EMPTY, root.get("options") or EMPTY
    found: list[Requirement] = []

    def add(node: Node | None, group: str) -> None:
        for number, line in enumerate(
            node.text.split("\n") if node is not None else (), node.text_line if node else 1
        ):
            requirement = parse_requirement(line, Span(path, number), group)
            if requirement is not None:
                found.append(requirement)

    add(options.get("install_requires"), "runtime")
    for name, node in (root.get("options.extras_require") or EMPTY).items():
        add(node, group_of(name, "extra"))
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
            "setuptools",
            Span(path, metadata.line),
            scripts=tuple((p[0], p[1]) for p in pairs),
            packages=tuple(options.str_at("packages").split()),
            license=metadata.str_at("license"),
            authors=tuple(a for a in (metadata.str_at("author"),) if a),
            maintainers=tuple(a for a in (metadata.str_at("maintainer"),) if a),
        )
    return Manifest(package, tuple(found), tuple(pythons))


def read_setup_py(data: bytes, path: str, get: Getter) -> Manifest | Unreadable:
    """Read the call of `setup` in `setup.py`, without running it."""
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
            group = group_of(text_of(key, values), "extra")
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
    return PackageMeta(
        path,
        Span(path, call.lineno),
        text("name"),
        text("version"),
        "setuptools",
        Span(path, call.lineno),
        tuple(scripts),
        tuple(listed),
        text("license"),
        tuple(a for a in (text("author"),) if a),
        tuple(a for a in (text("maintainer"),) if a),
    )
