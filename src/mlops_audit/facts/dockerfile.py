"""Dockerfiles: stages with base images, commands, sources, entry points and health checks."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from mlops_audit.facts.decoding import decode
from mlops_audit.facts.shell import parse_shell
from mlops_audit.facts.types import Command, Target
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = ["Copy", "Dockerfile", "Stage", "docker_target", "read_dockerfile"]

_LIMIT = 512 * 1024
_INSTRUCTION = regex(r"\s*(ONBUILD\s+)?([A-Za-z]+)(?:\s+|$)(.*)", re.DOTALL)
_HEREDOC = regex(r"<<-?\s*['\"]?(\w+)['\"]?")
_VARIABLE = regex(r"\$\{([A-Za-z_]\w*)(?::?[-+]([^}]*))?\}|\$([A-Za-z_]\w*)")
_FLAG = regex(r"--[\w-]+(?:=\S+)?\s+")
_FLAGS = regex(r"(?:[ \t]|\\\n)*(?:--[\w-]+(?:=\S+)?(?:[ \t]|\\\n)+)*")
_PAIR = regex(r"([A-Za-z_][\w.]*)=(\"(?:[^\"\\]|\\.)*\"|'[^']*'|\S*)")


class Copy(Struct, frozen=True):
    """A COPY or ADD: sources in the build context (or a URL), or of stage `origin`."""

    sources: tuple[str, ...]
    target: str
    span: Span
    origin: str = ""


class Stage(Struct, frozen=True):
    """One build stage. `base` is the image with ARG defaults filled in, or an earlier stage."""

    name: str
    base: str
    span: Span
    runs: tuple[Command, ...] = ()
    copies: tuple[Copy, ...] = ()
    cmd: tuple[Command, ...] = ()
    entrypoint: tuple[Command, ...] = ()
    healthcheck: tuple[Command, ...] = ()
    healthcheck_span: Span | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    workdir: str = ""
    ports: tuple[str, ...] = ()

    @property
    def starts(self) -> tuple[Command, ...]:
        """What a container of this stage runs: the entry point with CMD behind it, or CMD."""
        if not self.entrypoint:
            return self.cmd
        first = self.entrypoint[0]
        if len(self.cmd) == 1 and first.argv[:1] not in {("sh",), ("bash",)}:
            argv = (*first.argv, *self.cmd[0].argv)
            return (replace(first, argv=argv, text=" ".join(argv)), *self.entrypoint[1:])
        return self.entrypoint


class Dockerfile(Struct, frozen=True):
    """One Dockerfile; the last stage is the image."""

    path: str
    stages: tuple[Stage, ...] = ()
    args: Mapping[str, str] = field(default_factory=dict)

    @property
    def bare(self) -> bool:
        """Whether it does nothing to its base: no stage copies, runs or starts anything."""
        return not any(s.runs or s.copies or s.entrypoint or s.cmd for s in self.stages)


class _Building(Struct):
    stage: Stage
    values: dict[str, str]


def read_dockerfile(data: bytes, path: str) -> Dockerfile:
    """Read a Dockerfile; what is no instruction is skipped, nothing raises.

    Paths in `copies` are as written (relative to the build context, which the file does not
    name); RUN texts and shell forms are read as shell, exec forms as one command.
    """
    text = decode(data[:_LIMIT]) or data[:_LIMIT].decode("latin-1")
    made: list[_Building] = []
    args: dict[str, str] = {}
    for line, word, rest, heredoc in _instructions(text):
        if word == "FROM":
            made.append(_from(rest, Span(path, line), args, [b.stage for b in made]))
        elif not made:
            if word == "ARG":
                for name, value in _arguments(rest):
                    args[name] = _filled(value, args)
        else:
            _apply(made[-1], word, rest, heredoc, Span(path, line))
    return Dockerfile(path, tuple(b.stage for b in made), args)


def _instructions(text: str) -> list[tuple[int, str, str, str]]:
    """Line, instruction, its text (continuations kept) and the heredoc body below it."""
    lines = text.replace("\r\n", "\n").split("\n")
    escape = "`" if re.match(r"#\s*escape\s*=\s*`", lines[0]) else "\\"
    found: list[tuple[int, str, str, str]] = []
    at = 0
    while at < len(lines):
        first = at
        parts: list[str] = []
        while at < len(lines):
            line = lines[at]
            at += 1
            if parts and line.lstrip().startswith("#"):
                parts.append("")  # a comment between continued lines
                continue
            if line.rstrip().endswith(escape):
                parts.append(line.rstrip()[:-1] + "\\")
                continue
            parts.append(line)
            break
        # An empty line between continued ones would end a shell's line: keep it going.
        body = "\n".join(p if p.strip() or k == 0 else "\\" for k, p in enumerate(parts))
        if not body.strip() or body.lstrip().startswith("#"):
            continue
        instruction = _INSTRUCTION.match(body)
        if not instruction or instruction[1]:
            continue
        heredoc = ""
        mark = _HEREDOC.search(body)
        if mark and instruction[2].upper() in {"RUN", "COPY", "ADD"}:
            end = at
            while end < len(lines) and lines[end].strip() != mark[1]:
                end += 1
            heredoc = "\n".join(lines[at:end])
            at = min(end + 1, len(lines))
        found.append((first + 1, instruction[2].upper(), instruction[3], heredoc))
    return found


def _filled(text: str, values: Mapping[str, str]) -> str:
    def known(found: re.Match[str]) -> str:
        name = found[1] or found[3]
        return values.get(name) or (found[2] if found[2] is not None else found[0])

    return _VARIABLE.sub(known, text)


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _arguments(rest: str) -> list[tuple[str, str]]:
    return [(m[1], _unquoted(m[2])) for m in _PAIR.finditer(rest)]


def _from(rest: str, span: Span, args: Mapping[str, str], stages: list[Stage]) -> _Building:
    words = _FLAG.sub("", rest.split("#", maxsplit=1)[0]).split()
    base = _filled(words[0], args) if words else ""
    name = words[2] if len(words) > 2 and words[1].upper() == "AS" else str(len(stages))  # noqa: PLR2004
    parent = next((s for s in stages if s.name.lower() == base.lower()), None)
    stage = Stage(name, base, span)
    if parent is not None:  # settings go on in a stage built upon another
        stage = replace(
            parent, name=name, base=base, span=span, runs=(), copies=(), healthcheck_span=None
        )
    return _Building(stage, {**args, **(parent.env if parent is not None else {})})


def _apply(made: _Building, word: str, rest: str, heredoc: str, span: Span) -> None:
    stage = made.stage
    if word in {"ARG", "ENV"}:
        pairs = _arguments(rest)
        if word == "ENV" and not pairs and len(rest.split(None, 1)) == 2:  # noqa: PLR2004
            name, value = rest.split(None, 1)
            pairs = [(name, value.strip())]
        for name, value in pairs[:200]:
            made.values[name] = _filled(value, made.values)[:4_000]
        if word == "ENV":
            made.stage = replace(
                stage, env={**stage.env, **{n: made.values[n] for n, _ in pairs[:200]}}
            )
    elif word == "RUN":
        commands = _commands(rest, heredoc, span, stage.workdir, made.values)
        made.stage = replace(stage, runs=(*stage.runs, *commands))
    elif word in {"COPY", "ADD"}:
        made.stage = replace(stage, copies=(*stage.copies, *_copy(rest, span, made.values)))
    elif word in {"CMD", "ENTRYPOINT"}:
        commands = _commands(rest, "", span, stage.workdir, made.values)
        if word == "CMD":
            made.stage = replace(stage, cmd=commands)
        else:
            made.stage = replace(stage, entrypoint=commands, cmd=())
    elif word == "HEALTHCHECK":
        body = _FLAG.sub("", rest.replace("\\\n", " ") + " ")
        found = re.match(r"\s*CMD\s+(.*)", body, re.DOTALL)
        commands = _commands(found[1], "", span, stage.workdir, made.values) if found else ()
        at = span if found else None
        made.stage = replace(stage, healthcheck=commands, healthcheck_span=at)
    elif word == "WORKDIR":
        place = _filled(_unquoted(rest.strip()), made.values)
        made.stage = replace(
            stage, workdir=posixpath.normpath(posixpath.join(stage.workdir, place))
        )
    elif word == "EXPOSE":
        ports = tuple(_filled(rest, made.values).split()[:50])
        made.stage = replace(stage, ports=(*stage.ports, *ports))


def _exec_form(rest: str) -> tuple[str, ...] | None:
    if not rest.strip().startswith("["):
        return None
    try:
        words = json.loads(rest.replace("\\\n", " "))
    except (ValueError, RecursionError):
        return None
    is_words = isinstance(words, list) and all(isinstance(w, str) for w in words)
    return tuple(words) if is_words else None


def _commands(
    rest: str, heredoc: str, span: Span, folder: str, values: Mapping[str, str]
) -> tuple[Command, ...]:
    """The commands of RUN, CMD, ENTRYPOINT: exec form, shell form, heredoc."""
    line = span.line or 1
    found = _FLAGS.match(rest)
    flags = found.end() if found else 0
    line += rest[:flags].count("\n")
    span = Span(span.path, line)
    rest = rest[flags:]
    words = _exec_form(rest)
    if words is not None:
        text = " ".join(words)
        command = Command(words, span, text, cwd=folder)
        inner: tuple[Command, ...] = ()
        if words[1:2] in {("-c",), ("-ec",), ("-lc",)} and words[2:3]:
            inner = parse_shell(words[2], path=span.path, line=line, errexit=False, cwd=folder)
        return (command, *inner) if words else ()
    text = rest
    start = line
    if heredoc:
        marker = _HEREDOC.search(rest)
        head = rest[: marker.start()].strip() if marker else ""
        if head:
            program = tuple(head.split())
            command = Command(program, span, head, cwd=folder, stdin=heredoc)
            if program[0].rsplit("/", 1)[-1] not in {"bash", "sh"}:
                return (command,)
        text, start = heredoc, line + 1
    return parse_shell(
        text, path=span.path, line=start, errexit=False, cwd=folder, variables=dict(values)
    )


def _copy(rest: str, span: Span, values: Mapping[str, str]) -> tuple[Copy, ...]:
    origin = re.search(r"--from=(\S+)", rest)
    body = rest.replace("\\\n", " ")
    while found := _FLAG.match(body.lstrip()):
        body = body.lstrip()[found.end() :]
    words = _exec_form(body) or tuple(_filled(body, values).split())
    if len(words) < 2:  # noqa: PLR2004 -- a source and a target
        return ()
    sources = tuple(w for w in words[:-1] if not w.startswith("<<"))
    return (Copy(sources, words[-1], span, origin[1] if origin else ""),)


def docker_target(dockerfile: Dockerfile) -> tuple[Target, ...]:
    """The build as a target of the runner `docker-build`: all RUN commands of all stages."""
    if not dockerfile.stages:
        return ()
    last = dockerfile.stages[-1]
    runs = tuple(c for s in dockerfile.stages for c in s.runs)
    sources = tuple(
        p for s in dockerfile.stages for c in s.copies if not c.origin for p in c.sources
    )
    folder = posixpath.dirname(dockerfile.path)
    return (
        Target("docker-build", dockerfile.path, last.span, runs, inputs=sources, folder=folder),
    )
