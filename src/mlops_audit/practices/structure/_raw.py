"""Where raw data lies in a project, and what writes there."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from msgspec import Struct

from mlops_audit.facts.code import Call, Module, Text
from mlops_audit.graph import Project
from mlops_audit.graph.datasets import committed_data, dvc_data
from mlops_audit.graph.outputs import Output, literal_path, written_files
from mlops_audit.graph.places import Places
from mlops_audit.graph.sourcelines import line_at
from mlops_audit.model import Evidence, Span
from mlops_audit.regex import regex

__all__ = ["RawData", "Write", "is_derived", "raw_data"]

_NO_PATH = regex(r"\s|://|[<>*]")
_BUFFERS = frozenset({"StringIO", "BytesIO"})
_RAW = regex(
    r"^(?:\.{0,2}/)*((?:[\w.-]{1,60}/){0,5}(?:\d+_)?(?:raw(?:_?data)?|external|original|landing|"
    r"bronze|source_?data))(?:/|\.dvc$|$)",
    re.IGNORECASE,
)
_DATA = regex(
    r"^(?:\.{0,2}/)*((?:[\w.-]{1,60}/){0,5}?\.?(?:data|datasets?|inputs?|input_data))(?:/|$)",
    re.IGNORECASE,
)
_DERIVED = regex(
    r"(^|/)(?:\d+_)?(interim|intermediate|process(ed)?|preprocess(ed)?|final|clean(ed)?|"
    r"([a-z]+_)?features?|prepared|"
    r"primary|silver|gold|derived|transformed|split|train(_data)?|model_input|curated)(/|$)",
    re.IGNORECASE,
)
_VERSIONS = regex(
    r"(^|[/_])raw(_?data)?[_-]?(v\d|\d|final|new|old|latest|copy|backup)\w*(/|\.|$)", re.IGNORECASE
)
_INGESTS = regex(
    r"(^|[/_.])(ingest\w*|download\w*|fetch\w*|extract\w*|collect\w*|scrap\w*|crawl\w*|"
    r"import_?data|get_?data\w*|pull\w*|load(er|_?data|_raw\w*)?|acqui\w*|make_?dataset|"
    r"create_raw\w*|generate\w*|unzip|unpack|source|sync\w*|save_raw\w*|query\w*|read_?data|"
    r"etl_?extract|raw|setup|get_\w{0,20}(csv|dataset|file)|data_loader|dump_raw)",
    re.IGNORECASE,
)
_CHANGES = regex(
    r"(update|merge|append|extend|overwrite|modify|clean)_?\w{0,20}raw|"
    r"raw\w{0,20}_(update|merge|append|clean)",
    re.IGNORECASE,
)
_FETCHES = regex(
    r"(^|\.)(urlretrieve|urlopen|download\w*|gdown|wget|fetch_\w+|read_sql\w*|read_gbq|extractall|"
    r"unpack_archive|load_dataset|list_objects\w*)$|^(requests|httpx|urllib|boto3|kaggle)\b"
)
_FOLDER_WORD = (
    r"(join(path)?\([^()]{0,80}|Path\(|/\s*|(dir|folder|root|path|dest|base)\w{0,20}[\"']?\s*[:=]\s*|"
    r"(makedirs|mkdir|download\w*|load_\w+|read_\w+)\()[rf]{0,2}[\"']WORD[\"'/]"
)
_TABLES = regex(
    r"^(to_csv|to_parquet|to_feather|to_json|to_excel|to_pickle|write_csv|write_parquet|savetxt)$"
)
_NO_DATA = regex(
    r"pred|output|result|score|report|metric|submission|target|buf|io\b|log|loss|hist|figure|"
    r"response|summary|importance|s3|gs:|blob|sink|none",
    re.IGNORECASE,
)
_CONNECTS = regex(r"^(sqlite3|duckdb)\.connect$|(^|\.)create_engine$")
_DATABASE = regex(
    r"(?:(?:sqlite|duckdb):/{3})?((?:[\w.-]{1,60}/){1,5}[\w.-]{1,60}\.(?:db|sqlite3?|duckdb))"
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
_OF_TESTS = regex(r"(\.{0,2}/){0,4}tests?/", re.IGNORECASE)
_MAX_BYTES = 100_000
_DATA_SUFFIXES = frozenset(
    [
        "csv",
        "tsv",
        "parquet",
        "feather",
        "arrow",
        "json",
        "jsonl",
        "txt",
        "npy",
        "npz",
        "pkl",
        "bin",
        "xml",
        "xlsx",
        "h5",
        "gz",
        "zip",
    ]
)


class Write(Struct, frozen=True):
    """Something that writes a file of data; `folder` is empty for the root, None where unknown."""

    folder: str | None
    evidence: Evidence
    ingests: bool


class RawData(Struct, frozen=True):
    """Where raw data lies: folders called raw, other folders of data, and all writes of data.

    `stored` is the data that git or DVC hold; `versions` are raw data side by side under names
    such as `raw_v2`; `derived` says that other data has a place of its own; `mixed` are data files
    in folders with other things.
    """

    named: tuple[tuple[str, Evidence], ...]
    plain: tuple[tuple[str, Evidence], ...]
    stored: tuple[Evidence, ...]
    mixed: tuple[Evidence, ...]
    derived: bool
    versions: tuple[Evidence, ...]
    writes: tuple[Write, ...]
    changes: tuple[Evidence, ...]


def is_derived(folder: str) -> bool:
    """Whether a folder's name says that derived data lies there."""
    return bool(_DERIVED.search(folder))


