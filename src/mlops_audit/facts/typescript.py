"""The calls of a TypeScript or JavaScript file, as facts of the same kind as Python's.

Only what infrastructure code needs is read: imports, calls and `new` expressions with their
arguments, and the variables that hold the results. Names are written as Python would write them
(`aws-cdk-lib/aws-s3` is `aws_cdk.aws_s3`, `addStage` is `add_stage`), so that the readers of
constructs serve both languages; an object that is the last argument gives the keywords.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct, field

from mlops_audit.facts.code import Call, Import, Module, Value
from mlops_audit.facts.tstokens import Group, Item, Word, read_groups
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = ["read_typescript"]

MAX_TEXT = 300
MAX_TYPES = 20  # words between the angle brackets of a call
_SMALL = regex(r"(?<=[a-z0-9])([A-Z])")
_NO_CALL = frozenset(
    {"if", "for", "while", "switch", "catch", "function", "return", "super", "require"}
)
_CONSTANTS = {"true": True, "false": False, "null": None, "undefined": None}


def read_typescript(path: str, data: bytes) -> Module:
    """The module; without calls where the file cannot be read."""
    text = data.decode("utf-8", "replace")
    root = read_groups(text)
    if root is None:
        return Module(path, error="too large or too deeply nested")
    reader = _Reader(path, text)
    reader.imported(root.items)
    reader.walk(root.items, "")
    return Module(path, imports=tuple(reader.imports), calls=tuple(reader.calls))


def _is(item: Item | None, *texts: str) -> bool:
    """Whether an item is one of these marks or words."""
    return isinstance(item, Word) and item.kind in {"mark", "name"} and item.text in texts


def _name(item: Item | None) -> str:
    return item.text if isinstance(item, Word) and item.kind == "name" else ""


def _python(package: str) -> str:
    """A package's name as Python's CDK has it; other packages keep their own."""
    parts = package.removeprefix("@aws-cdk/").split("/")
    if package.startswith("@aws-cdk/"):
        parts = ["aws-cdk-lib", *parts]
    if parts[0] == "aws-cdk-lib":
        parts[0] = "aws_cdk"
    return ".".join(p.replace("-", "_") for p in parts if p)


def _snake(name: str) -> str:
    """`addStage` as `add_stage`; a class keeps its name."""
    return name if name[:1].isupper() else _SMALL.sub(r"_\1", name).lower()


class _Reader(Struct):
    path: str
    text: str
    names: dict[str, str] = field(default_factory=dict)
    imports: list[Import] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    # Imports: `import * as s3 from`, `import { aws_s3 as s3 } from`, `import s3 = require()`.

    def imported(self, items: list[Item]) -> None:
        """Notes what the file's own level imports, and under which names."""
        for i, item in enumerate(items):
            if _is(item, "import", "const", "var", "let"):
                self._import(items[i + 1 : i + 8])

    def _import(self, items: list[Item]) -> None:
        end = next((i for i, item in enumerate(items) if _is(item, "from", "require")), None)
        if end is None or end + 1 >= len(items):
            return
        after = items[end + 1]
        source = after.items[0] if isinstance(after, Group) and after.items else after
        if not isinstance(source, Word) or source.kind != "string":
            return
        module = _python(source.text)
        for item in items[:end]:
            if isinstance(item, Group):
                self._members(item, module)
            elif (name := _name(item)) and name not in {"as", "type"}:
                self._bind(name, module, "", item)

    def _members(self, group: Group, module: str) -> None:
        for part in _split(group.items):
            words = [n for n in map(_name, part) if n not in {"", "as", "type"}]
            if words:
                self._bind(words[-1], module, words[0], group)

    def _bind(self, alias: str, module: str, name: str, item: Item) -> None:
        self.imports.append(Import(module, name, alias, Span(self.path, item.line)))
        self.names[alias] = f"{module}.{name}" if name else module

    # Calls, in the order of the file.

    def walk(self, items: list[Item], scope: str) -> None:
        """Notes the calls of a list of items and of all groups in it."""
        for i, item in enumerate(items):
            if not isinstance(item, Group):
                continue
            inner = self._class_before(items, i) or scope if item.opens == "{" else scope
            if item.opens == "(":
                self._call(items, i, item, scope)
            self.walk(item.items, inner)

    def _class_before(self, items: list[Item], at: int) -> str:
        """The class whose body this group is: its constructs know each other by name."""
        for i in range(at - 1, max(at - 12, -1), -1):
            if _is(items[i], "class"):
                return _name(items[i + 1])
            if _is(items[i], ";", "="):
                break
        return ""

    def _call(self, items: list[Item], at: int, group: Group, scope: str) -> None:
        start = _path_start(items, at)
        if start == at or _name(items[at - 1]) in _NO_CALL:
            return
        first = items[start]
        made = start > 0 and _is(items[start - 1], "new")
        args, kwargs = self._arguments(group)
        end = group.line + self.text.count("\n", group.start, group.end)
        path = self._written(items[start:at])
        self.calls.append(
            Call(
                self._resolved(path),
                path.rpartition(".")[0],
                args,
                kwargs,
                Span(self.path, first.line),
                end,
                scope,
                targets=_targets(items, start - 1 if made else start),
                text=self.text[first.start : group.end][: 20 * MAX_TEXT],
            )
        )

    def _arguments(self, group: Group) -> tuple[tuple[Value, ...], tuple[tuple[str, Value], ...]]:
        values = [self._value(part) for part in _split(group.items) if part]
        if values and values[-1].keys:
            last = values.pop()
            pairs = zip(last.keys, last.items, strict=True)
            return tuple(values), tuple((_snake(k), v) for k, v in pairs)
        return tuple(values), ()

    def _value(self, items: list[Item]) -> Value:
        while items and _is(items[0], "new", "await"):
            items = items[1:]
        if not items:
            return Value("")
        text = self.text[items[0].start : items[-1].end]
        if len(items) == 1:
            return self._single(items[0], text)
        last = items[-1]
        if isinstance(last, Group) and last.opens == "(" and _path_start(items, -1) == 0:
            args, kwargs = self._arguments(last)
            name = self._resolved(self._written(items[:-1]))
            return Value(text[:MAX_TEXT], name=name, is_call=True, items=args, kwargs=kwargs)
        name = self._resolved(text) if _path_start(items, len(items)) == 0 else ""
        return Value(text[:MAX_TEXT], name=name)

    def _single(self, item: Item, text: str) -> Value:
        if isinstance(item, Word):
            if item.kind == "string":
                return Value(text[:MAX_TEXT], literal=item.text, is_literal=True)
            if item.text in _CONSTANTS:
                return Value(text, literal=_CONSTANTS[item.text], is_literal=True)
            name = self._resolved(item.text) if item.kind == "name" else ""
            return Value(text[:MAX_TEXT], name=name)
        if item.opens == "{":
            pairs = list(self._pairs(item))
            keys, values = tuple(k for k, _ in pairs), tuple(v for _, v in pairs)
            return Value(text[:MAX_TEXT], items=values, keys=keys)
        listed = tuple(self._value(part) for part in _split(item.items) if part)
        return Value(text[:MAX_TEXT], items=listed)

    def _pairs(self, group: Group) -> Iterator[tuple[str, Value]]:
        """The entries of an object; `{ role }` is short for `{ role: role }`."""
        for part in _split(group.items):
            if not part or not isinstance(part[0], Word) or part[0].kind == "mark":
                continue
            key = part[0].text
            if len(part) == 1:
                yield key, self._single(part[0], key)
            elif _is(part[1], ":"):
                yield key, self._value(part[2:])

    def _written(self, items: list[Item]) -> str:
        """A path without optional marks and type arguments: `this.pipeline.addStage`."""
        end = next((n for n, i in enumerate(items) if _is(i, "<")), len(items))
        return "".join("." if _is(i, "?.", ".") else _name(i) for i in items[:end])

    def _resolved(self, path: str) -> str:
        head, _, rest = path.partition(".")
        root = self.names.get(head, "" if head == "this" else f":{head}")
        if root.startswith(":") and rest:
            root = "?"
        tail = ".".join(_snake(p) for p in rest.split(".") if p)
        return ".".join(p for p in (root, tail) if p)


