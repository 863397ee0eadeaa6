"""VER05: each trained model is kept under a version."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.code import Call, Module
from mlops_audit.graph import Project
from mlops_audit.graph.cloudpipelines import steps_with
from mlops_audit.graph.datasets import in_lfs, is_model_path
from mlops_audit.graph.dvcmodels import is_dvc_model
from mlops_audit.graph.outputs import Output, written_files
from mlops_audit.graph.sourcelines import keyword_span, line_at
from mlops_audit.graph.stores import hosted, live, shared_tracker, shown_only
from mlops_audit.graph.trackers import tracked
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence, Span, Verdict, failed, hollow, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_LOOKED_FOR = (
    "a registry, a hub push, a DVC output, a run artifact in a shared store, or model names"
    " with a run number or date"
)
_GTO = regex(r".{1,80}@v\d+\.\d+(\.\d+)?")
# Variables that make each saved model another file.
_MOMENT = regex(
    r"\b(epoch|step|iter\w*|run_?(id|name|number)?|timestamp|time|now|date|today|version|uuid|"
    r"experiment_?(id|name)|trial\w*|global_step|build_?(id|number)|commit|sha|stamp|strftime)\b",
    re.IGNORECASE,
)
_STEPPED = regex(
    r"(^|[.:])(ModelCheckpoint|CheckpointManager|save_checkpoint|TrainingArguments|Seq2SeqTrainingArguments|"
    r"SFTConfig|DPOConfig|Checkpointer|BackupAndRestore|CheckpointCallback)$|"
    r"^tensorflow\.(\w+\.){0,4}RunConfig$"
)
# The arguments of a trainer that keeps its checkpoints by step, parsed from a command line.
_PARSER = regex(r"(^|[.:])(HfArgumentParser|TrlParser|H4ArgumentParser)$")
_ARGUMENTS = regex(r"\b(\w*TrainingArguments|(SFT|DPO|ORPO|KTO|Reward|PPO|GRPO)Config)\b")
_PLACE = regex(r"(?<![.\w\"'])(\w*(?:path|dir|folder|file|ckpt|checkpoint|dest)\w*)(?![\w(\"'])")
_KEEPS = ("filename", "filepath", "save_strategy", "save_steps", "save_checkpoints_steps",
          "output_dir", "dirpath", "model_dir")  # fmt: skip
_PLACEHOLDER = regex(r"\{(epoch|batch|step|val_\w+|loss|acc\w*)\b")
# A tracker's folder or the variable that names it, copied to a bucket; the other way loads it.
_COPIES = regex(
    r"(aws s3|gsutil|gcloud storage|s5cmd|rclone)( -\w+)* (cp|sync|rsync|copy)( -\w+)* "
    r"(?!\w+://).{0,200}?(mlruns|mlflow|registry|tracking).{0,200}? \w{1,20}://",
    re.IGNORECASE,
)
_BUCKET = regex(r"""[fFrR]{0,2}["'](s3|gs|wasbs?|abfss?|hdfs|dbfs|oss)://[^"']""")
_JOBS = "Amazon SageMaker"
_PUSHES = "TensorFlow Extended"  # its Pusher makes a folder of the moment's name
_WEIGHTS = regex(
    r"\.(pth|pt|ckpt|pkl|pickle|h5|hdf5|keras|joblib|onnx|safetensors|tar|msgpack)$", re.IGNORECASE
)
_PICTURE = regex(r"\.(png|jpe?g|gif|svg|webp|wav|mp4)[\"')]*$", re.IGNORECASE)
_HOLE = regex(r"\{([^{}]{1,60})\}")
_LITERAL_VERSION = regex(r"(final|best|latest|last|v\d+|version)", re.IGNORECASE)


@practice(
    id="VER05",
    title="Trained models are kept under versions",
    assets="model",
    level="2s, 4M",
    sources="S0 S2 S3 S4",
    fix="Make the model an output of a DVC stage, or register it: mlflow.register_model(...).",
    template=(
        "dvc.yaml",
        "src/<package>/registry/versions.py",
    ),
    needs=("training",),
)
def model_versioned(project: Project) -> Verdict:
    """Judge where trained models go, the safest place first."""
    kept = list(_registered(project))
    if kept:
        return passed("models go to a registry or a versioned store", kept[:6])
    pushed = [
        u.evidence()
        for u in sorted(live(project, "registry.promote"), key=lambda u: u.notebook)
        if u.tool == _PUSHES
    ]
    store = hosted(project) if pushed else None
    if pushed and store:
        return passed("each push makes a version of its own in a cloud store", [*pushed[:3], store])
    models = [u for u in live(project, "tracker.model", "tracker.autolog") if _keeps_models(u)]
    runs = models + _logged_files(project)
    logged = [u.evidence() for u in runs if not shown_only(u)]
    logged += _by_settings(project, "tracker.model")
    away = _by_settings(project, "tracker.remote")
    shared = (shared_tracker(project) or next(iter(away), None)) if logged else None
    if shared:
        return passed("models are run artifacts in a shared store", [logged[0], shared])
    sent = _artifacts_afar(project) if logged else None
    if sent:
        return passed("what runs log goes to a shared store", [logged[0], sent])
    copied = _copied_store(project) if logged else None
    if copied:
        return passed("the store of runs is copied to a shared one", [logged[0], copied])
    if logged:
        return partial("models are run artifacts in a local store", logged[:4])
    shown = [
        u.evidence() for u in live(project, "registry.register", "model.push") if u.where != "file"
    ]
    if shown:
        return partial("only a notebook registers a model", shown[:4])
    named = [*pushed, *_named_by_moment(project)]
    if named:
        return partial("models are saved under a run, step or date", named[:4])
    saved = [o for o in written_files(project) if o.model]
    return _unversioned(project, saved)


def _keeps_models(use: Use) -> bool:
    """Whether what is logged by itself includes the model."""
    told = use.call.kw("log_models") if use.call is not None else None
    off = use.call.kw("disable") if use.call is not None else None
    return (told is None or told.literal is not False) and (off is None or off.literal is not True)


def _unversioned(project: Project, saved: list[Output]) -> Verdict:
    literal = [o for o in saved if _LITERAL_VERSION.search(o.path.rsplit("/", 1)[-1])]
    if literal:
        where = [
            Evidence(o.call.span, f"writes {o.path}, the same name each time") for o in literal
        ]
        return hollow(
            "the word in the model's name is no version", where[:3], looked_for=_LOOKED_FOR
        )
    if saved:
        where = [Evidence(o.call.span, f"writes {o.path}") for o in saved[:3]]
        return failed("models are overwritten in place", looked_for=_LOOKED_FOR, evidence=where)
    written = [u.evidence() for u in live(project, "model.save")][:3]
    said = "models are overwritten in place" if written else "no code keeps a trained model"
    return failed(said, looked_for=_LOOKED_FOR, evidence=written)


def _registered(project: Project) -> Iterator[Evidence]:
    """Registries, hub pushes, DVC outputs, GTO tags and models in LFS."""
    for use in live(project, "registry.register", "model.push"):
        if use.where != "file" and not shown_only(use):
            yield use.evidence()
    yield from steps_with(project, kind="RegisterModel")
    # Each training job of the platform leaves its model under the job's own name.
    for use in live(project, "train.fit", "train.launch"):
        if use.tool == _JOBS and not use.notebook:
            yield use.evidence()
    for entry, evidence in project.dvc.tracked():
        if is_dvc_model(project, entry.path):
            yield evidence
    for tag in project.git.tags if project.git else ():
        if _GTO.fullmatch(tag.name) and project.dvc.used:
            yield Evidence(Span(f"tag:{tag.name}"), "a version of the model")
    names = {o.path.rsplit("/", 1)[-1] for o in written_files(project) if o.model}
    for path in project.paths:
        if path.rsplit("/", 1)[-1] in names and is_model_path(path) and in_lfs(project, path):
            yield Evidence(Span(path), "a model in Git LFS that code writes")


def _by_settings(project: Project, capability: str) -> list[Evidence]:
    """What a logger does whose class a settings file names (`_target_`), with its options."""
    return [
        t.evidence
        for t in tracked(project)
        if t.capability == capability and t.standing == "on" and t.use is None
    ]


def _artifacts_afar(project: Project) -> Evidence | None:
    """An experiment whose artifacts a program sends to a bucket, wherever the runs are noted."""
    for module in project.own_code:
        if "create_experiment" not in module.names:
            continue
        for call in module.calls:
            place = call.arg(1, "artifact_location")
            if place is None or not call.runs or call.method != "create_experiment":
                continue
            named = module.constants.get(place.text, place)
            if _BUCKET.match(named.text):
                return Evidence(call.span, call.told)
    return None


def _copied_store(project: Project) -> Evidence | None:
    """A command of a script or job that copies the tracker's whole folder to a shared store."""
    for command, where in project.all_commands:
        if where != "notebook" and _COPIES.search(" ".join(command.argv)):
            return Evidence(command.span, command.text)
    return None


def _logged_files(project: Project) -> list[Use]:
    """Model files that are logged to a tracker as artifacts."""
    found = []
    for use in live(project, "tracker.artifacts"):
        first = use.call.arg(0, "name") if use.call else None
        if first is not None and (
            is_model_path(str(first.literal or first.text)) or "model" in first.text.lower()
        ):
            found.append(use)
    return found


def _named_by_moment(project: Project) -> Iterator[Evidence]:
    """Models saved by code under a name that changes with run, step or time."""
    for use in live(project, "model.save"):
        call = use.call
        values = [*call.args, *(v for _, v in call.kwargs)] if call else []
        texts = [v.text for v in values]
        if any(_PICTURE.search(t) for t in texts):
            continue  # what a model drew: `image.save(f"epoch_{epoch}.png")`
        module = project.modules.get(use.path)
        if module is not None:
            texts += _led_by(module, texts)
        fixed = _constants(module) if module is not None else frozenset()
        if any(_changing(t, fixed) for t in texts[:12]):
            yield use.evidence()
    yield from _by_step(project)
    yield from _configured(project)
    yield from _numbered_names(project)
    for output in written_files(project):
        if output.model and not output.exact and _MOMENT.search(output.call.text):
            yield Evidence(output.call.span, output.call.text)


def _by_step(project: Project) -> Iterator[Evidence]:
    """Callbacks and trainers that keep a checkpoint for each step or epoch."""
    for module in project.own_code:
        for call in module.calls:
            if not call.runs:
                continue
            if _STEPPED.search(call.name) and not _one_file(module, call):
                yield _stepped(project, call)
            elif (
                _PARSER.search(call.name)
                and _ARGUMENTS.search(call.text)
                and any(name.endswith("Trainer") for name in module.names)
            ):
                yield Evidence(call.span, call.told)


def _led_by(module: Module, texts: list[str]) -> list[str]:
    """The values behind names, and behind the folders and files that those name in turn."""
    names = {t for t in texts if t.isidentifier()}
    found = [a.value.text for a in module.assigns if names.intersection(a.targets)]
    places = {word for text in found for word in _PLACE.findall(text)} - names
    return found + [a.value.text for a in module.assigns if places.intersection(a.targets)]


def _stepped(project: Project, call: Call) -> Evidence:
    """What says where and how often a model is kept, else the call."""
    for key in _KEEPS:
        if (given := call.kw(key)) is not None:
            return Evidence(keyword_span(project, call, key), f"{call.method}({key}={given.text})")
    return Evidence(call.span, call.told)


def _numbered_names(project: Project) -> Iterator[Evidence]:
    """Names of models with the run's moment in them, where code saves models or has them saved.

    The name may be put together lines above, or handed to a function of the project that saves.
    """
    for path, scope in _saving(project):
        for text in project.modules[path].texts:
            if text.scope != scope or "{}" not in text.value or not _WEIGHTS.search(text.value):
                continue
            line = line_at(project, text.span)
            if any(_MOMENT.search(hole) for hole in _HOLE.findall(line)):
                yield Evidence(text.span, line.strip())
                break


def _saving(project: Project) -> Iterator[tuple[str, str]]:
    """The functions of programs that save models themselves, or through one of the project's."""
    saves = {(u.path, u.scope) for u in live(project, "model.save") if not u.notebook}
    names = {scope.rsplit(".", 1)[-1] for _, scope in saves if scope}
    found = dict.fromkeys(sorted(saves))
    for module in project.source:
        path = module.path
        for call in module.calls:
            if call.runs and call.method in names and (path, call.scope) not in found:
                targets = project.index.targets(call, path)
                if any((t.path, t.qualname) in saves for t in targets):
                    found[(path, call.scope)] = None
    yield from (key for key in found if key[0] in project.modules)


def _one_file(module: Module, call: Call) -> bool:
    """Whether Keras is given a path without a placeholder, and so overwrites one file."""
    path = call.arg(0, "filepath")
    if "keras" not in call.name or path is None:
        return False
    texts = [path.text, *(a.value.text for a in module.assigns if path.text in a.targets)]
    texts += [t.value for t in module.texts if _PLACEHOLDER.search(t.value)]
    return not any(_PLACEHOLDER.search(t) or _changing(t) for t in texts)


def _configured(project: Project) -> Iterator[Evidence]:
    """Checkpoint callbacks that settings name and a program builds."""
    for path in project.glob("**/*.yaml", "**/*.yml"):
        if (project.entry(path).size or 0) < 200_000:  # noqa: PLR2004 -- a larger file is data
            text = project.text(path) or ""
            for found in re.finditer(r"(?:_target_|class_path):\s*[\w.]+\.ModelCheckpoint\b", text):
                yield Evidence(Span(path, text.count("\n", 0, found.start()) + 1), found[0])


def _constants(module: Module) -> frozenset[str]:
    """Names that the module sets once, to a literal: `version = 1` never changes by itself."""
    given = [t for a in module.assigns for t in a.targets]
    return frozenset(
        t
        for a in module.assigns
        if a.value.is_literal and not a.augmented and not a.scope
        for t in a.targets
        if given.count(t) == 1
    )


def _changing(text: str, fixed: frozenset[str] = frozenset()) -> bool:
    """Whether an expression builds a name from a moment: an f-string, format, % or join."""
    built = re.search(r"[fF][\"']|\.format\(|%\s*[\w(]|join\(|\s[+/]\s", text)
    return bool(built) and any(m[0] not in fixed for m in _MOMENT.finditer(text))
