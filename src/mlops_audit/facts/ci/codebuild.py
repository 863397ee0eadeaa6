"""AWS CodeBuild: the phases of a buildspec; what starts it lies outside the file."""

from __future__ import annotations

from msgspec.structs import replace

from mlops_audit.facts.cicommon import Script, broken, glued, root_map, texts
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.signs import Signs
from mlops_audit.facts.types import Getter, Job, Step, Trigger, TriggerKind, Unreadable, Workflow
from mlops_audit.model import Span

__all__ = ["SIGNS", "read_codebuild", "spec_job"]

SIGNS = Signs(
    r"(?:.*/)?[^/]*build-?_?spec[^/]*\.ya?ml",
    (rb"^phases[ \t]*:", rb"^version[ \t]*:[ \t]*['\"]?0\.[12]"),
    loose=True,
)

_ORDER = ("install", "pre_build", "build", "post_build")


def read_codebuild(path: str, data: bytes, getter: Getter) -> tuple[Workflow, ...]:
    """The build of one buildspec; its trigger is EXTERNAL. Nothing for a file without phases."""
    del getter  # a buildspec names no others
    root = root_map(data, path)
    if isinstance(root, Unreadable):
        return broken("codebuild", root) if SIGNS.named(path) else ()
    job = spec_job(root, path)
    if job is None:
        return ()
    trigger = Trigger(TriggerKind.EXTERNAL, job.span)
    env = texts(root.get("env", "variables"))
    return (Workflow("codebuild", path, path, job.span, (trigger,), (job,), env),)


def spec_job(root: Node, path: str) -> Job | None:
    """The one job of a buildspec (also of one inlined in a template); None without phases."""
    phases = root.get("phases")
    if phases is None or phases.kind != "map":
        return None
    script = Script(path, errexit=False, literal=texts(root.get("env", "variables")))
    steps: list[Step] = []
    for name in sorted(phases.entries, key=lambda key: _ORDER.index(key) if key in _ORDER else 9):
        phase = phases.get(name)
        if phase is None:
            continue
        for key in ("commands", "finally"):
            commands = phase.get(key)
            if commands is not None:
                steps.append(
                    _step(f"{name}.{key}" if key == "finally" else name, commands, phase, script)
                )
    return Job("build", Span(path, root.line_of("phases")), tuple(steps))


def _step(name: str, node: Node, phase: Node, script: Script) -> Step:
    # CodeBuild stops a phase at the first command of the list that fails.
    pieces = [piece for piece in node.many() if piece.kind == "scalar"]
    why = "on-failure: CONTINUE" if phase.str_at("on-failure").upper() == "CONTINUE" else ""
    many = len(pieces) > 1
    found = glued(pieces, replace(script, errexit=many)) if pieces else ()
    return Step(
        Span(script.path, node.line),
        name,
        "\n".join(piece.text for piece in pieces),
        found,
        soft=bool(why),
        why_soft=why,
    )
