"""Snakefiles as Python: the language of rules is Python with directives, so it is read as such.

Each rule becomes a function of the module (`rule train:` is `rule_train`), a directive the call of
the workflow's function (`input: "x"` is `input("x")`), a `run:` block the function's body. The
module's own level calls every rule. Lines keep their numbers, so evidence points into the file.
"""

from __future__ import annotations

import ast
import io
import keyword
import re
import tokenize
from collections.abc import Iterator

from msgspec.structs import replace

from mlops_audit.facts.code import Module
from mlops_audit.facts.decoding import decode
from mlops_audit.facts.python import read_source
from mlops_audit.regex import regex

__all__ = ["WORKFLOW", "is_snakefile", "read_snakemodule", "rule_scope"]

WORKFLOW = "snakemake.workflow"  # where the names that every Snakefile knows come from
_LIMIT = 512 * 1024
_FILE = regex(r"(^|/)[Ss]nakefile([._-][^/]*)?$|\.(smk|snakefile|snake)$")
_GIVEN = (
    "config", "input", "output", "params", "wildcards", "log", "threads", "resources", "rules",
    "shell", "script", "notebook", "include", "configfile", "snakefile", "expand",
)  # fmt: skip
_RULES = frozenset({"rule", "checkpoint", "module", "subworkflow"})
_BLOCKS = frozenset({"run", "onstart", "onsuccess", "onerror"})
_DIRECTIVES = frozenset(
    {"input", "output", "params", "log", "threads", "resources", "shell", "script", "notebook",
     "wrapper", "conda", "container", "singularity", "containerized", "message", "benchmark",
     "priority", "group", "shadow", "cache", "envmodules", "wildcard_constraints", "version",
     "retries", "default_target", "localrule", "handover", "name", "template_engine", "cwl",
     "configfile", "include", "workdir", "envvars", "report", "pepfile", "pepschema",
     "scattergather", "snakefile", "config", "meta_wrapper", "prefix", "replace_prefix",
     "skip_validation", "localrules"}
)  # fmt: skip
_SKIPPED = frozenset({tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT})
Edit = tuple[int, int, int, str]  # line, column, columns that go, text that comes
Token = tokenize.TokenInfo


def is_snakefile(path: str) -> bool:
    """Whether a file is a Snakefile by its name."""
    return bool(_FILE.search(path))


def rule_scope(name: str) -> str:
    """The name of the function that stands for a rule."""
    return f"rule_{name}"


def read_snakemodule(path: str, data: bytes) -> Module:
    """Read a Snakefile as a module; its `error` says why where that fails."""
    text = decode(data[:_LIMIT]) or ""
    text = text.replace("\r\n", "\n").replace("\f", " ")
    try:
        lines, rules = _as_python(text)
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError):
        return Module(path, error="not valid Snakemake")
    module = read_source(path, lines.encode(), extend=lambda tree: _extend(tree, rules))
    if module.error:
        return Module(path, error="not valid Snakemake")
    return replace(module, main_line=min(rules.values(), default=1))


def _extend(tree: ast.Module, rules: dict[str, int]) -> None:
    """Bring in the names that every Snakefile knows, and run every rule."""
    names = [ast.alias(n) for n in _GIVEN]
    known = ast.ImportFrom(WORKFLOW, names, 0, lineno=1, col_offset=0, end_lineno=1)
    tree.body.insert(0, known)
    for name, line in rules.items():
        called = ast.Expr(ast.Call(ast.Name(name, ast.Load()), [], []))
        for node in ast.walk(called):
            node.lineno = node.end_lineno = line  # type: ignore[attr-defined]
            node.col_offset = node.end_col_offset = 0  # type: ignore[attr-defined]
        tree.body.append(called)
    ast.fix_missing_locations(tree)


def _as_python(text: str) -> tuple[str, dict[str, int]]:
    """The text as Python, and the line of each rule by the name of its function."""
    edits: list[Edit] = []
    rules: dict[str, int] = {}
    open_: list[int] = []  # depths of the directives whose call is not closed yet
    last: Token | None = None
    for depth, line in _statements(text):
        head = line[0]
        while open_ and depth <= open_[-1]:
            open_.pop()
            edits.append(_close(last))
        if not open_:
            opened = _rule(line, edits, rules) if head.string in {*_RULES, "use"} else False
            if not opened and _is_directive(line):
                edits.append(_opened(line))
                if head.string not in _BLOCKS:
                    open_.append(depth)
        last = next((t for t in reversed(line) if t.type not in _SKIPPED), last)
    edits += [_close(last) for _ in open_]
    return _edited(text, edits), rules


def _statements(text: str) -> Iterator[tuple[int, list[Token]]]:
    """Logical lines with their depth, comments and empty lines left out."""
    depth = 0
    line: list[Token] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.INDENT:
            depth += 1
        elif token.type == tokenize.DEDENT:
            depth -= 1
        elif token.type in {tokenize.NEWLINE, tokenize.ENDMARKER}:
            if line:
                yield depth, line
            line = []
        elif token.type not in _SKIPPED:
            line.append(token)


def _is_directive(line: list[Token]) -> bool:
    return (
        len(line) > 1
        and line[0].string in _DIRECTIVES | _BLOCKS | {"ruleorder"}
        and line[1].string == ":"
        and line[1].type == tokenize.OP
    )


def _opened(line: list[Token]) -> Edit:
    """The edit that makes a call, or an open block, of a directive."""
    head, colon = line[0], line[1]
    (row, column), end = head.start, colon.end[1]
    if head.string in _BLOCKS:
        return row, column, end - column, "if True:"
    return row, column, end - column, f"{head.string}("


def _close(last: Token | None) -> Edit:
    row, column = last.end if last is not None else (1, 0)
    return row, column, 0, ")"


def _rule(line: list[Token], edits: list[Edit], rules: dict[str, int]) -> bool:
    """Make a function of a rule's first line; False where the words are plain Python."""
    head = line[0]
    row, column = head.start
    colon = next((n for n, t in enumerate(line) if t.string == ":" and t.type == tokenize.OP), None)
    if head.string == "use" and line[1:2] and line[1].string == "rule":
        words = [t.string for t in line[1:colon]]
        name = words[-2] if words[-1:] == ["with"] and len(words) > 1 else ""
        if colon is None or words[-1:] != ["with"]:
            end = line[-1].end
            if end[0] == row:
                edits.append((row, column, end[1] - column, "pass"))
            return end[0] == row
    elif colon is None or colon > 2:  # noqa: PLR2004 -- `rule name :`
        return False
    else:
        name = line[1].string if colon == 2 else str(row)  # noqa: PLR2004 -- the same
    end = line[colon].end
    if end[0] != row:
        return False
    name = re.sub(r"\W", "_", name)
    function = rule_scope(name if name and not keyword.iskeyword(name) else str(row))
    edits.append((row, column, end[1] - column, f"def {function}():"))
    if head.string in {"rule", "checkpoint", "use"}:
        rules[function] = row
    rest = line[colon + 1 :]
    if rest and _is_directive(rest):
        edits += [_opened(rest), _close(rest[-1])]
    return True


def _edited(text: str, edits: list[Edit]) -> str:
    lines = text.split("\n")
    for row, column, gone, new in sorted(edits, key=lambda e: (e[0], e[1]), reverse=True):
        if 0 < row <= len(lines):
            line = lines[row - 1]
            lines[row - 1] = f"{line[:column]}{new}{line[column + gone :]}"
    return "\n".join(lines)
