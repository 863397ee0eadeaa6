"""STR04: notebooks have names that say their order."""

from __future__ import annotations

from mlops_audit.facts.notebooknames import convention, series
from mlops_audit.graph import Project
from mlops_audit.graph.sourcenotebooks import source_notebooks
from mlops_audit.model import Evidence, Span, Verdict, failed, not_applicable, partial, passed
from mlops_audit.practices.base import practice

_MOST, _HALF = 0.8, 0.5  # shares of the catalogue
_TWO = 2
_LOOKED_FOR = "names such as 1.0-explore-data.ipynb: a number, optional initials, a description"


@practice(
    id="STR04",
    title="Notebooks are named in order",
    assets="code",
    level="2s",
    sources="S4",
    fix="Rename notebooks to number, initials and description: 1.0-jd-explore-data.ipynb.",
    template=("notebooks/1.0-explore-demand.ipynb",),
)
def notebook_naming(project: Project) -> Verdict:
    """Count the notebooks that follow one ordered convention."""
    names = _notebooks(project)
    if len(names) < _TWO:
        return not_applicable("Fewer than two notebooks have no order to keep.")
    numbered = [p for p in names if convention(p) == "number"]
    chapters = [p for p in names if convention(p) == "chapter"]
    best = max(numbered, chapters, series(names), key=len)
    share = len(best) / len(names)
    said = f"{len(best)} of {len(names)} notebooks have an ordered name."
    shown = [Evidence(Span(p), "a name with its place in the order") for p in best[:5]]
    if share >= _MOST:
        return passed(said, shown)
    if share >= _HALF:
        other = [Evidence(Span(p), "no order") for p in names if p not in best]
        return partial(said, [*shown[:3], *other[:2]])
    other = [Evidence(Span(p), "no order") for p in names if p not in best]
    return failed(said, looked_for=_LOOKED_FOR, evidence=other[:5])


def _notebooks(project: Project) -> list[str]:
    """The notebooks, identical copies once."""
    seen: set[object] = set()
    found = []
    for path in project.paths:
        if not path.endswith(".ipynb") or ".ipynb_checkpoints/" in path:
            continue
        notebook = project.notebooks.get(path)
        cells = tuple(c.source for c in notebook.cells) if notebook else ()
        key: object = cells or project.entry(path).blob or path
        if key not in seen:
            seen.add(key)
            found.append(path)
    return [*found, *source_notebooks(project)]
