"""Promotions: the calls that register, promote, push or deploy a model."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_audit.facts.code import Call, Module
from mlops_audit.graph.scopes import Scope, scopes, uses_of
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["PROMOTES", "Promotion", "promotions"]

# What the tool catalogue calls the step that a gate stands before.
PROMOTES = ("registry.register", "registry.promote", "deploy.run", "model.push")
_BY_NAME = regex(
    r"(^|_)(promote|push_model|model_pusher|deploy_model|model_deployer|publish_model|register_model|"
    r"transition|replace_model|update_production|set_champion|move_to_prod\w*|initiate_model_"
    r"pusher|start_model_pusher|update_serving|release_model)",
    re.IGNORECASE,
)
_FILES = regex(r"^(copy|copy2|copyfile|copytree|move|rename|replace|upload_file|upload_blob|"
                    r"upload_from_filename|sync_folder_to_s3|save_model|dump|save|put_object|"
                    r"log_artifact|fput_object)$")  # fmt: skip
_PLACES = regex(
    r"prod(uction)?([^a-z]|$)|deploy|serving|champion|saved_models|pusher|release|best_model",
    re.IGNORECASE,
)
_NEAR = 12  # scopes of a function that promotes


class Promotion(Struct, frozen=True):
    """A call that registers, promotes or deploys a model."""

    module: Module
    call: Call
    evidence: Evidence


def promotions(project: Project) -> list[Promotion]:
    """The calls outside tests that register, promote, push or deploy a model."""
    found: dict[Span, Promotion] = {}
    for use in project.uses(*PROMOTES, notebook=False):
        if use.call is not None and not (use.details and use.details.kind == "docs"):
            module = project.modules[use.path]
            found.setdefault(use.span, Promotion(module, use.call, use.evidence()))
    for module in project.source:
        for call in module.calls:
            named = _BY_NAME.search(call.method) and call.name.startswith((":", ".", "?"))
            around = f"{call.scope} {call.text[:200]}"
            filed = _FILES.match(call.method) and _PLACES.search(around) and not call.loops
            if call.runs and (named or (filed and "model" in around.lower())):
                place = Evidence(call.span, call.told)
                place = _inside_of(project, module, call, place)
                found.setdefault(call.span, Promotion(module, call, place))
    return [found[s] for s in sorted(found, key=lambda s: (s.path, s.line or 0))]


def _inside_of(project: Project, module: Module, call: Call, place: Evidence) -> Evidence:
    """The tool's own call within the project's function that promotes, else the call of that."""
    roots = [Scope(s.path, s.qualname) for s in project.index.targets(call, module.path)]
    for use in uses_of(project, scopes(project, roots, limit=_NEAR)) if roots else ():
        if use.capability in PROMOTES:
            return use.evidence((place,))
    return place
