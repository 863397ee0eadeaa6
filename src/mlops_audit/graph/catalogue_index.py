"""Indexes over the catalogue's rows, one for each way in which a pattern is written.

Each looks a key up in a dictionary and checks the few rows that it finds.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence

from mlops_audit.graph.catalogue_rows import Row, Tool
from mlops_audit.regex import regex

__all__ = [
    "CallIndex",
    "CommandIndex",
    "FileIndex",
    "PrefixIndex",
    "TableIndex",
    "hook_keys",
    "owners_of",
]

Found = tuple[Tool, Row]
# Receivers of a class or function of the module itself, as the Python reader writes them.
_OWN_CLASS = regex(r":[A-Z]\w*\.\w+")
_PYTHON = regex(r"(?:python|pypy|py)[0-9.]*(?:\.exe)?")
_CUT = regex(r"[/@:]")


def owners_of(name: str, modules: Mapping[str, list[Tool]]) -> list[Tool]:
    """The tools whose module is the longest prefix of a dotted name."""
    prefix = name
    while prefix:
        if prefix in modules:
            return modules[prefix]
        prefix = prefix.rpartition(".")[0]
    return []


class CallIndex:
    """Dotted names with wildcards.

    `*` is one segment or a part of one, `**` any number (at the end at least one). A leading
    `*.` is any receiver that belongs to no other tool and not to the standard library, a leading
    `?.` a receiver that is not known at all; both count only where one of the tool's modules is
    imported.
    """

    __slots__ = ("_ends", "_exact", "_imported", "_memo", "_methods", "_modules", "_starts")

    def __init__(self, entries: Iterable[Found], modules: Mapping[str, list[Tool]]) -> None:
        self._modules = modules
        self._exact: dict[str, list[Found]] = {}
        self._ends: dict[tuple[str, str], list[tuple[tuple[str, ...], Found]]] = {}
        self._starts: dict[str, list[tuple[tuple[str, ...], Found]]] = {}
        self._methods: dict[str, list[tuple[str, Found]]] = {}
        self._memo: dict[str, tuple[tuple[Found, ...], tuple[Found, ...]]] = {}
        self._imported: dict[frozenset[str], frozenset[str]] = {}
        for found in entries:
            pattern = found[1].pattern
            if pattern[:2] in {"*.", "?."}:
                tail = pattern[1:]
                self._methods.setdefault(pattern.rpartition(".")[2], []).append((tail, found))
            elif "*" not in pattern:
                self._exact.setdefault(pattern, []).append(found)
            else:
                parts = tuple(pattern.split("."))
                if "*" not in parts[-1]:
                    self._ends.setdefault((parts[0], parts[-1]), []).append((parts, found))
                else:
                    literal = len(parts) > 1 and "*" not in parts[1]
                    start = ".".join(parts[:2]) if literal else parts[0]
                    self._starts.setdefault(start, []).append((parts, found))

    def find(self, name: str, imports: frozenset[str]) -> list[Found]:
        """Rows for a call, in the order of tools and of their rows."""
        if not name:
            return []
        plain, methods = self._memo.get(name) or self._remember(name)
        if not methods:
            return list(plain)
        prefixes = self._imported.get(imports)
        if prefixes is None:
            prefixes = frozenset(_prefixes(imports))
            self._imported[imports] = prefixes
        here = [found for found in methods if any(m in prefixes for m in found[0].modules)]
        return [*plain, *here]

    def _remember(self, name: str) -> tuple[tuple[Found, ...], tuple[Found, ...]]:
        root, _, _ = name.partition(".")
        last = name.rpartition(".")[2]
        plain = list(self._exact.get(name, ()))
        segments = tuple(name.split("."))
        for bucket in (
            self._ends.get((root, last), ()),
            self._starts.get(".".join(segments[:2]), ()) if len(segments) > 1 else (),
            self._starts.get(root, ()),
        ):
            plain.extend(found for parts, found in bucket if _fits(parts, segments))
        methods: list[Found] = []
        bucket_of_last = self._methods.get(last)
        if bucket_of_last:
            unknown = _unknown(name)
            owners = [] if unknown else owners_of(name, self._modules)
            foreign = not owners and root in sys.stdlib_module_names
            for tail, found in bucket_of_last:
                if len(name) > len(tail) and name.endswith(tail):
                    any_receiver = found[1].pattern[0] == "*"
                    own = found[0] in owners or not (owners or foreign)
                    if unknown or (any_receiver and own):
                        methods.append(found)
        # The same capability of the same tool by two patterns is one piece of evidence.
        seen = {(tool.key, row.capability, row.details): (tool, row) for tool, row in plain}
        known = {(tool.key, row.capability) for tool, row in plain}
        rest = {
            (tool.key, row.capability, row.details): (tool, row)
            for tool, row in methods
            if (tool.key, row.capability) not in known
        }
        entry = (tuple(seen.values()), tuple(rest.values()))
        self._memo[name] = entry
        return entry


def _unknown(name: str) -> bool:
    """Whether nothing is known of a call's receiver.

    That is `?.fit`, and what starts with `:` but for a method of one of the module's own classes
    (`:Net.fit`): an attribute of unknown type or the result of one of its functions.
    """
    return name[0] == "?" or (name[0] == ":" and not _OWN_CLASS.fullmatch(name))


def _prefixes(imports: Iterable[str]) -> Iterable[str]:
    for name in imports:
        prefix = name
        while prefix:
            yield prefix
            prefix = prefix.rpartition(".")[0]


def _fits(pattern: tuple[str, ...], segments: tuple[str, ...]) -> bool:
    """Whether segments match; `**` takes one or more at the end, elsewhere any number."""
    if "**" not in pattern:
        return len(pattern) == len(segments) and _same(pattern, segments)
    at = pattern.index("**")
    if len(segments) < at or not _same(pattern[:at], segments):
        return False
    tail = pattern[at + 1 :]
    if not tail:
        return len(segments) > at
    if "**" in tail:
        return any(_fits(tail, segments[i:]) for i in range(at, len(segments)))
    return len(segments) >= at + len(tail) and _same(tail, segments[len(segments) - len(tail) :])


def _same(pattern: Sequence[str], segments: Sequence[str]) -> bool:
    # zip stops at the pattern's end: callers have compared the lengths.
    return all(_like(p, s) for p, s in zip(pattern, segments, strict=False))


def _like(pattern: str, segment: str) -> bool:
    """Whether a segment is the pattern's, in which each `*` stands for any characters."""
    if pattern == segment:
        return True
    first, *middle = pattern.split("*")
    if not middle or not segment.startswith(first):
        return False
    last = middle.pop()
    at = len(first)
    for part in middle:
        found = segment.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(segment) - at >= len(last) and segment.endswith(last)


