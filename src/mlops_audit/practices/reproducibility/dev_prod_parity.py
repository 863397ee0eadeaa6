"""REP08: training and serving run the same packages and the same feature code."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mlops_audit.graph import Project
from mlops_audit.graph.features import feature_code, shared_queries
from mlops_audit.graph.fittedparts import shared_transformer
from mlops_audit.graph.settings import setting
from mlops_audit.graph.stores import live
from mlops_audit.graph.training import training_programs
from mlops_audit.model import Evidence, Span, Verdict, failed, not_applicable, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.reproducibility._environments import Environment, nearest
from mlops_audit.practices.reproducibility._images import has_image_of_names
from mlops_audit.practices.reproducibility._programs import imports
from mlops_audit.regex import regex

# Settings, logging and tracing are shared by everything; what computes on data has one of these.
_COMPUTES = frozenset(
    {"numpy", "pandas", "polars", "pyspark", "sklearn", "scipy", "torch", "torchvision", "keras",
     "tensorflow", "jax", "transformers", "tokenizers", "datasets", "cv2", "PIL", "librosa",
     "torchaudio", "spacy", "nltk", "xgboost", "lightgbm", "catboost", "dask", "cudf", "xarray"}
)  # fmt: skip
_PREPARES = regex(
    r"featur|process|transform|clean|encod|token|embed|normali[sz]|scal|augment|impute|"
    r"(load|read|prepare)_?data(?!base)|vectori[sz]|resize|letterbox",
    re.IGNORECASE,
)
_JOB = regex(r"(Job|Component|Deployment)(?=\.schema\.json)")
_OFFLINE = regex(r"historical|offline|training_?(data|set)", re.IGNORECASE)
_LOOKED_FOR = "one lock that training and serving install, and one module of features that both use"


@practice(
    id="REP08",
    title="Training and serving share lock and feature code",
    assets="code, model",
    level="5s",
    sources="S4",
    fix="Install the training lock in the serving image and import one feature module in both.",
    template=(
        "Dockerfile",
        "src/<package>/features/build_features.py",
        "src/<package>/data/schema.py",
        "uv.lock",
        "pyproject.toml",
    ),
    needs=("training", "prediction"),
)
def dev_prod_parity(project: Project) -> Verdict:
    """Judge the two halves, leaving out one that does not exist."""
    # What a library predicts with beside its service is an example of its use.
    library = project.roles.kind == "library" and project.roles.serves != "service"
    if library or project.roles.serves in {"none", "demo", "command"}:
        return not_applicable("nothing here serves predictions")
    training = _programs(project, training_programs(project))
    serving = _programs(project, _deployed(project, training))
    halves: dict[str, Evidence | None] = {}
    if training and serving:
        own = [p for p in serving if not _managed(project, p)]
        handlers = [p for p in own if not _sets_up(project, p)]
        halves["packages"] = _same_environment(project, training, handlers) or _registered(project)
    code = _shared_code(project, training, serving)
    if code is not None or feature_code(project):
        halves["feature code"] = code
    kept = [e for e in halves.values() if e is not None]
    missing = [name for name, e in halves.items() if e is None]
    if not halves:
        return failed("what serves shares nothing with training", looked_for=_LOOKED_FOR)
    if not missing:
        return passed(f"training and serving share {' and '.join(halves)}", kept)
    if kept:
        return partial(f"training and serving do not share {missing[0]}", kept)
    return failed(
        f"training and serving do not share {' or '.join(missing)}", looked_for=_LOOKED_FOR
    )


def _programs(project: Project, paths: Iterable[str]) -> list[str]:
    return sorted(
        p for p in paths
        if p in project.modules and not project.modules[p].notebook and p not in project.test_files
    )  # fmt: skip


def _deployed(project: Project, training: list[str]) -> frozenset[str]:
    """The files that serve for use.

    Where a service has an environment of its own, answers that are computed beside the training
    say nothing of it.
    """
    services = {p.path for p in project.predictions if p.kind == "service"} & project.roles.serving
    served = {e.folder for p in services if (e := nearest(project, p))}
    trained = {e.folder for p in training if (e := nearest(project, p))}
    return frozenset(services) if served and not served & trained else project.roles.serving


def _managed(project: Project, path: str) -> bool:
    """Whether a program only sets up an endpoint, which runs an image of its platform."""
    return any(
        u.capability == "serve.model" and u.details is not None and u.details.kind == "managed"
        for u in project.uses_in(path)
    )


def _sets_up(project: Project, path: str) -> bool:
    """Whether a program only hands a model and its handler to a platform, in their own folder."""
    uses = project.uses_in(path)
    return any(u.capability == "serve.model" and u.call is not None for u in uses) and not any(
        u.capability in {"serve.http", "serve.route", "serve.grpc", "predict.call"} for u in uses
    )


def _same_environment(project: Project, training: list[str], serving: list[str]) -> Evidence | None:
    """The lock or environment file that both install by their places."""
    trained = {e.folder: e for p in training if (e := nearest(project, p))}
    own = [p for p in serving if not has_image_of_names(project, p)]
    served = {e.folder: e for p in own if (e := nearest(project, p))}
    for folder in sorted(set(trained) & set(served)):
        environment = trained[folder]
        if environment.locked:
            frozen = environment.frozen[:1]
            lock = environment.locks[0].path if environment.locks else frozen[0].file
            return Evidence(Span(lock), "the lock of training and serving")
        files = {r.file for r in environment.requirements}
        if len(files) == 1:
            return _file(environment)
    return None


def _registered(project: Project) -> Evidence | None:
    """The environment of Azure ML that the files of both a job and a deployment name."""
    schemas = {s.span.path: str(s.value) for s in setting(project, "$schema")}
    sides: dict[bool, dict[str, Evidence]] = {True: {}, False: {}}
    for item in setting(project, "environment"):
        told = _JOB.search(schemas.get(item.span.path, ""))
        if told and isinstance(item.value, str) and item.value.startswith("azureml:"):
            sides[told[0] == "Deployment"].setdefault(item.value, item.evidence())
    both = sorted(set(sides[True]) & set(sides[False]))
    return sides[True][both[0]] if both else None


def _file(environment: Environment) -> Evidence:
    return Evidence(Span(environment.requirements[0].file), "one file for training and serving")


def _shared_code(project: Project, training: list[str], serving: list[str]) -> Evidence | None:
    """A module of features, or any code, that training and serving both run."""
    trained = {p for t in training for p in (t, *imports(project, t))}
    served = {p for s in serving for p in (s, *imports(project, s))}
    features = {e.span.path for e in feature_code(project)}
    both = sorted(trained & served)
    for path in both:
        if path in features:
            said = _both(project, path, training, serving)
            return Evidence(Span(path), f"features that {said}")
    stores = [u for u in live(project, "feature.store") if not project.is_example(u.path)]
    online = [u for u in stores if u.path in served]
    # Training may take its features in an earlier step of the pipeline, a program of its own.
    offline = [
        u
        for u in stores
        if u.path in trained or (u.path not in served and _OFFLINE.search(u.detail))
    ]
    if online and offline:
        return online[0].evidence()
    known = [project.modules[p] for p in sorted(trained) if p in project.modules]
    graphs = ("transform_features_layer", "TFTransformOutput")
    transforms = [c for m in known for c in m.calls if c.name.endswith(graphs)]
    if transforms:
        return Evidence(transforms[0].span, "the feature graph goes with the model")
    queries = shared_queries(project)
    if queries:
        return Evidence(queries[0].span, "the query of features of training and prediction")
    fitted = shared_transformer(project)
    if fitted:
        return Evidence(fitted[0].span, "the fitted transformer of training")
    if features & (trained | served):
        return None
    for path in both:
        module = project.modules[path]
        prepares = any(_PREPARES.search(f.name) for f in module.functions)
        if module.functions and (prepares or module.roots & _COMPUTES):
            return Evidence(Span(path), f"code that {_both(project, path, training, serving)}")
    return None


def _both(project: Project, path: str, training: list[str], serving: list[str]) -> str:
    """Which programs share a module, in words."""
    trains, serves = (
        next((p for p in programs if p == path or path in imports(project, p)), path)
        for programs in (training, serving)
    )
    if trains == serves:
        return f"{trains} uses for training and serving"
    return f"{trains} (training) and {serves} (serving) both use"
