"""Documents: Markdown, reStructuredText, AsciiDoc and plain text as sections with their parts."""

from __future__ import annotations

import posixpath
import re

from msgspec import Struct, field

from mlops_audit.facts.decoding import decode
from mlops_audit.facts.doctypes import CodeBlock, Document, Link, Section, Table
from mlops_audit.facts.nodes import Node
from mlops_audit.facts.shell import parse_shell
from mlops_audit.facts.types import Command, Unreadable
from mlops_audit.facts.yamlpos import load_yaml
from mlops_audit.model import Span
from mlops_audit.regex import regex

__all__ = ["COMMENT", "read_document", "without_markup"]

_LIMIT = 1024 * 1024
_MAX_SECTIONS = 2_000
_ATX = regex(r" {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$")
_ADOC = regex(r"(={1,6})[ \t]+(\S.*)")
_FENCE = regex(r"[ \t]*(?:>[ \t]*)?(`{3,}|~{3,})[ \t]*\{?\.?([\w+#.-]*)")
_LINK = regex(r"!?\[([^\]\n]{0,300})\]\(\s*<?([^)\s>]{1,1000})")
_RST_LINK = regex(r"`([^`<\n]{0,300})<([^>\n]{1,1000})>`_{1,2}")
_ADOC_LINK = regex(r"(?:link:|xref:)([^\s\[]{1,500})\[([^\]\n]{0,300})\]")
_REFERENCE = regex(r"^[ ]{0,3}\[([^\]\n]{1,200})\]:[ \t]*<?(\S{1,1000}?)>?(?:[ \t].*)?$")
_HTML_LINK = regex(
    r"<(?:a|img)\s[^>]{0,500}?(?:href|src)\s*=\s*[\"']([^\"']{1,1000})[\"']", re.IGNORECASE
)
_ITEM = regex(r"[ \t]*(?:[-*+]|\d{1,3}[.)]|#\.)[ \t]+(.*)")
_TOCTREE = regex(r"\.\.[ \t]+(\S+)::[ \t]*(.*)")
_SHELL_NAMES = frozenset({
    "bash", "sh", "shell", "console", "zsh", "shell-session", "terminal", "cmd", "powershell",
    "bat",
    "text", "", "shellscript", "ps1", "command",
})  # fmt: skip
_PROMPT = regex(r"^[ \t]*(?:\([\w.-]{1,40}\)[ \t]*)?(?:[\w.@~:/-]{0,60})?[$%>\u276f][ \t]+")
_PROGRAM = regex(
    r"^[ \t]*(?:sudo |[A-Z_]+=\S+ )*"
    r"(?:git|pip3?|python[\d.]*|uv|uvx|poetry|pipenv|pdm|hatch|conda|mamba|make|just|docker|"
    r"docker-compose|dvc|kedro|mlflow|pytest|tox|nox|npm|npx|yarn|pnpm|brew|apt|apt-get|cd|bash|"
    r"sh|source|export|curl|wget|kubectl|helm|terraform|aws|gcloud|az|streamlit|uvicorn|jupyter|"
    r"pre-commit|mkdir|cp|mv|\./\S+|prefect|airflow|zenml|dagster|snakemake|nextflow|invoke|inv|"
    r"task|mise|torchrun|accelerate|wandb|huggingface-cli|spacy|pixi|rye|virtualenv|pipx)"
    r"(?:[ \t]|$)"
)
_INDENT = ("    ", "\t")  # of a code block in Markdown that has no fence
# Code and data, as opposed to sentences that somebody indented.
_CODE = regex(
    r"[ \t]*(?:[{(\"'#@$./]|\[(?![^\]\n]{1,200}\]\()|https?:|(?:import|def|class|print)\b|"
    r"from \w[\w.]* import\b|[\w.]{1,60}[ ]?(?:=|\())"
)
COMMENT = regex(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_RULES = "=-~^\"'`#*+._:"


class _Open(Struct):
    level: int
    title: str
    line: int
    prose: list[str] = field(default_factory=list)
    code: list[CodeBlock] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    items: list[str] = field(default_factory=list)


class _Reader:
    def __init__(self, path: str) -> None:
        self.path = path
        suffix = posixpath.splitext(path)[1].lower()
        self.rst = suffix in {".rst", ".rest"}
        self.adoc = suffix in {".adoc", ".asciidoc", ".asc"}
        self.plain = suffix not in {".md", ".markdown", ".mdx", ".qmd", ".rmd"} and not (
            self.rst or self.adoc
        )
        self.markdown = not (self.rst or self.adoc or self.plain)
        self.listing = False  # whether what is indented belongs to an item of a list
        self.styles: list[str] = []
        self.open = _Open(0, "", 1)
        self.sections: list[Section] = []
        self.references: dict[str, str] = {}

    def close(self) -> None:
        """Finish the section that is open."""
        made = self.open
        if made.level or made.prose or made.code or made.items or made.tables:
            text = "\n".join(made.prose).strip()
            self.sections.append(
                Section(
                    made.level,
                    made.title,
                    Span(self.path, made.line),
                    text,
                    len(re.findall(r"\w[\w'-]*", without_markup(text))),
                    tuple(made.code),
                    tuple(made.links),
                    tuple(made.tables),
                    tuple(made.items),
                )
            )

    def heading(self, level: int, title: str, line: int) -> None:
        """Open a new section."""
        self.listing = False
        if len(self.sections) < _MAX_SECTIONS:
            self.close()
            self.open = _Open(level, _plain(title), line)

    def read(self, lines: list[str], first: int) -> None:
        """Read the lines, `first` being the number of the first one."""
        self.open.line = first
        at = 0
        while at < len(lines):
            at = self._step(lines, at, first)
        self.close()

    def _step(self, lines: list[str], at: int, first: int) -> int:
        line = lines[at]
        fence = None if self.rst else _FENCE.match(line)
        if fence:
            return self._fenced(lines, at, first, fence[1], fence[2])
        if self.markdown and line.startswith(_INDENT) and self._opens_code(lines, at):
            return self._by_indent(lines, at, first)
        if self.adoc and re.match(r"-{4,}\s*$", line):
            return self._fenced(lines, at, first, line.strip(), self._adoc_language(lines, at))
        if self.rst and (directive := _TOCTREE.match(line)) is not None:
            return self._directive(lines, at, first, directive[1], directive[2])
        if self.rst and line.rstrip().endswith("::") and line.strip():
            self.prose(line, first + at)
            return self._indented(lines, at + 1, first, "")
        under = self._underlined(lines, at)
        if under:
            self.heading(under[0], under[1], first + at + under[3])
            return at + under[2]
        atx = None if self.rst or self.plain else _ATX.match(line)
        if atx:
            self.heading(len(atx[1]), atx[2], first + at)
            return at + 1
        adoc = _ADOC.match(line) if self.adoc else None
        if adoc:
            self.heading(len(adoc[1]), adoc[2], first + at)
            return at + 1
        if (
            "|" in line
            and at + 1 < len(lines)
            and re.match(r"\s*\|?[\s:|-]*-[\s:|-]*$", lines[at + 1])
        ):
            return self._table(lines, at, first)
        self.prose(line, first + at)
        return at + 1

    def _adoc_language(self, lines: list[str], at: int) -> str:
        found = re.match(r"\[source,\s*(\w+)", lines[at - 1]) if at else None
        return found[1] if found else ""

    def _underlined(self, lines: list[str], at: int) -> tuple[int, str, int, int] | None:
        """Level, title, lines taken and the title's offset of a heading with a rule below it."""
        line = lines[at].rstrip()
        below = lines[at + 1].rstrip() if at + 1 < len(lines) else ""
        if not (self.rst or self.adoc or self.plain):
            setext = re.fullmatch(r" {0,3}(=+|-{2,})", below)
            usable = line.strip() and not _ITEM.match(line) and not line.startswith(("#", ">", "|"))
            return (1 if below.strip()[0] == "=" else 2, line, 2, 0) if setext and usable else None
        if self.rst and _is_rule(line) and at + 2 < len(lines):
            title, under = lines[at + 1].strip(), lines[at + 2].rstrip()
            if title and _is_rule(under) and under[0] == line[0] and len(under) >= len(title):
                return self._level("over" + line[0]), title, 3, 1
        if not line.strip() or line[:1].isspace() or not _is_rule(below) or _is_rule(line):
            return None
        return (self._level(below[0]), line, 2, 0) if len(below) >= len(line) - 2 else None

    def _level(self, style: str) -> int:
        if style not in self.styles:
            self.styles.append(style)
        return self.styles.index(style) + 1

    def _fenced(self, lines: list[str], at: int, first: int, mark: str, language: str) -> int:
        end = at + 1
        while end < len(lines) and not lines[end].lstrip("> \t").startswith(mark):
            end += 1
        self.code(lines[at + 1 : end], first + at + 1, language)
        return end + 1

    def _opens_code(self, lines: list[str], at: int) -> bool:
        """Whether an indented line opens a block of code: in no paragraph and in no list."""
        above = lines[at - 1].strip() if at and self.open.prose else ""
        line = lines[at]
        if above or self.listing or not line.strip():
            return False
        return bool(_PROGRAM.match(line) or _PROMPT.match(line) or _CODE.match(line))

    def _by_indent(self, lines: list[str], at: int, first: int) -> int:
        """A block of code without fences: all lines that are indented, with those between."""
        end = at
        while end < len(lines) and (lines[end].startswith(_INDENT) or not lines[end].strip()):
            end += 1
        while not lines[end - 1].strip():
            end -= 1
        self.code([x[1:] if x[:1] == "\t" else x[4:] for x in lines[at:end]], first + at, "")
        return end

    def _directive(self, lines: list[str], at: int, first: int, name: str, argument: str) -> int:
        if name in {"code-block", "code", "sourcecode", "prompt", "parsed-literal"}:
            return self._indented(lines, at + 1, first, argument.strip().split(" ")[0])
        if name == "include":
            self.link("", argument.strip(), first + at)
        if name == "toctree":
            end = at + 1
            while end < len(lines) and (not lines[end].strip() or lines[end][:1].isspace()):
                entry = lines[end].strip()
                if entry and not entry.startswith(":"):
                    target = entry.rsplit("<", 1)[-1].rstrip(">")
                    self.link(entry, target if "." in target else f"{target}.rst", first + end)
                end += 1
            return end
        return at + 1

    def _indented(self, lines: list[str], at: int, first: int, language: str) -> int:
        """The indented block of a directive; its options stand first."""
        end = at
        while end < len(lines) and (not lines[end].strip() or lines[end][:1].isspace()):
            end += 1
        start = at
        while start < end and (not lines[start].strip() or lines[start].strip().startswith(":")):
            start += 1
        if start < end:
            self.code(lines[start:end], first + start, language)
        return max(end, at)

    def code(self, lines: list[str], line: int, language: str) -> None:
        """Add a code block, with its commands where it is a shell text."""
        text = "\n".join(lines)
        commands: tuple[Command, ...] = ()
        if language.lower() in _SHELL_NAMES:
            script = _shell_text(lines, known=language.lower() not in {"", "text"})
            commands = parse_shell(script, path=self.path, line=line) if script.strip() else ()
        self.open.code.append(CodeBlock(language.lower(), text, Span(self.path, line), commands))

    def _table(self, lines: list[str], at: int, first: int) -> int:
        end = at + 2
        while end < len(lines) and "|" in lines[end]:
            end += 1
        rows = tuple(_cells(r) for r in lines[at + 2 : end][:500])
        self.open.tables.append(Table(_cells(lines[at]), rows, Span(self.path, first + at)))
        for number in (at, *range(at + 2, end)):
            self.prose(lines[number].replace("|", " "), first + number)
        return end

    def prose(self, line: str, number: int) -> None:
        """Add a line of text, with its links and whether it is a list item."""
        reference = _REFERENCE.match(line)
        if reference:
            self.link(reference[1], reference[2], number)
            return
        self.open.prose.append(line[:4_000])
        item = _ITEM.match(line)
        if item:
            self.open.items.append(item[1].strip()[:500])
            self.listing = True
        elif line[:1].strip():
            self.listing = False
        short = line[:20_000]
        if "](" in short:
            for found in _LINK.finditer(short):
                self.link(found[1], found[2], number)
        if "<" in short:
            for found in _HTML_LINK.finditer(short):
                self.link("", found[1], number)
            for found in _RST_LINK.finditer(short) if self.rst else ():
                self.link(found[1].strip(), found[2], number)
        for found in _ADOC_LINK.finditer(short) if self.adoc else ():
            self.link(found[2], found[1], number)

    def link(self, text: str, url: str, line: int) -> None:
        """Add a link, resolved where it is relative."""
        target = ""
        if not re.match(r"[a-z][a-z0-9+.-]*:|//|#", url, re.IGNORECASE):
            bare = url.split("#", maxsplit=1)[0].split("?", maxsplit=1)[0]
            base = "" if bare.startswith("/") else posixpath.dirname(self.path)
            target = posixpath.normpath(posixpath.join(base, bare.lstrip("/"))) if bare else ""
        if len(self.open.links) < 1_000:  # noqa: PLR2004 -- a cap
            self.open.links.append(Link(text, url, target, Span(self.path, line)))


def _is_rule(line: str) -> bool:
    return len(line) > 1 and line[0] in _RULES and line == line[0] * len(line)


def _cells(line: str) -> tuple[str, ...]:
    return tuple(c.strip() for c in line.strip().strip("|").split("|"))


def _plain(title: str) -> str:
    return re.sub(r"[*`]+|(?<!\w)_+|_+(?!\w)", "", without_markup(title)).strip()[:300]


def without_markup(text: str) -> str:
    """Text with the words of its links, without tags and emoji codes."""
    text = re.sub(r"!?\[([^\]\n]{0,300})\]\([^)\n]{0,1000}\)", r"\1", text)
    return re.sub(r"<[a-zA-Z/!][^<>\n]{0,1000}>|:[a-z_]{2,30}:", " ", text)


def _shell_text(lines: list[str], *, known: bool) -> str:
    """The commands of a block: behind prompts where there are any, output blanked.

    A block of unknown language counts only where each line starts with a known program.
    """
    if any(_PROMPT.match(line) for line in lines):
        return "\n".join(_PROMPT.sub("", x) if _PROMPT.match(x) else "" for x in lines)
    if known:
        return "\n".join(lines)
    first = next((x for x in lines if x.strip() and not x.lstrip().startswith("#")), "")
    return "\n".join(lines) if _PROGRAM.match(first) else ""


def read_document(data: bytes, path: str) -> Document:
    """Read a document into its sections; unreadable bytes are replaced, nothing raises.

    HTML comments are taken out (their lines stay), so that commented text never counts.
    """
    text = decode(data[:_LIMIT])
    if text is None:
        text = data[:_LIMIT].decode("utf-8", "replace")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = COMMENT.sub(lambda m: "\n" * m[0].count("\n"), text)
    lines = text.split("\n")
    front, first = _front_matter(lines, path)
    reader = _Reader(path)
    reader.read(lines[first:], first + 1)
    title = next((s.title for s in reader.sections if s.level == 1), "")
    title = title or next((s.title for s in reader.sections if s.title), "")
    words = sum(s.words for s in reader.sections)
    count = sum(1 for line in lines if line.strip())
    return Document(path, title, tuple(reader.sections), front, words, count)


def _front_matter(lines: list[str], path: str) -> tuple[Node | None, int]:
    """The YAML between `---` lines at the top, and the index of the first line behind it."""
    if lines[0].rstrip() != "---":
        return None, 0
    end = next(
        (k for k in range(1, min(len(lines), 500)) if lines[k].rstrip() in {"---", "..."}), 0
    )
    if not end:
        return None, 0
    node = load_yaml("\n" + "\n".join(lines[1:end]), path)
    return (None if isinstance(node, Unreadable) or node.kind != "map" else node), end + 1
