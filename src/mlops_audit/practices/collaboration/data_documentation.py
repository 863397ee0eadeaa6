"""COL07: what the columns of the data mean, or at least where the data come from."""

from __future__ import annotations

from mlops_audit.graph import Project
from mlops_audit.model import Evidence, Span, Verdict, failed, hollow, partial, passed, unknown
from mlops_audit.practices.base import practice
from mlops_audit.practices.collaboration._data_dictionary import (
    SHEET,
    columns_in_documents,
    columns_in_notebooks,
)
from mlops_audit.practices.collaboration._data_origin import data_origin
from mlops_audit.practices.collaboration._data_schemas import columns_in_code, columns_in_files

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
    columns = [
        *columns_in_documents(project),
        *columns_in_files(project),
        *columns_in_code(project),
    ]
    if columns:
        return passed(f"{columns[0].span.path} describes the data's columns", columns[:5])
    noted = list(columns_in_notebooks(project))
    if noted:
        return partial("a notebook alone describes the data's columns", noted[:5])
    origin = list(data_origin(project))
    if origin:
        return partial("the origin of the data is described, its columns are not", origin[:5])
    unread = project.docs.unread(SHEET)
    if unread:
        return unknown(f"{unread[0].span.path} could not be read", unread)
    empty = [
        Evidence(Span(d.path), "nothing filled in")
        for d in project.docs.all
        if SHEET.search(d.path.rsplit("/", 1)[-1])
    ]
    if empty:
        return hollow("the data dictionary is not filled in", empty, looked_for=_LOOKED_FOR)
    return failed("neither columns nor origin are described", looked_for=_LOOKED_FOR)
