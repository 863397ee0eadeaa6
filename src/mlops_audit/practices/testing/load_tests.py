"""TST13: service, model or job is tested under load."""

from __future__ import annotations

import re

from mlops_audit.facts.code import Module
from mlops_audit.graph import Project
from mlops_audit.graph.predicting import doing_of
from mlops_audit.graph.scopes import Scope
from mlops_audit.model import Evidence, Span, Verdict, failed, hollow, not_applicable, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.testing._tools import files
from mlops_audit.regex import regex

_LOOKED = "Locust, k6, wrk, JMeter, Artillery, vegeta, or benchmark code that states its load"
_FILES = regex(
    r"(^|[/_-])(load|stress|latency|throughput|perf|performance|bench\w*)([/_.-]|$)", re.IGNORECASE
)
_PARALLEL = regex(
    r"ThreadPoolExecutor|ProcessPoolExecutor|asyncio\.gather|threading\.Thread|multiprocessing|gevent"
)
_CALLS = regex(
    r"^(requests|httpx|aiohttp|grpc|tritonclient)\b|(^|\.)(predict|invoke_endpoint|post)$"
)
_TIMES = regex(r"(^|\.)(perf_counter|time|monotonic|timeit|percentile|quantile)$")
_SPEED = regex(
    r"latency|throughput|per second|\bfps\b|inference[ _]?time|speed|\bms\b", re.IGNORECASE
)
_TESTS = regex(
    r"latency|throughput|load_test|under_load|serving_time|inference_time|response_time",
    re.IGNORECASE,
)
_LOOP = regex(r"(^|[/_-])(load|stress)[_-]?tests?", re.IGNORECASE)


@practice(
    id="TST13",
    title="Service, model or job is tested under load",
    assets="system",
    level="5s",
    sources="S0 S2",
    fix="Add a Locust file that posts predictions, and run it with a stated number of users.",
    template=("tests/system/test_load.py",),
    needs=("prediction",),
    attestable=True,
)
def load_tests(project: Project) -> Verdict:
    """Look for load-test tools, and for own code that measures a service under load."""
    found = [
        u.evidence()
        for u in project.uses("load.test", test=None, notebook=None)
        # In a notebook, the command of a tool starts it and says the load.
        if (not u.notebook or u.where == "command")
        and not (u.details and u.details.kind == "benchmark")
    ]
    plans = [e for m, e in files(project, "load.test") if m.details.kind != "benchmark"]
    idle = [e for e in plans if _idle(project, e.span.path)]
    found += [e for e in plans if e not in idle]
    found = [e for e in found if "asv" not in e.span.path]  # times functions, states no load
    found += _own(project)
    found += [c.evidence() for c in project.tests.counting if _TESTS.search(c.name)]
    if found:
        return passed("service, model or job is tested under load", found)
    if project.roles.serves not in {"service", "batch"}:
        return not_applicable("there is no service and no batch job")
    loops = [Evidence(Span(p), "a loop of single requests") for p in project.scripts
             if _LOOP.search(p) and "curl" in (project.text(p) or "")]  # fmt: skip
    if idle:
        return hollow("a load test in which nobody does anything", idle, looked_for=_LOOKED)
    if loops:
        return hollow("a curl loop states and measures no load", loops, looked_for=_LOOKED)
    return failed("nothing is tested under load", looked_for=_LOOKED)


def _idle(project: Project, path: str) -> bool:
    """Whether a load test in Python defines no user and calls nothing."""
    module = project.modules.get(path)
    return module is not None and not (module.classes or module.functions or module.calls)


def _own(project: Project) -> list[Evidence]:
    """Programs of the project that send many requests and measure times."""
    found = []
    for path, module in sorted(project.modules.items()):
        if not _FILES.search(path) or module.notebook:
            continue
        names = [c.name for c in module.calls]
        calls = any(_CALLS.search(n) for n in names)
        times = any(_TIMES.search(n) for n in names)
        load = any(_PARALLEL.search(n) for n in names) or any(
            c.loops and _CALLS.search(c.name) for c in module.calls
        )
        if calls and times and load:
            found.append(Evidence(Span(path), "sends requests and measures times"))
        elif times and module.main_line is not None and (shown := _benchmark(project, module)):
            found.append(shown)
    return found


def _benchmark(project: Project, module: Module) -> Evidence | None:
    """A loop that lets the project's code predict, in a program that reports its speed."""
    if not any(_SPEED.search(t.value) for t in module.texts if not t.doc):
        return None
    found = []
    for call in module.calls:
        for symbol in project.index.targets(call, module.path) if call.loops else ():
            away = symbol.kind == "function" and symbol.path != module.path
            if away and doing_of(project, [Scope(symbol.path, symbol.qualname)]).predicts:
                found.append(Evidence(call.span, f"benchmark: {call.told}"))
    return min(found, key=lambda e: not _SPEED.search(e.detail), default=None)
