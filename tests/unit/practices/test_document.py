"""A twin `.md` is read into sections and scenarios; nothing in it can make the parser raise."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.model import Span
from mlops_audit.practices.document import document, parse_document
from mlops_audit.practices.scenario import Scenario, ScenarioFile

TWIN = """\
# CI runs the tests

## What it checks
The steps.

## Why it matters
Tests that nobody runs rot.

## What counts
`pytest` in a job:

```yaml
# not a heading
```

## What counts in part
Smoke scripts.

## What never counts
Echo.

## How to mend
Add a step.

## Scenarios
### pass: pytest in a job
Why this passes.
Evidence: `Makefile:2`, other.json:1, tag:v1
Reason: runs the tests

```yaml file=.github/workflows/ci.yml
on: push  # <- evidence
jobs: {}
```

### hollow: a job that echoes
```toml git
branches = ["main"]
```
"""


def scenario(body: str, heading: str = "pass: x") -> Scenario:
    """The one scenario of an otherwise empty twin."""
    return parse_document(f"# T\n## Scenarios\n### {heading}\n{body}").scenarios[0]


def only_file(body: str) -> ScenarioFile:
    """The one file of a scenario without problems."""
    read = scenario(body)
    assert read.problems == ()
    (file,) = read.files
    return file


def test_sections_are_read() -> None:
    """Every section has its field, a fence's comments are no headings, nothing is amiss."""
    read = parse_document(TWIN)
    assert read.problems == ()
    assert (read.title, read.what, read.partly) == (
        "CI runs the tests",
        "The steps.",
        "Smoke scripts.",
    )
    assert read.counts == "`pytest` in a job:\n\n```yaml\n# not a heading\n```"
    assert (read.never, read.mend) == ("Echo.", "Add a step.")
    assert read.prose.endswith("Add a step.\n")
    assert read.text == TWIN


def test_scenarios_are_read() -> None:
    """A scenario has kind, title, files without markers, places, reasons and git."""
    first, second = parse_document(TWIN).scenarios
    assert (first.kind, first.title, first.outcome) == ("pass", "pytest in a job", "pass")
    path = ".github/workflows/ci.yml"
    assert first.files == (ScenarioFile(path, b"on: push\njobs: {}\n"),)
    assert set(first.expected) == {
        Span("Makefile", 2),
        Span("other.json", 1),
        Span("tag:v1"),
        Span(path, 1),
    }
    assert first.reasons == ("runs the tests",)
    assert first.git is None
    assert (second.kind, second.outcome, second.git) == ("hollow", "fail", 'branches = ["main"]\n')


@pytest.mark.parametrize(
    "comment",
    [
        "# <- evidence",
        "// <- evidence",
        "<!-- <- evidence -->",
        "-- <- evidence",
        "/* <- evidence */",
    ],
)
def test_marker_in_every_comment_style(comment: str) -> None:
    """The marker is taken out of the content, whatever the language's comment."""
    read = scenario(f"```text file=a.b\none\n  two  {comment}\n```\n")
    assert read.files[0].content == b"one\n  two\n"
    assert read.expected == (Span("a.b", 2),)


def test_marker_without_a_comment_is_content() -> None:
    """Words that happen to end like a marker stay in the file."""
    read = scenario("```text file=a.b\nlook <- evidence\n```\n")
    assert read.files[0].content == b"look <- evidence\n"
    assert read.expected == ()


def test_fence_options() -> None:
    """Quoted paths, absent content, links, modes and sizes are understood."""
    assert only_file('```csv file="my data/a b.csv"\nx\n```').path == "my data/a b.csv"
    assert only_file("```csv file=a.csv absent\nx\n```") == ScenarioFile("a.csv", b"", absent=True)
    assert only_file("```text file=a link=b/c\n```").link == "b/c"
    assert only_file("```sh file=a.sh exec\n```").executable
    assert only_file("```text file=a.pkl binary=2KiB\nhead\n```").content == b"head".ljust(
        2048, b"\0"
    )


