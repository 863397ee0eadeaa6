"""What other maturity models say, side by side, with how they come to it folded below."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mlops_audit.model import ModelResult, Report
from mlops_audit.reports import words
from mlops_audit.reports.html import e

__all__ = ["models"]

Data = Mapping[str, Any]


def models(report: Report) -> Iterator[str]:
    """A card a model."""
    listed = (*report.assessment.models[1:], *report.beside)
    if not listed:
        return
    yield '<div class="cards">'
    for model in listed:
        yield from _card(model)
    yield "</div>"


def _card(model: ModelResult) -> Iterator[str]:
    title = str(model.data.get("title") or model.name)
    told = words.model_result(model)
    yield f'<article class="card"><h3>{e(title)}</h3>'
    yield f'<p class="result">{e(told[:1].upper() + told[1:])}</p>'
    rows = _ROWS.get(model.kind, _nothing)(model.data)
    if rows:
        yield f"<details><summary>In detail</summary>{_table(rows)}</details>"
    yield "</article>"


def _table(rows: Sequence[tuple[str, str]]) -> str:
    body = "".join(f'<tr><th scope="row">{e(a)}</th><td>{e(b)}</td></tr>' for a, b in rows)
    return f'<table class="plain"><tbody>{body}</tbody></table>'


def _nothing(_: Data) -> list[tuple[str, str]]:
    return []


def _ladder(data: Data) -> list[tuple[str, str]]:
    names = {each["level"]: each["name"] for each in data.get("levels", ())}
    return [
        (f"{row['level']} {names.get(row['level'], '')}".strip(), f"{row['met']} of {row['musts']}")
        for row in data.get("profile", ())
    ]


def _score(data: Data) -> list[tuple[str, str]]:
    return [
        (str(row["name"]), f"{row['score']:g} of {row['reachable']:g} points")
        for row in data.get("sections", ())
    ]


def _shares(data: Data) -> list[tuple[str, str]]:
    return [
        (str(row["name"]), "nothing asked" if row["share"] is None else f"{row['share']:.0%}")
        for row in data.get("phases", ())
    ]


def _blocks(data: Data) -> list[tuple[str, str]]:
    return [(str(row["name"]), str(row["state"])) for row in data.get("blocks", ())]


_ROWS: Mapping[str, Callable[[Data], list[tuple[str, str]]]] = {
    "ladder": _ladder,
    "score": _score,
    "shares": _shares,
    "blocks": _blocks,
}
