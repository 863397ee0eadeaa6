"""Model files → `MaturityModel`: the built-in ones by name, a team's own by content."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping, Sequence
from typing import Any

import tomli

from mlops_audit.config import ConfigError
from mlops_audit.maturity.types import (
    Band,
    Block,
    Cell,
    Level,
    MaturityModel,
    Need,
    Phase,
    Section,
    Test,
)
from mlops_audit.model import parse_asks
from mlops_audit.schema import nearest, problems

__all__ = ["load_model", "model_names", "parse_level", "parse_model"]

_MODELS = os.path.join(os.path.dirname(__file__), "models")
_TEXT = {"type": "string", "pattern": r"\S"}
_LIST = {"type": "array", "items": _TEXT}
_NUMBER = {"type": ["number", "integer"]}


def _table(required: Sequence[str], **properties: object) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _rows(required: Sequence[str], **properties: object) -> dict[str, object]:
    return {"type": "array", "items": _table(required, **properties)}


_MODEL = _table(
    ("name", "title", "kind", "sources"),
    name=_TEXT,
    title=_TEXT,
    kind={"type": "string", "enum": ["ladder", "score", "shares", "blocks"]},
    sources=_LIST,
    about=_TEXT,
    enough=_TEXT,
    order={"type": "integer"},
    share=_NUMBER,
    asks={"type": "string", "enum": ["catalogue", "file"]},
    approvable=_LIST,
    levels=_rows(
        ("number", "name"),
        number={"type": "integer"},
        name=_TEXT,
        meaning=_TEXT,
        must=_LIST,
        should=_LIST,
    ),
    remarks={"type": "object", "additionalProperties": _TEXT},
    reserved={"type": "object", "additionalProperties": _TEXT},
    sections=_rows(
        ("name", "tests"),
        name=_TEXT,
        tests=_rows(
            ("id", "title"),
            id=_TEXT,
            title=_TEXT,
            practices=_LIST,
            most=_NUMBER,
            unmapped=_TEXT,
            **{"automated-by": _LIST},
        ),
    ),
    bands=_rows(("above", "name"), above=_NUMBER, name=_TEXT),
    phases=_rows(
        ("name", "elements"),
        name=_TEXT,
        elements=_rows(("name",), name=_TEXT, practices=_LIST, note=_TEXT),
    ),
    blocks=_rows(
        ("key", "name", "question"),
        key=_TEXT,
        name=_TEXT,
        question=_TEXT,
        practices=_LIST,
        dilemma={"type": "boolean"},
    ),
    **{
        "met-by": {"type": "object", "additionalProperties": _LIST},
        "left-out-while-unknown": _LIST,
    },
)


@functools.cache
def _built_in() -> Mapping[str, MaturityModel]:
    models = [_read(name) for name in os.listdir(_MODELS) if name.endswith(".toml")]
    return {m.name: m for m in sorted(models, key=lambda m: (m.order, m.name))}


def _read(name: str) -> MaturityModel:
    with open(os.path.join(_MODELS, name), "rb") as file:
        return parse_model(file.read(), name)


def model_names() -> tuple[str, ...]:
    """Names of the built-in models, the default first."""
    return tuple(_built_in())


@functools.cache
def load_model(name: str) -> MaturityModel:
    """Read a built-in model.

    Raises:
        ConfigError: there is none of that name.
    """
    if name != "ladder":  # the default costs one file
        if name not in _built_in():
            known = model_names()
            hint = nearest(name, known) or f"; there are {', '.join(known)}, or a TOML file"
            raise ConfigError(f"model {name!r} does not exist{hint}")
        return _built_in()[name]
    return _read("ladder.toml")


def parse_level(model: MaturityModel, value: int | str) -> int:
    """Turn a level's number or name into its number.

    Raises:
        ConfigError: the model has no such level.
    """
    names = model.level_names()
    if isinstance(value, str):
        folded = {name.casefold(): number for number, name in names.items()}
        text = value.strip().casefold()
        number = folded.get(text)
        if number is None and text.isdecimal() and len(text) < 5:  # noqa: PLR2004 -- any level
            number = int(text)
    else:
        number = value
    if number is None or number not in names:
        hint = nearest(str(value), names.values())
        listed = ", ".join(f"{number} {name}" for number, name in names.items())
        raise ConfigError(f"{value!r} is no level of {model.name} ({listed}){hint}")
    return number


def parse_model(content: bytes, where: str) -> MaturityModel:
    """Read a model file.

    Args:
        content: the TOML file's bytes.
        where: its name, for messages.

    Raises:
        ConfigError: it is no TOML, has an unknown key, lacks one, or contradicts itself.
    """
    try:
        raw: Any = tomli.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        message = " ".join(str(error).split())
        raise ConfigError(f"{where}: not readable as TOML: {message}") from error
    for key, message in problems(raw, _MODEL):
        raise ConfigError(f"{where}: {key or 'the file'}: {message}")
    try:
        model = _build(raw)
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from error
    if not (model.levels or model.sections or model.phases or model.blocks):
        raise ConfigError(f"{where}: a {model.kind} without levels, sections, phases or blocks")
    numbers = [level.number for level in model.levels]
    if numbers != list(range(len(numbers))):
        raise ConfigError(f"{where}: levels: must be numbered 0, 1, 2 … in order")
    return model


def _need(text: str) -> Need:
    first, *others = (part.strip() for part in text.split("|"))
    return Need(first.removesuffix("~"), tuple(others), soft=first.endswith("~"))


def _build(raw: Any) -> MaturityModel:  # noqa: ANN401 -- a TOML document that `problems` passed
    levels = tuple(
        Level(
            number=row["number"],
            name=row["name"],
            meaning=row.get("meaning", ""),
            musts=tuple(_need(text) for text in row.get("must", ())),
            shoulds=tuple(row.get("should", ())),
        )
        for row in raw.get("levels", ())
    )
    return MaturityModel(
        name=raw["name"],
        title=raw["title"],
        kind=raw["kind"],
        sources=tuple(raw["sources"]),
        about=raw.get("about", ""),
        enough=raw.get("enough", ""),
        order=raw.get("order", 99),
        levels=levels,
        share=float(raw.get("share", 0.5)),
        catalogue=raw.get("asks") == "catalogue",
        met_by={key: tuple(value) for key, value in raw.get("met-by", {}).items()},
        approvable=frozenset(raw.get("approvable", ())),
        left_out_while_unknown=frozenset(raw.get("left-out-while-unknown", ())),
        reserved={key: parse_asks(value) for key, value in raw.get("reserved", {}).items()},
        remarks=dict(raw.get("remarks", {})),
        sections=_sections(raw),
        bands=tuple(Band(float(row["above"]), row["name"]) for row in raw.get("bands", ())),
        phases=_phases(raw),
        blocks=tuple(
            Block(
                row["key"],
                row["name"],
                row["question"],
                tuple(row.get("practices", ())),
                row.get("dilemma", False),
            )
            for row in raw.get("blocks", ())
        ),
    )


def _sections(raw: Any) -> tuple[Section, ...]:  # noqa: ANN401 -- as above
    return tuple(
        Section(
            row["name"],
            tuple(
                Test(
                    id=test["id"],
                    title=test["title"],
                    practices=tuple(test.get("practices", ())),
                    automated_by=tuple(test.get("automated-by", ())),
                    most=float(test.get("most", 1.0)),
                    unmapped=test.get("unmapped", ""),
                )
                for test in row["tests"]
            ),
        )
        for row in raw.get("sections", ())
    )


def _phases(raw: Any) -> tuple[Phase, ...]:  # noqa: ANN401 -- as above
    return tuple(
        Phase(
            row["name"],
            tuple(
                Cell(cell["name"], tuple(cell.get("practices", ())), cell.get("note", ""))
                for cell in row["elements"]
            ),
        )
        for row in raw.get("phases", ())
    )
