"""COL07: what the columns of the data mean, or at least where the data come from."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.code import Module
from mlops_audit.facts.doctypes import Document, Section
from mlops_audit.facts.documents import is_placeholder
from mlops_audit.graph import Project
from mlops_audit.graph.docs import filled
from mlops_audit.graph.statements import said_below, said_in
from mlops_audit.model import Evidence, Span, Verdict, failed, hollow, partial, passed, unknown
from mlops_audit.practices.base import practice
from mlops_audit.regex import regex

_ENOUGH = 3  # described columns
_PLACES = regex(
    r"(^|/)(data|datasets?|references|dictionar\w*)/|dictionary|codebook|datasheet|data_?card|"
    r"dataset[\s_-]*card|schema|columns",
    re.IGNORECASE,
)
_SHEET = regex(r"data[\s_-]?(set)?[\s_-]?(sheet|card|dictionary)|codebook|datasheet", re.IGNORECASE)
_MODEL_CARD = regex(r"model[\s_-]?card[^/]*$", re.IGNORECASE)  # it names its training data
_ADDRESS = regex(r"\W{0,3}https?://\S{4,300}")  # a paragraph that is a link alone
_TITLE = regex(
    r"\b(data|datasets?|features?|columns?|variables?|attributes?|fields?|schema|dictionary|"
    r"labels?)\b",
    re.IGNORECASE,
)
_COLUMN = regex(r"^\W*(columns?|features?|variables?|attributes?|data fields?)\b", re.IGNORECASE)
_NAME_CELL = regex(
    r"^\W*((column|feature|field|variable|attribute)?[ _]?names?|keys?|fields?)\W*$", re.IGNORECASE
)
_MEANING = regex(
    r"descri|meaning|definition|explanation|details|represent|comment|notes?\b|unit", re.IGNORECASE
)
_ROLE = regex(r"\W*(role|used as|usage)\W*$", re.IGNORECASE)
_OTHER = regex(
    r"argument|option|command|endpoint|method|stage|tool|component|file|folder|param", re.IGNORECASE
)
_INTERFACE = regex(r"\b(spec|status|api|crd|request|response|resource|output)s?\b", re.IGNORECASE)
_SETTING = regex(r"\b(value|default|required|secret|environment|env)\b", re.IGNORECASE)
_CAPITALS = regex(r"\W*[A-Z][A-Z0-9]*_[A-Z0-9_]+\b")  # an environment variable's name
_ITEM = regex(
    r"^\W{0,5}[A-Za-z][\w .()/-]{0,40}?\W{0,3}\s*(?::|[-\u2013\u2014]\s|=)\s*\W{0,2}\w.{5,}"
)
# A list of columns without a sign between name and meaning: `MedInc median income in block`.
_OF_A_SET = regex(
    r"\b(features?|columns?|attributes?|variables?|fields?)\b.{0,80}\bdata|"
    r"\bdata.{0,40}\b(features?|columns?|attributes?|variables?|fields?)\b",
    re.IGNORECASE,
)
_OPTION = regex(r"\W{0,3}--?\w")  # of a command, not a column
_NAMED_ITEM = regex(r"^\W{0,3}(\w*[a-z][A-Z]\w*|[a-z]+_\w+)\W{1,5}\w+\W+\w{2}")
_ORIGIN = regex(
    r"\b(data|datasets?|corpus|images|reviews|records|trips?)\b.{0,160}\b(from|available|"
    r"download\w*|"
    r"provided|published|collected|source\w*|hosted|courtesy|public|obtained|scraped|kaggle|uci|"
    r"repository|contains?|consists?|includes?)\b|\b(uses?|using|on|based on|"
    r"with) (the )?(?!(\w+ )?(train|test|valid|transformed|split|processed))[\w\s-]{0,60}"
    r"\bdatasets?\b|https?://\S*(dataset|kaggle|archive\.ics\.uci|openml|zenodo)",
    re.IGNORECASE,
)
_SOURCE = regex(
    r"kaggle\.com/(datasets|c|competitions)/|archive\.ics\.uci|openml\.org|zenodo\.org|"
    r"figshare\.com|"
    r"huggingface\.co/datasets/|data\.gov|cloud\.google\.com/bigquery/public-data|"
    r"registry\.opendata\.aws/|nyc\.gov/\S*tlc|microsoft\.com/\S*open-datasets/",
    re.IGNORECASE,
)
# A link whose words name one data set: `[MNIST database of handwritten digits](http://...)`.
_LINKED_SET = regex(
    r"\[[^\]\n]{3,60}\b(data ?set|database of [^\]\n]{3,60}|corpus)\]\(https?://"
    r"(?!(www\.)?(github\.com|colab\.)|\w+\.readthedocs|docs\.)",
    re.IGNORECASE,
)
# A part that a step hands to the next one is named after what is done with it.
_NO_PART = (
    r"(?!(\w+\s)?(train(ing)?|test(ing)?|valid(ation)?|evaluation|transformed|split|processed|"
    r"prepared|resulting)\b)"
)
_USES = regex(
    rf"\b(built|trained|based|fine-?tuned|tested|evaluated)\s+(up)?on\s+(the\s+)?{_NO_PART}"
    r"[\w\s\[\]-]{2,60}\bdata ?sets?\b|"
    rf"\btraining (a|an|the)\b[^\n]{{0,160}}?\bon the {_NO_PART}[\w\s\[\]-]{{2,60}}\bdata ?sets?\b|"
    rf"\b(use|uses|using)\s+(an?\s[\w\s-]{{2,40}}\bof\s+)?the\s+{_NO_PART}"
    r"[\w\s\[\]-]{2,60}\bdata ?sets?\b",
    re.IGNORECASE,
)
_ABOUT_DATA = regex(
    r"\bdata ?sets?\b|\bdata (sources?|description|collection|origin|acquisition|management|"
    r"overview|"
    r"information|used)\b|^\W*[\d.]*\W*((the|raw|training|input|sample|about the) )?data\b\W*(<|$)",
    re.IGNORECASE,
)
_PREPARED = regex(
    r"\bdata ?(sets?)? (preparation|download\w*|set-?up)|\bprepar\w+ (the )?data|"
    r"\bdownload\w* (the )?data",
    re.IGNORECASE,
)
_FETCHED = regex(r"\bdownload\w*\b.{0,200}://", re.IGNORECASE | re.DOTALL)
_ITEM_START = regex(r"\s*(?:[-*+]|\d{1,3}[.)])\s")
_DESCRIBED = regex(
    r"^\s*(?:-\s*)?[\"']?(?:description|desc|meaning|doc)[\"']?\s*:\s*\S", re.MULTILINE
)
_DBT = regex(r"^(models|sources|seeds|snapshots):[ \t]*$", re.MULTILINE)
_DATA_FILES = ("**/*.yml", "**/*.yaml", "**/*.json", "**/*.csv", "**/*.toml")
_SCHEMA_PATH = regex(
    r"schema|dictionar|columns|codebook|metadata|(feature|field|variable|data)s?_descriptions?|(^|/)(models|staging|marts|sources)/.*\.ya?ml$|"
    r"dataset_?info|data_?contract",
    re.IGNORECASE,
)
_DICTIONARY = regex(r"dictionar|codebook|columns", re.IGNORECASE)
_LISTED = regex(
    r"\b(columns?|attributes?|features|variables|fields)\b[^\n]{0,80}"
    r"(\b(are|following|descri\w+|mean\w*)\b|:\s*$)|data (dictionary|description|fields)",
    re.IGNORECASE | re.MULTILINE,
)
_A_SET = regex(r"\bdata ?set\b|\bcorpus\b|https?://|\bdownload", re.IGNORECASE)
_BADGE = regex(r"\W*\[!\[")
_A_DATA_SET = regex(
    r"\bdata ?sets?\b|\bcorpus\b|\b(the|our|this|raw|training|test|source) data\b|"
    r"\bdata (is|are|was|were|come|came|from|used|source)\b",
    re.IGNORECASE,
)
# Advice for any data set.
_GENERAL = regex(
    r"\bwe assume|\byour (own )?data|\bdata ?set objects?\b|\bsdk\b|"
    r"\b(if|when) you\b|\byou (can|may|should|could|need)\b",
    re.IGNORECASE,
)
_DATA_CODE = regex(r"data|feature|schema|etl|load|column", re.IGNORECASE)
# What the list below is of, where it is of settings.
_OPTIONS = regex(
    r"\b(options|arguments|parameters|settings|flags)\b[^.]{0,60}(:|\b(are|for|of)\b)",
    re.IGNORECASE,
)
_OF_COLUMNS = regex(r"feature|column|schema|data_?dict|variable", re.IGNORECASE)
# What a catalogue says of a data set as a whole: `Number of Instances: 1567`.
_OF_THE_WHOLE = regex(
    r"\W*((data ?set|attribute|feature) (characteristics|types?|name|size|source)|"
    r"(total )?(number|no\.|count|#) ?(of )?\w|associated tasks?|missing values|date donated|"
    r"(rows|columns|features|attributes|instances|samples|records|observations|classes|source|"
    r"licen[cs]e|shape|format|citation)\W{0,4}:)",
    re.IGNORECASE,
)
_SEVERAL = 2
# Classes of settings, services and programs hold no data.
_NO_RECORD = regex(
    r"(config|settings?|params?|parameters|args|arguments|options?|request|response|state|error|"
    r"model|module|loader|dataset|transform\w*|processor|trainer|client|service|handler)s?$",
    re.IGNORECASE,
)
_RECORD = regex(
    r"(^|\.)(dataclass|define|BaseModel|SQLModel|TypedDict|NamedTuple|Struct|Document)\b"
)
# `price (float): asked price in euros`, below the sentence of a docstring.
_FIELD_DOC = regex(
    r"^[ \t]{0,40}[-*]?[ \t]?(\w{1,60})(?:[ \t]?\([^()\n]{1,60}\))?"
    r"(?:[ \t]?:|[ \t]+[-\u2013\u2014])[ \t]+\w[^\n]{5}",
    re.MULTILINE,
)
_LOADER = regex(r"(load|fetch|download|get)_", re.IGNORECASE)
_MOST_TEXT = 20_000  # characters of a cell
_MOST_BYTES = 300_000
_LOOKED_FOR = "a data dictionary, datasheet or schema that describes the columns"


@practice(
    id="COL07",
    title="The data is documented",
    assets="data",
    level="3s",
    sources="S3 S4",
    fix="Write references/data_dictionary.md: each column with its meaning, unit and range.",
    template=(
        "references/data_dictionary.md",
        "data/README.md",
        "src/<package>/visualization/document.py",
    ),
)
def data_documentation(project: Project) -> Verdict:
    """Look for described columns, then for the data's origin."""
    columns = [*_in_documents(project), *_in_files(project), *_in_code(project)]
    if columns:
        return passed(f"{columns[0].span.path} describes the data's columns", columns[:5])
    noted = list(_in_notebooks(project))
    if noted:
        return partial("a notebook alone describes the data's columns", noted[:5])
    origin = list(_origin(project))
    if origin:
        return partial("the origin of the data is described, its columns are not", origin[:5])
    unread = project.docs.unread(_SHEET)
    if unread:
        return unknown(f"{unread[0].span.path} could not be read", unread)
    empty = [
        Evidence(Span(d.path), "nothing filled in")
        for d in project.docs.all
        if _SHEET.search(d.path.rsplit("/", 1)[-1])
    ]
    if empty:
        return hollow("the data dictionary is not filled in", empty, looked_for=_LOOKED_FOR)
    return failed("neither columns nor origin are described", looked_for=_LOOKED_FOR)


