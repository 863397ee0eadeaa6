"""Listings of what the audit knows: practices, models, tools."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator

from mlops_audit.maturity import load_model, model_names
from mlops_audit.model import PRINCIPLES, Ask
from mlops_audit.reports.as_markdown import escaped

__all__ = ["Row", "models", "practices", "table", "tools"]

Row = dict[str, object]
_WIDTH = 88
_INDENT = "    "
_LEGEND = "Asked at a level: s should, M must, M~ a must that a partial pass meets."
_KINDS = {"must": "M", "must~": "M~", "should": "s"}


def _asked(asks: tuple[Ask, ...]) -> str:
    return ", ".join(f"{ask.level}{_KINDS[ask.kind]}" for ask in asks)


def practices() -> list[Row]:
    """Every practice with its principle, assets and levels."""
    from mlops_audit.practices import catalogue  # noqa: PLC0415 -- other listings need no scan

    return [
        {
            "id": p.id,
            "slug": p.slug,
            "title": p.title,
            "principle": PRINCIPLES[p.principle],
            "assets": list(p.assets),
            "asked": _asked(p.asked),
            "attestable": p.attestable,
            "sources": list(p.sources),
        }
        for p in catalogue()
    ]


def models() -> list[Row]:
    """Every built-in model with its kind, levels and sources."""
    return [
        {
            "name": model.name,
            "title": model.title,
            "kind": model.kind,
            "levels": [f"{number} {name}" for number, name in model.level_names().items()],
            "about": " ".join(model.about.split()),
            "sources": list(model.sources),
        }
        for model in map(load_model, model_names())
    ]


def tools() -> list[Row]:
    """Every tool of the built-in catalogue with what it is evidence of."""
    from mlops_audit.graph.catalogue import load_catalogue  # noqa: PLC0415 -- as above

    return [
        {
            "key": tool.key,
            "name": tool.name,
            "url": tool.url,
            "evidence": sorted({row.capability for row in tool.rows}),
        }
        for tool in load_catalogue().tools
    ]


_LONG = ("about", "sources", "evidence", "levels", "assets", "principle", "attestable", "url")


def table(rows: list[Row], form: str) -> str:
    """Write rows as JSON, Markdown, or text with one entry a line."""
    if form == "json":
        return json.dumps(rows, indent=2, ensure_ascii=True) + "\n"
    if not rows:
        return "none\n"
    return "\n".join(_markdown(rows) if form == "markdown" else _text(rows)) + "\n"


def _flat(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(v) for v in value)
    return (
        {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
    )


def _markdown(rows: list[Row]) -> Iterator[str]:
    keys = list(rows[0])
    yield f"| {' | '.join(keys)} |"
    yield f"|{' --- |' * len(keys)}"
    for row in rows:
        yield f"| {' | '.join(escaped(_flat(row[key])) for key in keys)} |"


def _text(rows: list[Row]) -> Iterator[str]:
    keys = [key for key in rows[0] if key not in _LONG]
    widths = {key: max(len(_flat(row[key])) for row in rows) for key in keys}
    for row in rows:
        yield "  ".join(_flat(row[key]).ljust(widths[key]) for key in keys).rstrip()
        for key in ("about", "levels", "evidence"):
            if row.get(key):
                lines = textwrap.wrap(_flat(row[key]), _WIDTH - len(_INDENT))
                yield from (f"{_INDENT}{line}" for line in lines)
    if "asked" in keys:
        yield f"\n{_LEGEND}"
