"""One project as practices see it: its own files, the facts in them, what runs, what it is for.

Everything is read lazily and once. A practice is a pure function of a `Project`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from types import MappingProxyType

from mlops_audit.config import Config
from mlops_audit.facts.cdk import read_constructs
from mlops_audit.facts.ci import read_workflows
from mlops_audit.facts.code import Call, Module
from mlops_audit.facts.codepipeline import declared_pipelines
from mlops_audit.facts.dependencies import Dependencies, read_dependencies
from mlops_audit.facts.docker import Containers, read_containers
from mlops_audit.facts.infra import read_resources
from mlops_audit.facts.notebooks import Notebook
from mlops_audit.facts.pipelines import PipelineFile, read_pipelines
from mlops_audit.facts.resources import Resource
from mlops_audit.facts.shell import parse_shell
from mlops_audit.facts.targets import read_targets
from mlops_audit.facts.triggers import trigger_is_live
from mlops_audit.facts.types import (
    Command,
    Step,
    Target,
    Trigger,
    TriggerKind,
    Unreadable,
    Workflow,
)
from mlops_audit.graph.catalogue import Catalogue, load_catalogue
from mlops_audit.graph.docs import Docs
from mlops_audit.graph.dvcfiles import DvcFiles, read_dvc_files
from mlops_audit.graph.execution import ExecutionGraph, Node, Reach, Way
from mlops_audit.graph.expand import Expander
from mlops_audit.graph.gates import Gate, find_gates
from mlops_audit.graph.index import CodeIndex, Symbol
from mlops_audit.graph.jobfiles import job_commands
from mlops_audit.graph.nodes import Nodes, Sources
from mlops_audit.graph.ownership import left_out
from mlops_audit.graph.parsing import read_code
from mlops_audit.graph.pipelines import Pipeline, find_pipelines
from mlops_audit.graph.places import Places
from mlops_audit.graph.prediction import Prediction, find_predictions
from mlops_audit.graph.projects import find_projects
from mlops_audit.graph.roles import Roles, decide_roles
from mlops_audit.graph.schedules import Start, starts_of_training
from mlops_audit.graph.scopes import Scope, ScopeFacts
from mlops_audit.graph.signals import Signal, find_signals
from mlops_audit.graph.splits import Splits
from mlops_audit.graph.testkinds import TestKinds
from mlops_audit.graph.tests import TestSuite
from mlops_audit.graph.uses import Use, action_uses, call_uses, command_uses, imports_of
from mlops_audit.graph.validation import Validation
from mlops_audit.model import Diagnostic, Evidence, ProjectInfo, Span
from mlops_audit.tree import Entry, GitInfo, Tree, Unread

__all__ = ["Project"]

_ON_CHANGE = (TriggerKind.PUSH, TriggerKind.PULL_REQUEST, TriggerKind.EXTERNAL)
_TEST_FILE = re.compile(r"(^|/)(test_[^/]*|[^/]*_tests?|conftest)\.py$")
_TEST_FOLDER = re.compile(r"(^|/)(tests?|testing|unit_tests?|integration_tests?|e2e)/")
_EXAMPLE_FOLDER = re.compile(r"(^|/)(examples?|docs?|tutorials?|samples?|benchmarks?|demos?)/")
# What stands at a repository's root for all of its projects: CI, hooks, tasks, owners, licence.
_SHARED = re.compile(
    r"\.github/.*|\.gitlab/.*|\.gitlab-ci\.ya?ml|\.circleci/.*|\.buildkite/.*|\.azure[^/]*/.*|"
    r"[^/]*azure[-_]?pipelines?[^/]*\.ya?ml|jenkinsfile[^/]*|\.travis\.yml|\.drone\.ya?ml|"
    r"bitbucket-pipelines\.yml|[^/]*cloudbuild[^/]*\.(?:ya?ml|json)|[^/]*buildspec[^/]*\.ya?ml|"
    r"\.pre-commit-config\.ya?ml|(?:gnu)?makefile|noxfile\.py|tox\.ini|justfile|taskfile\.ya?ml|"
    r"codeowners|licen[cs]e[^/]*|copying|contributing\.md|\.git(?:ignore|attributes)",
    re.IGNORECASE,
)
_SCRIPT_NAMES = re.compile(r"\.(sh|bash|zsh)$")


class Project:
    """The facts of one project and the graph over them; build it with `Project.load`.

    A project in a folder also has what stands at the repository's root for all of them (CI, hooks,
    tasks, licence): whether it does anything for this project, the graph tells.
    """

    def __init__(
        self,
        tree: Tree,
        config: Config,
        folder: str = "",
        *,
        cached: bool = False,
        jobs: int | None = None,
    ) -> None:
        self.tree = tree
        self.config = config
        self.folder = "" if folder in {"", "."} else folder.strip("/")
        self.cached = cached
        self.jobs = jobs
        inside = f"{self.folder}/" if self.folder else ""
        listed = [p for p in tree.entries if p.startswith(inside) or _SHARED.fullmatch(p)]
        self.left_out: Mapping[str, str] = left_out(listed, config.exclude)
        self.paths: tuple[str, ...] = tuple(
            p for p in listed if p not in self.left_out and tree.entries[p].kind in {"file", "link"}
        )
        self.answers: dict[object, object] = {}  # of `memo.once`
        self._texts: dict[str, str | None] = {}
        self.unread: dict[str, str] = {}

    @classmethod
    def load(
        cls,
        tree: Tree,
        config: Config,
        folder: str = "",
        *,
        cached: bool = False,
        jobs: int | None = None,
    ) -> Project:
        """The project of a whole tree, or of one of its folders.

        `cached` keeps facts in the user's cache folder; `jobs` bounds the processes that a large
        repository is read with.
        """
        return cls(tree, config, folder, cached=cached, jobs=jobs)

    # -- files --------------------------------------------------------------------------------

    @property
    def git(self) -> GitInfo | None:
        """What git says; None outside a git repository."""
        return self.tree.git

    def has(self, path: str) -> bool:
        """Whether the project holds that file."""
        return path in self._path_set

    @cached_property
    def _path_set(self) -> frozenset[str]:
        return frozenset(self.paths)

    def entry(self, path: str) -> Entry:
        """Size, kind and blob of a file."""
        return self.tree.entries[path]

    def glob(self, *patterns: str) -> tuple[str, ...]:
        """The paths that match any pattern: `*` within a folder, `**/` any folders, case folded."""
        found = self._globbed.get(patterns)
        if found is None:
            matches = _pattern(patterns).fullmatch
            found = tuple(p for p, low in self._lowered if matches(low))
            self._globbed[patterns] = found
        return found

    @cached_property
    def _globbed(self) -> dict[tuple[str, ...], tuple[str, ...]]:
        return {}

    @cached_property
    def _lowered(self) -> tuple[tuple[str, str], ...]:
        return tuple((p, p.lower()) for p in self.paths)

    def data(self, path: str) -> bytes | None:
        """A file's bytes; None when it cannot be read, the reason then stands in `unread`."""
        if path not in self.tree.entries:
            return None
        found = self.tree.read(path)
        if isinstance(found, Unread):
            self.unread[path] = found.reason
            return None
        return found

    def text(self, path: str) -> str | None:
        """A file's text (undecodable bytes replaced); None when it cannot be read."""
        if path not in self._texts:
            data = self.data(path)
            self._texts[path] = None if data is None else data.decode("utf-8", "replace")
        return self._texts[path]

    # -- code ---------------------------------------------------------------------------------

    @cached_property
    def _code(self) -> Mapping[str, Module | Notebook]:
        paths = [p for p in self.paths if p.endswith((".py", ".ipynb"))]
        return read_code(self.tree, paths, self.data, cached=self.cached, jobs=self.jobs)

    @cached_property
    def notebooks(self) -> Mapping[str, Notebook]:
        """All notebooks by path."""
        return MappingProxyType({p: c for p, c in self._code.items() if isinstance(c, Notebook)})

    @cached_property
    def modules(self) -> Mapping[str, Module]:
        """All Python code by path: modules, and the code of Python notebooks."""
        found = {p: c if isinstance(c, Module) else c.module for p, c in self._code.items()}
        return MappingProxyType({p: m for p, m in found.items() if m is not None})

    def is_test(self, path: str) -> bool:
        """Whether a file is a test or test support by its place or name."""
        own = self.config.roles.tests
        if own and any(path == t or path.startswith(f"{t.rstrip('/')}/") for t in own):
            return True
        return bool(_TEST_FILE.search(path) or _TEST_FOLDER.search(path))

    @cached_property
    def test_files(self) -> frozenset[str]:
        """Paths of all test modules."""
        return frozenset(p for p in self.modules if self.is_test(p))

    @cached_property
    def source(self) -> tuple[Module, ...]:
        """The modules that are neither tests nor notebooks."""
        return tuple(
            m for p, m in self.modules.items() if p not in self.test_files and not m.notebook
        )

    def is_example(self, path: str) -> bool:
        """Whether a file is an example or documentation of the project."""
        return bool(_EXAMPLE_FOLDER.search(path))

    @cached_property
    def index(self) -> CodeIndex:
        """Names across the project's modules."""
        return CodeIndex(self.modules)

    # -- what runs ----------------------------------------------------------------------------

    @cached_property
    def _workflows(self) -> tuple[tuple[Workflow, ...], tuple[Unreadable, ...]]:
        found, unreadable = read_workflows(self.paths, self.data)
        by_path: dict[str, list[Resource]] = {}
        for resource in self._constructs:
            by_path.setdefault(resource.path, []).append(resource)
        declared = [w for p, r in by_path.items() for w in declared_pipelines(p, r, self.data)]
        return (*found, *declared), unreadable

    @property
    def workflows(self) -> tuple[Workflow, ...]:
        """The workflows of all CI/CD systems, reusable ones included."""
        return self._workflows[0]

    @cached_property
    def _targets(self) -> tuple[tuple[Target, ...], tuple[Unreadable, ...]]:
        return read_targets(self.paths, self.data)

    @property
    def targets(self) -> tuple[Target, ...]:
        """The named jobs of all task runners, DVC stages, image builds, services and hooks."""
        return self._targets[0]

    @cached_property
    def dvc(self) -> DvcFiles:
        """All DVC files: pipelines, records, pointers and remotes."""
        return read_dvc_files(self.paths, self.data)

    @cached_property
    def docs(self) -> Docs:
        """README, pages and sections."""
        return Docs(self)

    @cached_property
    def scripts(self) -> tuple[str, ...]:
        """Paths of shell scripts, by name or first line."""
        return tuple(p for p in self.paths if self._is_script(p))

    def _is_script(self, path: str) -> bool:
        if _SCRIPT_NAMES.search(path):
            return True
        entry = self.tree.entries[path]
        if "." in path.rsplit("/", 1)[-1] or not entry.executable:
            return False
        head = self.data(path)
        return head is not None and head.startswith(b"#!") and b"sh" in head.split(b"\n", 1)[0]

    def script(self, path: str, cwd: str = "") -> tuple[Command, ...]:
        """The commands of a shell script."""
        del cwd  # a script's own `cd`s are relative to where it is run; the graph keeps that
        return self._script(path)

    def job(self, path: str) -> tuple[Command, ...]:
        """The commands that a job file names for a platform to run."""
        if path not in self._jobs_read:
            data = self.data(path)
            self._jobs_read[path] = () if data is None else job_commands(path, data)
        return self._jobs_read[path]

    @cached_property
    def _jobs_read(self) -> dict[str, tuple[Command, ...]]:
        return {}

    @cached_property
    def _scripts_read(self) -> dict[str, tuple[Command, ...]]:
        return {}

    def _script(self, path: str) -> tuple[Command, ...]:
        if path not in self._scripts_read:
            text = self.text(path) or ""
            first = text.split("\n", 1)[0]
            errexit = first.startswith("#!") and bool(re.search(r"\s-\w*e", first))
            self._scripts_read[path] = parse_shell(text, path=path, errexit=errexit)
        return self._scripts_read[path]

    @cached_property
    def places(self) -> Places:
        """Finds files by paths as commands write them."""
        return Places(self.paths, self.tree.entries if self.folder else ())

    @cached_property
    def expander(self) -> Expander:
        """Gives what each node runs."""
        return Expander(
            Sources(
                workflows=self.workflows,
                targets=self.targets,
                places=self.places,
                index=self.index,
                notebooks=self.notebooks,
                tests=self.test_files,
                console_scripts=self.console_scripts,
                read_script=self.script,
                read_job=self.job,
                branches=self._branches,
            )
        )

    @property
    def nodes(self) -> Nodes:
        """Builds nodes, as roots for `graph.reach`."""
        return self.expander.nodes

    @cached_property
    def containers(self) -> Containers:
        """All Dockerfiles, compose services and platform files."""
        return read_containers(self.paths, self.data)

    @cached_property
    def dependencies(self) -> Dependencies:
        """Declared dependencies, locks, package metadata and Python pins."""
        return read_dependencies(self.paths, self.data)

    @property
    def console_scripts(self) -> Mapping[str, str]:
        """Commands that the project installs: name -> `package.module:function`."""
        return MappingProxyType({n: f for p in self.dependencies.packages for n, f in p.scripts})

    @cached_property
    def graph(self) -> ExecutionGraph:
        """The execution graph."""
        return ExecutionGraph(self.expander)

    def trigger_is_live(self, trigger: Trigger) -> tuple[bool, str]:
        """Whether a trigger can fire, by its filters and the branches that exist; and why not."""
        return trigger_is_live(trigger, self._branches)

    @cached_property
    def _branches(self) -> frozenset[str] | None:
        git = self.git
        if git is None or git.shallow or not git.branches:
            return None
        return frozenset(git.branches)

    def triggers(self, *kinds: TriggerKind) -> Iterator[tuple[Workflow, Trigger]]:
        """The live triggers of these kinds (all when none is named), with their workflows."""
        for workflow in self.workflows:
            if workflow.disabled or workflow.reusable:
                continue
            for trigger in workflow.triggers:
                if (not kinds or trigger.kind in kinds) and self.trigger_is_live(trigger)[0]:
                    yield workflow, trigger

    @lru_cache(maxsize=32)  # noqa: B019 -- a project lives as long as its report is made
    def ci(self, *kinds: TriggerKind) -> Reach:
        """All that CI runs when triggers of these kinds fire; by default on a change.

        Workflows that run after another one (`workflow_run`) are reached with it.
        """
        wanted = kinds or _ON_CHANGE
        roots = [self.nodes.trigger(w, t) for w, t in self.triggers(*wanted)]
        names = {w.name for w, _ in self.triggers(*wanted)}
        for workflow, trigger in self.triggers(TriggerKind.WORKFLOW):
            if not trigger.after or names & set(trigger.after):
                roots.append(self.nodes.trigger(workflow, trigger))
        return self.graph.reach(roots)

    @cached_property
    def automation(self) -> Reach:
        """All that any live trigger of any CI/CD system or scheduler starts."""
        return self.graph.reach(self.nodes.trigger(w, t) for w, t in self.triggers())

    @cached_property
    def runnable(self) -> Reach:
        """All that anything starts: automation, task targets, scripts, programs, notebooks."""
        roots: list[Node] = [self.nodes.trigger(w, t) for w, t in self.triggers()]
        roots += [self.nodes.target(t) for t in self.targets]
        roots += [self.nodes.script(p, "") for p in self.scripts]
        roots += [
            self.nodes.module(p)
            for p, m in self.modules.items()
            if p not in self.test_files and (m.main_line or not m.functions)
        ]
        return self.graph.reach(roots)

    # -- uses of tools --------------------------------------------------------------------------

    @cached_property
    def catalogue(self) -> Catalogue:
        """The tool catalogue with the team's own rows."""
        return load_catalogue(self.config.tools)

    @cached_property
    def _calls_used(self) -> Mapping[str, tuple[Use, ...]]:
        """Uses in code, by path."""
        found = {}
        for path, module in self.modules.items():
            near = [
                s.path
                for i in module.imports
                if (s := self.index.resolve(i.dotted, path) or self.index.resolve(i.module, path))
            ]
            imports = imports_of(self.modules, module, near)
            test = path in self.test_files
            found[path] = tuple(call_uses(module, imports, self.catalogue, test=test))
        return found

    def _may_run(self, workflow: Workflow) -> bool:
        """Whether a workflow is not switched off and any of its triggers, if it has some, fires."""
        triggers = workflow.triggers
        live = not triggers or any(self.trigger_is_live(t)[0] for t in triggers)
        return not workflow.disabled and live

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Every step of every workflow that can run, inlined ones included, each place once."""
        found: dict[tuple[Span, str, str], Step] = {}
        queue = [j for w in self.workflows if self._may_run(w) for j in w.jobs]
        while queue:
            job = queue.pop(0)
            if job.disabled or (
                job.triggers and not any(self.trigger_is_live(t)[0] for t in job.triggers)
            ):
                continue
            queue += job.jobs
            steps = list(job.steps)
            while steps:
                step = steps.pop(0)
                if not step.disabled:
                    found.setdefault((step.span, step.run, step.uses), step)
                    steps += step.steps
        return tuple(found.values())

    @cached_property
    def all_commands(self) -> tuple[tuple[Command, str], ...]:
        """Every command of every workflow, target, script and notebook, with where it stands."""
        found: list[tuple[Command, str]] = []
        found += [(c, "ci") for s in self.steps for c in s.commands]
        found += [(c, t.runner) for t in self.targets for c in t.commands]
        found += [(c, "script") for p in self.scripts for c in self.script(p)]
        found += [(c, "notebook") for n in self.notebooks.values() for c in n.commands]
        return tuple(found)

    @cached_property
    def _uses(self) -> Mapping[str, tuple[Use, ...]]:
        """All uses by capability."""
        found: dict[str, list[Use]] = {}
        for uses in self._calls_used.values():
            for use in uses:
                found.setdefault(use.capability, []).append(use)
        for command, where in self.all_commands:
            for use in command_uses(command, self.catalogue, notebook=where == "notebook"):
                found.setdefault(use.capability, []).append(use)
        for step in self.steps:
            for match in self.catalogue.action(step.uses) if step.uses else ():
                if match.details.holds(step.inputs):
                    detail = f"uses {step.uses}"
                    use = Use(match.tool.name, match.capability, step.span, detail, "action")
                    found.setdefault(use.capability, []).append(use)
        return {k: tuple(v) for k, v in found.items()}

    def uses(
        self, *capabilities: str, test: bool | None = False, notebook: bool | None = None
    ) -> tuple[Use, ...]:
        """All uses of these capabilities, in code and commands.

        A capability that ends with `.*` names all below it. `test` and `notebook` choose the
        kind of file: False leaves it out, True asks for it, None takes both.
        """
        wanted = [
            c
            for c in sorted(self._uses)
            if any(c == w or (w.endswith(".*") and c.startswith(w[:-1])) for w in capabilities)
        ]
        return tuple(
            u
            for c in wanted
            for u in self._uses[c]
            if (test is None or u.test is test) and (notebook is None or u.notebook is notebook)
        )

    def uses_in(self, path: str, scope: str | None = None) -> tuple[Use, ...]:
        """The uses in one file's calls, or in one function of it and those nested in it."""
        uses = self._calls_used.get(path, ())
        if scope is None:
            return uses
        return tuple(
            u for u in uses if u.scope == scope or (scope and u.scope.startswith(f"{scope}."))
        )

    def uses_at(self, way: Way) -> Iterator[Use]:
        """The uses at a reached node."""
        node = way.node
        if node.kind == "command":
            command, folder = node.payload
            if not self._of_another(folder):
                yield from command_uses(command, self.catalogue)
        elif node.kind == "action":
            yield from action_uses(node, self.catalogue)
        elif node.kind == "function":
            symbol: Symbol = node.payload
            yield from self.uses_in(symbol.path, symbol.qualname)
        elif node.kind in {"module", "notebook"}:
            yield from (u for u in self.uses_in(node.key[0]) if not u.scope)

    def _of_another(self, folder: str) -> bool:
        """Whether a command that the root's CI runs there is about another project."""
        if not (self.folder and folder):
            return False
        return not f"{folder}/".startswith(f"{self.folder}/") and not self.folder.startswith(folder)

    def reached_uses(self, reach: Reach, *capabilities: str) -> Iterator[tuple[Use, Way, Evidence]]:
        """The uses of capabilities in what is reached, each with its way and its evidence."""
        for way in reach.ways.values():
            for use in self.uses_at(way):
                if any(
                    use.capability == c or (c.endswith(".*") and use.capability.startswith(c[:-1]))
                    for c in capabilities
                ):
                    yield use, way, way.evidence(use.detail, use.span)

    @cached_property
    def resources(self) -> tuple[Resource, ...]:
        """What CloudFormation, Terraform, Kubernetes files and the CDK's constructs declare."""
        return (*read_resources(self.paths, self.data)[0], *self._constructs)

    @cached_property
    def _constructs(self) -> tuple[Resource, ...]:
        own = (m for p, m in self.modules.items() if p not in self.test_files and not m.notebook)
        return tuple(r for module in own for r in read_constructs(module))

    @cached_property
    def pipeline_files(self) -> tuple[PipelineFile, ...]:
        """Pipelines that files of other tools define (Snakemake, Argo, Step Functions ...)."""
        return read_pipelines(self.paths, self.data)[0]

    @cached_property
    def scope_facts(self) -> dict[Scope, ScopeFacts]:
        """What each scope of the code does, filled by `graph.scopes`."""
        return {}

    @cached_property
    def training_calls(self) -> dict[Scope, tuple[Call, ...]]:
        """The calls of each scope that train, filled by `graph.training`."""
        return {}

    @cached_property
    def starts(self) -> tuple[Start, ...]:
        """All ways in which training begins, the most automatic first."""
        return starts_of_training(self)

    @cached_property
    def signals(self) -> tuple[Signal, ...]:
        """Signals that start retraining, or ask for it."""
        return find_signals(self)

    @cached_property
    def gates(self) -> tuple[Gate, ...]:
        """Comparisons of metrics that decide whether a model is promoted, best first."""
        return find_gates(self)

    @cached_property
    def pipelines(self) -> tuple[Pipeline, ...]:
        """All pipelines with the parts that their steps play, the most complete first."""
        return find_pipelines(self)

    @cached_property
    def predictions(self) -> tuple[Prediction, ...]:
        """All ways in which the project's code uses a trained model, strongest first."""
        return find_predictions(self)

    # -- what it is for -------------------------------------------------------------------------

    @cached_property
    def roles(self) -> Roles:
        """Whether it trains, serves, is a library, teaches, or none of these."""
        return decide_roles(self)

    @cached_property
    def projects(self) -> tuple[ProjectInfo, ...]:
        """The projects that the repository holds."""
        return find_projects(self.tree.name, self.paths, self.dependencies.packages)

    @cached_property
    def tests(self) -> TestSuite:
        """The project's tests: what each exercises and asserts, and what runs it."""
        return TestSuite(self)

    @cached_property
    def validation(self) -> Validation:
        """The checks of data, and whether bad data stops the run."""
        return Validation(self)

    @cached_property
    def splits(self) -> Splits:
        """How data is split, what evaluations use, and what held-out data chose."""
        return Splits(self)

    @cached_property
    def test_kinds(self) -> TestKinds:
        """What the tests run through all calls, and of which kind they are."""
        return TestKinds(self)

    # -- the whole ------------------------------------------------------------------------------

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What could not be read or understood, sorted."""
        found = [Diagnostic(p, f"not read: {r}") for p, r in self.unread.items()]
        found += [
            Diagnostic(p, f"not understood: {m.error}") for p, m in self.modules.items() if m.error
        ]
        found += [
            Diagnostic(p, f"not understood: {n.error}")
            for p, n in self.notebooks.items()
            if n.error
        ]
        found += [
            Diagnostic(u.span.path, u.reason, u.span.line)
            for u in (*self._workflows[1], *self._targets[1])
        ]
        found += list(self.tree.diagnostics)
        return tuple(sorted(set(found), key=lambda d: (d.path, d.line or 0, d.message)))


@lru_cache(maxsize=2048)
def _pattern(globs: tuple[str, ...]) -> re.Pattern[str]:
    """One expression for all patterns; without any it matches nothing."""
    return re.compile("|".join(_expression(g) for g in globs) or r"(?!)")


def _expression(glob: str) -> str:
    parts = []
    i = 0
    text = glob.lower()
    while i < len(text):
        if text.startswith("**/", i):
            parts.append("(?:.*/)?")
            i += 3
        elif text.startswith("**", i):
            parts.append(".*")
            i += 2
        elif text[i] == "*":
            parts.append("[^/]*")
            i += 1
        elif text[i] == "?":
            parts.append("[^/]")
            i += 1
        else:
            parts.append(re.escape(text[i]))
            i += 1
    return "".join(parts)
