"""VER03: the versioned data has a store that others reach."""

from __future__ import annotations

from mlops_audit.facts.dvctypes import DvcRemote
from mlops_audit.graph import Project
from mlops_audit.graph.buckets import versioned_buckets
from mlops_audit.graph.datasets import committed_data, dvc_data, lfs_data, sources
from mlops_audit.graph.stepstores import step_store
from mlops_audit.graph.stores import (
    EVALUATION_SETS,
    aside,
    data_artifacts,
    demonstrated,
    live,
    platform_steps,
    shared_tracker,
    shown_only,
)
from mlops_audit.graph.uses import Use
from mlops_audit.model import (
    Evidence,
    Verdict,
    failed,
    hollow,
    not_applicable,
    partial,
    passed,
)
from mlops_audit.practices.base import practice

_LOOKED_FOR = "a DVC remote, an LFS server, or an artifact or object store that holds the data"
# Tools whose versions always lie on a server.
_SERVERS = (
    "Hopsworks",
    "Weights",
    "Comet",
    "ClearML",
    "Neptune",
    "Azure",
    "SageMaker",
    "Vertex",
    "Databricks",
    "Hugging Face",
    "Amazon",
    "Google",
)


@practice(
    id="VER03",
    title="The versioned data has a shared remote",
    assets="data",
    level="2s",
    sources="S0 S2 S4",
    fix="Add a shared DVC remote (`dvc remote add -d storage s3://bucket/path`) and push.",
    template=(".dvc/config", "dvc.yaml"),
    needs=("application",),
)
def data_remote(project: Project) -> Verdict:
    """Judge where the versioned data lies."""
    tracked = dvc_data(project)
    shared = [_said(r) for r in project.dvc.remotes if r.shared]
    if tracked and shared:
        return passed("the data that DVC tracks has a shared remote", [*shared, *tracked[:1]])
    large = lfs_data(project)
    if large:
        return passed("the data lies on the LFS server of the git host", large[:5])
    stored = _stored(project)
    scripted = [u for u in stored if not aside(project, u)]
    if scripted:
        where = [u.evidence() for u in scripted[:5]]
        return passed(f"the data lies on the servers of {scripted[0].tool}", where)
    steps = platform_steps(project) + [
        u.evidence()
        for u in live(project, "data.version", "feature.store")
        if u.tool not in {"DVC pipelines", *EVALUATION_SETS}
        and u.where != "file"
        and not shown_only(u)
    ]
    cloud = step_store(project, steps) if steps else None
    if steps and cloud:
        return passed("what the steps write goes to a cloud store", [cloud, *steps[:2]])
    if (elsewhere := _elsewhere(project)) is not None:
        return elsewhere
    local = [_said(r) for r in project.dvc.remotes if not r.shared]
    if tracked and local:
        return partial("the only DVC remote is a path of one machine", local)
    if stored:
        where = [u.evidence() for u in stored[:5]]
        return partial("only a notebook puts data on a server", where)
    if plain := committed_data(project):
        return partial("the data lies in plain git, whose own remote is the copy", plain[:5])
    if shared or local:
        return hollow(
            "a DVC remote is set up and no data is tracked",
            [*shared, *local],
            looked_for=_LOOKED_FOR,
        )
    if tracked:
        return failed(
            "DVC tracks data and has no remote", looked_for=_LOOKED_FOR, evidence=tracked[:3]
        )
    if not (project.roles.trains or any(True for _ in sources(project))):
        return not_applicable("no data set belongs to this project")
    return failed("no versioned data with a shared store", looked_for=_LOOKED_FOR)


def _stored(project: Project) -> list[Use]:
    """Versions of data in tools that keep them on a server."""
    kept = live(project, "data.version", "feature.store", "data.version.pinned")
    return [
        u
        for u in [*kept, *data_artifacts(project)]
        if u.where != "file"
        and any(u.tool.startswith(s) for s in _SERVERS)
        and not demonstrated(project, u)
    ]


def _elsewhere(project: Project) -> Verdict | None:
    """Files of data that programs log on a tracker's server, and buckets that keep versions."""
    logged = [u.evidence() for u in data_artifacts(project) if not u.notebook]
    server = shared_tracker(project) if logged else None
    if server is not None:
        return passed("the data lies on the tracker's server", [*logged[:4], server])
    buckets = versioned_buckets(project)
    if buckets:
        return passed("the data lies in a bucket that keeps its versions", buckets[:5])
    return None


def _said(remote: DvcRemote) -> Evidence:
    return Evidence(remote.span, f"DVC remote {remote.name}: {remote.url}")
