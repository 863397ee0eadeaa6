"""Where the data is said to come from: in DVC, documents, docstrings of loaders and notebooks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.doctypes import Document
from mlops_audit.facts.notebooks import Cell, Notebook
from mlops_audit.facts.placeholders import is_placeholder
from mlops_audit.graph import Project
from mlops_audit.graph.docs import ITEM
from mlops_audit.graph.sourcenotebooks import source_texts
from mlops_audit.graph.statements import said_in
from mlops_audit.model import Evidence, Span
from mlops_audit.practices.collaboration._data_dictionary import MOST_TEXT, PLACES
from mlops_audit.regex import regex

__all__ = ["data_origin"]

_MODEL_CARD = regex(r"model[\s_-]?card[^/]*$", re.IGNORECASE)  # it names its training data
_ADDRESS = regex(r"\W{0,3}https?://\S{4,300}")  # a paragraph that is a link alone
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
    r"kaggle\.com/(datasets|c|competitions)/|kaggle\.com/[\w-]{2,60}/[\w-]{0,60}data|archive\.ics\.uci|openml\.org|zenodo\.org|"
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
    r"(?!an?\s+(very\s+)?(large|huge|massive|big|diverse)\s+data ?set)"
    r"[\w\s\[\]-]{2,60}\bdata ?sets?\b|"
    rf"\btraining (a|an|the)\b[^\n]{{0,160}}?\bon the {_NO_PART}[\w\s\[\]-]{{2,60}}\bdata ?sets?\b|"
    rf"\b(use|uses|using)\s+(an?\s[\w\s-]{{2,40}}\bof\s+)?the\s+{_NO_PART}"
    r"[\w\s\[\]-]{2,60}\bdata ?sets?\b",
    re.IGNORECASE,
)
# A set of others that lies here: `We include the Stanford Alpaca dataset, which was made …`.
_INCLUDES = regex(
    rf"\b(we|repo(sitory)?)\s+(also\s+)?(includes?|ships?)\s+the\s+{_NO_PART}"
    r"[\w\s\[\]-]{2,60}\bdata ?sets?\b",
    re.IGNORECASE,
)
# A step of a guide: `Download the dataset from Kaggle`.
_FROM_PLACE = regex(
    r"\bdownload\w*\s+(the\s)?[\w\s-]{0,40}\bdata ?sets?\b[^\n.]{0,20}\bfrom\s+\W?"
    r"(kaggle|(the\s)?uci|zenodo|openml|hugging ?face|figshare|physionet)\b",
    re.IGNORECASE,
)
# A line of a notebook, above the cell that reads what stands there.
_NOTED = regex(r"^\W*(data ?)?(set )?source\W{1,6}https?://", re.IGNORECASE | re.MULTILINE)
_READS = regex(r"\bread_\w+\(|\bload_?\w*\(|\bwget\b|\bcurl\b|\bdownload", re.IGNORECASE)
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
_LOADER = regex(r"(load|fetch|download|get)_", re.IGNORECASE)


def data_origin(project: Project) -> Iterator[Evidence]:
    """Where the data is said to come from: DVC, documents beside the data, then the README."""
    for pointer in project.dvc.pointers:
        for item in pointer.deps:
            if item.repo or "://" in item.path:
                yield Evidence(item.span, f"imported from {item.repo or item.path}")
    for pipeline in project.dvc.pipelines:
        for artifact in pipeline.artifacts:
            if artifact.description and re.search(r"data", artifact.path, re.IGNORECASE):
                yield Evidence(artifact.span, artifact.description)
    beside = [d for d in project.docs.all if PLACES.search(d.path)]
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
    for module in project.source:
        if project.is_example(module.path):
            continue
        for text in module.texts:
            told = text.value[:MOST_TEXT]
            loads = text.doc and _LOADER.match(text.scope.rsplit(".", 1)[-1])
            if loads and "://" in told and _A_DATA_SET.search(told) and _ORIGIN.search(told):
                yield Evidence(text.span, " ".join(told.split()))


def _origin_in_notebooks(project: Project) -> Iterator[Evidence]:
    """Text cells of notebooks that say where the data comes from."""
    library = project.roles.kind == "library"  # what its examples use is no data of its own
    for path, notebook in project.notebooks.items():
        for cell in notebook.cells if not (library and project.is_example(path)) else ():
            text = cell.source[:MOST_TEXT]
            if cell.kind != "markdown":
                continue
            noted = _NOTED.search(text) and _READS.search(_after(notebook, cell))
            if noted or (_SOURCE.search(text) and _ORIGIN.search(text)):
                lines = text.splitlines()
                sign = _NOTED if noted else _SOURCE
                at = next((n for n, x in enumerate(lines) if sign.search(x)), 0)
                yield Evidence(Span(path, at + 1, cell.index), lines[at].strip())
                break
    for path, start, told in () if library else source_texts(project):
        text = "\n".join(told)[:MOST_TEXT]
        if _SOURCE.search(text) and _ORIGIN.search(text):
            at = next((n for n, x in enumerate(told) if _SOURCE.search(x)), 0)
            yield Evidence(Span(path, start + at), told[at].strip())


def _after(notebook: Notebook, cell: Cell) -> str:
    """The code right below a cell of text."""
    below = next((c for c in notebook.cells if c.index > cell.index), None)
    return below.source[:MOST_TEXT] if below is not None and below.kind == "code" else ""


def _told(project: Project, document: Document, *, near: bool) -> Iterator[Evidence]:
    """Paragraphs that say where data comes from: with a link, or in a text about the data."""
    for section, span, text in project.docs.paragraphs(document):
        titled = _ABOUT_DATA.search(section.title)
        if (
            _BADGE.match(text)
            or is_placeholder(text)
            or (ITEM.match(text) and re.match(r"\W*\d*\W*\[", text))
        ):
            continue
        said = _ORIGIN.search(text)
        named = _SOURCE.search(text) or ("](" in text and said and _A_DATA_SET.search(text))
        if said and not _SOURCE.search(text) and _GENERAL.search(text):
            continue
        if near or titled:
            # An item of a list on data in general names no data set, and no place of one.
            general = not near and ITEM.match(text) and not _A_SET.search(text)
            if named or (said and not general) or _ADDRESS.fullmatch(text.strip()):
                yield said_in(project, span, text, _SOURCE, _ORIGIN, _A_DATA_SET)
        elif _PREPARED.search(section.title) and said and _FETCHED.search(text):
            yield said_in(project, span, text, _SOURCE, _FETCHED, _ORIGIN)
        elif _SOURCE.search(text) or _LINKED_SET.search(text) or _uses_a_set(text):
            yield said_in(project, span, text, _SOURCE, _LINKED_SET, _USES, _A_DATA_SET)
        elif _INCLUDES.search(text) or _FROM_PLACE.search(text):
            yield said_in(project, span, text, _INCLUDES, _FROM_PLACE)


def _uses_a_set(text: str) -> bool:
    return bool(_USES.search(text)) and not ITEM.match(text)
