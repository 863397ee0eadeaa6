"""Notebooks of any tool, encoding and state are read, or say why not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.notebooks import read_cells, read_notebook

CELL = {"cell_type": "code", "source": ["import numpy\n", "x = 1"], "outputs": [{"data": 1}]}
BOOK = {"cells": [CELL], "metadata": {"kernelspec": {"language": "python"}}, "nbformat": 4}


@pytest.mark.parametrize(
    "data",
    [
        json.dumps(BOOK).encode(),
        json.dumps(BOOK, indent=1).encode("utf-8-sig"),
        json.dumps(BOOK).encode("utf-16"),
        json.dumps(BOOK).replace('{"data": 1}', '{"data": NaN, "more": -Infinity}').encode(),
        json.dumps(BOOK).replace('{"data": 1}', r'{"data": "\ud83d"}').encode(),
    ],
    ids=["plain", "byte order mark", "UTF-16", "not a number", "half a character"],
)
def test_what_tools_write_is_read(data: bytes) -> None:
    """Also what strict JSON has no word for, as Jupyter writes it among outputs."""
    book = read_notebook("a.ipynb", data)
    assert (book.error, [c.source for c in book.cells]) == ("", ["import numpy\nx = 1"])
    assert book.with_output
    assert book.module is not None
    assert [i.module for i in book.module.imports] == ["numpy"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not valid JSON"),
        (b'{"cells": [', "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"cells": "\xff"}', "not valid JSON"),
        (b"[1]", "not a notebook"),
        (b'{"cells": 1}', "no cells"),
    ],
)
def test_what_is_broken_says_so(data: bytes, said: str) -> None:
    """A reason, and never an exception."""
    assert read_cells("a.ipynb", data).error == said


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_any_value_for_the_cells(value: object) -> None:
    """Whatever stands where cells belong, nothing raises."""
    read_notebook("a.ipynb", json.dumps({"cells": value}).encode())
    read_notebook(
        "a.ipynb", json.dumps({"cells": [{"cell_type": "code", "source": value}]}).encode()
    )


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    """No bytes raise."""
    read_notebook("a.ipynb", data)


def test_a_program_that_a_cell_writes_is_code() -> None:
    """`%%writefile` of a Python file holds code of the notebook, that of another file none."""
    cells = [
        {"cell_type": "code", "source": "%%writefile task.py\nimport xgboost\n"},
        {"cell_type": "code", "source": "%%writefile config.yaml\nimport: pandas\n"},
    ]
    book = read_notebook("a.ipynb", json.dumps({**BOOK, "cells": cells}).encode())
    assert book.writes == ("task.py", "config.yaml")
    assert book.module is not None
    assert [(i.module, i.span.line) for i in book.module.imports] == [("xgboost", 2)]
