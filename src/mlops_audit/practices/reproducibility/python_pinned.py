"""REP02: the Python version is fixed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.graph import Project
from mlops_audit.graph.sourcelines import line_span
from mlops_audit.model import Evidence, Span, Verdict, failed, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.reproducibility._environments import is_model_folder
from mlops_audit.practices.reproducibility._images import SPARK_RUNTIME, images, python_of
from mlops_audit.regex import regex

_WIDE = 3  # minor versions, the catalogue's bound
_INPUTS = 15  # lines below the first one of a step or an instruction that may belong to it
_PROSE = regex(r"\b[Pp]ython(?:\s+version)?\s*(?:[=>~]{1,2}|v|:)?\s*[23]\.\d+")
_TRAVIS = regex(r"^python:\s*(?:\n\s*-\s*)?[\"']?(3\.\d{1,2})", re.MULTILINE)
_MATRIX = ("python-version", "pythonVersion", "python_version", "versionSpec")
_INSTALLERS = frozenset({"apt", "apt-get", "conda", "mamba", "micromamba", "pyenv", "yum", "dnf"})
_INSTALLED = regex(r"^(python={0,2})?3\.\d{1,2}(\.\d+)?(-dev|-venv|-distutils)?$")
_CONDA_PYTHON = regex(r"\bpython={1,2}['\"]?(3\.\d|\$\{\{)")
_PYTHON_WORD = regex(r"python\S{0,3}['\"]?=?\S*3\.|python['\"]?=|PYTHON_VERSION")
_RUNTIME = regex(r"^\s*[Rr]untime:\s*[\"']?python3\.\d+", re.MULTILINE)
_PYTHON_ENV = regex(r"^python:\s*[\"']?(3\.\d+[\d.]*)", re.MULTILINE)


@practice(
    id="REP02",
    title="The Python version is fixed",
    assets="code",
    level="2s",
    sources="S1 S4",
    fix="Write the version into .python-version, or bound requires-python (>=3.11,<3.13).",
    template=(
        ".python-version",
        "pyproject.toml",
        "Dockerfile",
    ),
)
def python_pinned(project: Project) -> Verdict:
    """Judge statements of the version, the firmest first."""
    pins = [p for p in project.dependencies.pythons if not is_model_folder(project, p.span.path)]
    firm = [
        p
        for p in pins
        if p.exact_or_bounded and p.minors_wide is not None and p.minors_wide <= _WIDE
    ]
    where = [Evidence(p.span, f"Python {p.text}") for p in firm]
    where += [i.evidence[0] for i in images(project) if python_of(i.base)]
    where += [
        Evidence(d.span, f"image {d.image}")
        for d in project.containers.deployments
        if d.image and python_of(d.image)
    ]
    where += [*_installed(project), *_files(project)]
    if where:
        return passed("the Python version is fixed", where[:6])
    if pins:
        loose = [Evidence(p.span, f"Python {p.text}") for p in pins]
        wide = any("<" in p.text for p in pins)
        said = "is bounded too widely" if wide else "has a lower bound only"
        return partial(f"the Python version {said}", loose[:4])
    runtimes = list(_runtimes(project))
    if runtimes:
        return partial("a platform's runtime fixes the Python version for its jobs", runtimes[:4])
    weak = list({e.span: e for e in (*_in_ci(project), *_in_prose(project))}.values())
    if weak:
        return partial("the Python version stands only in CI or prose", weak[:4])
    return failed(
        "nothing says which Python version",
        looked_for=".python-version, a bounded requires-python, a conda file or image tag",
    )


def _installed(project: Project) -> Iterator[Evidence]:
    """Pythons of one version that an image with another base installs itself."""
    for dockerfile in project.containers.dockerfiles:
        for command in (c for stage in dockerfile.stages for c in stage.runs):
            if not _INSTALLERS & set(command.argv[:2]):
                continue
            word = next((w for w in command.argv[1:] if _INSTALLED.match(w)), None)
            if word is not None:
                last = (command.span.line or 1) + _INPUTS
                place = line_span(project, command.span, _PYTHON_WORD, last)
                yield Evidence(place, f"installs {word}")


def _files(project: Project) -> Iterator[Evidence]:
    """Environment files of MLflow projects, and functions whose platform runs one version."""
    for path in project.glob("**/python_env*.y*ml"):
        found = _PYTHON_ENV.search(project.text(path) or "")
        if found and not is_model_folder(project, path):
            line = (project.text(path) or "").count("\n", 0, found.start()) + 1
            yield Evidence(Span(path, line), f"Python {found[1]}")
    for path in project.glob("**/*.y*ml"):
        text = project.text(path) or "" if (project.entry(path).size or 0) < 200_000 else ""  # noqa: PLR2004 -- a larger file is data
        if found := _RUNTIME.search(text):
            yield Evidence(
                Span(path, text.count("\n", 0, found.start()) + 1),
                re.sub("[\"']", "", found[0].strip()),
            )


def _runtimes(project: Project) -> Iterator[Evidence]:
    """Runtimes of Databricks by their number, which come with one Python."""
    for path in project.glob("**/*.y*ml", "**/*.json"):
        small = (project.entry(path).size or 0) < 200_000  # noqa: PLR2004 -- a larger file is data
        text = project.text(path) or "" if small else ""
        if found := SPARK_RUNTIME.search(text):
            line = text.count("\n", 0, found.start()) + 1
            yield Evidence(Span(path, line), re.sub("[\"']", "", found[0]))


def _in_ci(project: Project) -> Iterator[Evidence]:
    for workflow in project.workflows:
        for job in workflow.jobs:
            for step in job.steps:
                for key in _MATRIX:
                    if re.search(r"3\.\d|\$\{\{", step.inputs.get(key, "")):
                        last = (step.span.line or 1) + _INPUTS
                        place = line_span(project, step.span, rf"\b{key}[\"']?\s*:", last)
                        yield Evidence(place, f"{key}: {step.inputs[key]}")
                for command in step.commands:
                    if command.program in _INSTALLERS and _CONDA_PYTHON.search(command.text):
                        yield Evidence(command.span, command.text)
            if re.search(r"python:3\.\d", job.image):
                yield Evidence(job.span, f"image {job.image}")
        if workflow.system == "travis":
            text = project.text(workflow.span.path) or ""
            if found := _TRAVIS.search(text):
                line = text.count("\n", 0, found.start(1)) + 1
                yield Evidence(Span(workflow.span.path, line), f"Python {found[1]}")


def _in_prose(project: Project) -> Iterator[Evidence]:
    names = project.glob("**/README*", "docs/*.md", "CONTRIBUTING*", "**/requirements*.txt")
    for path in names:
        for number, line in enumerate(project.lines(path), 1):
            if found := _PROSE.search(line):
                yield Evidence(Span(path, number), found[0])
                break
