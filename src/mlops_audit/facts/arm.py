"""Azure: the resources that Bicep files and ARM templates declare."""

from __future__ import annotations

import re

from mlops_audit.facts.decoding import decode
from mlops_audit.facts.resources import Resource
from mlops_audit.facts.types import Unreadable
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = ["read_arm"]

_BLOCK_COMMENT = regex(r"/\*.*?\*/", re.DOTALL)
_TYPE = r"[A-Za-z]\w{0,60}(?:\.\w{1,60}){1,4}(?:/\w{1,60}){1,6}"
_BICEP = regex(
    rf"^[ \t]*resource[ \t]+(\w{{1,100}})[ \t]+'({_TYPE})(?:@[\w.\-]{{1,40}})?'[ \t]*(existing\b)?",
    re.MULTILINE,
)
_TEMPLATE = regex(rf'^[ \t]*\{{?[ \t]*"type"[ \t]*:[ \t]*"({_TYPE})"', re.MULTILINE)


def read_arm(path: str, data: bytes) -> tuple[Resource, ...] | Unreadable:
    """The resources of a file; those that Bicep only refers to (`existing`) are left out.

    `kind` is the type without its version (`Microsoft.Portal/dashboards`), `name` Bicep's symbol.
    """
    text = decode(data)
    if text is None:
        return Unreadable(Span(path), "no text")
    if path.lower().endswith(".json"):
        return tuple(
            Resource("arm", found[1], "", path, Span(path, _line(text, found.start(1))))
            for found in _TEMPLATE.finditer(text)
        )
    text = _BLOCK_COMMENT.sub(lambda found: "\n" * found[0].count("\n"), text)
    return tuple(
        Resource("bicep", found[2], found[1], path, Span(path, _line(text, found.start(1))))
        for found in _BICEP.finditer(text)
        if not found[3]
    )


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1
