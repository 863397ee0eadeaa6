"""Promotion gates: comparisons of metrics that decide whether a model is registered or deployed.

A gate stands as a condition around the promotion, as an early exit before it, in a caller, in a
flag that another function or file has set, or in a step of a pipeline or job that fails or cancels
the run before the step that promotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Call, Guard, Module, Value
from mlops_audit.graph.comparisons import mentions_metric
from mlops_audit.graph.gatechecks import Checks, Found, Gate
from mlops_audit.graph.gatesteps import gates_of_steps
from mlops_audit.graph.gatetests import gates_of_tests
from mlops_audit.graph.gatetools import gates_of_tools
from mlops_audit.graph.promotions import Promotion, promotions
from mlops_audit.graph.scopes import Scope, scopes
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["Gate", "find_gates"]

# Arguments of a call that registers a model by which the version becomes the one in use.
_STANDING = regex(
    r"^(is_default(_version)?|default_version|set_(as_)?(default|active|current|champion|alias)|"
    r"make_default|promote(_to\w*)?|(version_)?alias(es)?|stage|approval_status|"
    r"model_approval_status)$"
)
_DECISION = regex(r"decision|^(deploy|promote|approved|accepted)$")
_DEPTH = 4
_MAX_CALLERS = 40


def find_gates(project: Project) -> tuple[Gate, ...]:
    """All gates, those that count first."""
    found: list[Gate] = []
    targets = promotions(project)
    checks = Checks(project)
    around = _Around(project, checks)
    for promotion in targets:
        found += around.of_promotion(promotion)
    found += gates_of_tools(project, checks)
    found += gates_of_steps(project, checks)
    found += gates_of_tests(project)
    found += _best_of_new(project, targets)
    found += _reported(project)
    order = ("metric", "training", "best-of-new", "report", "inverted", "constant", "logged")
    return tuple(
        sorted(dict.fromkeys(found), key=lambda g: (order.index(g.kind), str(g.evidence[0].span)))
    )


class _Around:
    """Finds the gates around the promotions of one project."""

    def __init__(self, project: Project, checks: Checks) -> None:
        self.project = project
        self.checks = checks
        self._callers: dict[Scope, list[tuple[Module, Call]]] | None = None

    def of_promotion(self, promotion: Promotion) -> Iterator[Gate]:
        """Gates around a promotion, in its function and in what calls it."""
        seen: set[Scope] = set()
        queue = [(promotion.module, promotion.call, 0)]
        while queue:
            module, call, depth = queue.pop(0)
            for kind, places in self._conditions(module, call):
                yield Gate(kind, (*places, promotion.evidence))
            if not depth:
                # A step that deploys is handed the decision of the one before it.
                told = [(v.text, v) for v in call.args if v.text.isidentifier()]
                for name, value in (*call.kwargs, *told):
                    if _STANDING.match(name) or _DECISION.search(name):
                        for kind, places in self._argument(module, call, value, 0):
                            yield Gate(kind, (*places, promotion.evidence))
            here = Scope(module.path, call.scope)
            if call.scope and depth < _DEPTH and here not in seen:
                seen.add(here)
                queue += [(m, c, depth + 1) for m, c in self.callers(here)[:_MAX_CALLERS]]

    def callers(self, scope: Scope) -> list[tuple[Module, Call]]:
        """The calls of a function anywhere outside tests."""
        if self._callers is None:
            self._callers = {}
            for module in self.project.source:
                for call in module.calls:
                    for symbol in self.project.index.targets(call, module.path):
                        key = Scope(symbol.path, symbol.qualname)
                        self._callers.setdefault(key, []).append((module, call))
        return self._callers.get(scope, [])

    def _conditions(self, module: Module, call: Call) -> Iterator[Found]:
        for guard in call.guards:
            if guard.constant is not None and mentions_metric(guard.text):
                yield "constant", (Evidence(Span(module.path, guard.line), guard.text),)
                continue
            yield from self._guard(module, guard, call)
        line = module.flat(call.span)
        for branch in module.branches:
            if branch.scope != call.scope or branch.kind != "if" or branch.body[1] >= line:
                continue
            if self.checks.exits(module, branch.body):
                yield from self.checks.branch(module, branch, flip=True)
            elif (
                branch.orelse
                and branch.orelse[1] < line
                and self.checks.exits(module, branch.orelse)
            ):
                yield from self.checks.branch(module, branch, flip=False)
        for item in module.asserts:
            if item.scope == call.scope and module.flat(item.span) < line and not item.constant:
                for compare in item.compares:
                    yield from self.checks.judged(module, compare, flip=False)

    def _guard(self, module: Module, guard: Guard, call: Call) -> Iterator[Found]:
        branch = next(
            (b for b in module.branches
             if b.span.line == guard.line and b.test == guard.text and b.scope == call.scope),
            None,
        )  # fmt: skip
        if branch is None:
            return
        running = {
            t for a in module.assigns for t in a.targets
            if branch.body[0] <= module.flat(a.span) <= branch.body[1]
        }  # fmt: skip
        compares = [
            c for c in branch.compares
            if not (running & {c.left.text, c.right.text} and (call.loops or "best" in c.left.text
                                                               or "best" in c.right.text))
        ]  # fmt: skip
        yield from self.checks.branch(module, branch, flip=guard.negated, compares=compares)

    def _argument(self, module: Module, call: Call, value: Value, depth: int) -> Iterator[Found]:
        """Comparisons that decide the value of an argument, also as a parameter of callers.

        A constant is no gate made constant: many a first version becomes the default.
        """
        place = Evidence(call.span, call.told)
        line = module.flat(call.span)
        own = [
            a for a in module.assigns
            if a.scope == call.scope and value.text in a.targets and module.flat(a.span) < line
        ]  # fmt: skip
        yield from self._inside(module, call.scope, value.text, place)
        if own:
            yield from self.checks.from_assigns(module, own, place, flip=False)
            for assign in own:
                yield from self.checks.from_result(module, assign, place, flip=False)
            return
        function = module.function(call.scope) if call.scope else None
        names = [p.name for p in function.params] if function else []
        if value.text not in names or depth >= _DEPTH:
            return
        at = names.index(value.text) - (names[0] in {"self", "cls"})
        for other, caller in self.callers(Scope(module.path, call.scope))[:_MAX_CALLERS]:
            given = caller.kw(value.text) or (caller.args[at] if at < len(caller.args) else None)
            if given is not None:
                yield from self._argument(other, caller, given, depth + 1)

    def _inside(self, module: Module, scope: str, text: str, place: Evidence) -> Iterator[Found]:
        """Comparisons that stand in an expression itself: `"champion" if new > old else None`."""
        for compare in module.compares:
            written = f"{compare.left.text} {compare.op} {compare.right.text}"
            if compare.scope == scope and written in text:
                yield from self.checks.judged(module, compare, flip=False, place=place)


_ORDERED = regex(
    r"metrics\.[`\"]?(?P<metric>[\w./-]{1,60})[`\"]?\s+(?P<way>asc|desc)\b", re.IGNORECASE
)
_BEST = regex(r"best_\w*(metric|score|value|acc|loss|rmse|auc|f1)")
_RECORDED = regex(r"\b(metadata|metrics|summary)\b\s*(\[|\.get\()")
_SMALL = regex(r"rmse|mse|mae|mape|rmsle|loss|error|(^|_)cer$|(^|_)wer$|perplexity", re.IGNORECASE)
_GREAT = regex(r"acc|auc|f1|fbeta|precision|recall|r2|score", re.IGNORECASE)


def _best_of_new(project: Project, targets: list[Promotion]) -> Iterator[Gate]:
    """The best of the new runs is registered or promoted without a look at what serves."""
    for promotion in targets:
        module, call = promotion.module, promotion.call
        near = [c for c in module.calls if c.scope == call.scope]
        code = scopes(project, [Scope(module.path, call.scope)])
        wider = [
            c for s in code for m in [project.modules[s.path]]
            for c in m.calls if c.scope == s.qualname
        ]  # fmt: skip
        for item in (*near, *wider, *_of_other_steps(project, module.path)):
            ordered = item.method in {"search_runs", "list_runs"} and re.search(
                r"metrics?\.|order_by", item.text
            )
            if (
                ordered
                or item.method in {"get_best_run", "best_run", "get_best_model"}
                or (item.method in {"idxmin", "idxmax"} and "metric" in item.text)
            ):
                if _takes_the_worst(module, item):
                    continue
                place = Evidence(item.span, item.text)
                yield Gate("best-of-new", (place, promotion.evidence))
                break
        else:
            yield from _best_by_hand(promotion)


def _best_by_hand(promotion: Promotion) -> Iterator[Gate]:
    """A loop over runs or versions that keeps the one whose recorded metric is best."""
    own = [a for a in promotion.module.assigns if a.scope == promotion.call.scope]
    for item in own:
        kept = next((t for t in item.targets if _BEST.match(t)), "")
        # It starts from a value of its own, which a better one replaces.
        again = kept and sum(kept in a.targets for a in own) > 1
        if again and _RECORDED.search(item.value.text):
            place = Evidence(item.span, f"{item.targets[0]} = {item.value.text}")
            yield Gate("best-of-new", (place, promotion.evidence))
            return


def _takes_the_worst(module: Module, call: Call) -> bool:
    """Whether runs are put in the wrong order: by falling error, or by rising accuracy."""
    found = _ORDERED.search(call.text)
    if found is None or "neg" in found["metric"].lower():
        return False
    small = bool(_SMALL.search(found["metric"]))
    wrong = small if found["way"].lower() == "desc" else not small and _GREAT.search(found[0])
    last = any("[-1]" in a.value.text for a in module.assigns if a.scope == call.scope)
    return bool(wrong) and not last


def _of_other_steps(project: Project, path: str) -> Iterator[Call]:
    """The calls of the steps that stand in one pipeline with a step of this file."""
    for pipeline in project.pipelines:
        files = {s.evidence.span.path for s in pipeline.steps}
        if pipeline.dag and path in files and not pipeline.notebook:
            for other in sorted(files - {path}):
                yield from project.modules[other].calls if other in project.modules else ()


def _reported(project: Project) -> Iterator[Gate]:
    """CI shows metrics of candidate and current to the person who promotes."""
    for use, _, evidence in project.reached_uses(project.automation, "evaluate.report"):
        if use.where == "command" and re.search(r"\bdiff\b|compare", use.detail):
            yield Gate("report", (evidence,))
            return
