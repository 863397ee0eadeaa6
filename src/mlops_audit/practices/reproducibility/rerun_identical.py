"""REP09: two runs in two clones give the same bytes; only a run can show it."""

from __future__ import annotations

from mlops_audit.graph import Project
from mlops_audit.model import Verdict, unknown
from mlops_audit.practices.base import practice


@practice(
    id="REP09",
    title="A second run gives identical outputs",
    assets="data, model",
    level="4s",
    sources="S0 S1 S3 S4",
    fix="Run the pipeline in two clean clones and compare the hashes of data, model and metrics.",
    template=("dvc.yaml", "dvc.lock"),
    needs=("training",),
)
def rerun_identical(project: Project) -> Verdict:
    """Reading cannot tell; the roles decide whether it applies."""
    del project
    return unknown("not run")
