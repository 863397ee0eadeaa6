"""Names across files: which function of which module a dotted name means.

An index over all modules of a project. `resolve` follows absolute and relative imports, packages
that re-export, classes and their methods, and inheritance within the project.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from msgspec import Struct

from mlops_audit.facts.code import Call, Class, Function, Import, Module, Value
from mlops_audit.regex import regex

__all__ = ["CodeIndex", "Symbol"]

_HOPS = 12
# Methods that half of all classes have: calling one on an unknown receiver names none of ours.
_COMMON = frozenset(
    ["append", "add", "get", "items", "keys", "values", "pop", "update", "copy", "format", "join",
     "split", "strip", "read", "write", "close", "open", "replace", "lower", "upper", "encode",
     "decode", "sort", "index", "count", "insert", "remove", "extend", "head", "tail", "info",
     "debug", "warning", "error", "exception", "mean", "sum", "max", "min", "std", "shape",
     "reshape", "to", "cpu", "cuda", "numpy", "item", "backward", "step", "zero_grad", "group",
     "match", "search", "compile", "exists", "mkdir", "parse_args", "json", "text"]
)  # fmt: skip
# What is asked of an estimator that has been fitted.
_AFTER_FIT = frozenset({"predict", "predict_proba", "score", "transform", "decision_function"})
_MAX_CANDIDATES = 6
_CALLED = regex(r"([A-Za-z_]\w{0,60})\(")  # `app()`: a bare name that is called
_TABLE = regex(r"([A-Za-z_]\w*)(?:\[|\.get\()")  # a look-up whose answer is called
_MAX_TABLE = 30


class Symbol(Struct, frozen=True):
    """A function, method, class or (with an empty `qualname`) module of the project."""

    path: str
    qualname: str
    kind: str  # function | class | module


class CodeIndex:
    """Finds what a name means over the modules of one project."""

    def __init__(self, modules: Mapping[str, Module]) -> None:
        self.modules = modules
        self._commands: dict[str, dict[str, list[str]]] = {}
        self._resolved: dict[tuple[str, str, int], Symbol | None] = {}
        self._modules_imported: dict[str, tuple[str, ...]] = {}
        self._targets: dict[tuple[int, str], tuple[Call, tuple[Symbol, ...]]] = {}

    @cached_property
    def _by_dotted(self) -> dict[str, tuple[str, ...]]:
        """Every suffix of a module's path as a dotted name: `src/pkg/a.py` is also `pkg.a`."""
        found: dict[str, list[str]] = {}
        for path in sorted(self.modules):
            if not path.endswith(".py"):
                continue
            parts = path[:-3].split("/")
            if parts[-1] == "__init__":
                parts = parts[:-1]
            for start in range(len(parts)):
                found.setdefault(".".join(parts[start:]), []).append(path)
        return {k: tuple(v) for k, v in found.items()}

    @cached_property
    def roots(self) -> frozenset[str]:
        """The first segments of all names that imports may give the project's modules."""
        return frozenset(name.split(".", 1)[0] for name in self._by_dotted)

    @cached_property
    def _methods(self) -> dict[str, tuple[Symbol, ...]]:
        found: dict[str, list[Symbol]] = {}
        for path in sorted(self.modules):
            for f in self.modules[path].functions:
                if f.owner:
                    found.setdefault(f.name, []).append(Symbol(path, f.qualname, "function"))
        return {k: tuple(v) for k, v in found.items()}

    def module(self, dotted: str, near: str = "") -> str | None:
        """The path of the module of that dotted name, the one closest to `near` if several."""
        candidates = self._by_dotted.get(dotted)
        if not candidates:
            return None
        if len(candidates) == 1:
            # `models` alone must not claim a file deep in another folder as `import models`.
            return candidates[0] if _plausible(candidates[0], dotted, near) else None
        plausible = [c for c in candidates if _plausible(c, dotted, near)]
        return max(plausible, key=lambda c: _closeness(c, near), default=None)

    def imported(self, path: str) -> tuple[str, ...]:
        """The project's modules that the module at `path` imports itself, each once."""
        if path not in self._modules_imported:
            module = self.modules.get(path)
            names = [n for i in module.imports for n in (i.dotted, i.module)] if module else []
            found = (self.resolve(name, path) for name in names)
            self._modules_imported[path] = tuple(
                dict.fromkeys(symbol.path for symbol in found if symbol)
            )
        return self._modules_imported[path]

    def resolve(self, name: str, path: str, hops: int = _HOPS) -> Symbol | None:
        """What `name`, as `facts.python` resolved it in the module at `path`, means."""
        key = (name, path, hops)
        if key not in self._resolved:
            self._resolved[key] = self._resolve(name, path, hops)
        return self._resolved[key]

    def _resolve(self, name: str, path: str, hops: int) -> Symbol | None:
        if hops <= 0 or not name or name.startswith("?"):
            return None
        if name.startswith(":"):
            return self._member(path, name[1:], hops)
        if name.startswith("."):
            return self._relative(name, path, hops)
        parts = name.split(".")
        for cut in range(len(parts), 0, -1):
            target = self.module(".".join(parts[:cut]), path)
            if target is not None and target != path:
                rest = ".".join(parts[cut:])
                return (
                    self._member(target, rest, hops - 1) if rest else Symbol(target, "", "module")
                )
        stars = self._stars(path)
        if any(name.startswith(f"{item.module}.") for item in stars):
            return None  # looked for there already: going on would put the names in a row
        return self._starred(path, name, hops)

    def _stars(self, path: str) -> list[Import]:
        module = self.modules.get(path)
        return [i for i in module.imports if i.name == "*"][:5] if module else []

    def _relative(self, name: str, path: str, hops: int) -> Symbol | None:
        level = len(name) - len(name.lstrip("."))
        folder = path.split("/")[:-1]
        base = folder[: len(folder) - level + 1] if level > 1 else folder
        parts = [p for p in name.lstrip(".").split(".") if p]
        for cut in range(len(parts), -1, -1):
            stem = "/".join([*base, *parts[:cut]])
            for candidate in (f"{stem}.py", f"{stem}/__init__.py" if stem else "__init__.py"):
                if candidate in self.modules and (cut or candidate.endswith("__init__.py")):
                    rest = ".".join(parts[cut:])
                    if candidate == path and rest:
                        continue
                    return (
                        self._member(candidate, rest, hops - 1)
                        if rest
                        else Symbol(candidate, "", "module")
                    )
        return None

    def _member(self, path: str, rest: str, hops: int) -> Symbol | None:
        """`rest` within the module at `path`: defined there, re-exported, or a class's method."""
        module = self.modules.get(path)
        if module is None or hops <= 0:
            return None
        if module.function(rest):
            return Symbol(path, rest, "function")
        if module.klass(rest):
            return Symbol(path, rest, "class")
        head, _, tail = rest.partition(".")
        if tail and (cls := module.klass(head)):
            return self._method(path, cls, tail.split(".", 1)[0], hops)
        bound = self._imported(module, head)
        if bound is not None:
            target = f"{bound}.{tail}" if tail else bound
            return self.resolve(target, path, hops - 1)
        # `trainer = Trainer()` at module level, used from elsewhere as `module.trainer.fit`
        constant = module.constants.get(head)
        if constant is not None and constant.name and constant.name != f":{head}":
            return self.resolve(
                f"{constant.name}.{tail}" if tail else constant.name, path, hops - 1
            )
        # A function's result (`get_client().run`) still runs the function.
        if tail and module.function(head):
            return Symbol(path, head, "function")
        return self._starred(path, rest, hops)

    def _starred(self, path: str, rest: str, hops: int) -> Symbol | None:
        """`rest` in what a module imports with `from x import *`."""
        for item in self._stars(path):
            found = self.resolve(
                f"{item.module}.{rest}" if not item.module.endswith(".") else item.module + rest,
                path,
                hops - 1,
            )
            if found:
                return found
        return None

    @staticmethod
    def _imported(module: Module, name: str) -> str | None:
        for item in module.imports:
            if item.alias == name and item.name != "*":
                return item.dotted
        return None

    def _method(self, path: str, cls: Class, method: str, hops: int) -> Symbol | None:
        module = self.modules[path]
        qualname = f"{cls.qualname}.{method}"
        if module.function(qualname):
            return Symbol(path, qualname, "function")
        for base in cls.bases:
            parent = self.resolve(base, path, hops - 1)
            if parent and parent.kind == "class":
                owner = self.modules[parent.path].klass(parent.qualname)
                if owner and (found := self._method(parent.path, owner, method, hops - 1)):
                    return found
        return Symbol(path, cls.qualname, "class")

    def function_of(self, symbol: Symbol) -> Function | None:
        """The function that a symbol names."""
        return self.modules[symbol.path].function(symbol.qualname)

    def bases(self, path: str, cls: Class, hops: int = _HOPS) -> Iterator[str]:
        """All base names of a class, those of its project-local parents included."""
        for base in cls.bases:
            yield base
            parent = self.resolve(base, path) if hops > 0 else None
            if parent and parent.kind == "class":
                owner = self.modules[parent.path].klass(parent.qualname)
                if owner and owner is not cls:
                    yield from self.bases(parent.path, owner, hops - 1)

    def targets(self, call: Call, path: str) -> tuple[Symbol, ...]:
        """What a call runs in this project: its function, and functions given as arguments."""
        key = (id(call), path)
        if key not in self._targets:  # with the call, whose id no other may get then
            self._targets[key] = call, tuple(dict.fromkeys(self._run_by(call, path)))
        return self._targets[key][1]

    def _run_by(self, call: Call, path: str) -> list[Symbol]:
        found: list[Symbol] = []
        symbol = self.resolve(call.name, path)
        if symbol:
            found.append(symbol)
        elif call.name.startswith("?.") or "." in call.name.lstrip(":"):
            method = call.method
            named = self._methods.get(method, ())
            if (
                method not in _COMMON
                and 0 < len(named) <= _MAX_CANDIDATES
                and not _foreign(call.name)
            ):
                found.extend(s for s in named if not self._lacks_fit(s, call, path))
        handed = (self.resolve(v.name, path) for v in _values(call) if v.name and not v.is_call)
        found.extend(symbol for symbol in handed if symbol)
        found.extend(self._command(call, path))
        if call.method == "()":
            found.extend(self._looked_up(call, path))
        return found

    def _lacks_fit(self, symbol: Symbol, call: Call, path: str) -> bool:
        """Whether what is called has been fitted just before, and this class cannot be.

        `model["svc"].fit(x, y)` and then `.predict(x)`: a library's estimator, not a service.
        """
        module, other = self.modules.get(path), self.modules.get(symbol.path)
        owner = symbol.qualname.rpartition(".")[0]
        klass = other.klass(owner) if other is not None and owner else None
        if call.method not in _AFTER_FIT or module is None or other is None or klass is None:
            return False
        if klass.bases or other.function(f"{owner}.fit") is not None:
            return False
        near = module.calls_in(call.scope)
        return any(c.method == "fit" and c.receiver == call.receiver for c in near)

    def _looked_up(self, call: Call, path: str) -> Iterator[Symbol]:
        """What `TRAINERS[name](x, y)` may run: the functions in a module's table."""
        named = _TABLE.match(call.text)
        module = self.modules.get(path)
        table = module.constants.get(named[1]) if named and module else None
        for value in table.items[:_MAX_TABLE] if table is not None and table.keys else ():
            symbol = self.resolve(value.name, path) if value.name and not value.is_call else None
            if symbol is not None:
                yield symbol

    def _command(self, call: Call, path: str) -> Iterator[Symbol]:
        """The command that `app()` runs: the only one that `@app.command()` has registered.

        Of several commands the arguments choose one, which a call of the program does not show.
        """
        named = _CALLED.match(call.text)
        module = self.modules.get(path)
        if named is None or module is None or call.decorates:
            return
        known = self._commands.get(path)
        if known is None:
            known = self._commands[path] = {}
            for item in module.calls:
                if item.decorates and item.method == "command" and item.receiver:
                    known.setdefault(item.receiver, []).append(item.decorates)
        names = known.get(named[1], ())
        if len(names) == 1 and module.function(names[0]) is not None:
            yield Symbol(path, names[0], "function")


def _foreign(name: str) -> bool:
    """Whether a name surely belongs to a library: `pandas.read_csv.groupby`.

    What `getattr` gives back may be anything: `getattr(module, kind)().save`.
    """
    return not name.startswith(("?", ":", ".", "getattr."))


def _values(call: Call) -> Iterator[Value]:
    stack: list[Value] = [*call.args, *(v for _, v in call.kwargs)]
    while stack:
        value = stack.pop()
        yield value
        stack.extend(value.items)


def _plausible(path: str, dotted: str, near: str) -> bool:
    """Whether `import dotted` in `near` can mean `path`.

    Its folder is the root, a source folder, or lies on the way from the importing file to the root.
    """
    parts = path[:-3].removesuffix("/__init__").split("/")
    prefix = parts[: len(parts) - dotted.count(".") - 1]
    if not prefix or prefix[-1] in {"src", "lib", "python", "app", "code", "scripts", "source"}:
        return True
    folder = near.split("/")[:-1]
    return folder[: len(prefix)] == prefix or "." in dotted


def _closeness(path: str, near: str) -> tuple[int, int]:
    shared = 0
    for a, b in zip(path.split("/"), near.split("/"), strict=False):
        if a != b:
            break
        shared += 1
    return (shared, -path.count("/"))
