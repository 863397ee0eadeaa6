"""The line on which something stands within a longer statement or section."""

from __future__ import annotations

import json

from mlops_audit.config import Config
from mlops_audit.graph import Project
from mlops_audit.graph.sourcelines import (
    declared_span,
    keyword_span,
    line_at,
    line_span,
    settled,
    text_span,
)
from mlops_audit.model import Evidence, Span
from mlops_audit.tree import MemoryTree

CALL = "train(\n    1,\n    seed=3,\n)\nseed = 4\n"
FIELDS = "class House:\n    area: float = 1\n\n\ndef price(\n    x,\n    rate: int = 2,\n): ...\n"
CELL = "import a\na.run(\n    report_to='b',\n)\n"


def project(files: dict[str, str]) -> Project:
    """A project of these files."""
    return Project.load(MemoryTree({p: t.encode() for p, t in files.items()}), Config())


def test_a_line_ends_where_an_editor_ends_it() -> None:
    """All three ends of lines count, a form feed and Unicode's separators do not."""
    found = project({"a.txt": "one\r\ntwo\x0c\u2028still two\rthree\n", "b.txt": ""})
    assert list(found.lines("a.txt")) == ["one", "two\x0c\u2028still two", "three"]
    assert list(found.lines("b.txt")) == list(found.lines("missing.txt")) == []


def test_a_keyword_is_found_within_its_call_only() -> None:
    """The keyword's own line, and the call's where the call has no such keyword."""
    found = project({"a.py": CALL})
    (call,) = found.modules["a.py"].calls
    assert keyword_span(found, call, "seed") == Span("a.py", 3)
    assert keyword_span(found, call, "lr") == call.span


def test_a_keyword_in_a_cell_is_a_line_of_the_cell() -> None:
    """Lines of notebooks count within the cell."""
    cells = [
        {"cell_type": "code", "source": source, "outputs": [], "metadata": {}}
        for source in ("x = 1\n", CELL)
    ]
    found = project({"a.ipynb": json.dumps({"cells": cells, "metadata": {}, "nbformat": 4})})
    (call,) = found.modules["a.ipynb"].calls
    assert keyword_span(found, call, "report_to") == Span("a.ipynb", 3, 2)
    assert line_at(found, Span("a.ipynb", 1, 2)) == "import a"


def test_fields_and_parameters_are_found_below_their_owner() -> None:
    """A field of a class, a parameter of a function."""
    found = project({"a.py": FIELDS})
    assert declared_span(found, Span("a.py", 1), "area") == Span("a.py", 2)
    assert declared_span(found, Span("a.py", 5), "rate") == Span("a.py", 7)


def test_what_is_nowhere_keeps_its_place() -> None:
    """Without a match, in a file that is not there, or for no text, the span stays as it was."""
    found = project({"a.py": CALL})
    for span in (Span("a.py", 2), Span("b.py", 7), Span("a.py")):
        assert line_span(found, span, "nowhere") == span
        assert text_span(found, span, "") == span
    assert line_at(found, Span("a.py", 99)) == ""
    assert text_span(found, Span("a.py"), "seed = 4") == Span("a.py", 5)


FOLDED = "steps:\n  - run: >\n      cd app &&\n      git pull &&\n      docker compose up -d\n"


def test_a_command_is_moved_to_the_line_that_shows_it() -> None:
    """What a reader placed on a script's first line stands below it; labels stay."""
    found = project({"ci.yml": FOLDED, "a.py": "x = 1\ngit pull\n"})
    first = Span("ci.yml", 3)
    assert settled(found, Evidence(first, "docker compose up -d")).span.line == 5
    assert settled(found, Evidence(first, "git pull")).span.line == 4
    for detail in ("cd app", "step docker", "ci.yml: a build file", "CI: on push", "rsync away"):
        assert settled(found, Evidence(first, detail)).span == first
    code = Evidence(Span("a.py", 1), "git pull")
    assert settled(found, code) == code


def test_arguments_in_a_list_are_found_below_its_bracket() -> None:
    """Where no line holds the whole command, the first of its words does."""
    text = "args:\n[\n  'ai', 'custom-jobs', 'create',\n  '--region', 'eu']\n"
    found = project({"build.yaml": text})
    here = Evidence(Span("build.yaml", 2), "gcloud ai custom-jobs create --region eu")
    assert settled(found, here).span.line == 3
