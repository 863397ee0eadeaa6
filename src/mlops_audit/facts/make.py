"""Makefiles: rules with the commands of their recipes, variables and includes followed.

Each recipe line is a shell of its own, as make runs it: `cd` ends with the line, and a leading
`-` loses its status. Nothing is evaluated that only a run could know: `$(shell …)` stays a
substitution, an undecidable conditional gives both branches.
"""

from __future__ import annotations

import posixpath
import re

from msgspec import Struct, field
from msgspec.structs import replace

from mlops_audit.facts.decoding import decode
from mlops_audit.facts.shell import parse_shell
from mlops_audit.facts.types import Command, Getter, Target
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = ["read_make"]

_LIMIT = 1024 * 1024
_MAX_INCLUDES = 30
_MAX_RULES = 2_000
_MAX_VALUE = 20_000
_MAX_DEPTH = 12
_ASSIGN = regex(
    r"(?:(?:override|export|private)\s+)*([A-Za-z_.][\w.\-]*)\s*(::?:?=|\?=|\+=|!=|=)\s*(.*)",
    re.DOTALL,
)
_DEFINE = regex(r"(?:override\s+|export\s+)?define\s+([\w.\-]+)")
_INCLUDE = regex(r"(?:-|s)?include\s+(.+)")
_CONDITIONAL = regex(r"(ifeq|ifneq|ifdef|ifndef|else|endif)\b\s*(.*)")
_PAIR = regex(r"\(([^,]*),(.*)\)\s*$|(['\"])(.*?)\3\s+(['\"])(.*?)\5")
_REFERENCE = regex(r"\$(?:\(([^()$\s:]+)\)|\{([^{}$\s:]+)\}|([@<^+?*%]))")
_SHELL_CALL = regex(r"\$\(shell\s+")
_FILE_NAME = regex(r"[/%]|\.[A-Za-z0-9]{1,8}$")

_LINE_END = regex(r"(?<!\\)\n")
_PREFIX = regex(r"[@\-+][@\-+ ]*")


class _Rule(Struct):
    path: str
    line: int
    needs: list[str] = field(default_factory=list)
    recipe: list[tuple[int, str]] = field(default_factory=list)
    doc: str = ""


