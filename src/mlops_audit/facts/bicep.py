"""Bicep modules: which files a deployment reaches from the main files, and which it never does.

Libraries of modules are copied whole into a project; what nothing refers to, or only behind a
condition on a name that nobody gives, is not deployed.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

from msgspec import Struct, field

from mlops_audit.regex import regex

__all__ = ["unreached_files"]

_COMMENT = regex(r"^[ \t]*//[^\n]*", re.MULTILINE)
_MODULE = regex(r"^[ \t]*module[ \t]+\w{1,100}[ \t]+'([^'\n]{1,300}\.bicep)'[ \t]*=", re.MULTILINE)
_CONDITION = regex(r"\s*(?:\[for[^:\n]{1,200}:)?\s*if\s*\(([^\n]{1,300})\)\s*\{")
_PARAM = regex(
    r"^[ \t]*param[ \t]+(\w{1,100})[ \t]+\w{1,60}\??[ \t]*=[ \t]*''[ \t]*$", re.MULTILINE
)
_GIVEN = regex(r"^[ \t]*(\w{1,100})[ \t]*:[ \t]*([^\n]{1,300})$", re.MULTILINE)
_NAMED = regex(r"!empty\((\w{1,100})\)")
_MAIN = regex(r"(^|/)(main|azuredeploy|deploy)[\w.\-]*\.bicep$", re.IGNORECASE)
_BODY = 4000  # characters of one module's parameters
_MOST = 400  # files


class _File(Struct):
    """One file: parameters that are empty unless given, and the modules that it refers to."""

    empty: set[str] = field(default_factory=set)
    modules: list[tuple[str, tuple[str, ...], dict[str, str]]] = field(default_factory=list)


def unreached_files(files: Mapping[str, str]) -> frozenset[str]:
    """The files that no deployment from a main file reaches; none where there is no main file.

    Args:
        files: the text of every Bicep file, by path.
    """
    mains = [p for p in files if _MAIN.search(p)]
    if not mains or len(files) > _MOST:
        return frozenset()
    known = {path: _read(path, text) for path, text in files.items()}
    reached = set(mains)
    # A main file's own parameters may be given from outside: none of them is known to be empty.
    queue: list[tuple[str, frozenset[str]]] = [(p, frozenset()) for p in mains]
    seen = set(queue)
    while queue:
        path, empty = queue.pop()
        for target, names, given in known[path].modules:
            if target not in known or any(n in empty for n in names):
                continue
            reached.add(target)
            void = frozenset(
                n for n in known[target].empty if n not in given or given[n] in empty | {"''"}
            )
            if (target, void) not in seen:
                seen.add((target, void))
                queue.append((target, void))
    return frozenset(files) - reached


def _read(path: str, text: str) -> _File:
    text = _COMMENT.sub("", text)
    found = _File({m[1] for m in _PARAM.finditer(text)})
    for module in _MODULE.finditer(text):
        place = posixpath.normpath(posixpath.join(posixpath.dirname(path), module[1]))
        condition = _CONDITION.match(text, module.end())
        names = (
            tuple(_NAMED.findall(condition[1])) if condition and "||" not in condition[1] else ()
        )
        start = text.find("params", module.end(), module.end() + _BODY)
        following = _MODULE.search(text, module.end())
        end = min(following.start() if following else len(text), module.end() + _BODY)
        body = text[start:end] if 0 <= start < end else ""
        found.modules.append((place, names, {m[1]: m[2].strip() for m in _GIVEN.finditer(body)}))
    return found
