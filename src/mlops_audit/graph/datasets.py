"""Data sets of a project: in plain git, in Git LFS, in DVC, or fetched from elsewhere."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_audit.facts.types import Command
from mlops_audit.graph.memo import once
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

if TYPE_CHECKING:  # the project hands itself in
    from mlops_audit.graph.project import Project

__all__ = [
    "committed_data",
    "dvc_data",
    "in_lfs",
    "is_model_path",
    "large_file_storage",
    "lfs_data",
    "sources",
]

_TABLES = frozenset(
    ["csv", "tsv", "parquet", "pq", "feather", "arrow", "xlsx", "xls", "jsonl", "ndjson", "arff",
     "npy", "npz", "h5", "hdf5", "sqlite", "sqlite3", "db", "zip", "gz", "bz2", "xz", "pkl",
     "json", "xml", "txt", "data", "dat", "libsvm", "mat", "sav", "dta", "rds", "tfrecord",
     "tar", "tgz", "7z", "bin", "geojson"]
)  # fmt: skip
_PURE = frozenset(
    ["csv", "tsv", "parquet", "pq", "feather", "arrow", "xlsx", "xls", "arff", "jsonl", "ndjson"]
)
_MEDIA = frozenset(["png", "jpg", "jpeg", "tif", "tiff", "wav", "mp3", "flac", "dcm", "nii"])
_FOLDER = regex(
    r"(^|/)(\w*data(?!bricks|base|flow|proc|dog|hub|robot|iku|factory|fusion)\w*|\w*dataset\w*|inputs?|"
    r"raw|corpus|corpora)/",
    re.IGNORECASE,
)
_NO_DATA = regex(
    r"(^|/)(((integration|unit|system|e2e|smoke|load)[_-]?)?tests?|fixtures|meta_?data|docs?|"
    r"examples?|outputs?|results?|reports?|logs?|metrics|mlruns|schemas?|"
    r"figures|images|assets|static|node_modules|notebooks?/images|monitoring|grafana|prometheus)/|"
    r"(pred(ict)?ion|result|metric|output|report|\blog|schema|config|readme|requirement|submission|"
    r"license|manifest|params|hyper_?parameters|robots|vocab|history|score|package)[\w-]*\.\w+$",
    re.IGNORECASE,
)
# What tells about a data set, and is none.
_TELLS = regex(
    r"(^|/)((data|features?|columns?|variables?|attributes?|data_?sets?)[_-]?"
    r"(descriptions?|dictionary|description_file|info|readme)|code_?book|citation|sources?|"
    r"descriptions?)\.(txt|pdf|docx?|html|xml)$|"
    r"(^|/)((data|features?|fields?|columns?|variables?)[_-]?(descriptions?|dictionary)|"
    r"data_?dict|code_?book)\.(csv|tsv|xlsx?|json)$",
    re.IGNORECASE,
)
# Samples for tests, unless the part that trains lies beside them.
_SAMPLES = regex(r"(^|.*?/)(tests?|testing)[_-]?data/", re.IGNORECASE)
_PART = regex(r"train(ing)?([_-]?(data|set)\w*)?(\.\w+)*$", re.IGNORECASE)
_MODEL = regex(
    r"(^|/)models?(/|$)|(^|/)(checkpoints?|weights|artifacts?/models?)(/|$)|"
    r"(^|/)[^/]*(model|classifier|regressor|weights|checkpoint|estimator|\bclf)[^/]*$|"
    r"\.(pt|pth|ckpt|onnx|safetensors|keras|tflite|gguf|skops|cbm|ubj)$",
    re.IGNORECASE,
)
# A table or a page is none, whatever its name speaks of (`model_report.md`).
_NO_MODEL = regex(r"\.(csv|tsv|parquet|xlsx|md|html|png|svg|pdf)(\.dvc)?$", re.IGNORECASE)
# A set that no folder sets apart, by its own name: `alpaca_data.json` in the root.
_SET = regex(
    r"(^|/|[_-])(data|data_?set|corpus|corpora)(?![\w-]{0,40}(drift|config|metric|version|quality|card))"
    r"([_-][\w-]*)?\.\w+$",
    re.IGNORECASE,
)
_LARGE = 64 * 1024  # bytes above which a file of that name is more than settings
_SMALL = 1024  # bytes below which the rows of a table are counted
_FEW = 5  # lines that show what rows look like
_REQUEST = regex(
    r"(^|[/_-])(to_?)?(predict|request|payload|instances?|samples?|examples?|demo)\b[^/]*$",
    re.IGNORECASE,
)
_MANY = 20  # media files in a data folder that make a data set
# Recordings and scans, which no page shows as an illustration, and how few of them make one.
_RECORDED = frozenset(["wav", "flac", "mp3", "dcm", "nii"])
_FEW_RECORDED = 3
_LFS = regex(r"^\s*([^\s#]\S*)\s[^#\n]*filter=(lfs|annex)", re.MULTILINE)
_URL = regex(r"(?:https?|ftp)://[^\s\"'<>)\]}]{4,200}")
_OPEN = regex(r"://[^/\s]+/?\{?[^/\w]*\}?$")
_DATED = regex(r"20\d\d[-_/]?(0[1-9]|1[0-2])|\{\}[-_]\{\}|\{(year|month|date)\w*", re.IGNORECASE)
_VERSIONED = regex(
    r"/(raw/)?[0-9a-f]{40}/|(?<!/api)/v\d+(\.\d+)*/|zenodo\.org/records?/\d+|/releases/download/v?\d|"
    r"figshare\.com/\w+/\d+|[?&]version=\d|doi\.org/10\.|[-_]v\d+[._]\d+([._]\d+)?\.[a-z]",
    re.IGNORECASE,
)
_WRITTEN = regex(r"output|result|report|artifacts?/|checkpoint|evolve", re.IGNORECASE)
_FETCHED = regex(
    r"\.(csv|tsv|parquet|zip|gz|tgz|tar|json|jsonl|xlsx?|txt|npz|arff|h5|data)(\b|$)|/datasets?/|"
    r"kaggle\.com|archive\.ics\.uci\.edu|openml\.org|zenodo\.org|figshare|huggingface\.co/datasets|"
    r"drive\.google\.com|s3[.-]|storage\.googleapis|blob\.core\.windows",
    re.IGNORECASE,
)

_TABLE = regex(r"\bbigquery-public-data\.\w|(^|[/:])databricks-datasets/\w")
# Installers and archives of programs.
_TOOL = regex(
    r"/releases/download/|releases\.hashicorp\.com|dl\.k8s\.io|kubernetes-release|awscli|aws-?cli|"
    r"(cloud-sdk|cloud-cli|kubectl|terraform|helm|minikube|chromedriver|google-chrome|openjdk|hadoop|"
    r"spark|kafka|prometheus|grafana|node_exporter|(mini|ana)conda|cuda|cudnn|protoc)[-_/]\S{0,60}"
    r"\.(zip|tgz|tar|gz|deb|sh|json)|archive\.apache\.org|packages\.cloud\.google",
    re.IGNORECASE,
)


def is_model_path(path: str) -> bool:
    """Whether a path names a model rather than data."""
    return bool(_MODEL.search(path.rstrip("/"))) and not _NO_MODEL.search(path)


def dvc_data(project: Project) -> list[Evidence]:
    """What DVC holds that is data: pointers first, then recorded outputs of stages."""
    found = []
    for entry, evidence in project.dvc.tracked():
        # A pointer that .gitignore swallows is in nobody's clone.
        place = project.entry(evidence.span.path)
        if project.git is not None and not place.tracked:
            continue
        if not is_model_path(entry.path) and not re.search(
            r"metric|score|plot|report|data_docs|validation|(^|/)logs?(/|$)|tensorboard|mlruns|figures",
            entry.path,
        ):
            found.append(evidence)
    return found


@once
def large_file_storage(project: Project) -> tuple[tuple[str, Evidence], ...]:
    """The patterns that .gitattributes hands to Git LFS or git-annex, relative to the root."""
    found = []
    for path in project.paths:
        if path.rsplit("/", 1)[-1] != ".gitattributes":
            continue
        folder = path.rpartition("/")[0]
        text = project.text(path) or ""
        for match in _LFS.finditer(text):
            line = text.count("\n", 0, match.start(1)) + 1
            pattern = match[1].strip('"').lstrip("/")
            if folder or "/" in match[1]:
                pattern = f"{folder}/{pattern}".lstrip("/")
            found.append((pattern, Evidence(Span(path, line), f"{match[1]} goes to {match[2]}")))
    return tuple(found)


def _stored(path: str, pattern: str) -> bool:
    name = path.rsplit("/", 1)[-1]
    return fnmatch.fnmatchcase(path, pattern) or (
        "/" not in pattern and fnmatch.fnmatchcase(name, pattern)
    )


def in_lfs(project: Project, path: str) -> bool:
    """Whether a file lies in Git LFS or git-annex, also where its content is checked out."""
    if project.entry(path).pointer:
        return True
    return any(_stored(path, pattern) for pattern, _ in large_file_storage(project))


def lfs_data(project: Project) -> list[Evidence]:
    """Data files in Git LFS or git-annex."""
    found = []
    for path in project.paths:
        if is_model_path(path) or path.endswith((".ipynb", ".md", ".gif", ".mp4", ".pdf", ".svg")):
            continue
        if project.entry(path).pointer or (
            _suffix(path) in _TABLES | _MEDIA and in_lfs(project, path)
        ):
            media = _suffix(path) in _MEDIA
            if not _NO_DATA.search(path) and (not media or _FOLDER.search(path)):
                found.append(Evidence(Span(path), "data in Git LFS"))
    return found


def committed_data(project: Project) -> list[Evidence]:
    """Data sets that lie in plain git: in a data folder, or read by name in code."""
    named = _named_files(project)
    made = {
        out.path
        for pipeline in project.dvc.pipelines
        for stage in pipeline.stages
        for out in (*stage.outs, *stage.metrics, *stage.plots)
    }
    found: list[Evidence] = []
    media: dict[str, list[str]] = {}
    for path in project.paths:
        entry = project.entry(path)
        if (
            entry.kind != "file"
            or (not entry.size and not entry.absent)
            or (project.git is not None and not entry.tracked)
        ):
            continue
        suffix, folder = _suffix(path), bool(_FOLDER.search(path))
        if suffix in _MEDIA and folder and not _NO_DATA.search(path):
            media.setdefault(path.rpartition("/")[0], []).append(suffix)
        if (
            suffix not in _TABLES
            or path in made
            or _NO_DATA.search(path)
            or _TELLS.search(path)
            or is_model_path(path)
            or in_lfs(project, path)
            or _is_sample(project, path)
        ):
            continue
        if suffix == "txt" and _only_links(project.text(path) or ""):
            continue
        if suffix in {"csv", "tsv"} and _few_rows(project, path):
            continue
        name = path.rsplit("/", 1)[-1]
        if (
            folder
            or (suffix in _PURE and name in named)
            or (_SET.search(path) and (entry.absent or (entry.size or 0) > _LARGE))
        ):
            size = f"{max(1, round((entry.size or 0) / 1024))} KiB in git"
            size = "in git, absent from this clone" if entry.absent else size
            found.append(Evidence(Span(path), size))
    found += [
        Evidence(Span(folder), f"{len(kinds)} files in git")
        for folder, kinds in sorted(media.items())
        if len(kinds) >= _MANY or sum(k in _RECORDED for k in kinds) >= _FEW_RECORDED
    ]
    return found


def _is_sample(project: Project, path: str) -> bool:
    """Whether a file lies among samples for tests rather than in the part that tests a model."""
    match = _SAMPLES.match(path)
    return match is not None and match[1] not in _trained(project)


def _few_rows(project: Project, path: str) -> bool:
    """Whether a table holds no more than the rows that show what a request looks like."""
    size = project.entry(path).size or 0
    if not 0 < size < _SMALL or project.entry(path).absent or not _REQUEST.search(path):
        return False
    return len(project.lines(path)) <= _FEW


@once
def _trained(project: Project) -> frozenset[str]:
    """The folders, with a slash at their end, that directly hold a part to train with."""
    found = set()
    for path in project.paths:
        if _suffix(path) not in _TABLES | _MEDIA | {"dvc"}:
            continue
        parts = path.split("/")
        for depth, name in enumerate(parts):
            if _PART.match(name):
                found.add("".join(f"{p}/" for p in parts[:depth]))
    return frozenset(found)


def _only_links(text: str) -> bool:
    """Whether a list holds addresses of data and none of the data itself."""
    lines = [line.strip() for line in text[:20_000].splitlines() if line.strip()]
    return bool(lines) and all(line.startswith(("http://", "https://")) for line in lines)


@once
def _named_files(project: Project) -> frozenset[str]:
    return frozenset(
        text.value.rsplit("/", 1)[-1]
        for module in project.own_code
        for text in module.texts
        if not text.doc and 0 < len(text.value) < 200  # noqa: PLR2004 -- a path, no prose
    )


def _suffix(path: str) -> str:
    return path.rsplit(".", 1)[-1].lower() if "." in path.rsplit("/", 1)[-1] else ""


def sources(project: Project) -> Iterator[tuple[str, Evidence]]:
    """Addresses that code or commands fetch data from: `versioned`, `dated` or `fixed`."""
    for module in project.own_code:
        for text in module.texts:
            if not text.doc and (kind := _kind(text.value)):
                yield kind, Evidence(text.span, text.value)
    for command, _ in project.all_commands:
        if project.is_test(command.span.path) or _TOOL.search(command.text):
            continue  # a tool is fetched, no data
        if command.program in {"aws", "gsutil", "gcloud"} and not _fetches(command):
            continue
        if command.program in {"wget", "curl", "gsutil", "aws", "aria2c"} and (
            kind := _kind(command.text)
        ):
            yield kind, Evidence(command.span, command.text)


def _fetches(command: Command) -> bool:
    """Whether a copy between a store and this machine starts at the store."""
    words = list(command.argv)
    verb = next((n for n, w in enumerate(words) if w in {"cp", "sync", "rsync"}), None)
    if verb is None:
        return False
    ends = [w.strip("'\"") for w in words[verb + 1 :] if not w.startswith("-")]
    return len(ends) > 1 and ends[-2].startswith(("s3://", "gs://"))


def _kind(text: str) -> str:
    if _TABLE.search(text):
        return "fixed"
    found = _URL.search(text) or re.search(r"(?:s3|gs)://[^\s\"']{3,200}", text)
    if found is None or not _FETCHED.search(text) or _WRITTEN.search(text):
        return ""
    if _OPEN.search(found[0]):
        return ""  # a host alone, whatever is filled in
    if _VERSIONED.search(text):
        return "versioned"
    return "dated" if _DATED.search(text) else "fixed"
