"""Questions about single parts of a shell text's tree, and about one command's words."""

from __future__ import annotations

from mlops_audit.facts.shelltokens import Token
from mlops_audit.facts.shelltree import (
    AndOr,
    Case,
    Func,
    Group,
    If,
    Listing,
    Loop,
    Node,
    Pipe,
    Simple,
)
from mlops_audit.regex import regex

__all__ = [
    "ASSIGNMENT",
    "extent",
    "is_assignment",
    "is_false",
    "joined",
    "node_extent",
    "only_simple",
    "reads_script",
    "remote_command",
    "rescues",
    "returns",
    "shell_script",
]

ASSIGNMENT = regex(r"([A-Za-z_][A-Za-z0-9_]*)(\[[^\]]*\])?\+?=")
_SHELLS = frozenset({"bash", "sh", "zsh", "dash", "ash", "ksh"})
_DEEPEST = 10_000  # commands within commands


def only_simple(tree: AndOr) -> Simple | None:
    """The one simple command that a chain consists of, if it does."""
    if len(tree.items) == 1 and len(tree.items[0].items) == 1:
        node = tree.items[0].items[0]
        return node if isinstance(node, Simple) else None
    return None


def is_assignment(token: Token) -> bool:
    """Whether a word is `NAME=value`."""
    first = token.parts[0] if token.parts else None
    return bool(first and first.kind == "lit" and not first.quoted and ASSIGNMENT.match(token.text))


def rescues(operators: list[str]) -> list[int | None]:
    """For each part of a chain the index of the next `||` behind it."""
    found: list[int | None] = [None]
    for k in range(len(operators) - 1, -1, -1):
        found.append(k if operators[k] == "||" else found[-1])
    return found[::-1]


def returns(node: Node) -> bool:
    """Whether a command that ends things only ends its function."""
    for _ in range(5):
        if isinstance(node, Simple):
            return bool(node.words) and node.words[0].text == "return"
        if not isinstance(node, Group) or not node.body.items:
            return False
        node = node.body.items[-1].items[-1].items[-1]
    return False


def is_false(pipe: Pipe) -> bool:
    """Whether a pipe is the command `false`."""
    node = pipe.items[0] if len(pipe.items) == 1 else None
    false = isinstance(node, Simple) and [t.text for t in node.words] == ["false"]
    return false and not pipe.negated


def joined(*conditions: str) -> str:
    """Conditions as one."""
    return " and ".join(c for c in conditions if c)


def extent(tree: AndOr) -> tuple[int, int]:
    """Where a chain starts and ends in the text."""
    first, last = tree.items[0].items, tree.items[-1].items
    return _edge(first[0], end=False), _edge(last[-1], end=True)


def node_extent(node: Node) -> tuple[int, int]:
    """Where a command starts and ends in the text; the deepest first and last words."""
    return _edge(node, end=False), _edge(node, end=True)


def _edge(node: Node, *, end: bool) -> int:
    """The start or end of a command: one way down, whatever the depth of its groups."""
    for _ in range(_DEEPEST):
        if isinstance(node, Simple):
            tokens = [*node.words, *(t for pair in node.redirects for t in pair if t is not None)]
            return max(t.end for t in tokens) if end else min(t.start for t in tokens)
        if isinstance(node, Func):
            node = node.body
            continue
        trees = [tree for tree in _lists(node) if tree.items]
        if not trees:
            return 0
        at = -1 if end else 0
        node = trees[at].items[at].items[at].items[at]
    return 0


def _lists(node: Group | If | Loop | Case) -> list[Listing]:
    if isinstance(node, Group):
        return [node.body]
    if isinstance(node, If):
        ends = [node.clauses[0][0], node.clauses[-1][1]]
        return [*ends, node.otherwise] if node.otherwise else ends
    if isinstance(node, Loop):
        return [node.condition, node.body] if node.condition else [node.body]
    return [body for _, body in node.clauses]


def shell_script(base: list[str], argv: list[str]) -> tuple[str, bool] | None:
    """The text after `bash -c` (also behind `docker run image sh -c`), and whether it has -e."""
    for k, word in enumerate(base[:40]):
        if word not in _SHELLS:
            continue
        flags = ""
        for j in range(k + 1, min(k + 6, len(base))):
            if not argv[j].startswith("-"):
                if "c" in flags:
                    return argv[j], "e" in flags
                break
            if argv[j] == "-o" or argv[j].startswith("--"):
                continue
            flags += argv[j][1:]
        return None
    return None


def remote_command(argv: list[str]) -> str:
    """The command that `ssh host command…` runs there."""
    k = 1
    while k < len(argv) and argv[k].startswith("-"):
        takes_value = len(argv[k]) == 2 and argv[k][1] in "BbcDEeFIiJLlmOopQRSWw"  # noqa: PLR2004
        k += 2 if takes_value else 1
    return " ".join(argv[k + 1 :])


def reads_script(base: list[str]) -> bool:
    """Whether a command runs the shell text on its standard input."""
    if base[0] in {"ssh", "sshpass"}:
        return True
    shells = [k for k, word in enumerate(base[:20]) if word in _SHELLS]
    return bool(shells) and all(a.startswith("-") or a == "" for a in base[shells[-1] + 1 :])
