"""What writes data: stages of DVC, and calls that store tables, arrays and rows of databases."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from msgspec import Struct

from mlops_audit.facts.code import Call, Module
from mlops_audit.graph import Project
from mlops_audit.graph.outputs import Output, literal_path, written_files
from mlops_audit.model import Evidence, Span
from mlops_audit.practices.structure._data_paths import DATA, FETCHES, RAW
from mlops_audit.regex import regex

__all__ = ["CHANGES", "Write", "data_writes"]

_BUFFERS = frozenset({"StringIO", "BytesIO"})
_INGESTS = regex(
    r"(^|[/_.])(ingest\w*|download\w*|fetch\w*|extract\w*|collect\w*|scrap\w*|crawl\w*|"
    r"import_?data|get_?data\w*|pull\w*|load(er|_?data|_raw\w*)?|acqui\w*|make_?dataset|"
    r"create_raw\w*|generate\w*|unzip|unpack|source|sync\w*|save_raw\w*|query\w*|read_?data|"
    r"etl_?extract|raw|setup|get_\w{0,20}(csv|dataset|file)|data_loader|dump_raw)",
    re.IGNORECASE,
)
CHANGES = regex(
    r"(update|merge|append|extend|overwrite|modify|clean)_?\w{0,20}raw|"
    r"raw\w{0,20}_(update|merge|append|clean)",
    re.IGNORECASE,
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
_DATA_SUFFIXES = frozenset(
    ["csv", "tsv", "parquet", "pq", "feather", "arrow", "json", "jsonl", "txt", "npy", "npz", "pkl",
     "bin", "xml", "xlsx", "h5", "gz", "zip"]
)  # fmt: skip


class Write(Struct, frozen=True):
    """Something that writes a file of data; `folder` is empty for the root, None where unknown."""

    folder: str | None
    evidence: Evidence
    ingests: bool


def data_writes(project: Project) -> Iterator[Write]:
    """What writes data: outputs of stages, calls with a path, calls with a variable."""
    yield from _of_stages(project)
    known = set()
    for output in written_files(project):
        known.add((output.module.path, output.call.span))
        if not output.model and _is_data(output):
            yield _of_output(project, output)
    yield from _of_tables(project, known)
    yield from _beside_itself(project)
    yield from _databases(project)


def _of_stages(project: Project) -> Iterator[Write]:
    for pipeline in project.dvc.pipelines:
        for stage in pipeline.stages:
            # A stage that only has programs and other folders among its inputs brings data in.
            own = any(RAW.match(d.path) or DATA.match(d.path) for d in stage.deps)
            ingests = not own or bool(_INGESTS.search(stage.name))
            for out in stage.outs:
                detail = f"stage {stage.name} writes {out.path}"
                yield Write(_folder(out.path), Evidence(out.span, detail), ingests)


def _of_tables(project: Project, known: set[tuple[str, Span]]) -> Iterator[Write]:
    """Tables that calls write under a name that a variable holds."""
    for module in project.own_code:
        if project.is_example(module.path):
            continue
        buffers = {t for c in module.calls if c.method in _BUFFERS for t in c.targets}
        for call in module.calls:
            if not call.runs or (module.path, call.span) in known or not _writes_table(call):
                continue
            value = call.arg(0)
            if value is None or value.text in buffers or _NO_DATA.search(value.text):
                continue
            if value.name.startswith("tempfile."):  # gone when the program is
                continue
            if len(value.text) < 3:  # noqa: PLR2004 -- an open file, `f`
                continue
            beside = _beside(call, module)
            ingests = _ingests(project, module, call)
            folder = beside if beside is not None else ("raw" if "raw" in value.text else None)
            yield Write(folder, Evidence(call.span, call.told), ingests)


def _of_output(project: Project, output: Output) -> Write:
    place = output.path if output.exact else f"{output.path}/x"
    if _is_array(output):
        place = f"{place}.npy"  # NumPy's own ending
    detail = f"writes {output.path}"
    ingests = _ingests(project, output.module, output.call)
    return Write(_folder(place), Evidence(output.call.span, detail), ingests)


def _databases(project: Project) -> Iterator[Write]:
    """Files of databases that code fills: what lies beside them shares their folder."""
    for module in project.source:
        if project.is_example(module.path):
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
    for module in project.source:
        for call in module.calls:
            value = call.arg(0)
            if call.method in {"tofile", "memmap"} and value is not None:
                folder = posixpath.dirname(module.path)
                yield Write(folder, Evidence(call.span, call.told), ingests=False)


def _folder(path: str) -> str:
    """The folder of a file; a path without an ending is a folder itself."""
    last = path.rstrip("/").rsplit("/", 1)[-1]
    folder = posixpath.dirname(path) if "." in last.strip(".") else path
    return posixpath.normpath(f"/{folder}").lstrip("/") if folder else ""


def _ingests(project: Project, module: Module, call: Call) -> bool:
    """Whether a write belongs to the code that brings data in."""
    if CHANGES.search(module.path) or CHANGES.search(call.scope):
        return False
    name = module.path.rsplit("/", 1)[-1]
    if _INGESTS.search(call.scope) or (not module.notebook and _INGESTS.search(name)):
        return True
    if any(u.capability == "data.download" for u in project.uses_in(module.path, call.scope)):
        return True
    near = module.calls_in(call.scope) if call.scope else ()
    return any(FETCHES.search(c.name) for c in near)
