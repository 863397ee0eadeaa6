"""Rows of the tool catalogue: TOML tables in, frozen `Tool`s with typed `Row`s out.

The format is described in `knowledge/README.md`; a team's own rows have the same one, so every
error names the key that is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from msgspec import Struct

__all__ = ["KINDS", "PLAIN", "CatalogueError", "Details", "Row", "Tool", "parse_tool"]

Scalar = str | int | float | bool

KINDS = (
    "calls",
    "commands",
    "actions",
    "hooks",
    "files",
    "values",
    "images",
    "resources",
    "env",
)
"""What a tool is recognised by; each is a table `capability -> patterns`."""

_HEAD = ("name", "url", "packages", "modules")
_PATTERN_KEYS = {"commands": "argv", "actions": "uses"}
_WORD_LISTS = ("seed", "generator", "needs", "needs_any", "without", "soft_with")
_FLAGS = ("soft", "soft_without")
_TABLES = ("when", "unless")
_TEXTS = ("kind", "why")
_DETAIL_KEYS = (*_WORD_LISTS, *_FLAGS, *_TABLES, *_TEXTS, "position")


class CatalogueError(ValueError):
    """A row of the catalogue, built in or a team's own, that has another form than the format."""


class Details(Struct, frozen=True):
    """What a pattern says beyond its name; all empty for a plain string.

    `seed` names the parameters that seed a call, `position` the index (from 0) at which its seed
    may stand unnamed, `generator` the generators that a call draws from or seeds. `needs` names
    keywords of which one must be given. `when` and `unless` are keyword values that must, or must
    not, be there. `needs_any`, `without`, `soft_with` and `soft_without` are command flags:
    without one of `needs_any` a command is no match, or with `soft_without` a soft one, whose
    failure does not show in its exit status. `kind` tells variants of a capability apart.
    """

    kind: str = ""
    why: str = ""
    seed: tuple[str, ...] = ()
    position: int | None = None
    generator: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    when: tuple[tuple[str, str], ...] = ()
    unless: tuple[tuple[str, str], ...] = ()
    needs_any: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    soft: bool = False
    soft_with: tuple[str, ...] = ()
    soft_without: bool = False

    def holds(self, keywords: Mapping[str, object], positional: int = 0) -> bool:
        """Whether `needs`, `when` and `unless` agree with the keywords or inputs given.

        `positional` is the number of unnamed arguments: one at `position` satisfies `needs`.
        Values are compared as text without case, so that `True`, `true` and `"true"` are one. A
        keyword whose value is not known (None) satisfies `needs`, never `when` or `unless`.
        """
        placed = self.position is not None and positional > self.position
        if self.needs and not placed and not any(key in keywords for key in self.needs):
            return False
        if any(_text(keywords.get(key)) != value for key, value in self.when):
            return False
        return not any(_text(keywords.get(key)) == value for key, value in self.unless)


PLAIN = Details()


class Row(NamedTuple):
    """One pattern of one tool: what it looks like, and which capability it is evidence of."""

    kind: str
    capability: str
    pattern: str
    details: Details = PLAIN


class Tool(Struct, frozen=True):
    """A tool of the catalogue.

    `field` is the file it stands in (`tracking`, or `own` for a team's rows), `packages` its
    distribution names, `modules` the dotted roots that its imports start with.
    """

    key: str
    name: str
    field: str
    url: str = ""
    packages: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()

    @property
    def capabilities(self) -> tuple[str, ...]:
        """The capabilities that it can be evidence of, sorted."""
        return tuple(sorted({row.capability for row in self.rows}))


def _text(value: object) -> str | None:
    return None if value is None else str(value).strip().lower()


def parse_tool(key: str, table: object, field: str) -> Tool:
    """Read one tool's table.

    Raises:
        CatalogueError: the table has another form; the message names the key.
    """
    if not isinstance(table, Mapping):
        raise CatalogueError(f"{key}: a tool is a table, not {_kind_of(table)}")
    rows: list[Row] = []
    for part, value in table.items():
        if part in KINDS:
            rows.extend(_rows(f"{key}.{part}", part, value))
        elif part not in _HEAD:
            raise CatalogueError(f"{key}.{part}: unknown key{_nearest(part, (*_HEAD, *KINDS))}")
    return Tool(
        key=key,
        name=_string(f"{key}.name", table.get("name", key)),
        field=field,
        url=_string(f"{key}.url", table.get("url", "")),
        packages=_words(f"{key}.packages", table.get("packages", ())),
        modules=_words(f"{key}.modules", table.get("modules", ())),
        rows=tuple(rows),
    )


