"""Comparisons of a fine-tuned model with the model that it started from, or with zero-shot use."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.code import Module
from mlops_audit.graph import Project
from mlops_audit.graph.sourcelines import text_span
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

__all__ = ["base_models"]

_ZERO_SHOT = regex(r"zero[_ -]?shot$", re.IGNORECASE)
_HUB = regex(r"[\w.-]{2,60}/[\w.-]{3,80}$")  # a model's name on a hub
_MODEL = regex(r"model|checkpoint|\bllms?\b", re.IGNORECASE)
_FILE = regex(r"\.\w{1,5}$|^(data|models?|src|configs?|outputs?|results?)/")


def base_models(project: Project, module: Module) -> Iterator[Evidence]:
    """Zero-shot runs, and the base model in a list of models, in a module that computes metrics."""
    for text in module.texts:
        if _ZERO_SHOT.match(text.value) and not text.doc:
            yield Evidence(text.span, f"evaluates {text.value}")
            break
    if module.notebook or module.path in project.roles.training:
        return
    started = _started_from(project)
    for assign in module.assigns:
        named = _MODEL.search(assign.targets[0]) and not assign.value.is_call
        items = assign.value.items if named else ()
        for item in items if len(items) > 1 else ():
            name = item.literal
            if isinstance(name, str) and _is_hub(name) and name.startswith(started):
                place = text_span(project, assign.span, name)
                yield Evidence(place, f"{assign.targets[0]} holds the base model {name}")


def _started_from(project: Project) -> tuple[str, ...]:
    """Models on a hub that the code which trains loads or names as its model."""
    found: set[str] = set()
    for path in project.roles.training:
        module = project.modules.get(path)
        if module is None:
            continue
        found |= {t.value for t in module.texts if _MODEL.search(t.context) and not t.doc}
        for call in module.calls:
            if call.method == "from_pretrained" and call.args:
                found.add(str(call.args[0].literal))
    return tuple(sorted(name for name in found if _is_hub(name)))


def _is_hub(name: str) -> bool:
    return bool(_HUB.match(name)) and not _FILE.search(name.removesuffix(".1"))