def test_longer_fences_hold_fences() -> None:
    """A Markdown file with fences of its own is written between longer marks."""
    body = "````markdown file=README.md\n```sh\nmake\n```\n````\n"
    assert only_file(body).content == b"```sh\nmake\n```\n"


def test_notebook() -> None:
    """Cells are split, outputs attached, and a marker gives the cell and the line within it."""
    read = scenario(
        "```python notebook=n/1.ipynb\n# %% [markdown]\n# # Title\n# %%\nimport x\n"
        "x.fit()  # <- evidence\n\n# %% outputs\n0.9\n```"
    )
    assert read.expected == (Span("n/1.ipynb", 2, 2),)
    cells = json.loads(read.files[0].content)["cells"]
    assert [c["cell_type"] for c in cells] == ["markdown", "code"]
    assert cells[0]["source"] == ["# Title"]
    assert cells[1]["source"] == ["import x\n", "x.fit()"]
    assert cells[1]["outputs"][0]["text"] == ["0.9"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("```yaml\nx\n```", "line 4: a fence needs file=PATH"),
        ("```yaml file=a\nx\n", "not closed"),
        ("```yaml file=a colour=red\n```", "unknown option colour"),
        ("```yaml file=../a\n```", "no path inside a repository"),
        ("```yaml file=/a\n```", "no path inside a repository"),
        ("```yaml file=a\n```\n```yaml file=a\n```", "written twice"),
        ("```text file=a binary=many\n```", "binary needs a size"),
        ("```text file=a link\n```", "link needs its target"),
        ('```text file="a\n```', "cannot read"),
        ("```toml git\n```\n```toml git\n```", "a second git fence"),
    ],
)
def test_malformed_fences_are_problems(body: str, said: str) -> None:
    """What is malformed is said with its line."""
    assert any(said in problem for problem in scenario(body).problems)


@pytest.mark.parametrize("heading", ["passes: x", "pass", "pass:", "x"])
def test_malformed_headings_are_problems(heading: str) -> None:
    """A scenario needs a known outcome and a title."""
    assert "a scenario's heading" in scenario("", heading).problems[0]


def test_missing_sections_are_problems() -> None:
    """Every section but the optional one is asked for, none may be empty, unknown or moved."""
    read = parse_document("# T\n## Why it matters\n## What it checks\nx\n## Other\n# U\n")
    assert "line 6: a second title" in read.problems
    assert any("no section is called 'Other'" in p for p in read.problems)
    assert any("'## What counts' is missing" in p for p in read.problems)
    assert any("'## Why it matters' is empty" in p for p in read.problems)
    assert any("in this order" in p for p in read.problems)
    assert not any("in part" in p and "missing" in p for p in read.problems)


def test_exemption_from_hollow() -> None:
    """A twin can say why it has no hollow scenario, but not within a fence."""
    assert parse_document("No hollow scenario: absence is it.\n").no_hollow == "absence is it."
    assert parse_document("```\nNo hollow scenario: x\n```\n").no_hollow == ""


def test_twin_lies_beside_its_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A practice's document is the file of its module's name with the suffix .md."""
    package = tmp_path / "fake_twins" / "testing"
    package.mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").touch()
    (package / "mine.py").write_text(
        "from mlops_audit.practices.base import practice\n"
        "@practice(id='TST01', title='T', assets='code', level='2s', sources='S0', fix='F.')\n"
        "def mine(project): ...\n",
        encoding="utf-8",
    )
    (package / "mine.md").write_text(TWIN, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    __import__("fake_twins.testing.mine")
    assert document(sys.modules["fake_twins.testing.mine"].mine).title == "CI runs the tests"


_PIECES = st.sampled_from(
    [*TWIN.splitlines(keepends=True), "```", "# %%\n", "binary=9MiB ", "file=", '"', "#1:2", "~~~~"]
)


@given(st.one_of(st.text(), st.lists(st.one_of(_PIECES, st.text(max_size=5))).map("".join)))
def test_parser_never_raises(text: str) -> None:
    """Arbitrary text gives a document whose text is the input."""
    assert parse_document(text).text == text
