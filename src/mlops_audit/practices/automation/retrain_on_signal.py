"""AUT12."""

from __future__ import annotations

from mlops_audit.graph import Project
from mlops_audit.model import Verdict, failed, hollow, partial, passed
from mlops_audit.practices.base import practice

_LOOKED_FOR = "code in which drift, a drop of quality or new data starts training"


@practice(
    id="AUT12",
    title="A signal starts retraining",
    assets="model",
    level="4s",
    sources="S0 S1 S3 S4",
    fix="Let the drift check start the training pipeline when it finds drift.",
    template=(
        ".github/workflows/monitor.yml",
        ".github/workflows/train.yml",
        "src/<package>/retraining/watch.py",
        "src/<package>/retraining/replay.py",
    ),
    needs=("training",),
)
def retrain_on_signal(project: Project) -> Verdict:
    """A branch, condition or event on drift, quality or new data that trains."""
    found = project.signals
    live = [s for s in found if not s.constant]
    starting = [s for s in live if s.starts]
    if starting:
        return passed("A signal starts retraining.", [e for s in starting[:3] for e in s.evidence])
    if live:
        return partial(
            "The signal only asks people to retrain.", [e for s in live[:3] for e in s.evidence]
        )
    if found:
        return hollow("The signal is a constant.", list(found[0].evidence), looked_for=_LOOKED_FOR)
    cron = [s for s in project.starts if s.kind == "schedule"]
    return failed(
        "Cron alone starts retraining." if cron else "No signal starts retraining.",
        looked_for=_LOOKED_FOR,
        evidence=[s.starts for s in cron[:2]],
    )
