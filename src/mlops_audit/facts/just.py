"""Justfiles: recipes with their commands, dependencies and literal variables."""

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

__all__ = ["read_just"]

_MAX_RECIPES = 1_000
_ASSIGN = regex(r"(?:export\s+)?([A-Za-z_][\w-]*)\s*:=\s*(.*)")
_RECIPE = regex(r"@?([A-Za-z_][\w-]*)((?:\s+[^:\n]*)?):(?!=)\s*(.*)")
_IMPORT = regex(r"import\??\s+['\"]([^'\"]+)['\"]")
_ALIAS = regex(r"alias\s+([\w-]+)\s*:=\s*([\w-]+)")
_TEXT = regex(r"\s*(?:'([^']*)'|\"([^\"]*)\")\s*")
_INTERPOLATION = regex(r"\{\{\s*([A-Za-z_][\w-]*)\s*\}\}")
_NEED = regex(r"\(\s*([\w:-]+)[^)]*\)|([A-Za-z_][\w:-]*)|&&")
_DEFAULTED = regex(r"[$+*]*([A-Za-z_][\w-]*)\s*=\s*(?:'([^']*)'|\"([^\"]*)\")")
_FOLDER = regex(r"\[\s*working-directory\s*[:(]\s*['\"]([^'\"]+)['\"]")


class _Recipe(Struct):
    path: str
    line: int
    parameters: str
    needs: tuple[str, ...]
    doc: str
    folder: str
    lines: list[tuple[int, str]] = field(default_factory=list)


class _File(Struct):
    get: Getter
    values: dict[str, str] = field(default_factory=dict)
    recipes: dict[str, _Recipe] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def read(self, data: bytes, path: str) -> None:
        """Read one file's lines."""
        self.seen.add(path)
        current: _Recipe | None = None
        comment = folder = ""
        text = decode(data[: 1024 * 1024]) or data[: 1024 * 1024].decode("latin-1")
        for number, raw in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
            if current is not None and (raw[:1] in {" ", "\t"} or not raw.strip()):
                current.lines.append((number, raw))
                continue
            current = None
            line = raw.rstrip()[:4_000]
            if line.startswith("["):
                found = _FOLDER.match(line)
                folder = found[1] if found else folder
                continue
            if line.startswith("#"):
                comment = line.lstrip("# ")
                continue
            current = self._statement(line, number, path, comment, folder)
            comment = folder = ""

    def _statement(
        self, line: str, number: int, path: str, doc: str, folder: str
    ) -> _Recipe | None:
        alias = _ALIAS.match(line)
        if alias:
            self.aliases[alias[1]] = alias[2]
            return None
        assigned = _ASSIGN.match(line)
        if assigned:
            value = _TEXT.fullmatch(assigned[2])
            if value:
                self.values[assigned[1]] = value[1] if value[1] is not None else value[2]
            return None
        imported = _IMPORT.match(line)
        if imported:
            place = posixpath.normpath(posixpath.join(posixpath.dirname(path), imported[1]))
            data = None if place in self.seen or len(self.seen) > 20 else self.get(place)  # noqa: PLR2004
            if data is not None:
                self.read(data, place)
            return None
        found = _RECIPE.match(line)
        if not found or line.startswith(("set ", "mod ")) or len(self.recipes) > _MAX_RECIPES:
            return None
        needs = tuple(m[1] or m[2] for m in _NEED.finditer(found[3].split("#")[0]) if m[0] != "&&")
        recipe = _Recipe(path, number, found[2], needs, doc, folder)
        self.recipes[found[1]] = recipe
        return recipe

    def commands(self, recipe: _Recipe) -> tuple[Command, ...]:
        """The commands of a recipe: a line a shell, or one script under a `#!`."""
        values = dict(self.values)
        for m in _DEFAULTED.finditer(recipe.parameters):
            values.setdefault(m[1], m[2] if m[2] is not None else m[3])
        body = [(n, t) for n, t in recipe.lines]
        while body and not body[0][1].strip():
            body.pop(0)
        if not body:
            return ()
        texts = _logical(body)
        if body[0][1].lstrip().startswith("#!"):
            if "sh" not in body[0][1]:
                whole = "\n".join(t for _, t in body)
                interpreter = body[0][1].rstrip().rsplit("/", 1)[-1].split()
                words = tuple(interpreter[1:] if interpreter[0] == "env" else interpreter)
                return (Command(words, Span(recipe.path, body[0][0]), whole[:2000], stdin=whole),)
            texts = [(body[0][0], "\n".join(t.strip() for _, t in body))]
        found: list[Command] = []
        for number, text in texts:
            marks = re.match(r"\s*[@-]*", text)
            prefix = marks[0] if marks else ""
            script = _INTERPOLATION.sub(lambda m: values.get(m[1], m[0]), text[len(prefix) :])
            for command in parse_shell(
                script, path=recipe.path, line=number, errexit=False, cwd=recipe.folder
            ):
                if "-" in prefix and not command.soft:
                    why = "the recipe line starts with `-`"
                    found.append(replace(command, soft=True, why_soft=why))
                else:
                    found.append(command)
        return tuple(found)


def _logical(body: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Join lines that end in a backslash; comments and empty lines go."""
    found: list[tuple[int, str]] = []
    going_on = False
    for number, text in body:
        if going_on and found:
            found[-1] = (found[-1][0], f"{found[-1][1]}\n{text}")
        elif text.strip() and not text.lstrip().startswith("#"):
            found.append((number, text))
        going_on = text.rstrip().endswith("\\")
    return found


def read_just(data: bytes, path: str, get: Getter = lambda _: None) -> tuple[Target, ...]:
    """Read a justfile's recipes, the default one (the first) first, and its aliases."""
    made = _File(get)
    made.read(data, path)
    folder = posixpath.dirname(path)
    targets = [
        Target(
            runner="just",
            name=name,
            span=Span(recipe.path, recipe.line),
            commands=made.commands(recipe),
            needs=recipe.needs,
            folder=folder,
            doc=recipe.doc,
            default=number == 0,
        )
        for number, (name, recipe) in enumerate(made.recipes.items())
    ]
    by_name = {t.name: t for t in targets}
    for alias, name in made.aliases.items():
        if name in by_name:
            targets.append(replace(by_name[name], name=alias, default=False))
    return tuple(targets)