def raw_data(project: Project) -> RawData:
    """Find raw data and its writers."""
    named: dict[str, Evidence] = {}
    plain: dict[str, Evidence] = {}
    versions: list[Evidence] = []
    derived = False
    for path, evidence in _mentions(project):
        if _OF_TESTS.match(path):
            continue
        derived = derived or bool(_DERIVED.search(path))
        if _VERSIONS.search(path):
            versions.append(evidence)
        if match := _RAW.match(path):
            named.setdefault(match[1], evidence)
        elif (match := _DATA.match(path)) and not _DERIVED.search(path):
            plain.setdefault(match[1], evidence)
    mixed = []
    for evidence in committed_data(project):
        folder = evidence.span.path.rpartition("/")[0]
        if _RAW.match(f"{folder}/") or _DATA.match(f"{folder}/"):
            continue
        mixed.append(evidence)
    writes = tuple(_writes(project))
    for write in writes:
        if write.folder and (match := _DATA.match(f"{write.folder}/")):
            plain.setdefault(match[1], write.evidence)
    derived = derived or any(
        w.folder
        and _DATA.match(f"{w.folder}/")
        and not _RAW.match(f"{w.folder}/")
        and not w.ingests
        for w in writes
    )
    changes = [
        Evidence(Span(p), "a program that changes raw data, by its name")
        for p in project.modules
        if _CHANGES.search(p) and not project.is_test(p)
    ]
    return RawData(
        tuple(named.items()),
        tuple(plain.items()),
        tuple(e for e in committed_data(project) if not project.is_test(e.span.path))
        + tuple(dvc_data(project)),
        tuple(mixed),
        derived,
        tuple(versions),
        writes,
        tuple(changes),
    )


def _mentions(project: Project) -> Iterator[tuple[str, Evidence]]:
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
    return bool(_DATA.fullmatch(first)) or any(f.endswith(first) for f in places.folders)


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
        plain = _DATA.match(value)
        if plain and value.strip("/") in {"data", "datasets", "dataset"}:
            # A bare word may be a part of any path, unless this module brings data in.
            fetches = any(_FETCHES.search(c.name) for c in module.calls)
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
        for number, line in enumerate((project.text(path) or "").splitlines(), 1):
            match = _ENTRY.search(line[:300])
            if match and _GIVES_OUT.match(line):
                continue  # where a run puts what it makes
            if match and "/" in match[1] and not match[1].startswith("/"):
                named = _RAW.match(match[1]) or _DERIVED.search(match[1])
                plain = None if named else _DATA.match(match[1])
                # Settings also speak of other machines: that a folder is there must show.
                if plain is None or project.places.folder(plain[1], path.rpartition("/")[0]):
                    yield match[1], Evidence(Span(path, number), line.strip())


# -- writes ---------------------------------------------------------------------------------------


def _writes(project: Project) -> Iterator[Write]:
    """What writes data: outputs of stages, calls with a path, calls with a variable."""
    for pipeline in project.dvc.pipelines:
        for stage in pipeline.stages:
            for out in stage.outs:
                # A stage that only has programs and other folders among its inputs brings data in.
                own = any(_RAW.match(d.path) or _DATA.match(d.path) for d in stage.deps)
                ingests = not own or bool(_INGESTS.search(stage.name))
                detail = f"stage {stage.name} writes {out.path}"
                yield Write(_folder(out.path), Evidence(out.span, detail), ingests)
    known = set()
    for output in written_files(project):
        known.add((output.module.path, output.call.span))
        if not output.model and _is_data(output):
            yield _of_output(project, output)
    for path, module in project.modules.items():
        if path in project.test_files or project.is_example(path):
            continue
        buffers = {t for c in module.calls if c.method in _BUFFERS for t in c.targets}
        for call in module.calls:
            if not call.runs or (path, call.span) in known or not _writes_table(call):
                continue
            value = call.arg(0)
            if value is not None and value.text in buffers:
                continue
            if value is None or _NO_DATA.search(value.text) or len(value.text) < 3:  # noqa: PLR2004 -- an open file, `f`
                continue
            beside = _beside(call, module)
            ingests = _ingests(project, module, call)
            folder = beside if beside is not None else ("raw" if "raw" in value.text else None)
            yield Write(folder, Evidence(call.span, call.told), ingests)
    yield from _beside_itself(project)
    yield from _databases(project)


