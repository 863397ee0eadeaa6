"""What a repository is for (practices.md, rule 5): trains, serves, library, notebooks or none.

Decided once, with evidence, and overridable by `roles` in the configuration. How a model is used
is decided together with AUT17, in `graph.prediction`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_audit.facts.code import Module
from mlops_audit.graph.memo import once
from mlops_audit.graph.predicting import Prediction
from mlops_audit.graph.prediction import trials
from mlops_audit.graph.scopes import Scope, scopes
from mlops_audit.graph.training import (
    TRAINING,
    is_training,
    own_fit,
    training_calls,
    trains_here,
)
from mlops_audit.model import Evidence, RolesInfo, Span
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project asks for its roles, and roles are decided on the project
    from mlops_audit.graph.project import Project

__all__ = ["Roles", "decide_roles"]

_TEACHING_NOTEBOOKS = 5  # a course or book, not one experiment
_TEACHING_SHARE = 0.5  # most of the code is in them
_PREDICTING = frozenset({"service", "stream", "batch", "command", "function", "demo"})
_SERVES = {"service": "service", "stream": "service", "batch": "batch", "command": "command",
           "function": "command", "demo": "demo"}  # fmt: skip
_BUILD_FILES = ("pyproject.toml", "setup.py", "setup.cfg")
_PIP_INSTALL = regex(
    r"(?:pip3?|uv|poetry|conda|mamba)\s+(?:install|add)\s+"
    r"(?:(?:-U|--upgrade|-c|-n)\s+(?:conda-forge\s+)?)?[\"']?([A-Za-z][\w.\-]{1,60})"
)
_NAME = regex(r"^\s*name\s*=\s*[\"']?([A-Za-z][\w.\-]{0,80})", re.MULTILINE)
_NAME_CALL = regex(r"\bname\s*=\s*[\"']([A-Za-z][\w.\-]{0,80})[\"']")
_MODEL_FILES = regex(r"\.(pkl|joblib|pt|pth|h5|keras|onnx|safetensors|bst|cbm)(\.dvc)?$")


# Fields of the tool catalogue whose libraries make, judge or explain models.
_MODEL_FIELDS = frozenset({"training", "tuning", "explainability", "fairness", "drift"})


class Roles(Struct, frozen=True):
    """The decision: `training` and `serving` are the files that play each part.

    `in_use` says that something predicts for use: also a predict function or a demo, but not
    predictions for the data of training and testing alone.
    """

    kind: str
    trains: bool
    serves: str
    evidence: tuple[Evidence, ...]
    training: frozenset[str] = frozenset()
    serving: frozenset[str] = frozenset()
    in_use: bool = False

    @property
    def predicts(self) -> bool:
        """Whether anything predicts for use."""
        return self.in_use or self.serves != "none"

    def has(self, role: str) -> bool:
        """Whether the repository plays a role that practices name in `needs`."""
        if role == "training":
            return self.trains
        if role == "prediction":
            return self.predicts and self.kind != "library"
        return role != "application" or self.kind != "library"

    def info(self) -> RolesInfo:
        """The part of it that reports show."""
        return RolesInfo(self.kind, self.trains, self.serves, self.evidence)


class _Place(Struct, frozen=True):
    """A place that trains."""

    path: str
    evidence: Evidence
    notebook: bool
    example: bool


def decide_roles(project: Project) -> Roles:
    """Decide what a project is for."""
    configured = project.config.roles
    training = _training(project)
    own = [p for p in training if not p.notebook and not p.example]
    noted = [p for p in training if p.notebook]
    used = [p for p in project.predictions if p.kind in _PREDICTING]
    serving = [p for p in used if not project.is_example(p.path)] or used
    library = _library(project, own, serving)
    shown = [p.evidence for p in _spread(own or noted or training)]
    shown += [p.evidence[0] for p in serving[:3]]
    kind = configured.kind or _kind(project, training, serving, library=library is not None)
    if kind == "library" and library is not None:
        shown.insert(0, library)
    trains = bool(training or configured.training) and kind not in {"library", "none"}
    tried = trials(project) if serving else frozenset()
    files = frozenset(p.path for p in training) - tried | frozenset(configured.training)
    served = frozenset(p.path for p in serving if p.kind != "function")
    return Roles(
        kind,
        trains or kind == "trains",
        _served(serving, configured=bool(configured.serving)),
        tuple(dict.fromkeys(shown)),
        files,
        served | frozenset(configured.serving),
        in_use=bool(serving or configured.serving),
    )


def _served(serving: list[Prediction], *, configured: bool) -> str:
    if serving:
        return _SERVES[serving[0].kind]
    return "command" if configured else "none"


def _kind(
    project: Project, training: list[_Place], serving: list[Prediction], *, library: bool
) -> str:
    own = [p for p in training if not p.notebook and not p.example]
    noted = [p for p in training if p.notebook]
    if library:
        return "library"
    if noted and _teaches(project, own):
        return "notebooks"
    if training:
        return "trains"
    if serving:
        return "serves"
    return "notebooks" if project.notebooks and _learns(project) else "none"


def _training(project: Project) -> list[_Place]:
    """Where models are trained: the project's own code first, then notebooks, then examples."""
    found = [
        _Place(u.path, u.evidence(), u.notebook, project.is_example(u.path))
        for u in project.uses(*TRAINING)
        if is_training(u)
    ]
    known = {p.path for p in found}
    for module in project.source:
        if module.path not in known and (place := _own_model(project, module)):
            found.append(place)
            known.add(module.path)
    for module in project.own_code:
        call = next(training_calls(module), None) if module.path not in known else None
        if call is not None:
            shown = Evidence(call.span, call.told)
            example = project.is_example(module.path)
            found.append(_Place(module.path, shown, module.notebook, example))
    return sorted(
        found,
        key=lambda p: (p.example, p.notebook, p.path, p.evidence.span.line or 0),
    )


