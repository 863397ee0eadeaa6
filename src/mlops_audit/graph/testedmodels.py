"""Models that tests load, pipelines that they start elsewhere: what made them is exercised."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import TYPE_CHECKING

from mlops_audit.graph.index import Symbol
from mlops_audit.graph.outputs import written_files

if TYPE_CHECKING:  # the project asks for its tests, which are read from the project
    from mlops_audit.graph.project import Project

__all__ = ["TestedModels"]

_LOADS = frozenset({"registry.load", "model.load"})
_ANSWERS = frozenset(
    {"predict", "predict_proba", "decision_function", "score", "generate", "forward", "run"}
)
_REGISTRY = "models:/"  # the scheme of MLflow's registry


class TestedModels:
    """Tells which code made the models that functions of test code load."""

    __test__ = False

    def __init__(self, project: Project) -> None:
        self.project = project

    def used(self, scopes: Collection[tuple[str, str]]) -> tuple[Symbol, ...]:
        """The modules that made what is loaded: from a registry, or from a file by its name."""
        found: dict[Symbol, None] = {}
        asked = self._asked(scopes)
        for path, scope in scopes:
            capabilities = {u.capability for u in self.project.uses_in(path, scope)} & _LOADS
            if not capabilities:
                continue
            texts = [
                text.value
                for text in self.project.modules[path].texts
                if not text.doc and text.scope in {scope, ""}
            ]
            if "registry.load" in capabilities or any(_REGISTRY in t for t in texts):
                found.update(dict.fromkeys(self._registering))
            names = {t.rsplit("/", 1)[-1] for t in texts} & self._written.keys() if asked else ()
            found.update(dict.fromkeys(self._written[n] for n in sorted(names)))
        return tuple(found)

    def started(self, scopes: Collection[tuple[str, str]]) -> tuple[Symbol, ...]:
        """The modules that define the pipeline which is started on a platform, by its name."""
        tools = {
            use.tool
            for path, scope in scopes
            for use in self.project.uses_in(path, scope)
            if use.capability == "pipeline.run" and use.call is not None
        }
        return tuple(self._defining[t] for t in sorted(tools & self._defining.keys()))

    @cached_property
    def _defining(self) -> dict[str, Symbol]:
        """The first module that defines a pipeline, by the tool."""
        found: dict[str, Symbol] = {}
        for use in self.project.uses("pipeline.define", test=False, notebook=False):
            if use.where == "call":
                found.setdefault(use.tool, Symbol(use.path, "", "module"))
        return found

    def _asked(self, scopes: Collection[tuple[str, str]]) -> bool:
        """Whether a model of these functions answers: a file that is only opened is no test."""
        for path, scope in scopes:
            if any(u.capability == "predict.call" for u in self.project.uses_in(path, scope)):
                return True
            if any(c.method in _ANSWERS for c in self.project.modules[path].calls_in(scope)):
                return True
        return False

    @cached_property
    def _registering(self) -> tuple[Symbol, ...]:
        """Modules that put a model into a registry."""
        uses = self.project.uses("registry.register", test=False, notebook=False)
        return tuple(Symbol(p, "", "module") for p in sorted({u.path for u in uses}))

    @cached_property
    def _written(self) -> dict[str, Symbol]:
        """The file names of models that training code stores, with the module that does."""
        found: dict[str, Symbol] = {}
        for output in written_files(self.project):
            name = output.path.rsplit("/", 1)[-1]
            trains = output.module.path in self.project.roles.training
            if trains and output.model and output.exact and "." in name:
                found.setdefault(name, Symbol(output.module.path, "", "module"))
        return found
