"""Google Cloud Build: steps of a `cloudbuild.yaml`; what starts it lies outside the file."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from mlops_audit.facts.cicommon import Script, broken, joined, list_command
from mlops_audit.facts.jsonpos import load_json
from mlops_audit.facts.nodes import Node, text_node
from mlops_audit.facts.signs import Signs
from mlops_audit.facts.types import (
    Command,
    Getter,
    Job,
    Step,
    Trigger,
    TriggerKind,
    Unreadable,
    Workflow,
)
from mlops_audit.facts.yamlpos import load_yaml
from mlops_audit.model import Span

__all__ = ["SIGNS", "read_cloudbuild"]

SIGNS = Signs(
    r"(?:.*/)?[^/]*cloud-?_?build(?:[^/]*/)?[^/]*\.(?:ya?ml|json)",
    (
        rb"^\"?steps\"?[ \t]*:|^[ \t]*\"steps\"[ \t]*:",
        (
            rb"\bname\"?[ \t]*:[ \t]*['\"]?(?:[\w.\-]*gcr\.io/|[\w.\-]+docker\.pkg\.dev/)"
            rb"|^[ \t]*\"?waitFor\"?[ \t]*:"
        ),
    ),
    loose=True,
)


def read_cloudbuild(path: str, data: bytes, getter: Getter) -> tuple[Workflow, ...]:
    """The build of one file; its trigger is EXTERNAL.

    Nothing is returned for a file without steps that name an image. An unreadable file whose
    name says Cloud Build is a workflow without jobs.
    """
    del getter  # a build file names no others
    root = load_json(data, path) if path.endswith(".json") else load_yaml(data, path)
    if isinstance(root, Unreadable):
        return broken("cloudbuild", root) if SIGNS.named(path) else ()
    nodes = [node for node in root.list_at("steps") if node.str_at("name")]
    if not nodes:
        return ()
    span = Span(path, root.line_of("steps"))
    values = _substitutions(root)
    steps = _in_repository(tuple(_step(node, path, values) for node in nodes))
    job = Job("build", span, (*steps, *_pushed(root, path)))
    trigger = Trigger(TriggerKind.EXTERNAL, span)
    return (Workflow("cloudbuild", path, path, span, (trigger,), (job,), values),)


def _pushed(root: Node, path: str) -> tuple[Step, ...]:
    """What Cloud Build does after the steps: push the `images` that they have built."""
    images = root.get("images")
    names = tuple(images.strings()) if images is not None else ()
    if not names:
        return ()
    span = Span(path, root.line_of("images"))
    commands = tuple(Command(("docker", "push", n), span, f"images: push {n}") for n in names)
    return (Step(span, "images", commands=commands),)


def _substitutions(root: Node) -> dict[str, str]:
    node = root.get("substitutions")
    return {key: value.text for key, value in node.items()} if node is not None else {}


def _step(node: Node, path: str, values: Mapping[str, str]) -> Step:
    folder = node.str_at("dir")
    script = Script(path, joined("", folder) if folder else "", errexit=False, literal=values)
    commands = _commands(node, script)
    soft = node.str_at("allowFailure").lower() == "true"
    env = node.get("env")
    pairs = [text.partition("=") for text in env.strings()] if env is not None else []
    return Step(
        Span(path, node.line_of("name")),
        node.str_at("id"),
        node.str_at("script"),
        commands,
        node.str_at("name"),
        env={name: value for name, _, value in pairs},
        soft=soft,
        why_soft="allowFailure" if soft else "",
        cwd=script.cwd,
        image=node.str_at("name"),
    )


def _in_repository(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Steps after a `git clone` of this repository run in the clone: its folder is the root.

    Which repository is cloned is often a variable; then the folder in which the next step with
    one runs is taken for the clone's.
    """
    clone: str | None = None
    found: list[Step] = []
    for step in steps:
        if clone is None:
            clone = next((c for c in map(_cloned, step.commands) if c is not None), None)
        elif step.cwd:
            first, _, rest = step.cwd.partition("/")
            clone = clone or first
            if first == clone:
                commands = tuple(_moved(command, clone) for command in step.commands)
                step = replace(step, cwd=rest, commands=commands)  # noqa: PLW2901 -- the step, moved
        found.append(step)
    return tuple(found)


def _cloned(command: Command) -> str | None:
    """The folder that `git clone` makes: empty when only a variable knows, None for others."""
    if command.argv[:2] != ("git", "clone"):
        return None
    words = [word for word in command.argv[2:] if not word.startswith("-")]
    address = next((word for word in words if "/" in word or ":" in word), "")
    return address.rstrip("/").removesuffix(".git").rsplit("/", 1)[-1] if address else ""


def _moved(command: Command, clone: str) -> Command:
    return replace(command, cwd=command.cwd[len(clone) :].lstrip("/"))


def _commands(node: Node, script: Script) -> tuple[Command, ...]:
    """`script`, or `entrypoint` with `args`; the image's own program where neither names one."""
    text = node.get("script")
    if text is not None and text.text:
        return script.of(text)
    args = node.get("args")
    given = args.many() if args is not None else ()
    entry = node.get("entrypoint")
    line = args.line if args is not None else node.line
    if entry is not None and entry.text:
        words = (text_node(entry.text, entry.line), *given)
        return list_command(words, script)
    if not given:
        return ()
    program = node.str_at("name").partition("@")[0].rsplit("/", 1)[-1].partition(":")[0]
    first = given[0].text.rsplit("/", 1)[-1]
    if first in ("bash", "sh", program):
        return list_command(given, script)
    found = list_command((text_node(program, line), *given), script)
    return tuple(replace(command, span=Span(script.path, line)) for command in found)