def _of_output(project: Project, output: Output) -> Write:
    place = output.path if output.exact else f"{output.path}/x"
    if _is_array(output):
        place = f"{place}.npy"  # NumPy's own ending
    detail = f"writes {output.path}"
    ingests = _ingests(project, output.module, output.call)
    return Write(_folder(place), Evidence(output.call.span, detail), ingests)


def _databases(project: Project) -> Iterator[Write]:
    """Files of databases that code fills: what lies beside them shares their folder."""
    for path, module in project.modules.items():
        if path in project.test_files or project.is_example(path) or module.notebook:
            continue
        if not any(_CONNECTS.search(c.name) for c in module.calls):
            continue
        filled = next((c for c in module.calls if c.runs and _fills(c)), None)
        for text in module.texts if filled is not None else ():
            place = _DATABASE.fullmatch(text.value)
            if place is not None and not text.doc:
                yield Write(
                    _folder(place[1]), Evidence(text.span, f"fills {place[1]}"), ingests=False
                )


def _fills(call: Call) -> bool:
    """Whether a call stores rows in a database."""
    return call.method == "to_sql" or (
        call.method in {"execute", "executemany"} and "insert into" in call.text.lower()
    )


def _writes_table(call: Call) -> bool:
    if call.name == "open":
        mode, value = call.arg(1, "mode"), call.arg(0, "file")
        writes = mode is not None and bool(set(str(mode.literal)) & set("wa"))
        return writes and value is not None and bool(re.search(r"csv|parquet", value.text))
    return bool(_TABLES.match(call.method))


def _is_data(output: Output) -> bool:
    """Whether a written file holds data, by its ending or by the method that writes it."""
    suffix = re.search(r"\.(\w{1,8})$", output.path)
    if suffix:
        return suffix[1].lower() in _DATA_SUFFIXES and not _NO_DATA.search(output.path)
    return bool(_TABLES.match(output.call.method)) or _is_array(output)


def _is_array(output: Output) -> bool:
    """Whether NumPy saves an array under a name without an ending."""
    bare = "." not in output.path.rsplit("/", 1)[-1]
    return output.exact and bare and output.call.name.startswith("numpy.save")


def _beside(call: Call, module: Module) -> str | None:
    """The folder of a path that a call builds beside the module itself."""
    value = call.arg(0)
    if value is not None and "__file__" in value.text:
        return posixpath.dirname(module.path)
    found = literal_path(value, module) if value is not None else None
    return _folder(found[0]) if found else None


def _beside_itself(project: Project) -> Iterator[Write]:
    """Binary writes beside the program (`arr.tofile(os.path.join(dirname(__file__), ...))`)."""
    for path, module in project.modules.items():
        if path in project.test_files or module.notebook:
            continue
        for call in module.calls:
            value = call.arg(0)
            if call.method in {"tofile", "memmap"} and value is not None:
                folder = posixpath.dirname(path)
                yield Write(folder, Evidence(call.span, call.told), ingests=False)


def _folder(path: str) -> str:
    """The folder of a file; a path without an ending is a folder itself."""
    last = path.rstrip("/").rsplit("/", 1)[-1]
    folder = posixpath.dirname(path) if "." in last.strip(".") else path
    return posixpath.normpath(f"/{folder}").lstrip("/") if folder else ""


def _ingests(project: Project, module: Module, call: Call) -> bool:
    """Whether a write belongs to the code that brings data in."""
    if _CHANGES.search(module.path) or _CHANGES.search(call.scope):
        return False
    name = module.path.rsplit("/", 1)[-1]
    if _INGESTS.search(call.scope) or (not module.notebook and _INGESTS.search(name)):
        return True
    if any(u.capability == "data.download" for u in project.uses_in(module.path, call.scope)):
        return True
    near = module.calls_in(call.scope) if call.scope else ()
    return any(_FETCHES.search(c.name) for c in near)
