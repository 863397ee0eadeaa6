"""Promotion gates: comparisons of metrics that decide whether a model is registered or deployed.

A gate stands as a condition around the promotion, as an early exit before it, in a caller, in a
flag that another function or file has set, or in a step of a pipeline or job that fails or cancels
the run before the step that promotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlops_audit.facts.code import Assign, Branch, Call, Compare, Guard, Module, Value
from mlops_audit.graph.comparisons import Judgement, judge, mentions_metric
from mlops_audit.graph.scopes import Scope, scopes, uses_of
from mlops_audit.model import Evidence, Span

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["Gate", "Promotion", "find_gates", "promotions"]

_PROMOTES = ("registry.register", "registry.promote", "deploy.run", "model.push")
_BY_NAME = re.compile(
    r"(^|_)(promote|push_model|model_pusher|deploy_model|publish_model|register_model|"
    r"transition|replace_model|update_production|set_champion|move_to_prod\w*|initiate_model_"
    r"pusher|start_model_pusher|update_serving|release_model)",
    re.IGNORECASE,
)
_FILES = re.compile(r"^(copy|copy2|copyfile|copytree|move|rename|replace|upload_file|upload_blob|"
                    r"upload_from_filename|sync_folder_to_s3|save_model|dump|save|put_object|"
                    r"log_artifact|fput_object)$")  # fmt: skip
_PLACES = re.compile(
    r"prod(uction)?([^a-z]|$)|deploy|serving|champion|saved_models|pusher|release|best_model",
    re.IGNORECASE,
)
_EXITS = re.compile(
    r"^\s*(return\b|raise\b|sys\.exit\(|exit\(|quit\(|os\._exit\(|continue\b|break\b)|\.cancel\(\)|"
    r"pytest\.fail|AirflowSkip|AirflowFail|\.abort\("
)
_HARD_EXIT = re.compile(
    r"^\s*(raise\b|sys\.exit\(\s*[^0)\s]|exit\(\s*[^0)\s]|os\._exit)|\.cancel\(\)|pytest\.fail|"
    r"AirflowSkip|AirflowFail"
)
_IS_EMPTY = re.compile(r"^not\s|==\s*(0|\[\])|<\s*1\b")
_FLAG = re.compile(r"[A-Za-z_]\w*")
_KEY = re.compile(r"""\[\s*["']([\w .-]+)["']\s*\]|\.get\(\s*["']([\w .-]+)["']""")
_LAST_KEY = re.compile(r"""\[\s*["']([^"']{1,80})["']\s*\]$""")
_DECIDES = re.compile(
    r"accept|better|best|promot|pass(ed)?$|deploy|approv|valid|decision|improv|good|ok$"
)
# Arguments of a call that registers a model by which the version becomes the one in use.
_STANDING = re.compile(
    r"^(is_default(_version)?|default_version|set_(as_)?(default|active|current|champion|alias)|"
    r"make_default|promote(_to\w*)?|(version_)?alias(es)?|stage|approval_status|"
    r"model_approval_status)$"
)
_ON_TRAINING = re.compile(r"train(ing)?_?(metric|rmse|acc|loss|error|score)", re.IGNORECASE)
_DEPTH = 4
_MAX_CALLERS = 40
_NEAR = 12  # scopes of a function that promotes


@dataclass(frozen=True, slots=True)
class Promotion:
    """A call that registers, promotes or deploys a model."""

    module: Module
    call: Call
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate and what it is worth.

    `kind` is `metric` (it lets only a good enough model pass), `training` (on a metric of the
    training data), `best-of-new` (the best new run, whatever serves), `report` (shown to the
    person who promotes), `inverted`, `constant`, or `logged` (compared, but nothing depends on it).
    """

    kind: str
    evidence: tuple[Evidence, ...]


def find_gates(project: Project) -> tuple[Gate, ...]:
    """All gates, those that count first."""
    found: list[Gate] = []
    targets = promotions(project)
    finder = _Finder(project)
    for promotion in targets:
        found += finder.of_promotion(promotion)
    found += finder.of_tools()
    found += finder.of_steps()
    found += _best_of_new(project, targets)
    found += _reported(project)
    order = ("metric", "training", "best-of-new", "report", "inverted", "constant", "logged")
    return tuple(
        sorted(dict.fromkeys(found), key=lambda g: (order.index(g.kind), str(g.evidence[0].span)))
    )


def promotions(project: Project) -> list[Promotion]:
    """The calls outside tests that register, promote, push or deploy a model."""
    found: dict[Span, Promotion] = {}
    for use in project.uses(*_PROMOTES, notebook=False):
        if use.call is not None and not (use.details and use.details.kind == "docs"):
            module = project.modules[use.path]
            found.setdefault(use.span, Promotion(module, use.call, use.evidence()))
    for module in project.source:
        for call in module.calls:
            named = _BY_NAME.search(call.method) and call.name.startswith((":", ".", "?"))
            around = f"{call.scope} {call.text[:200]}"
            filed = _FILES.match(call.method) and _PLACES.search(around) and not call.loops
            if call.runs and (named or (filed and "model" in around.lower())):
                place = Evidence(call.span, _line(call.text or call.name))
                place = _inside_of(project, module, call, place)
                found.setdefault(call.span, Promotion(module, call, place))
    return [found[s] for s in sorted(found, key=lambda s: (s.path, s.line or 0))]


def _inside_of(project: Project, module: Module, call: Call, place: Evidence) -> Evidence:
    """The tool's own call within the project's function that promotes, else the call of that."""
    roots = [Scope(s.path, s.qualname) for s in project.index.targets(call, module.path)]
    for use in uses_of(project, scopes(project, roots, limit=_NEAR)) if roots else ():
        if use.capability in _PROMOTES:
            return use.evidence((place,))
    return place


class _Finder:
    """Finds gates over one project."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._callers: dict[Scope, list[tuple[Module, Call]]] | None = None
        self._keyed: dict[str, dict[str, list[Assign]]] = {}

    # -- around a promotion -------------------------------------------------------------------

    def of_promotion(self, promotion: Promotion) -> Iterator[Gate]:
        """Gates around a promotion, in its function and in what calls it."""
        seen: set[Scope] = set()
        queue = [(promotion.module, promotion.call, 0)]
        while queue:
            module, call, depth = queue.pop(0)
            for kind, places in self._conditions(module, call):
                yield Gate(kind, (*places, promotion.evidence))
            if not depth:
                for name, value in call.kwargs:
                    if _STANDING.match(name):
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

    def _conditions(self, module: Module, call: Call) -> Iterator[tuple[str, tuple[Evidence, ...]]]:
        for guard in call.guards:
            if guard.constant is not None and mentions_metric(guard.text):
                yield "constant", (Evidence(Span(module.path, guard.line), guard.text[:90]),)
                continue
            yield from self._guard(module, guard, call)
        line = module.flat(call.span)
        for branch in module.branches:
            if branch.scope != call.scope or branch.kind != "if" or branch.body[1] >= line:
                continue
            if self._exits(module, branch.body):
                yield from self._branch(module, branch, flip=True)
            elif branch.orelse and branch.orelse[1] < line and self._exits(module, branch.orelse):
                yield from self._branch(module, branch, flip=False)
        for item in module.asserts:
            if item.scope == call.scope and module.flat(item.span) < line and not item.constant:
                for compare in item.compares:
                    yield from self._judged(module, compare, flip=False)

    def _guard(
        self, module: Module, guard: Guard, call: Call
    ) -> Iterator[tuple[str, tuple[Evidence, ...]]]:
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
        yield from self._branch(module, branch, flip=guard.negated, compares=compares)

    def _branch(
        self,
        module: Module,
        branch: Branch,
        *,
        flip: bool,
        compares: Iterable[Compare] | None = None,
    ) -> Iterator[tuple[str, tuple[Evidence, ...]]]:
        if branch.constant is not None or _unset(module, branch.test):
            if mentions_metric(branch.test):
                yield "constant", (Evidence(branch.span, f"if {branch.test[:80]}"),)
            return
        found = False
        for compare in branch.compares if compares is None else compares:
            for kind, places in self._judged(module, compare, flip=flip):
                found = True
                yield kind, places
        for kind, places in self._collected(module, branch, flip=flip):
            found = True
            yield kind, places
        if found or any(c.op in {"<", "<=", ">", ">="} for c in branch.compares):
            return
        place = Evidence(branch.span, f"if {branch.test[:80]}")
        negated = branch.test.strip().startswith("not ")
        for name in self._flags(branch):
            yield from self._flag(module, branch, name, place, flip=flip != negated)

    def _collected(
        self, module: Module, branch: Branch, *, flip: bool
    ) -> Iterator[tuple[str, tuple[Evidence, ...]]]:
        """Comparisons that add to a list of errors, which must be empty for what comes next."""
        if bool(_IS_EMPTY.search(branch.test)) is flip:
            return
        line = module.flat(branch.span)
        for call in module.calls:
            if call.method not in {"append", "add", "extend"} or call.scope != branch.scope:
                continue
            if call.receiver not in branch.names or module.flat(call.span) > line:
                continue
            for guard in call.guards:
                around = next(
                    (b for b in module.branches
                     if b.span.line == guard.line and b.test == guard.text), None,
                )  # fmt: skip
                for compare in around.compares if around else ():
                    yield from self._judged(module, compare, flip=not guard.negated)

    def _judged(
        self, module: Module, compare: Compare, *, flip: bool, place: Evidence | None = None
    ) -> Iterator[tuple[str, tuple[Evidence, ...]]]:
        judgement = judge(compare)
        text = f"{compare.left.text} {compare.op} {compare.right.text}"
        if judgement is None:
            meant = _meant(module, compare)
            judgement = judge(meant) if meant is not None else None
            if meant is None or judgement is None:
                return
            text = f"{text}: {meant.left.text} and {meant.right.text}"
        shown = Evidence(compare.span, text[:100])
        places = (shown,) if place is None else (place, shown)
        yield _kind(judgement, flip=flip), places

    # -- arguments --------------------------------------------------------------------------------

    def _argument(
        self, module: Module, call: Call, value: Value, depth: int
    ) -> Iterator[tuple[str, tuple[Evidence, ...]]]:
        """Comparisons that decide the value of an argument, also as a parameter of callers.

        A constant is no gate made constant: many a first version becomes the default.
        """
        place = Evidence(call.span, _line(call.text))
        line = module.flat(call.span)
        own = [
            a for a in module.assigns
            if a.scope == call.scope and value.text in a.targets and module.flat(a.span) < line
        ]  # fmt: skip
        yield from self._inside(module, call.scope, value.text, place)
        if own:
            yield from self._from_assigns(module, own, place, flip=False)
            for assign in own:
                if assign.value.is_call:
                    yield from self._from_function(module, assign.value.name, place, flip=False)
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

    def _inside(
        self, module: Module, scope: str, text: str, place: Evidence
    ) -> Iterator[tuple[str, tuple[Evidence, ...]]]:
        """Comparisons that stand in an expression itself: `"champion" if new > old else None`."""
        for compare in module.compares:
            written = f"{compare.left.text} {compare.op} {compare.right.text}"
            if compare.scope == scope and written in text:
                yield from self._judged(module, compare, flip=False, place=place)

    # -- flags ------------------------------------------------------------------------------------

    def _flags(self, branch: Branch) -> list[str]:
        """Names and keys that a test asks for: `ok`, `result.accepted`, `scores["best"]`."""
        keys = [a or b for a, b in _KEY.findall(branch.test)]
        names = [n.rsplit(".", 1)[-1] for n in branch.names]
        return list(dict.fromkeys([*keys, *names]))[:8]

    def _flag(
        self, module: Module, branch: Branch, name: str, place: Evidence, *, flip: bool
    ) -> Iterator[tuple[str, tuple[Evidence, ...]]]:
        own = [
            a for a in module.assigns
            if a.scope == branch.scope and name in {t.rsplit(".", 1)[-1] for t in a.targets}
            and module.flat(a.span) < module.flat(branch.span)
        ]  # fmt: skip
        if own:
            last = own[-1]
            if _truth(last.value) is not None and set(last.guards) <= set(branch.guards):
                if mentions_metric(name) or _DECIDES.search(name):
                    yield "constant", (place, Evidence(last.span, f"{name} = {last.value.text}"))
                return
            yield from self._from_assigns(module, own, place, flip=flip)
            for key in [a or b for assign in own for a, b in _KEY.findall(assign.value.text)]:
                yield from self._named_anywhere(key, place, flip=flip)
            if _DECIDES.search(name) and any("read" in a.value.text for a in own):
                yield from self._named_anywhere(name, place, flip=flip)
            for assign in own:
                if assign.value.is_call:
                    yield from self._from_function(module, assign.value.name, place, flip=flip)
            return
        called = self._call_of(module, branch, name)
        if called:
            yield from self._from_function(module, called, place, flip=flip)
            return
        if _DECIDES.search(name):
            yield from self._named_anywhere(name, place, flip=flip)

    @staticmethod
    def _call_of(module: Module, branch: Branch, name: str) -> str:
        """The function that a test calls: `if is_good_enough(model):`."""
        return next(
            (c.name for c in module.calls
             if c.method == name and c.scope == branch.scope and c.text and c.text in branch.test),
            "",
        )  # fmt: skip

    def _from_assigns(
        self, module: Module, assigns: Iterable[Assign], place: Evidence, *, flip: bool
    ) -> Iterator[tuple[str, tuple[Evidence, ...]]]:
        """Comparisons in the lines of assignments, and in the branches around them."""
        for assign in assigns:
            for compare in module.compares:
                written = f"{compare.left.text} {compare.op} {compare.right.text}"
                if compare.span == assign.span or (
                    compare.scope == assign.scope
                    and (compare.span.line == assign.span.line or written in assign.value.text)
                ):
                    yield from self._judged(module, compare, flip=flip, place=place)
            value = _truth(assign.value)
            if value is not None:
                for guard in assign.guards:
                    branch = next(
                        (b for b in module.branches
                         if b.span.line == guard.line and b.test == guard.text),
                        None,
                    )  # fmt: skip
                    for compare in branch.compares if branch else ():
                        flipped = flip != (guard.negated == value)
                        yield from self._judged(module, compare, flip=flipped, place=place)

    def _by_key(self, module: Module) -> dict[str, list[Assign]]:
        """The assignments of a module by the last attribute or key that they set."""
        if module.path not in self._keyed:
            found: dict[str, list[Assign]] = {}
            for assign in module.assigns:
                keys = [t.rsplit(".", 1)[-1] for t in assign.targets]
                keys += [m[1] for t in assign.targets if (m := _LAST_KEY.search(t))]
                for key in dict.fromkeys(keys):
                    found.setdefault(key, []).append(assign)
            self._keyed[module.path] = found
        return self._keyed[module.path]

    def _named_anywhere(
        self, name: str, place: Evidence, *, flip: bool
    ) -> Iterator[tuple[str, tuple[Evidence, ...]]]:
        """A key or attribute that other code sets to a comparison."""
        for module in self.project.source:
            hits = self._by_key(module).get(name, [])
            yield from self._from_assigns(module, hits, place, flip=flip)
            for call in module.calls:
                value = call.kw(name)
                if value is None:
                    continue
                if value.is_literal and value.literal is True and not call.guards:
                    yield "constant", (place, Evidence(call.span, f"{name}={value.text}"))
                near = [
                    a for a in module.assigns if a.scope == call.scope and value.text in a.targets
                ]
                yield from self._from_assigns(module, near, place, flip=flip)
                for compare in module.compares:
                    text = f"{compare.left.text} {compare.op} {compare.right.text}"
                    if compare.scope == call.scope and text == value.text:
                        yield from self._judged(module, compare, flip=flip, place=place)

    def _from_function(
        self, module: Module, name: str, place: Evidence, *, flip: bool
    ) -> Iterator[tuple[str, tuple[Evidence, ...]]]:
        """Comparisons in a function whose result decides."""
        symbol = self.project.index.resolve(name, module.path)
        if symbol is None or symbol.kind != "function":
            return
        other = self.project.modules[symbol.path]
        function = other.function(symbol.qualname)
        if function is None:
            return
        returned = " ".join(v.text for v in function.returns)
        for compare in other.compares:
            if compare.scope != symbol.qualname:
                continue
            text = f"{compare.left.text} {compare.op} {compare.right.text}"
            if text in returned:
                yield from self._judged(other, compare, flip=flip, place=place)
        for branch in other.branches:
            if branch.scope == symbol.qualname and {"True", "False"} & set(returned.split()):
                body = self._text(other, branch.body)
                holds = bool(re.search(r"return True", body))
                fails = bool(re.search(r"return False", body))
                if holds != fails:
                    for compare in branch.compares:
                        yield from self._judged(other, compare, flip=flip != fails, place=place)
        near = [
            a for a in other.assigns
            if a.scope == symbol.qualname and any(t in returned for t in a.targets)
        ]  # fmt: skip
        yield from self._from_assigns(other, near, place, flip=flip)

    # -- exits ------------------------------------------------------------------------------------

    def _text(self, module: Module, lines: tuple[int, int]) -> str:
        if module.notebook:
            return ""
        text = self.project.text(module.path) or ""
        return "\n".join(text.splitlines()[lines[0] - 1 : lines[1]])

    def _exits(self, module: Module, lines: tuple[int, int], *, hard: bool = False) -> bool:
        pattern = _HARD_EXIT if hard else _EXITS
        return any(pattern.search(t) for t in self._text(module, lines).splitlines())

    # -- steps of pipelines and jobs ----------------------------------------------------------

    def promoting_steps(self) -> list[tuple[int, int, Evidence]]:
        """Steps of pipelines that register or deploy: pipeline, position, evidence."""
        found = []
        for n, pipeline in enumerate(self.project.pipelines):
            for m, step in enumerate(pipeline.steps):
                if re.search(r"regist|deploy|promot|push|publish|release", step.name.lower()):
                    found.append((n, m, step.evidence))
        return found

    def of_steps(self) -> Iterator[Gate]:
        """Programs that fail or cancel a run on a bad metric before a later step promotes."""
        exits = list(self._failing())
        if not exits:
            return
        promoting = self.promoting_steps()
        for n, pipeline in enumerate(self.project.pipelines):
            for m, step in enumerate(pipeline.steps):
                after = [e for p, q, e in promoting if p == n and q > m]
                if not after:
                    continue
                paths = {s.path for s in step.code} | self._run_by(step.evidence)
                for kind, places, path in exits:
                    if path in paths:
                        yield Gate(kind, (*places, after[0]))
        yield from self._of_jobs(exits)

    def _run_by(self, evidence: Evidence) -> set[str]:
        """The files that a step's line names (`script_name=...`, a stage's command)."""
        path, line = evidence.span.path, evidence.span.line or 0
        found = set()
        module = self.project.modules.get(path)
        if module is not None:
            for call in module.calls:
                if call.span.line == line:
                    for value in (*call.args, *(v for _, v in call.kwargs)):
                        found |= self._files(value.text.strip("\"'"), path)
        for target in self.project.targets:
            if target.span == evidence.span:
                words = [w for c in target.commands for w in c.argv]
                for word in words:
                    place = self.project.places.file(word, target.folder)
                    if place:
                        found.add(place)
        return found

    def _files(self, text: str, near: str) -> set[str]:
        """A script by its path, or by a setting whose name tells it (`e.evaluate_script_path`)."""
        if text.endswith(".py"):
            place = self.project.places.file(text, near.rpartition("/")[0])
            return {place} if place else set()
        named = re.search(r"(\w+?)_script(_path|_name)?$", text, re.IGNORECASE)
        if not named:
            return set()
        word = named[1].lower().rsplit(".", 1)[-1]
        return {m.path for m in self.project.source if word in m.path.rsplit("/", 1)[-1].lower()}

    def _failing(self) -> Iterator[tuple[str, tuple[Evidence, ...], str]]:
        """Branches on metrics whose arm raises, exits non-zero or cancels the run."""
        for module in self.project.source:
            for branch in module.branches:
                if not branch.compares or branch.kind != "if":
                    continue
                for lines, flip in ((branch.body, True), (branch.orelse, False)):
                    if lines is None or not self._exits(module, lines, hard=True):
                        continue
                    for kind, places in self._branch(module, branch, flip=flip):
                        yield kind, places, module.path

    def _of_jobs(self, exits: list[tuple[str, tuple[Evidence, ...], str]]) -> Iterator[Gate]:
        """Checks that CI runs before a job of it registers or deploys."""
        reach = self.project.automation
        promoted = [
            (way, evidence)
            for use, way, evidence in self.project.reached_uses(reach, *_PROMOTES)
            if use.where in {"command", "action"}
        ]
        if not promoted:
            return
        for kind, places, path in exits:
            way = reach.way("module", path)
            if way is None or way.soft:
                continue
            for later, evidence in promoted:
                here = Evidence(later.node.span, later.node.detail)
                if _before(way.chain(), (*later.chain(), here)):
                    yield Gate(kind, (*places, evidence))
                    break
        for way in reach.of("command"):
            command, _ = way.node.payload
            condition = command.condition
            fails = command.program == "exit" and command.argv[1:2] not in {("0",), ()}
            if fails and condition and mentions_metric(condition):
                yield Gate(
                    "metric", (Evidence(way.node.span, f"if {condition[:80]}"), promoted[0][1])
                )

    # -- gates of tools ------------------------------------------------------------------------

    def of_tools(self) -> Iterator[Gate]:
        """Thresholds and conditions that pipeline tools know."""
        for use in self.project.uses("evaluate.gate", notebook=False):
            call = use.call
            if call is None:
                continue
            name = call.method
            if name in {"GenericValueThreshold", "GenericChangeThreshold", "MetricThreshold"}:
                pushes = [
                    c
                    for m in self.project.source
                    for c in m.calls
                    if c.method == "Pusher" and c.kw("model_blessing")
                ]
                if pushes:
                    blessed = Evidence(pushes[0].span, "Pusher takes the blessing")
                    yield Gate("metric", (use.evidence(), blessed))
            elif name == "ConditionStep" and not re.search(r"if_steps=\[\]", call.text):
                yield Gate("metric", (use.evidence(),))
        for module in self.project.source:
            for call in module.calls:
                if (
                    re.search(r"(^|\.)dsl\.(Condition|If)$", call.name)
                    and call.args
                    and (mentions_metric(call.args[0].text) or "output" in call.args[0].text)
                    and not re.search(r"launch|enable|skip", call.args[0].text)  # a switch
                ):
                    yield Gate("metric", (Evidence(call.span, _line(call.text)),))
                decision = call.kw("deploy_decision")
                if decision is not None:
                    yield from self._decision(module, call, decision.text)
        yield from self._choices()
        yield from self._choice_rules()

    def _decision(self, module: Module, call: Call, name: str) -> Iterator[Gate]:
        """ZenML's deployers take a decision; the step that makes it compares a metric."""
        place = Evidence(call.span, _line(call.text))
        if name == "True":
            yield Gate("constant", (place,))
            return
        for assign in module.assigns:
            if name in assign.targets and assign.value.is_call:
                for kind, places in self._from_function(
                    module, assign.value.name, place, flip=False
                ):
                    yield Gate(kind, places)

    def _choices(self) -> Iterator[Gate]:
        """Step Functions: a Choice on a metric that leads to Fail."""
        for path in self.project.glob("**/*.json", "**/*.y*ml"):
            text = self.project.text(path) if self.project.entry(path).size else None
            if not text or len(text) > 400_000 or "Choice" not in text:  # noqa: PLR2004
                continue
            lines = text.splitlines()
            for number, line in enumerate(lines, 1):
                if re.search(r"Numeric(Greater|Less)Than", line):
                    near = "\n".join(lines[max(0, number - 8) : number + 8])
                    if mentions_metric(near):
                        yield Gate("metric", (Evidence(Span(path, number), line.strip()[:90]),))
                        return

    def _choice_rules(self) -> Iterator[Gate]:
        """The same with the Data Science SDK: a rule on a number, and a state that fails."""
        for module in self.project.source:
            if "stepfunctions" not in module.roots:
                continue
            fails = any(c.method == "Fail" for c in module.calls)
            chosen = any(c.method in {"add_choice", "default_choice"} for c in module.calls) or any(
                c.method == "Choice" for c in module.calls
            )
            for call in module.calls:
                if not re.match(r"Numeric(Greater|Less)Than", call.method) or not (
                    fails and chosen
                ):
                    continue
                text = " ".join(v.text for _, v in call.kwargs) or call.text
                if mentions_metric(text):
                    kind = "training" if _ON_TRAINING.search(text) else "metric"
                    yield Gate(kind, (Evidence(call.span, _line(call.text)),))


def _truth(value: Value) -> bool | None:
    """The truth of a literal flag: a boolean, 0 or 1."""
    literal = value.literal
    if not value.is_literal or not isinstance(literal, int) or literal not in {0, 1}:
        return None
    return bool(literal)


def _meant(module: Module, compare: Compare) -> Compare | None:
    """A comparison of local names, with what was last assigned to them in their place."""
    line = module.flat(compare.span)
    sides = []
    for side in (compare.left, compare.right):
        values = [
            a.value for a in module.assigns
            if a.scope == compare.scope and side.text in a.targets and module.flat(a.span) < line
        ]  # fmt: skip
        sides.append(values[-1] if values else side)
    if sides == [compare.left, compare.right]:
        return None
    return replace(compare, left=sides[0], right=sides[1])


def _kind(judgement: Judgement, *, flip: bool) -> str:
    if judgement.trivial:
        return "constant"
    if judgement.better is not None and judgement.better is flip:
        return "inverted"
    return "training" if judgement.training else "metric"


def _before(first: tuple[Evidence, ...], later: tuple[Evidence, ...]) -> bool:
    """Whether one place comes before another, by the last lines of a file that lead to both."""
    ends = [{e.span.path: e.span.line or 0 for e in chain} for chain in (first, later)]
    shared = ends[0].keys() & ends[1].keys()
    return all(ends[0][path] <= ends[1][path] for path in shared)


def _line(text: str) -> str:
    lines = text.splitlines()
    return lines[0][:100] if lines else text


# -- in part ------------------------------------------------------------------------------


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
                place = Evidence(item.span, _line(item.text))
                yield Gate("best-of-new", (place, promotion.evidence))
                break


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


def _unset(module: Module, test: str) -> bool:
    """Whether a test lets all pass because its threshold is None and nothing ever sets it."""
    found = re.search(r"\b(\w{1,60}) is None or\b", test)
    if found is None:
        return False
    values = [(a.scope, a.value.text) for a in module.assigns if found[1] in a.targets]
    return values == [("", "None")]
