"""Images as environments: their bases, and what they install and run."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from msgspec import Struct

from mlops_audit.facts.docker import Dockerfile
from mlops_audit.graph import Project
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

__all__ = [
    "SPARK_RUNTIME",
    "Image",
    "has_image_of_names",
    "images",
    "is_pinned",
    "named_in_images",
    "python_of",
]

# A runtime of Databricks, by its number.
SPARK_RUNTIME = regex(r"[\"']?spark_version[\"']?\s*:\s*[\"']?\d[\w.\-]+")
_INSTALLS = regex(
    r"\b(pip3?|pipx|uv pip|python3? -m pip)\s+(\S+\s+){0,8}?install|poetry\s+(\S+\s+){0,3}?install|"
    r"\buv\s+sync|pipenv\s+(install|sync)|\b(conda|mamba|micromamba)\s+(env\s+)?(create|update|install)|"
    r"pdm\s+(install|sync)|setup\.py\s+(install|develop)|Rscript\s.*(install|renv::restore)|pixi\s+install"
)
_OF_PROJECT = regex(
    r"-r\s*\S|--requirement|\brequirements\S*\.txt|poetry\s+.*install|uv\s+sync|pipenv|env\s+(create|update)|"
    r"install\s+(-\S+\s+){0,4}(\.|/|\S+\.whl|\S*\[|\$)|--editable|-e\s|setup\.py|pdm|\.ya?ml|renv|pixi"
)
_PIP = regex(r"\bpip3?\s+(-\S+\s+){0,6}install\b")
_UPGRADES = regex(
    r"install\s+(-\S+\s+|--\S+\s+){0,4}(pip|setuptools|wheel|uv|pipenv|poetry)([=<>]\S*)?\s*$"
)
_SETS = regex(r"(poetry|pip3?|conda|pdm|pipenv)\s+config\b")  # installs nothing by itself
# Programs of a cloud that talk to it from within the image.
_CLOUD_TOOLS = regex(
    r"pip3?\s+install\s+((-\S+|azure-cli|awscli|aws-sam-cli|gsutil|gcloud|kubectl|databricks-cli)"
    r"([=<>~]\S*)?\s*){1,12}$"
)
_SERVERS = regex(
    r"\b(mlflow\s+(server|ui)|airflow|prometheus|grafana|postgres|mysqld|redis-server|minio|prefect\s+server|"
    r"jupyter|start-notebook|zenml|nginx|superset|metabase)\b"
)
_CI = regex(
    r"(^|/)(\.github|\.circleci|\.ci|ci|tests?|\.gitlab|\.buildkite)/|[._-](ci|test|tests)\b",
    re.IGNORECASE,
)
_NOTEBOOK = regex(r"jupyter\s*(lab|notebook)|start-notebook|(^|/)jupyter/", re.IGNORECASE)
_SOME = 3  # packages that an image and the project share at least
_PYTHONIC = regex(
    r"python|conda|mamba|tensorflow|pytorch|jupyter|lambda/python|sagemaker|tfx|spark|airflow|pyspark|"
    r"uvicorn|fastapi|huggingface|mlflow|prefect|rapids|ray|scikit|sklearn|xgboost|deepo|keras|bento|triton|uv",
    re.IGNORECASE,
)


_MINOR = regex(r"\d\.\d|20\d\d|py3\d")


class Image(Struct, frozen=True):
    """A Dockerfile seen as an environment; `why` says what it lacks, if anything."""

    path: str
    base: str
    evidence: tuple[Evidence, ...]
    installs: bool
    of_project: bool
    why: str


def is_pinned(base: str) -> bool:
    """Whether an image reference names a version: a digest, or a tag that is no `latest`."""
    if "@sha256:" in base:
        return True
    tag = base.rsplit("/", 1)[-1].partition(":")[2]
    if "latest" in tag or "nightly" in tag:
        return False
    return bool(re.search(r"\d+\.\d+|\d{2,}|^\d{2,}|\d+[a-z-]", tag))


def python_of(base: str) -> bool:
    """Whether an image's tag fixes the Python in it."""
    name, _, digest = base.partition("@")
    image, _, tag = name.rsplit("/", 1)[-1].partition(":")
    if re.search(r"^python$|conda", image) and not digest and not _MINOR.search(tag):
        return False  # `python:3-slim` is whichever Python 3 is the newest
    return bool(_PYTHONIC.search(name)) and is_pinned(base)


def images(project: Project) -> Iterator[Image]:
    """All Dockerfiles, as environments."""
    used = {
        s.dockerfile or posixpath.join(s.context, "Dockerfile")
        for s in project.containers.services
        if s.context or s.dockerfile
    }
    beside = {posixpath.dirname(path) for path in used}
    for dockerfile in project.containers.dockerfiles:
        # Beside the one that compose builds, another is a variant for other machines.
        beside_used = posixpath.dirname(dockerfile.path) in beside
        if not dockerfile.bare and (dockerfile.path in used or not beside_used):
            yield _image(project, dockerfile)


