"""STR01: source, data, models, notebooks, settings and tests have places of their own."""

from __future__ import annotations

from mlops_audit.graph import Project
from mlops_audit.graph.outputs import written_files
from mlops_audit.model import (
    Evidence,
    Span,
    Verdict,
    failed,
    not_applicable,
    partial,
    passed,
)
from mlops_audit.practices.base import practice
from mlops_audit.practices.structure._kinds import Kind, kinds

_ENOUGH = 3  # kinds with places of their own, by the catalogue
_TWO = 2
_HALF = 0.5
_STRAY = 0.25  # the share of notebooks in the root above which the root is one of their places
_MANY_NOTEBOOKS = 3  # times as many notebooks as modules: the notebooks are the source
_LOOKED_FOR = (
    "folders of their own for at least three of source, data, models, notebooks, "
    "configuration and tests"
)


@practice(
    id="STR01",
    title="Source, data, models, notebooks, settings and tests lie apart",
    assets="code",
    level="1s",
    sources="S2 S4",
    fix="Move source to src/, notebooks to notebooks/, data to data/ and tests to tests/.",
    template=(
        "src/<package>/__init__.py",
        "src/<package>",
        "data",
        "notebooks",
        "tests",
    ),
)
def modular_layout(project: Project) -> Verdict:
    """Count the kinds of files that have a folder of their own."""
    found = kinds(project)
    source, notebooks = found.get("source"), found.get("notebooks")
    if source is None and notebooks is None:
        return not_applicable("There is neither source nor a notebook to lay out.")
    apart = [k for k in found.values() if k.apart]
    names = ", ".join(sorted(k.name for k in apart))
    # Fewer kinds than that may exist; then all of them are asked.
    in_root = notebooks is not None and len(notebooks.root) > max(1, _STRAY * notebooks.total)
    in_root = in_root or (source is not None and len(source.root) >= _HALF * source.total)
    if len(apart) >= min(_ENOUGH, max(_TWO, len(found))) and not in_root:
        return passed(f"Folders of their own: {names}.", _shown(project, apart))
    main = source or notebooks
    if source and notebooks and len(notebooks.root) >= _HALF * notebooks.total:
        main = notebooks if notebooks.total >= _MANY_NOTEBOOKS * source.total else source
    rest = [k for k in found.values() if k is not main]
    mixed = ", ".join(sorted(k.name for k in found.values() if not k.apart))
    if main and main.apart:
        beside = f"; not so: {mixed}" if mixed else ""
        return partial(f"Folders of their own: {names}{beside}.", _shown(project, apart))
    others = [k for k in rest if k.apart]
    if main is notebooks:  # a folder that they only make at run time sets nothing apart
        others = [k for k in others if any(project.has(p) for p in k.own)]
    # What lies in folders with other things is apart from source in the root, too.
    away = [k for k in rest if k in others or (main and main.root and not k.root)]
    if main and others and len(away) > _HALF * len(rest):
        what = "source lies" if main is source else "notebooks lie"
        return partial(f"The {what} in the root, apart from {names}.", _shown(project, others))
    where = [Evidence(Span(k.root[0]), f"{k.name} in the root") for k in found.values() if k.root]
    return failed(
        f"Nothing sets these kinds of files apart: {mixed or 'all'}.",
        looked_for=_LOOKED_FOR,
        evidence=where,
    )


def _shown(project: Project, apart: list[Kind]) -> list[Evidence]:
    found = []
    for kind in apart:
        inside = [p for p in kind.own if p.rpartition("/")[0] == kind.place]
        held = [p for p in inside if project.has(p)]
        # A file of the kind shows more than one that only makes or keeps the folder.
        full = [p for p in held if not p.endswith(("__init__.py", ".gitkeep", ".gitignore"))]
        first = next(iter(full or held), inside[0])
        span = Span(first) if project.has(first) else _named(project, first)
        found.append(Evidence(span, f"{kind.name} in {kind.place}/"))
    return found


def _named(project: Project, path: str) -> Span:
    """Where DVC or code names a path that is not in git, or the path itself."""
    for entry, evidence in project.dvc.tracked():
        if entry.path == path:
            return evidence.span
    for module in project.modules.values():
        if module.path not in project.test_files:
            for text in module.texts:
                if not text.doc and path in text.value:
                    return text.span
    for output in written_files(project):
        if output.path.strip("./") == path:
            return output.call.span
    return Span(path)
