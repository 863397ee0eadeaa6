"""The files of a GitLab pipeline, merged: includes, `extends` and `!reference`."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct, field
from msgspec.structs import replace

from mlops_audit.facts.cicommon import inside, root_map
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.types import Getter, Unreadable
from mlops_audit.model import Span

__all__ = ["MAX_EXTENDS", "Field", "Fields", "Pipeline"]

MAX_INCLUDES = 100
MAX_EXTENDS = 11  # GitLab's own limit of levels
_GLOBAL = frozenset(
    [
        "default",
        "include",
        "stages",
        "variables",
        "workflow",
        "image",
        "services",
        "cache",
        "before_script",
        "after_script",
        "spec",
    ]
)


class Field(Struct, frozen=True):
    """A key of a job with the file it stands in."""

    path: str
    line: int
    node: Node


Fields = dict[str, Field]


class Pipeline(Struct):
    """All files of a pipeline, merged in GitLab's order: the including file wins."""

    getter: Getter
    calls: tuple[str, ...]
    top: dict[str, Field] = field(default_factory=dict)
    jobs: dict[str, Fields] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
    unreadable: list[Unreadable] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def add(self, path: str, root: Node) -> None:
        """Merge a file after the files that it includes."""
        self.seen.add(path)
        for local, line in self._includes(path, root):
            data = self.getter(local)
            node = root_map(data, local) if data is not None else None
            if isinstance(node, Node):
                self.add(local, node)
            else:
                reason = node.reason if node is not None else "is not in the repository"
                self.unreadable.append(Unreadable(Span(path, line), f"include {local}: {reason}"))
        for entry in root.entries.values():
            if entry.key in _GLOBAL:
                self.top[entry.key] = _merged(self.top.get(entry.key), path, entry.line, entry.node)
            elif entry.node.kind == "map":
                fields = self.jobs.setdefault(entry.key, {})
                for key, inner in entry.node.entries.items():
                    fields[key] = _merged(fields.get(key), path, inner.line, inner.node)
                self.spans[entry.key] = Span(path, entry.line)

    def _includes(self, path: str, root: Node) -> Iterator[tuple[str, int]]:
        include = root.get("include")
        for node in include.many() if include is not None else ():
            local = node.text or node.str_at("local")
            if not local or local.startswith(("http:", "https:")) or "*" in local:
                what = local or next((f"{k} {v.text}" for k, v in node.items()), "")
                reason = f"include {what}: not a file of this repository that can be named"
                self.unreadable.append(Unreadable(Span(path, node.line), reason))
                continue
            local = inside(local)
            if local and local not in self.seen and len(self.seen) < MAX_INCLUDES:
                yield local, node.line

    def fields(self, name: str, depth: int = 0) -> Fields:
        """A job's keys with those of what it extends below its own."""
        own = self.jobs.get(name, {})
        extends = own.get("extends")
        if extends is None or depth > MAX_EXTENDS:
            return own
        found: Fields = {}
        for parent in (*extends.node.strings(), ""):
            above = self.fields(parent, depth + 1) if parent else own
            for key, item in above.items():
                found[key] = _merged(found.get(key), item.path, item.line, item.node)
        return found

    def pieces(self, item: Field | None, depth: int = 0) -> Iterator[Field]:
        """The script lines of a key, lists flattened and `!reference` followed."""
        if item is None or depth > MAX_EXTENDS:
            return
        node = item.node
        if node.tag == "!reference":
            yield from self.pieces(self.referenced(node), depth + 1)
        elif node.kind == "list":
            for member in node.children:
                yield from self.pieces(Field(item.path, member.line, member), depth + 1)
        elif node.kind == "scalar":
            yield item

    def referenced(self, node: Node) -> Field | None:
        """What a `!reference [job, key, …]` points at."""
        names = node.strings()
        if not names:
            return None
        found = self.fields(names[0]).get(names[1]) if len(names) > 1 else None
        if found is None:
            return None
        below = found.node.get(*names[2:])
        return None if below is None else Field(found.path, below.line, below)

    def default(self, key: str) -> Field | None:
        """A key of `default:` or, as older files have it, of the top."""
        block = self.top.get("default")
        node = block.node.get(key) if block is not None else None
        if block is not None and node is not None:
            return Field(block.path, node.line, node)
        return self.top.get(key)


def _merged(old: Field | None, path: str, line: int, node: Node) -> Field:
    """Maps are merged key by key, everything else is replaced."""
    if old is None or old.node.kind != "map" or node.kind != "map":
        return Field(path, line, node)
    return Field(path, line, replace(node, entries={**old.node.entries, **node.entries}))
