"""The tool catalogue: what a call, command, action, hook, file, value or image is evidence of.

`load_catalogue` reads `knowledge/*.toml` once a process; a `Catalogue` answers by dictionary
look-ups on the exact name, the last segment or the root, never by a scan over all rows. The
format stands in `knowledge/README.md`, the capabilities in `knowledge/capabilities.toml`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any

import tomli
from msgspec import Struct

from mlops_audit.graph.catalogue_index import (
    CallIndex,
    CommandIndex,
    FileIndex,
    PrefixIndex,
    TableIndex,
    hook_keys,
    owners_of,
)
from mlops_audit.graph.catalogue_rows import (
    KINDS,
    PLAIN,
    CatalogueError,
    Details,
    Row,
    Tool,
    parse_tool,
)
from mlops_audit.regex import regex

__all__ = [
    "Catalogue",
    "CatalogueError",
    "Details",
    "Match",
    "Row",
    "Tool",
    "capabilities",
    "load_catalogue",
]

_KNOWLEDGE = os.path.join(os.path.dirname(os.path.dirname(__file__)), "knowledge")
_CAPABILITIES = "capabilities.toml"
_PACKAGE_SEPARATORS = regex(r"[-_.]+")
_COMPAT = "tensorflow.compat.v"  # the same names once more, under the version that had them


class Match(Struct, frozen=True):
    """A tool recognised somewhere, and what that is evidence of.

    `soft` says that the command cannot fail its job in this form, `why` for what reason. A
    caller that knows the keywords of a call or the inputs of an action asks
    `details.holds(keywords)` before it counts the match.
    """

    tool: Tool
    capability: str
    details: Details = PLAIN
    soft: bool = False
    why: str = ""


class Catalogue:
    """All tools, and the indexes that recognise them. Build it with `load_catalogue`."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        self.tools: tuple[Tool, ...] = tuple(sorted(tools, key=lambda tool: tool.key))
        entries: dict[str, list[tuple[Tool, Row]]] = {kind: [] for kind in KINDS}
        packages: dict[str, Tool] = {}
        modules: dict[str, list[Tool]] = {}
        for tool in self.tools:
            for row in tool.rows:
                entries[row.kind].append((tool, row))
            for package in tool.packages:
                packages.setdefault(_normal_package(package), tool)
            for module in tool.modules:
                modules.setdefault(module, []).append(tool)
        self._entries = entries
        self._packages = packages
        self._modules = modules

    # Each index is built at its first question: no audit asks for all of them.

    @cached_property
    def _calls(self) -> CallIndex:
        return CallIndex(self._entries["calls"], self._modules)

    @cached_property
    def _commands(self) -> CommandIndex:
        return CommandIndex(self._entries["commands"])

    @cached_property
    def _actions(self) -> PrefixIndex:
        return PrefixIndex(self._entries["actions"])

    @cached_property
    def _images(self) -> PrefixIndex:
        return PrefixIndex(self._entries["images"])

    @cached_property
    def _files(self) -> FileIndex:
        return FileIndex(self._entries["files"])

    @cached_property
    def _hooks(self) -> TableIndex:
        return TableIndex(self._entries["hooks"])

    @cached_property
    def _values(self) -> TableIndex:
        return TableIndex(self._entries["values"])

    @cached_property
    def _resources(self) -> TableIndex:
        return TableIndex(self._entries["resources"])

    @cached_property
    def _env(self) -> TableIndex:
        return TableIndex(self._entries["env"], fold=False)

    def calls(self, name: str, imports: frozenset[str] = frozenset()) -> tuple[Match, ...]:
        """What a call of a resolved dotted name is evidence of.

        Args:
            name: resolved through imports; `?.fit` for a method of an unknown receiver.
            imports: full dotted names that the module (or project) imports, e.g. `mlflow` or
                `google.cloud.aiplatform`; rows for methods of any receiver need them.
        """
        rows = self._calls.find(name, imports)
        if name.startswith(_COMPAT):
            short = f"tensorflow.{name[len(_COMPAT) :].partition('.')[2]}"
            rows += [found for found in self._calls.find(short, imports) if found not in rows]
        return tuple(_match(found) for found in rows)

    def command(self, argv: Sequence[str]) -> tuple[Match, ...]:
        """What a command is evidence of; wrappers such as `uv run` are taken off before.

        `python -m tool` is read as `tool`. A call for `--help` or `--version` is no evidence.
        """
        return tuple(
            Match(tool, row.capability, row.details, soft, why)
            for tool, row, soft, why in self._commands.find(argv)
        )

    def action(self, uses: str) -> tuple[Match, ...]:
        """What a CI action, orb, pipe or task is evidence of, by its name and version.

        A reusable workflow of another repository is also known by its file's name.
        """
        path = uses.partition("@")[0]
        found_rows = self._actions.find(uses)
        if "/.github/workflows/" in path:
            stem = path.rpartition("/")[2].rpartition(".")[0].replace("_", "-")
            found_rows += self._actions.find(f"*/.github/workflows/{stem}")
        return tuple(
            _match(found)
            for found in found_rows
            # A bare task (`Docker@2`) is no prefix of an action's owner (`docker/login-action`).
            if "/" in found[1].pattern or "/" not in path
        )

    def hook(self, id: str, repo: str = "") -> tuple[Match, ...]:  # noqa: A002 -- pre-commit's word
        """What a pre-commit hook is evidence of, by its id or its repository."""
        return tuple(_match(found) for found in self._hooks.find(*hook_keys(id, repo)))

    def file(self, path: str) -> tuple[Match, ...]:
        """What a file at this path, given that it has content, is evidence of."""
        return tuple(_match(found) for found in self._files.find(path))

    def value(self, keyword: str, value: object) -> tuple[Match, ...]:
        """What a keyword argument or configuration entry with this value is evidence of."""
        return tuple(
            _match(found) for found in self._values.find(f"{keyword}={value}", f"{keyword}=*")
        )

    def image(self, ref: str) -> tuple[Match, ...]:
        """What a container image is evidence of, by its reference."""
        short = ref.removeprefix("docker.io/").removeprefix("library/")
        return tuple(_match(found) for found in self._images.find(short))

    def resource(self, kind: str) -> tuple[Match, ...]:
        """What an infrastructure resource of this kind is evidence of.

        Args:
            kind: a CloudFormation type, Terraform resource type, or Kubernetes kind, which may be
                preceded by its API group and a slash.
        """
        return tuple(_match(found) for found in self._resources.find(kind, kind.rpartition("/")[2]))

    def env(self, name: str) -> tuple[Match, ...]:
        """What setting this environment variable is evidence of."""
        return tuple(_match(found) for found in self._env.find(name))

    def package(self, dist: str) -> Tool | None:
        """The tool that a distribution belongs to."""
        return self._packages.get(_normal_package(dist))

    def module(self, root: str) -> Tool | None:
        """The tool that a dotted import belongs to, by its longest known prefix."""
        owners = owners_of(root, self._modules)
        return owners[0] if owners else None


