"""The walk over a shell text's tree: state (variables, folder, options) and exit statuses."""

from __future__ import annotations

import fnmatch
import re

from msgspec.structs import replace

from mlops_audit.facts.shellbuiltins import DECLARE, run_builtin
from mlops_audit.facts.shellshapes import (
    is_assignment,
    is_false,
    joined,
    reads_script,
    remote_command,
    rescues,
    shell_script,
)
from mlops_audit.facts.shellstate import Context, State
from mlops_audit.facts.shellstatus import Statuses
from mlops_audit.facts.shelltokens import tokenize
from mlops_audit.facts.shelltree import (
    AndOr,
    Case,
    Group,
    If,
    Listing,
    Loop,
    Node,
    Pipe,
    Simple,
    parse_tokens,
)
from mlops_audit.facts.shellwords import Words, literal
from mlops_audit.facts.types import Command
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = ["Walk"]

_MAX_COMMANDS = 5_000
_MAX_STEPS = 30_000
_MAX_CALLS = 8  # functions within functions, scripts within scripts
_MAX_ROUNDS = 8  # a literal `for` list up to this length is unrolled
_MAX_TEXT = 2_000
_LOST_END = "a later command decides the exit status (no `set -e`)"
_LOST_PIPE = "its status is lost in a pipe (no `pipefail`)"
_LOST_AND = "a failure before the last `&&` does not stop the text"
_DYNAMIC = regex(r"^\"?\$\{?(?:@|\*|[0-9]|[A-Za-z_])")
_EXIT_NAME = regex(r"\b(?:exit|return)\s+\"?\$\{?([A-Za-z_][A-Za-z0-9_]*)")
_TESTED_NAME = regex(r"(?:\[|\(\()[^\n]{0,80}?\$\{?([A-Za-z_][A-Za-z0-9_]*)")


