"""MON07: a dashboard or report of monitoring results is defined as code."""

from __future__ import annotations

import re

from mlops_audit.graph import Project
from mlops_audit.graph.called import is_called
from mlops_audit.graph.sightings import Sighting, sightings
from mlops_audit.model import Evidence, Span, Verdict, failed, hollow, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.monitoring._roles import nothing_served
from mlops_audit.regex import regex

_LOOKED_FOR = (
    "Grafana JSON, an Evidently report or UI, a Streamlit monitor, a cloud dashboard as code"
)
_MONITOR = regex(r"monitor|drift|observab|performance_dash|model_health", re.IGNORECASE)
_LARGE = 5_000_000  # bytes
# CloudWatch and Datadog: widgets that show metrics, logs or alarms.
_CLOUD_WIDGET = regex(
    r'"type"\s*:\s*"(metric|log|alarm)"|"layout_type"\s*:|"(timeSeriesFilter|metrics)"\s*:'
)
_PANELS = regex(r'"(panels|rows|widgets)"\s*:\s*\[\s*\{|"gridPos"')


@practice(
    id="MON07",
    title="A monitoring dashboard or report is defined as code",
    assets="system",
    level="4s",
    sources="S0",
    fix="Keep the Grafana dashboard as JSON in the repository, or generate a report per period.",
    needs=("prediction",),
    attestable=True,
    template=("monitoring/grafana/dashboard.json",),
)
def dashboard(project: Project) -> Verdict:
    """Dashboards with panels, generated reports, and apps that show monitoring results."""
    if verdict := nothing_served(project):
        return verdict
    found = [
        s
        for s in sightings(project, "dashboard.define")
        if not s.notebook and not project.is_example(s.path)
    ]
    defined = _apps(project)
    told = {e.span.path for e in defined if e.span.line is None}
    defined[:0] = [
        s.evidence
        for s in found
        if _defines(project, s) and not (s.where == "file" and s.path in told)
    ]
    if defined:
        return passed("A dashboard or report of monitoring results is defined here.", defined)
    empty = [s.evidence for s in found if s.where in {"image", "file"}]
    if empty:
        return hollow("A dashboard server without a dashboard.", empty, looked_for=_LOOKED_FOR)
    return failed("No monitoring dashboard or report is defined.", looked_for=_LOOKED_FOR)


def _defines(project: Project, item: Sighting) -> bool:
    if item.where == "image":
        return False
    if item.where == "file":
        return item.path.endswith(".json") and bool(_PANELS.search(project.text(item.path) or ""))
    return True


def _apps(project: Project) -> list[Evidence]:
    """Apps whose file says that they monitor."""
    found = []
    for use in project.uses("serve.demo", test=False, notebook=False):
        named = _MONITOR.search(use.path) and not project.is_example(use.path)
        if use.where == "call" and named and is_called(project, use.path, use.scope):
            found.append(use.evidence())
    for path in project.glob("**/*.json"):
        size = project.entry(path).size or 0
        if "dashboard" in path.lower() and 0 < size < _LARGE:
            text = project.text(path) or ""
            if not _PANELS.search(text):
                continue
            if "schemaVersion" in text or "datasource" in text:
                found.append(Evidence(Span(path), "Grafana dashboard"))
            elif _CLOUD_WIDGET.search(text):
                found.append(Evidence(Span(path), "dashboard of a cloud's monitor"))
    return found
