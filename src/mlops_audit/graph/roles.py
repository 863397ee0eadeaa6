"""What a repository is for (practices.md, rule 5): trains, serves, library, notebooks or none.

Decided once, with evidence, and overridable by `roles` in the configuration.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_audit.graph.uses import Use
from mlops_audit.model import Evidence, RolesInfo

if TYPE_CHECKING:  # the project asks for its roles, and roles are decided on the project
    from mlops_audit.graph.project import Project

__all__ = ["Roles", "decide_roles"]

_PREDICTS = re.compile(r"(^|_)(predict|infer|inference|score|classify|forecast|generate|recommend)")
_TRAINING = ("train.fit", "train.search", "train.loop")
_SERVING = ("serve.http", "serve.route", "serve.grpc", "serve.model", "serve.stream")
_WRITES = re.compile(r"(to_csv|to_parquet|to_sql|to_gbq|to_json|write|save|insert|upload|put)$")
_TEACHING_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Roles:
    """The decision: `training` and `serving` are the files that play each part."""

    kind: str
    trains: bool
    serves: str
    evidence: tuple[Evidence, ...]
    training: frozenset[str] = frozenset()
    serving: frozenset[str] = frozenset()

    @property
    def predicts(self) -> bool:
        """Whether anything predicts for use."""
        return self.serves != "none"

    def has(self, role: str) -> bool:
        """Whether the repository plays a role that practices name in `needs`."""
        if role == "training":
            return self.trains
        if role == "prediction":
            return self.serves in {"service", "batch", "command"}
        return role != "application" or self.kind != "library"

    def info(self) -> RolesInfo:
        """The part of it that reports show."""
        return RolesInfo(self.kind, self.trains, self.serves, self.evidence)


def decide_roles(project: Project) -> Roles:
    """Decide what a project is for."""
    configured = project.config.roles
    training = _training(project)
    in_scripts = [u for u in training if not u.notebook and not project.is_example(u.path)]
    in_notebooks = [u for u in training if u.notebook]
    serves, serving = _serving(project)
    library = _is_library(project) and not in_scripts
    paths = frozenset(u.path for u in training) | frozenset(configured.training)
    evidence: list[Evidence] = [u.evidence() for u in (in_scripts or in_notebooks or training)[:3]]
    evidence += [u.evidence() for u in serving[:3]]
    if configured.kind:
        kind = configured.kind
    elif library and (training or serving):
        kind = "library"
    elif in_scripts:
        kind = "trains"
    elif in_notebooks:
        kind = "notebooks" if _teaches(project) else "trains"
    elif training:
        kind = "trains"
    elif serving:
        kind = "serves"
    else:
        kind = "none"
    trains = kind in {"trains", "notebooks"} or (kind == "serves" and bool(training))
    served = frozenset(u.path for u in serving) | frozenset(configured.serving)
    return Roles(kind, trains, serves, tuple(evidence), paths, served)


def _training(project: Project) -> list[Use]:
    """Training calls and commands, library code before examples."""
    found = [u for u in project.uses(*_TRAINING) if not _generic(u)]
    return sorted(
        found, key=lambda u: (project.is_example(u.path), u.notebook, u.path, u.span.line or 0)
    )


def _generic(use: Use) -> bool:
    """Whether a fit is that of a transformer or scaler alone."""
    call = use.call
    return bool(
        call
        and re.search(r"\.(preprocessing|impute|feature_extraction|decomposition)\.", call.name)
    )


def _serving(project: Project) -> tuple[str, list[Use]]:
    services = [u for u in project.uses(*_SERVING, notebook=False) if _predicting(project, u.path)]
    services += project.uses("deploy.endpoint", notebook=False)
    if services:
        return "service", services
    batch = _batch(project)
    if batch:
        scheduled = bool(project.uses("pipeline.schedule")) or any("batch" in u.path for u in batch)
        return ("batch" if scheduled else "command"), batch
    demos = list(project.uses("serve.demo", notebook=False))
    return ("demo", demos) if demos else ("none", [])


def _predicting(project: Project, path: str) -> bool:
    """Whether the module of a service, or a module of the project it uses, predicts."""
    seen = {path}
    queue = [path]
    while queue:
        current = queue.pop()
        module = project.modules.get(current)
        if module is None:
            continue
        if any(
            u.capability in {"predict.call", "model.load", "registry.load"}
            for u in project.uses_in(current)
        ):
            return True
        if any(_PREDICTS.search(c.method) for c in module.calls):
            return True
        for item in module.imports:
            symbol = project.index.resolve(item.dotted, current) or project.index.resolve(
                item.module, current
            )
            if symbol and symbol.path not in seen:
                seen.add(symbol.path)
                queue.append(symbol.path)
    return False


def _batch(project: Project) -> list[Use]:
    """Uses that load a stored model in a program that predicts and does not train."""
    found = []
    for use in project.uses("model.load", "registry.load", notebook=False):
        module = project.modules.get(use.path)
        if module is None or project.is_example(use.path):
            continue
        predicts = [c for c in module.calls if _PREDICTS.search(c.method)]
        if predicts and any(_WRITES.search(c.method) or c.name == "print" for c in module.calls):
            found.append(use)
    return found


def _is_library(project: Project) -> bool:
    """Whether the project is published for others: a build backend and a way to install it."""
    backend = [p for p in ("pyproject.toml", "setup.py", "setup.cfg") if project.has(p)]
    if not backend:
        return False
    if project.uses("package.publish"):
        return True
    readme = next((p for p in project.glob("README*") if "/" not in p), None)
    text = (project.text(readme) or "") if readme else ""
    return (
        bool(re.search(r"pip3? install (?!-)[\w\-\[\]]{3,60}\s", text)) and "git clone" not in text
    )


def _teaches(project: Project) -> bool:
    """Whether notebooks are most of the code: they teach, there is no project around them."""
    notebooks = len([n for n in project.notebooks.values() if n.code_cells])
    scripts = len([m for m in project.source if m.lines])
    return notebooks >= 5 and notebooks / (notebooks + scripts) > _TEACHING_SHARE  # noqa: PLR2004 -- a course, not one experiment