def _in_documents(project: Project) -> Iterator[Evidence]:
    for document in project.docs.all:
        sheet = bool(_SHEET.search(document.path.rsplit("/", 1)[-1]))
        near = bool(_PLACES.search(document.path))
        for section in document.sections:
            above = _above(document, section)
            about = near or bool(_TITLE.search(section.title) or above)
            described_here = about and not _INTERFACE.search(section.title)
            for table in section.tables:
                means = _describes(table.header, about=described_here)
                if means and len(table.rows) >= _ENOUGH and _says(table.rows):
                    yield Evidence(table.span, " | ".join(table.header))
            if _OF_A_SET.search(section.title):
                named = [i for i in section.items if _NAMED_ITEM.match(i)]
                if len(named) >= _ENOUGH:
                    yield _at(project, document, section, named[0])
            if about and not _OTHER.search(section.title):
                described = [
                    i
                    for i in section.items
                    if _ITEM.match(i)
                    and not _is_link(i)
                    and not _CAPITALS.match(i)
                    and not _OPTION.match(i)
                    and "(default" not in i
                ]
                if len(described) >= _ENOUGH and _is_columns(
                    section, described, near=near or above
                ):
                    yield _at(project, document, section, described[0])
        answered = [s for s in document.sections if s.level > 1 and filled(document, s, 8)]
        if sheet and len(answered) >= _ENOUGH:
            yield said_below(project, document, answered[0])


