"""MON04: distributions of training and production are compared."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.code import Value
from mlops_audit.graph import Project
from mlops_audit.graph.called import is_called
from mlops_audit.graph.settings import settings
from mlops_audit.graph.sightings import Sighting, sightings
from mlops_audit.graph.windows import drift_code
from mlops_audit.model import Evidence, Verdict, failed, hollow, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_LOOKED_FOR = (
    "Evidently, NannyML, Alibi Detect, whylogs, TFDV, Deepchecks, statistical tests or a cloud "
    "monitor that compares production data with a reference"
)
_NAMES = {"data": "data drift", "target": "target drift", "concept": "concept drift"}
_SPLITS = regex(r"TrainTest|train_test", re.IGNORECASE)
_LIVE = regex(r"prod|current|monitor|drift|new|live|serving|batch|incoming", re.IGNORECASE)
# What asks Vertex AI's monitor for a comparison, as a key of its requests.
_DETECTS = regex(
    r"training_?prediction_?skew_?detection_?config|prediction_?drift_?detection_?config",
    re.IGNORECASE,
)
_SIGNALS = regex(r"(^|\.)(monitoring_signals|quality_monitors)\b")


@practice(
    id="MON04",
    title="Training and production data are compared for drift",
    assets="data",
    level="3M",
    sources="S0 S1 S3 S4",
    fix="Compare each batch of production data with the training data, with a test per column.",
    needs=("prediction",),
    template=(
        "src/<package>/monitoring/drift.py",
        "src/<package>/monitoring/monitor.py",
        "src/<package>/monitoring/checks.py",
    ),
)
def drift_detection(project: Project) -> Verdict:
    """Drift tools that are called or configured, and drift computed by the project's own code."""
    found = [s for s in sightings(project, "drift.detect") if _real(project, s)]
    found += drift_code(project)
    programs = [s for s in found if not s.notebook]
    if programs:
        programs.sort(key=lambda s: bool(_SPLITS.search(s.evidence.detail)))
        return passed(
            f"{_kinds(programs)} is looked for with {_tools(programs)}.",
            [s.evidence for s in programs],
        )
    if configured := [*_configured(project), *_requested(project)]:
        return passed("A platform's monitor looks for drift.", configured)
    if found:
        return partial(
            f"{_kinds(found)} is looked for in a notebook only.", [s.evidence for s in found]
        )
    if imported := _imported(project):
        return hollow("A drift tool is imported, and nothing is compared.", imported,
                      looked_for=_LOOKED_FOR)  # fmt: skip
    return failed("Nothing compares production data with training data.", looked_for=_LOOKED_FOR)


def _real(project: Project, item: Sighting) -> bool:
    """Whether production data can be on one side: not the two halves of a training set alone."""
    if item.where == "file":
        return False
    if project.is_example(item.path):
        return False
    if item.use is None or not _SPLITS.search(item.evidence.detail):
        return True
    module = project.modules[item.path]
    function = module.function(item.use.scope)
    words = (
        [item.path, item.use.scope, *(p.name for p in function.params if function)]
        if function
        else [item.path]
    )
    return any(_LIVE.search(w) for w in words)


def _configured(project: Project) -> list[Evidence]:
    """Signals of a monitor in a settings file (Azure ML, Databricks)."""
    return [
        s.evidence()
        for s in settings(project)
        if _SIGNALS.search(s.key) and s.name in {"type", "table_name", "baseline_table_name"}
    ]


def _requested(project: Project) -> list[Evidence]:
    """Requests of a cloud's monitor that code writes out as a message (Vertex AI)."""
    found = []
    for module in project.source:
        if project.is_example(module.path):
            continue
        values = [(a.span, a.scope, a.value) for a in module.assigns]
        values += [(c.span, c.scope, v) for c in module.calls for v in c.args]
        for span, scope, value in values:
            key = next((k for k in _keys(value) if _DETECTS.fullmatch(k)), None)
            if key is not None and is_called(project, module.path, scope):
                found.append(Evidence(span, f"a request with {key}"))
    return found


def _keys(value: Value) -> Iterator[str]:
    """The keys of a dictionary and of those inside it."""
    yield from value.keys
    for item in value.items:
        yield from _keys(item)


def _kinds(found: list[Sighting]) -> str:
    kinds = [_NAMES[s.kind] for s in found if s.kind in _NAMES]
    names = ", ".join(dict.fromkeys(kinds)) or "drift"
    return names[0].upper() + names[1:]


def _tools(found: list[Sighting]) -> str:
    return ", ".join(dict.fromkeys(s.tool for s in found))


def _imported(project: Project) -> list[Evidence]:
    """Imports of tools for drift alone."""
    tools = {"evidently", "nannyml", "alibi_detect", "frouros", "torchdrift"}
    return [
        Evidence(item.span, f"imports {item.module}")
        for module in project.source
        for item in module.imports
        if item.root in tools
    ]
