"""COL05: documentation beyond the README."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.doctypes import Document
from mlops_audit.facts.placeholders import is_placeholder
from mlops_audit.graph import Project
from mlops_audit.model import Evidence, Span, Verdict, counted, failed, hollow, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_PAGES, _LINES = 3, 60  # of the catalogue
_WORDS = 100  # over all pages of a site: less is what a generator leaves
_CONFIG = regex(
    r"^(?P<base>.*?/)?(?:mkdocs\.ya?ml|zensical\.toml|_quarto\.ya?ml|_toc\.yml|myst\.yml|"
    r"book\.toml|"
    r"docusaurus\.config\.[jt]s|"
    r"(?:docs?(?:[-_]\w{1,20})?|docsrc|documentation|sphinx)/(?:source/)?conf\.py)$"
)
_FROM_CODE = regex(
    r"automodule::|autosummary::|autoclass::|autofunction::|^:::\s*\w|autoapi", re.MULTILINE
)
_SCAFFOLD = regex(
    r"This is where you describe how to|central entry points for common tasks|sync_data_(to|"
    r"from)_s3|"
    r"Indices and tables|genindex|modindex|Welcome to .{0,60}documentation|sphinx-quickstart|"
    r"For full documentation visit|mkdocs (new|serve|build)|mkdocs\.yml|The documentation homepage|"
    r"Other markdown pages, images|This is a sample|Jupyter Book|Add your content using",
    re.IGNORECASE,
)
_AUTODOC = regex(r"""["'](sphinx\.ext\.(autodoc|autosummary)|autoapi\.extension)["']""")
_BUILDERS = regex(r"\b(pdoc3?|pydoctor|portray|quartodoc)\b")
_PROMPT = regex(r"\W{0,5}(your role is|act as|you are) (an?|the)\b", re.IGNORECASE)
_TASKS = regex(r"(^|/)(checklist|to-?do(_?list)?|tasks)\.\w+$", re.IGNORECASE)  # what is to be done
_LOOKED_FOR = "a documentation site with content, or three pages of 60 lines or more"


@practice(
    id="COL05",
    title="There is documentation beyond the README",
    assets="code",
    level="4s",
    sources="S4",
    fix="Add mkdocs.yml and pages under docs/ on design, operation and decisions.",
    template=(
        "mkdocs.yml",
        "docs",
    ),
)
def documentation(project: Project) -> Verdict:
    """Look for a site that can be built, then for long pages."""
    sites: list[tuple[Evidence, Evidence | None]] = []
    empty: list[tuple[Evidence, Evidence | None]] = []
    for path in project.paths:
        match = _CONFIG.match(path)
        if match is None or project.is_test(path) or _blank(project, path):
            continue
        words, first = _content(project, path, match["base"] or "")
        where = Evidence(Span(path), f"settings of a site whose pages have {words} words")
        (sites if words >= _WORDS else empty).append((where, first))
    built = list(_generated(project))
    if sites or built:
        shown = [e for pair in sites for e in pair if e is not None] + built
        return passed(f"{shown[0].span.path} builds the documentation", shown[:5])
    long = [
        d
        for d in project.docs.pages
        if _length(project, d) >= _LINES and not (_bare(d) or _prompts(d) or _TASKS.search(d.path))
    ]
    shown = [Evidence(Span(d.path), f"{_length(project, d)} lines") for d in long]
    if len(long) >= _PAGES:
        return passed(f"{len(long)} pages of {_LINES} lines or more", shown[:5])
    if long:
        return partial(
            f"{counted(long, 'page', 'pages')} of {_LINES} lines or more beside the README", shown
        )
    if empty:
        return hollow(
            f"{empty[0][0].span.path} builds an empty scaffold",
            [e for e, _ in empty],
            looked_for=_LOOKED_FOR,
        )
    return failed("there is no documentation beyond the README", looked_for=_LOOKED_FOR)


def _blank(project: Project, path: str) -> bool:
    text = project.text(path)
    return text is not None and not text.strip()


def _length(project: Project, document: Document) -> int:
    return len(project.lines(document.path))


def _bare(document: Document) -> bool:
    return all(is_placeholder(s.text) and not s.code for s in document.sections)


def _prompts(document: Document) -> bool:
    """Whether a page tells a language model what to be: it is code, nobody reads it."""
    opening = next((s.text.strip() for s in document.sections if s.text.strip()), "")
    return _PROMPT.match(opening) is not None


def _content(project: Project, config: str, base: str) -> tuple[int, Evidence | None]:
    """The words of a site's pages, a generator's own text left out, and its first page."""
    folder = config.rpartition("/")[0]
    if config.endswith(("mkdocs.yml", "mkdocs.yaml", "zensical.toml")):
        found = re.search(r"docs_dir\s*[:=]\s*[\"']?([\w./-]+)", project.text(config) or "")
        folder = f"{base}{found[1] if found else 'docs'}".rstrip("/")
    inside = f"{folder}/" if folder else ""
    words, first = 0, None
    for document in project.docs.all:
        if not document.path.startswith(inside) or document is project.docs.readme:
            continue
        own = sum(
            s.words
            for s in document.sections
            if not _SCAFFOLD.search(f"{s.title}\n{s.text}") and not is_placeholder(s.text)
        )
        if _FROM_CODE.search(project.text(document.path) or ""):
            own += _WORDS
        if own and first is None:
            first = Evidence(Span(document.path), document.title)
        words += own
    notebooks = [p for p in project.notebooks if inside and p.startswith(inside)]
    words += _WORDS * len(notebooks)
    return words, first or (Evidence(Span(notebooks[0]), "a page") if notebooks else None)


def _generated(project: Project) -> Iterator[Evidence]:
    """Tools that build pages from the code's own documentation."""
    documented = sum(1 for m in project.source for f in m.functions if f.doc)
    settings = [p for p in project.paths if p.endswith("conf.py") and _CONFIG.match(p)]
    reads_code = any(_AUTODOC.search(project.text(p) or "") for p in settings)
    for use in project.uses("docs.build", "docs.publish"):
        builds = _BUILDERS.search(use.detail) or (reads_code and "sphinx-build" in use.detail)
        if documented and use.where == "command" and builds:
            yield use.evidence()