class CommandIndex:
    """Argument vectors by their first words; options between the words are stepped over."""

    __slots__ = ("_programs",)

    def __init__(self, entries: Iterable[Found]) -> None:
        self._programs: dict[str, list[tuple[tuple[str, ...], tuple[str, ...], Found]]] = {}
        for found in entries:
            program, *rest = found[1].pattern.split()
            words = tuple(word for word in rest if not word.startswith("-"))
            flags = tuple(word for word in rest if word.startswith("-"))
            self._programs.setdefault(program, []).append((words, flags, found))

    def find(self, argv: Sequence[str]) -> list[tuple[Tool, Row, bool, str]]:
        """Rows for a command, each with whether it is soft and why."""
        names, args = _program(argv)
        if "--help" in args or "--version" in args:
            return []
        hits: dict[tuple[str, str, str], tuple[Tool, Row, bool, str]] = {}
        for name in names:
            for words, flags, (tool, row) in self._programs.get(name, ()):
                if not _leads(words, args) or not all(_given(flag, args) for flag in flags):
                    continue
                soft = _softness(row, args)
                if soft is not None:
                    hits.setdefault(
                        (tool.key, row.capability, row.details.kind), (tool, row, *soft)
                    )
        return list(hits.values())


def _program(argv: Sequence[str]) -> tuple[tuple[str, ...], Sequence[str]]:
    """The names that a program may stand under in the catalogue, and its arguments."""
    if not argv:
        return (), ()
    name = argv[0].rpartition("/")[2].removesuffix(".exe")
    args = argv[1:]
    if not _PYTHON.fullmatch(name):
        return (name,), args
    for index, word in enumerate(args):
        if word == "-m" and index + 1 < len(args):
            module = args[index + 1]
            return tuple(dict.fromkeys((module, module.replace("_", "-")))), args[index + 2 :]
        if not word.startswith("-"):
            if word.endswith("/setup.py"):  # of a package in a folder
                args = [*args[:index], "setup.py", *args[index + 1 :]]
            break
    return (name.rstrip("0123456789."),), args


def _leads(words: Sequence[str], args: Sequence[str]) -> bool:
    """Whether the words come first among the arguments, but for options and their values."""
    wanted = iter(words)
    word = next(wanted, None)
    after_option = False
    for arg in args:
        if word is None:
            break
        if arg == word:
            word = next(wanted, None)
            after_option = False
        elif arg.startswith("-"):
            after_option = "=" not in arg
        elif after_option:
            after_option = False
        else:
            return False
    return word is None


