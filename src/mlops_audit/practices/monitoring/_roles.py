"""Which repositories the monitoring of a model's service is asked of."""

from __future__ import annotations

from mlops_audit.graph import Project
from mlops_audit.model import Verdict, not_applicable

__all__ = ["nothing_served"]


def nothing_served(project: Project) -> Verdict | None:
    """`n/a` where there is neither a model nor an application: figures of another service.

    Alarms, dashboards and health routes say nothing about a model by themselves, so they count
    only where a model is about.
    """
    if project.roles.kind in {"none", "library"}:
        return not_applicable("no model is served here")
    return None