def _above(document: Document, section: Section) -> bool:
    """Whether a section stands below a heading that names a data set."""
    level = section.level
    for other in reversed(document.sections[: document.sections.index(section)]):
        if other.level < level:
            if re.search(r"\bdata ?sets?\b", other.title, re.IGNORECASE):
                return other.level > 1
            level = other.level
    return False


def _in_notebooks(project: Project) -> Iterator[Evidence]:
    """Text cells that list columns with what each means."""
    for path, notebook in project.notebooks.items():
        for cell in notebook.cells:
            if cell.kind != "markdown" or not _LISTED.search(cell.source[:_MOST_TEXT]):
                continue
            lines = cell.source[:_MOST_TEXT].splitlines()
            described = [
                n
                for n, line in enumerate(lines, 1)
                if _ITEM.match(line[:300])
                and not _CAPITALS.match(line[:300])
                and not line.lstrip().startswith("<")
            ]
            if len(described) >= _ENOUGH:
                first = lines[described[0] - 1].strip()
                yield Evidence(Span(path, described[0], cell.index), first)


def _describes(header: tuple[str, ...], *, about: bool) -> bool:
    if len(header) < 2 or any(_OTHER.search(h) for h in header[:1]):  # noqa: PLR2004 -- name and meaning
        return False
    if any(_SETTING.search(h) for h in header):
        return False
    named = _COLUMN.search(header[0]) or (about and _NAME_CELL.search(header[0]))
    if named and _COLUMN.search(header[0]) and any(_ROLE.match(h) for h in header[1:]):
        return True  # identifier, feature or label
    return bool(named) and any(_MEANING.search(h) for h in header[1:])


