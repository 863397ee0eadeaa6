"""TRK02: the parameters of a run are recorded."""

from __future__ import annotations

from mlops_audit.graph import Project
from mlops_audit.model import Verdict, failed, hollow, not_applicable, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.tracking._pipeline_records import locked_params, platform_params
from mlops_audit.practices.tracking._records import records, told_params
from mlops_audit.practices.tracking._run_settings import snapshots

_LOOKED_FOR = (
    "log_param, autolog, a run's config, parameters in a committed dvc.lock, or settings that the "
    "code saves with each run"
)


@practice(
    id="TRK02",
    title="The parameters of each run are recorded",
    assets="model",
    level="3s",
    sources="S0 S2 S3 S4",
    fix="Log the parameters of the run to the tracker, or declare them in dvc.yaml.",
    template=(
        "dvc.yaml",
        "params.yaml",
        "dvc.lock",
        "src/<package>/models/track_dvclive.py",
    ),
    needs=("training",),
)
def params_logged(project: Project) -> Verdict:
    """Logged to a tracker, recorded by the pipeline, or saved by the code with each run."""
    if logged := told_params(project):
        return passed("Parameters are logged to the tracker.", logged)
    if recorded := locked_params(project):
        return passed("The pipeline records the parameters of its last run.", recorded)
    if stepped := platform_params(project):
        return passed("The platform records the parameters of each run's steps.", stepped)
    if not project.roles.trains:
        return not_applicable("nothing trains")
    if saved := snapshots(project):
        return passed("The code keeps the settings of each run.", saved)
    off = [t.evidence for t in records(project, "tracker.params", standing="switch")]
    off += [t.evidence for t in records(project, "tracker.params", standing="off")]
    if off:
        return hollow(
            "Parameters would be logged, but the tracker is switched off.",
            off,
            looked_for=_LOOKED_FOR,
        )
    return failed("Nothing records the parameters of a run.", looked_for=_LOOKED_FOR)
