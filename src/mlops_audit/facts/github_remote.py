"""Jobs that hand over to a reusable workflow of another repository: its name and what it is told.

The file itself is elsewhere. What can be read here is which workflow it is and which inputs it
gets; some of those are commands (`test_command: pytest`) or environments of a task runner.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops_audit.facts.shell import parse_shell
from mlops_audit.facts.types import Command, Step
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = ["remote_step"]

_COMMAND = regex(r"(^|_)(commands?|cmds?|script|run)$")
_ENVIRONMENTS = regex(r"^(tox_?)?envs?$|^tox_?env_?lists?$")
_TESTS = regex(r"^(unit_?)?tests?_(folder|dir|directory|paths?|root)$")
_NO_COMMANDS = frozenset({"", "true", "false", "none", "yes", "no"})
_PATH = regex(r"[\w./-]{1,200}")


def remote_step(uses: str, inputs: Mapping[str, str], span: Span) -> Step:
    """What the called workflow is told to do, as one step that uses it.

    Args:
        uses: `owner/name/.github/workflows/file.yml@ref`.
        inputs: the texts of the job's `with:`.
        span: where the job calls it.
    """
    return Step(span, uses=uses, commands=tuple(_commands(uses, inputs, span)), inputs=dict(inputs))


def _commands(uses: str, inputs: Mapping[str, str], span: Span) -> Iterator[Command]:
    tox = "tox" in uses.rpartition("/")[2]
    for key, value in inputs.items():
        name, text = key.lower().replace("-", "_"), value.strip()
        if "${{" in text or text.lower() in _NO_COMMANDS:
            continue
        if tox and _ENVIRONMENTS.match(name):
            yield Command(("tox",), span, f"tox: {' '.join(text.split())}"[:120])
        elif _TESTS.match(name) and _PATH.fullmatch(text):
            yield Command(("pytest", text), span, f"{key}: {text}")
        elif _COMMAND.search(name):
            yield from parse_shell(text, path=span.path, line=span.line or 1)
