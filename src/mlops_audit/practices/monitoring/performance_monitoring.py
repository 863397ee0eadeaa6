"""MON05: model quality on production data is computed over time windows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.code import Module
from mlops_audit.graph import Project
from mlops_audit.graph.sightings import Sighting, sightings
from mlops_audit.graph.windows import (
    compares_truth,
    production_evaluations,
    scheduled_modules,
    windowed_quality,
)
from mlops_audit.model import Evidence, Span, Verdict, failed, hollow, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_LOOKED_FOR = (
    "a quality metric of production predictions per time window, in code or by a configured service"
)
_PROXY = regex(r"score|pred|confidence|probab|target|output", re.IGNORECASE)
_INSTRUMENT = regex(r"gauge|histogram|summary", re.IGNORECASE)
# How sure the model is, or what it says, as an exported figure; how long it takes is none.
_TOLD = regex(
    r"confidence|entropy|uncertainty|probabilit|"
    r"predict(ion|ed)_?(value|mean|score|prob|class|price|distribution)",
    re.IGNORECASE,
)
_QUALITY = regex(
    r"accuracy|precision|recall|f1|\bauc|_auc|rmse|\bmae\b|_mae\b|mape|click_?through|"
    r"\bctr\b|conversion|true_positive|false_(positive|negative)|model_(quality|performance)",
    re.IGNORECASE,
)
_WINDOW = regex(r"(^|_)(window|period|interval)|timedelta", re.IGNORECASE)
# NannyML's estimators need no labels; services are sent predictions first and labels when known.
_ESTIMATES = regex(r"^nannyml\.(CBPE|DLE|performance_estimation)\b")
_SENDS = regex(r"^(arize|fiddler|aporia|comet_mpm)\.")
_TRUTH = regex(r"actual|label|ground_?truth|target|outcome", re.IGNORECASE)
_MONITOR = regex(r"^evidently\..*Performance\w*Monitor$")
_LIVE = regex(r"monitor|prod|current|live|serving|new", re.IGNORECASE)


@practice(
    id="MON05",
    title="Model quality on production data is followed over time",
    assets="model",
    level="3M~, 4M",
    sources="S0 S1 S3 S4",
    fix="Join stored predictions with the labels that came in, and compute the metric per period.",
    needs=("prediction",),
    attestable=True,
    template=(
        "src/<package>/monitoring/windows.py",
        "src/<package>/monitoring/monitor.py",
    ),
)
def performance_monitoring(project: Project) -> Verdict:
    """Quality tools of monitoring libraries, services, and metrics per window in code."""
    if windows := windowed_quality(project):
        return passed("Quality is computed per time window on production data.", windows)
    found = [s for s in sightings(project, "performance.monitor") if s.where != "file"]
    configured = [s.evidence for s in found if s.where in {"resource", "setting", "image"}]
    if configured:
        return passed("A configured service follows the model's quality.", configured)
    own = [s for s in found if not s.notebook and not project.is_example(s.path)]
    programs = [s for s in own if not _without_truth(project, s)]
    regular = [s.evidence for s in programs if _over_time(project, s)]
    if regular or (regular := _chosen(project)):
        return passed("Quality is computed for each period of production data.", regular)
    if exported := _exported(project):
        return passed("Quality against what came true is exported as it happens.", exported)
    if programs:
        return partial(
            "Quality on new data is computed by a command that a person starts.",
            [s.evidence for s in programs],
        )
    if guessed := [s.evidence for s in own if s not in programs]:
        return partial("Quality is estimated or scores are sent, and no truth is known.", guessed)
    if proxies := _proxies(project):
        return partial("Only proxies of quality are followed: scores or predictions.", proxies)
    if by_hand := production_evaluations(project):
        return partial("The model in use is evaluated on data by a command run by hand.", by_hand)
    if provisioned := [s.evidence for s in found if _provisioned(project, s)]:
        return partial("A notebook sets up the service that follows quality.", provisioned)
    if found:
        return hollow("Quality is monitored in a notebook only.", [s.evidence for s in found],
                      looked_for=_LOOKED_FOR)  # fmt: skip
    return failed("Quality is measured offline only.", looked_for=_LOOKED_FOR)


def _without_truth(project: Project, item: Sighting) -> bool:
    """Whether quality is only estimated, or predictions are sent to a service without the truth."""
    if item.use is None or item.use.call is None:
        return False
    call = item.use.call
    if _ESTIMATES.search(call.name):
        return True
    if not _SENDS.search(call.name):
        return False
    module = project.modules[item.path]
    said = [*(k for c in module.calls for k, _ in c.kwargs), *(t.value for t in module.texts)]
    return not any(_TRUTH.search(text[:80]) for text in said)


def _provisioned(project: Project, item: Sighting) -> bool:
    """Whether a notebook has a platform follow quality on a schedule of its own."""
    return item.tool == "Amazon SageMaker" and any(
        call.method == "create_monitoring_schedule" for call in project.modules[item.path].calls
    )


def _over_time(project: Project, item: Sighting) -> bool:
    """Whether what measures runs on a schedule, or for a stated period."""
    if item.path in scheduled_modules(project) or item.use is None:
        return True
    module = project.modules[item.path]
    scope = item.use.scope
    if item.use.call is not None and item.use.call.loops:
        return True
    if _is_windowed_service(project, module):
        return True  # a service measures what comes in, window by window
    texts = [c.text[:120] for c in module.calls_in(scope)] if scope else []
    return any(re.search(r"timedelta|groupby|resample|start_date|relativedelta", t) for t in texts)


def _chosen(project: Project) -> list[Evidence]:
    """Monitors of quality that a service looks up by name, where its settings list that name."""
    found: list[Evidence] = []
    for module in project.source:
        if "evidently" not in module.roots or not _is_windowed_service(project, module):
            continue
        folder = module.path.rpartition("/")[0]
        files = [p for p in project.glob("**/*.yaml", "**/*.yml") if p.startswith(f"{folder}/")]
        for assign in module.assigns:
            named = zip(assign.value.keys, assign.value.items, strict=False)
            keys = {k.strip("'\"") for k, v in named if _MONITOR.search(v.name)}
            for path in files if keys else ():
                lines = enumerate(project.lines(path), 1)
                listed = [(n, x.strip()) for n, x in lines if x.strip("- \t\"'") in keys]
                found += [Evidence(Span(path, n), x) for n, x in listed if x.startswith("-")]
    return found


def _is_windowed_service(project: Project, module: Module) -> bool:
    served = any(
        u.capability in {"serve.route", "serve.http"} for u in project.uses_in(module.path)
    )
    return served and any(_WINDOW.search(name) for name in module.names)


def _instruments(project: Project, named: re.Pattern[str]) -> Iterator[Sighting]:
    """Figures with such words in their name or description that programs export."""
    for item in sightings(project, "metrics.export"):
        call = item.use.call if item.use is not None else None
        if call is None or item.notebook or project.is_example(item.path):
            continue
        if _INSTRUMENT.search(call.method) and named.search(call.text[:200]):
            yield item


def _exported(project: Project) -> list[Evidence]:
    """Figures of quality that a service exports, from predictions beside what came true."""
    return [
        s.evidence
        for s in _instruments(project, _QUALITY)
        if s.path not in project.roles.training and compares_truth(project.modules[s.path])
    ]


def _proxies(project: Project) -> list[Evidence]:
    """Drift of predictions or scores, in code that monitors, and exported scores of a service."""
    drift = [
        s.evidence
        for s in sightings(project, "drift.detect")
        if not s.notebook
        and not project.is_example(s.path)
        and (s.kind == "target" or _PROXY.search(s.evidence.detail))
        and (s.use is None or _LIVE.search(f"{s.path} {s.use.scope}"))
    ]
    return drift or [s.evidence for s in _instruments(project, _TOLD)]
