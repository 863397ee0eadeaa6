"""What one Python module or notebook says: the typed facts that `facts.python` reads.

Names are resolved inside the module, textually and without running anything:

* `mlflow.log_metric` -- an imported name, whatever its alias;
* `sklearn.ensemble.RandomForestClassifier.fit` -- a method of a variable that a constructor (or
  an annotation) gave its type;
* `:train` or `:Trainer.fit` -- defined in this very module;
* `.utils.load` -- from a relative import, one dot a level as in the source;
* `?.fit` -- a method of something unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from msgspec import Struct, field
from msgspec.structs import force_setattr

from mlops_audit.model import Span

__all__ = [
    "Assert",
    "Assign",
    "Branch",
    "Call",
    "Class",
    "Compare",
    "Function",
    "Guard",
    "Import",
    "Module",
    "Param",
    "Raise",
    "Text",
    "Value",
]


class Value(Struct, frozen=True):
    """An expression: its source text (at most 300 characters) and what is known of it.

    `literal` holds a str, int, float, bool or None when `is_literal`. `name` is the resolved
    dotted name of a name, attribute or (with `is_call`) the called function. `items` are the
    elements of a list, tuple or set and the values of a dict, `keys` the dict's keys as text.
    """

    text: str
    literal: str | int | float | bool | None = None
    is_literal: bool = False
    name: str = ""
    is_call: bool = False
    items: tuple[Value, ...] = ()
    keys: tuple[str, ...] = ()
    kwargs: tuple[tuple[str, Value], ...] = ()  # of a call

    def get(self, key: str) -> Value | None:
        """The value under a dict key or a call's keyword."""
        for k, v in zip(self.keys, self.items, strict=False):
            if k == key:
                return v
        return next((v for k, v in self.kwargs if k == key), None)

    def strings(self) -> Iterator[str]:
        """All string literals in the value and its items."""
        if isinstance(self.literal, str):
            yield self.literal
        for item in self.items:
            yield from item.strings()


class Guard(Struct, frozen=True):
    """A condition that must hold for a place to run; `negated` in its else branch."""

    text: str
    names: tuple[str, ...]
    constant: bool | None
    negated: bool
    line: int

    @property
    def never(self) -> bool:
        """Whether the place can never run, as the module's own constants say."""
        return self.constant is not None and self.constant is self.negated


class Call(Struct, frozen=True):
    """A call (or a decorator, which is one) with its resolved name and arguments.

    `receiver` is the source text before the last dot. `scope` is the qualified name of the
    function around it, empty at module level. `loops` counts the loops around it within the
    scope. `targets` are the names its result is assigned to.
    """

    name: str
    receiver: str
    args: tuple[Value, ...]
    kwargs: tuple[tuple[str, Value], ...]
    span: Span
    end_line: int
    scope: str = ""
    guards: tuple[Guard, ...] = ()
    loops: int = 0
    targets: tuple[str, ...] = ()
    decorates: str = ""  # qualified name of the function or class it decorates
    text: str = ""
    method: str = ""  # the last segment of the name

    def __post_init__(self) -> None:
        # Asked far more often than calls are read.
        force_setattr(self, "method", self.name.rsplit(".", 1)[-1].lstrip(":"))

    def kw(self, name: str) -> Value | None:
        """The keyword argument of that name."""
        for key, value in self.kwargs:
            if key == name:
                return value
        return None

    def arg(self, position: int, name: str = "") -> Value | None:
        """The argument at that position, or given by that keyword."""
        if name and (value := self.kw(name)) is not None:
            return value
        return self.args[position] if position < len(self.args) else None

    @property
    def spreads(self) -> tuple[Value, ...]:
        """What is passed as `**mapping`."""
        return tuple(v for k, v in self.kwargs if k == "**")

    @property
    def runs(self) -> bool:
        """Whether no condition around it is constantly false."""
        return not self.guards or not any(g.never for g in self.guards)

    @property
    def told(self) -> str:
        """The call as its line shows it: `….fit(x, y)` where what it is called on stands above."""
        rest = self.text.removeprefix(self.receiver)
        if "\n" in self.receiver or (self.receiver and rest[:1].isspace()):
            if (shown := rest.lstrip()).startswith(f".{self.method}("):
                return f"…{shown}"
            return f"….{self.method}(…)"  # a long text is cut before it
        return self.text or self.name


