"""The shared store to which a platform's steps write what they make."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_audit.graph.stores import hosted
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["step_store"]

# ZenML and Metaflow keep what steps make on the machine that runs them, and Kedro where each data
# set says, until they are given another store: a bucket that other code uses is none of theirs.
_LOCAL_FIRST = regex(r"ZenML|Metaflow|Kedro")
_GIVEN = regex(
    r"zenml (artifact[-_]store|stack) (register|deploy)\b.{0,200}?(\b(s3|gcp|gs|azure|minio)\b|://)|"
    r"METAFLOW_(DEFAULT_DATASTORE\W{1,6}(s3|gs|azure)|DATASTORE_SYSROOT_(S3|GS|AZURE))|"
    r"--datastore[= ](s3|gs|azure)|metaflow configure (aws|azure|gcp|kubernetes)|"
    # Metaflow's own jobs in a cloud cannot run on a local store.
    r"\.py\b.{0,120} (step-functions|argo-workflows|airflow) (create|trigger)\b|"
    r"--with[= ](batch|kubernetes)\b"
)
_STORES = regex(r"(^|\.)(S3|GCP|Azure)ArtifactStore(Config)?$|^metaflow\.(batch|kubernetes)$")
_CATALOG = regex(r"^\s*filepath:\s*[\"']?(s3a?|gs|gcs|abfss?)://")
_FILES = (
    "**/*.yaml", "**/*.yml", "**/*.env*", "**/*.toml", "**/*.json", "**/*.sh", "**/Dockerfile*"
)  # fmt: skip
_MAX_BYTES = 200_000  # settings are small


def step_store(project: Project, steps: list[Evidence]) -> Evidence | None:
    """Where the platform of these steps is given a store that others reach.

    Args:
        project: the project.
        steps: what shows the steps, as `stores.platform_steps` gives them.
    """
    if not all(_LOCAL_FIRST.search(s.detail) for s in steps):
        return hosted(project)
    return next(_given(project), None)


def _given(project: Project) -> Iterator[Evidence]:
    for command, _ in project.all_commands:
        if _GIVEN.search(command.text):
            yield Evidence(command.span, command.text)
    for module in project.source:
        if not module.roots & {"zenml", "metaflow"}:
            continue
        for call in module.calls:
            if _STORES.search(call.name):
                yield Evidence(call.span, call.told)
    yield from _in_files(project)


def _in_files(project: Project) -> Iterator[Evidence]:
    for path in project.glob(*_FILES):
        if (project.entry(path).size or 0) > _MAX_BYTES:
            continue
        text = project.text(path) or ""
        catalog = "catalog" in path and "versioned:" in text
        if not (catalog or "METAFLOW_" in text or "artifact" in text or "datastore" in text):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if line.lstrip().startswith("#"):
                continue
            if _GIVEN.search(line) or (catalog and _CATALOG.search(line)):
                yield Evidence(Span(path, number), line.strip())
