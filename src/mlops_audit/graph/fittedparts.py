"""A fitted transformer that training stores and serving loads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Call, Module
from mlops_audit.graph.features import feature_code
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
_PIPELINE = regex(
    r"^(sklearn|imblearn)\.pipeline\.(Pipeline|make_pipeline)$|pyspark\.ml\.Pipeline$"
)
_PREPARES = regex(
    r"preproc|transformer|scaler|encod|vectori[sz]|imput|tf-?idf|normali[sz]|prep\b|one_?hot|pca|binar",
    re.IGNORECASE,
)
_ASIDE = regex(r"(^|/)(notebooks?|experiments?|examples?|exploration)/", re.IGNORECASE)


def shared_transformer(project: Project, serving: frozenset[str] | None = None) -> list[Evidence]:
    """The fitted transformer that training stores and serving loads, where nothing else computes.

    Features that are also computed by hand can differ between the two: then it says too little.

    Args:
        project: the project.
        serving: the modules that predict for use; None for those that play this role.
    """
    serving = project.roles.serving if serving is None else serving
    if travelling := _with_the_model(project):
        return travelling
    # What a function of that name makes is computed by hand, too.
    if any(e.chain or not _FITS.search(e.detail) for e in feature_code(project)):
        return []
    named = {
        side: {f.name for m in project.source if (m.path in serving) is side for f in m.functions}
        for side in (True, False)
    }
    same = (named[True] & named[False]) - {"process"}  # which says nothing of what is done
    if any(_CLEANS.search(name) for name in same):
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
    if both:
        return [loaded[both[0]], stored[both[0]]]
    return _in_one_pipeline(project, serving)


def _in_one_pipeline(project: Project, serving: frozenset[str]) -> list[Evidence]:
    """A pipeline of transformers and model, fitted by training and loaded as a whole by serving."""
    loads = [
        use.evidence()
        for use in project.uses("model.load", "registry.load", test=False, notebook=False)
        if use.path in serving
    ]
    if not loads or any(
        c.method in {"transform", "get_dummies", "fit_transform"} and not _PIPELINE.search(c.name)
        for m in project.source
        if m.path in serving
        for c in m.calls
    ):
        return []
    for module in project.source:
        if module.path in serving or _ASIDE.search(module.path):
            continue
        for call in module.calls:
            steps = _steps(call, module) if _PIPELINE.search(call.name) else ()
            *before, last = steps or ("",)
            if not _PREPARES.search(last) and any(_PREPARES.search(s) for s in before):
                return [loads[0], Evidence(call.span, call.told)]
    return []


def _steps(call: Call, module: Module) -> tuple[str, ...]:
    """The steps of a pipeline as they are written."""
    if call.method == "make_pipeline":
        return tuple(a.text for a in call.args)
    given = call.arg(0, "steps") or call.kw("stages")
    if given is not None and not given.items and given.text.isidentifier():
        given = next((a.value for a in module.assigns if given.text in a.targets), given)
    return tuple(i.text for i in given.items) if given is not None else ()


def _with_the_model(project: Project) -> list[Evidence]:
    """The project's own transformers, where all features are theirs and the model is loaded.

    As steps of the fitted model they are stored and loaded with it.
    """
    computed = [e for e in feature_code(project) if not e.span.path.endswith(".ipynb")]
    loads = project.uses("model.load", "registry.load", test=False, notebook=False)
    if not computed or not loads or not all(_in_a_transformer(project, e) for e in computed):
        return []
    return [loads[0].evidence(), computed[0]]


def _in_a_transformer(project: Project, place: Evidence) -> bool:
    """Whether a place lies in a class that scikit-learn fits and applies as a step."""
    module = project.modules.get(place.span.path)
    line = place.span.line or 0
    return module is not None and any(
        (c.span.line or 0) <= line <= c.end_line
        and any(b.endswith("TransformerMixin") for b in c.bases)
        for c in module.classes
    )


def _words(call: Call) -> set[str]:
    text = " ".join([call.text[:200], *call.targets])
    return {m[1].lower()[:9] for m in _FITTED.finditer(text)}
