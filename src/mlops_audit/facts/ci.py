"""All CI/CD workflows of a tree: which reader reads which file.

A new system is one module with `is_<system>` and `read_<system>` and one line in `READERS`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mlops_audit.facts.argo import is_argo, looks_like_argo, read_argo
from mlops_audit.facts.azure import is_azure, looks_like_azure, read_azure
from mlops_audit.facts.bitbucket import is_bitbucket, read_bitbucket
from mlops_audit.facts.buildkite import is_buildkite, read_buildkite
from mlops_audit.facts.cicommon import Getter
from mlops_audit.facts.circleci import is_circleci, read_circleci
from mlops_audit.facts.cloudbuild import is_cloudbuild, looks_like_cloudbuild, read_cloudbuild
from mlops_audit.facts.cloudtriggers import is_cloudtriggers, read_cloudtriggers
from mlops_audit.facts.codebuild import is_codebuild, looks_like_codebuild, read_codebuild
from mlops_audit.facts.codepipeline import (
    is_codepipeline,
    looks_like_codepipeline,
    read_codepipeline,
)
from mlops_audit.facts.drone import is_drone, read_drone
from mlops_audit.facts.github import is_github, read_github
from mlops_audit.facts.gitlab import is_gitlab, read_gitlab
from mlops_audit.facts.jenkins import is_jenkins, read_jenkins
from mlops_audit.facts.tekton import is_tekton, looks_like_tekton, read_tekton
from mlops_audit.facts.travis import is_travis, read_travis
from mlops_audit.facts.types import Unreadable, Workflow

__all__ = ["READERS", "CiReader", "read_workflows"]

MAX_SNIFFED = 1024 * 1024
# Only these can hold a pipeline whose path does not tell.
_SNIFFED = (".yml", ".yaml", ".json", ".template")


@dataclass(frozen=True, slots=True)
class CiReader:
    """A CI system's reader: `by_path` claims a file; where the path cannot tell, `by_content`."""

    system: str
    by_path: Callable[[str], bool]
    read: Callable[[str, bytes, Getter], tuple[Workflow, ...]]
    by_content: Callable[[bytes], bool] | None = None


READERS: tuple[CiReader, ...] = (
    CiReader("github", is_github, read_github),
    CiReader("gitlab", is_gitlab, read_gitlab),
    CiReader("azure", is_azure, read_azure, looks_like_azure),
    CiReader("circleci", is_circleci, read_circleci),
    CiReader("jenkins", is_jenkins, read_jenkins),
    CiReader("travis", is_travis, read_travis),
    CiReader("bitbucket", is_bitbucket, read_bitbucket),
    CiReader("drone", is_drone, read_drone),
    CiReader("buildkite", is_buildkite, read_buildkite),
    CiReader("cloudbuild", is_cloudbuild, read_cloudbuild, looks_like_cloudbuild),
    CiReader("codebuild", is_codebuild, read_codebuild, looks_like_codebuild),
    CiReader("codepipeline", is_codepipeline, read_codepipeline, looks_like_codepipeline),
    CiReader("tekton", is_tekton, read_tekton, looks_like_tekton),
    CiReader("cloudtriggers", is_cloudtriggers, read_cloudtriggers),
    CiReader("argo", is_argo, read_argo, looks_like_argo),
)


def reader_of(path: str, data: Callable[[], bytes | None]) -> CiReader | None:
    """The reader of a file; its bytes are asked for only where the path does not tell."""
    for reader in READERS:
        if reader.by_path(path):
            return reader
    if not path.lower().endswith(_SNIFFED):
        return None
    content = data()
    if content is None or len(content) > MAX_SNIFFED:
        return None
    for reader in READERS:
        if reader.by_content is not None and reader.by_content(content):
            return reader
    return None


def read_workflows(
    paths: Iterable[str], getter: Getter
) -> tuple[tuple[Workflow, ...], tuple[Unreadable, ...]]:
    """The workflows of a whole tree, sorted by path, and what could not be read.

    Args:
        paths: the tree's files.
        getter: a file's bytes, None where it is absent.

    Returns:
        Workflows (one that could not be read at all is among them, without jobs), and every
        `Unreadable` of theirs.
    """
    found: list[Workflow] = []
    for path in sorted(set(paths)):
        reader = reader_of(path, functools.partial(getter, path))
        data = getter(path) if reader is not None else None
        if reader is not None and data is not None:
            found.extend(reader.read(path, data, getter))
    return tuple(found), tuple(item for workflow in found for item in workflow.unreadable)
