"""What pipelines and training code record beside a tracker: locks, metrics files, snapshots."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.code import Call, Module, Value
from mlops_audit.graph import Project
from mlops_audit.graph.called import is_called
from mlops_audit.graph.lifecycle import scores_written_numbers
from mlops_audit.graph.rulefiles import rule_outputs
from mlops_audit.graph.settings import setting
from mlops_audit.graph.trackers import Tracked, tracked
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

__all__ = [
    "checkpoints",
    "declared_metrics",
    "declared_plots",
    "is_about_a_model",
    "job_settings",
    "kept_outputs",
    "locked_params",
    "metrics_files",
    "own_calls",
    "platform_params",
    "records",
    "reserved_outputs",
    "ruled_metrics",
    "saved_figures",
    "snapshots",
    "told_params",
]

_OF_A_MODEL = ("train.", "evaluate.", "predict.", "model.", "registry.")
_DUMPS = frozenset(
    ["dump", "save", "safe_dump", "write", "write_text", "save_json", "save_yaml", "write_json",
     "write_yaml", "to_json", "to_yaml", "to_csv", "save_dict"]
)  # fmt: skip
_SETTINGS = regex(
    r"^(vars\(|asdict\(|dict\(|OmegaConf\.\w+\(|dataclasses\.asdict\()*(self\.)?_?(\w{1,20}[._])?"
    r"(args?|cfg|conf|config\w*|hparams|hyper_?param\w*|params|parameters|settings|opts?|flags|"
    r"FLAGS)\b(\.(__dict__|to_dict\(\)|dict\(\)|model_dump\(.{0,30}\)|as_dict\(\)|dump\(\)))?\)*$"
)
# `{k: str(v) for k, v in vars(args).items()}`: all settings of a run, made ready to be written.
_COPIED = regex(
    r"(\bvars|\basdict|to_container|to_dict)\((self\.)?(args?|cfg|config|hparams|opts?|params)\)|"
    r"\b(args?|cfg|config|hparams|opts?)\.__dict__"
)
_METRICS = regex(
    r"metric|score|\bresults?\b|evaluation|accuracy|\bauc\b|rmse|\bmae\b|\bmse\b|\bf1\b|report|"
    r"_loss|history|performance|\b(train|test|val|valid|eval|epoch|log)_stats\b",
    re.IGNORECASE,
)
# Words for whatever a program gives, and what tells that it is a model's quality.
_LOOSE = regex(r"\bresults?\b|report|performance", re.IGNORECASE)
_MEASURE = regex(
    r"metric|scor(e|ing)|accura|(^|[^a-z])f1|auc|rmse|mape|(^|[^a-z])(mae|mse|r2|iou|dice|bleu|rouge)"
    r"([^a-z]|$)|loss|precision|recall|perplex|evaluat|latency|benchmark",
    re.IGNORECASE,
)
_TABLE = regex(r"\.(tsv|csv|json|ya?ml|txt|feather|parquet)$")
_PICTURE = regex(r"\.(png|svg|pdf|html|jpe?g)$")
# One figure, written as it is: `file.write(str(f1_score))`.
# A line that names the measure before its value: f"Accuracy = {score:.2f}".
_TOLD_FIGURE = regex(
    r"[fF][\"'](\\n|[^{}\w])*([\w ]{0,30} )?(accuracy|f1|auc|rmse|mae|mse|r2|precision|recall)"
    r"[\w ]{0,20}\s*[=:]\s*\{",
    re.IGNORECASE,
)
_FIGURE = regex(r"(str|repr)\(\w+\)$")
_NO_METRICS = regex(r"predict|config|param|vocab|label|token", re.IGNORECASE)
# `self.config.metrics_file`: where a path comes from says nothing of what is written there.
_HOLDER = regex(r"\b(self\.)?_?(\w{1,20}_)?(config|cfg|conf|params|args|settings|paths)\.")
# Callbacks of a framework that hand over its settings too.
_BY_ITSELF = regex(r"^(report_to|log_with)\b|Callback\(")
# Comet and ClearML take over what argparse has parsed.
_READS_ARGUMENTS = regex(
    r"^comet_ml\.(Experiment|start)$|^(clearml|trains)\.Task\.(init|create)$|"
    r"^comet_ml\.\w*Experiment$"
)
_DEPLOYS = regex(r"deploy|stack|infra|terraform|template|run_pipeline", re.IGNORECASE)
_FIGURES = frozenset({"savefig", "write_image", "write_html", "imsave", "save_fig", "to_html"})
_SAVES = regex(r"(_?save(_\w{1,40})?|dump)$")
_FILLED = regex(r"^[\w.]+\[[\"'](\w+)[\"']\]$")
_META_KEYS = regex(
    r"^(config|cfg|args|hparams|hyper_?parameters|hyper_params|model_args|params|metadata|meta|"
    r"settings|classes|class_names|features|feature_names|columns|vocab|version|"
    r"model_config|train_config|metrics|data_version|git_\w+|commit|"
    r"(best|val|valid|test)_(\w{1,20}_)?(loss|acc|accuracy|score|auc|f1|metrics?|iou|dice|map)|"
    r"best_(metrics?|score|loss|acc\w*)|\w{1,20}_best)$",
    re.IGNORECASE,
)


# Platforms that keep the arguments of each step of each run.
_KEEPS_ARGUMENTS = frozenset({"Kubeflow", "ZenML", "Flyte", "Google Vertex AI"})
_SAGEMAKER = "Amazon SageMaker"
_NO_SETTING = regex(
    r"Input|Output|Dataset|Model|Artifact|DataFrame|ndarray|Context|Path|Series|Tensor|Estimator"
)


def platform_params(project: Project) -> list[Evidence]:
    """Steps that train with parameters which the platform of their pipeline records."""
    found = []
    for pipeline in project.pipelines:
        if pipeline.tool not in _KEEPS_ARGUMENTS or pipeline.notebook:
            continue
        for step in pipeline.with_part("train"):
            if not step.code:
                continue
            module = project.modules[step.code[0].path]
            function = module.function(step.code[0].qualname)
            given = function.params if function is not None else ()
            if any(p.written and not _NO_SETTING.search(p.written) for p in given):
                found.append(step.evidence)
    found += [
        Evidence(f.span, f"{f.name} keeps {p.name}: {p.written}")
        for m in project.source
        for f in m.functions
        for p in f.params
        if "HyperParameters]" in p.written and p.written.startswith("Output")
    ]
    return found + [Evidence(c.span, c.text) for c in job_settings(project)]


def job_settings(project: Project) -> list[Call]:
    """Hyperparameters handed to the training jobs of SageMaker's pipelines, which keep them."""
    paths = {
        step.evidence.span.path
        for pipeline in project.pipelines
        if pipeline.tool == _SAGEMAKER and pipeline.dag and not pipeline.notebook
        for step in pipeline.with_part("train")
    }
    return [
        call
        for path in sorted(paths)
        for call in project.modules[path].calls
        if call.runs
        and (
            (call.method == "set_hyperparameters" and (call.kwargs or call.args))
            or call.kw("hyperparameters") is not None
        )
    ]


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


