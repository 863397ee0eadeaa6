"""MON06: a threshold or a test result sends an alert."""

from __future__ import annotations

from mlops_audit.graph import Project
from mlops_audit.graph.alerts import Alert, alerts, stopping_monitors
from mlops_audit.graph.windows import production_evaluations
from mlops_audit.model import Evidence, Verdict, failed, hollow, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.monitoring._roles import nothing_served

_LOOKED_FOR = (
    "a threshold or test result on data, model or service that sends a message, raises an alarm or "
    "opens an issue"
)


@practice(
    id="MON06",
    title="A threshold or a failed check alerts people",
    assets="system",
    level="3s, 4M~, 5M",
    sources="S0 S1 S2 S4",
    fix="Send a message with metric and value when a monitoring check fails.",
    needs=("prediction",),
    attestable=True,
    template=(
        "src/<package>/monitoring/alert.py",
        "monitoring/rules.yml",
    ),
)
def alerting(project: Project) -> Verdict:
    """Alarms, alert rules, and messages that a result decides."""
    if verdict := nothing_served(project):
        return verdict
    known = alerts(project)
    found = tuple(a for a in known if a.where not in {"unloaded", "silent"})
    live = [a for a in found if a.where != "notebook"]
    full = [a for a in live if a.decided and a.named and a.where != "ci"]
    if full:
        return passed("A threshold or check sends an alert.", _shown(full))
    decided = [a for a in live if a.decided and a.where != "ci"]
    if decided:
        return partial("An alert is sent, and names neither metric nor value.", _shown(decided))
    noted = [a for a in found if a.where == "notebook" and not a.finished]
    if noted:
        return partial("The alert is set up in a notebook.", _shown(noted))
    always = [a for a in live if a.where == "code" and not a.finished]
    if always:
        return partial("A message is sent whatever the result.", _shown(always))
    if stopped := [*stopping_monitors(project), *_gated(project)]:
        return partial("A threshold fails a job that people see.", stopped)
    if on_ci := [a for a in live if a.where == "ci"]:
        return partial("Only CI alerts.", _shown(on_ci))
    if found:
        return hollow("The message only says that a job has finished.", _shown(list(found)),
                      looked_for=_LOOKED_FOR)  # fmt: skip
    if any(a.where == "silent" for a in known):
        return hollow("The alarm watches a metric that nothing here sends.", _shown(list(known)),
                      looked_for=_LOOKED_FOR)  # fmt: skip
    if known:
        return hollow("No Prometheus server here takes the file of the alert rules.",
                      _shown(list(known)), looked_for=_LOOKED_FOR)  # fmt: skip
    return failed("Nobody is told when a check fails.", looked_for=_LOOKED_FOR)


def _gated(project: Project) -> list[Evidence]:
    """Thresholds in the evaluation of the model in use."""
    paths = {e.span.path for e in production_evaluations(project)}
    gates = project.uses("evaluate.gate", test=False, notebook=False)
    return [g.evidence() for g in gates if g.path in paths]


def _shown(found: list[Alert]) -> list[Evidence]:
    return [a.evidence for a in found]