def _own_model(project: Project, module: Module) -> _Place | None:
    """A model that the project implements itself: a class that fits and predicts."""
    function = own_fit(module)
    if function is None:
        return None
    place = Evidence(function.span, f"{function.qualname}() fits a model")
    return _Place(module.path, place, notebook=False, example=project.is_example(module.path))


def _spread(places: list[_Place]) -> list[_Place]:
    """The first place of each of three files."""
    first: dict[str, _Place] = {}
    for place in places:
        first.setdefault(place.path, place)
    return list(first.values())[:3]


# -- libraries and courses ----------------------------------------------------------------------


def _library(project: Project, own: list[_Place], serving: list[Prediction]) -> Evidence | None:
    """Why the project is a library for others; None when it is an application.

    A library is installed from an index under its own name. Its training code lies in its
    package; a pipeline, a stored model or a deployed service of its own make it an application.
    """
    published = _published(project)
    if published is None or not (own or serving or _about_models(project)):
        return None
    if any(_MODEL_FILES.search(p) and not _aside(project, p) for p in project.paths):
        return None
    for use in project.uses("pipeline.define", "tracker.uri", "registry.promote", notebook=False):
        if (
            use.where == "call"
            and not _aside(project, use.path)
            and not _packaged(project, use.path)
        ):
            return None
    if any(
        project.entry(p).kind == "file" and p.endswith("dvc.yaml") and not _aside(project, p)
        for p in project.paths
    ):
        return None
    programs = [p for p in own if not _packaged(project, p.path) and not _aside(project, p.path)]
    packaged = [p for p in own if _packaged(project, p.path)]
    if (programs and not packaged) or _trained_by_programs(project):
        return None
    outside = [
        p
        for p in serving
        if p.counts and not _packaged(project, p.path) and not _aside(project, p.path)
    ]
    return None if outside and not packaged else published


def _trained_by_programs(project: Project) -> bool:
    """Whether a program in the root folder, no example, calls the package's training."""
    for module in project.source:
        path = module.path
        if "/" in path or module.main_line is None or _aside(project, path):
            continue
        roots = [Scope(path), *(Scope(path, f.qualname) for f in module.functions if f.decorators)]
        if trains_here(project, scopes(project, roots)):
            return True
    return False


def _about_models(project: Project) -> bool:
    """Whether the code, tests and examples included, imports a library of machine learning."""
    roots = {root for module in project.modules.values() for root in module.roots}
    tools = (project.catalogue.module(root) for root in sorted(roots))
    return any(tool is not None and tool.field in _MODEL_FIELDS for tool in tools)


def _aside(project: Project, path: str) -> bool:
    return project.is_example(path) or project.is_test(path)


def _packaged(project: Project, path: str) -> bool:
    """Whether a module lies in an importable package.

    Its folder has an `__init__.py`, or is named like the distribution that is built.
    """
    folder, _, _ = path.rpartition("/")
    if not folder or project.has(f"{folder}/__init__.py"):
        return bool(folder)
    return _normal(folder.removeprefix("src/").split("/", 1)[0]) in _names(project)


@once
def _names(project: Project) -> frozenset[str]:
    """The names under which the repository's own distribution is built."""
    files = [p for p in _BUILD_FILES if project.has(p)]
    return frozenset(_normal(n) for p in files for n in _own_names(project.text(p) or "", p))


def _published(project: Project) -> Evidence | None:
    """Where the repository shows that others install it from an index."""
    files = [p for p in _BUILD_FILES if project.has(p)]
    if not files:
        return None
    names = _names(project)
    readme = next((p for p in project.glob("README*") if "/" not in p), None)
    for number, line in enumerate(project.lines(readme) if readme else (), 1):
        for found in _PIP_INSTALL.finditer(line[:500]):
            if _normal(found[1]) in names and readme:
                return Evidence(Span(readme, number), line.strip())
    use = next(
        (
            u
            for u in project.uses("package.publish")
            if u.path.startswith(".") or u.where in {"action", "command"}
        ),
        None,
    )
    private = use is not None and re.search(r"-r |--repository|--index|publish-url", use.detail)
    return use.evidence() if use is not None and not private else None


def _own_names(text: str, path: str) -> list[str]:
    pattern = _NAME_CALL if path.endswith(".py") else _NAME
    return pattern.findall(text[:200_000])[:3]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _teaches(project: Project, own: list[_Place]) -> bool:
    """Whether notebooks are most of the code: they teach, there is no project around them."""
    notebooks = len([n for n in project.notebooks.values() if n.code_cells])
    scripts = len([m for m in project.source if m.lines])
    if notebooks < _TEACHING_NOTEBOOKS:
        return False
    trained = len({p.path for p in own})
    if trained and any(_starts_own_code(project, m) for m in project.source):
        return False
    return notebooks / (notebooks + scripts) > _TEACHING_SHARE and trained * 4 <= notebooks


def _starts_own_code(project: Project, module: Module) -> bool:
    """Whether it is a program in the root folder that imports the project's own modules."""
    return (
        "/" not in module.path
        and module.main_line is not None
        and any(project.index.resolve(i.dotted, module.path) for i in module.imports)
    )


def _learns(project: Project) -> bool:
    """Whether notebooks use a library of machine learning at all."""
    capabilities = ("train.*", "evaluate.metric", "predict.call")
    return any(u.notebook for u in project.uses(*capabilities, notebook=True))