class Import(Struct, frozen=True):
    """`import module` (name empty) or `from module import name`, bound to `alias`."""

    module: str
    name: str
    alias: str
    span: Span
    scope: str = ""

    @property
    def root(self) -> str:
        """The first segment of the module, empty for a relative import."""
        return "" if self.module.startswith(".") else self.module.split(".", 1)[0]

    @property
    def dotted(self) -> str:
        """The full dotted name of what is imported."""
        if not self.name:
            return self.module
        return (
            f"{self.module}{self.name}"
            if self.module.endswith(".")
            else f"{self.module}.{self.name}"
        )


class Param(Struct, frozen=True):
    """A parameter of a function, or a field of a class.

    `annotation` is the resolved name of a parameter's type (of a field the source text), `written`
    a parameter's whole annotation as it stands. `gathers` is `*` or `**` where it takes what is
    left over.
    """

    name: str
    annotation: str = ""
    default: Value | None = None
    written: str = ""
    gathers: str = ""


class _Definition(Struct, frozen=True):
    qualname: str
    span: Span
    end_line: int

    @property
    def name(self) -> str:
        """The bare name."""
        return self.qualname.rsplit(".", 1)[-1]


class Function(_Definition, frozen=True):
    """A function or method.

    `stub` means that its body does nothing (pass, docstring, `raise NotImplementedError`);
    `returns` are the returned expressions.
    """

    params: tuple[Param, ...] = ()
    decorators: tuple[str, ...] = ()
    doc: str = ""
    stub: bool = False
    owner: str = ""  # class it is a method of
    returns: tuple[Value, ...] = ()
    annotation: str = ""


class Class(_Definition, frozen=True):
    """A class with its resolved bases and the fields its body declares."""

    bases: tuple[str, ...] = ()
    decorators: tuple[str, ...] = ()
    fields: tuple[Param, ...] = ()
    doc: str = ""


class Compare(Struct, frozen=True):
    """A comparison `left op right`, wherever it stands."""

    left: Value
    op: str
    right: Value
    span: Span
    scope: str = ""
    guards: tuple[Guard, ...] = ()


class Branch(Struct, frozen=True):
    """An `if`, `while` or conditional expression with the line ranges of its arms."""

    kind: str
    test: str
    names: tuple[str, ...]
    compares: tuple[Compare, ...]
    span: Span
    body: tuple[int, int]
    orelse: tuple[int, int] | None
    scope: str = ""
    guards: tuple[Guard, ...] = ()
    constant: bool | None = None


class Assign(Struct, frozen=True):
    """An assignment; targets as source text (`self.model`, `params["lr"]`)."""

    targets: tuple[str, ...]
    value: Value
    span: Span
    scope: str = ""
    guards: tuple[Guard, ...] = ()
    augmented: bool = False


class Assert(Struct, frozen=True):
    """An assertion; `constant` when it can never fail (`assert True`, a literal with itself).

    `swallowed` says that a handler around it in the same function prints the failure and goes on.
    """

    test: str
    names: tuple[str, ...]
    compares: tuple[Compare, ...]
    span: Span
    scope: str = ""
    constant: bool = False
    guards: tuple[Guard, ...] = ()
    swallowed: bool = False


class Raise(Struct, frozen=True):
    """A `raise`; `name` is the exception's resolved name, empty when re-raised.

    `swallowed` says that a handler around it in the same function catches it and goes on.
    """

    name: str
    span: Span
    scope: str = ""
    guards: tuple[Guard, ...] = ()
    text: str = ""
    swallowed: bool = False


class Text(Struct, frozen=True):
    """A string literal (adjacent ones joined, f-string holes as `{}`)."""

    value: str
    span: Span
    scope: str = ""
    doc: bool = False
    context: str = ""  # the name it is assigned or passed to, where there is one


