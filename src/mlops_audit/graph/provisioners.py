"""Commands that `terraform apply` runs itself: the `local-exec` provisioners of a root module."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator

from mlops_audit.facts.resources import Resource
from mlops_audit.facts.shell import parse_shell
from mlops_audit.facts.types import Command, Target
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = ["RUNNER", "provisioner_targets"]

RUNNER = "terraform"
_HOLE = regex(r"\$\{([^{}]{1,200})\}")
_MODULE_PATH = "path.module"
_ROOT_PATHS = frozenset({"path.root", "path.cwd"})
_MOST_MODULES = 100


def provisioner_targets(resources: Iterable[Resource]) -> tuple[Target, ...]:
    """One target per root module whose resources, its local modules' included, run commands.

    A module's commands run in the folder in which Terraform is applied.
    """
    folders: dict[str, list[Resource]] = {}
    for resource in resources:
        if resource.system == "terraform":
            folders.setdefault(posixpath.dirname(resource.path), []).append(resource)
    if not any(_provisioners(r) for found in folders.values() for r in found):
        return ()
    below = {folder: _modules(folder, found, folders) for folder, found in folders.items()}
    called = {m for modules in below.values() for m in modules}
    targets = []
    for root in sorted(folders.keys() - called):
        commands = [
            command
            for folder in _closure(root, below)
            for resource in folders[folder]
            for command in _commands(resource, root, folder)
        ]
        if commands:
            span = Span(commands[0].span.path)
            targets.append(Target(RUNNER, root or ".", span, tuple(commands), folder=root))
    return tuple(targets)


def _modules(
    folder: str, resources: list[Resource], known: dict[str, list[Resource]]
) -> tuple[str, ...]:
    """The folders of the local modules that a folder's blocks call."""
    found = []
    for resource in resources:
        source = resource.node.str_at("source") if resource.kind == "module" else ""
        if source.startswith("."):
            place = posixpath.normpath(posixpath.join(folder, source))
            if place in known and place != folder:
                found.append(place)
    return tuple(found)


def _closure(root: str, below: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """A root module's folder and those of all modules under it, each once."""
    found: dict[str, None] = {root: None}
    waiting = [root]
    while waiting and len(found) < _MOST_MODULES:
        for folder in below[waiting.pop()]:
            if folder not in found:
                found[folder] = None
                waiting.append(folder)
    return tuple(found)


def _provisioners(resource: Resource) -> list[tuple[str, int, str]]:
    """Text, line and working directory of what a resource runs when it is made."""
    provisioner = resource.node.get("provisioner")
    found = []
    for node in provisioner.many() if provisioner is not None else ():
        command = node.get("command") if node.kind == "map" else None
        if command is None or command.kind != "scalar" or not command.text.strip():
            continue
        if node.str_at("when") != "destroy":
            line = command.text_line or command.line
            found.append((command.text, line, node.str_at("working_dir")))
    return found


def _commands(resource: Resource, root: str, folder: str) -> Iterator[Command]:
    for text, line, working in _provisioners(resource):
        here = posixpath.relpath(folder or ".", root or ".")
        shown, cwd = _filled(text, here), _filled(working, here)
        yield from parse_shell(shown, path=resource.path, line=line, cwd=cwd)


def _filled(text: str, here: str) -> str:
    """A text with the paths that Terraform knows put in, and other values as variables."""

    def value(hole: re.Match[str]) -> str:
        inner = hole[1].strip()
        if inner == _MODULE_PATH:
            return here
        return "." if inner in _ROOT_PATHS else "$" + re.sub(r"\W+", "_", inner).strip("_")

    return _HOLE.sub(value, text)
