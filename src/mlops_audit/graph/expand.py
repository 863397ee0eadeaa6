"""What a node runs: the one place where the indirections that people use are resolved.

A workflow's jobs, a job's steps, a step's commands and actions, a command's target, script,
module or notebook, a target's prerequisites, a module's functions, a function's calls.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from mlops_audit.facts.code import Call, Module
from mlops_audit.facts.command import python_target, unwrap
from mlops_audit.facts.notebooks import Notebook
from mlops_audit.facts.shell import parse_shell
from mlops_audit.facts.types import Command, Job, Step, Target, Trigger, Workflow
from mlops_audit.graph.execution import Edge, Node
from mlops_audit.graph.index import CodeIndex, Symbol
from mlops_audit.graph.places import Places
from mlops_audit.model import Span

__all__ = ["Expander", "Sources"]

_SHELLS = frozenset({"bash", "sh", "zsh", "dash", "ksh", "source", "."})
_PYTHONS = ("python", "python3", "py", "pypy", "pypy3", "ipython")
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
_SUBPROCESS = frozenset(
    {
        "subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output",
        "subprocess.Popen", "os.system", "os.popen", "sh.Command", "invoke.run",
    }
)  # fmt: skip
_SERVERS = frozenset({"uvicorn", "gunicorn", "hypercorn", "granian", "daphne", "waitress-serve"})
_DETAIL = 120


@dataclass(frozen=True)
class Sources:
    """The facts that expansion needs, gathered once for a project."""

    workflows: tuple[Workflow, ...]
    targets: tuple[Target, ...]
    places: Places
    index: CodeIndex
    notebooks: Mapping[str, Notebook]
    tests: frozenset[str]  # paths of test modules
    console_scripts: Mapping[str, str] = field(default_factory=dict)
    read_script: Callable[[str, str], tuple[Command, ...]] = lambda _path, _cwd: ()

    @cached_property
    def by_runner(self) -> dict[str, tuple[Target, ...]]:
        """Targets by their runner."""
        found: dict[str, list[Target]] = {}
        for target in self.targets:
            found.setdefault(target.runner, []).append(target)
        return {k: tuple(v) for k, v in found.items()}

    @cached_property
    def by_file(self) -> dict[str, tuple[Target, ...]]:
        """Targets by the file that defines them."""
        found: dict[str, list[Target]] = {}
        for target in self.targets:
            found.setdefault(target.span.path, []).append(target)
        return {k: tuple(v) for k, v in found.items()}


class Expander:
    """Gives the edges of any node over fixed `Sources`."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self._by_kind: dict[str, Callable[[Node], Iterator[Edge]]] = {
            "trigger": self._trigger,
            "workflow": self._workflow,
            "job": self._job,
            "step": self._step,
            "command": self._command,
            "target": self._target,
            "script": self._script,
            "module": self._module,
            "function": self._function,
            "notebook": self._notebook,
            "tests": self._tests,
        }

    def __call__(self, node: Node) -> Iterator[Edge]:
        """The edges of a node; kinds that run nothing more (actions) have none."""
        expand = self._by_kind.get(node.kind)
        return expand(node) if expand else iter(())

    # -- nodes ------------------------------------------------------------------------------

    @staticmethod
    def trigger_node(workflow: Workflow, trigger: Trigger) -> Node:
        """A workflow's trigger."""
        where = f"{trigger.span.line}:{trigger.kind}:{trigger.cron}"
        detail = f"{workflow.name or workflow.path}: on {trigger.kind}"
        return Node(
            "trigger",
            (workflow.path, workflow.name, where),
            trigger.span,
            detail,
            (workflow, trigger),
        )

    @staticmethod
    def workflow_node(workflow: Workflow) -> Node:
        """A whole workflow, however it is started."""
        return Node(
            "workflow",
            (workflow.path, workflow.name),
            workflow.span,
            f"workflow {workflow.name or workflow.path}",
            workflow,
        )

    @staticmethod
    def job_node(workflow: Workflow, job: Job) -> Node:
        """One job of a workflow."""
        return Node(
            "job",
            (workflow.path, workflow.name, job.name),
            job.span,
            f"job {job.name}",
            (workflow, job),
        )

    @staticmethod
    def target_node(target: Target) -> Node:
        """A task runner's target."""
        return Node(
            "target",
            (target.runner, target.span.path, target.name),
            target.span,
            f"{target.runner} {target.name}",
            target,
        )

    def module_node(self, path: str) -> Node:
        """A Python file run as a script or imported."""
        return Node(
            "module", (path,), Span(path, 1), f"runs {path}", self.sources.index.modules.get(path)
        )

    def function_node(self, symbol: Symbol) -> Node:
        """A function or class of the project."""
        module = self.sources.index.modules[symbol.path]
        if symbol.kind == "module":
            return self.module_node(symbol.path)
        found = module.function(symbol.qualname) or module.klass(symbol.qualname)
        span = found.span if found else Span(symbol.path, 1)
        return Node(
            "function", (symbol.path, symbol.qualname), span, f"{symbol.qualname}()", symbol
        )

    @staticmethod
    def command_node(command: Command, folder: str) -> Node:
        """One command run in a folder."""
        span = command.span
        key = (span.path, str(span.cell or ""), str(span.line or ""), folder, *command.argv[:40])
        return Node("command", key, span, command.text[:_DETAIL], (command, folder))

    def tests_node(self, command: Command, folder: str, paths: tuple[str, ...]) -> Node:
        """A run of the test runner over `paths` (empty: whatever it collects)."""
        return Node(
            "tests", (folder, *paths), command.span, command.text[:_DETAIL], (folder, paths)
        )

    # -- workflows --------------------------------------------------------------------------

    def _trigger(self, node: Node) -> Iterator[Edge]:
        workflow, trigger = node.payload  # type: ignore[misc] -- built by trigger_node
        for job in workflow.jobs:
            if job.triggers and not any(t.kind == trigger.kind for t in job.triggers):
                continue
            yield Edge(self.job_node(workflow, job), job.soft, job.why_soft)

    def _workflow(self, node: Node) -> Iterator[Edge]:
        workflow: Workflow = node.payload  # type: ignore[assignment] -- built by workflow_node
        for job in workflow.jobs:
            yield Edge(self.job_node(workflow, job), job.soft, job.why_soft)

    def _job(self, node: Node) -> Iterator[Edge]:
        workflow, job = node.payload  # type: ignore[misc] -- built by job_node
        if _is_false(job.condition):
            return
        if job.calls:
            yield from self._local_workflow(job.calls, workflow, job.soft, job.why_soft)
        for number, step in enumerate(job.steps):
            if _is_false(step.condition):
                continue
            detail = f"step {step.name or step.uses or step.run.strip().splitlines()[0] if (step.name or step.uses or step.run.strip()) else number}"
            key = (workflow.path, workflow.name, job.name, str(number))
            yield Edge(
                Node("step", key, step.span, detail[:_DETAIL], (workflow, job, step)),
                step.soft,
                step.why_soft,
            )

    def _local_workflow(self, path: str, caller: Workflow, soft: bool, why: str) -> Iterator[Edge]:  # noqa: FBT001 -- an edge's own pair
        place = self.sources.places.file(path.split("@", 1)[0], caller.path.rpartition("/")[0])
        names = {place} if place else set()
        if not place:
            names = {
                f"{path.removeprefix('./').rstrip('/')}/{n}" for n in ("action.yml", "action.yaml")
            }
        for workflow in self.sources.workflows:
            if workflow.path in names:
                yield Edge(self.workflow_node(workflow), soft, why)

    def _step(self, node: Node) -> Iterator[Edge]:
        workflow, _, step = node.payload  # type: ignore[misc] -- built by _job
        folder = self.sources.places.folder(step.cwd) if step.cwd else ""
        for command in step.commands:
            yield Edge(self.command_node(command, folder or ""), command.soft, command.why_soft)
        if step.local:
            yield from self._local_workflow(step.local, workflow, soft=False, why="")
        if step.uses:
            key = (step.span.path, str(step.span.line), step.uses)
            yield Edge(Node("action", key, step.span, f"uses {step.uses}", step))
        yield from self._inputs(step, folder or "")

    def _inputs(self, step: Step, folder: str) -> Iterator[Edge]:
        """Commands and files that an action is given as inputs (`script:`, `run:`, `inlineScript`)."""
        for name, text in step.inputs.items():
            lowered = name.lower().replace("-", "").replace("_", "")
            if (
                lowered
                in {
                    "script",
                    "run",
                    "inlinescript",
                    "command",
                    "commands",
                    "cmd",
                    "args",
                    "runcommand",
                }
                and text.strip()
            ):
                line = step.span.line or 1
                for command in parse_shell(text, path=step.span.path, line=line):
                    yield Edge(self.command_node(command, folder), command.soft, command.why_soft)
            elif lowered in {"filepath", "scriptpath", "scriptlocation", "file"}:
                place = self.sources.places.file(text, folder)
                if place:
                    yield from self._file(place, folder, step.span)

    # -- commands ---------------------------------------------------------------------------

    def _command(self, node: Node) -> Iterator[Edge]:
        command, folder = node.payload  # type: ignore[misc] -- built by command_node
        folder = self._cwd(command, folder)
        runner = self._runner(command, folder)
        if runner is not None:
            yield from runner
            return
        inner = unwrap(command)
        if inner.argv != command.argv:
            runner = self._runner(inner, folder)
            if runner is not None:
                yield from runner
                return
        yield from self._program(inner, folder)

    def _cwd(self, command: Command, folder: str) -> str:
        if not command.cwd:
            return folder
        return self.sources.places.folder(command.cwd, folder) or folder

    def _runner(self, command: Command, folder: str) -> Iterator[Edge] | None:
        """The edges of a call of a task runner; None when the command is none."""
        program = command.program
        if program in {"make", "gmake", "remake"}:
            return self._make(command, folder)
        if program in _RUNNERS:
            runner, filler = _RUNNERS[program]
            names = [a for a in command.argv[1:] if not a.startswith("-") and a not in filler]
            found = [t for name in names[:3] for t in self._named(runner, name, folder)]
            if found:
                return (Edge(self.target_node(t), t.soft) for t in found)
            if program == "just" and not names:
                return iter(self._default("just", folder))
            return None
        if program in {"tox", "nox"}:
            return self._environments(program, command, folder)
        if program in {"pre-commit", "prek", "lefthook", "husky"}:
            hooks = self.sources.by_runner.get("pre-commit" if program == "prek" else program, ())
            return (
                (Edge(self.target_node(t), t.soft) for t in hooks)
                if "run" in command.argv
                else iter(())
            )
        if program == "dvc" and {"repro", "exp"} & set(command.argv[1:2]):
            return self._stages(command, folder)
        if program == "mlflow" and command.argv[1:2] == ("run",):
            entries = self.sources.by_runner.get("mlproject", ())
            return (Edge(self.target_node(t)) for t in entries)
        if program == "docker" or program in {"podman", "buildah", "docker-compose"}:
            return self._docker(command, folder)
        return None

    def _named(self, runner: str, name: str, folder: str) -> list[Target]:
        bare = name.rsplit(":", 1)[-1] if runner == "hatch" else name
        found = [t for t in self.sources.by_runner.get(runner, ()) if t.name in {name, bare}]
        near = [t for t in found if t.folder == folder]
        return near or found[:1]

    def _default(self, runner: str, folder: str) -> list[Edge]:
        targets = [t for t in self.sources.by_runner.get(runner, ()) if t.folder == folder]
        return [Edge(self.target_node(targets[0]))] if targets else []

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
            yield Edge(self.target_node(target), target.soft)

    def _environments(self, runner: str, command: Command, folder: str) -> Iterator[Edge]:
        named: list[str] = []
        words = iter(command.argv[1:])
        for word in words:
            if word in {"-e", "-s", "--session", "--sessions", "-t", "--tags"}:
                named += next(words, "").split(",")
        targets = self.sources.by_runner.get(runner, ())
        local = [t for t in targets if t.folder == folder] or list(targets)
        for target in local:
            if (
                not named
                or any(
                    target.name == n
                    or n.startswith(f"{target.name}-")
                    or target.name in n.split("-")
                    for n in named
                )
                or any("$" in n for n in named)
            ):
                yield Edge(self.target_node(target), target.soft)

    def _stages(self, command: Command, folder: str) -> Iterator[Edge]:
        stages = self.sources.by_runner.get("dvc", ())
        named = {a.rsplit(":", 1)[-1] for a in command.argv[2:] if not a.startswith("-")}
        local = [t for t in stages if t.span.path.rpartition("/")[0] == folder] or list(stages)
        chosen = [t for t in local if t.name in named] or local
        for target in chosen:
            yield Edge(self.target_node(target), target.soft)

    def _docker(self, command: Command, folder: str) -> Iterator[Edge]:
        argv = command.argv
        if "compose" in argv[:3] or command.program == "docker-compose":
            services = self.sources.by_runner.get("compose", ())
            named = [t for t in services if t.name in argv]
            if {"up", "run", "build", "start"} & set(argv):
                for target in named or services:
                    yield Edge(self.target_node(target), target.soft)
            return
        if "build" in argv or "bud" in argv:
            for target in self._dockerfiles(command, folder):
                yield Edge(self.target_node(target), target.soft)

    def _dockerfiles(self, command: Command, folder: str) -> list[Target]:
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
        builds = self.sources.by_runner.get("docker-build", ())
        place = self.sources.places.file(named, folder) if named else None
        context = self.sources.places.folder(last, folder) if last else folder
        wanted = {place, f"{context}/Dockerfile".lstrip("/")}
        found = (
            [t for t in builds if t.span.path == place]
            if place
            else [t for t in builds if t.span.path in wanted]
        )
        return found or (list(builds) if len(builds) == 1 else [])

    def _program(self, command: Command, folder: str) -> Iterator[Edge]:
        argv, program = command.argv, command.program
        if not argv:
            return
        if program in _SHELLS:
            yield from self._shell(command, folder)
        elif program.startswith(_PYTHONS):
            yield from self._python(command, folder)
        elif program in {"pytest", "py.test"} or (program == "unittest"):
            yield from self._test_run(command, folder, argv[1:])
        elif program in _SERVERS or program in {
            "fastapi",
            "flask",
            "streamlit",
            "chainlit",
            "bentoml",
            "litestar",
        }:
            yield from self._application(command, folder)
        elif program in {"papermill", "jupyter", "nbmake"} or program.startswith("jupyter-"):
            for word in argv[1:]:
                place = self.sources.places.file(word, folder) if word.endswith(".ipynb") else None
                if place in self.sources.notebooks:
                    yield Edge(self._notebook_node(place or ""))
        elif program == "kedro" and "run" in argv:
            yield from self._kedro()
        elif program == "ssh":
            for word in argv[2:]:
                if " " in word:
                    yield from self._inline(word, command, folder)
        elif program in self.sources.console_scripts:
            module, _, function = self.sources.console_scripts[program].partition(":")
            symbol = self.sources.index.resolve(f"{module}.{function}" if function else module, "")
            if symbol:
                yield Edge(self.function_node(symbol))
        else:
            place = self.sources.places.file(argv[0], folder)
            if place:
                yield from self._file(place, folder, command.span)

    def _shell(self, command: Command, folder: str) -> Iterator[Edge]:
        words = list(command.argv[1:])
        while words and words[0].startswith("-") and "c" not in words[0]:
            words.pop(0)
        if not words:
            return
        if words[0].startswith("-"):
            yield from self._inline(" ".join(words[1:2]), command, folder)
            return
        place = self.sources.places.file(words[0], folder)
        if place:
            yield Edge(self._script_node(place, folder))

    def _inline(self, text: str, command: Command, folder: str) -> Iterator[Edge]:
        for inner in parse_shell(
            text, path=command.span.path, line=command.span.line or 1, cell=command.span.cell
        ):
            yield Edge(
                self.command_node(replace(inner, span=command.span), folder),
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
                yield Edge(self.module_node(found))
            else:
                inner = Command((name, *rest), command.span, command.text, env=command.env)
                yield from self._runner(inner, folder) or self._program(inner, folder)
        elif kind == "file":
            place = self.sources.places.file(name, folder)
            if place and place in self.sources.index.modules:
                yield Edge(self.module_node(place))

    def _test_run(self, command: Command, folder: str, words: tuple[str, ...]) -> Iterator[Edge]:
        paths: list[str] = []
        missing = False
        skip = False
        for word in words:
            if skip:
                skip = False
                continue
            if word.startswith("-"):
                skip = word in {
                    "-m",
                    "-k",
                    "-n",
                    "-c",
                    "-p",
                    "-o",
                    "-W",
                    "--cov-report",
                    "--maxfail",
                    "--cov-config",
                    "--rootdir",
                    "--junitxml",
                    "--cov",
                    "-s",
                    "-t",
                } and word not in {"-s"}
                continue
            bare = word.split("::", 1)[0]
            place = self.sources.places.file(bare, folder)
            inside = self.sources.places.folder(bare, folder)
            if place or inside:
                paths.append(place or inside or "")
            elif "/" in bare or bare.endswith(".py"):
                missing = True
        if missing and not paths:
            return
        yield Edge(self.tests_node(command, folder, tuple(paths)))

    def _application(self, command: Command, folder: str) -> Iterator[Edge]:
        for word in command.argv[1:]:
            if word.endswith(".py") and (place := self.sources.places.file(word, folder)):
                yield Edge(self.module_node(place))
                return
            if ":" in word and not word.startswith("-") and "://" not in word:
                found = self.sources.index.module(
                    word.split(":", 1)[0].replace("/", "."), f"{folder}/x.py"
                )
                if found:
                    yield Edge(self.module_node(found))
                    return

    def _kedro(self) -> Iterator[Edge]:
        for path, module in self.sources.index.modules.items():
            for f in module.functions:
                if f.name in {"register_pipelines", "create_pipeline", "create_pipelines"}:
                    yield Edge(self.function_node(Symbol(path, f.qualname, "function")))

    def _file(self, path: str, folder: str, span: Span) -> Iterator[Edge]:
        del span
        if path.endswith(".py") and path in self.sources.index.modules:
            yield Edge(self.module_node(path))
        elif path in self.sources.notebooks:
            yield Edge(self._notebook_node(path))
        else:
            yield Edge(self._script_node(path, folder))

    def _script_node(self, path: str, folder: str) -> Node:
        return Node("script", (path, folder), Span(path, 1), f"script {path}", folder)

    def _notebook_node(self, path: str) -> Node:
        return Node(
            "notebook", (path,), Span(path), f"executes {path}", self.sources.notebooks.get(path)
        )

    # -- targets, scripts, code ---------------------------------------------------------------

    def _target(self, node: Node) -> Iterator[Edge]:
        target: Target = node.payload  # type: ignore[assignment] -- built by target_node
        siblings = self.sources.by_file.get(target.span.path, ())
        for name in target.needs:
            for other in siblings:
                if other.name == name and other is not target:
                    yield Edge(self.target_node(other), other.soft)
        for command in target.commands:
            yield Edge(self.command_node(command, target.folder), command.soft, command.why_soft)
        for dotted in target.calls:
            symbol = self.sources.index.resolve(dotted.replace(":", "."), target.span.path)
            if symbol:
                yield Edge(self.function_node(symbol))

    def _script(self, node: Node) -> Iterator[Edge]:
        path, folder = node.key
        for command in self.sources.read_script(path, folder):
            yield Edge(self.command_node(command, folder), command.soft, command.why_soft)

    def _module(self, node: Node) -> Iterator[Edge]:
        module: Module | None = node.payload  # type: ignore[assignment] -- built by module_node
        if module is None:
            return
        yield from self._calls(module, module.calls_in(""))
        for item in module.imports:
            if item.scope:
                continue
            symbol = self.sources.index.resolve(
                item.dotted, module.path
            ) or self.sources.index.resolve(item.module, module.path)
            if symbol and symbol.path != module.path:
                yield Edge(self.module_node(symbol.path))

    def _function(self, node: Node) -> Iterator[Edge]:
        symbol: Symbol = node.payload  # type: ignore[assignment] -- built by function_node
        module = self.sources.index.modules[symbol.path]
        yield from self._calls(module, module.calls_in(symbol.qualname))

    def _calls(self, module: Module, calls: tuple[Call, ...]) -> Iterator[Edge]:
        for call in calls:
            if not call.runs:
                continue
            if call.name in _SUBPROCESS:
                yield from self._subprocess(module, call)
            for symbol in self.sources.index.targets(call, module.path):
                yield Edge(self.function_node(symbol))

    def _subprocess(self, module: Module, call: Call) -> Iterator[Edge]:
        value = call.arg(0, "args")
        if value is None:
            return
        checked = call.name in {"subprocess.check_call", "subprocess.check_output"} or (
            (check := call.kw("check")) is not None and check.literal is True
        )
        why = "" if checked else "the return code is not checked"
        if value.items:
            words = tuple(
                i.literal
                if isinstance(i.literal, str)
                else ("python" if "sys.executable" in i.text else f"${i.text}")
                for i in value.items
            )
            command = Command(words, call.span, shlex.join(words))
            yield Edge(self.command_node(command, ""), not checked, why)
        elif isinstance(value.literal, str):
            for inner in parse_shell(
                value.literal, path=module.path, line=call.span.line or 1, cell=call.span.cell
            ):
                yield Edge(self.command_node(inner, ""), not checked, why)

    def _notebook(self, node: Node) -> Iterator[Edge]:
        notebook: Notebook | None = node.payload  # type: ignore[assignment] -- built by _notebook_node
        if notebook is None:
            return
        folder = notebook.path.rpartition("/")[0]
        for command in notebook.commands:
            yield Edge(self.command_node(command, folder), command.soft, command.why_soft)
        if notebook.module is not None:
            yield from self._calls(notebook.module, notebook.module.calls_in(""))

    def _tests(self, node: Node) -> Iterator[Edge]:
        folder, paths = node.payload  # type: ignore[misc] -- built by tests_node
        roots = paths or (folder,)
        for path in sorted(self.sources.tests):
            if not any(path == r or not r or path.startswith(f"{r}/") for r in roots):
                continue
            module = self.sources.index.modules.get(path)
            if module is None:
                continue
            for f in module.functions:
                if f.name.startswith("test") and "." not in f.qualname.removeprefix(f"{f.owner}."):
                    yield Edge(self.function_node(Symbol(path, f.qualname, "function")))


def _is_false(condition: str) -> bool:
    return condition.strip().removeprefix("${{").removesuffix("}}").strip().lower() in {
        "false",
        "0",
    }