def _says(rows: tuple[tuple[str, ...], ...]) -> bool:
    """Whether a table's rows describe something, and are no environment variables."""
    capitals = sum(
        1
        for row in rows
        if row and (_CAPITALS.match(row[0]) or re.fullmatch(r"\W*[\w/-]+\.\w{2,6}\W*", row[0]))
    )
    text = " ".join(" ".join(row[1:]) for row in rows)
    return capitals * 2 < len(rows) and not is_placeholder(text)


def _is_link(item: str) -> bool:
    return bool(re.match(r"\W{0,3}\[[^\]]*\]\(", item)) or "http" in item[:60]


def _is_columns(section: Section, described: list[str], *, near: bool) -> bool:
    """Whether a list describes columns rather than folders, steps or data sets."""
    if any(re.match(r"\W{0,3}[\w./-]+(\.\w{2,4}|/)\W", i) for i in described[:3]):
        return False
    if sum(1 for i in described if _OF_THE_WHOLE.match(i)) >= _SEVERAL:
        return False
    # What stands before the list says what the list is about.
    opening = section.text.partition(described[0][:40])[0]
    if described[0] == section.items[0]:
        opening = re.split(r"(?m)^\s*(?:[-*+]|\d{1,3}[.)])\s", section.text, maxsplit=1)[0]
    last = opening.strip().rpartition("\n\n")[2]
    if _OPTIONS.search(last) and not _COLUMN.search(section.title):
        return False
    named = re.search(
        r"\b(columns?|fields?|variables?|attributes?|dictionary|schema|data descri\w+|"
        r"dataset (descri\w+|features?)|about the data\w*)\b",
        f"{section.title}\n{opening}",
        re.IGNORECASE,
    )
    data = re.search(r"\bdata(set)?s?\b", section.title, re.IGNORECASE)
    words = [i for i in described if re.match(r"\W{0,3}[\w]+\W", i)]
    titled = data or _COLUMN.search(section.title) or _TITLE.search(section.title)
    return bool(named and (near or titled)) and len(words) >= _ENOUGH


