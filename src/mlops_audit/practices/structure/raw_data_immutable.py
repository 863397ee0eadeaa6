"""STR05: raw data has its own place, and nothing writes there after ingestion."""

from __future__ import annotations

from mlops_audit.graph import Project
from mlops_audit.model import Evidence, Verdict, failed, not_applicable, partial, passed
from mlops_audit.practices.base import practice
from mlops_audit.practices.structure._data_paths import is_derived
from mlops_audit.practices.structure._data_writes import Write
from mlops_audit.practices.structure._raw import RawData, raw_data

_LOOKED_FOR = "a folder for raw data that only the code which brings data in writes to"


@practice(
    id="STR05",
    title="Raw data is never changed",
    assets="data",
    level="3s",
    sources="S4",
    fix="Keep raw data in data/raw and write everything derived to data/interim or data/processed.",
    template=("dvc.yaml", "data", "src/<package>/data/ingest.py", "src/<package>"),
)
def raw_data_immutable(project: Project) -> Verdict:
    """Compare the places of raw data with what writes there."""
    raw = raw_data(project)
    if project.roles.kind == "library" and not raw.stored:
        return not_applicable("A library keeps no data of its own.")
    if raw.named:
        return _named(raw)
    if raw.plain:
        return _plain(raw)
    if raw.mixed:
        into = [w for w in raw.writes if w.folder in _folders(raw.mixed) and not w.ingests]
        if into:
            return failed(
                "Raw data has no place of its own and code writes beside it.",
                looked_for=_LOOKED_FOR,
                evidence=[*raw.mixed[:2], *(w.evidence for w in into[:3])],
            )
        return partial("Nothing sets the raw data apart, but no code writes there.", raw.mixed[:3])
    return not_applicable("No data lies in folders of this project.")


_KEEPS = (".gitkeep", ".keep", ".gitignore")


def _folders(found: tuple[Evidence, ...]) -> set[str]:
    return {e.span.path.rpartition("/")[0] for e in found}


def _listed(folders: list[str]) -> str:
    """Folders as a reason names them."""
    return ", ".join(f"{f}/" for f in folders)


def _inside(write: Write, folder: str) -> bool:
    if write.folder is None:
        return False
    return write.folder == folder or write.folder.startswith(f"{folder}/")


def _named(raw: RawData) -> Verdict:
    """Judge folders that are called raw."""
    places = [e for _, e in raw.named]
    if raw.versions:
        return partial("Versions of the raw data lie side by side.", raw.versions[:3])
    into = [
        w.evidence
        for w in raw.writes
        if not w.ingests and (w.folder == "raw" or any(_inside(w, f) for f, _ in raw.named))
    ]
    into += raw.changes
    if into:
        return partial(
            "Raw data has its own place, but code writes there.", [*places[:2], *into[:3]]
        )
    unclear = [w.evidence for w in raw.writes if w.folder is None and not w.ingests]
    if unclear and not raw.derived:
        return partial(
            "Raw data has its own place; where other data is written is not clear.",
            [*places[:2], *unclear[:2]],
        )
    return passed(f"Raw data lies in {raw.named[0][0]}/ and nothing changes it.", places[:3])


def _plain(raw: RawData) -> Verdict:
    """Judge folders of data in general: what lies in them directly is raw unless code writes it."""
    folders = [f for f, _ in raw.plain]
    places = [e for _, e in raw.plain]
    stored = _folders(raw.stored)
    if not stored and all(e.span.path.endswith(_KEEPS) for e in places):
        return not_applicable("The folder for data is kept empty, and nothing reads from it.")
    holding = {s for s in stored if any(s == f or s.startswith(f"{f}/") for f in folders)}
    into = [w.evidence for w in raw.writes if _shares(w, holding, folders)]
    if into:
        return failed(
            "Raw and derived data share a folder.",
            looked_for=_LOOKED_FOR,
            evidence=[*places[:2], *into[:3]],
        )
    unclear = [w.evidence for w in raw.writes if w.folder is None and not w.ingests]
    if unclear and not raw.derived:
        return partial(
            "No code is seen to write to the folder of the data, but not all writes are clear.",
            [*places[:2], *unclear[:2]],
        )
    return passed(f"Data lies in {_listed(folders[:3])} and is only read there.", places[:3])


def _shares(write: Write, holding: set[str], folders: list[str]) -> bool:
    """Whether derived data is written into the folder that raw data lies in."""
    if write.ingests or write.folder is None:
        return False
    if holding:
        return write.folder in holding
    # Nothing is stored: then what is brought in lies in the folder of data itself.
    return any(_inside(write, f) for f in folders) and not is_derived(write.folder)
