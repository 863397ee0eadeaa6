"""MLflow Projects: the entry points that `mlflow run` and `mlflow.run(...)` start.

A program often runs the project in each folder of the steps:
`mlflow.run(os.path.join(root, "src", "data_check"), "main")`.
"""

from __future__ import annotations

import re
from itertools import zip_longest

from mlops_audit.facts.code import Call, Value
from mlops_audit.facts.types import Command, Target
from mlops_audit.regex import regex

__all__ = ["RUNS", "entry_points", "project_command"]

RUNS = frozenset({"mlflow.run", "mlflow.projects.run"})
_EACH = "*"  # every project, where a loop gives the folders
# What stands behind the last hole of an f-string, up to its closing quote.
_TAIL = regex(r"""^[fF][rR]?(["'])[^\n]{0,400}\}([^{}"'\n]{0,200})\1$""")
_REMOTE = regex(r"^(git@|\w+://)")
_JOINS = ("path.join", "Path", "joinpath")


def project_command(call: Call) -> Command | None:
    """The command that a call of `mlflow.run` stands for, None where no folder can be told."""
    uri = call.arg(0, "uri")
    folder = _folder(uri) if uri is not None else ""
    if not folder and not call.loops:
        return None
    named = call.arg(1, "entry_point")
    entry = named.literal if named is not None and isinstance(named.literal, str) else "main"
    argv = ("mlflow", "run", folder or _EACH, "-e", entry)
    return Command(argv, call.span, call.told)


def _folder(uri: Value) -> str:
    """The folder as far as it is written down: what follows the last part that is not."""
    if isinstance(uri.literal, str):
        return uri.literal
    if uri.is_call and uri.name.endswith(_JOINS):
        parts: list[str] = []
        for item in uri.items:
            parts = [*parts, item.literal] if isinstance(item.literal, str) else []
        return "/".join(p.strip("/") for p in parts)
    found = _TAIL.match(uri.text) if uri.name == "str" else None
    return found[2].strip("/") if found else ""


def entry_points(command: Command, folder: str, targets: tuple[Target, ...]) -> list[Target]:
    """The entry points of this repository's projects that `mlflow run` starts."""
    entry = _entry_point(command)
    named = [t for t in targets if t.name == entry]
    uri = next((w for w in command.argv[2:] if not w.startswith("-")), ".")
    if uri == _EACH:
        return [t for t in named if t.folder]
    if _REMOTE.match(uri):  # this repository, as far as can be told
        uri = uri.partition("#")[2]
    wanted = re.sub(r"^(\./)+|/+$|^\.$", "", uri)
    if not wanted:
        at = {t.folder for t in targets}
        home = folder if folder in at else ""
        return [t for t in named if t.folder == home] or named or list(targets)
    exact = [t for t in named if t.folder in {wanted, f"{folder}/{wanted}"}]
    return exact or [t for t in named if t.folder.endswith(f"/{wanted}")]


def _entry_point(command: Command) -> str:
    words = command.argv
    for word, after in zip_longest(words, words[1:], fillvalue=""):
        if word in {"-e", "--entry-point"}:
            return after
        if word.startswith("--entry-point="):
            return word.partition("=")[2]
    return "main"
