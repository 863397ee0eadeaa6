"""What a document says, section by section."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.documents import read_document

MARKDOWN = b"""\
---
license: mit
tags: [a]
---
Intro [guide](docs/guide.md#x) and [web](https://x.io).

# Churn *model*
<!-- hidden
# No heading -->
Predicts churn.

Setup
-----
```bash
$ pip install .   # now
Collecting ...
$ make test
```
- one
- two

| col | meaning |
|-----|---------|
| a   | first   |

```python
# not a heading
```
### Deep ###
[ref]: ../other.md
"""
RST = b"""\
=====
Title
=====

Install
=======
Run::

    make setup

.. code-block:: bash

   pytest -q

See `the page <page.rst>`_.

Sub
---
.. toctree::
   :maxdepth: 1

   intro
"""


def test_markdown() -> None:
    """Headings, prose, commands, links, tables, items and front matter are told apart."""
    found = read_document(MARKDOWN, "a/README.md")
    assert [(s.level, s.title, s.span.line) for s in found.sections] == [
        (0, "", 5),
        (1, "Churn model", 7),
        (2, "Setup", 12),
        (3, "Deep", 29),
    ]
    assert found.title == "Churn model"
    assert [link.target for link in found.links] == ["a/docs/guide.md", "", "other.md"]
    setup = found.sections[2]
    assert [(c.argv, c.span.line) for c in found.commands] == [
        (("pip", "install", "."), 15),
        (("make", "test"), 17),
    ]
    assert setup.items == ("one", "two")
    assert (setup.tables[0].header, setup.tables[0].rows) == (("col", "meaning"), (("a", "first"),))
    assert found.sections[1].text == "Predicts churn."
    assert found.front_matter is not None
    assert found.front_matter.str_at("license") == "mit"
    assert [s.title for s in found.under(found.sections[1])] == ["Churn model", "Setup", "Deep"]


def test_rst_and_plain() -> None:
    """Underlined headings, literal blocks, directives and toctrees of rst are understood."""
    found = read_document(RST, "docs/index.rst")
    assert [(s.level, s.title) for s in found.sections] == [
        (1, "Title"),
        (2, "Install"),
        (3, "Sub"),
    ]
    assert [c.argv for c in found.commands] == [("make", "setup"), ("pytest", "-q")]
    assert [link.target for link in found.links] == ["docs/page.rst", "docs/intro.rst"]
    adoc = read_document(b"= T\n\n== S\n[source,bash]\n----\nmake\n----\n", "x.adoc")
    assert [(s.level, s.title) for s in adoc.sections] == [(1, "T"), (2, "S")]
    assert adoc.commands[0].argv == ("make",)


def test_indented_commands() -> None:
    """Indented commands of Markdown are code, but not in a list, in a paragraph, or where prose."""
    text = (
        "To run it:\n\n    docker compose build\n    docker compose up\n\nDone.\n\n"
        "- an item\n\n    pip install x\n\nThat is\n    pip install y\n\n    A quotation.\n"
    )
    section = read_document(text.encode(), "README.md").sections[0]
    assert [(b.text, b.span.line) for b in section.code] == [
        ("docker compose build\ndocker compose up", 3)
    ]
    assert [c.text for c in section.code[0].commands] == [
        "docker compose build",
        "docker compose up",
    ]
    assert "A quotation." in section.text


def test_linear() -> None:
    """Repeated openings take linear time."""
    started = time.thread_time()
    for piece in (
        b"<!--",
        b"[a](",
        b"```\n",
        b"| a\n|-\n",
        b"a\n=\n",
        b"[",
        b"<a href",
        b"    cd\n\n",
    ):
        read_document(piece * 20_000, "x.md")
    assert time.thread_time() - started < 20


@given(st.binary(max_size=200), st.sampled_from(["x.md", "x.rst", "x.adoc", "x.txt"]))
def test_any_bytes(data: bytes, path: str) -> None:
    """No bytes raise."""
    read_document(data, path)


@given(st.text("#=-`|[]()<>!.: \nab", max_size=150), st.sampled_from(["x.md", "x.rst", "x.adoc"]))
def test_any_markup(text: str, path: str) -> None:
    """No arrangement of markup raises."""
    read_document(text.encode(), path)