class Walk(Statuses):
    """Walks one text; `commands` holds what was found."""

    def __init__(
        self,
        path: str,
        line: int,
        cell: int | None,
        *,
        args: tuple[str, ...] = (),
        variables: dict[str, str],
    ) -> None:
        super().__init__(State(variables=dict(variables), args=args or None))
        self.path, self.line, self.cell = path, line, cell
        self.commands: list[Command] = []
        self.called: set[str] = set()
        self.dynamic = False
        self.steps = 0
        self.stopped = False  # an `exit` or `return` was passed: nothing after it runs
        self.returned = False
        self.may_return = False  # a `return` stands anywhere in the function that is walked
        self.words = Words(self)

    # -- whole texts ---------------------------------------------------------------------------
    def run(self, tree: Listing, context: Context, text: str) -> None:
        """Walk a text's tree; functions that only a variable could call are added at the end."""
        outer = self.text, self.exit_names, self.functions, self.called, self.dynamic
        self.text = text
        self.exit_names = frozenset(_EXIT_NAME.findall(text) + _TESTED_NAME.findall(text))
        self.functions, self.called, self.dynamic = dict(self.functions), set(), False
        self.listing(tree, context)
        if self.dynamic:
            for name in sorted(set(self.functions) - self.called - set(outer[2])):
                note = f"function {name}, called by a variable's value"
                self.stopped = False
                self.call(name, (), replace(context, condition=note))
        self.stopped = False
        self.text, self.exit_names, self.functions, self.called, self.dynamic = outer

    def nested(self, text: str, line: int, context: Context, *, errexit: bool) -> None:
        """Walk a text within the text: a substitution, `bash -c`, a heredoc fed to a shell."""
        if context.calls >= _MAX_CALLS or not text.strip():
            return
        outer = self.line, self.state
        self.line = self.line + line - 1
        self.state = self.state.copy()
        self.state.errexit = errexit
        inside = replace(context.inside(aborts=True), calls=context.calls + 1, tested=False)
        self.run(parse_tokens(tokenize(text)), inside, text)
        self.line, self.state = outer

    # -- lists and statuses --------------------------------------------------------------------
    def listing(self, tree: Listing, context: Context) -> None:
        """Walk the statements in order."""
        for k, statement in enumerate(tree.items):
            self.steps += 1
            if self.stopped or self.steps > _MAX_STEPS or len(self.commands) >= _MAX_COMMANDS:
                return
            following = tree.items[k + 1 :][:3]
            handed = self.passes_on(following)
            last = k + 1 == len(tree.items) or handed
            here = replace(context, tail=context.tail and last)
            if statement.background:
                here = replace(here, why=here.why or "runs in the background (`&`)")
            elif handed:
                here = replace(here, lost="", tail=True)
            elif not here.tail and not self.aborts(here):
                here = replace(here, lost=here.lost or _LOST_END)
            self.and_or(statement, here)

    def and_or(self, tree: AndOr, context: Context) -> None:
        """Walk a chain of `&&` and `||`, giving each part the fate of its status."""
        condition = context.condition
        saved = rescues(tree.ops)
        for k, pipe in enumerate(tree.items):
            here = replace(context, condition=condition)
            rescue = saved[k]
            if rescue is not None:
                here = self.rescued(here, tree.items[rescue + 1])
            elif k + 1 < len(tree.items):
                lost = here.lost if here.tail else here.lost or _LOST_AND
                here = replace(here, lost=lost, tested=True)
            if is_false(pipe) and tree.ops[k : k + 1] == ["&&"]:
                return  # `false && …` never runs what follows
            stopped = self.stopped
            self.pipe(pipe, here)
            if k and self.stopped and not stopped:
                self.stopped = False  # an `exit` after `&&` or `||` is conditional
            if k < len(tree.ops):
                condition = joined(context.condition, self.chained(pipe, tree.ops[k]))

    def pipe(self, tree: Pipe, context: Context) -> None:
        """Walk a pipeline: without `pipefail` only the last command decides."""
        if tree.negated and not context.why and not context.tail:
            context = replace(context, lost="`!` does not stop the text")
        piped = ""
        for k, node in enumerate(tree.items):
            here = replace(context, stdin=piped or context.stdin)
            last = k + 1 == len(tree.items)
            if not last and not self.state.pipefail and not here.why:
                here = replace(here, why=_LOST_PIPE)
            piped = "" if last else self.printed(node)
            if len(tree.items) > 1:
                outer, self.state = self.state, self.state.copy()
                self.node(node, here.inside(aborts=self.aborts(here)))
                self.state, self.stopped = outer, False
            else:
                self.node(node, here)

    def printed(self, node: Node) -> str:
        """What `echo`, `printf` or a `cat` of a heredoc prints into a pipe."""
        if not isinstance(node, Simple) or not node.words:
            return ""
        first = node.words[0].text
        if first == "cat" and len(node.words) == 1:
            return self.words.stdin(node.redirects)
        if first in {"echo", "printf"}:
            return " ".join(w for t in node.words[1:] for w in self.words.expand(t))
        return ""

    # -- compound commands ---------------------------------------------------------------------
    def node(self, node: Node, context: Context) -> None:
        """Walk any command."""
        if isinstance(node, Simple):
            self.simple(node, context)
        elif isinstance(node, Group):
            self.group(node, context)
        elif isinstance(node, If):
            self.if_(node, context)
        elif isinstance(node, Loop):
            self.loop(node, context)
        elif isinstance(node, Case):
            self.case(node, context)
        elif len(self.functions) < _MAX_COMMANDS:
            self.functions[node.name] = node.body

    def group(self, node: Group, context: Context) -> None:
        """Walk `{ …; }` and `( … )`; a subshell's state ends with it."""
        fed = self.words.stdin(node.redirects)
        if fed:
            context = replace(context, stdin=fed)
        if not node.subshell:
            self.listing(node.body, context)
            return
        outer, self.state = self.state, self.state.copy()
        self.listing(node.body, context.inside(aborts=self.aborts(context)))
        self.state, self.stopped = outer, False

    def if_(self, node: If, context: Context) -> None:
        """Walk an `if`: conditions, and bodies under their condition."""
        stops: list[bool] = []
        for condition, body in node.clauses:
            text = self.listing_text(condition)
            gate = self.gated(node, condition, body, context)
            why = context.why or ("" if gate else "it is the condition of an `if`")
            lost = "" if gate else context.lost
            self.listing(condition, replace(context, why=why, lost=lost, tail=gate, tested=True))
            if text in {"false", "[ 1 -eq 0 ]", "[ 0 -eq 1 ]", "[[ false ]]"}:
                continue
            stops.append(self.branch(body, context, text))
        if node.otherwise is not None:
            text = "not " + self.listing_text(node.clauses[0][0])
            stops.append(self.branch(node.otherwise, context, text))
            self.stopped = self.stopped or all(stops)

    def branch(self, body: Listing, context: Context, text: str) -> bool:
        """Walk a conditional body; whether it always leaves the text."""
        before = self.stopped
        self.listing(body, replace(context, condition=joined(context.condition, text)))
        left, self.stopped = self.stopped, before
        return left

    def loop(self, node: Loop, context: Context) -> None:
        """Walk a loop; a short literal `for` list is unrolled."""
        note = context.condition
        if node.condition is not None:
            why = context.why or f"it is the condition of a `{node.kind}`"
            self.listing(node.condition, replace(context, why=why, tested=True))
            note = joined(note, f"{node.kind} {self.listing_text(node.condition)}")
        words = [w for t in node.words for w in self.words.expand(t)]
        before = self.stopped
        plain = [w for w in words if literal(w) and not re.search(r"[*?\[]", w)]
        if node.variable and words and len(plain) == len(words) <= _MAX_ROUNDS:
            for word in words:
                self.words.assign(node.variable, word)
                self.listing(node.body, context)
                self.stopped = before
        else:
            self.state.variables.pop(node.variable, None)
            self.listing(node.body, replace(context, condition=note))
        self.stopped = before

    def case(self, node: Case, context: Context) -> None:
        """Walk a `case`; a literal word chooses its clause."""
        words = self.words.expand(node.word) if node.word else []
        subject = " ".join(words)
        stops: list[bool] = []
        for patterns, body in node.clauses:
            texts = ["".join(self.words.expand(p)) for p in patterns]
            if literal(subject) and words:
                if any(fnmatch.fnmatchcase(subject, t) for t in texts):
                    self.listing(body, context)
                    return
                continue
            stops.append(self.branch(body, context, f"{subject} is {'|'.join(texts)}"))

    def call(self, name: str, args: tuple[str, ...], context: Context) -> None:
        """Walk a function's body where it is called."""
        self.called.add(name)
        if context.calls >= _MAX_CALLS:
            return
        outer = self.state.args, self.may_return
        self.state.args, self.may_return = args, False
        self.node(self.functions[name], replace(context, calls=context.calls + 1))
        if self.returned or self.may_return:  # an `exit` at the end is for the other case
            self.stopped = self.returned = False
        self.state.args, self.may_return = outer

    # -- simple commands -----------------------------------------------------------------------
    def simple(self, node: Simple, context: Context) -> None:
        """Expand a simple command's words and act on it."""
        prefix: dict[str, str] = {}
        rest = list(node.words)
        while rest and is_assignment(rest[0]):
            name, value = self.words.assignment(rest.pop(0))
            prefix[name] = value
        self.substitutions(node, context, alone=not rest)
        if not rest:
            for name, value in prefix.items():
                self.words.assign(name, value)
            return
        argv: list[str] = []
        for token in rest:
            if argv and argv[0] in DECLARE and is_assignment(token):
                argv.append("=".join(self.words.assignment(token)))
            else:
                argv.extend(self.words.expand(token))
        if not argv:
            return
        if argv[0] in self.functions:
            fed = self.words.stdin(node.redirects) or context.stdin
            self.call(argv[0], tuple(argv[1:]), replace(context, stdin=fed))
            return
        if _DYNAMIC.match(rest[0].text) and _DYNAMIC.match(argv[0]):
            self.dynamic = True
        self.emit(node, argv, prefix, context)
        if run_builtin(self.state, self.words, argv):
            self.stopped = True
            self.returned = argv[0] == "return"
            self.may_return = self.may_return or self.returned

    def substitutions(self, node: Simple, context: Context, *, alone: bool) -> None:
        """Walk `$( )` and backticks; an assignment alone has their status."""
        if not alone and not context.soft:
            context = replace(context, why="its status is lost in a substitution")
        tokens = [*node.words, *(t for _, t in node.redirects if t is not None)]
        for token in tokens:
            for part in token.parts:
                if part.kind == "sub" and self.words.known(part.text) is None:
                    inner = replace(context, stdin="")
                    errexit = self.state.errexit and alone
                    self.nested(part.text, part.line, inner, errexit=errexit)

    def emit(self, node: Simple, argv: list[str], prefix: dict[str, str], context: Context) -> None:
        """Note a command, and what it hands to another shell."""
        if len(self.commands) >= _MAX_COMMANDS:
            return
        stdin = self.words.stdin(node.redirects) or context.stdin
        command = Command(
            argv=tuple(argv),
            span=Span(self.path, self.line + node.line - 1, self.cell),
            text=self.source(node)[:_MAX_TEXT],
            cwd=self.state.cwd,
            env={**self.state.exports, **prefix},
            soft=bool(context.soft),
            why_soft=context.soft,
            condition=context.condition,
            stdin=stdin,
            stdout=self.words.stdout(node.redirects),
            errexit=self.state.errexit,
        )
        self.commands.append(command)
        self.inner(node, argv, stdin, context)

    def inner(self, node: Simple, argv: list[str], stdin: str, context: Context) -> None:
        """Walk the script that a command hands to a shell or to another machine."""
        base = [a.rsplit("/", 1)[-1] for a in argv]
        context = replace(context, stdin="")
        script = shell_script(base, argv)
        here = next((op for op, _ in node.redirects if op.heredoc is not None), None)
        if script is not None:
            self.nested(script[0], node.line, context, errexit=script[1])
        elif base[0] == "eval":
            self.nested(" ".join(argv[1:]), node.line, context, errexit=self.state.errexit)
        elif base[0] == "ssh":
            remote = remote_command(argv)
            if remote:
                self.nested(remote, node.line, context, errexit=False)
        if stdin and reads_script(base):
            line = here.heredoc_line if here is not None else node.line
            self.nested(stdin, line, context, errexit=any(a in {"-e", "-ex"} for a in argv))
