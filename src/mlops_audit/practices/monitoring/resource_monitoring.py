"""MON12: CPU, GPU, memory, disk, network or cost is monitored."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.graph import Project
from mlops_audit.graph.settings import settings, switch
from mlops_audit.graph.sightings import Sighting, resources, sightings
from mlops_audit.graph.sourcelines import keyword_span
from mlops_audit.graph.trackers import tracked
from mlops_audit.model import Evidence, Span, Verdict, failed, not_applicable, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.monitoring._roles import nothing_served
from mlops_audit.regex import regex

_LOOKED_FOR = (
    "node exporter, cAdvisor, psutil or pynvml in the service, a tracker's system metrics switched "
    "on, a budget or a cloud monitor"
)
# Trackers that record CPU, GPU and memory of a run unless told not to.
_BY_DEFAULT = frozenset({"Weights & Biases", "Comet", "Neptune", "ClearML", "Aim", "SwanLab"})
_SCALES = ("HorizontalPodAutoscaler",)
_LARGE = 5_000_000  # bytes; a larger file is data
# Metrics of CloudWatch, of node exporter and cAdvisor, and of DCGM.
_PANEL = regex(
    r"\b(CPU|Memory|GPU|GPUMemory|Disk)Utilization\b|\bnode_(cpu|memory|disk|filesystem)_\w{1,40}|"
    r"\bcontainer_(cpu|memory)_\w{1,40}|\bDCGM_FI_\w{1,40}|\bprocess_(cpu|resident)_\w{1,40}"
)
_MFU = regex(r"\b\w*mfu\b", re.IGNORECASE)  # model FLOPs utilisation
_SHOWS = frozenset(
    {"print", "info", "debug", "warning", "error", "log", "write", "echo", "append", "set_postfix"}
)


@practice(
    id="MON12",
    title="Resources are monitored",
    assets="system",
    level="4s",
    sources="S0 S2 S3 S4",
    fix="Add a node exporter beside the service, or switch on the tracker's system metrics.",
    needs=("prediction",),
    attestable=True,
    template=("src/<package>/serving/resources.py",),
)
def resource_monitoring(project: Project) -> Verdict:
    """Monitors that the project set up; defaults and printed figures count in part."""
    if verdict := nothing_served(project):
        return verdict
    found = [
        s
        for s in sightings(project, "resource.monitor")
        if not s.notebook
        and not project.is_example(s.path)
        and not s.evidence.detail.startswith(_SCALES)
    ]
    kept = [s for s in found if s.where not in {"call", "command"} or _keeps(project, s)]
    configured = [s.evidence for s in kept] + _switched(project) + list(_panels(project))
    configured += [*_ruled(project), *_insights(project)]
    if configured:
        return passed("Resources are monitored by something the project set up.", configured)
    shown = [s.evidence for s in found if _is_shown(project, s)] + _utilisation(project)
    if shown:
        return partial("Use of resources is printed or logged.", shown)
    if not project.roles.has("prediction"):
        return not_applicable("nothing predicts for use")
    default = [t for t in tracked(project) if t.standing == "on" and t.tool in _BY_DEFAULT]
    if default:
        # It is the run, not what is logged to it, that brings the system's metrics.
        runs = [t for t in default if t.capability == "tracker.run"] or default
        return partial(
            f"Only what {runs[0].tool} records of a run by default.",
            [_recorded(t.evidence, runs[0].tool) for t in runs[:3]],
        )
    exported = [
        s.evidence
        for s in sightings(project, "metrics.export")
        if s.tool == "Prometheus" and s.where == "call" and not s.notebook
        if not _own_registry(project, s)
    ]
    if exported:
        shown = [_recorded(e, "the exporter") for e in exported[:3]]
        return partial("Only the exporter's default process metrics.", shown)
    return failed("Resources are not monitored.", looked_for=_LOOKED_FOR)


def _recorded(evidence: Evidence, tool: str) -> Evidence:
    """What starts a tool that records the system's figures by default."""
    told = f"what {tool} records by default: {evidence.detail}"
    return Evidence(evidence.span, told, evidence.chain)


