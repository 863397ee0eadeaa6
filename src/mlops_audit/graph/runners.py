"""What the call of a task runner runs: targets, environments, hooks, stages, images, services."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from mlops_audit.facts.types import Command, Target
from mlops_audit.graph.execution import Edge
from mlops_audit.graph.mlflowprojects import entry_points
from mlops_audit.graph.nodes import Nodes
from mlops_audit.regex import regex

__all__ = ["TaskRunners"]

# Runners called as `X [run] TARGET`, with the words between that do not name a target.
_RUNNERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "just": ("just", ()),
    "mise": ("mise", ("run", "r", "exec", "x", "--")),
    "poe": ("poe", ()),
    "task": ("task", ()),
    "inv": ("invoke", ()),
    "invoke": ("invoke", ()),
    "duty": ("duty", ()),
    "hatch": ("hatch", ("run",)),
    "pdm": ("pdm", ("run",)),
    "pixi": ("pixi", ("run", "r")),
    "npm": ("npm", ("run", "run-script")),
    "pnpm": ("npm", ("run",)),
    "yarn": ("npm", ("run",)),
    "doit": ("doit", ()),
    "rye": ("rye", ("run",)),
    "taskipy": ("taskipy", ()),
}
_ANY_PYTHON = regex(r"(py|pypy|python)[\d.]*$")  # tox's environments of no settings
# Runners that hand the words behind a script's name on to it.
_PASSING = frozenset({"npm", "poe", "pdm", "hatch", "taskipy", "rye", "pixi"})


class TaskRunners:
    """Gives the edges of commands that call a task runner."""

    def __init__(self, nodes: Nodes) -> None:
        self.nodes = nodes
        self.sources = nodes.sources

    def edges(self, command: Command, folder: str) -> Iterator[Edge] | None:
        """The edges of a call of a task runner; None when the command is none."""
        program = command.program
        if program == "poetry" and command.argv[1:2] == ("poe",):  # poe's plugin for poetry
            return self.edges(replace(command, argv=command.argv[1:]), folder)
        if program in {"make", "gmake", "remake"}:
            return self._make(command, folder)
        if program in _RUNNERS:
            runner, filler = _RUNNERS[program]
            names = [a for a in command.argv[1:] if not a.startswith("-") and a not in filler]
            found = [t for name in names[:3] for t in self._named(runner, name, folder)]
            if found:
                return self._chosen(found, command)
            if program == "just" and not names:
                return iter(self._default("just", folder))
            return None
        if program in {"tox", "nox"}:
            return self._environments(program, command, folder)
        if program in {"pre-commit", "prek", "lefthook", "husky"}:
            hooks = self.sources.by_runner.get("pre-commit" if program == "prek" else program, ())
            return (
                (Edge(self.nodes.target(t), t.soft) for t in hooks)
                if "run" in command.argv
                else iter(())
            )
        if program == "dvc" and (
            command.argv[1:2] == ("repro",) or command.argv[1:3] == ("exp", "run")
        ):
            return self._stages(command, folder)
        if program == "mlflow" and command.argv[1:2] == ("run",):
            entries = tuple(self.sources.by_runner.get("mlproject", ()))
            started = entry_points(command, folder, entries)
            return (Edge(self.nodes.target(t)) for t in started)
        if program == "docker" or program in {"podman", "buildah", "docker-compose"}:
            return self._docker(command, folder)
        return None

    def _chosen(self, found: list[Target], command: Command) -> Iterator[Edge]:
        """The targets; what stands behind a script's name goes to its last command."""
        for target in found:
            yield Edge(self.nodes.target(target), target.soft)
            rest = (
                [*command.argv[command.argv.index(target.name) + 1 :]]
                if (target.runner in _PASSING and target.name in command.argv and target.commands)
                else []
            )
            if words := tuple(w for w in rest if w != "--"):
                last = target.commands[-1]
                text = f"{last.text} {' '.join(words)}"
                given = replace(last, argv=(*last.argv, *words), text=text, span=command.span)
                yield Edge(self.nodes.command(given, target.folder), target.soft)

    def _named(self, runner: str, name: str, folder: str) -> list[Target]:
        bare = name.rsplit(":", 1)[-1] if runner == "hatch" else name
        found = [t for t in self.sources.by_runner.get(runner, ()) if t.name in {name, bare}]
        near = [t for t in found if t.folder == folder]
        return near or found[:1]

    def _default(self, runner: str, folder: str) -> list[Edge]:
        targets = [t for t in self.sources.by_runner.get(runner, ()) if t.folder == folder]
        return [Edge(self.nodes.target(targets[0]))] if targets else []

    def _make(self, command: Command, folder: str) -> Iterator[Edge]:
        names: list[str] = []
        makefile = ""
        words = iter(command.argv[1:])
        for word in words:
            if word in {"-C", "--directory"}:
                folder = self.sources.places.folder(next(words, ""), folder) or folder
            elif word.startswith("-C") and len(word) > 2:  # noqa: PLR2004 -- the option itself
                folder = self.sources.places.folder(word[2:], folder) or folder
            elif word in {"-f", "--file", "--makefile"}:
                makefile = self.sources.places.file(next(words, ""), folder) or ""
            elif not word.startswith("-") and "=" not in word:
                names.append(word)
        targets = self.sources.by_runner.get("make", ())
        local = [
            t for t in targets if (t.span.path == makefile if makefile else t.folder == folder)
        ]
        if not local and not makefile:
            local = [t for t in targets if not t.folder]
        chosen = [t for n in names for t in local if t.name == n] if names else local[:1]
        for target in chosen:
            yield Edge(self.nodes.target(target), target.soft)

    def _environments(self, runner: str, command: Command, folder: str) -> Iterator[Edge]:
        named: list[str] = []
        words = iter(command.argv[1:])
        for word in words:
            if word in {"-e", "-s", "--session", "--sessions", "-t", "--tags"}:
                named += next(words, "").split(",")
        targets = self.sources.by_runner.get(runner, ())
        local = [t for t in targets if t.folder == folder]
        # The runner reads the file of its folder; where that is not known, the only one there is.
        if not local and len({t.span.path for t in targets}) == 1:
            local = list(targets)
        # Without a name the runner starts its default ones, unless a variable chooses others.
        chosen = len(command.argv) > 1 or any(
            "TOXENV" in j.env for w in self.sources.workflows for j in w.jobs
        )
        if not chosen and "TOXENV" not in command.env:
            local = [t for t in local if t.default] or local
        for target in local:
            if (
                not named
                or any(
                    target.name == n
                    or n.startswith(f"{target.name}-")
                    or target.name in n.split("-")
                    or (target.name == "py" and _ANY_PYTHON.match(n))
                    for n in named
                )
                or any("$" in n for n in named)
            ):
                yield Edge(self.nodes.target(target), target.soft)

    def _stages(self, command: Command, folder: str) -> Iterator[Edge]:
        stages = self.sources.by_runner.get("dvc", ())
        named = {a.rsplit(":", 1)[-1] for a in command.argv[2:] if not a.startswith("-")}
        local = [t for t in stages if t.span.path.rpartition("/")[0] == folder] or list(stages)
        chosen = [t for t in local if t.name in named] or local
        for target in chosen:
            yield Edge(self.nodes.target(target), target.soft)

    def _docker(self, command: Command, folder: str) -> Iterator[Edge]:
        argv = command.argv
        if "compose" in argv[:3] or command.program == "docker-compose":
            services = self.sources.by_runner.get("compose", ())
            named = [t for t in services if t.name in argv]
            if {"up", "run", "start"} & set(argv):
                for target in named or services:
                    yield Edge(self.nodes.target(target), target.soft)
            elif "build" in argv:  # makes the images and starts no service
                for target in self.sources.by_runner.get("docker-build", ()):
                    yield Edge(self.nodes.target(target), target.soft)
            return
        if "build" in argv or "bud" in argv:
            for target in self._dockerfiles(command, folder):
                yield Edge(self.nodes.target(target), target.soft)

    def _dockerfiles(self, command: Command, folder: str) -> list[Target]:
        """The Dockerfiles that a build command names, else the one of its context."""
        named = ""
        words = iter(command.argv[1:])
        last = ""
        for word in words:
            if word in {"-f", "--file"}:
                named = next(words, "")
            elif word.startswith("--file="):
                named = word.removeprefix("--file=")
            elif not word.startswith("-"):
                last = word
        return self.built(named, last, folder)

    def built(self, file: str, context: str, folder: str) -> list[Target]:
        """The Dockerfile of this name, or of this context, from a folder on."""
        builds = self.sources.by_runner.get("docker-build", ())
        place = self.sources.places.file(file, folder) if file else None
        context = (self.sources.places.folder(context, folder) or "") if context else folder
        wanted = {place, f"{context}/Dockerfile".lstrip("/")}
        found = (
            [t for t in builds if t.span.path == place]
            if place
            else [t for t in builds if t.span.path in wanted]
        )
        return found or (list(builds) if len(builds) == 1 else [])
