"""What one command runs: a task runner's targets, scripts, programs, tests, notebooks, services."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import takewhile

from msgspec.structs import replace

from mlops_audit.facts.command import python_target, unwrap
from mlops_audit.facts.shell import parse_shell
from mlops_audit.facts.types import Command
from mlops_audit.graph.execution import Edge, Node
from mlops_audit.graph.index import Symbol
from mlops_audit.graph.jobfiles import is_job_file
from mlops_audit.graph.namedmodules import called_on_computed, named_modules
from mlops_audit.graph.nodes import STOPS, Nodes
from mlops_audit.graph.rulefiles import snakefile_of
from mlops_audit.graph.runners import TaskRunners

__all__ = ["CommandResolver"]

_SHELLS = frozenset({"bash", "sh", "zsh", "dash", "ksh", "source", "."})
_PYTHONS = ("python", "python3", "py", "pypy", "pypy3", "ipython")
_MAX_PATTERN = 200
_SERVERS = frozenset(
    {"uvicorn", "gunicorn", "hypercorn", "granian", "daphne", "waitress-serve",
     "fastapi", "flask", "streamlit", "chainlit", "bentoml", "litestar"}
)  # fmt: skip
# Options of test runners that take a value, which is then no path to test.
_TEST_OPTIONS = frozenset(
    {"-m", "-k", "-n", "-c", "-p", "-o", "-W", "-t", "--cov-report", "--maxfail", "--cov-config",
     "--rootdir", "--junitxml", "--cov"}
)  # fmt: skip
Resolve = Callable[[Command, str], Iterator[Edge]]


class CommandResolver:
    """Gives the edges of command nodes."""

    def __init__(self, nodes: Nodes) -> None:
        self.nodes = nodes
        self.sources = nodes.sources
        self.runners = TaskRunners(nodes)
        self._programs: tuple[tuple[frozenset[str], Resolve], ...] = (
            (_SHELLS, self._shell),
            (frozenset({"pytest", "py.test", "unittest"}), self._tests),
            (_SERVERS, self._application),
            (frozenset({"papermill", "jupyter", "jupyter-nbconvert", "jupyter-execute"}),
             self._executed_notebooks),
            (frozenset({"kedro"}), self._kedro),
            (frozenset({"snakemake"}), self._snakemake),
            (frozenset({"ssh"}), self._remote),
            (frozenset({"notebook"}), self._platform_notebook),
            (frozenset({"dbx", "databricks"}), self._platform_job),
            (frozenset({"terraform", "tofu", "terragrunt"}), self._terraform),
        )  # fmt: skip

    def edges(self, node: Node) -> Iterator[Edge]:
        """The edges of a command node."""
        command, folder = node.payload
        folder = self._cwd(command, folder)
        runner = self.runners.edges(command, folder)
        if runner is not None:
            yield from runner
            return
        inner = unwrap(command)
        if inner.argv != command.argv:
            runner = self.runners.edges(inner, folder)
            if runner is not None:
                yield from runner
                return
        yield from self._program(inner, folder)
        if self._computed:
            yield from named_modules(self.nodes, inner, folder, self._computed)

    @cached_property
    def _computed(self) -> frozenset[str]:
        return called_on_computed(self.sources.index)

    def _cwd(self, command: Command, folder: str) -> str:
        if not command.cwd:
            return folder
        return self.sources.places.folder(command.cwd, folder) or folder

    def _program(self, command: Command, folder: str) -> Iterator[Edge]:
        program = command.program
        if not program:
            return iter(())
        for names, resolve in self._programs:
            if program in names:
                return resolve(command, folder)
        if program.startswith(_PYTHONS):
            return self._python(command, folder)
        if program in self.sources.console_scripts:
            return self._console_script(self.sources.console_scripts[program])
        place = self.sources.places.file(command.argv[0], folder)
        known = _known(list(command.argv[1:]))
        return self.file(place, folder, known) if place else self._submitted(command, folder)

    def _submitted(self, command: Command, folder: str) -> Iterator[Edge]:
        """A job file handed to a platform's command line runs what it names."""
        for word in command.argv[1:]:
            path = word.partition("=")[2] if word.startswith("--") else word
            place = self.sources.places.file(path, folder) if is_job_file(path) else None
            if place:
                for inner in self.sources.read_job(place):
                    yield Edge(self.nodes.command(inner, folder), inner.soft, inner.why_soft)

    def _tests(self, command: Command, folder: str) -> Iterator[Edge]:
        return self._test_run(command, folder, command.argv[1:])

    def _executed_notebooks(self, command: Command, folder: str) -> Iterator[Edge]:
        for word in command.argv[1:]:
            place = self.sources.places.file(word, folder) if word.endswith(".ipynb") else None
            if place in self.sources.notebooks:
                yield Edge(self.nodes.notebook(place or ""))

    def _platform_notebook(self, command: Command, folder: str) -> Iterator[Edge]:
        """A notebook that a job of Databricks names, often without its ending."""
        name = command.argv[1] if len(command.argv) > 1 else ""
        for ending in ("", ".py", ".ipynb"):
            place = self.sources.places.file(name + ending, folder) if name else None
            place = place or self._imported(name + ending)
            if place in self.sources.notebooks:
                yield Edge(self.nodes.notebook(place or ""))
            elif place in self.sources.index.modules:
                yield Edge(self.nodes.module(place or ""))
            else:
                continue
            return

    def _imported(self, name: str) -> str | None:
        """The one file that a path of the platform's workspace can stand for."""
        if not name.startswith(("/", "$", "{")) or "." not in name.rsplit("/", 1)[-1]:
            return None
        words = name.split("/")
        while words:
            end = "/".join(words)
            found = [p for p in self._files if p == end or p.endswith(f"/{end}")]
            if found:
                return found[0] if len(found) == 1 else None
            words = words[1:]
        return None

    @cached_property
    def _files(self) -> tuple[str, ...]:
        return (*self.sources.notebooks, *self.sources.index.modules)

    def _platform_job(self, command: Command, folder: str) -> Iterator[Edge]:
        """The tasks of the job that a command line of Databricks starts."""
        del folder
        words = command.argv[1:]
        if not {"launch", "execute", "run"} & set(words[:2]):
            return
        for word in words[1:]:
            for inner, place in self.sources.platform_job(word.rpartition("=")[2]):
                yield Edge(self.nodes.command(inner, place), inner.soft, inner.why_soft)

    def _remote(self, command: Command, folder: str) -> Iterator[Edge]:
        for word in command.argv[2:]:
            if " " in word:
                yield from self._inline(word, command, folder)

    def _console_script(self, entry: str) -> Iterator[Edge]:
        module, _, function = entry.partition(":")
        symbol = self.sources.index.resolve(f"{module}.{function}" if function else module, "")
        if symbol:
            yield Edge(self.nodes.function(symbol))

    def _shell(self, command: Command, folder: str) -> Iterator[Edge]:
        words = list(command.argv[1:])
        stops = command.program in {"source", "."} and command.errexit
        while words and words[0].startswith("-") and "c" not in words[0]:
            option = words.pop(0)
            stops = stops or ("e" in option and not option.startswith("--"))
        if not words:
            return
        if words[0].startswith("-"):
            yield from self._inline(" ".join(words[1:2]), command, folder)
            return
        place = self.sources.places.file(words[0], folder)
        if place:
            known = _known(words[1:])
            yield Edge(self.nodes.script(place, folder, (STOPS, *known) if stops else known))

    def _inline(self, text: str, command: Command, folder: str) -> Iterator[Edge]:
        for inner in parse_shell(
            text, path=command.span.path, line=command.span.line or 1, cell=command.span.cell
        ):
            yield Edge(
                self.nodes.command(replace(inner, span=command.span), folder),
                inner.soft,
                inner.why_soft,
            )

    def _python(self, command: Command, folder: str) -> Iterator[Edge]:
        kind, name = python_target(command.argv)
        if kind == "module":
            rest = command.argv[command.argv.index("-m") + 2 :] if "-m" in command.argv else ()
            if name in {"pytest", "unittest", "nose2"}:
                yield from self._test_run(command, folder, rest)
                return
            found = self.sources.index.module(
                f"{name}.__main__", f"{folder}/x.py"
            ) or self.sources.index.module(name, f"{folder}/x.py")
            if found:
                yield Edge(self.nodes.module(found))
            else:
                inner = Command((name, *rest), command.span, command.text, env=command.env)
                yield from self.runners.edges(inner, folder) or self._program(inner, folder)
        elif kind == "file":
            place = self.sources.places.file(name, folder)
            if place in self.sources.notebooks:  # IPython takes a notebook for a program
                yield Edge(self.nodes.notebook(place or ""))
            elif place and place in self.sources.index.modules:
                yield Edge(self.nodes.module(place))

    def _test_run(self, command: Command, folder: str, words: tuple[str, ...]) -> Iterator[Edge]:
        paths: list[str] = []
        missing = False
        skip = False
        for word in words:
            if skip:
                skip = False
                continue
            if word.startswith("-"):
                skip = word in _TEST_OPTIONS
                continue
            bare = word.split("::", 1)[0]
            place = self.sources.places.file(bare, folder)
            inside = self.sources.places.folder(bare, folder)
            if place or inside:
                paths.append(place or inside or "")
            elif matched := self._matching(bare, folder):
                paths += matched
            elif "/" in bare or bare.endswith(".py"):
                missing = True
        if missing and not paths:
            return
        yield Edge(self.nodes.tests(command, folder, tuple(paths), words))

    def _matching(self, word: str, folder: str) -> list[str]:
        """The test files that a shell pattern such as `src/*/test_*.py` names."""
        if not re.search(r"[*?\[]", word) or len(word) > _MAX_PATTERN:
            return []
        wanted = re.compile(_shell_pattern(posixpath.normpath(posixpath.join(folder, word))))
        return [p for p in sorted(self.sources.tests) if wanted.fullmatch(p)]

    def _application(self, command: Command, folder: str) -> Iterator[Edge]:
        for word in command.argv[1:]:
            if word.endswith(".py") and (place := self.sources.places.file(word, folder)):
                yield Edge(self.nodes.module(place))
                return
            if ":" in word and not word.startswith("-") and "://" not in word:
                found = self.sources.index.module(
                    word.split(":", 1)[0].replace("/", "."), f"{folder}/x.py"
                )
                if found:
                    yield Edge(self.nodes.module(found))
                    return

    def _terraform(self, command: Command, folder: str) -> Iterator[Edge]:
        """What the provisioners of the applied folder run on this machine."""
        if "apply" not in command.argv or "-destroy" in command.argv:
            return
        told = next((a for a in command.argv if a.startswith(("-chdir=", "--chdir="))), "")
        if told:
            folder = self.sources.places.folder(told.partition("=")[2], folder) or folder
        for target in self.sources.by_runner.get("terraform", ()):
            if target.folder == folder:
                yield Edge(self.nodes.target(target), target.soft)

    def _kedro(self, command: Command, folder: str) -> Iterator[Edge]:
        del folder
        if "run" not in command.argv:
            return
        for path, module in self.sources.index.modules.items():
            for f in module.functions:
                if f.name in {"register_pipelines", "create_pipeline", "create_pipelines"}:
                    yield Edge(self.nodes.function(Symbol(path, f.qualname, "function")))

    def _snakemake(self, command: Command, folder: str) -> Iterator[Edge]:
        place = snakefile_of(self.nodes, command, folder)
        if place:
            yield Edge(self.nodes.module(place))

    def file(self, path: str, folder: str, args: tuple[str, ...] = ()) -> Iterator[Edge]:
        """What running a file of the project runs."""
        if path.endswith(".py") and path in self.sources.index.modules:
            yield Edge(self.nodes.module(path))
        elif path in self.sources.notebooks:
            yield Edge(self.nodes.notebook(path))
        else:
            yield Edge(self.nodes.script(path, folder, args))


def _known(words: list[str]) -> tuple[str, ...]:
    """The arguments of a script up to the first that only a variable's value knows."""
    return tuple(takewhile(lambda word: "$" not in word and "{" not in word, words))


def _shell_pattern(word: str) -> str:
    """A shell's file pattern as a regular expression: no wildcard crosses a folder but `**`."""
    parts = re.split(r"(\*\*/|\*+|\?|\[[^\]/]{1,40}\])", word)
    known = {"**/": "(?:[^/]+/)*", "?": "[^/]"}
    made = ""
    for number, part in enumerate(parts):
        if number % 2 == 0:
            made += re.escape(part)
        elif part.startswith("["):
            made += f"[{re.escape(part[1:-1].replace('!', '^', 1)).replace(chr(92) + '-', '-')}]"
        else:
            made += known.get(part, "[^/]*")
    return made
