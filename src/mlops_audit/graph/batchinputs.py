"""What a platform's batch job is given to predict, through names and tables of settings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Call, Module
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["predicts_test_data"]

_INPUT = regex(
    r"\b(?:data|s3_?uri|input_paths?|input_data|gcs_source\w{0,10}|source_uris?)[\"']?\s*[:=]\s*"
    r"\[?\s*[rf]?[\"']([^\"'\n]{3,200})",
    re.IGNORECASE,
)
_TEST = regex(r"(^|[/_.-])(test|validation|validate|holdout)([/_.-]|$)", re.IGNORECASE)
_KEY = regex(r"\b\w{1,40}(\[[\"']\w{1,40}[\"']\])")  # `config["transform"]`
_HOPS = 3
_TEXT = 4000


def predicts_test_data(project: Project, path: str, call: Call) -> bool:
    """Whether every place that the job's data is read from is that of the test data."""
    module = project.modules[path]
    places = [p for text in _told(project, module, call) for p in _INPUT.findall(text)]
    return bool(places) and all(_TEST.search(p) for p in places)


def _told(project: Project, module: Module, call: Call) -> list[str]:
    """The text of a call and of what its names stand for, also in a module of settings."""
    texts = [call.text[:_TEXT]]
    seen: set[str] = set()
    modules = [module, *_settings(project, module)]
    for _ in range(_HOPS):
        text = " ".join(texts)
        names = set(re.findall(r"[A-Za-z_]\w*", text)) - seen
        keys = set(_KEY.findall(text)) - seen
        seen |= names | keys
        texts += [
            a.value.text[:_TEXT]
            for m in modules
            for a in m.assigns
            if (m is module and names & set(a.targets))
            or any(t.endswith(k) for t in a.targets for k in keys)
        ]
    return texts


def _settings(project: Project, module: Module) -> list[Module]:
    """The project's modules that a module imports."""
    found = (project.index.resolve(i.dotted, module.path) for i in module.imports)
    paths = dict.fromkeys(s.path for s in found if s is not None and s.path != module.path)
    return [project.modules[p] for p in paths if p in project.modules]
