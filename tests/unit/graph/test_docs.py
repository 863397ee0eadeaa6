"""Documents of a project: README, linked pages, sections that say something."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.config import Config
from mlops_audit.graph import Project
from mlops_audit.graph.docs import Docs, filled
from mlops_audit.graph.statements import said_below, said_in
from mlops_audit.model import Span
from mlops_audit.tree import MemoryTree

LONG = "This page explains the system in some more words than a heading has.\n"


def docs(files: dict[str, str | bytes]) -> Docs:
    """The documents of a project in memory."""
    return Project.load(MemoryTree(files), Config()).docs


def test_the_readme_at_the_root_is_the_project_s() -> None:
    """A README at the root goes before one in a folder, Markdown before plain text."""
    found = docs({"docs/README.md": "# D\n", "README.txt": "T\n", "README.md": "# R\n"})
    assert found.readme is not None
    assert found.readme.path == "README.md"


def test_the_guide_follows_links_to_own_pages_only() -> None:
    """Pages that the README links count, whatever the form of the link; others' pages do not."""
    readme = (
        "# R\n[a](docs/a.md) [b](docs/b) [c](https://github.com/o/r/blob/main/c.md)\n"
        "[d](https://example.com/d.md) [e](../e.md) [f](missing.md)\n"
    )
    files = {"README.md": readme, "docs/a.md": LONG, "docs/b/README.md": LONG, "c.md": LONG}
    paths = [d.path for d in docs({**files, "d.md": LONG}).guide]
    assert paths == ["README.md", "docs/a.md", "docs/b/README.md", "c.md"]


def test_pages_are_no_changelogs_translations_or_readmes_of_sub_projects() -> None:
    """A component's README is a page; that of a folder with a project file of its own is not."""
    found = docs(
        {
            "README.md": LONG,
            "README.zh-CN.md": LONG,
            "CHANGELOG.md": LONG,
            "CODE-OF-CONDUCT.md": LONG,
            "design.md": LONG,
            "infra/README.md": LONG,
            "api/README.md": LONG,
            "api/pyproject.toml": "",
            "requirements.txt": "click\n",
        }
    )
    assert [d.path for d in found.pages] == ["design.md", "infra/README.md"]


def test_a_section_is_filled_by_those_below_it() -> None:
    """Words, code or tables below a heading fill it, a TODO or nothing does not."""
    text = "# A\n## Empty\n## Todo\nTODO\n## Code\n```sh\nmake\n```\n## Deep\n### Below\n" + LONG
    document = docs({"README.md": text}).readme
    assert document is not None
    said = {s.title: filled(document, s) for s in document.sections}
    assert said == {
        "A": True, "Empty": False, "Todo": False, "Code": True, "Deep": True, "Below": True,
    }  # fmt: skip


def test_sections_and_empty_ones_are_told_apart() -> None:
    """`sections` gives those that say something, `empty` those that do not."""
    found = docs({"README.md": f"# Risk one\n{LONG}\n# Risk two\n"})
    title = re.compile("Risk")
    assert [s.title for _, s in found.sections(title)] == ["Risk one"]
    assert [s.title for s in found.empty(title)] == ["Risk two"]


def test_paragraphs_stand_on_the_line_where_they_begin() -> None:
    """Code blocks, tables and blank lines between paragraphs do not shift their lines."""
    text = "# A\n\nfirst\nline\n\n```\ncode\n```\n\n| a | b |\n| - | - |\n| x | y |\n\n- item\n"
    found = docs({"README.md": text})
    assert found.readme is not None
    places = [(span.line, words) for _, span, words in found.paragraphs(found.readme)]
    assert places[0] == (3, "first line")
    assert places[-1] == (14, "- item")


GUIDE = """# Churn

[![CI](https://ci.example/badge.svg)](https://ci.example)

> [!NOTE]
> Archived since May.

Predicts who leaves, so that
somebody can call them.

## Set up

├── src
Any Linux will do.

```bash
# once
pip install -e .
```
"""


def test_a_heading_is_shown_by_what_stands_below_it() -> None:
    """Badges, notes, trees and comments are no statement; what is wanted comes first."""
    project = Project.load(MemoryTree({"README.md": GUIDE.encode()}), Config())
    readme = project.docs.readme
    assert readme is not None
    title, setup = (s for s in readme.sections if s.level)
    archived = re.compile("archived", re.IGNORECASE)
    what = said_below(project, readme, title, but=archived, deeper=False, opens=True)
    assert (what.span.line, what.detail) == (8, "Predicts who leaves, so that")
    assert [hop.span.line for hop in what.chain] == [1]
    how = said_below(project, readme, setup, re.compile("pip install"))
    assert (how.span.line, how.detail) == (18, "pip install -e .")
    assert said_below(project, readme, setup).span.line == 14
    nothing = said_below(project, readme, setup, but=re.compile("."))
    assert (nothing.span.line, nothing.detail) == (11, "Set up")


def test_a_paragraph_is_shown_by_the_line_that_says_it() -> None:
    """A term on its second line stands there, and only within the paragraph."""
    text = "Made with care\nunder the MIT license.\n\nAll rights are yours.\n"
    project = Project.load(MemoryTree({"README.md": text.encode()}), Config())
    start = Span("README.md", 1)
    assert said_in(project, start, "x", re.compile("license")).span.line == 2
    assert said_in(project, start, "Made with care", re.compile("rights")).span.line == 1


@given(st.binary(max_size=400))
def test_any_bytes_are_a_document(data: bytes) -> None:
    """Whatever a file called README holds, its parts can be asked for."""
    found = docs({"README.md": data})
    for document in found.guide:  # none where the bytes are the pointer of a file elsewhere
        assert all(span.path == "README.md" for _, span, _ in found.paragraphs(document))
