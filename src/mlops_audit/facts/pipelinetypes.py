"""The facts that all readers of pipeline definitions give."""

from __future__ import annotations

from msgspec import Struct

from mlops_audit.facts.nodes import Node
from mlops_audit.facts.shell import parse_shell
from mlops_audit.facts.types import Command
from mlops_audit.model import Span

__all__ = ["PipelineFile", "PipelineStep", "first_command"]


class PipelineStep(Struct, frozen=True):
    """One step; `inputs` and `outputs` as written, `needs` the steps before it."""

    name: str
    span: Span
    command: Command | None = None
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


class PipelineFile(Struct, frozen=True):
    """One pipeline; `schedule` as written (cron, rate), `paused` when it is switched off.

    `key` is what commands call it by, where that may differ from its name.
    """

    tool: str
    name: str
    span: Span
    steps: tuple[PipelineStep, ...] = ()
    schedule: str = ""
    paused: bool = False
    key: str = ""


def first_command(node: Node | None, path: str) -> Command | None:
    """The first command of a shell text that is no mere preparation."""
    if node is None or node.kind != "scalar":
        return None
    commands = parse_shell(node.text, path=path, line=node.text_line or node.line)
    telling = [c for c in commands if c.program not in {"cd", "set", "export", "echo", "mkdir"}]
    return next(iter(telling or commands), None)
