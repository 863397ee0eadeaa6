"""Notebooks carry no outputs, ran from top to bottom, and have names that say their order."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from mlops_audit.facts.notebooknames import convention
from mlops_audit.facts.notebooks import Notebook, read_cells
from mlops_audit.hooks.base import Files, Problem
from mlops_audit.hooks.strip_notebooks import KEEP
from mlops_audit.model import Span

__all__ = ["check"]


def check(files: Files) -> Iterator[Problem]:
    """Judge each notebook; the name only of a new one."""
    paths = [p for p in files.names() if p.endswith(".ipynb")]
    if not paths:
        return
    contents = files.read_all(paths)
    new = {path for path, status in files.changed().items() if status == "A"}
    for path in paths:
        if path not in contents:
            yield Problem(Span(path), "too large to read", "strip its outputs")
            continue
        notebook = read_cells(path, contents[path])
        if notebook.error:
            yield Problem(Span(path), notebook.error, "open it in Jupyter and save it again")
            continue
        yield from _outputs(notebook)
        yield from _order(notebook)
        if path in new and not convention(path) and _has_company(files):
            fix = "rename it to number and description, such as 1.0-explore-data.ipynb"
            yield Problem(Span(path), "its name does not say its order", fix)


def _outputs(notebook: Notebook) -> Iterator[Problem]:
    cells = [c for c in notebook.cells if c.has_output and not KEEP & set(c.tags)]
    if cells:
        count = "one cell stores its output" if len(cells) == 1 else f"{len(cells)} cells"
        what = count if len(cells) == 1 else f"{count} store outputs, this one first"
        fix = f"run `mlops-audit-hook strip-notebooks {quote(notebook.path)}` and stage it again"
        yield Problem(Span(notebook.path, cell=cells[0].index), what, fix)


def _order(notebook: Notebook) -> Iterator[Problem]:
    """The first cell that ran before one above it, as the execution counts tell."""
    last = 0
    for cell in notebook.code_cells:
        count = cell.execution_count
        if count is None:
            continue
        if count <= last:
            what = f"ran as number {count}, after a cell above it ran as {last}"
            fix = "restart the kernel and run all cells"
            yield Problem(Span(notebook.path, cell=cell.index), what, fix)
            return
        last = count


def _has_company(files: Files) -> bool:
    """Whether there are two notebooks: one alone has no order to keep."""
    return sum(p.endswith(".ipynb") for p in files.all_names()) > 1
