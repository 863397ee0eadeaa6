"""Test functions and methods: what each exercises and asserts, and why one cannot count."""

from __future__ import annotations

import re
from collections.abc import Container
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_audit.facts.code import Class, Function, Module
from mlops_audit.graph.index import Symbol
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = [
    "CASES",
    "MAX_SCOPES",
    "SETUP",
    "TestCase",
    "is_case",
    "marks_of",
    "matches",
    "why_skipped",
]

SETUP = frozenset(
    {
        "setUp", "setUpClass", "asyncSetUp", "setup", "setup_class", "setup_method",
        "setUpModule", "setup_module", "setup_function", "setUpTestData", "setup_test",
    }
)  # fmt: skip
CASES = regex(r"(^|\.)(\w*TestCase|TestCaseMixin|TestTemplate|LiveServerTestCase)$")
MAX_SCOPES = 150


class TestCase(Struct, frozen=True):
    """One test function or method, or (without a `qualname`) a program that asserts.

    `exercises` is the project's own code that it, its fixtures and its helpers call; `direct`
    the part that it or its helpers name themselves. `asserts` are its assertions that can fail,
    `constant` those that cannot. `void` says why it does not count whatever it asserts: skipped,
    an import that does not exist, an undefined fixture, mocks only, or not collected. `calls`
    says where it calls the project's code itself.
    """

    __test__ = False  # pytest must not take the audited project's vocabulary for its own

    path: str
    qualname: str
    span: Span
    end_line: int
    exercises: tuple[Symbol, ...] = ()
    direct: tuple[Symbol, ...] = ()
    calls: tuple[tuple[Symbol, Evidence], ...] = ()
    asserts: tuple[Evidence, ...] = ()
    constant: tuple[Span, ...] = ()
    patched: tuple[Symbol, ...] = ()
    marks: tuple[str, ...] = ()
    scopes: tuple[tuple[str, str], ...] = ()  # functions of test code that it runs
    programs: tuple[Symbol, ...] = ()  # files of the project that it starts
    helped: tuple[Symbol, ...] = ()  # files that it starts for no more than their help
    service: bool = False
    script: bool = False  # a script calls it, not a runner
    void: str = ""
    loaded: tuple[Symbol, ...] = ()  # what made the model that it loads, part of `exercises`

    @property
    def name(self) -> str:
        """The function's bare name, or the file's where it asserts outside of any."""
        return self.qualname.rsplit(".", 1)[-1] or self.path.rsplit("/", 1)[-1]

    @property
    def counts(self) -> bool:
        """Whether it asserts something of the project's own code and can run."""
        return bool(not self.void and self.asserts and self.exercises)

    def evidence(
        self, on: re.Pattern[str] | None = None, of: Container[Symbol] | None = None
    ) -> Evidence:
        """The test as evidence: the line that asserts, reached through the test and its call.

        Args:
            on: what the assertion to show should say, where one of them does.
            of: the code whose call leads to it; any of the project's by default.
        """
        if self.void or not self.asserts:
            return Evidence(self.span, f"{self.name}: {self.void}" if self.void else self.name)
        lines = range(self.span.line or 0, self.end_line + 1)
        own = [a for a in self.asserts if a.span.path == self.path and a.span.line in lines]
        shown = own or self.asserts  # else those of a helper
        asserted = next((a for a in shown if on is not None and on.search(a.detail)), shown[0])
        called = next((e for s, e in self.calls if of is None or s in of), None)
        chain = [Evidence(self.span, self.name)]
        if called is not None and called.span != asserted.span:
            chain.append(called)
        return Evidence(asserted.span, f"{self.name}: {asserted.detail}", tuple(chain))


def is_case(owner: Class | None, project: Project, path: str) -> bool:
    """Whether a class is a test case of unittest or Django."""
    return owner is not None and any(CASES.search(b) for b in project.index.bases(path, owner))


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether pytest collects a name by these prefixes or patterns."""
    return any(name.startswith(p) or ("*" in p and fnmatchcase(name, p)) for p in patterns)


def marks_of(module: Module, function: Function, owner: Class | None) -> tuple[str, ...]:
    """The names of the pytest marks that hold for a test."""
    names = [*function.decorators, *(owner.decorators if owner else ())]
    value = module.constants.get("pytestmark")
    if value is not None:
        names += [value.name, *(v.name for v in value.items)]
    return tuple(
        sorted({n.removeprefix("pytest.mark.") for n in names if n.startswith("pytest.mark.")})
    )


_SKIPS = frozenset({"pytest.mark.skip", "unittest.skip", "nose.tools.nottest", "unittest.SkipTest"})


def why_skipped(module: Module, function: Function, owner: Class | None) -> str:
    """Why a test never runs, as its file says."""
    names = {*function.decorators, *(owner.decorators if owner else ())}
    value = module.constants.get("pytestmark")
    if value is not None:
        names |= {value.name, *(v.name for v in value.items)}
    if names & _SKIPS:
        return "skipped"
    for call in module.calls:
        decorates = call.decorates and call.decorates in {function.qualname, function.owner}
        if decorates and call.method in {"skipif", "skipIf", "xfail"} and _always(call.args):
            return "skipped"
        run = call.kw("run") if decorates and call.method == "xfail" else None
        if run is not None and run.literal is False:
            return "skipped"
        skips = call.name in {"pytest.skip", "self.skipTest"} or call.method == "skipTest"
        if skips and not call.guards and call.scope in {"", function.qualname}:
            first = min(
                (c.span.line or 0 for c in module.calls if c.scope == call.scope), default=0
            )
            imports = any(i.scope == call.scope and call.scope for i in module.imports)
            if (call.scope and (call.span.line or 0) <= first and not imports) or (
                not call.scope and call.kw("allow_module_level") and not _tried(module, call.span)
            ):
                return "skipped"
    return ""


def _tried(module: Module, span: Span) -> bool:
    """Whether an import stands in the lines just above: a skip for a missing dependency."""
    line = span.line or 0
    return any(0 < line - (i.span.line or 0) <= 4 for i in module.imports if not i.scope)  # noqa: PLR2004 -- try, import, except, skip


def _always(values: tuple[object, ...]) -> bool:
    return bool(values) and getattr(values[0], "literal", None) is True
