"""What a job file makes a platform run.

`anyscale job submit job.yaml`, `sky launch task.yaml`, `kubectl apply -f deployment.yaml`,
`az ml job create --file job.yml`: the file names commands under keys that every such format
shares, and whatever submits it runs them.
"""

from __future__ import annotations

import shlex

from mlops_audit.facts.nodes import Node
from mlops_audit.facts.shell import parse_shell
from mlops_audit.facts.types import Command, Unreadable
from mlops_audit.facts.yamlpos import load_yaml_all
from mlops_audit.model import Span

__all__ = ["is_job_file", "job_commands"]

_SUFFIXES = (".yml", ".yaml", ".json")
# Keys whose text is a shell command in the job formats of platforms.
_TEXTS = frozenset({"entrypoint", "run", "setup", "command", "cmd"})
_MAX_NODES = 4_000


def is_job_file(path: str) -> bool:
    """Whether a path may be a job file, by its name."""
    return path.endswith(_SUFFIXES)


def job_commands(path: str, data: bytes) -> tuple[Command, ...]:
    """The commands that a job file holds; none when it is no such file or cannot be read."""
    documents = load_yaml_all(data, path)
    if isinstance(documents, Unreadable):
        return ()
    found: list[Command] = []
    queue = list(documents)
    seen = 0
    while queue and seen < _MAX_NODES:
        node = queue.pop(0)
        seen += 1
        if node.kind == "map":
            found += _commands(node, path)
            queue += [child for _, child in node.items()]
        elif node.kind == "list":
            queue += node.list()
    return tuple(found)


def _commands(node: Node, path: str) -> list[Command]:
    """The commands that one mapping names: a text, or a container's command and arguments."""
    found: list[Command] = []
    words: list[str] = []
    for key in ("command", "args"):
        value = node.get(key)
        if value is not None and value.kind == "list":
            words += [item.text for item in value.list() if item.kind == "scalar"]
    place = node.get("command") or node.get("args")
    if words and place is not None:
        text = shlex.join(words)
        shell = len(words) > 2 and words[0].rpartition("/")[2] in {"sh", "bash"}  # noqa: PLR2004 -- sh -c TEXT
        if shell and words[1].startswith("-") and "c" in words[1]:
            found += parse_shell(words[2], path=path, line=place.line)
        else:
            found.append(Command(tuple(words), Span(path, place.line), text))
    for key, value in node.items():
        if key in _TEXTS and value.kind == "scalar" and value.text.strip():
            found += parse_shell(value.text, path=path, line=value.text_line)
    return found
