"""MON02: latency, throughput or errors are exported by something that the project configured."""

from __future__ import annotations

import re

from mlops_audit.graph import Project
from mlops_audit.graph.settings import is_on, settings
from mlops_audit.graph.sightings import Sighting, sightings
from mlops_audit.model import Evidence, Verdict, failed, hollow, not_applicable, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.monitoring._roles import nothing_served
from mlops_audit.regex import regex

_LOOKED_FOR = (
    "latency, throughput or errors exported with Prometheus, OpenTelemetry, StatsD, cloud metrics "
    "or tracing of a language model"
)
_BUSINESS = regex(
    r"drift|predict(ion|ed)_?(value|mean|score|prob|class)|feature_|confidence|psi|target_|"
    r"data_quality|column|share|evidently|entropy|uncertainty",
    re.IGNORECASE,
)
_SERVICE = regex(
    r"latenc|duration|request|error|exception|second|count|throughput|time|invocation|fail|total|"
    r"token",
    re.IGNORECASE,
)
_METRIC_TYPES = regex(
    r"^(Gauge|Counter|Histogram|Summary|"
    r"create_(observable_)?(gauge|counter|histogram|up_down_counter))$"
)
# What only brings out the figures that the code defines.
_SETS_UP = regex(
    r"^(MeterProvider|get_meter|start_http_server|make_asgi_app|generate_latest|PushGateway|"
    r"push_to_gateway|pushadd_to_gateway)$"
)
_SCRAPES = ("ServiceMonitor", "PodMonitor", "PodMonitoring")
_SWITCHES = regex(
    r"^(app_?insights_?enabled|enable_?app_?insights|application_?insights_?enabled)$",
    re.IGNORECASE,
)
_COMPONENTS = frozenset({"azurerm_application_insights", "microsoft.insights/components"})
_WIRES = regex(
    r"APPLICATION_?INSIGHTS_|APPINSIGHTS_INSTRUMENTATIONKEY|ApplicationInsightsAgent|"
    r"opencensus|azure\.monitor|AppInsightsInstrumentation"
)
_WIRING = (".py", ".bicep", ".tf", ".yml", ".yaml", ".json")
_TIMING = regex(
    r"latency|elapsed|duration|process_time|took|response_time|inference_time", re.IGNORECASE
)
_SERVERS = regex(
    r"TorchServe|Triton|KServe|Seldon|BentoML|Ray Serve|TensorFlow Serving|Vertex|SageMaker|Azure|"
    r"vLLM|MLServer|Databricks",
    re.IGNORECASE,
)
_ENDPOINT = regex(r"endpoint|deploy|serve", re.IGNORECASE)


@practice(
    id="MON02",
    title="The service exports latency, throughput or errors",
    assets="system",
    level="3s",
    sources="S0 S3 S4",
    fix="Add a Prometheus or OpenTelemetry middleware to the service, and scrape it.",
    needs=("prediction",),
    template=(
        "src/<package>/serving/metrics.py",
        "src/<package>/serving/app.py",
        "src/<package>/serving/rollout.py",
        "src/<package>/serving/resources.py",
    ),
)
def service_metrics(project: Project) -> Verdict:
    """Exporters in serving code and configuration; defaults and timing logs count in part."""
    if verdict := nothing_served(project):
        return verdict
    found = [s for s in sightings(project, "metrics.export", "trace.llm") if not s.notebook]
    found = [s for s in found if not project.is_example(s.path)]
    written = [s for s in found if s.where in {"call", "command", "resource"}]
    unused = [s for s in written if _never_set(project, s)]
    written = [s for s in written if s not in unused]
    defined = [s for s in written if _instrument(s)]
    carriers = defined and all(_business(project, s) for s in defined)
    service = [
        s.evidence
        for s in written
        if not _business(project, s)
        and _says_service(project, s)
        and not (carriers and _carries(s))
    ]
    service += _switched(project)
    if all(_stands_alone(s) for s in written) and not _wired(project):
        service = _switched(project)  # the workspace's own component, to which nothing reports
        written = []
    if service:
        return passed("Service metrics are exported.", service)
    if project.roles.serves not in {"service", "batch"}:
        return not_applicable("no service and no batch job")
    if written:
        return partial(
            "Only business or drift figures are exported.", [s.evidence for s in defined or written]
        )
    if timing := _timing(project):
        return partial("Requests are timed in a log only.", timing)
    if default := _defaults(project):
        return partial("Only the metrics that the platform brings by itself.", default)
    if unused:
        return hollow(
            "Metrics are defined, and nothing ever sets them.",
            [s.evidence for s in unused],
            looked_for=_LOOKED_FOR,
        )
    idle = [s.evidence for s in found if s.where in {"image", "file"}]
    if idle:
        return hollow(
            "A metrics server is set up, and the service exports nothing.",
            idle,
            looked_for=_LOOKED_FOR,
        )
    return failed("No service metrics are exported.", looked_for=_LOOKED_FOR)


