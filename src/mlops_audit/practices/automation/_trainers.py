"""The programs that train, with what starts them and what they walk through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlops_audit.facts.code import Module
from mlops_audit.graph import Project
from mlops_audit.graph.scopes import Scope, scopes
from mlops_audit.graph.training import is_training, programs, trains_here
from mlops_audit.model import Evidence, Span
from mlops_audit.practices.automation._options import (
    DEFINES,
    PIPELINE_PARAMETER,
)

__all__ = ["training_programs"]

# Functions that a person or a platform calls by their names (`run_fn` is that of a TFX Trainer).
_STARTED = frozenset({"main", "train", "run", "cli", "run_fn", "train_fn", "training_fn"})


def training_programs(project: Project) -> Iterator[tuple[Module, Evidence, tuple[Scope, ...]]]:
    """The programs that train: by their calls, else by what they import."""
    training = project.roles.training
    rest: list[Module] = []
    library = project.roles.kind == "library"  # what its classes do is up to others
    started = programs(project, project.modules) if library else frozenset(project.modules)
    modules = sorted(
        (project.modules[p] for p in started if p not in project.test_files),
        key=lambda m: (m.notebook, project.is_example(m.path), m.path not in training, m.path),
    )
    shown = _shown_in_passing(project)
    for module in modules:
        if module.path in shown:
            continue
        if module.path not in training and module.main_line is None and module.functions:
            if not module.notebook:
                rest.append(module)
            continue
        if module.notebook and module.path not in training:
            continue
        roots = [Scope(module.path), *(Scope(module.path, n) for n in _roots(module))]
        walked = scopes(project, roots, imports=True)
        trained = trains_here(project, walked)
        if trained:
            calls = [c for _, c in trained]
            call = next((c for c in calls if c.method != "create_study"), calls[0])
            yield module, Evidence(call.span, f"trains: {call.told}"), walked
        else:
            rest.append(module)
    if training:
        yield from _importers(project, rest, training)
    yield from _launchers(project, rest)


def _shown_in_passing(project: Project) -> frozenset[str]:
    """Notebooks of a book that read options, where most of those that train read none."""
    if project.roles.kind != "notebooks":
        return frozenset()
    reading = {u.path for u in project.uses("config.parse", notebook=True)}
    books = {p for p in project.roles.training if project.modules[p].notebook}
    return frozenset(reading & books) if len(reading & books) * 2 < len(books) else frozenset()


def _launchers(
    project: Project, modules: Iterable[Module]
) -> Iterator[tuple[Module, Evidence, tuple[Scope, ...]]]:
    """Programs that hand hyperparameters to a job which a platform's own image trains."""
    for module in modules:
        started = module.main_line is not None or any(
            PIPELINE_PARAMETER.search(c.name) for c in module.calls
        )
        if not started or project.is_example(module.path):
            continue
        for call in module.calls:
            if call.method == "set_hyperparameters" or call.kw("hyperparameters") is not None:
                walked = scopes(project, [Scope(module.path)], imports=True)
                yield module, Evidence(call.span, f"training job: {call.told}"), walked
                break


def _importers(
    project: Project, modules: Iterable[Module], training: frozenset[str]
) -> Iterator[tuple[Module, Evidence, tuple[Scope, ...]]]:
    """Programs that build their jobs from settings: they import the training code."""
    for module in modules:
        if module.main_line is None and not any(
            "parse" in c.method or DEFINES.search(c.name) for c in module.calls
        ):
            continue
        near = _imported(project, module)
        reached = sorted(near & training)
        if not reached:
            continue
        if not any(project.modules[p].functions for p in reached[:1]):
            continue
        names = [Scope(module.path), *(Scope(module.path, f.qualname) for f in module.functions)]
        yield module, _trained(project, reached), scopes(project, names, imports=True)


def _trained(project: Project, paths: list[str]) -> Evidence:
    """A call that trains in one of the modules, else the first of them."""
    for path in paths:
        use = next((u for u in project.uses_in(path) if is_training(u)), None)
        if use is not None:
            return Evidence(use.span, f"trains: {use.detail}")
    return Evidence(Span(paths[0]), "training code")


def _imported(project: Project, module: Module) -> frozenset[str]:
    """Paths of the project's modules that a module imports, directly or not."""
    seen = {module.path}
    queue = [module]
    while queue and len(seen) < 200:  # noqa: PLR2004 -- a bound for cycles and giants
        near = queue.pop()
        for item in near.imports:
            for name in (item.dotted, item.module):
                symbol = project.index.resolve(name, near.path)
                if symbol and symbol.path not in seen:
                    seen.add(symbol.path)
                    queue.append(project.modules[symbol.path])
    return frozenset(seen - {module.path})


def _roots(module: Module) -> Iterator[str]:
    """Functions that something outside calls: decorated ones, and what trains here."""
    for f in module.functions:
        if f.decorators or f.name in _STARTED:
            yield f.qualname
