"""MON03: predictions are stored with their inputs, and with a time or model version."""

from __future__ import annotations

from mlops_audit.graph import Project
from mlops_audit.graph.predictionstores import Stored, prediction_stores
from mlops_audit.graph.sightings import Sighting, sightings
from mlops_audit.graph.sourcelines import line_at, line_span
from mlops_audit.model import Evidence, Span, Verdict, failed, hollow, partial, passed
from mlops_audit.practices.base import practice

_BOTH = frozenset({"Input", "Output"})
_LOOKED_FOR = (
    "predictions stored together with their inputs and a time or model version: tables, objects, "
    "data capture, tracing"
)


@practice(
    id="MON03",
    title="Predictions are stored with their inputs",
    assets="data",
    level="3M",
    sources="S0 S1",
    fix="Append each prediction with its inputs, the model's version and the time to a store.",
    needs=("prediction",),
    template=("src/<package>/serving/store.py",),
)
def prediction_log(project: Project) -> Verdict:
    """Stores of predictions in code that predicts for use, and capture by a platform."""
    captured = [s for s in sightings(project, "log.predictions", "trace.llm") if _captures(s)]
    stored = prediction_stores(project)
    full = [s for s in stored if s.lasting and s.inputs and s.dated and not s.text]
    if full:
        return passed("Predictions are stored with inputs and time or version.", _shown(full))
    declared = _declared(project)
    if live := declared + [s.evidence for s in captured if not s.notebook]:
        return passed("The platform captures inputs and predictions.", live)
    lasting = [s for s in stored if s.lasting and not s.text]
    if lasting:
        return partial(f"Predictions are stored without {_missing(lasting[0])}.", _shown(lasting))
    batches = [s.evidence for s in sightings(project, "serve.batch") if _platform_job(s)]
    if jobs := [_output(project, e) for e in batches]:
        return partial("A platform's batch job keeps its outputs; nothing here adds to them.", jobs)
    if noted := [s.evidence for s in captured] or _monitored(project):
        return partial("Capture of predictions is set up in a notebook only.", noted)
    if text := [s for s in stored if s.text]:
        return partial("Predictions are logged as text.", _shown(text))
    if stored:
        return hollow("Each batch overwrites the last one.", _shown(stored), looked_for=_LOOKED_FOR)
    return failed("Predictions are not stored.", looked_for=_LOOKED_FOR)


def _captures(item: Sighting) -> bool:
    """Whether a sighting is a capture, rather than a key of an account or a bare server."""
    return item.where in {"call", "resource", "setting", "command"}


def _declared(project: Project) -> list[Evidence]:
    """Data capture of an endpoint that Terraform switches on, of inputs and outputs."""
    found = []
    for resource in project.resources:
        told = resource.node.get("data_capture_config")
        if told is None or told.str_at("enable_capture") != "true":
            continue
        listed = told.get("capture_options")
        modes = {n.str_at("capture_mode") for n in listed.many()} if listed is not None else set()
        if modes >= _BOTH or "InputAndOutput" in modes:
            place = Span(resource.path, told.line_of("enable_capture"))
            found.append(Evidence(place, f"enable_capture of {resource.name}"))
    return found


def _platform_job(item: Sighting) -> bool:
    """Whether a cloud is asked to predict a data set into a place of that run's own."""
    if item.tool == "Azure Machine Learning":
        return not item.notebook and "BatchDeployment" in _capitals(item.evidence.detail)
    return item.where == "call" and not item.notebook and item.tool == "Google Vertex AI"


def _output(project: Project, evidence: Evidence) -> Evidence:
    """The line of a deployment's file that says where its outputs go, reached through its kind."""
    place = line_span(project, evidence.span, r"^\s*output_(file_name|action)\s*:")
    if not evidence.detail.startswith("$schema") or place == evidence.span:
        return evidence
    return Evidence(place, line_at(project, place).strip(), (evidence,))


def _capitals(detail: str) -> str:
    """A schema's name (`batchDeployment.schema.json`) as the class of the SDK has it."""
    return detail.replace("batchDeployment", "BatchDeployment")


def _monitored(project: Project) -> list[Evidence]:
    """Monitoring jobs of a platform that sample requests, set up in a notebook."""
    found = sightings(project, "drift.detect")
    return [
        s.evidence
        for s in found
        if s.notebook and "monitoring" in s.evidence.detail and "Vertex" in s.tool
    ]


def _shown(found: list[Stored] | tuple[Stored, ...]) -> list[Evidence]:
    return [s.evidence for s in found]


def _missing(stored: Stored) -> str:
    if not stored.inputs and not stored.dated:
        return "inputs, time or version"
    return "their time or the model's version" if stored.inputs else "their inputs"
