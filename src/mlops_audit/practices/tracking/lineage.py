"""TRK05: each model can be traced to data, code, parameters and environment."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from mlops_audit.facts.code import Call, Module, Text
from mlops_audit.graph import Project
from mlops_audit.graph.called import is_called
from mlops_audit.graph.dvcmodels import trained_outs
from mlops_audit.graph.memo import once
from mlops_audit.graph.sourcelines import keyword_span
from mlops_audit.graph.stores import step_artifacts, versioning_platforms
from mlops_audit.graph.trackers import tracked
from mlops_audit.graph.uses import Use
from mlops_audit.model import (
    Evidence,
    Span,
    Verdict,
    failed,
    hollow,
    not_applicable,
    partial,
    passed,
)
from mlops_audit.practices.base import practice
from mlops_audit.practices.tracking._pipeline_records import (
    job_settings,
    locked_params,
    platform_params,
)
from mlops_audit.practices.tracking._records import own_calls, reads_data, records, told_params
from mlops_audit.practices.tracking._run_settings import checkpoints, snapshots
from mlops_audit.regex import regex

_LOOKED_FOR = (
    "a committed dvc.lock, logged inputs with a tracker that notes the commit, artifacts with "
    "inputs, registry annotations, or metadata written with the model"
)
_TELLS_COMMIT = frozenset(
    ["MLflow", "Weights & Biases", "Comet", "Neptune", "ClearML", "DVCLive", "Sacred", "Aim",
     "Azure Machine Learning", "SwanLab"]
)  # fmt: skip
_COMMIT = regex(
    r"rev-parse|git\.Repo\b|head\.(commit|object)\.hexsha|GITHUB_SHA|CI_COMMIT_SHA|git_?(sha|hash|"
    r"commit)|\.git/HEAD|commit_(sha|hash|id)|BUILD_SOURCEVERSION|BuildId",
    re.IGNORECASE,
)
_HUB_COMMIT = regex(r"git_head_hash|git_head_commit|\.oid\b|commit_info|upload_(file|folder)")
_COMPLAINS = frozenset({"error", "exception", "warning", "warn", "critical", "fail", "exit"})
_ROUTES = frozenset({"get", "post", "route", "api_route"})
_COMMIT_TAG = regex(r"commit|git_?(sha|hash|rev)", re.IGNORECASE)
_LISTED = regex(r"requirement|dependenc|environment|\.(toml|lock|ya?ml|txt)$|Pipfile")
_NO_PACKAGES = frozenset({"conda-forge", "defaults", "pip", "nodefaults", "pytorch", "nvidia"})
_DATA_TAG = regex(r"data_?(set)?_?(version|hash|rev|md5|snapshot)", re.IGNORECASE)
_COUNTS = regex(r"number_of|\blen\(|_size\b|\.shape\b")  # says how much, not which
_LOCKS = ("uv.lock", "poetry.lock", "Pipfile.lock", "pdm.lock", "conda-lock.yml", "pixi.lock")
_ASIDE = regex(r"(^|[_\-./])(ci|dev|test|tests|docs?|lint|build)([_\-./]|$)", re.IGNORECASE)
_TELLS = regex(r"metric|score|plot")
_NAMED = regex(r"model|clf|ckpt|checkpoint|weights|\.(pt|pth|h5|onnx|keras|skops)\b", re.IGNORECASE)
_SHOWS = regex(r"(^|\.)(print|info|debug|warning)$")
_MOST = 0.9  # of the lines of a list: what REP01 asks for in part


@practice(
    id="TRK05",
    title="Each model can be traced to data, code, parameters and environment",
    assets="data, model, code",
    level="4s",
    sources="S0 S1 S2 S3",
    fix="Run training as a DVC stage and commit dvc.lock, or log the input data with each run.",
    template=(
        "dvc.yaml",
        "dvc.lock",
        "src/<package>/registry/versions.py",
        "src/<package>/models/track_dvclive.py",
        "uv.lock",
    ),
    needs=("training",),
)
def lineage(project: Project) -> Verdict:
    """Which of data, commit, parameters and environment a model leads back to."""
    locked = _locked(project)
    if locked:
        return passed("dvc.lock ties models to the data, code and parameters of a commit.", locked)
    if not _keeps(project):
        return not_applicable("no model is kept")
    parts = {"data": _data(project), "code": _code(project), "parameters": _params(project)}
    known = [name for name, found in parts.items() if found]
    shown = [
        replace(evidence, detail=f"{name}: {evidence.detail}")
        for name, found in parts.items()
        # What stands where a model is trained says it most plainly.
        for evidence in sorted(
            found,
            key=lambda e: (
                bool(_COUNTS.search(e.detail)),
                e.span.path not in project.roles.training,
            ),
        )[:2]
    ]
    environment = _environment(project)
    if len(known) == len(parts) and environment:
        return passed(
            "Models lead back to data, code, parameters and environment.",
            [*shown, *environment[:1]],
        )
    if len(known) == len(parts):
        return partial(
            "Models lead back to data, code and parameters, not to an environment.", shown
        )
    if len(known) == len(parts) - 1:
        missing = next(name for name in parts if name not in known)
        return partial(f"Models lead back to {' and '.join(known)}, not to {missing}.", shown)
    runs = [t.evidence for t in records(project, "tracker.run")]
    if runs and not _tied(project):
        return hollow(
            "Runs are tracked, but the model that is kept is not tied to its run.",
            [*shown, *runs],
            looked_for=_LOOKED_FOR,
        )
    return failed(
        "A model cannot be traced to the data and code that made it.",
        looked_for=_LOOKED_FOR,
        evidence=shown,
    )


def _locked(project: Project) -> list[Evidence]:
    """Stages of a committed lock whose outputs are models and whose inputs are recorded."""
    models = re.compile(
        r"model|\.(pkl|joblib|pt|pth|h5|onnx|keras|skops|bin|json)$|ckpt|weights", re.IGNORECASE
    )
    found = [
        Evidence(made[0].span, f"stage {stage.name} made {made[0].path}, inputs recorded")
        for lock in project.dvc.locks
        for stage in lock.stages.values()
        if any(d.md5 for d in stage.deps)
        if (
            made := [
                o
                for o in stage.outs
                if (models.search(o.path) and not _TELLS.search(o.path))
                or o.path.rstrip("/") in trained_outs(project)
            ]
        )
    ]
    # A pickle may hold data; a name says more than an ending.
    return [e for e in found if _NAMED.search(e.detail.split(" made ")[-1])] or found


def _keeps(project: Project) -> bool:
    """Whether any model is saved, logged, registered or uploaded."""
    capabilities = ("model.save", "model.push", "tracker.model", "registry.register", "serve.model")
    if any(
        u.where != "call" or is_called(project, u.path, u.scope)
        for u in project.uses(*capabilities, test=False)
    ):
        return True
    if records(project, "tracker.model", "tracker.autolog"):
        return True
    saves = re.compile(r"^(save|dump|save_model|save_weights|save_pretrained|export|persist)\w*$")
    return any(
        saves.match(c.method) and re.search(r"model|clf|pipeline|net\b|weights|ckpt", c.text[:200])
        for _, c in own_calls(project)
    )


def _tied(project: Project) -> bool:
    """Whether a model is logged with its run or registered from it."""
    if records(project, "tracker.model", "tracker.autolog"):
        return True
    if project.uses("registry.register", test=False):
        return True
    models = re.compile(r"model|\.(pkl|joblib|pt|h5|onnx)|weights|ckpt|checkpoint", re.IGNORECASE)
    return any(models.search(t.evidence.detail) for t in records(project, "tracker.artifacts"))


def _data(project: Project) -> list[Evidence]:
    found = []
    if _tied(project):
        taken = records(project, "tracker.input")
        found = [t.evidence for t in taken if reads_data(project, t.use)]
        found += [
            t.evidence
            for t in records(project, "tracker.params", "tracker.artifacts")
            if re.search(
                r"data_?(set)?_?(version|hash|id|rev|md5)|dataset", t.evidence.detail, re.IGNORECASE
            )
        ]
        found += [u.evidence() for u in project.uses("data.version.pinned", test=False)]
        found += _tags(project, _DATA_TAG)
    found += _platform(project)
    found += [e for e, keys in checkpoints(project) if any("data" in k.lower() for k in keys)]
    return found


def _platform(project: Project) -> list[Evidence]:
    """Steps whose inputs and outputs their platform records."""
    platforms = versioning_platforms(project)
    found = [
        replace(u.evidence(), detail=f"recorded by {u.tool}: {u.evidence().detail}")
        for u in project.uses("pipeline.step", "pipeline.define", test=False, notebook=False)
        if u.where == "call" and u.tool.lower() in platforms
    ]
    return found + step_artifacts(project) + _packages(project)


def _packages(project: Project) -> list[Evidence]:
    """Models that a SageMaker pipeline registers: they lead back to the job and its inputs."""
    paths = {c.span.path for c in job_settings(project)}
    return [
        u.evidence()
        for u in project.uses("registry.register", test=False, notebook=False)
        if u.path in paths
    ]


def _code(project: Project) -> list[Evidence]:
    found = []
    if _tied(project):
        found = [
            t.evidence
            for t in tracked(project)
            if t.standing == "on"
            and t.tool in _TELLS_COMMIT
            and t.capability in {"tracker.run", "tracker.autolog"}
            and not _in_container(project, t.use)
        ]
        if any(not path.endswith(".ipynb") for path in project.roles.training):
            # A trial in a notebook is no run of the program that trains.
            found = [e for e in found if not e.span.path.endswith(".ipynb")]
        found += _tags(project, _COMMIT_TAG)
    return [*found, *_commits(project)]


def _in_container(project: Project, use: Use | None) -> bool:
    """Whether a tracker is called where git is not: a step of Kubeflow, an image of a folder."""
    if use is None or use.call is None:
        return False
    if any(use.path.startswith(folder) for folder in _images_of_folders(project)):
        return True
    return any(
        step.tool == "Kubeflow" and step.call is not None and step.call.decorates
        and use.call.scope.split(".")[0] == step.call.decorates
        for step in project.uses_in(use.path)
        if step.capability == "pipeline.step"
    )  # fmt: skip


@once
def _images_of_folders(project: Project) -> tuple[str, ...]:
    """Folders that are copied whole into an image whose command is their program: no `.git`."""
    found = []
    for file in project.containers.dockerfiles:
        folder = file.path.rpartition("/")[0]
        last = file.stages[-1] if file.stages else None
        if not folder or last is None:
            continue
        whole = any(source in {".", "./"} for copy in last.copies for source in copy.sources)
        own = f"{folder}/"
        started = [w for c in last.starts for w in c.argv]
        if whole and any(f"{own}{w}" in project.modules for w in started if w.endswith(".py")):
            found.append(own)
    return tuple(found)


def _tags(project: Project, pattern: re.Pattern[str]) -> list[Evidence]:
    """Tracked jobs whose tags name the version of the data, or the commit."""
    found = []
    for use in project.uses("tracker.autolog", "tracker.run", test=False, notebook=False):
        tags = use.call.kw("tags") if use.call else None
        if tags is not None and any(pattern.search(k.strip("'\"")) for k in tags.keys):
            found.append(use.evidence())
    return found


def _commits(project: Project) -> Iterator[Evidence]:
    """Places in code where the commit is read."""
    services = {p.path for p in project.predictions if p.kind == "service"}
    for module in project.source:
        if module.path in services - project.roles.training:
            continue  # what a service answers about itself is not kept with a model
        for text in module.texts:
            if text.doc or not _COMMIT.search(text.value[:200]):
                continue
            if _excuses(module, text) or _answers(module, text.scope):
                continue
            if not (_of_hub(module, text) or _only_printed(project, text.scope)):
                yield Evidence(text.span, text.value)
        for call in module.calls:
            if call.name in {"git.Repo", "pygit2.Repository"}:
                yield Evidence(call.span, call.told)


def _of_hub(module: Module, text: Text) -> bool:
    """Whether a text names the commit of a model's repository on a hub, not that of the code."""
    return any(
        a.span == text.span and text.value in a.targets[0] and _HUB_COMMIT.search(a.value.text)
        for a in module.assigns
    )


