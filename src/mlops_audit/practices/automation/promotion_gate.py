"""AUT13."""

from __future__ import annotations

from mlops_audit.graph import Project
from mlops_audit.model import Verdict, failed, hollow, partial, passed
from mlops_audit.practices.base import practice

_LOOKED_FOR = (
    "code on the way to registry, promotion or deployment that lets only a model pass whose metric "
    "meets a threshold or beats the current model's"
)
_IN_PART = {
    "training": "The gate looks at a metric of the training data.",
    "best-of-new": "The best of the new runs is promoted, without a look at what serves.",
    "report": "The metrics are shown to the person who promotes; nothing holds a bad model back.",
}
_HOLLOW = {
    "inverted": "The gate lets the worse model pass.",
    "constant": "The gate is a constant: it lets every model pass, or none.",
    "logged": "The comparison is logged, and the model is promoted anyway.",
}


@practice(
    id="AUT13",
    title="Only a good enough model is promoted",
    assets="model",
    level="4M",
    sources="S0 S1 S3 S4",
    fix="Compare the candidate's metric with the current model's before registering it.",
    template=(
        "src/<package>/registry/gate.py",
        "src/<package>/retraining/publish.py",
        "src/<package>/registry/manage.py",
        "src/<package>/registry/versions.py",
    ),
    needs=("training",),
)
def promotion_gate(project: Project) -> Verdict:
    """A comparison of metrics on which registration, promotion or deployment depends."""
    gates = project.gates
    for gate in gates:
        if gate.kind == "metric":
            return passed("A model passes only if its metric is good enough.", list(gate.evidence))
    for gate in gates:
        if gate.kind in _IN_PART:
            return partial(_IN_PART[gate.kind], list(gate.evidence))
    for gate in gates:
        return hollow(_HOLLOW[gate.kind], list(gate.evidence), looked_for=_LOOKED_FOR)
    return failed("No metric decides whether a model is promoted.", looked_for=_LOOKED_FOR)
