"""Checks of data: what validates it, where, and whether bad data stops the run.

Checks of serving input are no part of this (they are judged with monitoring), nor are checks of
settings, paths and arguments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_audit.facts.code import Call, Module
from mlops_audit.graph.called import is_called
from mlops_audit.graph.dataconditions import (
    EXITS,
    NOT_DATA,
    RESULTS,
    about_data,
    always_passes,
    asserts_on_data,
    converts,
    ends_run,
    is_dropped,
    is_other_error,
    monitors,
    on_settings,
    pairs_samples,
)
from mlops_audit.graph.index import Symbol
from mlops_audit.graph.sourcelines import keyword_span
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

if TYPE_CHECKING:  # imported for types only, to keep the project free to use this module
    from mlops_audit.graph.project import Project

__all__ = ["DataCheck", "Validation"]

_SCHEMA_BASES = regex(r"^(pandera|patito|dataframely|pandera_\w+)\b.*(Schema|Model)")
_SCHEMA_OBJECT = regex(r"^pandera\b.*\.DataFrameSchema$")
_SCHEMA_METHODS = frozenset({"validate", "check", "cast", "filter"})
_OF_A_RECORD = regex(r"\.(dict|model_dump|_asdict)\(|\basdict\(|\bvars\(")
_RECORD_BASES = regex(r"^(pydantic|sqlmodel|msgspec|marshmallow|typedload)\b")
_RECORD_METHODS = frozenset(
    {"model_validate", "parse_obj", "validate_python", "model_validate_json"}
)
_NO_RECORD = regex(
    r"(config|settings?|params?|parameters|args|options?|request|response|payload|input|output|"
    r"state|message|prompt|answer|tool|job)s?$",
    re.IGNORECASE,
)
# Methods of data flows and queues that hand over one record at a time.
_MAPS = frozenset(
    {"map", "flat_map", "flatMap", "filter_map", "filter_map_value", "map_value", "foreach",
     "basic_consume", "subscribe", "ParDo"}
)  # fmt: skip
_FRAMES = frozenset(
    {"pandas", "polars", "pyspark", "dask", "modin", "cudf", "geopandas", "datasets", "duckdb",
     "sqlalchemy", "csv", "xarray", "pyarrow", "awswrangler", "snowflake"}
)  # fmt: skip
# A function that reads the samples of a set, whatever library it is written with.
_READS = regex(r"^_?(read|load|parse)_\w*(examples|records|samples|rows|sentences|corpus)$")
_FRAME = regex(r"^(df|dataframe|frame|dataset|table)$|_df$|^df_")  # a parameter of data
_CHECKING = regex(
    r"(^|_)(validat\w*|check|checks|verify|assert|ensure|sanity)_(\w*_)?(data\w*|schema|columns?|df|"
    r"frame|rows?|records?|dtypes?|types|missing|nulls?|nans?|duplicates?|ranges?|values|features|"
    r"labels?|quality|integrity|inputs?|raw|table|csv|batch(es)?|samples?|examples?|images?|masks?|"
    r"annotations?|splits?|pairs?|leak\w*|overlap\w*|dataset\w*)(_|$)|"
    r"(^|_)(data|schema|column|dataset|label|raw)\w*_(validation|validator|checks?|quality)(_|$)|"
    r"^validate(_|$)|DataValidat|SchemaValidat|DataQuality",
    re.IGNORECASE,
)
# What an error says when data is bad.
_MESSAGE = regex(
    r"(data(?!base|_?dir|_?path)|schema|dataset|column|feature)\w*\b.{0,30}"
    r"\b(not valid|invalid|missing|fail|mismatch|"
    r"unexpected|corrupt|empty|out of range)|(invalid|missing|unexpected|bad|corrupt)\w* "
    r"(data|schema|column|row|record|feature|value)|validation (failed|error)|null values",
    re.IGNORECASE,
)
_PARAMETER = regex(
    r"either none|parameter|argument|must be (set|given|provided)|not (set|found)", re.IGNORECASE
)
_OPTION = regex(
    r"must be (equal|one of|either|in \[)|(unknown|unsupported|invalid|unexpected) (\w+ ){0,2}"
    r"(type|mode|name|option|method|format)\b",
    re.IGNORECASE,
)
_SETS = regex(r"(^|\.)\w*(Dataset|DataModule)$")  # classes that hand out the samples
_OUTPUTS = regex(r"output|predict", re.IGNORECASE)


class DataCheck(Struct, frozen=True):
    """A check of data. `where` is `code`, `test` or `notebook`.

    `stops` says whether bad data ends the run or is turned away; `soft` why the check cannot fail
    what runs it.
    """

    evidence: Evidence
    where: str
    stops: bool
    called: bool = True
    soft: str = ""
    tool: str = ""


class Validation:
    """The data checks of a project."""

    def __init__(self, project: Project) -> None:
        self.project = project

    @cached_property
    def checks(self) -> tuple[DataCheck, ...]:
        """All data checks, those that stop the run first."""
        found = [*self._by_tools(), *self._by_schemas(), *self._by_hand()]
        unique = {c.evidence.span: c for c in reversed(found)}
        return tuple(
            sorted(
                unique.values(),
                key=lambda c: (
                    c.where != "code", not c.stops, bool(c.soft), not c.called,
                    bool(_OUTPUTS.search(c.evidence.detail)),
                    c.evidence.span.path, c.evidence.span.line or 0,
                ),
            )
        )  # fmt: skip

    # -- tools ----------------------------------------------------------------------------------

    def _by_tools(self) -> Iterator[DataCheck]:
        for use in self.project.uses("data.validate", test=None, notebook=None):
            if use.call is None:
                yield DataCheck(
                    use.evidence(), "code", not use.soft, soft=use.why_soft, tool=use.tool
                )
                continue
            if use.path in self._serving or monitors(use.path) or on_settings(use.call):
                continue
            if always_passes(self.project.modules[use.path], use.call):
                continue
            stops = not RESULTS.match(use.tool) or self._acted_on(use)
            yield self._check(use.evidence(), use.path, use.scope, stops=stops, tool=use.tool)
        for path, module in self.project.modules.items():
            for call in module.calls:
                if call.kw("expectation_suite") is not None and call.runs:
                    place = keyword_span(self.project, call, "expectation_suite")
                    shown = Evidence(place, f"expectation_suite= of {call.name}")
                    yield self._check(shown, path, call.scope, tool="Hopsworks")

    def _acted_on(self, use: Use) -> bool:
        """Whether something in the check's module, or in one that calls it, ends the run."""
        if use.tool.startswith("TFX"):
            return True
        module = self.project.modules[use.path]
        if use.call is not None and is_dropped(module, use.call):
            return False
        if ends_run(module):
            return True
        return any(
            ends_run(other)
            for path, other in self.project.modules.items()
            if path != use.path
            and any(
                (symbol := self.project.index.resolve(i.dotted, path)) and symbol.path == use.path
                for i in other.imports
            )
        )

    # -- schemas of the project ------------------------------------------------------------------

    def _by_schemas(self) -> Iterator[DataCheck]:
        """Schema classes of the project that are called on data."""
        for path, module in sorted(self.project.modules.items()):
            if path in self._serving:
                continue
            for call in module.calls:
                kind = self._schema_kind(call, path)
                if kind:
                    yield self._check(Evidence(call.span, call.told), path, call.scope, tool=kind)

    def _schema_kind(self, call: Call, path: str) -> str:
        if not call.runs or not call.name or call.name.startswith("?"):
            return ""
        if _SCHEMA_OBJECT.search(call.name) and call.text and call.args:
            # An object of pandera's class, called on the data; the constructor has its own name.
            head = call.text.split("(", 1)[0].rsplit(".", 1)[-1]
            return "Pandera" if head != call.method and not head.startswith("DataFrame") else ""
        if call.method in _SCHEMA_METHODS | _RECORD_METHODS:
            owner = call.name.rpartition(".")[0]
            bases = self._bases(owner, path)
            if any(_SCHEMA_BASES.match(b) for b in bases):
                return "Pandera"
            if call.method in _RECORD_METHODS and call.loops and self._is_record(owner, bases):
                return "" if converts(call) else "Pydantic"
        elif call.spreads and (call.loops or self._streams(path, call.scope)):
            bases = self._bases(call.name, path)
            copies = any(_OF_A_RECORD.search(v.text) for v in call.spreads)
            if self._is_record(call.name, bases) and not copies and self._asks(call.name, path):
                return "Pydantic"
        return ""

    def _streams(self, path: str, scope: str) -> bool:
        """Whether a data flow hands each of its records to a function."""
        return bool(scope) and any(
            symbol.path == path and symbol.qualname == scope for symbol in self._per_record
        )

    @cached_property
    def _per_record(self) -> frozenset[Symbol]:
        """The functions that are mapped over records."""
        found = set()
        for path, module in self.project.modules.items():
            for call in module.calls:
                if call.method not in _MAPS:
                    continue
                for value in (*call.args, *(v for _, v in call.kwargs)):
                    symbol = self.project.index.resolve(value.name, path) if value.name else None
                    if symbol is not None and symbol.kind == "function":
                        found.add(symbol)
        return frozenset(found)

    @staticmethod
    def _is_record(name: str, bases: tuple[str, ...]) -> bool:
        last = name.rsplit(".", 1)[-1].lstrip(":")
        return any(_RECORD_BASES.match(b) for b in bases) and not _NO_RECORD.search(last)

    def _asks(self, name: str, path: str) -> bool:
        """Whether a class asks for something: with a default for each field, nothing is missing."""
        symbol = self.project.index.resolve(name, path)
        owner = self.project.modules[symbol.path].klass(symbol.qualname) if symbol else None
        if owner is None or not owner.fields:
            return True  # its fields stand in a parent, which may ask
        return any(f.default is None or f.default.is_call for f in owner.fields)

    def _bases(self, name: str, path: str) -> tuple[str, ...]:
        symbol = self.project.index.resolve(name, path) if name else None
        if symbol is None or symbol.kind != "class":
            return ()
        owner = self.project.modules[symbol.path].klass(symbol.qualname)
        return tuple(self.project.index.bases(symbol.path, owner)) if owner else ()

    # -- hand-written ----------------------------------------------------------------------------

    def _by_hand(self) -> Iterator[DataCheck]:
        for path, module in sorted(self.project.modules.items()):
            skipped = path in self._serving or monitors(path) or self.project.is_test(path)
            if skipped:
                continue
            if not self._handles_data(module):
                yield from self._in_checks(module)
                continue
            for raised in module.raises:
                scope = raised.scope.rsplit(".", 1)[-1]
                if _OPTION.search(raised.text):
                    continue  # the caller's choice is wrong, not the data
                checking = bool(
                    _CHECKING.search(scope)
                    or (_MESSAGE.search(raised.text) and not _PARAMETER.search(raised.text))
                )
                if is_other_error(raised.name) or not about_data(
                    raised.guards, checking=checking, strict=module.notebook
                ):
                    continue
                soft = "the error is caught and the run goes on" if raised.swallowed else ""
                evidence = Evidence(raised.span, raised.text)
                yield self._check(evidence, path, raised.scope, soft=soft)
            for item in module.asserts:
                if not item.constant and asserts_on_data(item.test):
                    yield self._check(Evidence(item.span, f"assert {item.test}"), path, item.scope)
            for call in module.calls:
                checking = bool(_CHECKING.search(call.scope.rsplit(".", 1)[-1]))
                if call.name in EXITS and about_data(call.guards, checking=checking):
                    yield self._check(Evidence(call.span, call.told), path, call.scope)

    def _in_checks(self, module: Module) -> Iterator[DataCheck]:
        """Assertions on values in functions that say they check data: those of a loader."""
        for item in module.asserts:
            name = item.scope.rsplit(".", 1)[-1]
            if item.constant or not _CHECKING.search(name) or NOT_DATA.search(item.test):
                continue
            evidence = Evidence(item.span, f"assert {item.test}")
            yield self._check(evidence, module.path, item.scope)
        for raised in module.raises:
            reads = _READS.search(raised.scope.rsplit(".", 1)[-1])
            if reads and about_data(raised.guards) and not is_other_error(raised.name):
                yield self._check(Evidence(raised.span, raised.text), module.path, raised.scope)
        if not any(_SETS.search(b) for c in module.classes for b in c.bases):
            return
        for item in module.asserts:
            if pairs_samples(item.test):
                evidence = Evidence(item.span, f"assert {item.test}")
                yield self._check(evidence, module.path, item.scope)
        for raised in module.raises:
            if raised.guards and pairs_samples(raised.guards[-1].text) and not raised.swallowed:
                yield self._check(Evidence(raised.span, raised.text), module.path, raised.scope)

    def _handles_data(self, module: Module) -> bool:
        """Whether a module, or one that it takes data from, works with tables."""
        if module.error or ("torch" in module.roots and "pandas" not in module.roots):
            return False
        if module.roots & _FRAMES or re.search(r"data|valid|schema|etl|ingest", module.path):
            return True
        if any(_FRAME.search(param.name) for f in module.functions for param in f.params):
            return True
        return any(
            (symbol := self.project.index.resolve(i.dotted, module.path))
            and self.project.modules[symbol.path].roots & _FRAMES
            for i in module.imports
        )

    # -- common ----------------------------------------------------------------------------------

    @cached_property
    def _serving(self) -> frozenset[str]:
        """Modules that answer requests, and the schemas of requests beside them."""
        uses = self.project.uses("serve.http", "serve.route", "serve.grpc", "serve.demo")
        serving = frozenset(u.path for u in uses) | self.project.roles.serving
        used = [(p.kind, p.path) for p in self.project.predictions]
        if any(kind == "service" for kind, _ in used):  # the stream beside it prepares data
            other = {path for kind, path in used if kind != "stream"}
            serving -= {path for kind, path in used if kind == "stream" and path not in other}
        return serving - self.project.roles.training

    def _check(
        self,
        evidence: Evidence,
        path: str,
        scope: str,
        *,
        stops: bool = True,
        tool: str = "",
        soft: str = "",
    ) -> DataCheck:
        module = self.project.modules[path]
        where = "notebook" if module.notebook else "code"
        if path in self.project.test_files:
            where = "test"
        return DataCheck(
            evidence,
            where,
            stops,
            is_called(self.project, path, scope),
            soft or self._softened(path),
            tool,
        )

    def _softened(self, path: str) -> str:
        """Why a program that checks data cannot fail, where everything that starts it says so."""
        ways = [
            w
            for w in self.project.runnable.of("module")
            if w.node.key[0] == path and w.previous is not None
        ]
        return ways[0].why if ways and all(w.soft for w in ways) else ""
