"""MON10: the project's own check for NaN or infinity stops or alerts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.code import Branch, Module
from mlops_audit.graph import Project
from mlops_audit.graph.called import is_called
from mlops_audit.graph.dataconditions import EXITS
from mlops_audit.graph.datatests import run_by_step
from mlops_audit.model import Evidence, Verdict, failed, hollow, passed
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_LOOKED_FOR = (
    "a check for NaN or infinity in training, features or predictions that raises, exits, ends "
    "training or alerts"
)
_CHECK = regex(
    r"\bis_?nan\b|\bis_?finite\b|\bis_?inf\b|\.is_?null\(\)|\.is_?na\(\)|hasnans|null_count|"
    r"has_nan|contains_nan|\bnan_(count|loss|found)|not_null|!= *loss\b",
    re.IGNORECASE,
)
_CALLS = regex(
    r"(set_detect_anomaly|detect_anomaly|TerminateOnNaN|check_numerics|enable_check_numerics|"
    r"assert_all_finite|asarray_chkfinite|debug_nans|assert_no_nans?|assert_not_null)$"
)
_TELLS = regex(r"alert|notify|slack|prune|terminate|stop_training|abort", re.IGNORECASE)
_WELL = regex(r"finite|not_?null|not_?na\b|\bnot\b|==", re.IGNORECASE)
_NULLS = regex(
    r"expect_column_values_to_not_be_null|not_?null|nullable|missing[_ ](values?|count|percent)|"
    r"\bis_?(null|na)\b|\bnulls?\b|\bNaNs?\b",
    re.IGNORECASE,
)


@practice(
    id="MON10",
    title="NaN and infinity stop the run or alert",
    assets="model",
    level="4s",
    sources="S2 S4",
    fix="Check that the loss, the features and the predictions are finite, and raise if not.",
    template=(
        "src/<package>/monitoring/checks.py",
        "src/<package>/data/validate.py",
        "src/<package>/data/validate_great_expectations.py",
        "src/<package>/models/quality.py",
        "src/<package>/registry/gate.py",
    ),
)
def numeric_stability(project: Project) -> Verdict:
    """Checks that raise, exit, end training or alert."""
    acting: list[Evidence] = []
    idle: list[Evidence] = []
    for module in project.source:
        if project.is_example(module.path):
            continue
        acting += [e for e, scope in _acting(module) if is_called(project, module.path, scope)]
        idle += _looking(module)
    acting += _expected(project)
    acting += _tested(project)
    if acting:
        return passed("NaN or infinity stops the run or alerts.", acting)
    if idle:
        return hollow("NaN or infinity is looked for, and nothing stops.", idle[:5],
                      looked_for=_LOOKED_FOR)  # fmt: skip
    return failed("Nothing checks for NaN or infinity.", looked_for=_LOOKED_FOR)


def _acting(module: Module) -> Iterator[tuple[Evidence, str]]:
    for branch in module.branches:
        if _CHECK.search(branch.test) and _ends(module, branch):
            yield Evidence(branch.span, f"if {branch.test}"), branch.scope
    for asserted in module.asserts:
        if _CHECK.search(asserted.test) and not asserted.constant:
            yield Evidence(asserted.span, f"assert {asserted.test}"), asserted.scope
    for call in module.calls:
        if call.runs and _CALLS.search(call.name):
            off = call.args and call.args[0].literal is False
            if not off:
                yield Evidence(call.span, call.told), call.scope
        elif call.name == "numpy.seterr" and "raise" in call.text:
            yield Evidence(call.span, call.told), call.scope


def _ends(module: Module, branch: Branch) -> bool:
    """Whether a branch raises, exits, leaves the loop of training or tells somebody."""
    # What follows in the other arm follows from the check only where the check says all is well.
    arms = [branch.body, branch.orelse] if _WELL.search(branch.test) else [branch.body]
    for lines in arms:
        if module.raises_within(lines):
            return True
        for call in module.calls_within(lines):
            if call.name in EXITS or _TELLS.search(f"{call.receiver}.{call.method}"):
                return True
    return False


def _looking(module: Module) -> list[Evidence]:
    """Checks without a consequence."""
    return [Evidence(b.span, f"if {b.test}") for b in module.branches if _CHECK.search(b.test)] + [
        Evidence(c.span, c.text)
        for c in module.calls
        if c.name in {"numpy.isnan", "numpy.isfinite", "numpy.isinf", "math.isnan", "torch.isnan"}
    ]


def _expected(project: Project) -> list[Evidence]:
    """Schemas and expectations that refuse missing values and are known to stop the job."""
    found = []
    for check in project.validation.checks:
        if not check.stops or not check.called or check.where != "code" or check.soft:
            continue
        if not check.tool:
            continue  # written by hand: its own condition tells
        schema = check.tool.lower().startswith(("pandera", "patito", "dataframely"))
        if schema or _NULLS.search(check.evidence.detail):
            found.append(check.evidence)
        else:
            found += _nearby(project, check.evidence)
    return list(dict.fromkeys(found))


def _tested(project: Project) -> Iterator[Evidence]:
    """Assertions on missing values in tests of the data that a step of a pipeline runs."""
    for path in sorted(project.test_files):
        module = project.modules.get(path)
        found = [a for a in module.asserts if _CHECK.search(a.test)] if module else []
        if found and run_by_step(project, path):
            yield from (Evidence(a.span, f"assert {a.test}") for a in found if not a.constant)


_NOT_NULL = regex(r"expect_column_values_to_not_be_null|ExpectColumnValuesToNotBeNull")


def _nearby(project: Project, evidence: Evidence) -> list[Evidence]:
    """Expectations on missing values in the module of a check."""
    module = project.modules.get(evidence.span.path)
    calls = module.calls if module is not None else ()
    return [Evidence(c.span, c.told) for c in calls if _NOT_NULL.search(c.method)]
