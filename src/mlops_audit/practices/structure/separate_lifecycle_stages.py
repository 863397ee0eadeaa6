"""STR06: feature, training and inference code are apart."""

from __future__ import annotations

from mlops_audit.graph import Project
from mlops_audit.graph.stages import find_stages
from mlops_audit.graph.training import programs
from mlops_audit.model import Verdict, failed, not_applicable, partial, passed
from mlops_audit.practices.base import practice

_LOOKED_FOR = "modules or commands of their own for features, training and inference"


@practice(
    id="STR06",
    title="Features, training and inference are separate",
    assets="code",
    level="3s",
    sources="S0 S4",
    fix="Split the script into build_features, train_model and predict_model.",
    template=(
        "src/<package>/features/build_features.py",
        "src/<package>/models/train_model.py",
        "src/<package>/models/search_parameters.py",
        "src/<package>/models/predict_model.py",
        "src/<package>/serving/app.py",
    ),
    needs=("training",),
)
def separate_lifecycle_stages(project: Project) -> Verdict:
    """Compare which modules do the work of each stage."""
    stages = find_stages(project)
    left = [s for s in (stages.features, stages.training, stages.inference) if s]
    if not stages.training:
        return failed("No code trains a model here.", looked_for=_LOOKED_FOR)
    if project.roles.kind == "library" and not programs(project, stages.training.files):
        return failed("No program of the library trains.", looked_for=_LOOKED_FOR)
    if len(left) == 1:
        return not_applicable(f"There is only {left[0].name} here, nothing to keep apart.")
    others = {s.name: frozenset().union(*(o.files for o in left if o is not s)) for s in left}
    shown = [s.shown(others[s.name]) for s in left]
    questions = []
    if stages.features:
        questions.append(stages.features_apart)
    if stages.inference:
        questions.append(stages.inference_apart or stages.training_apart)
    names = ", ".join(s.name for s in left)
    if all(questions):
        return passed(f"Separate modules hold {names}.", shown)
    if any(questions):
        together = "features" if not questions[0] else "training and inference"
        return partial(f"Of {names}, two are separate; {together} are not apart.", shown)
    return failed(f"One module does all of {names}.", looked_for=_LOOKED_FOR, evidence=shown)
