"""Shell texts: what a script, a CI step or a recipe runs, command by command.

The text is tokenised, parsed and walked as a shell would walk it, without running anything:
literal variables are substituted, `cd` moves the folder, functions are followed where they are
called, and each command learns whether its failure can fail the text.
"""

from __future__ import annotations

import re

from mlops_audit.facts.shellstate import start_context
from mlops_audit.facts.shelltokens import Token, tokenize
from mlops_audit.facts.shelltree import TooDeepError, parse_tokens
from mlops_audit.facts.shellwalk import Walk
from mlops_audit.facts.types import Command
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = ["parse_shell"]

_LIMIT = 512 * 1024  # characters; longer texts are generated
_SHEBANG_E = regex(r"#!\S+(?:[ \t]+(?:ba|da|z|k)?sh)?[ \t]+-[a-z]*e")
_BATCH_COMMENT = regex(r"^[ \t]*@?(?:rem\b|::).*$", re.IGNORECASE | re.MULTILINE)


def parse_shell(  # noqa: PLR0913 -- where the text stands, and how it is run
    text: str,
    *,
    path: str,
    line: int = 1,
    cell: int | None = None,
    errexit: bool = True,
    pipefail: bool = False,
    cwd: str = "",
    dialect: str = "sh",
    args: tuple[str, ...] = (),
    variables: dict[str, str] | None = None,
) -> tuple[Command, ...]:
    """Read the commands of a shell text, in the order in which they run.

    Args:
        text: the script.
        path: the file it stands in; `$(dirname "$0")` is taken as this file's folder, so `cwd`
            is best given relative to the repository's root.
        line: the line of `path` at which the text starts.
        cell: the notebook cell, if it stands in one.
        errexit: whether the text is run with `-e` (GitHub and GitLab do so, `bash x.sh` does not).
        pipefail: whether it is run with `-o pipefail`.
        cwd: the folder in which it starts.
        dialect: `sh`, or `cmd` and `pwsh` for a best effort at Windows texts.
        args: the script's arguments, where they are known (`$1`, `"$@"`).
        variables: values of variables that are set from outside.

    Returns:
        The simple commands, those of substitutions, functions (where called), subshells and
        heredocs fed to a shell included. Commands after an unconditional `exit` are left out.
    """
    text = text[:_LIMIT].replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    if dialect in {"cmd", "pwsh"}:
        text = _unix(text, dialect)
    if _SHEBANG_E.match(text):
        errexit = True
    walk = Walk(path, line, cell, args=args, variables=variables or {})
    walk.state.errexit, walk.state.pipefail, walk.state.cwd = errexit, pipefail, cwd
    tokens = tokenize(text)
    try:
        walk.run(parse_tokens(tokens), start_context(), text)
    except TooDeepError:
        return _flat(tokens, path, line, cell, cwd)
    return tuple(walk.commands)


def _unix(text: str, dialect: str) -> str:
    """Turn what differs in Windows texts and matters for words; line numbers stay."""
    if dialect == "pwsh":
        return text.replace("`\n", "\\\n").replace("& $", "$")
    text = _BATCH_COMMENT.sub("", text)
    text = text.replace("^\n", "\\\n")
    return re.sub(r"^([ \t]*)@?(?:call[ \t]+)?", r"\1", text, flags=re.MULTILINE)


def _flat(
    tokens: list[Token], path: str, line: int, cell: int | None, cwd: str
) -> tuple[Command, ...]:
    """Read a text that nests too deep as mere words between operators."""
    commands: list[Command] = []
    words: list[str] = []
    first = 1
    for token in [*tokens, Token("op", "\n", 0, 0, 0)]:
        if token.kind == "word":
            if not words:
                first = token.line
            words.append(token.text)
        elif token.kind == "op" and words:
            span = Span(path, line + first - 1, cell)
            reason = "nested too deep to follow"
            commands.append(
                Command(tuple(words), span, " ".join(words), cwd, soft=True, why_soft=reason)
            )
            words = []
    return tuple(commands)