class Module(Struct, frozen=True, dict=True):
    """One Python module or notebook.

    `lines` counts source lines; `error` says why a file could not be parsed (its facts are then
    empty). Line ranges of functions and branches are in the module's own numbering, which for a
    notebook runs over all code cells (`flat`); spans are already translated to cells.
    """

    path: str
    notebook: bool = False
    doc: str = ""
    lines: int = 0
    imports: tuple[Import, ...] = ()
    calls: tuple[Call, ...] = ()
    functions: tuple[Function, ...] = ()
    classes: tuple[Class, ...] = ()
    assigns: tuple[Assign, ...] = ()
    branches: tuple[Branch, ...] = ()
    compares: tuple[Compare, ...] = ()
    asserts: tuple[Assert, ...] = ()
    raises: tuple[Raise, ...] = ()
    texts: tuple[Text, ...] = ()
    names: frozenset[str] = frozenset()  # every identifier and attribute that it reads
    main_line: int | None = None  # flat line of `if __name__ == "__main__"`
    error: str = ""
    cell_starts: tuple[tuple[int, int], ...] = field(default=())  # (flat line before cell, cell)

    def flat(self, span: Span) -> int:
        """The line of a span in the module's own numbering."""
        if span.line is None:
            return 0
        if span.cell is None:
            return span.line
        return next((base for base, cell in self.cell_starts if cell == span.cell), 0) + span.line

    @cached_property
    def roots(self) -> frozenset[str]:
        """The first segments of everything imported absolutely."""
        return frozenset(i.root for i in self.imports if i.root)

    @cached_property
    def _calls_by_scope(self) -> dict[str, tuple[Call, ...]]:
        found: dict[str, list[Call]] = {}
        for call in self.calls:
            found.setdefault(call.scope, []).append(call)
        return {k: tuple(v) for k, v in found.items()}

    @cached_property
    def _calls_in(self) -> dict[str, tuple[Call, ...]]:
        return {}

    def calls_in(self, scope: str) -> tuple[Call, ...]:
        """The calls of a function, those of functions nested in it included."""
        if scope not in self._calls_in:
            prefix = scope + "."
            self._calls_in[scope] = tuple(
                call
                for name, calls in self._calls_by_scope.items()
                if name == scope or (scope and name.startswith(prefix))
                for call in calls
            )
        return self._calls_in[scope]

    def calls_within(self, lines: tuple[int, int] | None) -> tuple[Call, ...]:
        """The calls that start within a range of lines (flat numbering, both ends included)."""
        if lines is None:
            return ()
        return tuple(c for c in self.calls if lines[0] <= self.flat(c.span) <= lines[1])

    def raises_within(self, lines: tuple[int, int] | None) -> tuple[Raise, ...]:
        """The raises within a range of lines."""
        if lines is None:
            return ()
        return tuple(r for r in self.raises if lines[0] <= self.flat(r.span) <= lines[1])

    def function(self, qualname: str) -> Function | None:
        """The function of that qualified name."""
        return self._functions_by_name.get(qualname)

    @cached_property
    def _functions_by_name(self) -> dict[str, Function]:
        return {f.qualname: f for f in self.functions}

    def klass(self, qualname: str) -> Class | None:
        """The class of that qualified name."""
        return self._classes_by_name.get(qualname)

    @cached_property
    def _classes_by_name(self) -> dict[str, Class]:
        return {c.qualname: c for c in reversed(self.classes)}  # the first of a name

    @cached_property
    def assigns_by_scope(self) -> dict[str, tuple[Assign, ...]]:
        """The assignments of each function, without those of functions nested in it."""
        found: dict[str, list[Assign]] = {}
        for assign in self.assigns:
            found.setdefault(assign.scope, []).append(assign)
        return {k: tuple(v) for k, v in found.items()}

    @cached_property
    def constants(self) -> dict[str, Value]:
        """Module-level names assigned exactly once, and what to."""
        seen: dict[str, list[Value]] = {}
        for a in self.assigns:
            if not a.scope:
                for t in a.targets:
                    seen.setdefault(t, []).append(a.value)
        return {k: v[0] for k, v in seen.items() if len(v) == 1}