def _split(items: list[Item]) -> list[list[Item]]:
    """The items between commas."""
    found: list[list[Item]] = [[]]
    for item in items:
        if _is(item, ","):
            found.append([])
        else:
            found[-1].append(item)
    return found


def _path_start(items: list[Item], at: int) -> int:
    """Where the dotted path that ends just before a place begins; the place itself if none."""
    at = at % len(items) if at < 0 else at
    start = at
    if start and _is(items[start - 1], ">"):  # type arguments: `new Map<string, number>(`
        near = range(start - 2, max(start - MAX_TYPES, -1), -1)
        start = next((i for i in near if _is(items[i], "<")), start)
    while start and _name(items[start - 1]):
        start -= 1
        if start > 1 and _is(items[start - 1], ".", "?.") and _name(items[start - 2]):
            start -= 1
        else:
            break
    return start


def _targets(items: list[Item], start: int) -> tuple[str, ...]:
    """The name that an expression's result is assigned to: `const x = `, `this.x = `."""
    before = start - 1
    if before >= 0 and _is(items[before], "await"):
        before -= 1
    if before < 1 or not _is(items[before], "="):
        return ()
    # `x: Type = ` names the variable before the type.
    end = before
    for i in range(before - 1, max(before - 8, -1), -1):
        if _is(items[i], ":"):
            end = i
            break
        if not (_name(items[i]) or _is(items[i], ".", "<", ">", "|")):
            break
    begin = _path_start(items, end)
    return (
        ("".join("." if _is(i, ".") else _name(i) for i in items[begin:end]),)
        if begin < end
        else ()
    )
