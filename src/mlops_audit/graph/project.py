"""One project as practices see it: its own files, the facts in them, what runs, what it is for.

Everything is read lazily and once. A practice is a pure function of a `Project`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, partial

from mlops_audit.facts.code import Call, Module
from mlops_audit.facts.types import (
    Command,
    Step,
    Workflow,
)
from mlops_audit.graph.builders import Builders
from mlops_audit.graph.catalogue import Catalogue, load_catalogue
from mlops_audit.graph.codepipelines import Pipeline
from mlops_audit.graph.docs import Docs
from mlops_audit.graph.execution import Reach, Way
from mlops_audit.graph.gates import Gate, find_gates
from mlops_audit.graph.index import Symbol
from mlops_audit.graph.pipelines import find_pipelines
from mlops_audit.graph.predicting import Prediction
from mlops_audit.graph.prediction import find_predictions
from mlops_audit.graph.projectruns import ProjectRuns
from mlops_audit.graph.projects import find_projects
from mlops_audit.graph.roles import Roles, decide_roles
from mlops_audit.graph.schedules import Start, starts_of_training
from mlops_audit.graph.scopes import Scope, ScopeFacts
from mlops_audit.graph.settings import spread_settings
from mlops_audit.graph.signals import Signal, find_signals
from mlops_audit.graph.splits import Splits
from mlops_audit.graph.testkinds import TestKinds
from mlops_audit.graph.tests import TestSuite
from mlops_audit.graph.uses import Around, Use, action_uses, call_uses, command_uses, imports_of
from mlops_audit.graph.validation import Validation
from mlops_audit.model import Diagnostic, Evidence, ProjectInfo, Span

__all__ = ["Project"]


class Project(ProjectRuns):
    """The facts of one project and the graph over them; build it with `Project.load`.

    A project in a folder also has what stands at the repository's root for all of them (CI, hooks,
    tasks, licence): whether it does anything for this project, the graph tells.
    """

    def read_ahead(self) -> None:
        """Read what needs no Python while that may still be read elsewhere."""
        for name in ("catalogue", "docs", "dvc", "dependencies", "containers"):
            getattr(self, name)

    @cached_property
    def docs(self) -> Docs:
        """README, pages and sections."""
        return Docs(self)

    @cached_property
    def catalogue(self) -> Catalogue:
        """The tool catalogue with the team's own rows."""
        return load_catalogue(self.config.tools)

    @cached_property
    def _calls_used(self) -> Mapping[str, tuple[Use, ...]]:
        """Uses in code, by path."""
        near = {path: self._imported(path, module) for path, module in self.modules.items()}
        importers: dict[str, list[str]] = {}
        for path, others in near.items():
            for other in others if path not in self.test_files else ():
                importers.setdefault(other, []).append(path)
        found = {}
        for path, module in self.modules.items():
            # Plain functions get what they work on from those who import them.
            plain = len(near[path]) == len(module.imports)
            around = [*near[path], *importers.get(path, ())] if plain else near[path]
            imports = imports_of(self.modules, module, around)
            test = path in self.test_files
            found[path] = tuple(
                call_uses(
                    module,
                    imports,
                    self.catalogue,
                    test=test,
                    around=Around(
                        is_own=self._is_own(path),
                        named=partial(self._builders.name, path=path),
                        given=partial(spread_settings, self, module),
                    ),
                )
            )
        return found

    @cached_property
    def _builders(self) -> Builders:
        return Builders(self.index)

    def _is_own(self, path: str) -> Callable[[str], bool]:
        """Whether a name means the project's own code where `path` uses it."""
        return lambda name: (
            not name.startswith((":", ".", "?")) and self.index.resolve(name, path) is not None
        )

    def _imported(self, path: str, module: Module) -> list[str]:
        """The project's modules that a module imports, one for each import that is one."""
        found = (
            self.index.resolve(i.dotted, path) or self.index.resolve(i.module, path)
            for i in module.imports
        )
        return [s.path for s in found if s is not None]

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
        asked = (capabilities, test, notebook)
        found = self._uses_asked.get(asked)
        if found is None:
            wanted = [
                c
                for c in sorted(self._uses)
                if any(c == w or (w.endswith(".*") and c.startswith(w[:-1])) for w in capabilities)
            ]
            found = self._uses_asked[asked] = tuple(
                u
                for c in wanted
                for u in self._uses[c]
                if (test is None or u.test is test) and (notebook is None or u.notebook is notebook)
            )
        return found

    @cached_property
    def _uses_asked(
        self,
    ) -> dict[tuple[tuple[str, ...], bool | None, bool | None], tuple[Use, ...]]:
        return {}

    def uses_in(self, path: str, scope: str | None = None) -> tuple[Use, ...]:
        """The uses in one file's calls, or in one function of it and those nested in it."""
        uses = self._calls_used.get(path, ())
        if scope is None or not uses:
            return uses
        found = self._uses_within.get((path, scope))
        if found is None:
            found = self._uses_within[path, scope] = tuple(
                u for u in uses if u.scope == scope or (scope and u.scope.startswith(f"{scope}."))
            )
        return found

    @cached_property
    def _uses_within(self) -> dict[tuple[str, str], tuple[Use, ...]]:
        return {}

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
