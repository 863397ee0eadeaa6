"""One golden a format. `UPDATE_GOLDENS=1 pytest tests/golden` writes them anew."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from jsonschema.validators import validator_for
from msgspec.structs import replace

from mlops_audit.model import Report
from mlops_audit.reports import Options, formats, render
from mlops_audit.reports.loop import FORMATS, draw
from mlops_audit.reports.report_schema import report_schema

HERE = Path(__file__).parent
UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def _check(text: str, name: str) -> None:
    file = HERE / name
    if os.environ.get("UPDATE_GOLDENS"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", formats())
def test_format_is_unchanged(name: str, report: Report, options: Options) -> None:
    """Each format writes exactly its golden for the fixed report."""
    _check(render(report, name, options), f"report.{name}")


def test_verbose_text_is_unchanged(report: Report, options: Options) -> None:
    """With -v the text lists every practice with its evidence and chains."""
    _check(render(report, "text", replace(options, verbosity=1)), "report.text-v")


@pytest.mark.parametrize("name", formats())
def test_hostile_text_is_shown_and_never_acts(name: str, report: Report, options: Options) -> None:
    """No control character or direction mark of the repository reaches any format's output."""
    assert not UNSAFE.search(render(report, name, options))


def test_coloured_text_holds_no_sequence_but_colours(report: Report, options: Options) -> None:
    """With colour and links the only escapes are those of rich: colours and OSC 8."""
    text = render(report, "text", replace(options, color=True, links=True, verbosity=2))
    rest = re.sub(r"\x1b\[[0-9;]*m|\x1b\]8;[^\x1b\x07]*\x1b\\", "", text)
    assert "\x1b" in text
    assert "https://github.com/acme/churn/blob/0123456789abcdef" in text
    assert not UNSAFE.search(rest)


def test_text_fits_eighty_columns(report: Report, options: Options) -> None:
    """No line of the text is wider than 80 columns, also with -v."""
    text = render(report, "text", replace(options, verbosity=1))
    assert max(map(len, text.splitlines())) <= 80


def test_text_can_be_ascii(report: Report, options: Options) -> None:
    """A terminal that knows ASCII alone gets ASCII alone."""
    assert render(report, "text", replace(options, ascii_only=True, verbosity=1)).isascii()


def test_json_follows_its_own_schema(report: Report, options: Options) -> None:
    """`-f json` is valid against what `schema report` publishes."""
    schema = report_schema()
    cls = validator_for(schema)
    cls.check_schema(schema)
    assert not list(cls(schema).iter_errors(json.loads(render(report, "json", options))))


def test_sarif_follows_the_official_schema(report: Report, options: Options) -> None:
    """`-f sarif` is valid against the schema of OASIS."""
    schema = json.loads((HERE / "schemas" / "sarif-schema-2.1.0.json").read_text("utf-8"))
    log = json.loads(render(report, "sarif", options))
    assert not list(validator_for(schema)(schema).iter_errors(log))


def test_sarif_marks_what_is_waived_and_what_is_new(report: Report, options: Options) -> None:
    """A waived finding is suppressed and not dropped; a baseline gives each result its state."""
    (run,) = json.loads(render(report, "sarif", options))["runs"]
    results = {result["ruleId"]: result for result in run["results"]}
    assert results["REP04"]["suppressions"][0]["status"] == "accepted"
    assert "suppressions" not in results["AUT06"]  # its waiver has expired
    states = {key: result["baselineState"] for key, result in results.items()}
    assert states == {
        "AUT04": "unchanged",
        "AUT06": "unchanged",
        "VER01": "absent",
        "TST01": "updated",
        "TST12": "unchanged",
        "REP04": "unchanged",
    }


def test_junit_follows_the_official_schema(report: Report, options: Options) -> None:
    """`-f junit` is valid against the schema of Windy Road, and its counts are right."""
    text = render(report, "junit", options)
    suites = ET.fromstring(text)  # noqa: S314 -- written here
    for suite in suites:
        cases = suite.findall("testcase")
        assert int(suite.get("tests", "")) == len(cases)
        assert int(suite.get("failures", "")) == sum(c.find("failure") is not None for c in cases)
    xmlschema = pytest.importorskip("xmlschema")
    xmlschema.XMLSchema(str(HERE / "schemas" / "junit.xsd")).validate(text)


def test_gitlab_objects_have_the_documented_fields(report: Report, options: Options) -> None:
    """Each code quality issue has its fields, and no two share a fingerprint."""
    issues = json.loads(render(report, "gitlab", options))
    assert issues
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert issue["location"]["lines"]["begin"] >= 1
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)


def test_github_annotations_cannot_be_injected(report: Report, options: Options) -> None:
    """Every line is one workflow command, and a hostile path cannot end its properties."""
    for line in render(report, "github", options).splitlines():
        assert re.match(r"::(error|warning|notice) [^:]*::", line)


def test_csv_has_a_row_for_each_practice(report: Report, options: Options) -> None:
    """The CSV has as many cells in each row as its header, and none begins a formula."""
    header, *rows = csv.reader(io.StringIO(render(report, "csv", options)))
    assert len(rows) == len(report.findings)
    assert all(len(row) == len(header) for row in rows)
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)


def test_markdown_lets_nothing_of_the_repository_through(report: Report, options: Options) -> None:
    """Scripts and mentions of the repository are shown as text."""
    text = render(report, "markdown", options)
    assert "<script" not in text
    assert "&#60;script&#62;" in text


def test_shields_endpoint_has_its_fields(report: Report, options: Options) -> None:
    """The endpoint has exactly what shields.io asks for."""
    data = json.loads(render(report, "badge-json", options))
    assert data["schemaVersion"] == 1
    assert set(data) == {"schemaVersion", "label", "message", "color"}


def test_html_runs_nothing(report: Report, options: Options) -> None:
    """The page has no script and no style attribute, loads nothing, and its policy forbids it."""
    text = render(report, "html", options)
    assert not re.search(r"<script|<link|<img|<iframe|\sstyle=|\son\w+=|\ssrc=", text)
    assert "default-src 'none'" in text
    assert "unsafe-inline" not in text
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in text
    assert text.count("<style") == 1


def test_html_leads_nowhere_but_to_the_forge(report: Report, options: Options) -> None:
    """Every address is a place in the page, a file on the forge, or what a person attested."""
    text = render(report, "html", options)
    allowed = r"#[\w-]+|https://github\.com/acme/churn/blob/.*|https://dash\.example/churn"
    for address in re.findall(r'href="([^"]*)"', text):
        assert re.fullmatch(allowed, address), address
    ids = re.findall(r'\sid="([^"]*)"', text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]*)"', text)) <= set(ids)


@pytest.mark.parametrize("form", FORMATS)
def test_loop_is_unchanged(form: str, report: Report) -> None:
    """Each format of the map writes exactly its golden, and nothing of the repository acts."""
    assert report.loop is not None
    text = draw(report.loop, form)
    _check(text, f"loop.{form}")
    assert not UNSAFE.search(text)
    assert form in {"text", "json"} or "<script" not in text


def test_loop_as_svg_is_a_picture_with_words(report: Report) -> None:
    """The SVG is well-formed XML with a title and a description, and has no script."""
    assert report.loop is not None
    root = ET.fromstring(draw(report.loop, "svg"))  # noqa: S314 -- written here
    space = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img"
    assert "missing" in (root.findtext(f"{space}desc") or "")
    assert not list(root.iter(f"{space}script"))
