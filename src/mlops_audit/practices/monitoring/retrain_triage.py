"""MON13: before retraining, code checks the data, the schema and the shift."""

from __future__ import annotations

import re

from mlops_audit.graph import Project
from mlops_audit.graph.sightings import sightings
from mlops_audit.model import Evidence, Verdict, failed, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.monitoring._triage import triages
from mlops_audit.regex import regex

_LOOKED_FOR = (
    "checks of validity, schema and outliers between the signal or the new data and the retraining"
)
_OUTLIER = regex(
    r"outlier|consecutive|persist|confirm(ed)?_drift|min_(rows|samples|drift)|isolat", re.IGNORECASE
)
_NEW_DATA = regex(r"new_?data|incoming|fresh_?data|batch_?data", re.IGNORECASE)
_SCHEMA = regex(r"schema|columns|dtypes|ExampleValidator|pandera", re.IGNORECASE)


@practice(
    id="MON13",
    title="A retraining is preceded by checks of data, schema and shift",
    assets="model",
    level="4s",
    sources="S0",
    fix="Validate the new data and its schema, and confirm the shift, before training starts.",
    needs=("training", "prediction"),
    template=(
        "src/<package>/retraining/triage.py",
        "src/<package>/retraining/loop.py",
        "src/<package>/retraining/replay.py",
        "src/<package>/data/checks.py",
    ),
)
def retrain_triage(project: Project) -> Verdict:
    """Checks that stop a retraining which a signal, a schedule or new data has started."""
    reasons = _retrains(project)
    if not reasons:
        return failed("No retraining on a signal or on new data.", looked_for=_LOOKED_FOR)
    whole = next((t for t in triages(project) if t.whole), None)
    if whole is not None:
        return passed("Data, schema and shift are checked before retraining.", whole.evidence)
    checks = _checks(project)
    outliers = _outliers(project, {e.span.path for e in reasons} | {c.span.path for c in checks})
    if checks and outliers and any(_SCHEMA.search(c.detail) for c in checks):
        return passed("Data, schema and shift are checked before retraining.", [*checks, *outliers])
    if checks or outliers:
        return partial("Some of validity, schema and shift is checked before retraining.",
                       [*checks, *outliers, *reasons[:1]])  # fmt: skip
    return failed(
        "Retraining follows its signal at once.", looked_for=_LOOKED_FOR, evidence=reasons[:3]
    )


def _retrains(project: Project) -> list[Evidence]:
    """What starts a retraining without a person, or brings new data into one."""
    found = [s.evidence[0] for s in project.signals if s.starts and not s.constant]
    found += [
        s.starts
        for s in project.starts
        if not s.disabled and s.kind in {"data", "event", "webhook", "signal"}
    ]
    for pipeline in project.dvc.pipelines:
        found += [
            Evidence(stage.span, f"stage {stage.name}")
            for stage in pipeline.stages
            if _NEW_DATA.search(stage.name)
        ]
    return found


def _checks(project: Project) -> list[Evidence]:
    """Checks of data that stop the run, and validators of a training pipeline."""
    found = [
        c.evidence
        for c in project.validation.checks
        if c.where == "code" and c.stops and c.called and not c.soft
    ]
    found += [
        s.evidence
        for s in sightings(project, "data.validate")
        if not s.notebook and "Validator" in s.evidence.detail
    ]
    return list(dict.fromkeys(found))[:5]


def _outliers(project: Project, paths: set[str]) -> list[Evidence]:
    """Conditions on outliers or on a lasting shift, in the modules concerned."""
    found = []
    for path in sorted(paths):
        module = project.modules.get(path)
        if module is not None:
            found += [
                Evidence(b.span, f"if {b.test}") for b in module.branches if _OUTLIER.search(b.test)
            ]
    return found
