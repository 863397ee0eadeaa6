"""Stores of the project's data that its infrastructure declares with versions of every object."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_audit.facts.resources import Resource
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["versioned_buckets"]

_BUCKETS = frozenset({"AWS::S3::Bucket", "aws_s3_bucket", "google_storage_bucket"})
_VERSIONING = "aws_s3_bucket_versioning"  # Terraform's setting of a bucket, apart from it
_ON = regex(r"(true|enabled)", re.IGNORECASE)
# The name tells data from artifacts, logs and the code of functions.
_DATA = regex(r"(?<!meta)data(?!base)|(^|[_\W])raw([_\W]|$)|lake", re.IGNORECASE)
_NO_DATA = regex(r"log|manifest|code|website|artifact", re.IGNORECASE)


def versioned_buckets(project: Project) -> list[Evidence]:
    """Buckets for data whose objects keep all their versions, by their names; not examples."""
    switched = {
        name.rpartition(".")[2]
        for r in project.resources
        if r.kind == _VERSIONING and _on(r)
        for name in r.references
    }
    return [
        Evidence(r.span, f"a bucket for data that keeps versions: {r.name}")
        for r in project.resources
        if r.kind in _BUCKETS
        and _DATA.search(r.name)
        and not _NO_DATA.search(r.name)
        and (_on(r) or r.name in switched)
        and not project.is_example(r.path)
    ]


def _on(resource: Resource) -> bool:
    """Whether one of the settings about versions is switched on."""
    settings = [node for key, node in resource.node.items() if "version" in key.lower()]
    return any(_ON.fullmatch(n.text) for s in settings for n in s.walk() if n.kind == "scalar")
