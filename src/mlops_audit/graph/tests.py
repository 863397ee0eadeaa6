"""The project's tests: what each exercises and asserts, whether a runner collects it, and why not.

The notion of "the tests" that TST01 counts, and that CI has to run (AUT06, AUT08), is
`TestSuite.counting`; `TestSuite.run_by` says which of them something that runs reaches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Class, Function, Module
from mlops_audit.facts.pytestconf import CONFIG_NAMES, PytestConfig, read_pytest_config
from mlops_audit.graph.brokencalls import impossible_call
from mlops_audit.graph.brokenimports import BrokenImports
from mlops_audit.graph.execution import Reach, Way
from mlops_audit.graph.fixtures import Fixtures
from mlops_audit.graph.index import Symbol
from mlops_audit.graph.selections import Selection, selection_of
from mlops_audit.graph.testcases import (
    CASES,
    MAX_SCOPES,
    SETUP,
    TestCase,
    is_case,
    marks_of,
    matches,
    why_skipped,
)
from mlops_audit.graph.testedmodels import TestedModels
from mlops_audit.graph.testscopes import ScopeFacts, ScopeReader
from mlops_audit.model import Span
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project asks for its tests, which are read from the project
    from mlops_audit.graph.project import Project

__all__ = ["TestSuite"]

_UNCOLLECTED = regex(r"(^|/)(\.[^/]+|venv|build|dist|node_modules|_darcs|CVS|[^/]+\.egg)/")
# Runners that take no paths, or whose paths the graph does not follow.
_OTHER_RUNNERS = regex(
    r"kedro test|manage\.py test|setup\.py test|nosetests|nose2|hatch test|trial|green|stestr|ward"
)
_DISCOVERS = regex(rf"\bunittest\b|{_OTHER_RUNNERS.pattern}")


class TestSuite:
    """All tests of a project."""

    __test__ = False

    def __init__(self, project: Project) -> None:
        self.project = project
        self.scopes = ScopeReader(project)
        self.fixtures = Fixtures(project.modules, project.index, project.test_files)
        self.broken = BrokenImports(project)
        self.models = TestedModels(project)

    # -- what there is ------------------------------------------------------------------------

    @cached_property
    def cases(self) -> tuple[TestCase, ...]:
        """Every test function that looks like one, sorted by place."""
        found: list[TestCase] = []
        for path in sorted(self.project.modules):
            module = self.project.modules[path]
            if not module.notebook and (how := self.collected(path)):
                found += self._cases_of(module, how)
        return tuple(found)

    @cached_property
    def counting(self) -> tuple[TestCase, ...]:
        """The tests that count: they assert on the project's own code and can run."""
        return tuple(c for c in self.cases if c.counts)

    @cached_property
    def silent(self) -> tuple[TestCase, ...]:
        """Tests that run the project's code and assert nothing."""
        return tuple(c for c in self.cases if not c.void and c.exercises and not c.asserts)

    @cached_property
    def hollow(self) -> tuple[TestCase, ...]:
        """Tests that look like tests and are none."""
        return tuple(
            c for c in self.cases if not c.counts and not (c.exercises and not c.void)
        ) + tuple(c for c in self.silent if c.constant)

    def run_by(self, reach: Reach) -> tuple[tuple[TestCase, Way], ...]:
        """The counting tests that what is reached runs, each with its best way."""
        found: dict[TestCase, Way] = {}
        for way in reach.ways.values():
            for case in self._run_at(way):
                known = found.get(case)
                if known is None or (known.soft and not way.soft):
                    found[case] = way
        return tuple(sorted(found.items(), key=lambda i: (i[0].path, i[0].span.line or 0)))

    def _run_at(self, way: Way) -> Iterator[TestCase]:
        node = way.node
        if node.kind == "tests":
            folder, paths, chosen = node.payload
            before = way.previous.node if way.previous else None
            other = before is not None and bool(_DISCOVERS.search(before.detail))
            found = self._selected(folder, paths, other=other)
            yield from found if other else (c for c in found if self._taken(c, chosen))
        elif node.kind == "module" and way.previous and way.previous.node.kind == "command":
            yield from (c for c in self.counting if c.path == node.key[0] and c.script)
        elif node.kind in {"command", "action"} and self._runs_all(way):
            folder = node.key[3] if node.kind == "command" else ""
            yield from self._selected(folder, (), other=True)

    def _selected(
        self, folder: str, paths: tuple[str, ...], *, other: bool = False
    ) -> Iterator[TestCase]:
        """The tests that a runner started in a folder with these paths takes.

        `other` says that it is not pytest: the standard library's takes all of `test*.py`.
        """
        roots = paths or (folder,)
        for case in self.counting:
            below = any(not r or case.path.startswith(f"{r}/") for r in roots)
            taken = self._collects(case.path) or (
                other and fnmatchcase(case.path.rsplit("/", 1)[-1], "test*.py")
            )
            if case.path in roots or (below and not case.script and taken):
                yield case

    def _taken(self, case: TestCase, chosen: Selection) -> bool:
        """Whether a run's `-m` and `-k`, or those of the configuration, take a test."""
        chosen = chosen.above(selection_of(self.config(case.path).options))
        if not chosen.marks and not chosen.names:
            return True
        return chosen.takes(case.marks, (*case.qualname.split("."), *case.path.split("/")))

    def _runs_all(self, way: Way) -> bool:
        """Whether a command or action starts another runner of Python tests than pytest."""
        if way.node.kind == "command" and not _OTHER_RUNNERS.search(way.node.detail):
            return False
        return any(
            u.capability == "test.run" and not (u.details and u.details.kind)
            for u in self.project.uses_at(way)
        )

    # -- what is collected ----------------------------------------------------------------------

    @cached_property
    def configs(self) -> Mapping[str, PytestConfig]:
        """The configuration of pytest by the folder that it holds for."""
        found: dict[str, PytestConfig] = {}
        for name in reversed(CONFIG_NAMES):
            for path in self.project.glob(f"**/{name}"):
                data = self.project.data(path)
                config = read_pytest_config(path, data) if data is not None else None
                if config is not None:
                    found[path.rpartition("/")[0]] = config
        return found

    def config(self, path: str) -> PytestConfig:
        """The configuration that holds for a file."""
        parts = path.split("/")[:-1]
        for depth in range(len(parts), -1, -1):
            if config := self.configs.get("/".join(parts[:depth])):
                return config
        return PytestConfig(Span(path))

    @cached_property
    def named(self) -> frozenset[str]:
        """Test files that commands name, and Python files of tests that they run as programs."""
        found: set[str] = set()
        for way in self.project.runnable.of("tests"):
            found.update(p for p in way.node.payload[1] if p in self.project.modules)
        return frozenset(found)

    @cached_property
    def programs(self) -> frozenset[str]:
        """Python files that a command runs."""
        return frozenset(
            w.node.key[0]
            for w in self.project.runnable.of("module")
            if w.previous is not None and w.previous.node.kind == "command"
        )

    @cached_property
    def _unittest(self) -> bool:
        """Whether a command starts the standard library's or Django's test runner."""
        words = ("unittest", "manage.py", "nosetests", "nose2", "trial", "setup.py")
        return any(
            "test" in command.text and any(w in command.text for w in words)
            for command, _ in self.project.all_commands
        )

    def collected(self, path: str) -> str:
        """How a file's tests are run: `pytest`, `named`, `unittest`, `script` or (empty) not."""
        if path in self.named:
            return "named"
        if path in self.project.test_files and self._collects(path):
            return "pytest"
        if self._collects(path):
            return "pytest"
        name = path.rsplit("/", 1)[-1]
        if fnmatchcase(name, "test*.py") and (self._unittest or self._starts_itself(path)):
            return "unittest"
        if path in self.programs and path in self.project.test_files:
            return "script"
        return ""

    def _starts_itself(self, path: str) -> bool:
        """Whether a test file hands its cases to the standard library's runner."""
        module = self.project.modules.get(path)
        return module is not None and any(c.name == "unittest.main" for c in module.calls_in(""))

    def _collects(self, path: str) -> bool:
        name = path.rsplit("/", 1)[-1]
        return not _UNCOLLECTED.search(path) and any(
            fnmatchcase(name, p) or fnmatchcase(path, f"*/{p}") for p in self.config(path).files
        )

    # -- the tests of a file --------------------------------------------------------------------

    def _cases_of(self, module: Module, how: str) -> Iterator[TestCase]:
        config = self.config(module.path)
        missing = self.broken.of(module.path)
        for conftest in self.fixtures.conftests(module.path):
            missing = missing or self.broken.of(conftest)
        for function in module.functions:
            owner = module.klass(function.owner) if function.owner else None
            if not self._is_test(module, function, owner, config, how):
                continue
            yield self._case(module, function, owner, missing, how)
        own = [a for a in module.asserts if not a.scope and not a.constant]
        if own and module.path in self.programs:
            whole = Function("", Span(module.path, 1), own[-1].span.line or 1)
            yield self._case(module, whole, None, missing, "script")

    def _is_test(
        self,
        module: Module,
        function: Function,
        owner: Class | None,
        config: PytestConfig,
        how: str,
    ) -> bool:
        nested = "." in function.qualname.removeprefix(f"{function.owner}.")
        if nested or any(d.rsplit(".", 1)[-1] == "fixture" for d in function.decorators):
            return False
        if owner is None:
            if function.owner or how == "unittest":
                return False
            return matches(function.name, config.functions)
        bases = tuple(self.project.index.bases(module.path, owner))
        if any(CASES.search(b) for b in bases):
            return function.name.startswith("test")
        if how == "unittest" or module.function(f"{owner.qualname}.__init__"):
            return False
        return matches(owner.name, config.classes) and matches(function.name, config.functions)

    def _case(
        self, module: Module, function: Function, owner: Class | None, missing: str, how: str
    ) -> TestCase:
        path = module.path
        read, direct = self._walk(module, function, owner)
        facts = [self.scopes.read(p, s) for p, s in read]
        own = self._own(path, facts)
        named = self._own(path, [self.scopes.read(p, s) for p, s in direct])
        patched = {s for f in facts for s in f.patched}
        service = any(f.service for f in facts) and bool(self._services)
        exercises = tuple(s for s in own if s not in patched)
        remote = self.models.started(read)
        loaded = tuple(s for s in (*self.models.used(read), *remote) if s not in own)
        exercises = (*exercises, *loaded)
        if service:
            exercises = (*exercises, *self._services)
        unknown = (
            self.fixtures.missing(path, function) if not is_case(owner, self.project, path) else ()
        )
        called = bool(unknown) and self._called(module, function)
        void = why_skipped(module, function, owner)
        if not void:
            void = missing or impossible_call(self.project, module, function.qualname)
        if not void and unknown and not (called and path in self.programs):
            void = f"needs {', '.join(unknown[:3])}, which no fixture gives"
        if not void and own and not exercises:
            void = "everything that it uses of the project is mocked"
        started = (
            tuple(dict.fromkeys(s for f in facts for s in f.files))
            if any(f.starts for f in facts)
            else ()
        )
        return TestCase(
            path,
            function.qualname,
            function.span,
            function.end_line,
            exercises,
            tuple(s for s in named if s not in patched),
            tuple(c for p, s in direct for c in self.scopes.read(p, s).calls),
            tuple(dict.fromkeys(a for p, s in direct for a in self.scopes.read(p, s).asserts)),
            tuple(dict.fromkeys(a for p, s in direct for a in self.scopes.read(p, s).constant)),
            tuple(sorted(patched, key=lambda s: (s.path, s.qualname))),
            marks_of(module, function, owner),
            tuple(read),
            (*started, *remote) if any(f.drives for f in facts) else remote,
            () if any(f.drives for f in facts) else started,
            service,
            how == "script" or called,
            void,
            loaded,
        )

    @cached_property
    def _services(self) -> tuple[Symbol, ...]:
        """Modules in which a service of the project is built, or answers for a platform."""
        own = self.project.modules
        uses = self.project.uses("serve.http", "serve.route", "serve.model", notebook=False)
        paths = {u.path for u in uses}
        paths |= {p.path for p in self.project.predictions if p.kind == "service"}
        return tuple(Symbol(p, "", "module") for p in sorted(paths) if p in own)

    def _own(self, path: str, facts: Iterable[ScopeFacts]) -> tuple[Symbol, ...]:
        found: dict[Symbol, None] = {}
        known = list(facts)
        sure = [s for f in known for s in f.own]
        if any(f.starts for f in known):
            sure += [s for f in known for s in f.files]
        found.update(dict.fromkeys(sure))
        if sure or self._imports_own(path):
            found.update(dict.fromkeys(s for f in known for s in f.guessed))
        return tuple(found)

    def _imports_own(self, path: str) -> bool:
        for item in self.project.modules[path].imports:
            symbol = self.scopes.object(item.dotted, path) or self.scopes.object(item.module, path)
            if symbol and not self.project.is_test(symbol.path):
                return True
        return False

    def _walk(
        self, module: Module, function: Function, owner: Class | None
    ) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """The functions of test code that a test runs: all, and those without fixtures."""
        path = module.path
        start = (path, function.qualname)
        seen: dict[tuple[str, str], bool] = {}
        queue: list[tuple[tuple[str, str], bool]] = [(start, True)]
        queue += [((s.path, s.qualname), False) for s in self._setup(module, function, owner)]
        while queue and len(seen) < MAX_SCOPES:
            place, direct = queue.pop(0)
            if place in seen and (seen[place] or not direct):
                continue
            seen[place] = direct
            inner = self.project.modules[place[0]].function(place[1])
            if inner is not None:
                visible = self.fixtures.visible(place[0])
                for param in inner.params:
                    given = visible.get(param.name)
                    if given:
                        queue.append(((given.path, given.qualname), False))
            for helper in self.scopes.read(*place).helpers:
                # `self.subTest(...)` leads to the class, which holds the other tests too.
                around = helper.path == place[0] and place[1].startswith(f"{helper.qualname}.")
                if helper.qualname and not around:
                    queue.append(((helper.path, helper.qualname), direct))
        return list(seen), [p for p, direct in seen.items() if direct]

    def _setup(self, module: Module, function: Function, owner: Class | None) -> Iterator[Symbol]:
        yield from self.fixtures.implicit(module.path)
        for name in sorted(SETUP):
            if module.function(name):
                yield Symbol(module.path, name, "function")
        if owner is None:
            return
        for name in sorted(SETUP):
            found = self.project.index.resolve(f":{owner.qualname}.{name}", module.path)
            if found and found.kind == "function":
                yield found
        for call in module.calls:
            names = {owner.qualname, function.qualname}
            if call.decorates in names and call.name.endswith("usefixtures"):
                visible = self.fixtures.visible(module.path)
                for value in call.args:
                    given = visible.get(str(value.literal))
                    if given:
                        yield given

    @staticmethod
    def _called(module: Module, function: Function) -> bool:
        """Whether the file itself calls the test with arguments."""
        return any(
            c.name == f":{function.qualname}" and c.scope != function.qualname and not c.decorates
            for c in module.calls
        )
