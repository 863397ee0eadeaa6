"""YAML with `{{ … }}` and `{% … %}` in it (Helm, Jinja, cookiecutter), read as far as it goes."""

from __future__ import annotations

import re

from mlops_audit.facts.nodes import Node
from mlops_audit.facts.types import Unreadable
from mlops_audit.facts.yamlpos import decode, load_yaml_all

__all__ = ["PLACEHOLDER", "load_templated"]

PLACEHOLDER = "TEMPLATED"
_COMMENT = re.compile(r"\{\{-?\s*/\*.{0,20000}?\*/\s*-?\}\}", re.DOTALL)
_WHOLE_LINE = re.compile(
    r"^[ \t]*(?:\{\{[^\n]{0,2000}?\}\}|\{%[^\n]{0,2000}?%\})[ \t]*$", re.MULTILINE
)
_INLINE = re.compile(r"\{\{[^\n]{0,2000}?\}\}|\{%[^\n]{0,2000}?%\}")
_HELM = re.compile(r"\{\{-?\s*(?:\.[A-Z]|if\b|range\b|with\b|include\b|template\b|define\b|\$|/\*)")
_WHERE = re.compile(r"\.Values((?:\.[\w\-]+)+)")


def load_templated(data: bytes, path: str) -> tuple[Node, ...] | Unreadable:
    """All documents, with template expressions replaced by placeholders on the same lines.

    A line that is nothing but an expression goes; an expression that names a value of
    `values.yaml` becomes `TEMPLATED.the.value`.
    """
    found = load_yaml_all(data, path)
    text = decode(data)
    if text is None or "{" not in text:
        return found
    # Unquoted `{{ .Values.x }}` happens to be YAML, a map in a map, and means something else.
    if not isinstance(found, Unreadable) and not _HELM.search(text):
        return found
    text = _COMMENT.sub(lambda match: "\n" * match[0].count("\n"), text)
    text = _WHOLE_LINE.sub("", text)
    plain = load_yaml_all(_INLINE.sub(_placeholder, text), path)
    return found if isinstance(plain, Unreadable) else plain


def _placeholder(match: re.Match[str]) -> str:
    where = _WHERE.search(match[0])
    return PLACEHOLDER + (where[1] if where else "")
