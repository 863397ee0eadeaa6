"""AUT11."""

from __future__ import annotations

from mlops_audit.graph import Project
from mlops_audit.graph.trained import Start
from mlops_audit.model import Evidence, Verdict, failed, hollow, partial, passed
from mlops_audit.practices.base import practice

_LOOKED_FOR = "a schedule, an event, new data or a signal that starts training and keeps the model"
_AUTOMATIC = {
    "schedule": "A schedule starts training",
    "data": "New data starts training",
    "event": "An event starts training",
    "signal": "An alarm starts training",
}
_IN_PART = {
    "push": "retraining runs on every change of the code",
    "route": "somebody sends a request that starts it",
    "manual": "a person starts the retraining job",
}


@practice(
    id="AUT11",
    title="Retraining runs without a person",
    assets="model",
    level="4M",
    sources="S0 S1 S3 S4",
    fix="Start the training pipeline on a schedule, and store or register the model it makes.",
    template=(
        ".github/workflows/train.yml",
        ".github/workflows/monitor.yml",
        ".github/workflows/verify.yml",
        "src/<package>/retraining/retrain.py",
        "src/<package>/retraining/replay.py",
    ),
    needs=("training",),
)
def continuous_training(project: Project) -> Verdict:
    """A live trigger other than a person or a code change that trains and keeps the model."""
    starts = project.starts
    live = [s for s in starts if not s.disabled]
    counting = [s for s in live if s.kind in _AUTOMATIC and s.kept and not s.default]
    if counting:
        return passed(f"{_AUTOMATIC[counting[0].kind]}.", _evidence(counting))
    started = [s for s in project.signals if s.starts and not s.constant]
    if started:
        return passed("A signal starts training.", list(started[0].evidence))
    default = [s for s in live if s.default]
    if default:
        return partial("Only the tool's default schedule starts training.", _evidence(default))
    weaker = [s for s in live if s.kind in _IN_PART and s.kept]
    if weaker:
        best = weaker[0]
        return partial(f"Training starts, but {_IN_PART[best.kind]}.", _evidence(weaker))
    paused = [s for s in starts if s.disabled]
    if paused:
        return hollow(
            f"The schedule never starts training: {paused[0].disabled}.",
            _evidence(paused),
            looked_for=_LOOKED_FOR,
        )
    dropped = [s for s in live if not s.kept]
    if dropped:
        return hollow(
            "Training runs, but its model is dropped.", _evidence(dropped), looked_for=_LOOKED_FOR
        )
    return failed("Nothing but a person's command starts training.", looked_for=_LOOKED_FOR)


def _evidence(found: list[Start]) -> list[Evidence]:
    return [e for s in found[:3] for e in (s.starts, s.trains)]
