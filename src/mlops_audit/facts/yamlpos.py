"""Guarded YAML with positions: the only place that calls a YAML parser.

The event stream of libyaml is turned into `Node`s in one pass, so that size, depth and aliases
are held to bounds before anything is built. No Python object is ever constructed by a tag.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import yaml
from msgspec import Struct, field

from mlops_audit.facts.decoding import text_to_read
from mlops_audit.facts.nodes import Entry, Node, Plain, Scalar, is_null_text, null_node
from mlops_audit.facts.types import Unreadable
from mlops_audit.model import Span

__all__ = ["Entry", "Node", "Plain", "Scalar", "load_yaml", "load_yaml_all"]

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 100
# A node counts once for each place at which an alias repeats it ("billion laughs").
MAX_NODES = 400_000
MAX_DOCUMENTS = 2_000

_STANDARD = "tag:yaml.org,2002:"
# Tags that only restate the kind; a text under them keeps its plain reading.
_NEUTRAL = frozenset({"!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq", "!!set", "!!omap"})


class _Loader(Protocol):
    def get_event(self) -> yaml.Event: ...

    def dispose(self) -> None: ...


class _RefusedError(Exception):
    """A bound was passed; the message says which."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


class _Built(Struct, frozen=True):
    """A node with its size and height, both counted through aliases."""

    node: Node
    size: int
    height: int


class _Builder(Struct):
    """Builds one document after the other from a loader's events."""

    loader: _Loader
    anchors: dict[str, _Built | None] = field(default_factory=dict)
    total: int = 0

    def documents(self) -> Iterator[Node]:
        """The root node of each document; an empty document is a null node."""
        while True:
            event = self.loader.get_event()
            if event is None or isinstance(event, yaml.StreamEndEvent):
                return
            if isinstance(event, yaml.DocumentStartEvent):
                self.anchors.clear()
                built = self._build(self.loader.get_event(), 0)
                self.total += built.size
                if self.total > MAX_NODES:
                    raise _RefusedError(
                        f"more than {MAX_NODES} nodes, aliases followed", _line(event)
                    )
                yield built.node

    def _build(self, event: yaml.Event, depth: int) -> _Built:
        if depth > MAX_DEPTH:
            raise _RefusedError(f"nested deeper than {MAX_DEPTH} levels", _line(event))
        anchor: str | None = getattr(event, "anchor", None)
        if isinstance(event, yaml.ScalarEvent):
            built = _Built(_scalar(event), 1, 1)
        elif isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        else:
            # An anchor inside its own node would be a cycle: known, but without a value yet.
            if anchor:
                self.anchors[anchor] = None
            if isinstance(event, yaml.MappingStartEvent):
                built = self._map(event, depth)
            else:
                built = self._list(event, depth)
            if built.size > MAX_NODES or built.height > MAX_DEPTH:
                raise _RefusedError(
                    "too large or too deep once its aliases are followed", _line(event)
                )
        if anchor:
            self.anchors[anchor] = built
        return built

    def _alias(self, event: yaml.AliasEvent) -> _Built:
        if event.anchor not in self.anchors:
            raise _RefusedError(f"alias *{event.anchor} names no anchor", _line(event))
        built = self.anchors[event.anchor]
        if built is None:
            raise _RefusedError(f"alias *{event.anchor} contains itself", _line(event))
        return built

    def _list(self, start: yaml.Event, depth: int) -> _Built:
        members: list[Node] = []
        size = height = 1
        while not isinstance(event := self.loader.get_event(), yaml.SequenceEndEvent):
            built = self._build(event, depth + 1)
            members.append(built.node)
            size += built.size
            height = max(height, built.height + 1)
            if size > MAX_NODES:
                raise _RefusedError(f"more than {MAX_NODES} nodes, aliases followed", _line(event))
        node = Node("list", _line(start), tag=_tag(start), children=tuple(members))
        return _Built(node, size, height)

    def _map(self, start: yaml.Event, depth: int) -> _Built:
        entries: dict[str, Entry] = {}
        merged: list[Node] = []
        size = height = 1
        while not isinstance(event := self.loader.get_event(), yaml.MappingEndEvent):
            line = _line(event)
            key = self._build(event, depth + 1)
            value = self._build(self.loader.get_event(), depth + 1)
            size += key.size + value.size
            height = max(height, key.height + 1, value.height + 1)
            if size > MAX_NODES:
                raise _RefusedError(f"more than {MAX_NODES} nodes, aliases followed", line)
            if key.node.kind in ("map", "list"):
                continue  # a key that is no text names nothing a reader asks for
            name = key.node.text
            if name == "<<" and not key.node.quoted:
                merged.extend(value.node.many())
            else:
                entries.pop(name, None)
                entries[name] = Entry(name, line, value.node)
        for node in merged:
            for name, entry in node.entries.items():
                entries.setdefault(name, entry)
        return _Built(Node("map", _line(start), tag=_tag(start), entries=entries), size, height)


