"""Where the kinds of files of a project lie: source, data, models, notebooks, settings, tests."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from msgspec import Struct

from mlops_audit.facts.snakefiles import is_snakefile
from mlops_audit.graph import Project
from mlops_audit.graph.datasets import committed_data, is_model_path
from mlops_audit.graph.outputs import written_files
from mlops_audit.regex import regex

__all__ = ["Kind", "kinds"]

_FOLDERS = {
    "configuration": regex(
        r"(^|/)(confs?|configs?|configurations?|settings|hparams|params|parameters)/", re.IGNORECASE
    ),
    "data": regex(
        r"(^|/)\.?(data|datasets?|data_?files|inputs?|corpus|raw_data|raw)/", re.IGNORECASE
    ),
    "models": regex(
        r"(^|/)(models?|model_?registry|checkpoints?|ckpts?|weights|trained_models?|saved_models?|"
        r"artifacts?)/",
        re.IGNORECASE,
    ),
    "notebooks": regex(r"(^|/)(\w*notebooks?|nbs?|experiment\w*|exploration|eda)/", re.IGNORECASE),
    "tests": regex(r"(^|/)\w*tests?/", re.IGNORECASE),
    "source": regex(r"(^|/)(src|lib|app|scripts|pipelines?|\w*source)/", re.IGNORECASE),
}
# Files of a tool, or of the project as a whole, that belong into the root.
_NO_SOURCE = regex(
    r"(^|/)(setup|conftest|noxfile|tasks|dodo|fabfile|versioneer|hubconf|_version|conf)\.py$|"
    r"(^|/)(docs?|\.github|hooks|docker|infra\w*|terraform|deploy\w*|node_modules|migrations)/"
)
_SETTINGS = regex(
    r"(^|/)(hyper_?)?(params?|parameters|config\w*|conf|settings?|hparams|hyperparameters)"
    r"[\w.-]*\.(ya?ml|json|toml|ini|cfg|conf)$|(^|/)[\w-]*[_-](params?|parameters|config|settings)"
    r"\.(ya?ml|json|toml|ini)$|(^|/)parameters\.json$",
    re.IGNORECASE,
)
_SETTINGS_SUFFIX = regex(r"\.(ya?ml|json|toml|ini|cfg|conf|gin|py)$", re.IGNORECASE)
_OF_TOOLS = regex(
    r"(^|/)\.(github|gitlab|circleci|azure\w*|vscode|idea|dvc|devcontainer|streamlit|claude)/|"
    r"(^|/)(k8s|helm|charts|kubernetes|terraform|infra\w*|node_modules|docs?|monitoring|grafana|"
    r"prometheus)/|(^|/)\.|(^|/)(_config|tsconfig|jsconfig|jest\.config|setup)\b",
    re.IGNORECASE,
)
_MODEL_FILE = regex(
    r"\.(pkl|pickle|joblib|pt|pth|ckpt|h5|hdf5|keras|onnx|safetensors|bst|cbm|skops|"
    r"tflite)(\.dvc)?$|(^|/)saved_model\.pb$"
)
_TABLE = regex(r"\.(csv|parquet|pq|json|feather|tsv|npy|npz|xlsx)$")
_KEPT = regex(r"(^|/)(\.gitkeep|\.gitignore|\.keep|readme[\w.]*|[^/]+\.dvc)$", re.IGNORECASE)
_PATH = regex(r"^(?:\.{0,2}/)*([\w-][\w.-]{0,59}(?:/[\w.{}-]{1,80}){1,6})/?$")
_MOST = 2 / 3  # of a kind's files lie in places of their own: the rest are stragglers


class Kind(Struct, frozen=True):
    """The files of one kind: in a folder of their own, in the root, or mixed with others.

    `own` and `root` hold paths that show it; for data and models that are not in git, the paths
    as code, settings or DVC name them.
    """

    name: str
    own: tuple[str, ...]
    root: tuple[str, ...]
    total: int

    @property
    def apart(self) -> bool:
        """Whether the kind has a place of its own that is not the root."""
        return bool(self.own) and len(self.own) >= _MOST * self.total

    @property
    def place(self) -> str:
        """The folder that holds most of it."""
        folders = Counter(p.rpartition("/")[0] for p in self.own)
        return min(folders, key=lambda f: (-folders[f], f)) if folders else ""


def kinds(project: Project) -> dict[str, Kind]:
    """The kinds of files that exist here."""
    files = _files(project)
    beside = Counter(
        (path.rpartition("/")[0], name) for name, paths in files.items() for path in paths
    )
    totals = Counter(path.rpartition("/")[0] for paths in files.values() for path in paths)
    found = {}
    for name, paths in files.items():
        own, root = [], []
        for path in paths:
            folder = path.rpartition("/")[0]
            if not folder:
                root.append(path)
            elif _FOLDERS[name].search(f"{folder}/") or beside[folder, name] * 2 > totals[folder]:
                own.append(path)
        if paths:
            found[name] = Kind(name, tuple(own), tuple(root), len(paths))
    return found


def _files(project: Project) -> dict[str, list[str]]:
    """The paths of each kind, each path in one kind."""
    found: dict[str, list[str]] = {name: [] for name in _FOLDERS}
    for module in project.source:
        if is_snakefile(module.path):
            continue  # a definition of steps, as dvc.yaml is one
        if module.lines and not _NO_SOURCE.search(module.path):
            kind = (
                "configuration"
                if _FOLDERS["configuration"].search(module.path) and not module.functions
                else "source"
            )
            found[kind].append(module.path)
    found["tests"] = sorted(
        p for p in project.test_files if not p.endswith(("conftest.py", "__init__.py", ".ipynb"))
    )
    found["notebooks"] = [
        p for p in project.paths if p.endswith(".ipynb") and ".ipynb_checkpoints" not in p
    ]
    found["configuration"] += _settings(project)
    data, models = _stored(project)
    found["data"], found["models"] = sorted(data), sorted(models)
    return found


def _settings(project: Project) -> Iterator[str]:
    for path in project.paths:
        if _OF_TOOLS.search(path) or project.is_test(path) or path.endswith(".py"):
            continue
        if _SETTINGS.search(path) or (
            _FOLDERS["configuration"].search(path) and _SETTINGS_SUFFIX.search(path)
        ):
            yield path


def _stored(project: Project) -> tuple[set[str], set[str]]:
    """Data and models: files in git, outputs that DVC tracks, paths that code writes."""
    tests = project.is_test
    code = {p.rpartition("/")[0] for p in project.modules if p.endswith("/__init__.py")}
    data = {e.span.path for e in committed_data(project) if not tests(e.span.path)}
    models = {
        p
        for p in project.paths
        if not tests(p)
        and (_MODEL_FILE.search(p) or (_kept(p, code) and _FOLDERS["models"].search(p)))
        and p not in data
    }
    data |= {
        p for p in project.paths if _kept(p, code) and _FOLDERS["data"].search(p) and not tests(p)
    } - models
    for path in _tracked(project):
        (models if is_model_path(path) else data).add(path)
    for path, model in _written(project):
        (models if model or is_model_path(path) else data).add(path)
    return (
        {p for p in data if not project.is_example(p)},
        {p for p in models - data if not project.is_example(p)},
    )


def _kept(path: str, code: set[str]) -> bool:
    """Whether a file keeps or describes a folder that is no package."""
    return bool(_KEPT.search(path)) and path.rpartition("/")[0] not in code


def _tracked(project: Project) -> Iterator[str]:
    for entry, _ in project.dvc.tracked():
        yield entry.path
    for pipeline in project.dvc.pipelines:
        for stage in pipeline.stages:
            yield from (out.path for out in stage.outs if not re.search(r"metric|report", out.path))


def _written(project: Project) -> Iterable[tuple[str, bool]]:
    """Paths below a folder for data or models that code names, and whether they are models."""
    found: dict[str, bool] = {}
    for output in written_files(project):
        match = _PATH.match(output.path)
        if match is None or output.path.startswith("/"):
            continue
        if output.model:
            found[match[1]] = True
        elif _TABLE.search(match[1]) and _FOLDERS["data"].search(match[1]):
            found.setdefault(match[1], False)
    for module in project.own_code:
        if project.is_example(module.path):
            continue
        for text in module.texts:
            # An absolute path is one of a container or a machine, no folder of the project.
            match = None if text.doc or text.value[:1] == "/" else _PATH.match(text.value)
            if match and _TABLE.search(match[1]) and _FOLDERS["data"].search(match[1]):
                found.setdefault(match[1], False)
    return found.items()