def _at(project: Project, document: Document, section: Section, text: str) -> Evidence:
    """The line of a list item."""
    start = section.span.line or 1
    for number, line in enumerate((project.text(document.path) or "").splitlines(), 1):
        if number >= start and text[:40] in line:
            return Evidence(Span(document.path, number), text)
    return Evidence(section.span, section.title)


def _in_files(project: Project) -> Iterator[Evidence]:
    """Schema files in which columns have descriptions, and dictionaries as tables."""
    for path in project.glob(*_DATA_FILES):
        if not _SCHEMA_PATH.search(path) or project.is_test(path) or "openapi" in path:
            continue
        if (project.entry(path).size or 0) > _MOST_BYTES:
            continue
        text = project.text(path) or ""
        if path.endswith(".csv"):
            header = tuple(text.split("\n", 1)[0].split(","))
            if (
                re.search(r"dictionar|codebook|columns|descriptions?", path, re.IGNORECASE)
                and text.count("\n") > _ENOUGH
                and (_DICTIONARY.search(path) or any(_MEANING.search(h) for h in header))
            ):
                yield Evidence(Span(path, 1), ", ".join(header))
            continue
        found = [m for m in _DESCRIBED.finditer(text) if _of_a_column(text, m.start())]
        about = re.search(r"[\"']?(columns|features|dtype)[\"']?\s*:", text) or (
            re.search(
                r"data_?(set|dict)|dictionar|feature|column|codebook|raw", path, re.IGNORECASE
            )
            and not re.search(r"template|values|config|param", path, re.IGNORECASE)
        )
        if len(found) >= _ENOUGH and about:
            line = text.count("\n", 0, found[0].end()) + 1
            yield Evidence(Span(path, line), found[0][0].strip())


def _of_a_column(text: str, place: int) -> bool:
    """Whether a description stands under `columns:`, in a file that has such lists (dbt)."""
    if not _DBT.search(text):
        return True
    here = text[place:].lstrip("\n")
    depth = len(here) - len(here.lstrip())
    for line in reversed(text[:place].splitlines()):
        bare = line.strip()
        if bare and len(line) - len(line.lstrip()) < depth:
            if bare.startswith("columns:"):
                return True
            depth = len(line) - len(line.lstrip())
    return False


def _in_code(project: Project) -> Iterator[Evidence]:
    """Columns described in code: a list of names and descriptions, fields with a description."""
    for path, module in project.modules.items():
        if path in project.test_files or module.notebook or project.is_example(path):
            continue
        near = bool(_DATA_CODE.search(path))
        yield from _described(module, near=near)
        if near:
            yield from _documented_records(module)


def _documented_records(module: Module) -> Iterator[Evidence]:
    """Classes of records whose docstring says what each field holds."""
    for klass in module.classes:
        if _NO_RECORD.search(klass.name) or len(klass.fields) < _ENOUGH:
            continue
        if not any(_RECORD.search(b) for b in (*klass.bases, *klass.decorators)):
            continue
        explained = {m[1] for m in _FIELD_DOC.finditer(klass.doc[:_MOST_TEXT])}
        told = [f.name for f in klass.fields if f.name in explained]
        if len(told) >= _ENOUGH:
            yield Evidence(klass.span, f"{klass.name}: {', '.join(told[:5])} described")


def _described(module: Module, *, near: bool) -> Iterator[Evidence]:
    listed = [(item.targets[0], item.span, item.value) for item in module.assigns]
    listed += [(f.name, f.span, value) for f in module.functions for value in f.returns]
    for name, span, value in listed:
        entries = [v for v in value.items if {"name", "description"} <= _keys(v.keys)]
        if len(entries) >= _ENOUGH and (near or _OF_COLUMNS.search(name)):
            yield Evidence(span, f"{name}: {len(entries)} described")
            return
    if not near:
        return
    checks = "pandera" in module.roots
    fields = [
        c
        for c in module.calls
        if c.method in {"Field", "Column", "Feature"}
        and (checks or c.method != "Field")
        and any(k in {"description", "doc", "comment"} and v.literal for k, v in c.kwargs)
    ]
    if len(fields) >= _ENOUGH:
        yield Evidence(fields[0].span, f"{len(fields)} described fields")


