"""DVC's templates: `vars`, `${…}`, `foreach` and `matrix`, and parameter files as values."""

from __future__ import annotations

import ast
import itertools
import posixpath
import re
from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from mlops_audit.facts.jsonpos import load_json
from mlops_audit.facts.nodes import Node, Plain
from mlops_audit.facts.pytext import parse_python
from mlops_audit.facts.tomlpos import load_toml
from mlops_audit.facts.types import Getter, Unreadable
from mlops_audit.facts.yamlpos import load_yaml
from mlops_audit.regex import regex

__all__ = ["Scope", "expansions", "load_params", "look_up"]

_MAX_ROUNDS = 500
_INTERPOLATION = regex(r"\\?\$\{([^{}]{1,300})\}")
_STEP = regex(r"[^.\[\]]+")


def load_params(data: bytes, path: str) -> Plain | Unreadable:
    """The values of a parameter file: YAML, JSON, TOML or Python by its suffix."""
    suffix = posixpath.splitext(path)[1].lower()
    if suffix == ".py":
        return _python_values(data)
    loader = {".json": load_json, ".toml": load_toml}.get(suffix, load_yaml)
    node = loader(data, path)
    return node if isinstance(node, Unreadable) else node.plain()


def _python_values(data: bytes) -> dict[str, Plain]:
    """Constants of a Python module, and of its classes as maps."""
    tree = parse_python(data)
    return _constants(tree.body, 0) if tree is not None else {}


def _constants(body: list[ast.stmt], depth: int) -> dict[str, Plain]:
    found: dict[str, Plain] = {}
    for statement in body:
        if isinstance(statement, ast.ClassDef) and depth < 5:  # noqa: PLR2004 -- a bound
            found[statement.name] = _constants(statement.body, depth + 1)
            continue
        value = getattr(statement, "value", None)
        if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or value is None:
            continue
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        try:
            literal = ast.literal_eval(value)
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            continue
        for target in targets:
            if isinstance(target, ast.Name):
                found[target.id] = _plain(literal)
    return found


def _plain(value: object, depth: int = 0) -> Plain:
    if isinstance(value, dict) and depth < 20:  # noqa: PLR2004 -- a bound
        return {str(k): _plain(v, depth + 1) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)) and depth < 20:  # noqa: PLR2004
        return [_plain(v, depth + 1) for v in value]
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)


def look_up(values: Plain, key: str) -> tuple[Plain, bool]:
    """The value below a dotted key (`a.b[0].c`), and whether there is one."""
    if isinstance(values, dict) and key in values:
        return values[key], True
    for step in _STEP.findall(key):
        if isinstance(values, dict) and step in values:
            values = values[step]
        elif isinstance(values, list) and step.isdigit() and int(step) < len(values):
            values = values[int(step)]
        else:
            return None, False
    return values, True


class Scope(Struct, frozen=True):
    """The values that `${…}` can name."""

    values: Mapping[str, Plain] = field(default_factory=dict)

    @classmethod
    def of_file(cls, node: Node | None, folder: str, get: Getter) -> Scope:
        """The scope of a dvc.yaml: params.yaml beside it, and its `vars`."""
        values: dict[str, Plain] = {}
        default = get(posixpath.join(folder, "params.yaml"))
        if default is not None:
            loaded = load_params(default, "params.yaml")
            values.update(loaded if isinstance(loaded, dict) else {})
        return cls(values).extended(node, folder, get)

    def extended(self, node: Node | None, folder: str, get: Getter) -> Scope:
        """The scope with further `vars`: maps, files, or `file:key,key`."""
        if node is None:
            return self
        values = dict(self.values)
        for part in node.many():
            if part.kind == "map":
                plain = part.plain()
                values.update(plain if isinstance(plain, dict) else {})
                continue
            name, _, keys = part.text.partition(":")
            data = get(posixpath.normpath(posixpath.join(folder, name)))
            loaded = load_params(data, name) if data is not None else None
            if isinstance(loaded, dict):
                wanted = [k.strip() for k in keys.split(",") if k.strip()] or list(loaded)
                values.update({k: loaded[k] for k in wanted if k in loaded})
        return Scope(values)

    def fill(self, text: str, *, command: bool = False) -> str:
        """Replace `${…}`; in a command a map becomes options (`--a 1 --b 2`)."""

        def known(found: re.Match[str]) -> str:
            if found[0].startswith("\\"):
                return found[0][1:]
            value, there = look_up(dict(self.values), found[1].strip())
            if not there:
                return found[0]
            return _options(value, "") if command and isinstance(value, dict) else _text(value)

        return _INTERPOLATION.sub(known, text) if "${" in text else text

    def value(self, text: str) -> Plain:
        """What a text names when it is one `${…}` as a whole, else the text filled in."""
        whole = re.fullmatch(r"\s*\$\{([^{}]{1,300})\}\s*", text)
        if whole:
            value, there = look_up(dict(self.values), whole[1].strip())
            if there:
                return value
        return self.fill(text)


def _text(value: Plain) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return " ".join(_text(v) for v in value[:_MAX_ROUNDS])
    return str(value)


def _options(values: Mapping[str, Plain], prefix: str, depth: int = 0) -> str:
    found: list[str] = []
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and depth < 8:  # noqa: PLR2004 -- a bound
            found.append(_options(value, f"{name}.", depth + 1))
        elif value is True:
            found.append(f"--{name}")
        elif value not in (False, None):
            found.append(f"--{name} {_text(value)}")
    return " ".join(found)


def _resolved(node: Node, scope: Scope) -> Plain:
    if node.kind == "scalar":
        return scope.value(node.text) if "${" in node.text else node.value
    if node.kind == "list":
        return [_resolved(n, scope) for n in node.list()]
    return {k: _resolved(n, scope) for k, n in node.items()} if node.kind == "map" else None


def expansions(name: str, node: Node, scope: Scope) -> Iterator[tuple[str, Node, Scope]]:
    """The stages that a `foreach` or `matrix` stands for, or the stage itself.

    Yields:
        Full name (`train@us`), body and the scope with `item` and `key`.
    """
    if node.get("foreach") is not None:
        body = node.get("do") or Node("map", node.line)
        items = _resolved(node.get("foreach") or node, scope)
        pairs: list[tuple[str, Plain]] = []
        if isinstance(items, dict):
            pairs = list(items.items())
        elif isinstance(items, list):
            nested = any(isinstance(i, (dict, list)) for i in items)
            pairs = [(str(k) if nested else _text(i), i) for k, i in enumerate(items)]
        for key, item in pairs[:_MAX_ROUNDS]:
            yield f"{name}@{key}", body, Scope({**scope.values, "item": item, "key": key})
        return
    matrix = node.get("matrix")
    if matrix is None:
        yield name, node, scope
        return
    axes: list[list[tuple[str, str, Plain]]] = []
    for axis, values in matrix.items():
        options = _resolved(values, scope)
        listed = options if isinstance(options, list) else [options]
        axes.append(
            [
                (axis, f"{axis}{k}" if isinstance(v, (dict, list)) else _text(v), v)
                for k, v in enumerate(listed)
            ]
        )
    for chosen in itertools.islice(itertools.product(*axes), _MAX_ROUNDS):
        cell: dict[str, Plain] = {axis: value for axis, _, value in chosen}
        key = "-".join(label for _, label, _ in chosen)
        yield f"{name}@{key}", node, Scope({**scope.values, "item": cell, "key": key})
