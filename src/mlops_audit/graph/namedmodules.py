"""Modules that a program imports by a name that its command line gives it.

`run-pipeline --module-name pipelines.abalone.pipeline` imports that module and calls one of its
functions: nothing in the code says which, the command does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from mlops_audit.facts.types import Command
from mlops_audit.graph.execution import Edge
from mlops_audit.graph.index import CodeIndex, Symbol
from mlops_audit.graph.nodes import Nodes
from mlops_audit.regex import regex

__all__ = ["called_on_computed", "named_modules"]

_IMPORTS = frozenset({"__import__", "importlib.import_module"})
_OPTION = regex(r"--?[\w-]*(module|pipeline|import)[\w-]*", re.IGNORECASE)
_DOTTED = regex(r"[A-Za-z_]\w{0,80}(\.[A-Za-z_]\w{0,80}){0,8}")


def called_on_computed(index: CodeIndex) -> frozenset[str]:
    """The functions that code calls on modules which it imports by a computed name."""
    found: set[str] = set()
    for module in index.modules.values():
        held = {
            (call.scope, target)
            for call in module.calls
            if call.name in _IMPORTS and call.args and not call.args[0].is_literal
            for target in call.targets
        }
        if held:
            found |= {c.method for c in module.calls if (c.scope, c.receiver) in held}
    return frozenset(found)


def named_modules(
    nodes: Nodes, command: Command, folder: str, called: frozenset[str]
) -> Iterator[Edge]:
    """The functions among `called` of the project's modules that a command's options name."""
    index = nodes.sources.index
    for option, word in pairwise(command.argv):
        if not _OPTION.fullmatch(option) or not _DOTTED.fullmatch(word):
            continue
        path = index.module(word, f"{folder}/x.py".lstrip("/"))
        if path is None:
            continue
        for function in index.modules[path].functions:
            if not function.owner and function.name in called:
                yield Edge(nodes.function(Symbol(path, function.qualname, "function")))
