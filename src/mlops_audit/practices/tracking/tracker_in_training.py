"""TRK01: training or evaluation code calls an experiment tracker."""

from __future__ import annotations

from mlops_audit.graph import Project
from mlops_audit.graph.trackers import Tracked, tracked
from mlops_audit.model import Evidence, Verdict, failed, hollow, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.tracking._pipeline_records import declared_metrics, locked_params
from mlops_audit.practices.tracking._records import is_about_a_model

_LOOKED_FOR = (
    "calls of MLflow, W&B, Comet, Neptune, DVCLive, ClearML, Aim, ZenML, Vertex, SageMaker or "
    "Azure ML runs in training or evaluation code, or such a logger in its settings"
)
_TRACKERS = frozenset(
    ["mlflow", "wandb", "comet_ml", "neptune", "clearml", "aim", "dvclive", "trackio", "swanlab"]
)
_RECORDS = frozenset(
    ["tracker.run", "tracker.params", "tracker.metrics", "tracker.artifacts", "tracker.model",
     "tracker.autolog"]
)  # fmt: skip


@practice(
    id="TRK01",
    title="Training calls an experiment tracker",
    assets="model",
    level="2M~",
    sources="S0 S2 S3 S4",
    fix="Start a run of a tracker in the training program and log its parameters and metrics.",
    template=("src/<package>/models/track_dvclive.py",),
    needs=("training",),
)
def tracker_in_training(project: Project) -> Verdict:
    """A tracker that is on, in a program or, where only notebooks train, in a notebook."""
    found = [t for t in tracked(project) if t.capability in _RECORDS | {"tracker.local"}]
    found = [t for t in found if not t.notebook or is_about_a_model(project, t.evidence.span.path)]
    on = [t for t in found if t.standing == "on"]
    programs = [t for t in on if not t.notebook]
    if programs:
        return passed(f"{_tools(programs)} {_verb(programs)} the runs.", _shown(programs))
    if on and not _scripted(project):
        said = f"{_tools(on)} {_verb(on)} the runs in the notebooks that train."
        return passed(said, _shown(on))
    if verdict := _partly(project, found, on):
        return verdict
    off = [t for t in tracked(project) if t.standing == "off"]
    if off:
        return hollow(f"{_tools(off)} is disabled.", _shown(off), looked_for=_LOOKED_FOR)
    if imported := _imported(project):
        return hollow(
            "A tracker is imported, and no run is recorded.", imported, looked_for=_LOOKED_FOR
        )
    return failed("No tracker records training or evaluation.", looked_for=_LOOKED_FOR)


def _partly(project: Project, found: list[Tracked], on: list[Tracked]) -> Verdict | None:
    if on:
        return partial(
            f"{_tools(on)} is called in notebooks only, beside the scripted training.", _shown(on)
        )
    local = [t for t in found if t.standing == "local"]
    if local:
        return partial(f"Runs are logged to {_tools(local)} only.", _shown(local))
    switch = [t for t in found if t.standing == "switch"]
    if switch:
        return partial(
            f"{_tools(switch)} stands behind a switch that nothing tracked turns on.",
            _shown(switch),
        )
    recorded = [*locked_params(project), *declared_metrics(project)]
    if recorded and project.dvc.locks:
        return partial("The DVC pipeline records parameters and metrics of its last run.", recorded)
    return None


def _scripted(project: Project) -> bool:
    """Whether a program trains, beside notebooks."""
    return any(not p.endswith(".ipynb") for p in project.roles.training)


def _shown(found: list[Tracked]) -> list[Evidence]:
    return [t.evidence for t in found]


def _tools(found: list[Tracked]) -> str:
    return ", ".join(dict.fromkeys(t.tool for t in found))


def _verb(found: list[Tracked]) -> str:
    return "record" if len({t.tool for t in found}) > 1 else "records"


def _imported(project: Project) -> list[Evidence]:
    """Imports of trackers outside tests."""
    return [
        Evidence(item.span, f"imports {item.module}")
        for module in project.own_code
        for item in module.imports
        if item.root in _TRACKERS
    ]
