"""Results in files: metrics and figures that code writes or the rules of a Snakefile declare."""

from __future__ import annotations

import re

from mlops_audit.facts.code import Call, Module
from mlops_audit.graph import Project
from mlops_audit.graph.called import is_called
from mlops_audit.graph.rulefiles import rule_outputs
from mlops_audit.model import Evidence
from mlops_audit.practices.tracking._records import HOLDER, own_calls
from mlops_audit.regex import regex

__all__ = ["DUMPS", "metrics_files", "ruled_metrics", "saved_figures"]

DUMPS = frozenset(
    ["dump", "save", "safe_dump", "write", "write_text", "save_json", "save_yaml", "write_json",
     "write_yaml", "to_json", "to_yaml", "to_csv", "save_dict"]
)  # fmt: skip
_METRICS = regex(
    r"metric|score|\bresults?\b|evaluation|accuracy|\bauc\b|rmse|\bmae\b|\bmse\b|\bf1\b|report|"
    r"_loss|history|performance|\b(train|test|val|valid|eval|epoch|log)_stats\b",
    re.IGNORECASE,
)
# Words for whatever a program gives, and what tells that it is a model's quality.
_LOOSE = regex(r"\bresults?\b|report|performance", re.IGNORECASE)
_MEASURE = regex(
    r"metric|scor(e|ing)|accura|(^|[^a-z])f1|auc|rmse|mape|(^|[^a-z])(mae|mse|r2|iou|dice|bleu|rouge)"
    r"([^a-z]|$)|loss|precision|recall|perplex|evaluat|latency|benchmark",
    re.IGNORECASE,
)
_TABLE = regex(r"\.(tsv|csv|json|ya?ml|txt|feather|parquet)$")
_PICTURE = regex(r"\.(png|svg|pdf|html|jpe?g)$")
# A line that names the measure before its value: f"Accuracy = {score:.2f}".
_TOLD_FIGURE = regex(
    r"[fF][\"'](\\n|[^{}\w])*([\w ]{0,30} )?(accuracy|f1|auc|rmse|mae|mse|r2|precision|recall)"
    r"[\w ]{0,20}\s*[=:]\s*\{",
    re.IGNORECASE,
)
# One figure, written as it is: `file.write(str(f1_score))`.
_FIGURE = regex(r"(str|repr)\(\w+\)$")
_NO_METRICS = regex(r"predict|config|param|vocab|label|token", re.IGNORECASE)
_FIGURES = frozenset({"savefig", "write_image", "write_html", "imsave", "save_fig", "to_html"})


def ruled_metrics(project: Project) -> list[Evidence]:
    """Metrics files that a rule of a Snakefile declares as its outputs."""
    return [
        evidence
        for name, evidence in rule_outputs(project)
        if _TABLE.search(name)
        and _METRICS.search(name.replace("_", " "))
        and not _NO_METRICS.search(name)
    ]


def metrics_files(project: Project) -> list[Evidence]:
    """Metrics that code writes into machine-readable files."""
    found = []
    for module, call in own_calls(project):
        if call.method not in DUMPS or module.path.endswith("setup.py"):
            continue
        given = " ".join(v.text[:120] for v in (*call.args[:2], *(v for _, v in call.kwargs[:2])))
        if call.method in {"to_csv", "to_json"}:
            if _is_part(module, call):
                continue
            given = f"{call.receiver} {given}"
        given = HOLDER.sub("", given)
        if call.method in {"write", "dump"} and not _METRICS.search(given):
            given += _handed(project, module, call)
        if not _METRICS.search(given) or _NO_METRICS.search(given):
            continue
        if not _METRICS.search(_LOOSE.sub("", given)) and not _measures(project, module):
            continue
        if _structured(call) and is_called(project, module.path, call.scope):
            found.append(Evidence(call.span, call.told))
    return found


def _measures(project: Project, module: Module) -> bool:
    """Whether a module names a measure of quality: a report may also be one of data."""
    return module.notebook or bool(_MEASURE.search(project.text(module.path) or ""))


def _is_part(module: Module, call: Call) -> bool:
    """Whether a table that is written is some rows of another: `no_score = df[df.score.isna()]`."""
    made = [a.value.text for a in module.assigns if call.receiver in a.targets]
    parts = [re.match(r"(\w+)\[.*[<>=(&|~]", text) for text in made]
    return bool(made) and all(m is not None and not _METRICS.search(m[1]) for m in parts)


def _handed(project: Project, module: Module, call: Call) -> str:
    """What callers hand a function that writes its parameter: `write_event(log, **metrics)`."""
    function = module.function(call.scope)
    if function is None or not call.args:
        return ""
    text = call.args[0].text
    if not any(re.search(rf"\b{re.escape(p.name)}\b", text) for p in function.params):
        return ""
    return " ".join(
        f" {key}={value.text[:60]}"
        for other, asked in own_calls(project)
        if asked.method == function.name
        and any(
            s.path == module.path and s.qualname == function.qualname
            for s in project.index.targets(asked, other.path)
        )
        for key, value in asked.kwargs
    )


def _structured(call: Call) -> bool:
    """Whether a call writes JSON, YAML or CSV rather than a pickle or a model."""
    if call.name.startswith(("pickle.", "joblib.", "torch.", "numpy.")):
        return False
    if call.method in {"write", "write_text"}:
        given = call.arg(0)
        text = given.text if given is not None else ""
        told = _FIGURE.match(text) or _TOLD_FIGURE.match(text)
        return "dumps(" in call.text or bool(told)
    return call.method != "save" or "yaml" in call.text or "json" in call.text


def saved_figures(project: Project) -> list[Evidence]:
    """Figures and reports that code writes into files."""
    found = []
    for module, call in own_calls(project):
        # `to_html` without a place hands its text back.
        writes = call.method in _FIGURES and (
            call.args or (call.kwargs and call.method != "to_html") or call.kw("buf")
        )
        if writes and is_called(project, module.path, call.scope):
            found.append((module.notebook, Evidence(call.span, call.told)))
    ruled = [e for name, e in rule_outputs(project) if _PICTURE.search(name)]
    return [*(e for _, e in sorted(found, key=lambda f: f[0])), *ruled]
