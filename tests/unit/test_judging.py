"""Practices asked by one process or by several: the report is the same."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent

HEAD = """
import os
from msgspec.structs import replace
from mlops_audit import judging
from mlops_audit.audit import Request, audit
from mlops_audit.model import Evidence, Span, passed
from mlops_audit.practices import registry
from mlops_audit.tree import MemoryTree
from mlops_audit.reports import render

here = os.getpid()
files = {
    "README.md": b"# Rides\\n\\n```\\npip install .\\nmake train\\n```\\n",
    "Makefile": b"train:\\n\\tpython train.py\\n",
    "train.py": b"from sklearn.linear_model import Ridge\\nRidge().fit([[1]], [1])\\n",
    "tests/test_train.py": b"def test_a():\\n    assert 1 + 1 == 2\\n",
    "docs/runbook.md": b"x" * 9_000_000,
}
tree = MemoryTree(files)

def good(reason):
    return passed(reason, Evidence(Span("README.md", 1), "a title"))
"""


def run(code: str) -> str:
    """What a program prints: pytest's own processes have threads, and are not forked."""
    program = dedent(HEAD) + dedent(code)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout.strip()


def test_the_report_is_the_same_for_any_number_of_processes() -> None:
    """Verdicts, diagnostics and counts do not depend on who worked them out."""
    code = """
        texts = {render(audit(MemoryTree(files), jobs=n), "json") for n in (1, 2, 4)}
        print(len(texts), "docs/runbook.md" in texts.pop())
    """
    assert run(code) == "1 True"


def test_practices_are_asked_by_several_processes() -> None:
    """Each principle is judged by the process that was free, and every practice once."""
    code = """
        import time
        def slow(project):
            time.sleep(0.02)
            return good(str(os.getpid()))
        listed = tuple(replace(p, judge=slow) for p in registry().practices)
        report = audit(tree, request=Request(practices=listed), jobs=3)
        found = {f.verdict.reason for f in report.findings}
        print(1 < len(found) <= 3, len(report.findings) == len(listed))
    """
    assert run(code) == "True True"


def test_a_fault_in_another_process_costs_its_own_verdict_only() -> None:
    """What raises is unknown, with a diagnostic; what ended its process is asked again."""
    code = """
        def broken(project):
            raise KeyError("no such thing")
        def deadly(project):
            if os.getpid() != here:
                os._exit(1)
            return good("asked again")
        told = {"TST01": broken, "AUT01": deadly}
        listed = tuple(
            replace(p, judge=told.get(p.id, lambda project: good("fine")))
            for p in registry().practices
        )
        report = audit(tree, request=Request(practices=listed), jobs=4)
        outcomes = {f.practice.id: f.verdict for f in report.findings}
        print(outcomes["TST01"].outcome, outcomes["AUT01"].reason)
        print({v.outcome.value for k, v in outcomes.items() if k != "TST01"})
        print(any("a fault in the check TST01" in d.message for d in report.diagnostics))
    """
    assert run(code).splitlines() == ["unknown Asked again.", "{'pass'}", "True"]


def test_an_audit_that_is_given_up_leaves_no_process() -> None:
    """A wrong configuration ends the audit after its code has begun to be read elsewhere."""
    code = """
        from datetime import date
        from mlops_audit.config import ConfigError, parse_config
        from mlops_audit.graph import parsing
        begun = []
        def begin(work, parts, count, before=parsing.Begun):
            begun.append(count)
            return before(work, parts, count)
        parsing.Begun = begin
        large = {"m.py": b"print('a line')\\n" * 60_000, **files}
        wrong = b"waivers = [{practice='NONE99', reason='r', owner='o', expires=2999-01-01}]"
        config = parse_config(wrong, "c.toml", day=date(2026, 1, 1))
        try:
            audit(MemoryTree(large), config, jobs=2)
        except ConfigError as error:
            print("NONE99" in str(error), *begun)
        with open(f"/proc/self/task/{os.getpid()}/children") as children:
            print(children.read().split())
    """
    assert run(code).splitlines() == ["True 2", "[]"]
