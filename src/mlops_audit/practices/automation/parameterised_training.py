"""AUT03."""

from __future__ import annotations

from mlops_audit.graph import Project
from mlops_audit.model import Evidence, Verdict, failed, hollow, partial, passed
from mlops_audit.practices.automation._parameters import (
    sources_of_settings,
    tunes_training,
    unread_settings,
)
from mlops_audit.practices.base import practice

_LOOKED_FOR = "settings of the training that come from a file or the command line"
_NAMED = {"file": "a file", "arguments": "the command line"}
_IN_PART = {
    "places": "only paths, names or dates come from outside",
    "env": "the settings come from environment variables",
    "module": "the settings are constants of a module",
}


def _of_earlier_stages(project: Project) -> Evidence | None:
    """A hyperparameter that a stage of a DVC pipeline declares, in a file that is here."""
    for pipeline in project.dvc.pipelines:
        for stage in pipeline.stages:
            for file, key in stage.params:
                if project.has(file) and tunes_training(key.rsplit(".", 1)[-1]):
                    return Evidence(stage.span, f"stage {stage.name} takes {key} from {file}")
    return None


@practice(
    id="AUT03",
    title="Training takes its settings from outside the code",
    assets="model",
    level="1s",
    sources="S1 S4",
    fix="Move the hyperparameters into params.yaml and read them in the training program.",
    template=(
        "params.yaml",
        "src/<package>/params.py",
        "src/<package>/models/train_model.py",
        "src/<package>/models/search_parameters.py",
    ),
    needs=("training",),
)
def parameterised_training(project: Project) -> Verdict:
    """A file or arguments with more than places, read by a program that trains."""
    found = sources_of_settings(project)
    counting = [s for s in found if s.kind in {"file", "arguments"}]
    if counting:
        best = counting[0]
        kinds = dict.fromkeys(s.kind for s in counting[:3])
        words = " and ".join(_NAMED[k] for k in kinds)
        return passed(
            f"Training takes its settings from {words}.",
            [*(s.evidence for s in counting[:3]), best.training],
        )
    if found:
        best = found[0]
        return partial(
            f"Training is set from outside in part: {_IN_PART[best.kind]}.",
            [best.evidence, best.training],
        )
    for use in project.uses("notebook.execute"):
        if "-p " in use.detail or "parameters" in use.detail:
            return partial("Only notebooks that a tool runs know the settings.", use.evidence())
    declared = _of_earlier_stages(project)
    if declared is not None:
        return partial("Only the steps before training take settings from a file.", declared)
    unread = unread_settings(project)
    if unread is not None:
        return hollow(
            "No training program reads the settings file.", unread, looked_for=_LOOKED_FOR
        )
    return failed("The settings of the training are constants in the code.", looked_for=_LOOKED_FOR)
