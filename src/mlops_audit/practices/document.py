"""The twin `.md` of a practice: documentation, `explain` text and tests in one file."""

from __future__ import annotations

from importlib.resources import files
from types import MappingProxyType

from msgspec import Struct

from mlops_audit.model import Practice
from mlops_audit.practices.markdown import Fence, Heading, Line, blocks
from mlops_audit.practices.scenario import Scenario, parse_scenario

__all__ = ["SECTIONS", "Document", "document", "parse_document"]

SECTIONS = MappingProxyType(
    {
        "What it checks": "what",
        "Why it matters": "why",
        "What counts": "counts",
        "What counts in part": "partly",
        "What never counts": "never",
        "How to mend": "mend",
        "Scenarios": "scenarios",
    }
)
_OPTIONAL = frozenset({"What counts in part"})
_EXEMPTION = "No hollow scenario:"


class Document(Struct, frozen=True):
    """A twin, read. The sections are Markdown without their headings.

    `partly` is empty where the catalogue allows no partial; `no_hollow` is the reason why there
    is no hollow scenario, if the twin gives one; `text` is the whole file; `problems` say what is
    malformed, with line numbers, and are empty in a release.
    """

    title: str
    what: str
    why: str
    counts: str
    partly: str
    never: str
    mend: str
    scenarios: tuple[Scenario, ...]
    text: str
    no_hollow: str = ""
    problems: tuple[str, ...] = ()

    @property
    def prose(self) -> str:
        """The text up to the scenarios: what people want explained."""
        return self.text.partition("\n## Scenarios")[0].rstrip() + "\n"


def document(practice: Practice) -> Document:
    """Read the twin `.md` that lies beside the practice's module.

    Raises:
        FileNotFoundError: there is no twin.
    """
    package, _, name = practice.judge.__module__.rpartition(".")
    return parse_document(files(package).joinpath(f"{name}.md").read_text(encoding="utf-8"))


def parse_document(text: str) -> Document:
    """Read a twin's text; whatever it is, nothing is raised."""
    title = ""
    sections: dict[str, list[str]] = {}
    problems: list[str] = []
    scenarios: list[_Part] = []
    current = ""
    source = text.replace("\r\n", "\n").split("\n")
    read = tuple(blocks(text))
    for block in read:
        if isinstance(block, Heading) and block.depth == 1:
            if title:
                problems.append(f"line {block.line}: a second title")
            title = title or block.text
        elif isinstance(block, Heading) and block.depth == 2:  # noqa: PLR2004 -- a section's `##`
            current = block.text
            if current not in SECTIONS:
                problems.append(f"line {block.line}: no section is called {current!r}")
            elif current in sections:
                problems.append(f"line {block.line}: a second section {current!r}")
            sections.setdefault(current, [])
        elif isinstance(block, Heading) and block.depth == 3 and current == "Scenarios":  # noqa: PLR2004 -- a scenario's `###`
            scenarios.append(_Part(block, []))
        elif scenarios and current == "Scenarios" and not isinstance(block, Heading):
            scenarios[-1].body.append(block)
        elif current:
            sections[current].extend(source[block.line - 1 : _end(block)])
    named = {field: "\n".join(sections.get(name, ())).strip() for name, field in SECTIONS.items()}
    parsed = tuple(parse_scenario(p.heading.text, p.heading.line, p.body) for p in scenarios)
    problems += _lacking(title, sections, named)
    problems += [problem for scenario in parsed for problem in scenario.problems]
    no_hollow = _exemption(read)
    del named["scenarios"]
    return Document(
        title=title,
        scenarios=parsed,
        text=text,
        no_hollow=no_hollow,
        problems=tuple(problems),
        **named,
    )


class _Part(Struct, frozen=True):
    heading: Heading
    body: list[Fence | Line]


def _end(block: Heading | Fence | Line) -> int:
    """The block's last line, counted from 1."""
    if isinstance(block, Fence):
        return block.line + len(block.body) + block.closed
    return block.line


def _lacking(title: str, sections: dict[str, list[str]], named: dict[str, str]) -> list[str]:
    problems = [] if title else ["line 1: the title '# ...' is missing"]
    for name, field in SECTIONS.items():
        if name not in sections:
            if name not in _OPTIONAL:
                problems.append(f"line 1: the section '## {name}' is missing")
        elif not named[field] and name != "Scenarios":
            problems.append(f"line 1: the section '## {name}' is empty")
    order = [name for name in sections if name in SECTIONS]
    if order != [name for name in SECTIONS if name in sections]:
        problems.append(f"line 1: the sections stand in this order: {', '.join(SECTIONS)}")
    return problems


def _exemption(read: tuple[Fence | Heading | Line, ...]) -> str:
    for block in read:
        if isinstance(block, Line) and block.text.startswith(_EXEMPTION):
            return block.text.removeprefix(_EXEMPTION).strip()
    return ""
