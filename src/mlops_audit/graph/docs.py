"""The project's documents: README, pages that it links, sections that really say something."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from mlops_audit.facts.doctypes import Document, Section
from mlops_audit.facts.documents import read_document
from mlops_audit.facts.placeholders import is_placeholder
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = ["CALLOUT", "ITEM", "Docs", "body", "evidence", "filled"]

ITEM = regex(r"\s*(?:[-*+]|\d{1,3}[.)])\s")  # how an item of a list begins
CALLOUT = regex(r"\s*>\s*\[!\w+\]\s*")  # `> [!NOTE]` above what it says
_DOCUMENT = regex(
    r"\.(md|markdown|mdx|rst|rest|adoc|asciidoc|qmd|rmd)$|(^|/)[^/.]*readme[^/]*$|"
    r"(^|/)(readme|contributing|authors|maintainers|owners|install|dictionary|codebook|"
    r"data_?dictionary|datasheet|runbook)\w*\.txt$|(^|/)(contributing|maintainers|owners|runbook)$|"
    r"(^|/)(data|datasets?|docs?|references)/([\w-]+/){0,2}[\w-]*(readme|names|info|descri|dict|notes|"
    r"doc|columns|variables|fields)[\w-]*\.txt$",
    re.IGNORECASE,
)
_README = regex(r"(^|/)readme(\.[\w]+)?$", re.IGNORECASE)
_NO_PAGE = regex(
    r"(^|/)(changelog|changes|history|releases?|release_notes|news|licen[cs]e|copying|notice|authors|"
    r"[al]?gpl|apache[-_]?2|mpl[-_]?2|"
    r"contributors|contributing|code[_-]of[_-]conduct|security|citation|acknowledge?ments?|agents|claude|gemini|"
    r"copilot-instructions|todo|pull_request_template|issue_template|skill)[\w.-]*$|"
    r"(^|/)(\.github|\.gitlab|\.azuredevops|prompts?|reports?|results|outputs?|tests?|templates?|"
    r"licenses?|node_modules|mlruns|issue_template)/",
    re.IGNORECASE,
)
_TEMPLATE = regex(r"(^|/)[\w-]*templates?/|(^|/)[\w-]*template\.\w+$", re.IGNORECASE)
_TRANSLATION = regex(r"readme[._-][a-z]{2}([_-][a-z]{2,4})?\.\w+$", re.IGNORECASE)
_OWN_PROJECT = ("pyproject.toml", "setup.py", "setup.cfg", "package.json", "Cargo.toml",
                "project.yml", "MLproject")  # fmt: skip
_TESTS = regex(r"(^|/)(tests?|fixtures|node_modules)/", re.IGNORECASE)
_MOST_BYTES = 1024 * 1024
_MOST = 600  # documents; more is a website
_LONGEST = 4_000  # characters of a paragraph that are looked at
_NEAR = 500  # lines in which a paragraph is looked for after the one before it
_MOST_LINKED = 12  # pages of a folder that a README links
# A project's site at GitHub, GitLab or Read the Docs: the project's name is in the address.
_SITE = regex(
    r"https?://(?:[\w-]+\.(?:github|gitlab)\.io/([\w.-]+)|([\w-]+)\.readthedocs\.io)", re.IGNORECASE
)
_SHORT = 3  # a name of as many letters stands in any text
_SITES = ("docs/conf.py", "docs/source/conf.py", "mkdocs.yml", "mkdocs.yaml", "doc/conf.py")
_WORDS = 5  # of a section that says something


class Docs:
    """The documents of a project, read lazily."""

    def __init__(self, project: Project) -> None:
        self.project = project

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """The paths of all documents, those near the root first."""
        found = [
            p
            for p in self.project.paths
            if _DOCUMENT.search(p)
            and not _TESTS.search(p)
            and not p.endswith((".py", ".ipynb"))
            and (self.project.entry(p).size or 0) <= _MOST_BYTES
        ]
        return tuple(sorted(found, key=lambda p: (p.count("/"), p))[:_MOST])

    @cached_property
    def _read(self) -> dict[str, Document | None]:
        return {}

    def get(self, path: str) -> Document | None:
        """One document; None where there is none or it cannot be read."""
        if path not in self._read:
            data = self.project.data(path) if self.project.has(path) else None
            self._read[path] = None if data is None else read_document(data, path)
        return self._read[path]

    @cached_property
    def all(self) -> tuple[Document, ...]:
        """All documents that can be read."""
        return tuple(d for d in map(self.get, self.paths) if d is not None)

    @cached_property
    def own(self) -> tuple[Document, ...]:
        """The documents that are no templates for others to fill in."""
        return tuple(d for d in self.all if not _TEMPLATE.search(d.path))

    def unread(self, pattern: re.Pattern[str]) -> list[Evidence]:
        """Documents whose path matches and whose content cannot be read, with the reason."""
        found = [p for p in self.paths if pattern.search(p) and self.get(p) is None]
        return [Evidence(Span(p), self.project.unread.get(p, "not read")) for p in found]

    def named(self, pattern: re.Pattern[str]) -> tuple[Document, ...]:
        """The documents whose path matches."""
        return tuple(d for p in self.paths if pattern.search(p) and (d := self.get(p)))

    # -- README -------------------------------------------------------------------------------

    @cached_property
    def readme(self) -> Document | None:
        """The project's README: at the root, else in .github or docs, else the nearest one."""
        inside = f"{self.project.folder}/" if self.project.folder else ""
        found = [p for p in self.paths if _README.search(p)]
        order = {"": 0, ".github/": 1, "docs/": 2}

        def rank(path: str) -> tuple[int, int, bool, str]:
            folder = path.removeprefix(inside).rpartition("/")[0]
            place = order.get(f"{folder}/" if folder else "", 3)
            return place, path.count("/"), not path.lower().endswith((".md", ".rst")), path

        best = min(found, key=rank, default=None)
        return self.get(best) if best else None

    @cached_property
    def guide(self) -> tuple[Document, ...]:
        """The README and the pages of this repository that it links."""
        if self.readme is None:
            return ()
        found = {self.readme.path: self.readme}
        linked = [
            path
            for link in self.readme.links
            for path in self._targets(link.target or _own_page(link.url))
        ]
        for path in (*linked, *self._of_sites(self.readme)):
            page = self.get(path)
            if page is not None:
                found.setdefault(path, page)
        return tuple(found.values())

    def _of_sites(self, readme: Document) -> Iterator[str]:
        """The pages of a site that is built here, where its settings name a link's project."""
        told = "\n".join([*(k.url for k in readme.links), *(s.text for s in readme.sections)])
        names = {name for site in _SITE.finditer(told) if len(name := site[1] or site[2]) > _SHORT}
        wanted = {re.sub(r"[-_.]", "", name.lower()) for name in names}
        for path in self.project.glob(*_SITES) if wanted else ():
            folder = path.rpartition("/")[0] or "docs"
            text = re.sub(r"[-_.]", "", (self.project.text(path) or "").lower())
            if any(name in text for name in wanted):
                inside = [p for p in self.paths if p.rpartition("/")[0] == folder]
                yield from inside[:_MOST_LINKED]

    def _targets(self, target: str) -> Iterator[str]:
        """The documents that a link leads to: a file, a folder's README, a page without ending."""
        if not target or target.startswith(".."):
            return
        if target in self.paths:
            yield target
        bare = target.rstrip("/")
        named = [
            f"{bare}{ending}"
            for ending in (".md", ".rst", "/README.md", "/readme.md", "/index.md", "/README.rst")
            if f"{bare}{ending}" in self.paths
        ]
        # A folder of pages without a first one: all that lie in it directly.
        inside = [p for p in self.paths if p.rpartition("/")[0] == bare] if bare else []
        yield from named or inside[:_MOST_LINKED]

    # -- pages --------------------------------------------------------------------------------

    @cached_property
    def pages(self) -> tuple[Document, ...]:
        """Documents beyond the README: no changelogs, reports or READMEs of sub-projects."""
        return tuple(d for d in self.all if self._is_page(d.path))

    def _is_page(self, path: str) -> bool:
        if _TRANSLATION.search(path):
            return False
        if _NO_PAGE.search(path) or (self.readme is not None and path == self.readme.path):
            return False
        if _README.search(path):
            folder = path.rpartition("/")[0]
            return bool(folder) and not any(
                self.project.has(f"{folder}/{name}") for name in _OWN_PROJECT
            )
        return True

    # -- sections -----------------------------------------------------------------------------

    def sections(
        self, title: re.Pattern[str], documents: Iterable[Document] | None = None
    ) -> Iterator[tuple[Document, Section]]:
        """Sections whose title matches and that say something, in all or the given documents."""
        for document in self.all if documents is None else documents:
            for section in document.sections:
                if section.title and title.search(section.title) and filled(document, section):
                    yield document, section

    def empty(
        self, title: re.Pattern[str], documents: Iterable[Document] | None = None
    ) -> Iterator[Section]:
        """Sections whose title matches and that say nothing."""
        for document in self.all if documents is None else documents:
            for section in document.sections:
                found = section.title and title.search(section.title)
                if found and not filled(document, section):
                    yield section

    def paragraphs(self, document: Document) -> Iterator[tuple[Section, Span, str]]:
        """The paragraphs and list items of a document, joined over line ends, with their places."""
        text = self.project.text(document.path) or ""
        raw = text.replace("|", " ").splitlines()  # as the reader shows rows of tables
        for section in document.sections:
            at = section.span.line or 1
            for first, found in _paragraphs(section.text):
                at = _find(raw, at, first)
                yield section, Span(document.path, at), found


