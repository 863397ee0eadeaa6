"""Infrastructure as facts: what Kubernetes, CloudFormation and Terraform files declare."""

from __future__ import annotations

from msgspec import Struct, field

from mlops_audit.facts.nodes import Node, null_node
from mlops_audit.model import Span

__all__ = ["Container", "Resource"]


class Container(Struct, frozen=True):
    """A container of a pod: image, program and arguments, and which probes it has."""

    name: str
    image: str
    command: tuple[str, ...]
    args: tuple[str, ...]
    span: Span
    probes: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()


class Resource(Struct, frozen=True):
    """One declared thing.

    `system` is `kubernetes`, `cloudformation`, `terraform`, `bicep`, `arm` or `helm-values`. `kind`
    is the system's own word (`Deployment`, `AWS::Events::Rule`, `google_cloud_scheduler_job`, or
    `data aws_x` for Terraform's data); `api` Kubernetes' apiVersion. `node` holds the properties
    (Kubernetes: the whole object). `schedule` is a cron or rate, `disabled` why it never acts
    (`State: DISABLED`, `suspend: true`). `references` names other resources of the same file that
    the properties point at. `templated` says that placeholders stand for values.
    """

    system: str
    kind: str
    name: str
    path: str
    span: Span
    node: Node = field(default_factory=lambda: null_node(1))
    api: str = ""
    containers: tuple[Container, ...] = ()
    schedule: str = ""
    disabled: str = ""
    references: tuple[str, ...] = ()
    condition: str = ""
    templated: bool = False
