"""Thresholds on evaluation metrics: what they compare, and what happens to a model below them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from mlops_audit.facts.code import Branch, Compare, Module, Value
from mlops_audit.graph.called import is_called
from mlops_audit.graph.memo import once
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

if TYPE_CHECKING:  # imported for types only, to keep the project free to use this module
    from mlops_audit.graph.project import Project

__all__ = ["METRIC", "MetricGate", "direction", "is_range", "metric_gates", "sets_limit"]

_HIGHER = (
    r"acc|accuracy|f1|f_?beta|f_?score|auc|auroc|roc|precision|recall|r2|r_?squared|score|map|miou|iou|bleu|"
    r"rouge|dice|ndcg|mrr|kappa|mcc|sensitivity|specificity|hit_?rate|avg_prec|"
    r"faithfulness|groundedness|answer_relevan\w{2,5}|correctness|coherence"
)  # fmt: skip
_LOWER = (
    r"rmse|mae|mse|mape|rmsle|smape|log_?loss|loss|wer|cer|perplexity|ppl|brier|fid|error_rate|"
    r"(?:mean|squared|absolute|test|val|valid|model|prediction)_?error"
)
_NAME_END = r"(?:_|\b|[0-9]|s\b|$)"
HIGHER = regex(rf"(?:^|[^a-z])(?:{_HIGHER}){_NAME_END}")
LOWER = regex(rf"(?:^|[^a-z])(?:{_LOWER}){_NAME_END}")
METRIC = regex(rf"(?:^|[^a-z])(?:{_HIGHER}|{_LOWER}|metrics?){_NAME_END}")
_LIMIT = regex(
    r"thresh|limit|minimum|maximum|(^|[^a-z])(min|max)_|target|baseline|required|accept|expected|cutoff|"
    r"current|production|prod_|champ(ion)?|registered|deployed|previous|old_|reference|benchmark|best_?model|bound|floor",
    re.IGNORECASE,
)
_NO_METRIC = regex(
    r"best_(?!model|prod|registered|deployed)\w|best_so_far|(^|[^a-z])best$|epoch|patience|conf_thres|iou_thres|confidence|"
    r"status_code|p_?value|drift|len\(|count|shape|psi|\bstep",
    re.IGNORECASE,
)
_NEGATED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_ROOT = regex(r"[A-Za-z_]\w*")
_ENDS = frozenset({"sys.exit", "exit", "quit", "os._exit", "os.abort", "pytest.fail"})
_CANCELS = regex(r"(^|\.)(cancel|fail|abort|set_failed|stop_run|terminate)$")
_FAIL_STEPS = regex(r"(^|\.)(FailStep|Fail)$")
_PUBLISHES = ("registry.register", "registry.promote", "registry.tag", "model.push", "deploy.run",
              "serve.model", "artifact.upload", "model.save")  # fmt: skip
_PUBLISH_WORDS = regex(r"register|promot|deploy|push|publish|transition|upload|bless|approve|copy")


class MetricGate(Struct, frozen=True):
    """A threshold on a metric in code: it `fails` the run, or only withholds the model.

    `hollow` says why it can gate nothing.
    """

    evidence: Evidence
    fails: bool
    hollow: str = ""


def direction(text: str) -> int:
    """1 where a higher value of the named metric is better, -1 where a lower is, 0 unknown."""
    lowered = text.lower()
    if LOWER.search(lowered):
        return -1
    return 1 if HIGHER.search(lowered) else 0


def is_range(compare: Compare) -> bool:
    """Whether a comparison holds for any value of a metric, or for a model that guesses."""
    sides = (compare.left, compare.right)
    number = next((s.literal for s in sides if isinstance(s.literal, int | float)), None)
    if number is None or isinstance(number, bool):
        return False
    metric = compare.left.text if not compare.left.is_literal else compare.right.text
    op = compare.op if compare.right.is_literal else _flip(compare.op)
    if direction(metric) > 0:
        return (op in {">", ">="} and number <= 0) or (op in {"<", "<="} and number >= 1)
    return op in {">", ">="} and number <= 0


def _flip(op: str) -> str:
    return {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(op, op)


@once
def metric_gates(project: Project) -> tuple[MetricGate, ...]:
    """The gates on metrics in code that is no test: those that fail the run first."""
    return MetricGates(project).gates


class MetricGates:
    """The gates on metrics of a project."""

    def __init__(self, project: Project) -> None:
        self.project = project

    @cached_property
    def gates(self) -> tuple[MetricGate, ...]:
        """The gates in code that is no test: those that fail the run first."""
        found: list[MetricGate] = []
        for path, module in sorted(self.project.modules.items()):
            if path not in self.project.test_files and not module.notebook:
                found += self._in_module(module)
        found += self._by_tools()
        return tuple(sorted(dict.fromkeys(found), key=lambda g: (bool(g.hollow), not g.fails)))

    def _in_module(self, module: Module) -> Iterator[MetricGate]:
        for branch in module.branches:
            compare = next((c for c in branch.compares if sets_limit(c)), None)
            if compare is None or branch.kind != "if" or any(g.never for g in branch.guards):
                continue
            if not is_called(self.project, module.path, branch.scope):
                continue
            evidence = Evidence(branch.span, f"if {branch.test}")
            inside = self._ends(module, branch.body)
            outside = self._ends(module, branch.orelse)
            if inside or outside:
                hollow = _constant(module, branch, compare) or _wrong(
                    branch, _with_number(module, compare), inside=inside
                )
                yield MetricGate(evidence, fails=True, hollow=hollow)
            elif _keeps_best(module, branch, compare):
                continue  # the best checkpoint of one run
            elif self._publishes(module, branch.body) or self._publishes(module, branch.orelse):
                hollow = _constant(module, branch, compare)
                yield MetricGate(evidence, fails=False, hollow=hollow)
        for item in module.asserts:
            if _bounded(item.compares):
                continue
            found = [c for c in item.compares if sets_limit(c) and not is_range(c)]
            named = any(METRIC.search(n.lower()) for n in item.names) and any(
                _LIMIT.search(n) for n in item.names
            )
            compared = named and any(c.op in {"<", "<=", ">", ">="} for c in item.compares)
            if len(found) == 1 or (compared and not found):
                yield MetricGate(Evidence(item.span, f"assert {item.test}"), fails=True)

    @staticmethod
    def _ends(module: Module, lines: tuple[int, int] | None) -> bool:
        if any(not r.swallowed for r in module.raises_within(lines)):
            return True
        return any(
            (c.name in _ENDS and not (c.args and c.args[0].literal == 0)) or _CANCELS.search(c.name)
            for c in module.calls_within(lines)
        )

    def _publishes(self, module: Module, lines: tuple[int, int] | None) -> bool:
        spans = {u.span for u in self.project.uses_in(module.path) if u.capability in _PUBLISHES}
        return any(
            c.span in spans or _PUBLISH_WORDS.search(c.method.lower())
            for c in module.calls_within(lines)
        )

    def _by_tools(self) -> Iterator[MetricGate]:
        for use in self.project.uses("evaluate.gate", notebook=False):
            if use.path in self.project.modules and not is_called(
                self.project, use.path, use.scope
            ):
                continue
            if use.call is not None and use.call.method in {"ConditionStep", "FailStep"}:
                continue
            withheld = use.tool.startswith(("TensorFlow", "TFX"))
            yield MetricGate(use.evidence(), fails=not withheld and not use.soft)
        # Of notebooks too: the pipeline that one defines runs elsewhere.
        for module in (*self.project.source, *self._notebooks()):
            conditions = [c for c in module.calls if c.method == "ConditionStep"]
            failing = [c for c in module.calls if _FAIL_STEPS.search(c.name)]
            for call in conditions:
                text = call.text or "ConditionStep"
                fails = bool(failing) or self._misses_the_model
                yield MetricGate(Evidence(call.span, text), fails=fails)

    def _notebooks(self) -> Iterator[Module]:
        """Notebooks that give their pipeline a step that fails it."""
        for path, module in sorted(self.project.modules.items()):
            if module.notebook and path not in self.project.test_files:
                conditions = [c for c in module.calls if c.method == "ConditionStep"]
                if conditions and any(_FAIL_STEPS.search(c.name) for c in module.calls):
                    yield module

    @cached_property
    def _misses_the_model(self) -> bool:
        """Whether the program that runs a pipeline looks in its steps for what was registered."""
        for module in self.project.source:
            listed = {t for c in module.calls if c.method == "list_steps" for t in c.targets}
            taken = (
                c
                for c in module.calls
                if listed & {v.text for v in c.args} and self.project.index.targets(c, module.path)
            )
            if listed and any(taken):
                return True
        return False


def _keeps_best(module: Module, branch: Branch, compare: Compare) -> bool:
    """Whether a comparison moves its own limit: `if score > top_score: top_score = score`."""
    first, last = branch.body
    sides = {compare.left.text, compare.right.text}
    return any(
        a.value.text in sides and not sides.isdisjoint({*a.targets} - {a.value.text})
        for a in module.assigns
        if first <= module.flat(a.span) <= last
    )


def _bounded(compares: tuple[Compare, ...]) -> bool:
    """Whether one value is held between two numbers (`1 <= score <= 3`): a range, no limit."""
    below: set[str] = set()
    above: set[str] = set()
    for compare in compares:
        if compare.left.is_literal == compare.right.is_literal:
            continue
        value = compare.right.text if compare.left.is_literal else compare.left.text
        op = _flip(compare.op) if compare.left.is_literal else compare.op
        (above if op in {">", ">="} else below if op in {"<", "<="} else set()).add(value)
    return bool(below & above)


def sets_limit(compare: Compare) -> bool:
    """Whether a comparison sets a metric against a limit, a number or another model's metric."""
    if compare.op not in {"<", "<=", ">", ">="}:
        return False
    left, right = compare.left, compare.right
    both = f"{left.text} {right.text}"
    if "abs(" in both or _NO_METRIC.search(both) or not METRIC.search(both.lower()):
        return False
    metric = [s for s in (left, right) if not s.is_literal and METRIC.search(s.text.lower())]
    if not metric:
        return False
    numbers = [s.literal for s in (left, right) if s.is_literal]
    return bool(numbers) or len(metric) == 2 or bool(_LIMIT.search(both))  # noqa: PLR2004 -- metric against metric


