"""One practice as a page: what it means, what counts, how to mend it, and examples."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator

from mlops_audit.cli.terminal import options_for
from mlops_audit.config import ConfigError
from mlops_audit.maturity import load_model, model_names
from mlops_audit.model import PRINCIPLES, Ask, Practice
from mlops_audit.practices import find
from mlops_audit.practices.document import Document, document
from mlops_audit.practices.scenario import Scenario, ScenarioFile
from mlops_audit.practices.sources import SOURCES
from mlops_audit.reports.safe import visible

__all__ = ["explain"]

_KINDS = {"must": "must", "must~": "must, partial will do", "should": "should"}
_EXAMPLES = (("pass", "Good"), ("partial", "In part"), ("fail", "Bad"), ("hollow", "Hollow"))
_STYLES = {
    "markdown.h1": "bold",
    "markdown.h2": "bold",
    "markdown.code": "cyan",
    "markdown.link": "default",
    "markdown.link_url": "underline",
}
_MOST_FILES, _MOST_LINES = 4, 40
_LANGUAGES = {"py": "python", "yml": "yaml", "yaml": "yaml", "toml": "toml", "md": "markdown",
              "ipynb": "python", "json": "json", "sh": "bash"}  # fmt: skip


def explain(text: str, *, color: bool | None = None) -> str:
    """Write the page: Markdown as it is for a pipe, drawn on a terminal.

    Raises:
        ConfigError: no practice is called that.
    """
    try:
        practice = find(text)
    except LookupError as error:
        raise ConfigError(str(error)) from error
    page = "\n".join(_page(practice)) + "\n"
    options = options_for(sys.stdout, os.environ, color=color)
    if not options.color:
        return page
    import io  # noqa: PLC0415 -- a page for a pipe needs neither

    from rich.console import Console  # noqa: PLC0415 -- as above
    from rich.markdown import Markdown  # noqa: PLC0415 -- as above
    from rich.text import Text  # noqa: PLC0415 -- as above
    from rich.theme import Theme  # noqa: PLC0415 -- as above

    buffer = io.StringIO()
    console = Console(
        file=buffer,
        width=options.width,
        force_terminal=True,
        theme=Theme(_STYLES),
        _environ={},
    )
    # Rich centres a first heading; a page is read from the left.
    title, _, rest = page.removeprefix("# ").partition("\n")
    console.print(Text(f"{practice.id} {title}", style="bold underline"))
    console.print()
    console.print(Markdown(rest, hyperlinks=options.links, code_theme="ansi_dark"))
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def _page(practice: Practice) -> Iterator[str]:
    try:
        twin: Document | None = document(practice)
    except FileNotFoundError:
        twin = None
    yield twin.prose.rstrip() if twin else f"# {practice.title}"
    yield from ("", "## First step", "", practice.fix.step)
    if practice.fix.template:
        files = ", ".join(f"`{name}`" for name in practice.fix.template)
        yield from ("", f"The template's files that provide it: {files}")
    yield from ("", "## Where it stands", "")
    yield from _standing(practice)
    if twin:
        yield from _examples(twin)


def _standing(practice: Practice) -> Iterator[str]:
    yield f"- {practice.id} `{practice.slug}`, {PRINCIPLES[practice.principle]}"
    yield f"- protects: {', '.join(practice.assets)}"
    asked = ", ".join(_asked(ask) for ask in practice.asked)
    yield f"- the ladder asks: {asked or 'nothing'}"
    named = [n for n in model_names() if practice.id in load_model(n).practices()]
    if named:
        yield f"- other models that name it: {', '.join(named)}"
    if practice.needs:
        yield f"- does not apply without: {', '.join(practice.needs)}"
    if practice.attestable:
        yield "- a person may attest it"
    for key in practice.sources:
        yield f"- source: {SOURCES.get(key, key)}"


def _asked(ask: Ask) -> str:
    level = next(lvl for lvl in load_model("ladder").levels if lvl.number == ask.level)
    return f"level {ask.level} {level.name} ({_KINDS[ask.kind]})"


def _examples(twin: Document) -> Iterator[str]:
    """The first scenario of each kind: what the tests hold is what is shown."""
    for kind, title in _EXAMPLES:
        scenario = next((s for s in twin.scenarios if s.kind == kind), None)
        if scenario is not None:
            yield from ("", f"## {title}: {scenario.title}", "")
            yield from _scenario(scenario)


def _scenario(scenario: Scenario) -> Iterator[str]:
    for file in scenario.files[:_MOST_FILES]:
        yield from _file(file)
    rest = len(scenario.files) - _MOST_FILES
    if rest > 0:
        yield from (f"and {rest} more files", "")
    if not scenario.files:
        yield from ("No file at all.", "")
    if scenario.expected:
        word = "What only looks like evidence" if scenario.kind == "hollow" else "Evidence"
        yield f"{word}: {', '.join(f'`{span}`' for span in scenario.expected)}"


def _file(file: ScenarioFile) -> Iterator[str]:
    if file.link:
        yield from (f"`{file.path}` links to `{file.link}`", "")
        return
    if file.absent or b"\0" in file.content:
        word = "not in this clone" if file.absent else f"binary, {len(file.content)} bytes"
        yield from (f"`{file.path}` ({word})", "")
        return
    lines = _text(file).rstrip("\n").split("\n")
    longest = max((len(run) for run in re.findall("`{3,}", "\n".join(lines))), default=2)
    fence = "`" * (longest + 1)
    language = _LANGUAGES.get(file.path.rsplit(".", 1)[-1], "")
    yield from (f"`{file.path}`", "", f"{fence}{language}", *lines[:_MOST_LINES])
    if len(lines) > _MOST_LINES:
        yield f"... {len(lines) - _MOST_LINES} more lines"
    yield from (fence, "")


def _text(file: ScenarioFile) -> str:
    text = file.content.decode("utf-8", "replace")
    if file.path.endswith(".ipynb"):
        try:
            cells = json.loads(text)["cells"]
            text = "\n".join("# %%\n" + "".join(cell["source"]) for cell in cells)
        except (ValueError, KeyError, TypeError):  # a broken notebook is shown as it is
            pass
    return visible(text.replace("\t", "    "), keep_newlines=True)