def _paragraphs(text: str) -> Iterator[tuple[str, str]]:
    """Each paragraph or list item: its first line as written, and all of it."""
    lines: list[str] = []
    for line in [*text.split("\n"), ""]:
        item = bool(ITEM.match(line))
        if lines and (item or not line.strip()):
            told = [x for x in lines if not CALLOUT.fullmatch(x)] or lines
            yield told[0], " ".join(x.strip() for x in told)[:_LONGEST]
            lines = []
        if line.strip():
            lines.append(line)


def _find(raw: list[str], at: int, wanted: str) -> int:
    """The number of the line, from `at` on, that holds a line of text; `at` where none does."""
    key = wanted.strip()[:60]
    for number in range(at, min(at + _NEAR, len(raw)) + 1):
        if key in raw[number - 1]:
            return number
    return at


def _own_page(url: str) -> str:
    """The path in the repository of a link like `https://github.com/o/r/blob/main/docs/x.md`.

    Whether it is this repository cannot be told by the address alone; the caller asks whether
    the file exists here.
    """
    found = re.search(r"(?:github|gitlab)\.com/[^/]+/[^/]+/(?:-/)?(?:blob|tree)/[^/]+/(.+)$", url)
    return found[1].split("#")[0] if found else ""


def body(document: Document, section: Section) -> str:
    """The text of a section with the sections below it."""
    return "\n".join(s.text for s in document.under(section))


def filled(document: Document, section: Section, words: int = _WORDS) -> bool:
    """Whether a section, with those below it, says something: words, code or a table."""
    parts = document.under(section)
    if any(b.text.strip() for s in parts for b in s.code):
        return True
    text = "\n".join(s.text for s in parts)
    return sum(s.words for s in parts) >= words and not is_placeholder(text)


def evidence(section: Section, detail: str = "") -> Evidence:
    """A section as evidence."""
    return Evidence(section.span, (detail or section.title or section.text))
