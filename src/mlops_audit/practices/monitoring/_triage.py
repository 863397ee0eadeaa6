"""Decisions that stand before a retraining, and what the code that takes them looks at."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from mlops_audit.facts.code import Branch, Call, Module
from mlops_audit.graph import Project
from mlops_audit.graph.scopes import Scope, scopes
from mlops_audit.graph.trained import trains_in
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

__all__ = ["OUTLIER", "Triage", "triages"]

# A shift that is one of a few rows or of one moment, and one that lasts.
OUTLIER = regex(r"outlier|consecutive|persist|confirm(ed)?_drift|isolat", re.IGNORECASE)
_COLUMNS = regex(r"\.columns\b|\.dtypes?\b|\bschema\b(?!\.)", re.IGNORECASE)
_ENDS = regex(r"\s*(return|raise|continue|break|(sys\.)?exit\()")
_LIMIT = 120  # scopes: a decision that runs more code than this is a framework's


class Triage(Struct, frozen=True):
    """A branch that can keep training from starting, and what decides it.

    The lists hold the places that look at the data's validity, its schema and at outliers.
    """

    branch: Evidence
    valid: tuple[Evidence, ...]
    schema: tuple[Evidence, ...]
    outliers: tuple[Evidence, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing of the three is missing."""
        return bool(self.valid and self.schema and self.outliers)

    @property
    def evidence(self) -> list[Evidence]:
        """The branch, then the first places for each thing that is looked at."""
        return [self.branch, *self.valid[:1], *self.schema[:2], *self.outliers[:1]]


def triages(project: Project) -> Iterator[Triage]:
    """The branches before a training whose test comes from a function of the project."""
    for module in project.source:
        if project.is_example(module.path) or module.path in project.roles.serving:
            continue
        for branch in module.branches:
            deciding = _deciding(project, module, branch)
            if deciding and branch.constant is None and _holds_back(project, module, branch):
                yield _looked_at(project, branch, deciding)


def _deciding(project: Project, module: Module, branch: Branch) -> tuple[Scope, ...]:
    """The functions of the project whose result the test asks for."""
    names = {name.partition(".")[0] for name in branch.names}
    line = module.flat(branch.span)
    calls = [
        c
        for c in module.calls
        if c.scope == branch.scope
        and c.runs
        and module.flat(c.span) <= line
        and (names & set(c.targets) or module.flat(c.span) == line)
    ]
    roots = [s for c in calls for s in _targets(project, module, c)]
    return scopes(project, roots, limit=_LIMIT) if roots else ()


def _targets(project: Project, module: Module, call: Call) -> list[Scope]:
    return [Scope(s.path, s.qualname) for s in project.index.targets(call, module.path)]


def _holds_back(project: Project, module: Module, branch: Branch) -> bool:
    """Whether training stands in an arm of the branch, or after an arm that ends the run."""
    inside = [*module.calls_within(branch.body), *module.calls_within(branch.orelse)]
    after = module.calls_within((branch.body[1] + 1, _end(module, branch)))
    lines = project.lines(module.path)[branch.body[0] - 1 : branch.body[1]]
    later = after if not module.notebook and any(map(_ENDS.match, lines)) else ()
    return any(
        call.scope == branch.scope
        and (roots := _targets(project, module, call))
        and trains_in(project, scopes(project, roots)) is not None
        for call in (*inside, *later)
    )


def _end(module: Module, branch: Branch) -> int:
    """The last line of the function around a branch."""
    function = module.function(branch.scope)
    return function.end_line if function is not None else module.lines


def _looked_at(project: Project, branch: Branch, deciding: tuple[Scope, ...]) -> Triage:
    place = Evidence(branch.span, f"if {branch.test}")
    stops = [c.evidence for c in project.validation.checks if c.where == "code" and c.stops]
    valid = [e for e in stops if _within(project, e.span, deciding)]
    schema = [e for s in deciding for e in _on_columns(project, s)]
    outliers = [e for s in deciding for e in _on_outliers(project, s)]
    if OUTLIER.search(branch.test):
        outliers.append(place)
    return Triage(place, tuple(valid), tuple(schema), tuple(outliers))


def _within(project: Project, span: Span, deciding: tuple[Scope, ...]) -> bool:
    for scope in deciding:
        if scope.path == span.path:
            function = project.modules[scope.path].function(scope.qualname)
            if function and (function.span.line or 0) <= (span.line or 0) <= function.end_line:
                return True
    return False


def _on_columns(project: Project, scope: Scope) -> Iterator[Evidence]:
    """Columns or types that a function compares with what it expects."""
    module = project.modules[scope.path]
    for compare in module.compares:
        text = f"{compare.left.text} {compare.op} {compare.right.text}"
        if compare.scope == scope.qualname and _COLUMNS.search(text):
            yield Evidence(compare.span, text)
    for assign in module.assigns:
        text = assign.value.text
        if assign.scope == scope.qualname and ".columns" in text and re.search(r"\) [-^] ", text):
            yield Evidence(assign.span, text)


def _on_outliers(project: Project, scope: Scope) -> Iterator[Evidence]:
    """Conditions on outliers, or on a shift that lasts, and functions that look for them."""
    module = project.modules[scope.path]
    inside = [b for b in module.branches if b.scope == scope.qualname and b.constant is None]
    for branch in inside:
        if OUTLIER.search(branch.test):
            yield Evidence(branch.span, f"if {branch.test}")
    function = module.function(scope.qualname)
    if function is None or function.stub or not OUTLIER.search(function.name):
        return
    if inside or any(c.scope == scope.qualname for c in module.compares):
        yield Evidence(function.span, f"def {function.name}")