def reserved_outputs(project: Project, kind: str) -> list[Evidence]:
    """What steps hand to Kubeflow's first interface under a reserved name.

    Args:
        project: the audited project.
        kind: `metrics` or `ui_metadata`.
    """
    names = {f"mlpipeline_{kind}", f"/mlpipeline-{kind.replace('_', '-')}.json"}
    found: list[Evidence] = []
    for path, module in project.modules.items():
        here = [Evidence(t.span, t.value) for t in module.texts if t.value in names]
        if here and path not in project.test_files:
            found += here if not module.notebook or is_about_a_model(project, path) else []
    return found


def own_calls(project: Project, *, notebooks: bool = True) -> Iterator[tuple[Module, Call]]:
    """The calls outside tests that can run."""
    for path, module in project.modules.items():
        if path in project.test_files or (module.notebook and not notebooks):
            continue
        for call in module.calls:
            if call.runs:
                yield module, call


# -- DVC ------------------------------------------------------------------------------------------


def locked_params(project: Project) -> list[Evidence]:
    """Parameters that a committed dvc.lock recorded."""
    found = []
    for lock in project.dvc.locks:
        for stage in lock.stages.values():
            if stage.params:
                names = ", ".join(key for _, key, _ in stage.params[:4])
                found.append(Evidence(stage.span, f"stage {stage.name} recorded {names}"))
    return found


def declared_metrics(project: Project) -> list[Evidence]:
    """Metrics files that a DVC pipeline declares."""
    return [
        Evidence(path.span, f"metrics file {path.path}")
        for pipeline in project.dvc.pipelines
        for path in (*pipeline.metrics, *(m for s in pipeline.stages for m in s.metrics))
    ]