def load_yaml(data: bytes | str, path: str) -> Node | Unreadable:
    """The first document of a YAML file.

    Args:
        data: the file's bytes or text.
        path: its path in the repository, for the span of an `Unreadable`.

    Returns:
        The root node (kind `null` for an empty file), or an `Unreadable` that says why not:
        no UTF-8, no YAML, a template that is not rendered, too large, too deep, cyclic. Never
        raises.
    """
    documents = _load(data, path, first=True)
    if isinstance(documents, Unreadable):
        return documents
    return documents[0] if documents else null_node(1)


def load_yaml_all(data: bytes | str, path: str) -> tuple[Node, ...] | Unreadable:
    """All documents of a YAML file; `Unreadable` when any of them cannot be read."""
    return _load(data, path, first=False)


def _load(data: bytes | str, path: str, *, first: bool) -> tuple[Node, ...] | Unreadable:
    text = text_to_read(data, path, "YAML", MAX_BYTES)
    if isinstance(text, Unreadable):
        return text
    loader: _Loader | None = None
    try:
        loader = _loader(text)
        documents: list[Node] = []
        for node in _Builder(loader).documents():
            documents.append(node)
            if first or len(documents) >= MAX_DOCUMENTS:
                break
        return tuple(documents)
    except _RefusedError as error:
        return Unreadable(Span(path, error.line), f"YAML {error.reason}")
    except yaml.YAMLError as error:
        return _broken(error, text, path)
    except (ValueError, RecursionError, MemoryError, AttributeError, TypeError):
        # libyaml's binding raises these for lone surrogates and out-of-range escapes.
        return Unreadable(Span(path), "YAML with characters that no parser accepts")
    finally:
        if loader is not None:
            loader.dispose()


def _loader(text: str) -> _Loader:
    loader: _Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    return loader


def _broken(error: yaml.YAMLError, text: str, path: str) -> Unreadable:
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark is not None else None
    if "{{" in text or "{%" in text:
        return Unreadable(Span(path, line), "a template ({{ … }}): no YAML until it is rendered")
    problem = getattr(error, "problem", None) or "characters that YAML does not allow"
    return Unreadable(Span(path, line), f"no YAML: {problem}")


def _line(event: yaml.Event) -> int:
    mark = event.start_mark
    return int(mark.line) + 1 if mark is not None else 1


def _tag(event: yaml.Event) -> str:
    tag: str | None = getattr(event, "tag", None)
    if not tag or tag == "!":
        return ""
    return f"!!{tag.removeprefix(_STANDARD)}" if tag.startswith(_STANDARD) else tag


def _scalar(event: yaml.ScalarEvent) -> Node:
    line = _line(event)
    text: str = event.value
    style = event.style
    tag = _tag(event)
    quoted = style in ("'", '"', "|", ">") or (bool(tag) and tag not in _NEUTRAL)
    if not quoted and is_null_text(text):
        return Node("null", line, text, line)
    if tag in _NEUTRAL:
        quoted = False
        tag = ""
    block = style in ("|", ">")
    return Node("scalar", line, text, line + 1 if block else line, tag, quoted)