class _File(Struct):
    """What a Makefile and its includes say."""

    get: Getter
    folder: str
    values: dict[str, str] = field(default_factory=lambda: {"MAKE": "make", "CURDIR": "."})
    rules: dict[str, _Rule] = field(default_factory=dict)
    phony: set[str] = field(default_factory=set)
    ignore: set[str] = field(default_factory=set)
    one_shell: bool = False
    included: int = 0
    defining: tuple[str, list[str]] | None = None
    current: list[_Rule] = field(default_factory=list)
    branches: list[tuple[bool, bool]] = field(default_factory=list)  # (taken here, decided)
    comment: str = ""

    # -- expansion -------------------------------------------------------------------------
    def expand(self, text: str, automatic: dict[str, str] | None = None) -> str:
        """Replace references to known variables; others stay as written."""
        text = text.replace("$$", "\0")
        for _ in range(_MAX_DEPTH):
            changed = _REFERENCE.sub(lambda m: self._known(m, automatic), text)
            if changed == text or len(changed) > _MAX_VALUE:
                break
            text = changed.replace("$$", "\0")
        return text

    def _known(self, found: re.Match[str], automatic: dict[str, str] | None) -> str:
        name = found[1] or found[2] or found[3]
        if automatic and name in automatic:
            return automatic[name]
        value = self.values.get(name)
        return found[0] if value is None or len(value) > _MAX_VALUE else value

    def assign(self, name: str, operator: str, value: str) -> None:
        value = value.strip()
        if operator == "+=":
            value = f"{self.values.get(name, '')} {value}".strip()
        elif operator == "?=" and name in self.values:
            return
        elif operator == "!=":
            value = f"$(shell {value})"
        elif ":" in operator:
            value = self.expand(value).replace("\0", "$$")
        # A variable that names itself would grow for ever.
        own = re.compile(rf"\$[({{]{re.escape(name)}[)}}]")
        self.values[name] = own.sub(self.values.get(name, ""), value)[:_MAX_VALUE]

    # -- lines -----------------------------------------------------------------------------
    def read(self, data: bytes, path: str) -> None:
        """Read a file's lines into rules and variables."""
        text = decode(data[:_LIMIT]) or data[:_LIMIT].decode("latin-1")
        lines = text.replace("\r\n", "\n").split("\n")
        at = 0
        while at < len(lines):
            first, parts = at, [lines[at]]
            while parts[-1].endswith("\\") and at + 1 < len(lines):
                at += 1
                parts.append(lines[at])
            at += 1
            if len(self.rules) <= _MAX_RULES:
                self._logical("\n".join(parts), first + 1, path)
        self.current = []

    def _logical(self, line: str, number: int, path: str) -> None:
        if self.defining is not None:
            if line.strip() == "endef":
                name, body = self.defining
                self.values[name] = "\n".join(body)[:_MAX_VALUE]
                self.defining = None
            else:
                self.defining[1].append(line)
            return
        if self._conditional(line.strip()) or not all(taken for taken, _ in self.branches):
            return
        if line.startswith(self.values.get(".RECIPEPREFIX", "\t")[:1] or "\t") and self.current:
            for rule in self.current:
                rule.recipe.append((number, line[1:]))
            return
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            self.comment = stripped.lstrip("#").strip() if stripped.startswith("#") else ""
            return
        flat = re.sub(r"\\\n\s*", " ", line).strip()
        self._directive(flat, number, path)
        self.comment = ""

    def _conditional(self, line: str) -> bool:
        found = _CONDITIONAL.match(line)
        if not found:
            return False
        word, rest = found[1], found[2]
        if word == "endif":
            if self.branches:
                self.branches.pop()
        elif word == "else":
            if self.branches:
                taken, decided = self.branches.pop()
                self.branches.append((not taken if decided else True, decided))
        elif len(self.branches) < 50:  # noqa: PLR2004 -- nesting that no Makefile has
            self.branches.append(self._decide(word, rest))
        return True

    def _decide(self, word: str, rest: str) -> tuple[bool, bool]:
        if word in {"ifdef", "ifndef"}:
            known = rest.strip() in self.values
            return (word == "ifdef", True) if known else (True, False)
        found = _PAIR.match(rest.strip())
        if not found:
            return True, False
        left, right = (found[1], found[2]) if found[2] is not None else (found[4], found[6])
        left, right = self.expand(left).strip(), self.expand(right).strip()
        if "$" in left or "$" in right:
            return True, False
        return (left == right) == (word == "ifeq"), True

    def _directive(self, line: str, number: int, path: str) -> None:
        define = _DEFINE.match(line)
        if define:
            self.defining = (define[1], [])
            return
        include = _INCLUDE.match(line)
        if include:
            self._include(include[1], path)
            return
        assigned = _ASSIGN.match(line)
        if assigned and ":" not in assigned[1]:
            self.current = []
            self.assign(assigned[1], assigned[2], assigned[3].split(" #")[0])
            return
        if line.startswith(("export ", "unexport ", "vpath ")):
            return
        self._rule(line, number, path)

    def _include(self, names: str, path: str) -> None:
        for name in self.expand(names).split():
            self.included += 1
            if self.included > _MAX_INCLUDES or "$" in name:
                return
            place = posixpath.normpath(posixpath.join(self.folder, name))
            data = None if place == path or place.startswith("..") else self.get(place)
            if data is not None:
                self.read(data, place)

    def _rule(self, line: str, number: int, path: str) -> None:
        self.current = []
        text, _, comment = line.partition(" #")
        head, colon, tail = self.expand(text).partition(":")
        if not colon:
            return
        tail = tail.lstrip(":")
        if _ASSIGN.fullmatch(tail.strip()) or tail.startswith("="):
            return  # a variable of one target only
        tail, _, inline = tail.partition(";")
        needs = [n for n in tail.replace("|", " ").split(":")[-1].split() if n]
        names = head.rstrip("&").split()
        if names == [".PHONY"]:
            self.phony.update(needs)
            return
        if names == [".IGNORE"]:
            self.ignore.update(needs or ["*"])
            return
        if names == [".ONESHELL"]:
            self.one_shell = True
            return
        for name in names[:50]:
            if name.startswith(".") and "/" not in name:
                continue
            rule = self.rules.setdefault(name, _Rule(path, number))
            rule.needs.extend(n for n in needs if n not in rule.needs)
            rule.doc = rule.doc or comment.lstrip("#").strip() or self.comment
            if inline.strip():
                rule.recipe.append((number, inline.strip()))
            self.current.append(rule)


