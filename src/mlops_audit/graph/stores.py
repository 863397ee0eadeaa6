"""Pipelines and platforms that keep versions of what their steps write."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from mlops_audit.facts.code import Module
from mlops_audit.graph.called import is_called
from mlops_audit.graph.datasets import is_model_path
from mlops_audit.graph.features import feature_code
from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

LIBRARY = "a library for others: what it trains are examples"

# Their data sets are questions to evaluate a language model with, not what it learns from.
EVALUATION_SETS = frozenset({"Opik", "Langfuse", "LangSmith and LangChain"})

__all__ = [
    "EVALUATION_SETS",
    "LIBRARY",
    "aside",
    "data_artifacts",
    "demonstrated",
    "feature_outputs",
    "features_stay_here",
    "hosted",
    "kept_steps",
    "live",
    "platform_steps",
    "shared_tracker",
    "shown_only",
    "step_artifacts",
    "versioning_platforms",
]

# Platforms that store each output of each step under a version of its own.
_PLATFORMS = frozenset({"zenml", "tfx", "metaflow", "flyte", "tensorflow extended"})
# Those whose steps are functions: what one returns is its output, and nothing else is.
_RETURNED = frozenset({"zenml", "flyte"})
# Kubeflow keeps what a step declares as an artifact, each run's under a name of its own.
_ARTIFACT = regex(
    r"Output\[[^\]]{0,60}(Dataset|Artifact)|OutputPath\([^)]{0,20}(Dataset|csv|parquet|json|table)",
    re.IGNORECASE,
)
_UNTYPED = regex(r"(\w+\.)?OutputPath(\(\))?")
_DATA_NAME = regex(r"data|csv|table|features|(^|_)(train|test|val\w*|x|y)(_|$)", re.IGNORECASE)
_CLOUD_TOOLS = frozenset(
    {
        "Azure Machine Learning",
        "Google Vertex AI",
        "Amazon SageMaker",
        "Databricks",
        "Google Cloud",
        "AWS",
    }
)
# A store of Feast's for past features that is no file: a warehouse, a database.
_OFFLINE = regex(
    r"^offline_store:\s*(?:\{[^}\n]{0,60}type:|\n(?:[ \t]+[^\n]*\n){0,5}?[ \t]+type:)\s*"
    r"(?!(file|dask|duckdb)\b)\w|^offline_store:[ \t]*(?!(file|dask|duckdb)\b)\w",
    re.MULTILINE,
)
_DATA_FILE = regex(
    r"(data|train|test|raw)[\w/.-]*\.(csv|parquet|jsonl?|feather)$|^data/?$", re.IGNORECASE
)
_TABLE = regex(r"\.(csv|tsv|parquet|jsonl|feather|arrow)$", re.IGNORECASE)
_LAST = regex(r"join\(.{0,200},\s*[\"']([^\"']{1,120})[\"']\)$")
_DATA_SET = regex(r"data_?-?set|corpus|(^|[^a-z])data\b", re.IGNORECASE)
_RESULTS = regex(r"result|predict|metric|\bpreds?\b|outputs?\b|report|leaderboard", re.IGNORECASE)
_FEATURES = regex(r"feat(ure|uri)?", re.IGNORECASE)
_PREPARED = regex(
    r"process|transform|final|prepare|interim|encod|scal|token|embed|clean", re.IGNORECASE
)
_NOT_FEATURES = regex(
    r"metric|score|plot|report|figure|importance|feat\w{0,5}_imp([^a-z]|$)|raw", re.IGNORECASE
)
_CLOUD = regex(
    r"\b(gs|s3|abfss?|wasbs?|dbfs)://[\w{$<-]|"
    # the variable that names a bucket, where the address itself comes from outside
    r"^(GCS|GS|GCP|S3|AWS|AZURE)_\w{0,20}(BUCKET|LOCATION|ROOT|URI|CONTAINER)\w{0,10}$"
)
_OBJECT_CLIENTS = frozenset({"minio", "boto3", "google", "azure"})
_OBJECT_CALL = regex(
    r"^minio\.Minio\.(f?(get|put)_object|stat_object|list_objects)$|"
    r"^boto3\.(client|resource)\.(upload|download|put|get)_(file|fileobj|object)$|"
    r"^google\.cloud\.storage\.[\w.]+\.(upload|download)_\w+$|"
    r"^azure\.storage\.blob\.[\w.]+\.(upload|download)_blob$"
)
# A feature store's warehouse or table service, by its type.
_WAREHOUSE = regex(
    r"^\s+type:\s*[\"']?(redshift|athena|bigquery|snowflake|dynamodb|datastore|bigtable|databricks)\b"
)


# A look at some rows, which names no version and keeps none.
_LOOKS = frozenset({"take", "head", "sample", "show", "skip", "describe", "to_pandas_dataframe"})


def live(project: Project, *capabilities: str) -> list[Use]:
    """The uses of capabilities outside tests, in functions that something calls; examples last."""
    found = [
        use
        for use in project.uses(*capabilities, test=False)
        if use.call is None
        or (
            is_called(project, use.path, use.scope)
            and not _looks(use.capability, use.call.method)
            and not _keeps_results(use)
        )
    ]
    return sorted(found, key=lambda use: project.is_example(use.path))


def _looks(capability: str, method: str) -> bool:
    return capability.startswith("data.version") and method in _LOOKS


def _keeps_results(use: Use) -> bool:
    """Whether a version of data is one of what a model gave (`Artifact("results", ...)`)."""
    if not use.capability.startswith("data.version") or use.call is None:
        return False
    name = use.call.arg(0, "name") if use.call.method == "Artifact" else None
    return name is not None and bool(_RESULTS.search(name.text) and not _DATA_SET.search(name.text))


def data_artifacts(project: Project) -> list[Use]:
    """Artifacts of a tracker that hold data sets, told by the file's or the artifact's name."""
    found = []
    for use in sorted(live(project, "tracker.artifacts"), key=lambda u: u.notebook):
        named_by = "name" if use.call and use.call.method == "Artifact" else "local_path"
        first = use.call.arg(0, named_by) if use.call else None
        if use.call is None or first is None:
            continue
        joined = _LAST.search(first.text)  # `os.path.join(folder, "train.csv")`
        told = joined[1] if joined and first.literal is None else first.literal
        for item in project.modules[use.path].assigns if first.text.isidentifier() else ():
            if first.text in item.targets and item.scope == use.call.scope:
                told = item.value.literal
        named = isinstance(told, str) and _DATA_FILE.search(told) and not _RESULTS.search(told)
        made = use.call.method == "Artifact" and _DATA_SET.search(first.text)
        if named or made or _holds_table(project, use):
            found.append(use)
    return found


def _holds_table(project: Project, use: Use) -> bool:
    """Whether a file of rows is put into an artifact, however the artifact is called."""
    if use.call is None or use.call.method != "Artifact" or not use.call.targets:
        return False
    module = project.modules[use.path]
    for call in module.calls_in(use.scope):
        if call.receiver not in use.call.targets or call.method not in {"add_file", "new_file"}:
            continue
        value = call.arg(0, "local_path")
        told = value.literal if value is not None else None
        if value is not None and value.text.isidentifier():
            own = module.assigns_by_scope.get(use.scope, ())
            given = [a for a in own if value.text in a.targets]
            told = given[-1].value.literal if given else None
        if isinstance(told, str) and _TABLE.search(told) and not _RESULTS.search(told):
            return True
    return False


def demonstrated(project: Project, use: Use) -> bool:
    """Whether a course of notebooks shows a service in passing: its other data lies elsewhere.

    A pointer made in one chapter says nothing of the data that the others download.
    """
    if project.roles.kind != "notebooks" or not use.notebook:
        return False
    reading = {u.path for u in project.uses("train.*", notebook=True)}
    same = {u.path for u in project.uses(use.capability, notebook=True)}
    return len(same) * 2 < len(reading)


def shown_only(use: Use) -> bool:
    """Whether a notebook makes a lasting resource of a cloud, which counts partly (rule 8)."""
    return use.notebook and use.tool in _CLOUD_TOOLS


def aside(project: Project, use: Use) -> bool:
    """Whether only a notebook keeps features in a store, and the scripted training reads none.

    Like a resource of a cloud that a notebook makes, it counts partly (rule 8).
    """
    if not use.notebook or use.capability != "feature.store":
        return shown_only(use)
    if not any(
        not project.modules[p].notebook for p in project.roles.training if p in project.modules
    ):
        return False
    return not project.uses("feature.store", test=False, notebook=False)


def versioning_platforms(project: Project) -> frozenset[str]:
    """The platforms, in small letters, that store what this project's steps give.

    Steps that return nothing, such as those that only start a program, leave nothing to store.
    """
    steps: dict[str, list[bool]] = {}
    for use in project.uses("pipeline.step", test=False):
        if use.tool.lower() in _RETURNED and use.call is not None and use.call.decorates:
            function = project.modules[use.path].function(use.call.decorates)
            gives = function is None or any(v.text != "None" for v in function.returns)
            steps.setdefault(use.tool.lower(), []).append(gives)
    return _PLATFORMS - {tool for tool, gives in steps.items() if not any(gives)}


def platform_steps(project: Project) -> list[Evidence]:
    """Steps of a platform that versions their outputs, and Kedro data sets that are versioned."""
    found = kept_steps(project, live(project, "pipeline.step", "pipeline.define"))
    found += step_artifacts(project)
    for path in project.glob("**/conf/**/catalog*.y*ml", "**/catalog*.y*ml"):
        text = project.text(path) or ""
        for match in re.finditer(r"^\s*versioned:\s*[Tt]rue", text, re.MULTILINE):
            line = text.count("\n", 0, match.end()) + 1
            found.append(Evidence(Span(path, line), "a versioned Kedro data set"))
    return found


def kept_steps(project: Project, uses: Iterable[Use]) -> list[Evidence]:
    """Those of a pipeline's steps whose platform keeps what they make.

    A step of Metaflow hands on what it sets on itself: one that sets nothing has nothing to keep.
    """
    platforms = versioning_platforms(project)
    return [
        replace(u.evidence(), detail=f"what it makes is kept by {u.tool}: {u.evidence().detail}")
        for u in uses
        if u.where == "call" and u.tool.lower() in platforms and not _sets_nothing(project, u)
    ]


def _sets_nothing(project: Project, use: Use) -> bool:
    step = use.call.decorates if use.call is not None and use.tool == "Metaflow" else ""
    return bool(step) and not any(
        a.scope == step and any(t.startswith("self.") for t in a.targets)
        for a in project.modules[use.path].assigns
    )


def step_artifacts(project: Project) -> list[Evidence]:
    """Data sets that steps of Kubeflow or Vertex pipelines declare as their outputs."""
    found = []
    for use in live(project, "pipeline.step"):
        function = (
            project.modules[use.path].function(use.call.decorates)
            if use.tool == "Kubeflow" and use.call is not None and use.call.decorates
            else None
        )
        written = [
            p
            for p in (function.params if function else ())
            if _ARTIFACT.search(p.written)
            or (_UNTYPED.fullmatch(p.written) and _DATA_NAME.search(p.name))
        ]
        if function is not None and written:
            text = f"step {function.name} writes {written[0].name}: {written[0].written}"
            found.append(Evidence(function.span, text))
    return found


def feature_outputs(project: Project) -> list[Evidence]:
    """Recorded outputs of pipeline stages that are features."""
    computing = {e.span.path for e in feature_code(project)}
    # What the code that computes names is what it writes, tracked without a stage.
    named = {
        text.value.rstrip("/").rsplit("/", 1)[-1]
        for path in computing & project.modules.keys()
        for text in project.modules[path].texts
        if not text.doc
    }
    strong, weak = [], []
    for entry, evidence in project.dvc.tracked():
        if is_model_path(entry.path) or _NOT_FEATURES.search(entry.path):
            continue
        if _FEATURES.search(evidence.detail):
            strong.append(evidence)
        elif (
            computing
            and _PREPARED.search(evidence.detail)
            and ("of stage" in evidence.detail or entry.path.rsplit("/", 1)[-1] in named)
        ):
            weak.append(evidence)
    return strong or weak


def hosted(project: Project) -> Evidence | None:
    """A place in code, commands or settings that names a cloud store."""
    for module in project.source:
        if found := _stores(module):
            return found
    for command, _ in project.all_commands:
        if _CLOUD.search(command.text):
            return Evidence(command.span, command.text)
    for path in project.glob("**/*.yaml", "**/*.yml", "**/*.env*", "**/*.toml", "**/*.json"):
        entry = project.entry(path)
        if (entry.size or 0) > 200_000:  # noqa: PLR2004 -- settings are small
            continue
        for number, line in enumerate(project.lines(path), 1):
            warehouse = path.endswith("feature_store.yaml") and _WAREHOUSE.search(line)
            if (warehouse or _CLOUD.search(line)) and not line.lstrip().startswith("#"):
                return Evidence(Span(path, number), line.strip())
    return None


def features_stay_here(project: Project) -> bool:
    """Whether every store of Feast keeps its history in files of one machine."""
    texts = [project.text(p) or "" for p in project.glob("**/feature_store.yaml")]
    local = [
        not _OFFLINE.search(t) and bool(re.search(r"^provider:\s*local\b", t, re.MULTILINE))
        for t in texts
    ]
    return bool(local) and all(local) and hosted(project) is None


_INPUT = regex(r"input|source|raw|download", re.IGNORECASE)


def _stores(module: Module) -> Evidence | None:
    """Where a module names a cloud store, or asks one for an object."""
    taken = {a.span for a in module.assigns if any(_INPUT.search(t) for t in a.targets)}
    named = [t for t in module.texts if not t.doc and _CLOUD.search(t.value)]
    for text in sorted(named, key=lambda t: t.span in taken):  # where results go, before inputs
        return Evidence(text.span, text.value)
    for call in module.calls if module.roots & _OBJECT_CLIENTS else ():
        if _OBJECT_CALL.match(call.name):
            return Evidence(call.span, call.told)
    return None


_URI = regex(
    r"https?://(?!localhost|127\.|0\.0\.0\.0)|databricks|azureml|environ|getenv|postgres|mysql"
)
_WINDOW = regex(r"\b(mlflow ui|aim up|tensorboard)\b")
_SERVER = regex(r"https?://")


def shared_tracker(project: Project) -> Evidence | None:
    """A place that sends runs to a server which others reach."""
    for use in live(project, "tracker.remote"):
        return use.evidence()
    for use in live(project, "tracker.uri"):
        call = use.call
        value = (
            call.args[0]
            if call and call.args
            else (call.kwargs[0][1] if call and call.kwargs else None)
        )
        if value is None:
            if call is None and _SERVER.search(use.detail):
                return use.evidence()
            continue
        text = str(value.literal) if value.is_literal else _resolved(project, use.path, value.text)
        if _URI.search(text) and not re.match(r"sqlite|file:|\./|mlruns", text):
            return use.evidence()
    # A window on the runs of one machine, opened by hand, is no server for others.
    servers = [
        u
        for u in live(project, "tracker.server")
        if not u.notebook and not _WINDOW.search(u.detail)
    ]
    return servers[0].evidence() if servers else None


def _resolved(project: Project, path: str, text: str) -> str:
    """An expression with the module's own constant of that name beside it."""
    constant = project.modules[path].constants.get(text)
    if constant is None:
        return text
    return str(constant.literal) if constant.is_literal else constant.text