def _given(flag: str, args: Sequence[str]) -> bool:
    return any(arg == flag or arg.startswith(f"{flag}=") for arg in args)


def _softness(row: Row, args: Sequence[str]) -> tuple[bool, str] | None:
    """Whether the command cannot fail, and why; None where the row does not match at all."""
    details = row.details
    if any(_given(word, args) for word in details.without):
        return None
    if details.needs_any and not any(_given(flag, args) for flag in details.needs_any):
        if not details.soft_without:
            return None
        return True, details.why or f"without {' or '.join(details.needs_any)} it cannot fail"
    for flag in details.soft_with:
        if _given(flag, args) or (" " in flag and _has_words(flag.split(), args)):
            return True, f"with {flag} it cannot fail"
    return details.soft, details.why


def _has_words(words: Sequence[str], args: Sequence[str]) -> bool:
    size = len(words)
    return any(list(args[i : i + size]) == words for i in range(len(args) - size + 1))


class PrefixIndex:
    """References such as `owner/name/path@v1` or `registry/image:tag`, by prefix, without case."""

    __slots__ = ("_prefixes",)

    def __init__(self, entries: Iterable[Found]) -> None:
        self._prefixes: dict[str, list[Found]] = {}
        for found in entries:
            self._prefixes.setdefault(found[1].pattern.lower(), []).append(found)

    def find(self, ref: str) -> list[Found]:
        """Rows whose pattern ends at a `/`, `@`, `:` of the reference or at its end."""
        low = ref.strip().lower()
        ends = [cut.start() for cut in _CUT.finditer(low[:500])]
        return [found for end in (*ends, len(low)) for found in self._prefixes.get(low[:end], ())]


class TableIndex:
    """Exact keys, without case unless `fold` is off."""

    __slots__ = ("_exact", "_fold")

    def __init__(self, entries: Iterable[Found], *, fold: bool = True) -> None:
        self._fold = fold
        self._exact: dict[str, list[Found]] = {}
        for found in entries:
            pattern = found[1].pattern.lower() if fold else found[1].pattern
            self._exact.setdefault(pattern, []).append(found)

    def find(self, *keys: str) -> list[Found]:
        """Rows for any of the keys, each row once."""
        unique = dict.fromkeys(key.lower() if self._fold else key for key in keys)
        return [found for key in unique for found in self._exact.get(key, ())]


def hook_keys(hook_id: str, repo: str) -> tuple[str, ...]:
    """What a hook stands under: its id and its repository's `owner/name`."""
    owner_name = "/".join(repo.rstrip("/").removesuffix(".git").split("/")[-2:])
    return (hook_id, owner_name) if "/" in owner_name else (hook_id,)


class FileIndex:
    """Path globs, looked up by their last part's literal name or ending.

    A glob without a slash matches at any depth, one with slashes at any folder's boundary; `*`
    stays within a part, `**` does not.
    """

    __slots__ = ("_endings", "_names", "_others")

    def __init__(self, entries: Iterable[Found]) -> None:
        self._names: dict[str, list[Found]] = {}
        self._endings: dict[str, list[Found]] = {}
        self._others: list[Found] = []
        for found in entries:
            last = found[1].pattern.lower().rpartition("/")[2]
            if "*" not in last:
                self._names.setdefault(last, []).append(found)
            elif "." in last and "*" not in last.rpartition(".")[2]:
                self._endings.setdefault(last.rpartition(".")[2], []).append(found)
            else:
                self._others.append(found)

    def find(self, path: str) -> list[Found]:
        """Rows whose glob matches the path, without case."""
        low = path.lower()
        last = low.rpartition("/")[2]
        buckets = (
            self._names.get(last, ()),
            self._endings.get(last.rpartition(".")[2], ()),
            self._others,
        )
        return [
            found for bucket in buckets for found in bucket if _glob(found[1].pattern).search(low)
        ]


_GLOBS: dict[str, re.Pattern[str]] = {}
_GLOB_PARTS = regex(r"\*\*/|\*\*|\*")
_GLOB_MEANING = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*"}


def _glob(pattern: str) -> re.Pattern[str]:
    compiled = _GLOBS.get(pattern)
    if compiled is None:
        text: list[str] = []
        at = 0
        low = pattern.lower()
        for part in _GLOB_PARTS.finditer(low):
            text += [re.escape(low[at : part.start()]), _GLOB_MEANING[part[0]]]
            at = part.end()
        text.append(re.escape(low[at:]))
        compiled = re.compile(rf"(?:^|/){''.join(text)}\Z")
        _GLOBS[pattern] = compiled
    return compiled