def _rows(where: str, kind: str, table: object) -> Iterable[Row]:
    if not isinstance(table, Mapping):
        raise CatalogueError(f"{where}: a table of capability = [patterns] was expected")
    for capability, patterns in table.items():
        place = f'{where}."{capability}"'
        if not isinstance(patterns, (list, tuple)):
            raise CatalogueError(f"{place}: a list of patterns was expected")
        for index, item in enumerate(patterns):
            if isinstance(item, str) and item and not item.isspace():
                yield Row(kind, capability, item)
            elif isinstance(item, Mapping):
                yield _detailed(f"{place}[{index}]", kind, capability, item)
            else:
                raise CatalogueError(f"{place}[{index}]: a text or a table was expected")


def _detailed(where: str, kind: str, capability: str, table: Mapping[str, object]) -> Row:
    pattern_key = _PATTERN_KEYS.get(kind, "name")
    for key in table:
        if key != pattern_key and key not in _DETAIL_KEYS:
            near = _nearest(key, (pattern_key, *_DETAIL_KEYS))
            raise CatalogueError(f"{where}.{key}: unknown key{near}")
    pattern = _string(f"{where}.{pattern_key}", table.get(pattern_key))
    if not pattern.strip():
        raise CatalogueError(f"{where}.{pattern_key}: must not be empty")
    if len(table) == 1:
        return Row(kind, capability, pattern)
    get = table.get
    position = get("position")
    if position is not None and (isinstance(position, bool) or not isinstance(position, int)):
        raise CatalogueError(f"{where}.position: a whole number was expected")
    words = {key: _words(f"{where}.{key}", table[key]) for key in _WORD_LISTS if key in table}
    pairs = {key: _pairs(f"{where}.{key}", table[key]) for key in _TABLES if key in table}
    texts = {key: _string(f"{where}.{key}", table[key]) for key in _TEXTS if key in table}
    flags = {key: _flag(f"{where}.{key}", table[key]) for key in _FLAGS if key in table}
    details = Details(
        kind=texts.get("kind", ""),
        why=texts.get("why", ""),
        seed=words.get("seed", ()),
        position=position,
        generator=words.get("generator", ()),
        needs=words.get("needs", ()),
        when=pairs.get("when", ()),
        unless=pairs.get("unless", ()),
        needs_any=words.get("needs_any", ()),
        without=words.get("without", ()),
        soft=flags.get("soft", False),
        soft_with=words.get("soft_with", ()),
        soft_without=flags.get("soft_without", False),
    )
    return Row(kind, capability, pattern, details)


def _flag(where: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise CatalogueError(f"{where}: true or false was expected")
    return value


def _string(where: str, value: object) -> str:
    if not isinstance(value, str):
        raise CatalogueError(f"{where}: a text was expected, not {_kind_of(value)}")
    return value


def _words(where: str, value: object) -> tuple[str, ...]:
    """A list of texts; one text may hold several words, as in `generator = "numpy torch"`."""
    if isinstance(value, str):
        return tuple(value.split())
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise CatalogueError(f"{where}: a list of texts was expected")


def _pairs(where: str, value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping):
        raise CatalogueError(f"{where}: a table of keyword = value was expected")
    pairs: list[tuple[str, str]] = []
    for key, item in value.items():
        if not isinstance(item, (str, int, float)):
            raise CatalogueError(f"{where}.{key}: a text, number or truth value was expected")
        pairs.append((key, str(item).strip().lower()))
    return tuple(pairs)


def _kind_of(value: object) -> str:
    return "nothing" if value is None else type(value).__name__


def _nearest(word: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 -- only an error needs it

    near = get_close_matches(word, list(known), n=1)
    return f", did you mean {near[0]!r}?" if near else ""
