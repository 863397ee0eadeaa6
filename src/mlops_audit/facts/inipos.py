"""INI files (tox.ini, setup.cfg, .dvc/config) with positions, in the same `Node`s as YAML."""

from __future__ import annotations

from mlops_audit.facts.decoding import text_to_read
from mlops_audit.facts.nodes import Entry, Node
from mlops_audit.facts.types import Unreadable
from mlops_audit.regex import regex

__all__ = ["load_ini"]

MAX_BYTES = 2 * 1024 * 1024
_SECTION = regex(r"\s*\[([^\]\n]*)\]")
_KEY = regex(r"([^\s=:#;\[][^=:\n]{0,200}?)[ \t]*[=:][ \t]*(.*)")


def load_ini(data: bytes | str, path: str, line: int = 1) -> Node | Unreadable:
    """A map of sections, each a map of texts; values over several lines keep their line ends.

    Args:
        data: the file's bytes or text.
        path: its path, for the span of an `Unreadable`.
        line: the line of the file at which the text starts.
    """
    text = text_to_read(data, path, "INI", MAX_BYTES)
    if isinstance(text, Unreadable):
        return text
    sections: dict[str, Entry] = {}
    entries: dict[str, Entry] = {}
    pending: tuple[str, int, list[str], int] | None = None

    def finish() -> None:
        if pending is not None:
            key, at, parts, _ = pending
            first = next((k for k, p in enumerate(parts) if p.strip()), 0)
            value = "\n".join(parts).strip()
            entries[key] = Entry(key, at, Node("scalar", at, value, at + first, quoted=True))

    for number, raw in enumerate(text.split("\n"), line):
        content = raw.rstrip("\r")
        if content.lstrip().startswith(("#", ";")):
            if pending is not None:
                pending[2].append("")  # keeps the lines below in their places
            continue
        section = _SECTION.match(content)
        if section and "=" not in content.split("]", 1)[0]:
            finish()
            pending = None
            name = section[1].strip()
            known = sections.get(name)
            entries = dict(known.node.entries) if known else {}
            sections[name] = Entry(name, number, Node("map", number, entries=entries))
            continue
        # Git indents its keys: a line goes on with a value only if it is indented deeper.
        depth = len(content) - len(content.lstrip())
        if pending is not None and depth > pending[3]:
            pending[2].append(content.strip())
            continue
        found = _KEY.match(content.lstrip())
        if found:
            finish()
            pending = (found[1].strip(), number, [found[2]], depth)
        elif pending is not None:
            pending[2].append(content.strip())
    finish()
    return Node("map", line, entries=sections)