def _match(found: tuple[Tool, Row]) -> Match:
    tool, row = found
    return Match(tool, row.capability, row.details, row.details.soft, row.details.why)


def _normal_package(dist: str) -> str:
    """A distribution's name as PEP 503 normalises it, without extras."""
    return _PACKAGE_SEPARATORS.sub("-", dist.partition("[")[0].strip()).lower()


@cache
def capabilities() -> Mapping[str, str]:
    """All capabilities with one sentence each, sorted by name."""
    table = _table(_CAPABILITIES)
    return MappingProxyType({key: str(table[key]) for key in sorted(table)})


@cache
def _built_in() -> Catalogue:
    tools: list[Tool] = []
    for name in sorted(os.listdir(_KNOWLEDGE)):
        if name.endswith(".toml") and name != _CAPABILITIES:
            field = name.removesuffix(".toml")
            tools.extend(parse_tool(key, row, field) for key, row in _table(name).items())
    return Catalogue(tools)


def _table(name: str) -> dict[str, Any]:
    with open(os.path.join(_KNOWLEDGE, name), "rb") as file:
        return tomli.load(file)


def load_catalogue(extra: Mapping[str, object] = MappingProxyType({})) -> Catalogue:
    """Read the built-in catalogue, cached per process, and add a team's own rows.

    Args:
        extra: tool key to table, in the format of `knowledge/*.toml`. A key that is built in gets
            its rows, packages and modules in addition.

    Raises:
        CatalogueError: an own row has another form, or a capability that nothing reads.
    """
    if not extra:
        return _built_in()
    tools = {tool.key: tool for tool in _built_in().tools}
    known = capabilities()
    for key in extra:
        own = parse_tool(key, extra[key], "own")
        for row in own.rows:
            if row.capability not in known:
                raise CatalogueError(_unknown_capability(key, row, known))
        tools[key] = _merged(tools.get(key), own)
    return Catalogue(tools.values())


def _unknown_capability(key: str, row: Row, known: Iterable[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 -- only an error needs it

    near = get_close_matches(row.capability, list(known), n=1)
    hint = f", did you mean {near[0]!r}?" if near else ""
    return f'{key}.{row.kind}."{row.capability}": unknown capability{hint}'


def _merged(built_in: Tool | None, own: Tool) -> Tool:
    if built_in is None:
        return own
    return Tool(
        key=own.key,
        name=built_in.name if own.name == own.key else own.name,
        field=built_in.field,
        url=own.url or built_in.url,
        packages=tuple(dict.fromkeys(built_in.packages + own.packages)),
        modules=tuple(dict.fromkeys(built_in.modules + own.modules)),
        rows=tuple(dict.fromkeys(built_in.rows + own.rows)),
    )
