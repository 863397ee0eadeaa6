"""Expansion of shell words: variables with literal values, known substitutions, redirections."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from mlops_audit.facts.shelltokens import Part, Token
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the walk owns the words; at run time this would be a cycle
    from mlops_audit.facts.shellwalk import Walk

__all__ = ["Words", "join_folder", "literal"]

_MAX_VALUE = 4_000  # characters of a variable's value that are followed
_MAX_VARIABLES = 1_000
_ROOTS = regex(
    r"\$\{?(?:GITHUB_WORKSPACE|CI_PROJECT_DIR|BITBUCKET_CLONE_DIR|CODEBUILD_SRC_DIR|WORKSPACE|"
    r"TRAVIS_BUILD_DIR|CIRCLE_WORKING_DIRECTORY|DRONE_WORKSPACE|BUILD_SOURCESDIRECTORY|"
    r"SYSTEM_DEFAULTWORKINGDIRECTORY)\}?|\$\{\{\s*github\.workspace\s*\}\}|"
    r"\$\((?:Build\.SourcesDirectory|System\.DefaultWorkingDirectory|"
    r"Pipeline\.Workspace/s)\)|\$PWD|\$\{PWD\}",
    re.IGNORECASE,
)
_SELF = r"[\"']?\$\{?(?:0|BASH_SOURCE(?:\[0\])?|\(%\):-%[xN])\}?[\"']?"
_DIRNAME = regex(
    rf"\s*(?:realpath\s+|readlink\s+-f\s+)?[\"']?(?:\$\(|`)?\s*dirname\s+(?:--\s+)?[\"']?"
    rf"(?:\$\(\s*(?:realpath|readlink\s+-f)\s+)?{_SELF}\)?[\"']?\s*[)`]?[\"']?\s*"
)
_CD_PWD = regex(r"\s*cd\s+(?:-P\s+|--\s+)?(.+?)\s*(?:>\s*/dev/null\s*(?:2>&1\s*)?)?&&\s*pwd\b.*")
_VARIABLE = regex(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")


def literal(text: str) -> bool:
    """Whether a word holds nothing that only a run would know."""
    return "$" not in text and "`" not in text and "{{" not in text


def join_folder(cwd: str, target: str) -> str:
    """Move from one folder to another, as `cd` does; the root of the repository is ``""``."""
    target = _ROOTS.sub("/./", target) if "$" in target else target
    if target.startswith("/./"):
        cwd, target = "", target[3:].lstrip("/")
    joined = posixpath.normpath(posixpath.join(cwd, target.replace("\\", "/")) or ".")
    return "" if joined == "." else joined


class Words:
    """Expands words with the state of a walk."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk

    # -- variables -----------------------------------------------------------------------------
    def assign(self, name: str, value: str) -> None:
        """Remember a variable's value; one that is not literal is forgotten."""
        variables = self.walk.state.variables
        if len(value) <= _MAX_VALUE and len(variables) < _MAX_VARIABLES:
            variables[name] = value
        else:
            variables.pop(name, None)

    def assignment(self, token: Token) -> tuple[str, str]:
        """Split `NAME=value` and expand the value as one word."""
        text = "".join(self._text(p) for p in token.parts)
        name, _, value = text.partition("=")
        if name.endswith("+"):
            name = name[:-1]
            value = self.walk.state.variables.get(name, "") + value
        return name, value[:_MAX_VALUE]

    def value(self, name: str) -> str | None:
        """A variable's value where it is known."""
        args = self.walk.state.args
        if args is not None:
            if name in {"@", "*"}:
                return " ".join(args)
            if name == "#":
                return str(len(args))
            if name.isdigit() and name != "0":
                return args[int(name) - 1] if int(name) <= len(args) else ""
        return self.walk.state.variables.get(name)

    def _text(self, part: Part) -> str:
        if part.kind == "lit":
            return part.text
        if part.kind == "sub":
            known = self.known(part.text)
            return part.raw if known is None else known
        value = self.value(part.text)
        if value is None or (not value and part.default is not None):
            if part.default is None:
                return part.raw
            return self.simple_variables(part.default.strip("\"'"))
        return value

    def simple_variables(self, text: str) -> str:
        """Replace `$NAME` and `${NAME}` with known values."""

        def known(found: re.Match[str]) -> str:
            value = self.value(found[1] or found[2])
            return found[0] if value is None else value

        return _VARIABLE.sub(known, text)[:_MAX_VALUE]

    def known(self, script: str) -> str | None:
        """The value of substitutions that name a folder: the script's own, the root, `pwd`."""
        script = script.strip()
        if len(script) > 300:  # noqa: PLR2004 -- longer than any of these idioms
            return None
        if script == "pwd":
            return "/./" + self.walk.state.cwd
        if script.startswith("git rev-parse --show-toplevel"):
            return "/./"
        if _DIRNAME.fullmatch(script):
            return "/./" + posixpath.dirname(self.walk.path)
        moved = _CD_PWD.fullmatch(script)
        if moved:
            target = moved[1].strip().strip("\"'")
            inner = re.sub(
                r"\$\(([^()]*(?:\([^()]*\))?[^()]*)\)|`([^`]*)`",
                lambda m: self.known(m[1] or m[2]) or m[0],
                target,
            )
            inner = self.simple_variables(inner.replace('"', ""))
            if not literal(inner):
                return None
            return "/./" + join_folder(self.walk.state.cwd, inner)
        return None

    # -- words ---------------------------------------------------------------------------------
    def expand(self, token: Token) -> list[str]:
        """Give the fields of a word: unquoted values are split at blanks, as a shell does."""
        fields: list[str] = []
        current: str | None = None
        for part in token.parts:
            if part.kind == "var" and part.text == "@" and self.walk.state.args is not None:
                args = self.walk.state.args
                if args:
                    fields.extend([(current or "") + args[0], *args[1:]])
                    current = fields.pop()
                continue
            text = self._text(part)
            is_value = part.kind == "var" and text != part.raw and not part.quoted
            if not is_value:
                current = (current or "") + text
                continue
            pieces = text.split()
            if not pieces:
                continue
            if text[0].isspace() and current is not None:
                fields.append(current)
                current = None
            fields.extend([(current or "") + pieces[0], *pieces[1:]])
            current = fields.pop()
        if current is not None:
            fields.append(current)
        return [_tidy(f) for f in fields]

    def stdin(self, redirects: list[tuple[Token, Token | None]]) -> str:
        """The text that a heredoc or here-string feeds in."""
        for operator, target in redirects:
            if operator.heredoc is not None:
                body = operator.heredoc
                return body if operator.heredoc_raw else self._filled(body)
            if operator.text.endswith("<<<") and target is not None:
                return " ".join(self.expand(target))
        return ""

    def _filled(self, body: str) -> str:
        def known(found: re.Match[str]) -> str:
            value = self.value(found[1] or found[2])
            return found[0] if value is None else value

        return _VARIABLE.sub(known, body)[: len(body) * 4 + _MAX_VALUE]

    def stdout(self, redirects: list[tuple[Token, Token | None]]) -> str:
        """The file that takes the standard output."""
        for operator, target in redirects:
            if operator.text in {">", ">>", ">|", "&>", "&>>", "1>", "1>>"} and target is not None:
                return " ".join(self.expand(target))
        return ""


def _tidy(text: str) -> str:
    """Turn the mark of a path from the root into a plain relative path."""
    if not text.startswith("/./"):
        return text
    return posixpath.normpath(text[3:].lstrip("/") or ".")
