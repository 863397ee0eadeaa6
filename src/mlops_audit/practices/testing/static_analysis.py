"""TST16: a linter and a formatter are configured."""

from __future__ import annotations

import re

from mlops_audit.graph import Project
from mlops_audit.model import Evidence, Verdict, failed, hollow, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.testing._tools import declared, files, hooks, sections, switched_off
from mlops_audit.regex import regex

_LOOKED = "settings, hooks or commands of a linter (Ruff, Flake8, Pylint) and of a formatter"
_LINT = regex(r"^(ruff(\.lint)?|flake8|pylint\b.*|pylama|pycodestyle|pep8|prospector|wemake.*)$")
_FORMAT = regex(r"^(ruff\.format|black|yapf|autopep8|blue|pyink)$")
_LINTS = ("lint.run", "lint.config")
_FORMATS = ("format.run", "format.check", "format.config")
# What checks or rewrites other files, or only the order of imports, is neither.
_ASIDE = frozenset({"imports", "other"})
_NO_LINTERS = regex(
    r"pyupgrade|autoflake|docformatter|vulture|deptry|interrogate|radon|xenon|import-linter|"
    r"lint-imports|add-trailing|double-quote|pyproject-fmt|blacken-docs|unify"
)

_SORTS = regex(r"depends on isort\b")  # which neither lints nor formats


@practice(
    id="TST16",
    title="A linter and a formatter are configured",
    assets="code",
    level="2s",
    sources="S1 S2",
    fix="Configure Ruff as linter and formatter in pyproject.toml and run both in a commit hook.",
    template=(
        "pyproject.toml",
        ".pre-commit-config.yaml",
        "Makefile",
    ),
)
def static_analysis(project: Project) -> Verdict:
    """Collect what lints and what formats, wherever it is configured or run."""
    lints = _found(project, _LINTS, _LINT)
    formats = _found(project, _FORMATS, _FORMAT)
    if lints and formats:
        return passed("a linter and a formatter are configured", [lints[0], formats[0], *lints[1:]])
    if lints:
        return partial("a linter is configured, but no formatter", lints)
    if formats:
        return partial("a formatter is configured, but no linter", formats)
    packages = [
        e
        for e in declared(project, "lint.run", "format.run", "format.check")
        if not _SORTS.match(e.detail)
    ]
    if packages:
        return partial("linters or formatters stand in the dependencies only", packages)
    if off := switched_off(project, *_LINTS, *_FORMATS):
        return hollow("the hooks are commented out", off, looked_for=_LOOKED)
    return failed("no linter or formatter is configured", looked_for=_LOOKED)


def _found(
    project: Project, capabilities: tuple[str, ...], names: re.Pattern[str]
) -> list[Evidence]:
    found = [e for name, e in sections(project) if names.match(name)]
    for match, evidence in (*files(project, *capabilities), *hooks(project, *capabilities)):
        if match.details.kind not in _ASIDE and not _NO_LINTERS.search(evidence.detail):
            found.append(evidence)
    for use in project.uses(*capabilities):
        kind = use.details.kind if use.details else ""
        if use.where != "call" and kind not in _ASIDE and not _NO_LINTERS.search(use.detail):
            found.append(use.evidence())
    return list(dict.fromkeys(found))
