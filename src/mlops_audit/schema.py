"""The configuration's table: one JSON Schema that is published and that validates.

`mlops-audit schema config` prints `config_schema()`; `problems` checks a value against the same
table, so the two cannot drift apart. Only the keywords that the table uses are implemented: a
full validator would be a dependency that every CI job has to install.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

__all__ = ["CONFIG", "config_schema", "nearest", "problems"]

Table = Mapping[str, Any]

_LEVEL: Table = {
    "type": ["integer", "string"],
    "description": "A level's number or its name, e.g. 2 or Reproducible.",
}
_TEXT: Table = {"type": "string", "pattern": r"\S"}
_DATE: Table = {
    "type": "string",
    "format": "date",
    "description": "A day, YYYY-MM-DD; the last day on which the entry counts.",
}
_PATHS: Table = {"type": "array", "items": _TEXT}
_STRENGTH: Table = {"type": "string", "enum": ["attested", "found", "verified"]}


def _entry(description: str, *, url: str | None, practice: bool = True) -> Table:
    """An entry that a person answers for: reason, owner and expiry are compulsory."""
    fields: dict[str, Any] = {
        "practice": {**_TEXT, "description": "A practice's id or slug."},
        "reason": {**_TEXT, "description": "Why, in a sentence."},
        "owner": {**_TEXT, "description": "Who answers for it."},
        "expires": _DATE,
        "date": {**_DATE, "description": "The day on which it was written."},
    }
    if not practice:
        del fields["practice"], fields["date"]
    if url is not None:
        fields["url"] = {**_TEXT, "description": url}
    required = [name for name in ("practice", "reason", "owner", "expires") if name in fields]
    return {
        "type": "object",
        "description": description,
        "properties": fields,
        "required": required,
        "additionalProperties": False,
    }


CONFIG: Table = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "target": {**_LEVEL, "description": "Level that the report measures the distance to."},
        "fail-under": {**_LEVEL, "description": "Level below which `check` exits with 1."},
        "model": {
            "type": ["string", "array"],
            "items": _TEXT,
            "description": "Maturity models: built-in names or TOML files; the first one gates.",
        },
        "exclude": {**_PATHS, "description": "Patterns, as in .gitignore, of files left out."},
        "roles": {
            "type": "object",
            "description": "What the repository is for, where the audit guesses wrong.",
            "properties": {
                "kind": {
                    "type": "string",
                    "enum": ["trains", "serves", "library", "notebooks", "none"],
                },
                "training": {**_PATHS, "description": "Files or folders that train."},
                "serving": {**_PATHS, "description": "Files or folders that predict for use."},
                "pipeline": {**_PATHS, "description": "Files that define the pipeline."},
                "tests": {**_PATHS, "description": "Files or folders of tests."},
            },
            "additionalProperties": False,
        },
        "waivers": {
            "type": "array",
            "description": "Practices taken out of the gates until a day; outcomes stay.",
            "items": _entry("A practice taken out of the gates.", url=None),
        },
        "attestations": {
            "type": "array",
            "description": "A person's word for practices that a repository cannot show.",
            "items": _entry("A person's word for a practice.", url="Where it can be seen."),
        },
        "promotion-approver": _entry(
            "A person approves each promotion of a model (AUT13).", url=None, practice=False
        ),
        "canvas": {
            "type": "object",
            "description": "Blocks of the stack canvas that are not needed, each with a reason.",
            "additionalProperties": _TEXT,
        },
        "tools": {
            "type": "object",
            "description": "Own rows of the tool catalogue by the tool's key, in its format.",
            "additionalProperties": {"type": "object"},
        },
        "require": {
            "type": ["string", "object"],
            "description": "Weakest evidence that counts: for all, or by level or practice.",
            "enum": _STRENGTH["enum"],
            "additionalProperties": _STRENGTH,
        },
    },
}


def config_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of `mlops-audit.toml` and `[tool.mlops-audit]`."""
    schema = _publishable(CONFIG)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of mlops-audit",
        **schema,
    }


def _publishable(node: Any) -> Any:  # noqa: ANN401 -- any node of a JSON document
    """Copy the table, with `enum` beside several types moved to where it means the same."""
    if isinstance(node, Mapping):
        out = {key: _publishable(value) for key, value in node.items()}
        if isinstance(out.get("type"), list) and "enum" in out:
            enum, rest = out.pop("enum"), out.pop("additionalProperties", True)
            del out["type"]
            out["anyOf"] = [
                {"type": "string", "enum": enum},
                {"type": "object", "additionalProperties": rest},
            ]
        return out
    if isinstance(node, list | tuple):
        return [_publishable(value) for value in node]
    return node


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean ...?` with the nearest known word, or an empty string."""
    import difflib  # noqa: PLC0415 -- only a mistake needs it

    words = sorted(known)
    found = difflib.get_close_matches(word, words, n=1, cutoff=0.5)
    if not found:
        folded = {w.casefold(): w for w in words}
        match = difflib.get_close_matches(word.casefold(), list(folded), n=1, cutoff=0.5)
        found = [folded[m] for m in match]
    return f"; did you mean {found[0]!r}?" if found else ""


_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "array": list,
    "object": dict,
    "boolean": bool,
    "number": float,
}
_ARTICLES = {"integer": "an integer", "array": "a list", "object": "a table"}


def _is_type(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, _TYPES[name])


def problems(value: object, table: Table = CONFIG, where: str = "") -> Iterator[tuple[str, str]]:
    """Yield `(key, message)` for everything in `value` that `table` does not allow, in order."""
    types = table.get("type", [])
    names = [types] if isinstance(types, str) else list(types)
    if names and not any(_is_type(value, name) for name in names):
        wanted = " or ".join(_ARTICLES.get(name, f"a {name}") for name in names)
        yield where, f"must be {wanted}"
    elif isinstance(value, str):
        yield from _text_problems(value, table, where)
    elif isinstance(value, list):
        for number, item in enumerate(value, 1):
            yield from problems(item, table.get("items", {}), f"{where}[{number}]")
    elif isinstance(value, dict):
        yield from _object_problems(value, table, where)


def _text_problems(value: str, table: Table, where: str) -> Iterator[tuple[str, str]]:
    enum = table.get("enum")
    if enum and value not in enum:
        yield where, f"{value!r} is none of {', '.join(enum)}{nearest(value, enum)}"
    elif table.get("pattern") and not re.search(table["pattern"], value):
        yield where, "must not be empty"
    elif table.get("format") == "date" and not _is_date(value):
        yield where, f"{value!r} is not a day of the form YYYY-MM-DD"


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) is not None


def _object_problems(
    value: dict[str, object], table: Table, where: str
) -> Iterator[tuple[str, str]]:
    known: Table = table.get("properties", {})
    rest = table.get("additionalProperties", True)
    for key, item in value.items():
        place = f"{where}.{key}" if where else key
        if key in known:
            yield from problems(item, known[key], place)
        elif rest is False:
            yield place, f"unknown key{nearest(key, known)}"
        elif isinstance(rest, Mapping):
            yield from problems(item, rest, place)
    for key in table.get("required", ()):
        if key not in value:
            yield where, f"has no {key!r}"
