"""STR03: training can run without a notebook."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mlops_audit.facts.code import Function, Module
from mlops_audit.facts.command import python_target, unwrap
from mlops_audit.graph import Project
from mlops_audit.graph.called import found_by_framework
from mlops_audit.graph.memo import once
from mlops_audit.graph.scopes import Scope, scopes
from mlops_audit.graph.training import (
    TRAINING,
    is_training,
    own_fit,
    programs,
    training_calls,
    trains_here,
)
from mlops_audit.model import Evidence, Span, Verdict, failed, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_LOOKED_FOR = "a module or program outside notebooks that trains"
_EXPORTED = regex(r"^# Databricks notebook source", re.MULTILINE)
_PLACEHOLDER = regex(r"(^|/)path/to/", re.IGNORECASE)
_SHOWN = 5
_TOO_MANY = 300  # scopes of one walk
# What decorates a function without handing it to anything that calls it.
_NO_ENTRY = frozenset(
    {"property", "classmethod", "staticmethod", "cached_property", "abstractmethod",
     "functools.cached_property", "functools.lru_cache", "functools.wraps", "abc.abstractmethod",
     "contextlib.contextmanager", "override", "typing.override", "tensorflow.function"}
)  # fmt: skip


@practice(
    id="STR03",
    title="Training runs without a notebook",
    assets="code",
    level="1s, 2M~",
    sources="S0 S1 S4",
    fix="Move the training code from the notebook into a module with a main function.",
    template=(
        "src/<package>/models/train_model.py",
        "src/<package>/models/search_parameters.py",
    ),
    needs=("training",),
)
def logic_outside_notebooks(project: Project) -> Verdict:
    """Look for training in modules, then for tools that run notebooks."""
    places = _training(project)
    modules = [
        e
        for e in places
        if not _is_notebook(project, e.span.path) and not _is_unfinished(project, e.span.path)
    ]
    if project.roles.kind == "library":
        started = programs(project, {e.span.path for e in modules})
        modules = [e for e in modules if e.span.path in started]
    lonely = [e for e in modules if _only_from_notebooks(project, e.span.path)]
    own = [e for e in modules if e not in lonely]
    if own:
        first: dict[str, Evidence] = {}
        for evidence in own:
            first.setdefault(evidence.span.path, evidence)
        shown = list(first.values())[:_SHOWN]
        return passed(f"Training runs outside notebooks, in {own[0].span.path}.", shown)
    runs = _executed(project) if places else []
    if runs:
        return partial("Training stands in notebooks that a tool executes.", runs[:_SHOWN])
    if lonely:
        return partial(
            f"The module {lonely[0].span.path} trains, but only notebooks call it.",
            lonely[:_SHOWN],
        )
    return failed(
        "Training stands in notebooks only." if places else "Nothing outside notebooks trains.",
        looked_for=_LOOKED_FOR,
        evidence=places[:_SHOWN],
    )


def _training(project: Project) -> list[Evidence]:
    """Where models are trained: by known tools first, in the project's own code first."""
    found = [u.evidence() for u in project.uses(*TRAINING) if is_training(u)]
    for module in project.own_code:
        calls = list(training_calls(module))[:1]
        found += [Evidence(c.span, c.text) for c in calls if c.text]
        if (fit := own_fit(module)) is not None:
            found.append(Evidence(fit.span, f"{fit.qualname}() fits a model"))
    named = [p for p in project.config.roles.training if project.has(p)]
    found += [Evidence(Span(p), "named by the configuration") for p in named]
    return sorted(
        dict.fromkeys(found),
        key=lambda e: (
            project.is_example(e.span.path),
            "train" not in e.span.path,
            e.span.path,
            # What switches a mode on, or sets a rate, trains nothing by itself.
            e.detail.endswith((".train()", "scheduler.step()")),
            str(e.span),
        ),
    )


def _is_unfinished(project: Project, path: str) -> bool:
    """Whether a program reads a placeholder (`PATH/TO/DATA/FILE`): nobody can run it so."""
    module = project.modules.get(path)
    return module is not None and any(
        not call.scope
        and re.match(r"(read|load|open|genfromtxt)", call.method)
        and any(_PLACEHOLDER.search(str(v.literal)) for v in call.args[:1])
        for call in module.calls
    )


def _is_notebook(project: Project, path: str) -> bool:
    """Whether a file is a notebook, also one that a platform keeps as text."""
    if path.endswith(".ipynb"):
        return True
    head = project.text(path) if path.endswith((".py", ".scala", ".sql", ".r")) else None
    return bool(head and _EXPORTED.search(head[:400]))


@once
def _importers(project: Project) -> Mapping[str, set[str]]:
    """The modules and notebooks, tests left out, that import each module, by its path."""
    found: dict[str, set[str]] = {}
    for module in project.own_code:
        for other in project.index.imported(module.path):
            if other != module.path:
                found.setdefault(other, set()).add(module.path)
    return found


@once
def _only_from_notebooks(project: Project, path: str) -> bool:
    """Whether notebooks import a module of plain functions and nothing else does."""
    module = project.modules.get(path)
    if module is None or module.main_line or any(not c.scope for c in training_calls(module)):
        return False
    importers = _importers(project).get(path)
    if not importers:
        return False
    if any(not _is_notebook(project, p) for p in importers) and _started_by_code(project, path):
        return False
    stem = path.removesuffix(".py").replace("/", ".")
    return not any(stem.endswith(v.split(":")[0]) for v in project.console_scripts.values())


def _started_by_code(project: Project, path: str) -> bool:
    """Whether no notebook trains with a module, or a program or an entry point does so too."""
    if not any(_trains_with(project, Scope(n), path) for n in project.notebooks):
        return True
    for module in project.source:
        roots = [Scope(module.path)] if module.main_line or not module.functions else []
        roots += [Scope(module.path, f.qualname) for f in module.functions if _is_entry(module, f)]
        if any(_trains_with(project, root, path) for root in roots):
            return True
    return False


def _is_entry(module: Module, function: Function) -> bool:
    """Whether a framework or a command line calls a function."""
    if found_by_framework(module, function):
        return True
    return function.name == "main" or bool(set(function.decorators) - _NO_ENTRY)


def _trains_with(project: Project, root: Scope, path: str) -> bool:
    walked = scopes(project, [root])
    if len(walked) >= _TOO_MANY:  # more may follow: nobody can tell
        return not root.path.endswith(".ipynb")
    return bool(trains_here(project, [s for s in walked if s.path == path]))


def _executed(project: Project) -> list[Evidence]:
    """Where a tool executes notebooks as programs."""
    found = [
        u.evidence() for u in project.uses("notebook.execute", notebook=False) if u.where != "file"
    ]
    for command, _ in project.all_commands:
        if ".ipynb" in command.text and python_target(unwrap(command).argv)[1].endswith(".ipynb"):
            found.append(Evidence(command.span, command.text))  # IPython runs it as a program
    for path in project.glob("**/*.yml", "**/*.yaml", "**/*.json"):
        text = project.text(path) or ""
        for number, line in enumerate(text.splitlines()[:2000] if "notebook_" in text else (), 1):
            if re.match(r"""[\s\-"']{0,40}notebook_(task|path)\b""", line):
                found.append(Evidence(Span(path, number), line.strip()))
                break
    return found
