"""What DVC keeps that is a trained model: by its name, or as what a stage that trains makes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_audit.graph.datasets import is_model_path
from mlops_audit.graph.memo import once
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.facts.dvctypes import DvcPipeline, DvcStage
    from mlops_audit.graph.project import Project

__all__ = ["is_dvc_model", "trained_outs"]

# What a training stage writes beside the model.
_BESIDE = regex(
    r"metric|score|plot|report|logs?(/|$)|pred|data|feature|figure|image|split|embed|"
    r"\.(csv|tsv|parquet|json|ya?ml|txt|html|md|png|svg|npy|npz)$",
    re.IGNORECASE,
)


def is_dvc_model(project: Project, path: str) -> bool:
    """Whether an output that DVC tracks is a model."""
    return is_model_path(path) or path.rstrip("/") in trained_outs(project)


@once
def trained_outs(project: Project) -> frozenset[str]:
    """Outputs of stages that train which no name tells, and which a later stage needs.

    Where an output of the stage is named like a model, that one is it.
    """
    found: set[str] = set()
    for pipeline in project.dvc.pipelines:
        for stage in pipeline.stages:
            outs = [o.path.rstrip("/") for o in stage.outs if o.cached]
            if not outs or any(map(is_model_path, outs)) or not _trains(project, stage):
                continue
            beside = {p.path.rstrip("/") for p in (*stage.metrics, *stage.plots)}
            needed = _needed(pipeline, stage)
            found |= {o for o in outs if o in needed - beside and not _BESIDE.search(o)}
    return frozenset(found)


def _trains(project: Project, stage: DvcStage) -> bool:
    """Whether a program that the stage depends on trains."""
    return any(dep.path in project.roles.training for dep in stage.deps)


def _needed(pipeline: DvcPipeline, stage: DvcStage) -> set[str]:
    return {d.path.rstrip("/") for s in pipeline.stages if s is not stage for d in s.deps}
