"""VER07: computed features are tracked with the data that they come from."""

from __future__ import annotations

import re

from mlops_audit.graph import Project
from mlops_audit.graph.called import is_called
from mlops_audit.graph.features import feature_code
from mlops_audit.graph.stores import LIBRARY, aside, feature_outputs, platform_steps
from mlops_audit.model import Evidence, Verdict, failed, not_applicable, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_TABLE = regex(r"(^|[/_-])features?[\w-]*\.(csv|parquet|feather|pkl|arrow)$", re.IGNORECASE)
_OF_FEATURES = regex(r"feature|transform|preprocess|encod|scal", re.IGNORECASE)


@practice(
    id="VER07",
    title="Computed features are versioned",
    assets="data",
    level="4s",
    sources="S2 S3 S4",
    fix="Make the features an output of a stage in dvc.yaml, or write them to a feature store.",
    template=("dvc.yaml", "src/<package>/features/build_features.py"),
    needs=("training",),
)
def features_versioned(project: Project) -> Verdict:
    """Judge where computed features go."""
    if project.roles.kind == "library":
        return not_applicable(LIBRARY)
    stores = [
        u for u in project.uses("feature.store", test=False)
        if (u.call is None or is_called(project, u.path, u.scope)) and not aside(project, u)
    ]  # fmt: skip
    if stores:
        return passed("features live in a feature store", [u.evidence() for u in stores[:5]])
    outputs = feature_outputs(project)
    if outputs:
        return passed("feature outputs are tracked outputs of the pipeline", outputs[:5])
    code = feature_code(project)
    platform = platform_steps(project)
    if platform and code:
        made = [e for e in platform if _OF_FEATURES.search(e.detail)] or platform
        return passed("a platform versions the output of each step, features too", made[:3])
    if code:
        return partial(
            "features are computed by versioned code, their outputs are not tracked", code[:5]
        )
    loose = _read_from_nowhere(project)
    if loose:
        return failed(
            "training reads a file of features that nothing here computes or tracks",
            looked_for="feature outputs of a pipeline stage, or a feature store",
            evidence=loose[:3],
        )
    return not_applicable("no features are computed here beyond what the fitted model does itself")


def _read_from_nowhere(project: Project) -> list[Evidence]:
    """Reads, in code that trains, of a feature table that is neither in git nor in DVC."""
    found = []
    tracked = {entry.path for entry, _ in project.dvc.tracked()}
    for path in sorted(project.roles.training):
        module = project.modules.get(path)
        for call in module.calls if module is not None else ():
            first = call.arg(0)
            name = first.literal if first is not None else None
            if not isinstance(name, str) or not call.method.startswith("read_"):
                continue
            if _TABLE.search(name) and not project.has(name) and name not in tracked:
                found.append(Evidence(call.span, call.told))
    return found