def has_image_of_names(project: Project, path: str) -> bool:
    """Whether a program goes into an image that installs packages by name, without a list."""
    folder = posixpath.dirname(path)
    for dockerfile in project.containers.dockerfiles:
        taken = {
            posixpath.normpath(source)
            for stage in dockerfile.stages
            for copy in stage.copies
            for source in copy.sources
        }
        if folder and (posixpath.dirname(dockerfile.path) == folder or taken & {folder, path}):
            texts = [
                c.text
                for s in dockerfile.stages
                for c in s.runs
                if _INSTALLS.search(c.text) and not _UPGRADES.search(c.text)
            ]
            if texts and not any(_OF_PROJECT.search(t) for t in texts):
                return True
    return False


def _names_them(project: Project, texts: list[str]) -> bool:
    """Whether commands install by name most of what the project declares to run with.

    Where it declares nothing, what its code imports tells whose packages they are.
    """
    named = {r.name.lower() for r in project.dependencies.requirements if r.group == "runtime"}
    words = {re.split(r"[\[=<>~!]", w.strip("\"'"))[0].lower() for t in texts for w in t.split()}
    if not named:
        imported = {root.lower() for module in project.source for root in module.roots}
        return len(imported & {w.replace("-", "_") for w in words}) >= _SOME
    return len(named & words) >= max(_SOME, len(named) / 2)


def named_in_images(project: Project) -> list[tuple[Evidence, bool]]:
    """The packages that the project's images install by name, and whether each is pinned.

    Evidence: the line of the install. What upgrades pip itself is no dependency.
    """
    paths = {image.path for image in images(project) if image.of_project}
    found = []
    for dockerfile in project.containers.dockerfiles:
        runs = [c for s in dockerfile.stages for c in s.runs if dockerfile.path in paths]
        for command in runs:
            text = command.text.split("install", 1)[-1] if _PIP.search(command.text) else ""
            for word in text.split("&&")[0].split():
                if word[0].isalpha() and word not in {"pip", "setuptools", "wheel"}:
                    fixed = "==" in word or word.endswith(".whl")
                    found.append((Evidence(command.span, f"installs {word}"), fixed))
    return found


def _image(project: Project, dockerfile: Dockerfile) -> Image:
    base = _root(dockerfile)
    runs = [c for s in dockerfile.stages for c in s.runs]
    installs = [
        c for c in runs if _INSTALLS.search(c.text) and not _CLOUD_TOOLS.search(c.text.strip())
    ]
    last = dockerfile.stages[-1]
    command = " ".join(c.text for c in (*last.entrypoint, *last.cmd))
    code = any(
        not c.origin and any(re.search(r"(^\.?/?$)|\.py$|/|^\w+$", s) for s in c.sources)
        for s in dockerfile.stages
        for c in s.copies
    )
    of_project = any(_OF_PROJECT.search(c.text) for c in installs) or (code and bool(installs))
    of_project = of_project or _names_them(project, [c.text for c in installs])
    why = ""
    if (
        _SERVERS.search(command)
        and not (code and ".py" in command)
        and not _NOTEBOOK.search(command)
    ):
        of_project = of_project and any(_OF_PROJECT.search(c.text) for c in installs) and code
    if not is_pinned(base):
        why = f"its base {base} is not pinned"
    elif not installs:
        why = "it installs no dependencies"
    elif _CI.search(dockerfile.path):
        why = "it is for CI only"
    elif _NOTEBOOK.search(command) or _NOTEBOOK.search(base):
        why = "it is for notebooks only"
    first = dockerfile.stages[0].span
    found = [Evidence(_root_span(dockerfile, first), f"FROM {base}")]
    # What installs the project's dependencies says more than an upgrade of the installer.
    told = [c for c in installs if not _SETS.match(c.text)]
    told.sort(key=lambda c: not _OF_PROJECT.search(c.text))
    found += [Evidence(c.span, c.text) for c in told[:2] if not _UPGRADES.search(c.text)]
    return Image(dockerfile.path, base, tuple(found), bool(installs), of_project, why)


def _root(dockerfile: Dockerfile) -> str:
    """The base image of the last stage, through the stages it builds on."""
    named = {s.name: s for s in dockerfile.stages if s.name}
    stage = dockerfile.stages[-1]
    for _ in range(len(dockerfile.stages)):
        if stage.base not in named or named[stage.base] is stage:
            break
        stage = named[stage.base]
    return stage.base


def _root_span(dockerfile: Dockerfile, first: Span) -> Span:
    base = _root(dockerfile)
    return next((s.span for s in dockerfile.stages if s.base == base), first)
