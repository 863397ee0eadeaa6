"""Values that stand in settings files, and whether a switch is on by what the repository tracks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_audit.facts.code import Call, Module, Value
from mlops_audit.facts.jsonpos import load_json
from mlops_audit.facts.nodes import Node, Scalar, resolve
from mlops_audit.facts.tomlpos import load_toml
from mlops_audit.facts.types import Unreadable
from mlops_audit.facts.yamlpos import load_yaml
from mlops_audit.graph.memo import once
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["Setting", "Switch", "is_set", "setting", "settings", "spread_settings", "switch"]

_MAX_BYTES = 200_000  # a settings file is small; larger ones are data
_MAX_FILES = 600
_FILE = regex(r"\.(ya?ml|json|toml)$|(^|/)\.env[\w.\-]*$|\.env$", re.IGNORECASE)
# Answers to a template's questions say what was generated; no program reads them.
_NOT_SETTINGS = regex(
    r"(^|/)(\.github|\.gitlab|\.circleci|\.vscode|\.idea|node_modules|mlruns|tests?|data|outputs?|"
    r"locales?|i18n)/|(^|/)(package(-lock)?|tsconfig|composer|manifest|metrics|scores?|results?|"
    r"mkdocs|codecov|dvc|\.pre-commit-config|environment|conda\w*|"
    r"\.copier-answers[\w\-.]*|\.cruft|cookiecutter)\.\w+$|\.lock$",
    re.IGNORECASE,
)
# `X is not None`, `bool(X)`: on where the variable behind X is set.
_BEING_SET = regex(
    r"^(?:bool\()?(\w+|os\.(?:getenv|environ\.get)\([^(),]{1,80}\))(?: is not None|\))$"
)
_LOOKUP = regex(r"""^os\.(?:getenv|environ\.get)\(\s*["'](\w+)["']\s*\)""")
_SETS = regex(
    r"\.(ya?ml|json|toml|sh|bash|tf|cfg|ini)$|(^|/)(\.?env[\w.\-]*|Dockerfile[\w.\-]*|Makefile|"
    r"Jenkinsfile|[^/]*\.env)$",
    re.IGNORECASE,
)
_LETTER = 2  # characters of an option of one letter: `-x`
_OFF = frozenset({"", "none", "null", "false", "off", "no", "0", "disabled", "disable", "offline"})


class Setting(Struct, frozen=True):
    """One value of a settings file; `key` holds the keys on the way, joined by dots."""

    key: str
    value: Scalar
    span: Span

    @property
    def name(self) -> str:
        """The last key."""
        return self.key.rsplit(".", 1)[-1]

    def evidence(self) -> Evidence:
        """The setting as evidence."""
        return Evidence(self.span, f"{self.name}: {self.value}")


def spread_settings(project: Project, module: Module, call: Call) -> dict[str, object]:
    """What `**cfg.logging.wandb` hands over, where settings files hold a group of that name.

    A key to which two files give different values has none that is known.
    """
    found: dict[str, object] = {}
    for value in call.spreads:
        text = value.text
        for assign in module.assigns if text.isidentifier() else ():
            if text in assign.targets and assign.scope == call.scope:
                text = assign.value.text
        group = re.fullmatch(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+", text)
        for item in _grouped(project).get(text.rpartition(".")[2], ()) if group else ():
            known = found.setdefault(item.name, item.value) == item.value
            found[item.name] = item.value if known else None
    return found


@once
def _grouped(project: Project) -> dict[str, list[Setting]]:
    """Settings by the name of the group that holds them: the key above, else the file."""
    found: dict[str, list[Setting]] = {}
    for item in settings(project):
        above = item.key.rpartition(".")[0].rpartition(".")[2]
        folder, _, name = item.span.path.rpartition("/")
        names = {above} if above else {name.partition(".")[0], folder.rpartition("/")[2]}
        for group in sorted(names - {""}):
            found.setdefault(group, []).append(item)
    return found


def is_on(value: Scalar) -> bool:
    """Whether a value switches something on."""
    if isinstance(value, str):
        return value.strip().lower() not in _OFF
    return bool(value)


@once
def settings(project: Project) -> tuple[Setting, ...]:
    """All scalar values of the project's settings files, in the order of paths and lines."""
    found: list[Setting] = []
    paths = [p for p in project.paths if _FILE.search(p) and not _NOT_SETTINGS.search(p)]
    for path in paths[:_MAX_FILES]:
        if (project.entry(path).size or 0) <= _MAX_BYTES:
            found.extend(_read(path, project.data(path)))
    return tuple(found)


def _read(path: str, data: bytes | None) -> Iterator[Setting]:
    if data is None:
        return
    if ".env" in path.rsplit("/", 1)[-1]:
        yield from _variables(path, data.decode("utf-8", "replace"))
        return
    suffix = path.rsplit(".", 1)[-1].lower()
    loader = {"json": load_json, "toml": load_toml}.get(suffix, load_yaml)
    root = loader(data, path)
    if not isinstance(root, Unreadable):
        yield from _scalars(root, path)


def _variables(path: str, text: str) -> Iterator[Setting]:
    for number, line in enumerate(text.splitlines(), 1):
        name, found, value = line.removeprefix("export ").partition("=")
        if found and not line.lstrip().startswith("#"):
            bare = value.strip().strip("\"'")
            yield Setting(name.strip(), resolve(bare) if bare else "", Span(path, number))


def _scalars(root: Node, path: str) -> Iterator[Setting]:
    """The scalars below `root`; members of a list have the list's key."""
    stack = [("", root, root.line)]
    while stack:
        key, node, line = stack.pop()
        if node.kind == "map":
            below = [(f"{key}.{e.key}".lstrip("."), e.node, e.line) for e in node.entries.values()]
            stack.extend(reversed(below))
        elif node.kind == "list":
            stack.extend((key, child, child.line) for child in reversed(node.children))
        else:
            yield Setting(key, node.value, Span(path, line))


def setting(project: Project, name: str) -> Iterator[Setting]:
    """The settings whose last key has that name, in any spelling."""
    return iter(_spelled(project).get(_spelling(name), ()))


@once
def _spelled(project: Project) -> dict[str, list[Setting]]:
    found: dict[str, list[Setting]] = {}
    for item in settings(project):
        found.setdefault(_spelling(item.name), []).append(item)
    return found


def _spelling(name: str) -> str:
    return name.strip("-").replace("-", "_").lower()


class Switch(Struct, frozen=True):
    """What the repository says of a switch: `on`, `off`, or empty where nothing defines it."""

    state: str = ""
    evidence: Evidence | None = None


@once
def switch(project: Project, name: str) -> Switch:
    """Whether a tracked setting, argument, default or command turns `name` on.

    A value that is computed counts as on: only what surely stays off does not.
    """
    off: Evidence | None = None
    for value, evidence in _definitions(project, name):
        if is_on(value):
            return Switch("on", evidence)
        off = off or evidence
    return Switch("off", off) if off else Switch()


def _definitions(project: Project, name: str) -> Iterator[tuple[Scalar, Evidence]]:
    wanted = _spelling(name)
    for item in setting(project, name):
        yield item.value, item.evidence()
    yield from _in_commands(project, wanted)
    for module in project.own_code:
        if name in module.names | _bound(project, module.path):
            yield from _defaults(module, wanted)
            yield from _given(module, wanted)
            yield from _from_environment(project, module, wanted)


def _defaults(module: Module, wanted: str) -> Iterator[tuple[Scalar, Evidence]]:
    """Defaults of parameters and fields."""
    holders = [(f.span, f.params) for f in module.functions]
    holders += [(c.span, c.fields) for c in module.classes]
    for span, params in holders:
        for param in params:
            if _spelling(param.name) == wanted and param.default is not None:
                yield from _value(param.default, Evidence(span, f"{param.name} by default"))


def _given(module: Module, wanted: str) -> Iterator[tuple[Scalar, Evidence]]:
    """Values that code assigns, passes or declares as an argument's default."""
    for assign in module.assigns:
        named = any(_spelling(t.rsplit(".", 1)[-1]) == wanted for t in assign.targets)
        if named and not _variable_of(module, assign.value):
            yield from _value(assign.value, Evidence(assign.span, f"{wanted} is set"))
    for call in module.calls:
        for key, given in call.kwargs:
            if _spelling(key) == wanted and given.is_literal:
                yield given.literal, Evidence(call.span, f"{key}={given.text}")
        if call.method in {"add_argument", "option", "DEFINE_bool", "DEFINE_boolean"}:
            yield from _argument(call.args, dict(call.kwargs), wanted, call.span)


def _from_environment(
    project: Project, module: Module, wanted: str
) -> Iterator[tuple[Scalar, Evidence]]:
    """Whether a variable that alone decides a switch (`X is not None`) is set by a tracked file."""
    for assign in module.assigns:
        if any(_spelling(t.rsplit(".", 1)[-1]) == wanted for t in assign.targets):
            name = _variable_of(module, assign.value)
            if name:
                told = f"{wanted} is on where {name} is set"
                yield is_set(project, name), Evidence(assign.span, told)


def _variable_of(module: Module, value: Value) -> str:
    """The variable of the environment, without a default, that decides a value by being set."""
    asked = _BEING_SET.match(value.text)
    if asked is None:
        return ""
    text = value.text if "environ" in asked[1] or "getenv" in asked[1] else asked[1]
    if text.isidentifier():
        given = next((a.value.text for a in module.assigns if text in a.targets), "")
        text = given
    found = _LOOKUP.search(text)
    return found[1] if found else ""


@once
def is_set(project: Project, name: str) -> bool:
    """Whether a file of settings, a script or a definition of containers or CI sets a variable."""
    bare = re.escape(name)
    sets = re.compile(
        rf"(?<![\w$]){bare}[\"']?\s*[:=]\s*[\"']?[^\s\"',}}]|name:\s*[\"']?{bare}[\"']?\s+value"
    )
    for path in project.paths:
        if _SETS.search(path) and (project.entry(path).size or 0) <= _MAX_BYTES:
            text = project.text(path) or ""
            if name in text and sets.search(text):
                return True
    return False


@once
def _bound(project: Project, path: str) -> frozenset[str]:
    """Names that a module defines or mentions as options, without reading them."""
    module = project.modules[path]
    found = {p.name for f in module.functions for p in f.params}
    found |= {f.name for c in module.classes for f in c.fields}
    found |= {t.rsplit(".", 1)[-1] for a in module.assigns for t in a.targets}
    for call in module.calls:
        found |= {k for k, _ in call.kwargs}
        if call.method in {"add_argument", "option"}:
            found |= {_spelling(v.literal) for v in call.args if isinstance(v.literal, str)}
    return frozenset(found)


def _value(value: Value, evidence: Evidence) -> Iterator[tuple[Scalar, Evidence]]:
    if value.is_literal:
        yield value.literal, evidence
        return
    default = value.get("default")
    if default is not None and default.is_literal:
        yield default.literal, evidence
    elif value.items:
        yield True, evidence


def _argument(
    args: tuple[Value, ...], kwargs: dict[str, Value], wanted: str, span: Span
) -> Iterator[tuple[Scalar, Evidence]]:
    names = [_spelling(v.literal) for v in args if isinstance(v.literal, str)]
    if wanted not in names:
        return
    default, action = kwargs.get("default"), kwargs.get("action")
    evidence = Evidence(span, f"argument {wanted}")
    if default is not None and default.literal not in {None, ""}:
        yield default.literal, evidence
    elif action is not None and action.literal == "store_false":
        yield True, evidence
    elif action is not None or "is_flag" in kwargs:
        yield False, evidence


def _in_commands(project: Project, wanted: str) -> Iterator[tuple[Scalar, Evidence]]:
    for command, _ in project.all_commands:
        for at, word in enumerate(command.argv):
            key, equals, value = word.partition("=")
            option = word.startswith("--") or (word.startswith("-") and len(word) > _LETTER)
            if _spelling(key.rsplit(".", 1)[-1]) != wanted or not (equals or option):
                continue
            after = command.argv[at + 1] if at + 1 < len(command.argv) else "-"
            given = value if equals else ("true" if after.startswith("-") else after)
            yield given, Evidence(command.span, command.text)
