"""A fitted transformer that training stores and serving loads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Call
from mlops_audit.graph.features import feature_code, of_transformers
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["shared_transformer"]

# What the fitted part of the features is called where it is stored and loaded.
_FITTED = regex(
    r"(?<![A-Za-z])(transformer|preprocess(?:or|ing)?|scaler|encoder|vectori[sz]er|imputer|binning|"
    r"tokenizer|normali[sz]er)s?(?![A-Za-z])",
    re.IGNORECASE,
)
_CLEANS = regex(
    r"clean|normali|process|lemma|stem|stop_?word|lower|remov|featur|prepare|transform|encode",
    re.IGNORECASE,
)
_DUMPS = regex(r"(^|\.)(dump|save|save_object|save_pickle|dump_pickle|save_bin|to_disk)$")
_LOADS = regex(r"(^|\.)(load|load_object|load_pickle|load_bin|from_disk)$")


_FITS = regex(r"\.(fit_)?transform\(|tensorflow_transform|\btft\.")


def shared_transformer(project: Project) -> list[Evidence]:
    """The fitted transformer that training stores and serving loads, where nothing else computes.

    Features that are also computed by hand can differ between the two: then it says too little.
    """
    if travelling := _with_the_model(project):
        return travelling
    serving = project.roles.serving
    # What a function of that name makes is computed by hand, too.
    if any(e.chain or not _FITS.search(e.detail) for e in feature_code(project)):
        return []
    named = {
        side: {f.name for m in project.source if (m.path in serving) is side for f in m.functions}
        for side in (True, False)
    }
    if any(_CLEANS.search(name) for name in named[True] & named[False]):
        return []  # a copy of what prepares the input
    stored: dict[str, Evidence] = {}
    loaded: dict[str, Evidence] = {}
    for module in project.source:
        for call in module.calls:
            if module.path in serving and _LOADS.search(call.name):
                for word in _words(call):
                    loaded.setdefault(word, Evidence(call.span, call.told))
            elif module.path not in serving and _DUMPS.search(call.name):
                for word in _words(call):
                    stored.setdefault(word, Evidence(call.span, call.told))
    applied = any(
        c.method == "transform" for p in serving if p in project.modules
        for c in project.modules[p].calls
    )  # fmt: skip
    both = sorted(set(stored) & set(loaded)) if applied else []
    return [loaded[both[0]], stored[both[0]]] if both else []


def _with_the_model(project: Project) -> list[Evidence]:
    """The project's own transformers, where all features are theirs and the model is loaded.

    As steps of the fitted model they are stored and loaded with it.
    """
    computed = [e for e in feature_code(project) if not e.span.path.endswith(".ipynb")]
    modules = [m for p in {e.span.path for e in computed} if (m := project.modules.get(p))]
    own = {e.span for module in modules for e in of_transformers(module)}
    loads = project.uses("model.load", "registry.load", test=False, notebook=False)
    if not computed or not loads or any(e.span not in own for e in computed):
        return []
    return [loads[0].evidence(), computed[0]]


def _words(call: Call) -> set[str]:
    text = " ".join([call.text[:200], *call.targets])
    return {m[1].lower()[:9] for m in _FITTED.finditer(text)}