def _instrument(item: Sighting) -> bool:
    """Whether a place defines a figure by name."""
    call = item.use.call if item.use else None
    return call is not None and bool(_METRIC_TYPES.match(call.method))


def _carries(item: Sighting) -> bool:
    """Whether a place only exports or scrapes what is defined elsewhere."""
    call = item.use.call if item.use else None
    if call is not None:
        return bool(_SETS_UP.match(call.method))
    return item.resource is not None and item.resource.kind in _SCRAPES


def _never_set(project: Project, item: Sighting) -> bool:
    """Whether a metric is put into a variable that no code reads."""
    call = item.use.call if item.use else None
    if call is None or not _instrument(item) or not call.targets:
        return False
    names = {target.rsplit(".", 1)[-1] for target in call.targets}
    return not any(names & module.names for module in project.modules.values())


def _business(project: Project, item: Sighting) -> bool:
    """Whether a metric is one of predictions or data rather than of the service."""
    call = item.use.call if item.use else None
    if call is None or not _instrument(item):
        return False
    text = call.text[:200]
    # A name that is made up elsewhere: `key = f"evidently:{metric.name}"`.
    given = {v.text for v in call.args} | {v.text for _, v in call.kwargs}
    made = [
        a.value.text[:100]
        for a in project.modules[item.path].assigns
        if a.scope == call.scope and given & set(a.targets)
    ]
    told = " ".join([text, *call.targets, *made])
    return bool(_BUSINESS.search(told)) and not _SERVICE.search(text.replace("Counter(", ""))


def _says_service(project: Project, item: Sighting) -> bool:
    """Whether a plain write of points may be of the service: timing is named somewhere."""
    call = item.use.call if item.use else None
    if call is None or call.method != "write":
        return True
    return any(_TIMING.search(t.value) for m in project.source for t in m.texts if not t.doc)


def _stands_alone(item: Sighting) -> bool:
    """Whether a place only sets up the component that a workspace of Azure ML needs."""
    return item.resource is not None and item.resource.kind.lower() in _COMPONENTS


def _wired(project: Project) -> bool:
    """Whether code or infrastructure sends anything to Application Insights.

    A function app whose code lies elsewhere passes events on; it is not what predicts.
    """
    functions = any("azure.functions" in m.names or "azure" in m.roots for m in project.source)
    for path in project.paths:
        if not path.endswith(_WIRING) or project.is_test(path):
            continue
        text = project.text(path) or ""
        if _WIRES.search(text) and (
            functions or path.endswith(".py") or "functionapp" not in text.lower()
        ):
            return True
    return False


def _switched(project: Project) -> list[Evidence]:
    """Application Insights that settings or a deployment call switch on."""
    found = [s.evidence() for s in settings(project) if _SWITCHES.match(s.name) and is_on(s.value)]
    return found + [
        Evidence(call.span, f"{key}=True")
        for module in project.source
        for call in module.calls
        for key, value in call.kwargs
        if _SWITCHES.match(key) and value.literal is True
    ]


def _timing(project: Project) -> list[Evidence]:
    """Log lines in serving code that hold how long a request took."""
    found = []
    for path in sorted(project.roles.serving):
        module = project.modules.get(path)
        for call in module.calls if module else ():
            logs = call.method in {"info", "debug", "warning"} and "log" in call.receiver.lower()
            if logs and _TIMING.search(call.text[:300]):
                found.append(Evidence(call.span, call.told))
    return found


def _defaults(project: Project) -> list[Evidence]:
    """Managed endpoints and model servers, which bring metrics by themselves."""
    return [
        s.evidence
        for s in sightings(project, "serve.model", "serve.http")
        if not s.notebook
        and not project.is_example(s.path)
        and (
            (
                _SERVERS.search(f"{s.tool} {s.evidence.detail}")
                and _ENDPOINT.search(s.evidence.detail)
                and s.capability == "serve.model"
            )
            or (s.capability == "serve.http" and _SERVERS.search(s.tool))
            or (s.kind == "managed" and s.where == "call")
            # A server of a known format; a container of the project's own brings nothing.
            or (s.capability == "serve.model" and s.resource and not s.resource.containers)
        )
    ]
