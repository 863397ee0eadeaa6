"""TST19: code explains the model and keeps the result."""

from __future__ import annotations

import re

from mlops_audit.facts.code import Call, Module
from mlops_audit.graph import Project
from mlops_audit.graph.called import is_called
from mlops_audit.graph.sourcelines import text_span
from mlops_audit.graph.training import programs
from mlops_audit.model import Evidence, Span, Verdict, failed, hollow, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.testing._tools import imported
from mlops_audit.regex import regex

_NEAR = 12  # lines of a statement
_LOOKED = (
    "permutation importance, SHAP, LIME, Captum, partial dependence, importances or coefficients "
    "with feature names"
)
_NAMES = ("feature_importances_", "coef_", "get_score", "get_fscore", "feature_importance")
_BARE = "coef_"  # a bare array of numbers, unless code puts names to it
# Of XGBoost's boosters: a tokenizer, a game and a search have scores to get, too.
_OF_BOOSTERS = frozenset({"get_score", "get_fscore"})
_BOOSTERS = frozenset({"xgboost", "lightgbm"})
_NAMED = regex(r"columns|feature_?names|get_feature_names|\bzip\(|feature_names_in_|\bindex=")
_OWN = regex(r"\bself\.(feature_importances_|coef_)")  # what an estimator learns, not reads
_COUNTED = regex(r"\w[\w.]{0,60}\.coef_(\[\d\]){1,2}(?=\s*([*/+-]|\)))")
_LIBRARIES = frozenset({"shap", "lime", "captum", "eli5", "alibi", "interpret", "dalex", "omnixai"})
_KEEPS = regex(
    r"savefig|save|dump|to_(csv|json|parquet|html)|write|log_|logged|log$|plot|show|bar|figure|st\.|"
    r"next_step|upload|add_|return|DataFrame|Series|zip",
    re.IGNORECASE,
)
_STORES = regex(
    r"savefig|^save|dump|^to_(csv|json|parquet|html)|^write|^log|upload|plot|show|^bar|figure",
    re.IGNORECASE,
)
_SHOWS = regex(r"^(print|show|barh?|plot|display|head)$")
_LASTS = regex(
    r"^(savefig|save\w*|\w*dumps?|to_\w+|write\w*|log\w*|\w*upload\w*|add_\w+|put\w*|send\w*|next_step|"
    r"pyplot|dataframe|bar_chart|plotly_chart|append|update|extend)$"
)
_AFTER = 25  # lines of a program in which it does something with what it read
_STEPS = 4  # names that a value is followed through


@practice(
    id="TST19",
    title="Code explains the model and keeps the result",
    assets="model",
    level="4s",
    sources="S2 S4",
    fix="Compute permutation importance on test data in the evaluation and store it as a figure.",
    template=(
        "src/<package>/models/evaluate_model.py",
        "src/<package>/visualization/visualize.py",
        "src/<package>/models/quality.py",
    ),
    needs=("training",),
)
def explainability(project: Project) -> Verdict:
    """Look for explanations in code, then in notebooks."""
    code: list[Evidence] = []
    notes: list[Evidence] = []
    library = project.roles.kind == "library"  # its classes explain the models of others
    started = programs(project, project.modules) if library else frozenset(project.modules)
    for path, module in sorted(project.modules.items()):
        if path in project.test_files or path not in started:
            continue
        for evidence, scope in _explains(project, module):
            noted = module.notebook or _shown_in_notebooks(project, module, scope)
            (notes if noted else code).append(evidence)
    if code:
        return passed("code explains the model", code)
    if notes:
        return partial("the model is explained in a notebook only", notes)
    named = imported(project, _LIBRARIES)
    if named:
        return hollow("a library for explanations is imported and not used", named,
                      looked_for=_LOOKED)  # fmt: skip
    return failed("nothing explains the model", looked_for=_LOOKED)


def _shown_in_notebooks(project: Project, module: Module, scope: str) -> bool:
    """Whether a function only returns what it finds, and nothing but notebooks asks it."""
    function = module.function(scope)
    if function is None or any(_STORES.search(c.method) for c in module.calls_in(scope)):
        return False
    callers = {
        other.notebook
        for other in project.own_code
        if any(c.method == function.name for c in other.calls)
    }
    return callers == {True}