def ruled_metrics(project: Project) -> list[Evidence]:
    """Metrics files that a rule of a Snakefile declares as its outputs."""
    return [
        evidence
        for name, evidence in rule_outputs(project)
        if _TABLE.search(name)
        and _METRICS.search(name.replace("_", " "))
        and not _NO_METRICS.search(name)
    ]


def declared_plots(project: Project) -> list[Evidence]:
    """Plots that a DVC pipeline declares."""
    return [
        Evidence(path.span, f"plot {path.path}")
        for pipeline in project.dvc.pipelines
        for path in (*pipeline.plots, *(m for s in pipeline.stages for m in s.plots))
    ]


def kept_outputs(project: Project) -> list[Evidence]:
    """Models, reports and predictions that DVC recorded as outputs of stages."""
    wanted = re.compile(
        r"model|report|figure|plot|predict|eval|\.(pkl|joblib|pt|h5|onnx)", re.IGNORECASE
    )
    return [
        evidence
        for entry, evidence in project.dvc.tracked()
        if "of stage" in evidence.detail and wanted.search(_named(entry.path))
    ]


def _named(path: str) -> str:
    """A path; of a file of data the name alone, for its kind does not make it a model."""
    return re.sub(r"^(.*/)?data/.*/|\.\w+$", "", path) if re.match(r"(.*/)?data/", path) else path


# -- files ----------------------------------------------------------------------------------------


def metrics_files(project: Project) -> list[Evidence]:
    """Metrics that code writes into machine-readable files."""
    found = []
    for module, call in own_calls(project):
        if call.method not in _DUMPS or module.path.endswith("setup.py"):
            continue
        given = " ".join(v.text[:120] for v in (*call.args[:2], *(v for _, v in call.kwargs[:2])))
        if call.method in {"to_csv", "to_json"}:
            if _is_part(module, call):
                continue
            given = f"{call.receiver} {given}"
        given = _HOLDER.sub("", given)
        if call.method in {"write", "dump"} and not _METRICS.search(given):
            given += _handed(project, module, call)
        if not _METRICS.search(given) or _NO_METRICS.search(given):
            continue
        if not _METRICS.search(_LOOSE.sub("", given)) and not _measures(project, module):
            continue
        if _structured(call) and is_called(project, module.path, call.scope):
            found.append(_shown(call))
    return found


def _measures(project: Project, module: Module) -> bool:
    """Whether a module names a measure of quality: a report may also be one of data."""
    return module.notebook or bool(_MEASURE.search(project.text(module.path) or ""))


def _is_part(module: Module, call: Call) -> bool:
    """Whether a table that is written is some rows of another: `no_score = df[df.score.isna()]`."""
    made = [a.value.text for a in module.assigns if call.receiver in a.targets]
    parts = [re.match(r"(\w+)\[.*[<>=(&|~]", text) for text in made]
    return bool(made) and all(m is not None and not _METRICS.search(m[1]) for m in parts)


def _handed(project: Project, module: Module, call: Call) -> str:
    """What callers hand a function that writes its parameter: `write_event(log, **metrics)`."""
    function = module.function(call.scope)
    if function is None or not call.args:
        return ""
    text = call.args[0].text
    if not any(re.search(rf"\b{re.escape(p.name)}\b", text) for p in function.params):
        return ""
    return " ".join(
        f" {key}={value.text[:60]}"
        for other, asked in own_calls(project)
        if asked.method == function.name
        and any(
            s.path == module.path and s.qualname == function.qualname
            for s in project.index.targets(asked, other.path)
        )
        for key, value in asked.kwargs
    )


def _structured(call: Call) -> bool:
    """Whether a call writes JSON, YAML or CSV rather than a pickle or a model."""
    if call.name.startswith(("pickle.", "joblib.", "torch.", "numpy.")):
        return False
    if call.method in {"write", "write_text"}:
        given = call.arg(0)
        text = given.text if given is not None else ""
        told = _FIGURE.match(text) or _TOLD_FIGURE.match(text)
        return "dumps(" in call.text or bool(told)
    return call.method != "save" or "yaml" in call.text or "json" in call.text


