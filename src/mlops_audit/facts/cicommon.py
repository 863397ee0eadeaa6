"""What the readers of CI systems share: scripts, variables, folders, unreadable files."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from mlops_audit.facts.nodes import Node
from mlops_audit.facts.shell import parse_shell
from mlops_audit.facts.types import Command, Unreadable, Workflow
from mlops_audit.facts.yamlpos import load_yaml
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = [
    "Script",
    "broken",
    "folder_of",
    "glued",
    "inside",
    "joined",
    "list_command",
    "listed_and_refused",
    "of_image",
    "on_one_line",
    "root_map",
    "texts",
]


MAX_VARIANTS = 16
MAX_WORD = 4000
MAX_GIVEN = 20_000
_CONTINUED = regex(r"\\\n[ \t]*")
# Scripts whose lines a semicolon does not join: compound commands, functions, here-documents.
_COMPOUND = regex(r"^\s*(if|for|while|until|case|function|\{)\b|<<|\{\s*$|\(\)", re.MULTILINE)
_VARIABLE = regex(r"\$\{(\w{1,100})(?::?-[^}]{0,200})?\}|\$(\w{1,100})")


def texts(node: Node | None) -> dict[str, str]:
    """The scalars of a map by key; deeper values are left out."""
    if node is None:
        return {}
    return {key: value.text for key, value in node.items() if value.kind in ("scalar", "null")}


def listed_and_refused(node: Node | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names that a filter includes and excludes; a plain list includes."""
    if node is None:
        return (), ()
    if node.kind != "map":
        return node.strings(), ()
    return node.strings_at("include"), node.strings_at("exclude")


def joined(folder: str, path: str) -> str:
    """A folder inside the repository, normalised; the root and what lies outside is empty."""
    path = path.strip()
    if path.startswith(("/", "~")) or "$" in path:
        return folder
    whole = posixpath.normpath(posixpath.join(folder, path))
    return "" if whole == "." or whole.startswith("..") else whole


def inside(path: str, *, base: str = "") -> str:
    """A file's path as a CI file names it, relative to `base`, or empty when it leads out."""
    path = path.strip()
    whole = posixpath.normpath(
        path.lstrip("/") if path.startswith("/") else posixpath.join(base, path)
    )
    return "" if whole in (".", "..") or whole.startswith("../") else whole


def folder_of(path: str) -> str:
    """The folder of a file, empty for the root."""
    return posixpath.dirname(path)


def on_one_line(script: str) -> str | None:
    """A script given as a value, on one line, so that what stands below it keeps its line.

    None where its lines cannot be joined without a shell's whole grammar, or are too many.
    """
    if "\n" not in script:
        return script
    if len(script) > MAX_GIVEN or _COMPOUND.search(script):
        return None
    lines = (line.strip() for line in _CONTINUED.sub(" ", script).splitlines())
    return "; ".join(line for line in lines if line and not line.startswith("#"))


def broken(system: str, unreadable: Unreadable) -> tuple[Workflow, ...]:
    """The workflow of a file that cannot be read: nothing but the reason."""
    path = unreadable.span.path
    return (Workflow(system, path, path, unreadable.span, unreadable=(unreadable,)),)


def root_map(data: bytes, path: str) -> Node | Unreadable:
    """The root map of a YAML file; anything else is an `Unreadable` with its reason."""
    node = load_yaml(data, path)
    if isinstance(node, Unreadable):
        return node
    if node.kind == "null":
        return Unreadable(Span(path, 1), "empty file")
    if node.kind != "map":
        return Unreadable(Span(path, node.line), "no map at the top of the file")
    return node


class Script(Struct, frozen=True):
    """How a system runs a script: its shell's options, folder and variables.

    `literal` gives variables whose values the file itself states, `variants` those with several
    (a matrix); both are put in place of `$NAME` after tokenising.
    """

    path: str
    cwd: str = ""
    errexit: bool = True
    pipefail: bool = False
    literal: Mapping[str, str] | None = None

    def of(self, node: Node) -> tuple[Command, ...]:
        """The commands of a scalar with a script."""
        return self.parse(node.text, node.text_line or node.line)

    def parse(self, text: str, line: int) -> tuple[Command, ...]:
        """The commands of a script whose first line is the file's `line`."""
        if not text.strip():
            return ()
        commands = parse_shell(
            text,
            path=self.path,
            line=line,
            errexit=self.errexit,
            pipefail=self.pipefail,
            cwd=self.cwd,
        )
        if not self.literal:
            return commands
        return tuple(_with_variables(command, self.literal) for command in commands)