def _excuses(module: Module, text: Text) -> bool:
    """Whether a text is said when something went wrong (`raise`, `log.error`)."""
    if any(r.span.line == text.span.line and r.span.cell == text.span.cell for r in module.raises):
        return True
    return any(
        call.method in _COMPLAINS
        and call.span.cell == text.span.cell
        and module.flat(call.span) <= module.flat(text.span) <= call.end_line
        for call in module.calls
    )


def _only_printed(project: Project, scope: str) -> bool:
    """Whether all that asks the function for the commit prints it: no model keeps that."""
    name = scope.split(".", 1)[0]
    asked = [(m, c) for m, c in own_calls(project) if name and c.method == name]
    return bool(asked) and all(
        any(
            _SHOWS.search(shown.name)
            and f"{name}(" in shown.text
            and module.flat(shown.span) <= module.flat(call.span) <= shown.end_line
            for shown in module.calls
        )
        for module, call in asked
    )


def _answers(module: Module, scope: str) -> bool:
    """Whether a function answers requests: what it says of the commit goes with no model."""
    return bool(scope) and any(
        c.decorates == scope and c.method in _ROUTES and c.receiver for c in module.calls
    )


def _params(project: Project) -> list[Evidence]:
    if _tied(project) and (logged := told_params(project)):
        return logged
    kept = [
        e for e, keys in checkpoints(project) if any(re.search("conf|arg|param", k) for k in keys)
    ]
    if _packages(project):
        return kept or [_hyperparameters(project, c) for c in job_settings(project)]
    return (
        kept
        or platform_params(project)
        or _platform(project)
        or locked_params(project)
        or snapshots(project)
    )


