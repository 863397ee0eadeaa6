"""Paths of data that a project names: in git, in DVC, in code and in settings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_audit.facts.code import Module, Text
from mlops_audit.graph import Project
from mlops_audit.graph.datasets import committed_data, dvc_data
from mlops_audit.graph.places import Places
from mlops_audit.graph.sourcelines import line_at
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

__all__ = ["DATA", "FETCHES", "RAW", "data_mentions", "is_derived"]

_NO_PATH = regex(r"\s|://|[<>*]")
RAW = regex(
    r"^(?:\.{0,2}/)*((?:[\w.-]{1,60}/){0,5}(?:\d+_)?(?:raw(?:_?data)?|external|original|landing|"
    r"bronze|source_?data))(?:/|\.dvc$|$)",
    re.IGNORECASE,
)
DATA = regex(
    r"^(?:\.{0,2}/)*((?:[\w.-]{1,60}/){0,5}?\.?(?:data|datasets?|inputs?|input_data))(?:/|$)",
    re.IGNORECASE,
)
_DERIVED = regex(
    r"(^|/)(?:\d+_)?(interim|intermediate|process(ed)?|preprocess(ed)?|final|clean(ed)?|"
    r"([a-z]+_)?features?|prepared|"
    r"primary|silver|gold|derived|transformed|split|train(_data)?|model_input|curated)(/|$)",
    re.IGNORECASE,
)
FETCHES = regex(
    r"(^|\.)(urlretrieve|urlopen|download\w*|gdown|wget|fetch_\w+|read_sql\w*|read_gbq|extractall|"
    r"unpack_archive|load_dataset|list_objects\w*)$|^(requests|httpx|urllib|boto3|kaggle)\b"
)
_FOLDER_WORD = (
    r"(join(path)?\([^()]{0,80}|Path\(|/\s*|(dir|folder|root|path|dest|base)\w{0,20}[\"']?\s*[:=]\s*|"
    r"(makedirs|mkdir|download\w*|load_\w+|read_\w+)\()[rf]{0,2}[\"']WORD[\"'/]"
)
# A file that describes a data set is no data.
_CONFIGURES = regex(r"\.(ya?ml|toml|ini|cfg)$", re.IGNORECASE)
_SETTINGS = regex(r"\.(ya?ml|json|toml|ini|cfg|env)$", re.IGNORECASE)
_SKIPPED = regex(
    r"(^|/)(\.github|tests?|docs?|node_modules|\.dvc|mlruns|infra\w*|k8s)/|(^|"
    r"/)([\w-]*compose[\w.-]*|feature_store\.ya?ml)$"
)
_ENTRY = regex(r"""[:=]\s*["']?((?:\.{0,2}/)?[\w.\-]+(?:/[\w.\-{}$]+){0,6})["']?\s*,?\s*$""")
_GIVES_OUT = regex(
    r"""[\s"'-]*(\w*(output|checkpoint|ckpt|save|log|logging|result|run|hub)_?(dir\w*|folder|path)|"""
    r"""hub_model_id)["']?\s*[:=]""",
    re.IGNORECASE,
)
# A folder of one machine, of a bucket, or one that a person fills in.
_OUTSIDE = regex(r"[/~]|[A-Za-z]:[\\/]|\w+://|/?(your|path)[/_ ]?(path|to|folder)\b", re.IGNORECASE)
_MAX_BYTES = 100_000


def is_derived(folder: str) -> bool:
    """Whether a folder's name says that derived data lies there."""
    return bool(_DERIVED.search(folder))


def data_mentions(project: Project) -> Iterator[tuple[str, Evidence]]:
    """Paths of data: in git, in DVC, in code, in settings."""
    tests = project.is_test
    for evidence in (*committed_data(project), *dvc_data(project)):
        if not tests(evidence.span.path):
            yield evidence.span.path, evidence
    for path in project.paths:
        if path.endswith((".gitkeep", ".gitignore", ".keep")) and "/" in path and not tests(path):
            yield path, Evidence(Span(path), "keeps the folder")
    yield from _named_in_dvc(project)
    for path, module in project.modules.items():
        if not tests(path) and not project.is_example(path):
            yield from _named_in_code(project, module)
    yield from _named_in_settings(project)


def _named_in_dvc(project: Project) -> Iterator[tuple[str, Evidence]]:
    for pointer in project.dvc.pointers:
        for out in pointer.outs:
            yield out.path, Evidence(pointer.span, f"DVC tracks {out.path}")
    for pipeline in project.dvc.pipelines:
        for stage in pipeline.stages:
            for item in (*stage.deps, *stage.outs):
                if not item.path.endswith(".py"):
                    yield item.path, Evidence(item.span, item.path)


def _starts_with_data(value: str, places: Places) -> bool:
    """Whether a path leads to data from here, rather than from some bucket's folder."""
    first = value.lstrip("./").split("/", 1)[0]
    return bool(DATA.fullmatch(first)) or any(f.endswith(first) for f in places.folders)


def _is_folder(project: Project, span: Span, word: str) -> bool:
    """Whether a bare word stands in the source as (a part of) a path, not as a key or an option."""
    return bool(re.search(_FOLDER_WORD.replace("WORD", re.escape(word)), line_at(project, span)))


def _named_in_code(project: Project, module: Module) -> Iterator[tuple[str, Evidence]]:
    places = project.places
    folder = False
    elsewhere = _below_elsewhere(module) | _keys_of_stores(module)
    for text in module.texts:
        value = text.value
        # An absolute path is one of a container or a bucket's key, no folder of the project.
        if value in elsewhere or value.startswith("/") or _CONFIGURES.search(value):
            continue
        if text.doc or not 2 < len(value) < 200 or _NO_PATH.search(value):  # noqa: PLR2004 -- a path
            continue
        if _never_read(project, text):
            continue
        if value in {"data", "datasets", "dataset"}:
            folder = True
        plain = DATA.match(value)
        if plain and value.strip("/") in {"data", "datasets", "dataset"}:
            # A bare word may be a part of any path, unless this module brings data in.
            fetches = any(FETCHES.search(c.name) for c in module.calls)
            if "/" in value or (fetches and _is_folder(project, text.span, value)):
                yield value, Evidence(text.span, value)
        elif plain and not _starts_with_data(value, places):
            continue
        elif "/" in value:
            yield value, Evidence(text.span, value)
        elif folder and value in {"raw", "external"}:
            yield f"data/{value}", Evidence(text.span, value)


def _never_read(project: Project, text: Text) -> bool:
    """Whether a text is a constant that no code reads."""
    name = text.context
    if text.scope or not name.isupper() or not name.isidentifier():
        return False
    return not any(name in m.names for m in project.modules.values())


def _below_elsewhere(module: Module) -> frozenset[str]:
    """Paths that are joined to a folder outside the project: an absolute one, or one to fill in."""
    outside = {
        target
        for assign in module.assigns
        if isinstance(assign.value.literal, str) and _OUTSIDE.match(assign.value.literal)
        for target in assign.targets
    }
    return frozenset(
        value.literal
        for call in (module.calls if outside else ())
        if call.method in {"join", "joinpath"} and call.args and call.args[0].text in outside
        for value in call.args[1:]
        if isinstance(value.literal, str)
    )


def _keys_of_stores(module: Module) -> frozenset[str]:
    """Names under which files are put into a store: what an upload is told after the file."""
    keys: set[str] = set()
    here: set[str] = set()
    for call in module.calls:
        if "upload" in call.method.lower() or call.method == "put_object":
            texts = [v.literal for v in call.args if isinstance(v.literal, str)]
            first = call.args[0].literal if call.args else None
            here |= {t for t in texts if t == first}
            keys |= {t for t in texts if t != first}
    return frozenset(keys - here)


def _named_in_settings(project: Project) -> Iterator[tuple[str, Evidence]]:
    for path in project.paths:
        if not _SETTINGS.search(path) or _SKIPPED.search(path) or path.endswith("dvc.yaml"):
            continue
        if (project.entry(path).size or 0) > _MAX_BYTES:
            continue
        for number, line in enumerate(project.lines(path), 1):
            match = _ENTRY.search(line[:300])
            if match and _GIVES_OUT.match(line):
                continue  # where a run puts what it makes
            if match and "/" in match[1] and not match[1].startswith("/"):
                named = RAW.match(match[1]) or is_derived(match[1])
                plain = None if named else DATA.match(match[1])
                # Settings also speak of other machines: that a folder is there must show.
                if plain is None or project.places.folder(plain[1], path.rpartition("/")[0]):
                    yield match[1], Evidence(Span(path, number), line.strip())