def _with_variables(command: Command, values: Mapping[str, str]) -> Command:
    if not any("$" in word for word in command.argv):
        return command
    argv: list[str] = []
    for word in command.argv:
        new = substituted(word, values)
        # An unquoted `$CMD` that is the whole word is split by the shell.
        whole = _VARIABLE.fullmatch(word) is not None
        argv.extend(new.split() if whole and new != word else [new])
    return replace(command, argv=tuple(argv))


def substituted(word: str, values: Mapping[str, str]) -> str:
    """A word with the variables replaced whose values are known literals."""
    if "$" not in word or len(word) > MAX_WORD:
        return word

    def value(found: re.Match[str]) -> str:
        known = values.get(found[1] or found[2])
        return found[0] if known is None or "$" in known or len(known) > MAX_WORD else known

    return _VARIABLE.sub(value, word)


def glued(pieces: Iterable[Node], script: Script) -> tuple[Command, ...]:
    """The commands of a list of script lines that one shell runs in order (GitLab, Travis, …).

    Every piece keeps its own line; a `cd` or assignment in one holds for the next.
    """
    nodes = [piece for piece in pieces if piece.kind == "scalar"]
    if not nodes:
        return ()
    lines: list[str] = []
    first = nodes[0].text_line or nodes[0].line
    for node in nodes:
        start = (node.text_line or node.line) - first
        # Blank lines keep later pieces on their own lines; a piece from another file cannot.
        if start < len(lines) or start > len(lines) + 400:
            return _separately(nodes, script)
        lines.extend([""] * (start - len(lines)))
        lines.extend(node.text.rstrip("\n").split("\n"))
    return script.parse("\n".join(lines), first)


def _separately(nodes: list[Node], script: Script) -> tuple[Command, ...]:
    commands: list[Command] = []
    for node in nodes:
        found = script.of(node)
        commands.extend(found)
        if found and found[-1].program == "cd":
            script = replace(script, cwd=joined(script.cwd, _folder(found[-1])))
    return tuple(commands)


def _folder(command: Command) -> str:
    return command.argv[1] if len(command.argv) > 1 else ""


def of_image(commands: tuple[Command, ...], image: str) -> tuple[Command, ...]:
    """The commands of a container with arguments alone: its image's entry point takes them."""
    if not commands or not image or not commands[0].argv[0].startswith("-"):
        return commands
    program = image.partition("@")[0].rsplit("/", 1)[-1].partition(":")[0]
    first = commands[0]
    entered = replace(first, argv=(program, *first.argv), text=f"{program} {first.text}"[:MAX_WORD])
    return (entered, *commands[1:])


def list_command(argv: Iterable[Node], script: Script) -> tuple[Command, ...]:
    """The commands of a list of words (`command: [sh, -c, "pytest"]`), through `sh -c`."""
    nodes = [node for node in argv if node.kind == "scalar"]
    if not nodes:
        return ()
    words = tuple(node.text for node in nodes)
    program = words[0].rsplit("/", 1)[-1]
    if program in _SHELLS:
        for position in range(1, len(nodes)):
            word = words[position]
            if word.startswith("-") and "c" in word and not word.startswith("--"):
                break
        else:
            position = len(nodes)
        if position + 1 < len(nodes):
            flags = "".join(words[1 : position + 1])
            inner = replace(
                script,
                errexit="e" in flags or "errexit" in flags,
                pipefail="pipefail" in flags,
            )
            return inner.of(nodes[position + 1])
    span = Span(script.path, nodes[0].line)
    command = Command(words, span, " ".join(words)[:MAX_WORD], cwd=script.cwd)
    return (_with_variables(command, script.literal) if script.literal else command,)


_SHELLS = frozenset({"sh", "bash", "ash", "dash", "zsh", "ksh"})


def variants(values: Mapping[str, tuple[str, ...]]) -> tuple[dict[str, str], ...]:
    """All combinations of the values, at most `MAX_VARIANTS`; one empty one where there is none."""
    names = list(values)
    product = itertools.product(*(values[name] for name in names))
    found = itertools.islice(product, MAX_VARIANTS)
    return tuple(dict(zip(names, row, strict=True)) for row in found)