def _only_printed(project: Project, module: Module, scope: str) -> bool:
    """Whether a function only returns what it reads, and all that ask it print the answer."""
    function = module.function(scope)
    if function is None or any(_LASTS.match(c.method) for c in module.calls_in(scope)):
        return False
    asked = [
        (other, call)
        for other in project.source
        for call in other.calls
        if call.method == function.name
    ]
    return bool(asked) and all(
        any(c.method == "print" and call.text in c.text for c in other.calls_in(call.scope))
        for other, call in asked
    )


def _only_shown(module: Module, place: Span, scope: str, name: str) -> bool:
    """Whether a program prints or draws what it read for the one who watches, and keeps nothing."""
    if module.notebook:
        return False
    start = module.flat(place)
    inside = module.calls_in(scope) if scope else module.calls_within((start, start + _AFTER))
    calls = [c for c in inside if module.flat(c.span) >= start]
    if not any(_SHOWS.match(c.method) for c in calls) or any(_LASTS.match(c.method) for c in calls):
        return False
    function = module.function(scope)
    held = {name}
    for _ in range(_STEPS):
        held |= {
            target
            for a in module.assigns
            if a.scope == scope and any(h in a.value.text for h in held)
            for target in a.targets
        }
    returned = [v.text for v in function.returns] if function is not None else []
    return not any(re.search(rf"\b{re.escape(h)}\b", text) for h in held for text in returned)


def _others(text: str) -> str:
    """The text without an estimator's own attribute, and single coefficients that are reckoned."""
    return _COUNTED.sub("", _OWN.sub("", text))


def _is_named(project: Project, module: Module, name: str, scope: str) -> bool:
    """Whether coefficients stand beside the names of their features, where they are read."""
    if name != _BARE or module.notebook:
        return True
    lines = project.lines(module.path)
    function = module.function(scope)
    if function is not None:
        lines = lines[(function.span.line or 1) - 1 : function.end_line]
    return any(_NAMED.search(line) for line in lines)


def _never_asked(module: Module, call: Call) -> bool:
    """Whether an explainer is built, and nothing is explained with it."""
    if not call.method.endswith("Explainer"):
        return False
    if call.targets and any(t.rsplit(".", 1)[-1] in module.names for t in call.targets):
        return False
    return not any(
        other is not call and other.text.startswith(call.text) and len(other.text) > len(call.text)
        for other in module.calls
    )


def _explains(project: Project, module: Module) -> list[tuple[Evidence, str]]:
    found = [
        (u.evidence(), u.scope)
        for u in project.uses_in(module.path)
        if u.capability == "explain.compute"
        and is_called(project, module.path, u.scope)
        and not (u.call is not None and _never_asked(module, u.call))
    ]
    lines = {  # functions that only fit a line through points, for a feature
        u.scope
        for u in project.uses_in(module.path)
        if u.details is not None and u.details.kind == "curve"
    }
    for name in _NAMES:
        if name not in module.names or not any(_KEEPS.search(c.name) for c in module.calls):
            continue
        text = "" if module.notebook else project.text(module.path) or ""
        if not module.notebook and name not in _OWN.sub("", text):
            continue
        if name in _OF_BOOSTERS and not (
            _BOOSTERS.intersection(module.roots) or "importance_type" in text or "booster" in text
        ):
            continue
        told = [(a.span, a.scope) for a in module.assigns if name in _others(a.value.text)]
        told += [(c.span, c.scope) for c in module.calls if name in _others(c.text)]
        if any(f.name == name for f in module.functions):
            continue  # a function of the project's own that has the name
        if not told and _COUNTED.search(project.text(module.path) or ""):
            continue
        if told and all(scope in lines for _, scope in told):
            continue
        told = [(span, scope) for span, scope in told if _is_named(project, module, name, scope)]
        if not told and name == _BARE:
            continue
        if told and all(_only_shown(module, span, scope, name) for span, scope in told):
            continue
        if told and all(_only_printed(project, module, scope) for _, scope in told):
            continue
        place, scope = told[0] if told else (Span(module.path), "")
        shown = Evidence(text_span(project, place, name, (place.line or 1) + _NEAR), name)
        found.append((shown, scope))
    return found
