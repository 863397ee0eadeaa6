"""Which kind each test is: unit, integration, system, acceptance, regression or stress.

A folder, mark or name that says it counts where the test exercises the project's code; without
one, a test is a system test when it drives a service or the whole chain, an integration test
when it runs several components together, else a unit test.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_audit.facts.code import Module
from mlops_audit.graph.index import Symbol
from mlops_audit.graph.testcases import TestCase
from mlops_audit.graph.training import own_fit
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project asks for its tests, which are read from the project
    from mlops_audit.graph.project import Project

__all__ = ["KINDS", "TestKinds", "TestReach"]

KINDS = ("unit", "integration", "system", "acceptance", "regression", "stress")
_SAID = (
    ("acceptance", regex(r"(^|[/_.])(acceptance|uat|bdd)([/_.]|$)")),
    ("stress", regex(r"(^|[/_.])(stress|load_?tests?|perf|performance|benchmarks?)([/_.]|$)")),
    ("regression",
     regex(r"(^|[/.])(regressions?|golden|snapshots?)([/_.]|$)|_issue_?\d|_bug_?\d")),
    ("system", regex(r"(^|[/_.])(e2e|end_?(to|2)_?end|system|functional|smoke)([/_.]|$)")),
    ("integration", regex(r"(^|[/_.-])integrations?([/_.-]|$)|integration[_-]tests?")),
)  # fmt: skip
# Components that only together make a system, by the capabilities that show them.
_COMPONENTS = {
    "data": (
        "data.read",
        "data.process",
        "train.transform",
        "evaluate.split",
        "data.validate",
        "feature.store",
    ),
    "training": ("train.fit", "train.loop", "train.search"),
    "prediction": ("predict.call", "model.load", "registry.load"),
    "evaluation": ("evaluate.metric",),
    "service": ("serve.http", "serve.route", "serve.grpc", "serve.model"),
    "store": ("tracker.run", "tracker.metrics", "registry.register", "model.save"),
    "pipeline": ("pipeline.run",),
}
_READS = regex(
    r"(^|\.)(read_(csv|parquet|json|table|sql|excel|feather|gbq)|load_dataset|fetch_\w+|imread|"
    r"open_dataset|from_parquet|load_data\w*|get_data\w*)$"
)
_STUBS = regex(
    r"(^|\.)(MagicMock|Mock|AsyncMock|NonCallableMock|create_autospec|PropertyMock|"
    r"(Mock|Fake|Stub|Dummy)[A-Z]\w*)$|^mocker\.|(^|\.)\w*(Mock|Fake|Stub|Dummy)(Model|Predictor|Classifier)?$"
)
# What a test builds of several parts by itself: `Pipeline([("enc", OwnEncoder()), ...])`.
_COMPOSES = regex(
    r"^sklearn\.(pipeline|compose)\.\w+$|^imblearn\.pipeline\.(Pipeline|make_pipeline)$"
)
# What turns text into the model's input, by its name: no library is asked for it.
_TOKENIZES = regex(r"tokeni[sz]er|tokeni[sz]e$", re.IGNORECASE)
_RAISES = regex(r"(pytest\.|self\.)?(raises|assertRaises\w*)\b")
_MAX_SYMBOLS = 60


_STAND_IN = regex(r"dummy|fake|stub|mock", re.IGNORECASE)
# What a decorator replaces: `@patch("app.main.MODEL.predict", ...)`.
_OF_MODEL = regex(
    r"(^|\.)\w*(model|pipeline|classifier|predictor|predict)(\.(predict|transform)\w*)?$",
    re.IGNORECASE,
)


class TestReach(Struct, frozen=True, dict=True):
    """What a test runs in the project, through all calls: capabilities, modules, components."""

    __test__ = False

    capabilities: frozenset[str] = frozenset()
    modules: frozenset[str] = frozenset()

    @cached_property
    def components(self) -> frozenset[str]:
        """The components of a system that it runs."""
        return frozenset(
            name
            for name, wanted in _COMPONENTS.items()
            if any(c in self.capabilities for c in wanted)
        )


class TestKinds:
    """Reach and kinds of a project's tests, worked out when asked for."""

    __test__ = False

    def __init__(self, project: Project) -> None:
        self.project = project
        self._symbols: dict[Symbol, TestReach] = {}
        self._cases: dict[TestCase, TestReach] = {}

    def reach(self, case: TestCase) -> TestReach:
        """What a test runs, its fixtures and the calls in its own body included."""
        if case not in self._cases:
            run = [s for s in case.exercises if s not in case.helped]
            parts = [self.symbol(s) for s in run[:_MAX_SYMBOLS]]
            capabilities: set[str] = set()
            for path, scope in case.scopes:
                capabilities |= {u.capability for u in self.project.uses_in(path, scope)}
                if _reads(self.project, path, scope):
                    capabilities.add("data.read")
                # The framework of an application that is imported ready-made is not in sight.
                if self._asks_client(path, scope):
                    capabilities.add("test.client")
            for part in parts:
                capabilities |= part.capabilities
            modules = frozenset(m for p in parts for m in p.modules)
            self._cases[case] = TestReach(frozenset(capabilities), modules)
        return self._cases[case]

    def _asks_client(self, path: str, scope: str) -> bool:
        """Whether a function makes a client, or asks the one that its module made for all."""
        calls = self.project.modules[path].calls_in(scope)
        if any(c.method == "test_client" for c in calls):
            return True
        made = {
            use.call.name
            for use in self.project.uses_in(path, "")
            if use.capability == "test.client" and use.call is not None
        }
        return any(c.name.rpartition(".")[0] in made for c in calls)

    def symbol(self, symbol: Symbol) -> TestReach:
        """What calling a function, class or program of the project runs."""
        if symbol not in self._symbols:
            nodes = self.project.nodes
            root = nodes.module(symbol.path) if symbol.kind == "module" else nodes.function(symbol)
            capabilities: set[str] = set()
            modules: set[str] = {symbol.path}
            for way in self.project.graph.reach([root]).ways.values():
                key = way.node.key
                if way.node.kind == "function":
                    modules.add(key[0])
                    if _reads(self.project, key[0], key[1]):
                        capabilities.add("data.read")
                capabilities |= {u.capability for u in self.project.uses_at(way)}
            if symbol.kind == "module":
                capabilities |= {u.capability for u in self.project.uses_in(symbol.path)}
            fit = own_fit(self.project.modules[symbol.path])
            if fit is not None and fit.qualname == symbol.qualname:
                capabilities.add("train.fit")
            own = frozenset(m for m in modules if not self.project.is_test(m))
            self._symbols[symbol] = TestReach(frozenset(capabilities), own)
        return self._symbols[symbol]

    def stubbed(self, case: TestCase) -> bool:
        """Whether a test puts a stand-in where a part of the project or a model would be."""
        if case.patched:
            return True
        for path, scope in case.scopes:
            module = self.project.modules[path]
            calls = module.calls_in(scope)
            if any(
                c.decorates == scope
                and c.name.startswith("unittest.mock.patch")
                and any(_OF_MODEL.search(str(v.literal)) for v in c.args[:2])
                for c in module.calls
            ):
                return True
            if any(_is_stub(c.name) for c in calls):
                return True
            # A browser test that answers the page's own requests.
            if any(c.method == "fulfill" for c in calls):
                return True
            overrides = [
                a
                for a in module.assigns_by_scope.get(scope, ())
                if any("dependency_overrides" in t for t in a.targets)
            ]
            if any(a.value.text != "{}" for a in overrides):  # an empty one takes stubs away
                return True
            own = module.klass(scope.split(".")[0]) if scope else None
            if own and not own.name.startswith("Test") and _stands_in(module, own.name):
                return True
        return False

    def kind(self, case: TestCase) -> str:
        """One of `KINDS`."""
        text = "/".join((case.path.lower(), *case.marks, case.name.lower()))
        for kind, pattern in _SAID:
            if pattern.search(text):
                return kind
        if self.drives(case):
            return "system"
        return "integration" if self.together(case) else "unit"

    def drives(self, case: TestCase) -> bool:
        """Whether a test drives the service over HTTP, or the chain from data to a model."""
        found = self.reach(case)
        if case.service or "test.client" in found.capabilities:
            # Pages of an application in which no model ever answers are no system that predicts.
            return self.project.roles.serves != "none" or "prediction" in found.components
        started = {c for s in case.programs for c in self.symbol(s).components}
        if {"training", "prediction", "pipeline"} & started:
            return self._sees_failure(case)
        if _refused(case):
            return False
        own = frozenset(c for s in self._run(case) for c in self.symbol(s).components)
        ends = {"evaluation", "store", "pipeline"} & own or "evaluation" in found.components
        chain = {"data", "training"} <= own and ends
        return bool(chain) and "data.read" in self._own_capabilities(case)

    def _sees_failure(self, case: TestCase) -> bool:
        """Whether a test that starts a program would fail when the program crashed.

        `assert not path.exists()` alone also holds when nothing was done.
        """
        tests = [
            item.test
            for path, scope in case.scopes
            for item in self.project.modules[path].asserts
            if item.scope == scope
        ]
        return not tests or any(not t.startswith("not ") for t in tests)

    def _own_capabilities(self, case: TestCase) -> frozenset[str]:
        return frozenset(c for s in self._run(case) for c in self.symbol(s).capabilities)

    def _run(self, case: TestCase) -> Iterator[Symbol]:
        """What a test runs of the project: a constant that it takes from a module runs nothing."""
        return (s for s in case.exercises if s.kind != "module")

    def together(self, case: TestCase) -> bool:
        """Whether a test runs several components of the project together."""
        found = self.reach(case)
        direct = {s.path for s in case.exercises}
        if self._composes(case):
            return True
        if _refused(case) or (case.exercises and not any(self._run(case))):
            return False
        apart = len(direct) > 1 or len(found.modules) > 2  # noqa: PLR2004 -- an orchestrating function and what it calls
        components = found.components
        if apart and any(_TOKENIZES.search(s.qualname) for s in case.exercises):
            components |= {"data"}
        return apart and len(components) > 1

    def _composes(self, case: TestCase) -> bool:
        """Whether a test puts the project's own estimators into a pipeline and fits that."""
        for path, scope in case.scopes:
            calls = self.project.modules[path].calls_in(scope)
            fits = any(c.method.startswith(("fit", "predict", "transform")) for c in calls)
            if fits and any(_COMPOSES.search(c.name) for c in calls):
                return bool(case.exercises)
        return False

    def by_kind(self, cases: Iterable[TestCase]) -> dict[str, list[TestCase]]:
        """The cases by kind, in the order of `KINDS`, empty kinds left out."""
        found: dict[str, list[TestCase]] = {k: [] for k in KINDS}
        for case in cases:
            found[self.kind(case)].append(case)
        return {k: v for k, v in found.items() if v}


def _refused(case: TestCase) -> bool:
    """Whether a test asserts nothing but errors: what it starts ends before it does its work."""
    told = [a.detail for a in case.asserts]
    return bool(told) and all(_RAISES.match(text) for text in told)


@lru_cache(maxsize=4096)  # the same names are called in many tests
def _is_stub(name: str) -> bool:
    return _STUBS.search(name) is not None


@lru_cache(maxsize=4096)
def _is_read(name: str) -> bool:
    return _READS.search(name.lower()) is not None


def _stands_in(module: Module, name: str) -> bool:
    """Whether a class of a test file takes the place of a model: by what it does or its name."""
    acts = module.function(f"{name}.predict") or module.function(f"{name}.__call__")
    return acts is not None and (acts.name == "predict" or bool(_STAND_IN.search(name)))


def _reads(project: Project, path: str, scope: str) -> bool:
    module = project.modules.get(path)
    return module is not None and any(
        _is_read(c.name) for c in module.calls_in(scope) if not c.decorates
    )
