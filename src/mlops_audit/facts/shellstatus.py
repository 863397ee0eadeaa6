"""Whose status decides: whether a failing command fails the shell text, as far as text tells."""

from __future__ import annotations

from msgspec.structs import replace

from mlops_audit.facts.shellshapes import ASSIGNMENT, extent, node_extent, only_simple, returns
from mlops_audit.facts.shellstate import Context, State
from mlops_audit.facts.shelltree import AndOr, Group, If, Listing, Node, Pipe, Simple
from mlops_audit.regex import regex

__all__ = ["Statuses"]

_TESTS = frozenset({"[", "[[", "test", "command", "which", "type", "hash", "grep", "true"})
_STATUS_TEST = regex(r"\$\?")
_TAKES_STATUS = regex(r"[{\s]*(?:local\s+)?(?:\w+=\$\?|if\s+\[+\s+\$\?|\[+\s+\$\?)")
_EXIT_FAIL = regex(r"\bexit\s+(?:[1-9]|\$)")


class Statuses:
    """What a walk asks of the tree before it: whose status is handed on, and whose is lost."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.functions: dict[str, Node] = {}
        self.text = ""
        self.exit_names: frozenset[str] = frozenset()

    def aborts(self, context: Context) -> bool:
        """Whether `set -e` acts here."""
        return self.state.errexit and not context.tested

    def passes_on(self, following: list[AndOr]) -> bool:
        """Whether the statements right after a command hand its status on (`exit $?`)."""
        first = only_simple(following[0]) if following else None
        if first is None:
            return bool(following) and self.tests_status(following[0])
        words = [t.text for t in first.words]
        if words and words[0] in {"exit", "return"}:
            return len(words) == 1 or "$?" in words[1]
        if len(words) == 1 and words[0].endswith("=$?"):
            return words[0][:-3] in self.exit_names
        return len(words) == 1 and words[0] in self.functions and self.takes_status(words[0])

    def takes_status(self, name: str) -> bool:
        """Whether a function looks at the status before it first of all, and may leave with it."""
        source = self.source(self.functions[name])
        return bool(_TAKES_STATUS.match(source) and _EXIT_FAIL.search(source))

    def tests_status(self, statement: AndOr) -> bool:
        """`if [ $? -ne 0 ]; then exit 1; fi`, or `[ $? -eq 0 ] || exit 1`."""
        start, end = extent(statement)
        source = self.text[start : end + 200]
        head = source[:60].split("\n", 1)[0]
        return bool(_STATUS_TEST.search(head) and _EXIT_FAIL.search(source))

    def rescued(self, context: Context, pipe: Pipe) -> Context:
        """The context of what stands before `|| pipe`."""
        if context.why:
            return context
        node = pipe.items[0] if len(pipe.items) == 1 else None
        if node is not None and self.fatal(node, context):
            lost = context.lost if returns(node) else ""
            return replace(context, lost=lost, tested=True, tail=True)
        text = " ".join(self.source(node).split()) if node is not None else "…"
        return replace(context, why=f"`|| {text[:40]}`")

    def fatal(self, node: Node, context: Context) -> bool:
        """Whether this command always ends the text with a failure."""
        if isinstance(node, Group):
            last = node.body.items[-1] if node.body.items else None
            simple = only_simple(last) if last else None
            if simple is None:
                return False
            ends = not node.subshell or context.tail or self.aborts(context)
            return ends and self.fatal(simple, context)
        if not isinstance(node, Simple) or not node.words:
            return False
        words = [t.text for t in node.words]
        if words[0] in {"exit", "return"}:
            return len(words) == 1 or words[1].strip("'\"") != "0"
        if words[0] in {"false", "/bin/false"}:
            return context.tail or self.aborts(context)
        if words[0] in self.functions and words[0] in {"die", "fail", "error", "abort", "fatal"}:
            return True
        assigned = ASSIGNMENT.match(words[0])
        value = words[0].partition("=")[2].strip("'\"")
        return bool(assigned and assigned[1] in self.exit_names and value not in {"", "0"})

    def chained(self, pipe: Pipe, operator: str) -> str:
        """The condition that a chain's left side puts on its right side, if it is one."""
        node = pipe.items[0]
        text = " ".join(self.source(node).split())[:120]
        if operator == "||":
            return f"fails: {text}"
        first = node.words[0].text if isinstance(node, Simple) and node.words else ""
        return text if first in _TESTS or pipe.negated else ""

    def gated(self, node: If, condition: Listing, body: Listing, context: Context) -> bool:
        """Whether a failing condition fails the text (`if ! pytest; then exit 1; fi`)."""
        negated = bool(condition.items and condition.items[-1].items[-1].negated)
        target = body if negated else node.otherwise
        return target is not None and self.fatal(Group(target, subshell=False), context)

    def listing_text(self, tree: Listing) -> str:
        """The list as written, on one line."""
        if not tree.items:
            return ""
        start, end = extent(tree.items[0])[0], extent(tree.items[-1])[1]
        negation = "! " if tree.items[0].items[0].negated else ""
        return negation + " ".join(self.text[start:end].split())[:160]

    def source(self, node: Node) -> str:
        """The command as written."""
        start, end = node_extent(node)
        return self.text[start:end].strip()
