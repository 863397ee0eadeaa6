"""TST12: the tests' coverage is measured."""

from __future__ import annotations

from mlops_audit.graph import Project
from mlops_audit.graph.sourcelines import text_span
from mlops_audit.model import Evidence, Verdict, failed, hollow, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.testing._tools import declared, documented, empty, files, sections
from mlops_audit.regex import regex

_LOOKED = "coverage settings, pytest --cov, coverage run, or a coverage action"
# In prose, "a simple coverage report" is no command.
_COMMAND = regex(
    r"(^\s*|[`$>&|;(]\s*|\b(run|-m|exec)\s+)coverage (run|report|xml|html)\b|"
    r"\bpytest\b.{0,200}--cov\b|--cov[= ]"
)
_SECTIONS = regex(r"^coverage(:|\.|$)|^pytest-cov|^diff_cover")
_PACKAGES = regex(r"\b(coverage|pytest-cov|codecov|coveralls|diff-cover)\b")
# Settings of the service alone measure nothing.
_SERVICES = regex(r"codecov|coveralls")


@practice(
    id="TST12",
    title="The tests' coverage is measured",
    assets="code",
    level="5s",
    sources="F",
    fix="Add `--cov=<package>` to pytest's options and a limit below which the run fails.",
    template=(
        "pyproject.toml",
        "Makefile",
    ),
)
def coverage(project: Project) -> Verdict:
    """Look for settings, commands and documented commands that measure coverage."""
    found = [u.evidence() for u in project.uses("coverage.measure") if u.where != "call"]
    found += [
        Evidence(
            text_span(project, c.span, "--cov"),
            " ".join(o for o in c.options if o.startswith("--cov")),
        )
        for c in project.tests.configs.values()
        if any(o.startswith("--cov") for o in c.options)
    ]
    found += [e for name, e in sections(project) if _SECTIONS.search(name)]
    found += [e for _, e in files(project, "coverage.measure") if not _SERVICES.search(e.span.path)]
    found += documented(project, _COMMAND)
    if found:
        return passed("coverage is measured", found)
    services = [e for _, e in files(project, "coverage.measure")]
    packages = [
        e for e in declared(project, "coverage.measure") if _PACKAGES.search(e.detail.lower())
    ]
    if packages or services:
        what = "a coverage package is a dependency" if packages else "a coverage service is set up"
        return partial(f"{what}, but nothing measures", [*packages, *services])
    if blank := empty(project, "coverage.measure"):
        return hollow("the settings file of coverage is empty", blank, looked_for=_LOOKED)
    return failed("nothing measures the tests' coverage", looked_for=_LOOKED)
