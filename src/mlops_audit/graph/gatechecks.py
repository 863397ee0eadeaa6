"""Whether a condition lets only a good enough model pass, wherever its comparison stands.

A branch compares itself, or asks a flag that other lines, another function or another file has
set; errors are collected in a list that must be empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from mlops_audit.facts.code import Assign, Branch, Compare, Function, Module, Value
from mlops_audit.graph.comparisons import Judgement, judge, mentions_metric
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["Checks", "Found", "Gate"]

# A kind of gate, and the places that show it.
Found = tuple[str, tuple[Evidence, ...]]
_EXITS = regex(
    r"^\s*(return\b|raise\b|sys\.exit\(|exit\(|quit\(|os\._exit\(|continue\b|break\b)|\.cancel\(\)|"
    r"pytest\.fail|AirflowSkip|AirflowFail|\.abort\("
)
_HARD_EXIT = regex(
    r"^\s*(raise\b|sys\.exit\(\s*[^0)\s]|exit\(\s*[^0)\s]|os\._exit)|\.cancel\(\)|pytest\.fail|"
    r"AirflowSkip|AirflowFail"
)
_IS_EMPTY = regex(r"^not\s|==\s*(0|\[\])|<\s*1\b")
_KEY = regex(r"""\[\s*["']([\w .-]+)["']\s*\]|\.get\(\s*["']([\w .-]+)["']""")
# What an object is asked for without a call, and methods of its own that a property calls.
_ATTRIBUTE = regex(r"(?<=[\w)\]])\.([a-z_]\w{1,60})\b(?!\s*[(.\[])")
_OWN = regex(r"\bself\.(\w{1,60})\(")
_LAST_KEY = regex(r"""\[\s*["']([^"']{1,80})["']\s*\]$""")
_DECIDES = regex(
    r"accept|better|best|promot|pass(ed)?$|deploy|approv|valid|decision|improv|good|ok$"
)


class Gate(Struct, frozen=True):
    """A gate and what it is worth.

    `kind` is `metric` (it lets only a good enough model pass), `training` (on a metric of the
    training data), `best-of-new` (the best new run, whatever serves), `report` (shown to the
    person who promotes), `inverted`, `constant`, or `logged` (compared, but nothing depends on it).
    """

    kind: str
    evidence: tuple[Evidence, ...]


class Checks:
    """The conditions of one project's code, read for comparisons of metrics."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._keyed: dict[str, dict[str, list[Assign]]] = {}

    # -- branches -----------------------------------------------------------------------------

    def branch(
        self,
        module: Module,
        branch: Branch,
        *,
        flip: bool,
        compares: Iterable[Compare] | None = None,
    ) -> Iterator[Found]:
        """The gates that a branch is; `flip` where the promotion runs if the test fails."""
        if branch.constant is not None or _unset(module, branch.test):
            if mentions_metric(branch.test):
                yield "constant", (Evidence(branch.span, f"if {branch.test}"),)
            return
        found = False
        for compare in branch.compares if compares is None else compares:
            for kind, places in self.judged(module, compare, flip=flip):
                found = True
                yield kind, places
        for kind, places in self._collected(module, branch, flip=flip):
            found = True
            yield kind, places
        if found or any(c.op in {"<", "<=", ">", ">="} for c in branch.compares):
            return
        place = Evidence(branch.span, f"if {branch.test}")
        negated = branch.test.strip().startswith("not ")
        for name in self._flags(branch):
            yield from self._flag(module, branch, name, place, flip=flip != negated)

    def _collected(self, module: Module, branch: Branch, *, flip: bool) -> Iterator[Found]:
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
                    yield from self.judged(module, compare, flip=not guard.negated)

    def judged(
        self, module: Module, compare: Compare, *, flip: bool, place: Evidence | None = None
    ) -> Iterator[Found]:
        """The gate that one comparison is, if it is one of a metric."""
        judgement = judge(compare)
        text = f"{compare.left.text} {compare.op} {compare.right.text}"
        if judgement is None:
            meant = _meant(module, compare)
            judgement = judge(meant) if meant is not None else None
            if meant is None or judgement is None:
                return
            text = f"{text}: {meant.left.text} and {meant.right.text}"
        shown = Evidence(compare.span, text)
        places = (shown,) if place is None else (place, shown)
        yield _kind(judgement, flip=flip), places

    # -- flags ------------------------------------------------------------------------------------

    def _flags(self, branch: Branch) -> list[str]:
        """Names and keys that a test asks for: `ok`, `result.accepted`, `scores["best"]`."""
        keys = [a or b for a, b in _KEY.findall(branch.test)]
        names = [n.rsplit(".", 1)[-1] for n in branch.names]
        return list(dict.fromkeys([*keys, *names]))[:8]

    def _flag(
        self, module: Module, branch: Branch, name: str, place: Evidence, *, flip: bool
    ) -> Iterator[Found]:
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
            yield from self.from_assigns(module, own, place, flip=flip)
            for assign in own:
                yield from self._properties(assign.value.text, place, flip=flip)
            for key in [a or b for assign in own for a, b in _KEY.findall(assign.value.text)]:
                yield from self._named_anywhere(key, place, flip=flip)
            if _DECIDES.search(name) and any("read" in a.value.text for a in own):
                yield from self._named_anywhere(name, place, flip=flip)
            for assign in own:
                yield from self.from_result(module, assign, place, flip=flip)
            return
        called = self._call_of(module, branch, name)
        if called:
            yield from self.from_function(module, called, place, flip=flip)
            return
        yield from self._properties(branch.test, place, flip=flip)
        if _DECIDES.search(name):
            yield from self._named_anywhere(name, place, flip=flip)

    def _properties(self, text: str, place: Evidence, *, flip: bool) -> Iterator[Found]:
        """Comparisons in the properties that an expression reads: `test.challenger_is_better`."""
        for name in list(dict.fromkeys(_ATTRIBUTE.findall(text)))[:8]:
            held = [
                (module, function)
                for module in self.project.source
                for function in module.functions
                if function.name == name and any("property" in d for d in function.decorators)
            ]
            for module, function in held if len(held) == 1 else ():
                yield from self._of_function(module, function, place, flip=flip)
                asked = _OWN.findall(" ".join(v.text for v in function.returns))
                for inner in (module.function(f"{function.owner}.{own}") for own in asked):
                    if inner is not None:
                        yield from self._of_function(module, inner, place, flip=flip)

    @staticmethod
    def _call_of(module: Module, branch: Branch, name: str) -> str:
        """The function that a test calls: `if is_good_enough(model):`."""
        return next(
            (c.name for c in module.calls
             if c.method == name and c.scope == branch.scope and c.text and c.text in branch.test),
            "",
        )  # fmt: skip

    def from_assigns(
        self, module: Module, assigns: Iterable[Assign], place: Evidence, *, flip: bool
    ) -> Iterator[Found]:
        """Comparisons in the lines of assignments, and in the branches around them."""
        for assign in assigns:
            for compare in module.compares:
                written = f"{compare.left.text} {compare.op} {compare.right.text}"
                if compare.span == assign.span or (
                    compare.scope == assign.scope
                    and (compare.span.line == assign.span.line or written in assign.value.text)
                ):
                    yield from self.judged(module, compare, flip=flip, place=place)
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
                        yield from self.judged(module, compare, flip=flipped, place=place)

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

    def _named_anywhere(self, name: str, place: Evidence, *, flip: bool) -> Iterator[Found]:
        """A key or attribute that other code sets to a comparison."""
        for module in self.project.source:
            hits = self._by_key(module).get(name, [])
            yield from self.from_assigns(module, hits, place, flip=flip)
            for assign in hits:
                yield from self.from_result(module, assign, place, flip=flip)
            for call in module.calls:
                value = call.kw(name)
                if value is None:
                    continue
                if value.is_literal and value.literal is True and not call.guards:
                    yield "constant", (place, Evidence(call.span, f"{name}={value.text}"))
                near = [
                    a for a in module.assigns if a.scope == call.scope and value.text in a.targets
                ]
                yield from self.from_assigns(module, near, place, flip=flip)
                for compare in module.compares:
                    text = f"{compare.left.text} {compare.op} {compare.right.text}"
                    if compare.scope == call.scope and text == value.text:
                        yield from self.judged(module, compare, flip=flip, place=place)

    def from_result(
        self, module: Module, assign: Assign, place: Evidence, *, flip: bool
    ) -> Iterator[Found]:
        """Comparisons in the function whose result is assigned.

        A pipeline may be given its steps as parameters: then the step is the one function of that
        name.
        """
        if not assign.value.is_call:
            return
        head = assign.value.text.split("(", 1)[0]
        around = module.function(assign.scope) if assign.scope else None
        if around is None or head not in {p.name for p in around.params}:
            yield from self.from_function(module, assign.value.name, place, flip=flip)
            return
        steps = [(m, f) for m in self.project.source for f in m.functions if f.qualname == head]
        for other, function in steps if len(steps) == 1 else ():
            yield from self._of_function(other, function, place, flip=flip)

    def from_function(
        self, module: Module, name: str, place: Evidence, *, flip: bool
    ) -> Iterator[Found]:
        """Comparisons in a function whose result decides."""
        symbol = self.project.index.resolve(name, module.path)
        if symbol is None or symbol.kind != "function":
            return
        other = self.project.modules[symbol.path]
        function = other.function(symbol.qualname)
        if function is not None:
            yield from self._of_function(other, function, place, flip=flip)

    def _of_function(
        self, other: Module, function: Function, place: Evidence, *, flip: bool
    ) -> Iterator[Found]:
        returned = " ".join(v.text for v in function.returns)
        for compare in other.compares:
            if compare.scope != function.qualname:
                continue
            text = f"{compare.left.text} {compare.op} {compare.right.text}"
            if text in returned:
                yield from self.judged(other, compare, flip=flip, place=place)
        for branch in other.branches:
            if branch.scope == function.qualname and {"True", "False"} & set(returned.split()):
                body = self._text(other, branch.body)
                holds = bool(re.search(r"return True", body))
                fails = bool(re.search(r"return False", body))
                if holds != fails:
                    for compare in branch.compares:
                        yield from self.judged(other, compare, flip=flip != fails, place=place)
        near = [
            a for a in other.assigns
            if a.scope == function.qualname and any(t in returned for t in a.targets)
        ]  # fmt: skip
        yield from self.from_assigns(other, near, place, flip=flip)

    # -- exits ------------------------------------------------------------------------------------

    def _text(self, module: Module, lines: tuple[int, int]) -> str:
        if module.notebook:
            return ""
        return "\n".join(self.project.lines(module.path)[lines[0] - 1 : lines[1]])

    def exits(self, module: Module, lines: tuple[int, int], *, hard: bool = False) -> bool:
        """Whether lines leave their function; `hard` where that fails or cancels the run."""
        pattern = _HARD_EXIT if hard else _EXITS
        return any(pattern.search(t) for t in self._text(module, lines).splitlines())


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


def _unset(module: Module, test: str) -> bool:
    """Whether a test lets all pass because its threshold is None and nothing ever sets it."""
    found = re.search(r"\b(\w{1,60}) is None or\b", test)
    if found is None:
        return False
    values = [(a.scope, a.value.text) for a in module.assigns if found[1] in a.targets]
    return values == [("", "None")]