def _panels(project: Project) -> Iterator[Evidence]:
    """Panels of a dashboard kept as JSON that show processors, memory or disks."""
    for path in project.glob("**/*dashboard*.json", "**/dashboards/**/*.json"):
        text = project.text(path) or "" if (project.entry(path).size or 0) < _LARGE else ""
        found = _PANEL.search(text) if '"widgets"' in text or '"panels"' in text else None
        if found and not project.is_example(path):
            yield Evidence(Span(path, text.count("\n", 0, found.start()) + 1), found[0])


def _ruled(project: Project) -> list[Evidence]:
    """Alert rules on the figures of a node, container or GPU."""
    return [
        item.evidence()
        for item in settings(project)
        if item.name == "expr" and isinstance(item.value, str) and _PANEL.search(item.value)
    ]


def _insights(project: Project) -> Iterator[Evidence]:
    """Clusters of Amazon's container service whose figures are switched on."""
    for resource in resources(project):
        for node in resource.node.walk():
            named = node.str_at("name") or node.str_at("Name")
            value = node.str_at("value") or node.str_at("Value")
            if named == "containerInsights" and value in {"enabled", "enhanced"}:
                yield Evidence(
                    Span(resource.path, node.line), f"containerInsights of {resource.name}: {value}"
                )


def _keeps(project: Project, item: Sighting) -> bool:
    """Whether a figure goes to a metric or tracker rather than to the screen."""
    call = item.use.call if item.use else None
    if call is None:
        return False
    if item.tool in {"MLflow", "DVCLive", *_BY_DEFAULT} or "racker" in call.name:
        return True
    exports = ("metrics.export", "tracker.metrics")
    return any(
        u.capability in exports and (not call.scope or u.scope == call.scope or not u.scope)
        for u in project.uses_in(item.path)
    )


def _own_registry(project: Project, item: Sighting) -> bool:
    """Whether a metric stands in a registry of the module's own, without the process's metrics."""
    module = project.modules[item.path]
    return any(c.method == "CollectorRegistry" for c in module.calls) and not any(
        c.method in {"ProcessCollector", "MultiProcessCollector", "Instrumentator"}
        for c in module.calls
    )


def _is_shown(project: Project, item: Sighting) -> bool:
    """Whether the figure that a call gives is printed, logged or handed on."""
    call = item.use.call if item.use else None
    if call is None:  # a look at the machine that tests is no look at one that trains or serves
        return not any(item.path == w.path for w in project.workflows)
    module = project.modules[item.path]
    names = {t for t in call.targets if t.isidentifier()}
    names |= {
        t
        for a in module.assigns
        if a.scope == call.scope and call.text in a.value.text
        for t in a.targets
    }
    told = re.compile("|".join([re.escape(call.text), *(rf"\b{re.escape(n)}\b" for n in names)]))
    if any(
        c.method in _SHOWS and c is not call and told.search(c.text)
        for c in module.calls_in(call.scope)
    ):
        return True
    function = module.function(call.scope)
    return function is not None and any(told.search(v.text) for v in function.returns)


def _utilisation(project: Project) -> list[Evidence]:
    """Lines of a training loop that print how much of the device's arithmetic it uses."""
    return [
        Evidence(call.span, call.told)
        for module in project.source
        if any("mfu" in name for name in module.names)
        for call in module.calls
        if call.method in _SHOWS and _MFU.search(call.text)
    ][:3]


def _switched(project: Project) -> list[Evidence]:
    """System metrics of a tracker that a tracked default or setting switches on."""
    found = []
    for module in project.source:
        for call in module.calls:
            given = call.kw("log_system_metrics") or call.kw("monitor_system")
            name = "log_system_metrics" if call.kw("log_system_metrics") else "monitor_system"
            if given is None or given.is_literal:
                continue
            known = switch(project, name)
            if known.state == "on" and known.evidence is not None:
                place = keyword_span(project, call, name)
                found.append(Evidence(place, f"{name}={given.text}", (known.evidence,)))
    return found
