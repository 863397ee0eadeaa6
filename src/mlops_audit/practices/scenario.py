"""Scenarios: small repositories written in fenced blocks, with what must be concluded of them.

The format is described for authors in `docs/writing-a-practice.md`. Parsing never raises: what is
malformed becomes a `problem` with its line, which the contract tests hold empty.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from msgspec import Struct

from mlops_audit.model import Span
from mlops_audit.practices.markdown import Fence, Line
from mlops_audit.regex import regex

__all__ = ["KINDS", "Scenario", "ScenarioFile", "parse_scenario"]

KINDS = ("pass", "partial", "fail", "hollow", "unknown", "n/a")

_OPTION = regex(r"""([\w-]+)(?:=("[^"]*"|'[^']*'|[^\s"']\S*))?(?=\s|$)""")
_OPTIONS = frozenset({"file", "notebook", "git", "absent", "binary", "link", "exec"})
_SIZE = regex(r"(\d{1,9})(|B|KiB|MiB)")
_UNITS = {"": 1, "B": 1, "KiB": 1024, "MiB": 1024**2}
_MOST_BYTES = 256 * 1024**2  # a scenario is small; this only stops a slip of the finger
_MARK = "<- evidence"
_COMMENTS = (("<!--", "-->"), ("/*", "*/"), ("//", ""), ("--", ""), ("#", ""), (";", ""), ("%", ""))
_PLACE = regex(r"(.+?)(?:#(\d{1,6}))?(?::(\d{1,7}))?")
_CELL = regex(r"# %%[ \t]*(\[markdown\]|outputs)?[ \t]*")


class ScenarioFile(Struct, frozen=True):
    """One tracked file. `content` is empty for a link and for a file that is absent."""

    path: str
    content: bytes
    absent: bool = False
    link: str = ""
    executable: bool = False


class Scenario(Struct, frozen=True):
    """A repository and the expected verdict.

    `kind` is one of `KINDS`; `expected` are the marked places (a span without a line stands for
    any line of that file); `reasons` are words that the verdict's reason must contain; `git` is
    the TOML of the git fence, or None for a folder that is no repository; `line` is the
    heading's in the twin.
    """

    kind: str
    title: str
    line: int
    files: tuple[ScenarioFile, ...] = ()
    expected: tuple[Span, ...] = ()
    reasons: tuple[str, ...] = ()
    git: str | None = None
    problems: tuple[str, ...] = ()

    @property
    def outcome(self) -> str:
        """The outcome as reports write it; a `hollow` scenario is a `fail`."""
        return "fail" if self.kind == "hollow" else self.kind


def parse_scenario(heading: str, line: int, body: Iterable[Fence | Line]) -> Scenario:
    """Read what stands below a heading `### pass: what it shows`."""
    kind, colon, title = (part.strip() for part in heading.partition(":"))
    reading = _Reading()
    if kind not in KINDS or not colon or not title:
        reading.problem(line, f"a scenario's heading is one of {', '.join(KINDS)}, then ': title'")
    for block in body:
        if isinstance(block, Fence):
            reading.fence(block)
        else:
            reading.prose(block)
    return Scenario(
        kind=kind,
        title=title,
        line=line,
        files=tuple(reading.files.values()),
        expected=tuple(dict.fromkeys(reading.expected)),
        reasons=tuple(reading.reasons),
        git=reading.git,
        problems=tuple(reading.problems),
    )


class _Reading:
    """What has been gathered of one scenario so far."""

    def __init__(self) -> None:
        self.files: dict[str, ScenarioFile] = {}
        self.expected: list[Span] = []
        self.reasons: list[str] = []
        self.git: str | None = None
        self.problems: list[str] = []

    def problem(self, line: int, message: str) -> None:
        self.problems.append(f"line {line}: {message}")

    def prose(self, line: Line) -> None:
        """Take `Evidence:` and `Reason:` lines; the rest explains to people."""
        word, colon, rest = line.text.strip().partition(":")
        if not colon:
            return
        if word == "Reason":
            self.reasons.append(rest.strip())
        elif word == "Evidence":
            self.expected.extend(_place(part) for part in rest.split(",") if part.strip(" `"))

    def fence(self, fence: Fence) -> None:
        options = self._options(fence)
        if not fence.closed:
            self.problem(fence.line, "the fence is not closed")
        if "git" in options:
            if self.git is not None:
                self.problem(fence.line, "a second git fence")
            self.git = "\n".join(fence.body) + "\n"
            return
        path = options.get("file") or options.get("notebook")
        if not path:
            self.problem(fence.line, "a fence needs file=PATH, notebook=PATH or git")
        elif path in self.files:
            self.problem(fence.line, f"{path} is written twice")
        elif path.startswith("/") or {"", ".", ".."} & set(path.split("/")):
            self.problem(fence.line, f"{path} is no path inside a repository")
        else:
            self.files[path] = self._file(path, options, fence)

    def _options(self, fence: Fence) -> dict[str, str]:
        language, _, rest = fence.info.partition(" ")
        text = rest if "=" not in language else fence.info
        options: dict[str, str] = {}
        at = 0
        for found in _OPTION.finditer(text):
            if text[at : found.start()].strip():
                break
            options[found[1]] = (found[2] or "").strip("\"'")
            at = found.end()
        if text[at:].strip():
            self.problem(fence.line, f"cannot read the fence's options: {text[at:].strip()}")
        for name in sorted(options.keys() - _OPTIONS):
            self.problem(fence.line, f"unknown option {name}")
        return options

    def _file(self, path: str, options: dict[str, str], fence: Fence) -> ScenarioFile:
        executable = "exec" in options
        if "link" in options:
            if not options["link"]:
                self.problem(fence.line, "link needs its target: link=TARGET")
            return ScenarioFile(path, b"", link=options["link"])
        if "notebook" in options:
            content = self._notebook(path, fence.body)
        else:
            plain = [self._unmark(path, line, at) for at, line in enumerate(fence.body, 1)]
            content = "".join(f"{line}\n" for line in plain).encode("utf-8", "surrogatepass")
        if "binary" in options:
            content = self._padded(content, options["binary"], fence.line)
        absent = "absent" in options
        return ScenarioFile(path, b"" if absent else content, absent=absent, executable=executable)

    def _padded(self, head: bytes, size: str, line: int) -> bytes:
        """The head, then zero bytes up to the size that the fence gives."""
        found = _SIZE.fullmatch(size)
        count = int(found[1]) * _UNITS[found[2]] if found else 0
        if not 0 < count <= _MOST_BYTES:
            self.problem(line, "binary needs a size up to 256 MiB: binary=700, 3KiB or 2MiB")
            return head
        return head.rstrip(b"\n")[:count].ljust(count, b"\0")

    def _unmark(self, path: str, line: str, number: int, cell: int | None = None) -> str:
        """The line without its evidence marker; a marked line's place is kept."""
        before, found, after = line.rpartition(_MARK)
        if not found:
            return line
        before = before.rstrip()
        for start, end in _COMMENTS:
            if before.endswith(start) and after.strip() == end:
                self.expected.append(Span(path, number, cell))
                return before.removesuffix(start).rstrip()
        return line

    def _notebook(self, path: str, body: Iterable[str]) -> bytes:
        """Build the notebook's JSON from a script with `# %%` separators."""
        cells: list[dict[str, object]] = []
        for kind, lines in _cells(body):
            if kind == "outputs":
                if cells and cells[-1]["cell_type"] == "code":
                    cells[-1]["outputs"] = [
                        {"name": "stdout", "output_type": "stream", "text": _source(lines)}
                    ]
                    cells[-1]["execution_count"] = len(cells)
                continue
            number = len(cells) + 1
            plain = [self._unmark(path, line, at, number) for at, line in enumerate(lines, 1)]
            if kind == "code":
                cells.append(
                    {
                        "cell_type": "code",
                        "execution_count": None,
                        "metadata": {},
                        "outputs": [],
                        "source": _source(plain),
                    }
                )
            else:
                source = _source([line.removeprefix("#").removeprefix(" ") for line in plain])
                cells.append({"cell_type": "markdown", "metadata": {}, "source": source})
        kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
        notebook = {
            "cells": cells,
            "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        return (json.dumps(notebook, indent=1) + "\n").encode()


def _cells(body: Iterable[str]) -> list[tuple[str, list[str]]]:
    """Kind (`code`, `[markdown]` or `outputs`) and lines of each part of a notebook fence."""
    parts: list[tuple[str, list[str]]] = [("code", [])]
    for line in body:
        if found := _CELL.fullmatch(line):
            parts.append((found[1] or "code", []))
        else:
            parts[-1][1].append(line)
    for _, lines in parts:
        while lines and not lines[-1].strip():
            lines.pop()
    return parts if parts[0][1] else parts[1:]


def _source(lines: list[str]) -> list[str]:
    """Lines as a notebook stores them: each but the last with its line end."""
    return [f"{line}\n" for line in lines[:-1]] + lines[-1:]


def _place(text: str) -> Span:
    """Read `path`, `path:line`, `path#cell:line` or `tag:NAME`."""
    plain = text.strip(" \t`")
    if plain.startswith("tag:"):
        return Span(plain)
    found = _PLACE.fullmatch(plain)
    if not found:
        return Span(plain)
    line = int(found[3]) if found[3] else None
    return Span(found[1], line, int(found[2]) if found[2] else None)
