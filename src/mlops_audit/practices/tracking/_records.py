"""What trackers record, and the calls of a project that may record something."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_audit.facts.code import Call, Module
from mlops_audit.graph import Project
from mlops_audit.graph.lifecycle import scores_written_numbers
from mlops_audit.graph.trackers import Tracked, tracked
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

__all__ = ["HOLDER", "is_about_a_model", "own_calls", "reads_data", "records", "told_params"]

_DATA_LIBRARIES = frozenset({"pandas", "polars", "datasets", "pyarrow", "csv", "dask", "pyspark"})
_OF_A_MODEL = ("train.", "evaluate.", "predict.", "model.", "registry.")
# `self.config.metrics_file`: where a path comes from says nothing of what is written there.
HOLDER = regex(r"\b(self\.)?_?(\w{1,20}_)?(config|cfg|conf|params|args|settings|paths)\.")
# Callbacks of a framework that hand over its settings too.
_BY_ITSELF = regex(r"^(report_to|log_with)\b|Callback\(")
# Comet and ClearML take over what argparse has parsed.
_READS_ARGUMENTS = regex(
    r"^comet_ml\.(start|\w*Experiment)$|^(clearml|trains)\.Task\.(init|create)$"
)


def records(project: Project, *capabilities: str, standing: str = "") -> list[Tracked]:
    """What trackers record under these capabilities: of a standing, or all that is recorded."""
    return [
        t
        for t in tracked(project)
        if t.capability in capabilities
        and (t.standing == standing if standing else t.counts)
        and (not t.notebook or is_about_a_model(project, t.evidence.span.path))
    ]


def is_about_a_model(project: Project, path: str) -> bool:
    """Whether a notebook does more than to show a tracker numbers that stand in its code."""
    if path in project.roles.training:
        return True
    uses = project.uses_in(path)
    shown = {u for u in uses if scores_written_numbers(project, u)}
    return not shown or any(u.capability.startswith(_OF_A_MODEL) for u in uses if u not in shown)


def own_calls(project: Project, *, notebooks: bool = True) -> Iterator[tuple[Module, Call]]:
    """The calls outside tests that can run."""
    for module in project.own_code if notebooks else project.source:
        for call in module.calls:
            if call.runs:
                yield module, call


def told_params(project: Project) -> list[Evidence]:
    """Where a tracker is told the parameters of a run, by the code or by a framework's callback."""
    logged = [t.evidence for t in records(project, "tracker.params", "tracker.autolog")]
    logged += _assigned(project)
    # What code hands over is seen on its line; a callback takes it by itself.
    logged.sort(key=lambda e: bool(_BY_ITSELF.search(e.detail)))
    logged += [
        t.evidence
        for t in records(project, "tracker.run", standing="on")
        if _BY_ITSELF.search(t.evidence.detail) or _takes_arguments(project, t)
    ]
    return logged


def _takes_arguments(project: Project, run: Tracked) -> bool:
    """Whether a client writes down what the program's own command line is given, by itself."""
    call = run.use.call if run.use is not None else None
    module = project.modules.get(run.evidence.span.path)
    if call is None or module is None or not _READS_ARGUMENTS.search(call.name):
        return False
    off = any(call.kw(k) is not None for k in ("parse_args", "auto_connect_arg_parser"))
    return not off and any(
        c.method == "parse_args" and c.name.startswith("argparse.") for c in module.calls
    )


def _assigned(project: Project) -> list[Evidence]:
    """`run["parameters"] = ...` and `wandb.config.lr = ...`."""
    found = []
    for module in project.own_code:
        for assign in module.assigns:
            for target in assign.targets:
                neptune = "neptune" in module.roots and target.startswith(("run[", "self.run["))
                if target.startswith(("wandb.config", "run.config")) or (
                    neptune and "param" in target
                ):
                    found.append(Evidence(assign.span, target))
    for module, call in own_calls(project):
        logs_scalars = call.method == "log" and call.receiver in {"wandb", "run"}
        # Runs of Azure ML know no other way: `run.log("kernel", args.kernel)`.
        setting = "azureml" in module.roots and any(HOLDER.search(v.text) for v in call.args[1:])
        if logs_scalars and (setting or any("config" in v.text[:60] for v in call.args)):
            found.append(Evidence(call.span, call.told))
    return found


def reads_data(project: Project, use: Use | None) -> bool:
    """Whether what a run takes as its input is data, and no model to go on with."""
    if use is None or use.call is None or use.call.method != "use_artifact":
        return True
    module = project.modules[use.path]
    return use.path in project.roles.training or bool(module.roots & _DATA_LIBRARIES)
