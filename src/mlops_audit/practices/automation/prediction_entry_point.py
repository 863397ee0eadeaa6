"""AUT17."""

from __future__ import annotations

from mlops_audit.graph import Project
from mlops_audit.graph.predicting import Prediction
from mlops_audit.model import Evidence, Verdict, failed, hollow, partial, passed
from mlops_audit.practices.base import practice

_LOOKED_FOR = (
    "a service, a batch job, a stream consumer or a command that loads the trained model and "
    "predicts for given input"
)
_NAMED = {
    "service": "a service that predicts",
    "stream": "a consumer of a stream that predicts",
    "batch": "a batch job that predicts and stores",
    "command": "a command that predicts for given input",
}
_IN_PART = {
    "function": "only a predict function",
    "demo": "only a demo app",
    "evaluation": "only for the data of training and testing",
}


@practice(
    id="AUT17",
    title="The trained model is used through code",
    assets="system",
    level="2s, 3M",
    sources="S1 S4",
    fix="Write a service or a batch command that loads the stored model and predicts for input.",
    template=(
        "src/<package>/serving/app.py",
        "src/<package>/serving/batch.py",
        "src/<package>/models/predict_model.py",
    ),
)
def prediction_entry_point(project: Project) -> Verdict:
    """A service, batch job, stream consumer or command that predicts with a stored model."""
    found = project.predictions
    counting = [p for p in found if p.counts]
    own = [p for p in counting if not project.is_example(p.path)]
    if own:
        best = own[0]
        return passed(f"{best.path} is {_NAMED[best.kind]}.", _evidence(own))
    if project.config.roles.serving:
        named = [e for p in found for e in p.evidence[:1]]
        if named:
            return passed("The configuration names the code that serves.", named)
    if counting:
        return partial(f"{counting[0].path} predicts, but only as an example.", _evidence(counting))
    weaker = [p for p in found if p.kind in _IN_PART]
    if weaker:
        best = weaker[0]
        return partial(f"{best.path} predicts, but {_IN_PART[best.kind]}.", _evidence(weaker))
    clients = [p for p in found if p.kind == "client"]
    if clients:
        return hollow(
            f"{clients[0].path} calls a service that is not in this repository.",
            _evidence(clients),
            looked_for=_LOOKED_FOR,
        )
    noted = [u for u in project.uses("predict.call", notebook=True) if u.notebook]
    if noted:
        return failed(
            "The model predicts in notebook cells only.",
            looked_for=_LOOKED_FOR,
            evidence=[u.evidence() for u in noted[:3]],
        )
    return failed("No code predicts with a trained model.", looked_for=_LOOKED_FOR)


def _evidence(found: list[Prediction]) -> list[Evidence]:
    """The best way in full, and the first line of the others."""
    return [*found[0].evidence, *(p.evidence[0] for p in found[1:6])]