def _keys(keys: tuple[str, ...]) -> set[str]:
    return {k.strip("'\"") for k in keys}


def _origin(project: Project) -> Iterator[Evidence]:
    """Where the data is said to come from: DVC, documents beside the data, then the README."""
    for pointer in project.dvc.pointers:
        for item in pointer.deps:
            if item.repo or "://" in item.path:
                yield Evidence(item.span, f"imported from {item.repo or item.path}")
    for pipeline in project.dvc.pipelines:
        for artifact in pipeline.artifacts:
            if artifact.description and re.search(r"data", artifact.path, re.IGNORECASE):
                yield Evidence(artifact.span, artifact.description)
    beside = [d for d in project.docs.all if _PLACES.search(d.path)]
    for document in beside:
        yield from _told(project, document, near=True)
    cards = [d for d in project.docs.named(_MODEL_CARD) if d not in project.docs.guide]
    for document in (*project.docs.guide, *cards):
        if document not in beside:
            yield from _told(project, document, near=False)
    yield from _origin_in_loaders(project)
    yield from _origin_in_notebooks(project)


def _origin_in_loaders(project: Project) -> Iterator[Evidence]:
    """Docstrings of functions that load a data set: where it comes from, with a link."""
    for path, module in project.modules.items():
        if path in project.test_files or module.notebook or project.is_example(path):
            continue
        for text in module.texts:
            told = text.value[:_MOST_TEXT]
            loads = text.doc and _LOADER.match(text.scope.rsplit(".", 1)[-1])
            if loads and "://" in told and _A_DATA_SET.search(told) and _ORIGIN.search(told):
                yield Evidence(text.span, " ".join(told.split()))


def _origin_in_notebooks(project: Project) -> Iterator[Evidence]:
    """The first text cell of each notebook that says where its data comes from."""
    library = project.roles.kind == "library"  # what its examples use is no data of its own
    for path, notebook in project.notebooks.items():
        for cell in notebook.cells if not (library and project.is_example(path)) else ():
            text = cell.source[:_MOST_TEXT]
            if cell.kind == "markdown" and _SOURCE.search(text) and _ORIGIN.search(text):
                lines = text.splitlines()
                at = next((n for n, x in enumerate(lines) if _SOURCE.search(x)), 0)
                yield Evidence(Span(path, at + 1, cell.index), lines[at].strip())
                break


def _told(project: Project, document: Document, *, near: bool) -> Iterator[Evidence]:
    """Paragraphs that say where data comes from: with a link, or in a text about the data."""
    for section, span, text in project.docs.paragraphs(document):
        titled = _ABOUT_DATA.search(section.title)
        if (
            _BADGE.match(text)
            or is_placeholder(text)
            or (_ITEM_START.match(text) and re.match(r"\W*\d*\W*\[", text))
        ):
            continue
        said = _ORIGIN.search(text)
        named = _SOURCE.search(text) or ("](" in text and said and _A_DATA_SET.search(text))
        if said and not _SOURCE.search(text) and _GENERAL.search(text):
            continue
        if near or titled:
            # An item of a list on data in general names no data set, and no place of one.
            general = not near and _ITEM_START.match(text) and not _A_SET.search(text)
            if named or (said and not general) or _ADDRESS.fullmatch(text.strip()):
                yield said_in(project, span, text, _SOURCE, _ORIGIN, _A_DATA_SET)
        elif _PREPARED.search(section.title) and said and _FETCHED.search(text):
            yield said_in(project, span, text, _SOURCE, _FETCHED, _ORIGIN)
        elif _SOURCE.search(text) or _LINKED_SET.search(text) or _uses_a_set(text):
            yield said_in(project, span, text, _SOURCE, _LINKED_SET, _USES, _A_DATA_SET)


def _uses_a_set(text: str) -> bool:
    return bool(_USES.search(text)) and not _ITEM_START.match(text)