def read_make(data: bytes, path: str, get: Getter = lambda _: None) -> tuple[Target, ...]:
    """Read a Makefile's targets, the default target first.

    Args:
        data: the file's bytes.
        path: its path; recipes run in its folder.
        get: the bytes of another file by path, for `include`; None where there is none.

    Returns:
        One `Target` a target. `phony` is False for targets that are files (declared by their
        name: a path, a suffix, a pattern, or a recipe that writes `$@`); their prerequisites that
        are no targets are `inputs`. A target without recipe has no commands.
    """
    folder = posixpath.dirname(path)
    made = _File(get, folder)
    made.read(data, path)
    goal = made.expand(made.values.get(".DEFAULT_GOAL", ""))
    names = sorted(made.rules, key=lambda n: n != goal) if goal in made.rules else list(made.rules)
    return tuple(_target(made, name) for name in names)


def _target(made: _File, name: str) -> Target:
    rule = made.rules[name]
    is_file = name not in made.phony and bool(
        _FILE_NAME.search(name) or any("$@" in text for _, text in rule.recipe)
    )
    needs = tuple(n for n in rule.needs if n in made.rules)
    return Target(
        runner="make",
        name=name,
        span=Span(rule.path, rule.line),
        commands=_commands(made, name, rule),
        needs=needs,
        inputs=tuple(rule.needs) if is_file else tuple(n for n in rule.needs if n not in needs),
        outputs=(name,) if is_file else (),
        folder=made.folder,
        phony=not is_file,
        soft=bool(made.ignore & {"*", name}),
        doc=rule.doc,
    )


def _commands(made: _File, name: str, rule: _Rule) -> tuple[Command, ...]:
    automatic = {"@": name, "<": rule.needs[0] if rule.needs else "", "^": " ".join(rule.needs)}
    automatic["+"] = automatic["^"]
    flags = made.values.get(".SHELLFLAGS", "-c").split()
    errexit = any(f[:1] == "-" and "e" in f for f in flags)
    pipefail = "pipefail" in flags
    shells = rule.recipe
    if made.one_shell and rule.recipe:
        shells = [(rule.recipe[0][0], "\n".join(t for _, t in rule.recipe))]
    found: list[Command] = []
    for line, text in shells:
        for script, soft in _scripts(made, text, automatic):
            for command in parse_shell(
                script, path=rule.path, line=line, errexit=errexit, pipefail=pipefail
            ):
                if soft and not command.soft:
                    why = "the recipe line starts with `-`"
                    found.append(replace(command, soft=True, why_soft=why))
                else:
                    found.append(command)
    return tuple(found)


def _scripts(made: _File, text: str, automatic: dict[str, str]) -> list[tuple[str, bool]]:
    """The shell texts of a recipe line, and whether the failure of each is ignored.

    More than one where a `define`d block is called; `.ONESHELL` keeps all in one.
    """
    text = made.expand(text, automatic)
    scripts = [text] if made.one_shell else _LINE_END.split(text)
    found: list[tuple[str, bool]] = []
    for script in scripts:
        bare = script.lstrip(" \t")
        prefix = _PREFIX.match(bare)
        marks = prefix[0] if prefix else ""
        body = _SHELL_CALL.sub("$(", bare[len(marks) :])
        found.append((body.replace("\0", "$"), "-" in marks))
    return found
