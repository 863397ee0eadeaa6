"""Schemas whose columns have descriptions: in files of settings and tables, and in code."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.code import Module
from mlops_audit.graph import Project
from mlops_audit.model import Evidence, Span
from mlops_audit.practices.collaboration._data_dictionary import ENOUGH, MEANING, MOST_TEXT
from mlops_audit.regex import regex

__all__ = ["columns_in_code", "columns_in_files"]

_DESCRIBED = regex(
    r"^\s*(?:-\s*)?[\"']?(?:description|desc|meaning|doc)[\"']?\s*:\s*\S", re.MULTILINE
)
_DBT = regex(r"^(models|sources|seeds|snapshots):[ \t]*$", re.MULTILINE)
_DATA_FILES = ("**/*.yml", "**/*.yaml", "**/*.json", "**/*.csv", "**/*.toml")
_SCHEMA_PATH = regex(
    r"schema|dictionar|columns|codebook|metadata|(feature|field|variable|data)s?_descriptions?|(^|/)(models|staging|marts|sources)/.*\.ya?ml$|"
    r"dataset_?info|data_?contract",
    re.IGNORECASE,
)
_DICTIONARY = regex(r"dictionar|codebook|columns", re.IGNORECASE)
_DATA_CODE = regex(r"data|feature|schema|etl|load|column", re.IGNORECASE)
_OF_COLUMNS = regex(r"feature|column|schema|data_?dict|variable", re.IGNORECASE)
# Classes of settings, services and programs hold no data.
_NO_RECORD = regex(
    r"(config|settings?|params?|parameters|args|arguments|options?|request|response|state|error|"
    r"model|module|loader|dataset|transform\w*|processor|trainer|client|service|handler)s?$",
    re.IGNORECASE,
)
_RECORD = regex(
    r"(^|\.)(dataclass|define|BaseModel|SQLModel|TypedDict|NamedTuple|Struct|Document)\b"
)
# `price (float): asked price in euros`, below the sentence of a docstring.
_FIELD_DOC = regex(
    r"^[ \t]{0,40}[-*]?[ \t]?(\w{1,60})(?:[ \t]?\([^()\n]{1,60}\))?"
    r"(?:[ \t]?:|[ \t]+[-\u2013\u2014])[ \t]+\w[^\n]{5}",
    re.MULTILINE,
)
_MOST_BYTES = 300_000


def columns_in_files(project: Project) -> Iterator[Evidence]:
    """Schema files in which columns have descriptions, and dictionaries as tables."""
    for path in project.glob(*_DATA_FILES):
        if not _SCHEMA_PATH.search(path) or project.is_test(path) or "openapi" in path:
            continue
        if (project.entry(path).size or 0) > _MOST_BYTES:
            continue
        text = project.text(path) or ""
        if path.endswith(".csv"):
            header = tuple(text.split("\n", 1)[0].split(","))
            if (
                re.search(r"dictionar|codebook|columns|descriptions?", path, re.IGNORECASE)
                and text.count("\n") > ENOUGH
                and (_DICTIONARY.search(path) or any(MEANING.search(h) for h in header))
            ):
                yield Evidence(Span(path, 1), ", ".join(header))
            continue
        found = [m for m in _DESCRIBED.finditer(text) if _of_a_column(text, m.start())]
        about = re.search(r"[\"']?(columns|features|dtype)[\"']?\s*:", text) or (
            re.search(
                r"data_?(set|dict)|dictionar|feature|column|codebook|raw", path, re.IGNORECASE
            )
            and not re.search(r"template|values|config|param", path, re.IGNORECASE)
        )
        if len(found) >= ENOUGH and about:
            line = text.count("\n", 0, found[0].end()) + 1
            yield Evidence(Span(path, line), found[0][0].strip())


def _of_a_column(text: str, place: int) -> bool:
    """Whether a description stands under `columns:`, in a file that has such lists (dbt)."""
    if not _DBT.search(text):
        return True
    here = text[place:].lstrip("\n")
    depth = len(here) - len(here.lstrip())
    for line in reversed(text[:place].splitlines()):
        bare = line.strip()
        if bare and len(line) - len(line.lstrip()) < depth:
            if bare.startswith("columns:"):
                return True
            depth = len(line) - len(line.lstrip())
    return False


def columns_in_code(project: Project) -> Iterator[Evidence]:
    """Columns described in code: a list of names and descriptions, fields with a description."""
    for module in project.source:
        if project.is_example(module.path):
            continue
        near = bool(_DATA_CODE.search(module.path))
        yield from _described(module, near=near)
        if near:
            yield from _documented_records(module)


def _documented_records(module: Module) -> Iterator[Evidence]:
    """Classes of records whose docstring says what each field holds."""
    for klass in module.classes:
        if _NO_RECORD.search(klass.name) or len(klass.fields) < ENOUGH:
            continue
        if not any(_RECORD.search(b) for b in (*klass.bases, *klass.decorators)):
            continue
        explained = {m[1] for m in _FIELD_DOC.finditer(klass.doc[:MOST_TEXT])}
        told = [f.name for f in klass.fields if f.name in explained]
        if len(told) >= ENOUGH:
            yield Evidence(klass.span, f"{klass.name}: {', '.join(told[:5])} described")


def _described(module: Module, *, near: bool) -> Iterator[Evidence]:
    listed = [(item.targets[0], item.span, item.value) for item in module.assigns]
    listed += [(f.name, f.span, value) for f in module.functions for value in f.returns]
    for name, span, value in listed:
        entries = [v for v in value.items if {"name", "description"} <= _keys(v.keys)]
        if len(entries) >= ENOUGH and (near or _OF_COLUMNS.search(name)):
            yield Evidence(span, f"{name}: {len(entries)} described")
            return
    if not near:
        return
    checks = "pandera" in module.roots
    fields = [
        c
        for c in module.calls
        if c.method in {"Field", "Column", "Feature"}
        and (checks or c.method != "Field")
        and any(k in {"description", "doc", "comment"} and v.literal for k, v in c.kwargs)
    ]
    if len(fields) >= ENOUGH:
        yield Evidence(fields[0].span, f"{len(fields)} described fields")


def _keys(keys: tuple[str, ...]) -> set[str]:
    return {k.strip("'\"") for k in keys}
