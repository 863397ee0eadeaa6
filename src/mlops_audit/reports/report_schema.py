"""JSON Schema of the report that `-f json` writes."""

from __future__ import annotations

from mlops_audit.model import ASSETS, PRINCIPLES
from mlops_audit.reports.jsonable import FORMAT_VERSION

__all__ = ["report_schema"]

Schema = dict[str, object]

_TEXT: Schema = {"type": "string"}
_INTEGER: Schema = {"type": "integer"}
_FLAG: Schema = {"type": "boolean"}
_IDS: Schema = {"type": "array", "items": {"type": "string", "pattern": "^[A-Z]{3}[0-9]{2}$"}}
_SCORE: Schema = {"type": ["number", "null"], "minimum": 0, "maximum": 100}


def _or_null(kind: str) -> Schema:
    return {"type": [kind, "null"]}


def _object(**properties: Schema) -> Schema:
    """An object with all of these keys; more may be added by later versions."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _place(*, chain: Schema | None = None) -> Schema:
    found = _object(path=_TEXT, line=_or_null("integer"), detail=_TEXT)
    properties = found["properties"]
    if isinstance(properties, dict):
        properties["cell"] = {**_INTEGER, "minimum": 1}
        if chain is not None:
            properties["chain"] = _list(chain)
    return found


def _practice() -> Schema:
    outcomes = ["pass", "partial", "fail", "n/a", "unknown"]
    kinds: Schema = {"enum": ["must", "must~", "should"]}
    asked = _object(**{"level": _INTEGER, "as": kinds})
    return _object(
        id={"type": "string", "pattern": "^[A-Z]{3}[0-9]{2}$"},
        slug=_TEXT,
        title=_TEXT,
        principle={"enum": list(PRINCIPLES)},
        assets=_list({"enum": list(ASSETS)}),
        asked=_list(asked),
        outcome={"enum": outcomes},
        hollow=_FLAG,
        strength={"enum": ["found", "verified", "attested", None]},
        project=_or_null("string"),
        reason=_TEXT,
        looked_for=_or_null("string"),
        evidence={**_list(_place(chain=_place())), "maxItems": 10},
        evidence_total={**_INTEGER, "minimum": 0},
        fix=_object(step=_TEXT, template=_list(_TEXT)),
    )


def _level() -> Schema:
    following = _object(level=_INTEGER, name=_TEXT)
    return _object(
        reached={**_INTEGER, "minimum": 0},
        name=_TEXT,
        target=_or_null("integer"),
        target_met=_or_null("boolean"),
        next={"anyOf": [following, {"type": "null"}]},
        blocking=_IDS,
        should_share={"type": "number", "minimum": 0, "maximum": 1},
        profile=_list(_object(level=_INTEGER, musts=_INTEGER, met=_INTEGER)),
        missing=_IDS,
        remark=_or_null("string"),
    )


def _entry() -> Schema:
    return _object(
        practice=_TEXT,
        reason=_TEXT,
        owner=_TEXT,
        url=_or_null("string"),
        date=_or_null("string"),
        expires=_TEXT,
        expired=_FLAG,
    )


def _scores() -> Schema:
    assets = _object(**dict.fromkeys(ASSETS, _SCORE))
    return _object(
        total=_SCORE,
        principles=_object(**dict.fromkeys(PRINCIPLES, _SCORE)),
        assets=assets,
        matrix=_object(**dict.fromkeys(PRINCIPLES, assets)),
        principle_levels=_object(**dict.fromkeys(PRINCIPLES, _INTEGER)),
    )


def report_schema() -> Schema:
    """JSON Schema (draft 2020-12) of the report."""
    roles = _object(
        kind={"enum": ["trains", "serves", "library", "notebooks", "none"]},
        trains=_FLAG,
        serves={"enum": ["service", "batch", "command", "demo", "none"]},
        evidence=_list(_place(chain=_place())),
    )
    repository = _object(
        path=_TEXT, commit=_or_null("string"), dirty=_FLAG, files=_INTEGER, unread=_INTEGER
    )
    change = _object(practice=_TEXT, before=_TEXT, after=_TEXT, worse=_FLAG)
    body = _object(
        format_version={"const": FORMAT_VERSION},
        tool=_object(name={"const": "mlops-audit"}, version=_TEXT),
        repository=repository,
        roles=roles,
        projects=_list(_object(path=_TEXT, name=_TEXT)),
        model=_TEXT,
        level=_level(),
        models={
            "type": "object",
            "additionalProperties": _object(kind={"enum": ["ladder", "score", "shares", "blocks"]}),
        },
        scores=_scores(),
        practices=_list(_practice()),
        diagnostics=_list(_object(path=_TEXT, line=_or_null("integer"), message=_TEXT)),
        attestations=_list(_entry()),
        waivers=_list(_entry()),
    )
    properties = body["properties"]
    if isinstance(properties, dict):  # only where a gate or a baseline was asked for
        properties["gate"] = _object(met=_FLAG, reasons=_list(_TEXT))
        properties["against"] = _object(
            against=_TEXT,
            level=_or_null("integer"),
            changes=_list(change),
            new=_list(_TEXT),
            gone=_list(_TEXT),
        )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Report of mlops-audit",
        **body,
    }