def _hyperparameters(project: Project, call: Call) -> Evidence:
    """The settings that a job is given, on the line where they are."""
    told = call.kw("hyperparameters")
    if told is None:
        return Evidence(call.span, call.told)
    place = keyword_span(project, call, "hyperparameters")
    return Evidence(place, f"hyperparameters={told.text}")


def _environment(project: Project) -> list[Evidence]:
    """A lock, an image, or a pinned list of the commit."""
    found = [
        Evidence(Span(path), "lock of the environment")
        for path in project.paths
        if path.rsplit("/", 1)[-1] in _LOCKS
    ]
    found += [
        Evidence(Span(path), "pinned environment")
        for path in project.glob("**/requirements*.txt", "**/environment*.y*ml", "**/conda*.y*ml")
        if not _ASIDE.search(path) and _pinned(project.text(path) or "")
    ]
    found += [
        Evidence(Span(image.path), "image with the project's code")
        for image in project.containers.dockerfiles
        if any(not _LISTED.search(s) for g in image.stages for c in g.copies for s in c.sources)
    ]
    return found


def _pinned(text: str) -> bool:
    lines = [
        ln.strip()
        for ln in text.splitlines()
        if re.match(r"\s*-?\s*[A-Za-z][\w.\-\[\]]*\s*[=<>~]", ln)
        or re.match(r"\s*-\s+[A-Za-z][\w.\-\[\]]*\s*$", ln)
    ]
    lines = [ln for ln in lines if ln.lstrip("- ") not in _NO_PACKAGES]
    exact = [ln for ln in lines if "=" in ln and not re.search(r"[<>~*]", ln)]
    return bool(lines) and len(exact) >= _MOST * len(lines)
