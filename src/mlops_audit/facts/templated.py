"""YAML with `{{ … }}` and `{% … %}` in it (Helm, Jinja, cookiecutter), read as far as it goes."""

from __future__ import annotations

from mlops_audit.facts.decoding import decode
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.types import Unreadable
from mlops_audit.facts.yamlpos import load_yaml_all
from mlops_audit.regex import regex

__all__ = ["PLACEHOLDER", "load_templated"]

PLACEHOLDER = "TEMPLATED"
_HELM = regex(r"\{\{-?\s*(?:\.[A-Z]|if\b|range\b|with\b|include\b|template\b|define\b|\$|/\*)")
_WHERE = regex(r"\.Values((?:\.[\w\-]+)+)")


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
    plain = load_yaml_all(_filled(text), path)
    return found if isinstance(plain, Unreadable) else plain


def _filled(text: str) -> str:
    """The text with each `{{ … }}` and `{% … %}` replaced; linear in its length."""
    for opened, closed in (("{{", "}}"), ("{%", "%}")):
        parts: list[str] = []
        at = 0
        while (start := text.find(opened, at)) >= 0 and (end := text.find(closed, start)) >= 0:
            line_start = text.rfind("\n", at, start) + 1 or at
            line_end = text.find("\n", end)
            rest = text[end + 2 : line_end if line_end >= 0 else len(text)]
            inside = text[start : end + 2]
            whole_line = not text[line_start:start].strip() and not rest.strip()
            parts.append(text[at:start])
            parts.append("" if whole_line else _placeholder(inside))
            parts.append("\n" * inside.count("\n"))
            at = end + 2
        text = "".join(parts) + text[at:]
    return text


def _placeholder(inside: str) -> str:
    where = _WHERE.search(inside)
    return PLACEHOLDER + (where[1] if where else "")