def _wrong(branch: Branch, compare: Compare, *, inside: bool) -> str:
    """Why a gate that ends the run stops the wrong models, or none."""
    passing = replace(compare, op=_NEGATED[compare.op]) if inside else compare
    if is_range(passing):
        return "any model meets the threshold"
    if is_range(compare):
        return ""
    numbers = (
        compare.left.is_literal or compare.right.is_literal or _LIMIT.search(compare.right.text)
    )
    better = direction(compare.left.text)
    if not numbers or not better or METRIC.search(compare.right.text.lower()):
        return ""
    high = compare.op in {">", ">="}
    negated = branch.test.startswith("not ")
    stops_high = (high != negated) == inside
    return "it stops the better models" if stops_high == (better > 0) else ""


def _constant(module: Module, branch: Branch, compare: Compare) -> str:
    if branch.constant is not None:
        return "its condition is constant"
    sides = (compare.left, compare.right)
    if all(s.is_literal or _made_up(module, s, branch.scope) for s in sides):
        return "what it compares is a constant of the code"
    return ""


def _made_up(module: Module, value: Value, scope: str) -> bool:
    """Whether a variable holds numbers that the code itself states, and nothing changes it."""
    root = _ROOT.match(value.text)
    if root is None or value.is_call:
        return False
    name = root.group()
    changed = re.compile(rf"{name}[\[.]")
    given = [
        a
        for a in module.assigns
        if a.scope in {scope, ""} and any(t == name or changed.match(t) for t in a.targets)
    ]
    if len(given) != 1 or given[0].augmented or given[0].guards or name not in given[0].targets:
        return False
    if any(c.receiver == name and c.scope == scope for c in module.calls):
        return False  # `metrics.update(...)`
    return _stated(given[0].value)


def _stated(value: Value) -> bool:
    if value.items:
        return bool(value.keys) and all(_stated(item) for item in value.items)
    return isinstance(value.literal, int | float) and not isinstance(value.literal, bool)


def _with_number(module: Module, compare: Compare) -> Compare:
    """A comparison with a constant of the module by its number."""
    known = module.constants.get(compare.right.text)
    return replace(compare, right=known) if known is not None and known.is_literal else compare