def snapshots(project: Project) -> list[Evidence]:
    """Places that keep the settings of a run: dumped, in a checkpoint, or by Hydra."""
    found = [
        u.evidence()
        for u in project.uses("config.save", test=False)
        if is_called(project, u.path, u.scope)
        and _is_settings(u.detail)
        and not _DEPLOYS.search(f"{u.path} {u.scope}")
    ]
    for module, call in own_calls(project):
        if call.method not in _DUMPS or not is_called(project, module.path, call.scope):
            continue
        first = call.args[0] if call.args else None
        if first is None:
            continue
        if _DEPLOYS.search(f"{module.path} {call.scope}"):
            continue
        whole = _SETTINGS.match(first.text) and not module.notebook
        copied = _COPIED.search(_given(module, call, first))
        if whole or copied or re.search(r"dumps?\((vars\()?(args|cfg|config)\b", first.text):
            found.append(_shown(call))
    found += [e for e, keys in checkpoints(project) if any(_is_settings(k) for k in keys)]
    found += [
        Evidence(c.span, "Hydra keeps the settings of each run")
        for m, c in own_calls(project, notebooks=False)
        if c.name == "hydra.main" and c.decorates and _hydra_name(c) not in _without_record(project)
    ]
    return found


def _hydra_name(call: Call) -> str:
    """The settings file that a program of Hydra reads, without its ending."""
    value = call.kw("config_name")
    name = value.literal if value is not None else None
    return name.removesuffix(".yaml") if isinstance(name, str) else ""


def _without_record(project: Project) -> frozenset[str]:
    """The settings files that tell Hydra to keep none of a run's settings."""
    return frozenset(
        item.span.path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        for item in setting(project, "output_subdir")
        if item.key.endswith("hydra.output_subdir") and item.value in {None, "", "null"}
    )


def _given(module: Module, call: Call, value: Value) -> str:
    """What the name that a call writes was last set to."""
    before = [
        a
        for a in module.assigns
        if value.text in a.targets
        and a.scope == call.scope
        and module.flat(a.span) <= module.flat(call.span)
    ]
    return max(before, key=lambda a: module.flat(a.span)).value.text if before else ""


def _is_settings(key: str) -> bool:
    return bool(re.search(r"config|cfg|args|hparams|param|settings", key, re.IGNORECASE))


def checkpoints(project: Project) -> Iterator[tuple[Evidence, tuple[str, ...]]]:
    """Dictionaries that are saved with a model in them, and their keys that describe it."""
    for module, call in own_calls(project):
        # Also a function of the project that saves on one machine of many: `save_on_master`.
        if not _SAVES.match(call.method) or not call.args:
            continue
        if not is_called(project, module.path, call.scope):
            continue
        keys, place = _keys(module, call, call.args[0])
        if not keys and len(call.args) > 1:  # Lightning's Fabric is told the path first
            keys, place = _keys(module, call, call.args[1])
        holds = any(
            re.search(r"model|state|net|weights|estimator|clf", k, re.IGNORECASE) for k in keys
        )
        told = tuple(k for k in keys if _META_KEYS.match(k))
        if holds and told:
            detail = f"saved with the model: {', '.join(told[:5])}"
            yield Evidence(place, detail), told


def _keys(module: Module, call: Call, value: Value) -> tuple[list[str], Span]:
    """The keys of the dictionary that a call saves, and where it is written down."""
    if value.keys:
        return [k.strip("\"'") for k in value.keys], call.span
    here = module.flat(call.span)
    before = [a for a in module.assigns if a.scope == call.scope and module.flat(a.span) <= here]
    whole = [a for a in before if value.text in a.targets and a.value.keys]
    if whole:
        return [k.strip("\"'") for k in whole[-1].value.keys], whole[-1].span
    # Filled key by key: `package["args"] = self.args`.
    filled = {
        m[1]: a.span
        for a in before
        for target in a.targets
        if target.startswith(f"{value.text}[") and (m := _FILLED.search(target))
    }
    told = [span for key, span in filled.items() if _META_KEYS.match(key)]
    return list(filled), told[0] if told else call.span


def saved_figures(project: Project) -> list[Evidence]:
    """Figures and reports that code writes into files."""
    found = []
    for module, call in own_calls(project):
        # `to_html` without a place hands its text back.
        writes = call.method in _FIGURES and (
            call.args or (call.kwargs and call.method != "to_html") or call.kw("buf")
        )
        if writes and is_called(project, module.path, call.scope):
            found.append((module.notebook, _shown(call)))
    ruled = [e for name, e in rule_outputs(project) if _PICTURE.search(name)]
    return [*(e for _, e in sorted(found, key=lambda f: f[0])), *ruled]


def _shown(call: Call) -> Evidence:
    return Evidence(call.span, call.told)


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
    for path, module in project.modules.items():
        if path in project.test_files:
            continue
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
        setting = "azureml" in module.roots and any(_HOLDER.search(v.text) for v in call.args[1:])
        if logs_scalars and (setting or any("config" in v.text[:60] for v in call.args)):
            found.append(Evidence(call.span, call.told))
    return found
