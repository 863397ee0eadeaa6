"""One run over a real repository writes every format, each valid by its consumer.

The repository has hostile names, a waiver and a remote, so that escapes, suppressions and links are
all there.
"""

from __future__ import annotations

import csv
import html
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from jsonschema.validators import validator_for
from markdown_it import MarkdownIt

from mlops_audit.reports import formats

SCHEMAS = Path(__file__).parent / "schemas"
EVIL = "data|`x`<b>\x1b[31m\u202e.csv"
FILES = {
    "README.md": "# Rides\n\nForecasts rides. Run `python train.py`.\n",
    "train.py": "from sklearn.svm import SVC\n\nmodel = SVC()\nmodel.fit([[1], [2]], [1, 2])\n",
    "notebooks/look at [it].ipynb": json.dumps(
        {"nbformat": 4, "metadata": {}, "cells": [
            {"cell_type": "code", "metadata": {}, "execution_count": 1, "source": "1",
             "outputs": [{"output_type": "stream", "name": "stdout", "text": "1"}]}]}
    ),
    "dvc.yaml": 'stages:\n  "train\\e[31m%0A::error::x":\n    cmd: python train.py\n',
    EVIL: "a,b\n1,2\n",
    "mlops-audit.toml": (
        '[[waivers]]\npractice = "COL02"\nreason = "Not | published <yet>"\nowner = "ana"\n'
        "expires = 2999-01-01\n"
    ),
    ".github/workflows/ci.yml": "on: push\njobs:\n  a:\n    steps:\n      - run: echo tests\n",
}  # fmt: skip
NAMES = {"badge": "badge.svg", "badge-json": "badge.json", "text": "text.txt"}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with what one run wrote; the gate is not met, so its exit code is 1."""
    folder, out = tmp_path_factory.mktemp("rides"), tmp_path_factory.mktemp("out")
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(text, encoding="utf-8")
    for command in (
        ["init", "-q", "-b", "main"],
        ["remote", "add", "origin", "https://github.com/acme/rides.git"],
        ["add", "-A"],
        ["commit", "-qm", "start"],
    ):
        subprocess.run([*git, *command], cwd=folder, env=env, check=True)
    (folder / "README.md").unlink()
    command = [sys.executable, "-m", "mlops_audit", "check", str(folder), "--fail-under", "2"]
    for name in formats():
        command += ["-f", name, "-o", str(out / NAMES.get(name, name))]
    env |= {"MLOPS_AUDIT_CACHE": "off"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    return out


def read(folder: Path, name: str) -> str:
    """What was written, byte for byte."""
    return (folder / NAMES.get(name, name)).read_bytes().decode("utf-8")


def test_one_run_writes_every_format(written: Path) -> None:
    """Each format of the contract has its file, and none holds a character that acts."""
    assert len(formats()) == 11
    for name in formats():
        text = read(written, name)
        assert text.strip(), name
        assert not {"\x1b", "\r", "\u202e"} & set(text), name


def test_every_format_tells_the_same(written: Path) -> None:
    """Level and findings agree between the formats."""
    report = json.loads(read(written, "json"))
    level, open_ = report["level"]["reached"], {"fail", "partial", "unknown"}
    listed = [p["id"] for p in report["practices"] if p["outcome"] in open_]
    (run,) = json.loads(read(written, "sarif"))["runs"]
    assert [r["ruleId"] for r in run["results"]] == listed
    assert len(json.loads(read(written, "gitlab"))) == len(listed)
    assert json.loads(read(written, "badge-json"))["message"].startswith(f"level {level} ")
    rows = list(csv.DictReader(io.StringIO(read(written, "csv"))))
    assert [row["outcome"] for row in rows] == [p["outcome"] for p in report["practices"]]
    assert f"level {level}" in read(written, "markdown").splitlines()[0].lower()
    assert f"Level {level}" in read(written, "text")
    assert f"level {level}" in read(written, "html").lower()


def test_sarif_is_valid_and_suppresses_what_is_waived(written: Path) -> None:
    """The official schema takes it; addresses are percent-encoded and exist as files."""
    schema: Any = json.loads((SCHEMAS / "sarif-schema-2.1.0.json").read_text("utf-8"))
    log = json.loads(read(written, "sarif"))
    assert not list(validator_for(schema)(schema).iter_errors(log))
    (run,) = log["runs"]
    waived = [r["ruleId"] for r in run["results"] if r.get("suppressions")]
    assert waived == ["COL02"]
    uris = [
        place["physicalLocation"]["artifactLocation"]["uri"]
        for result in run["results"]
        for place in [*result["locations"], *result.get("relatedLocations", ())]
    ]
    assert "notebooks/look%20at%20%5Bit%5D.ipynb" in uris
    assert all(uri.isascii() and " " not in uri for uri in uris)
    assert not [uri for uri in uris if "%3Cpackage%3E" in uri]  # a place to write, not to show
    rules = run["tool"]["driver"]["rules"]
    assert all(rule["help"]["markdown"] for rule in rules)


def test_junit_is_valid(written: Path) -> None:
    """The official schema takes it, and a waived practice is skipped with its reason."""
    xmlschema = pytest.importorskip("xmlschema")
    text = read(written, "junit")
    xmlschema.XMLSchema(str(SCHEMAS / "junit.xsd")).validate(text)
    cases = ET.fromstring(text).iter("testcase")  # noqa: S314 -- written here
    skipped = [case.get("name", "") for case in cases if case.find("skipped") is not None]
    assert any("COL02" in name for name in skipped)


def test_gitlab_and_shields_have_their_fields(written: Path) -> None:
    """Exactly the documented fields, with documented values."""
    for issue in json.loads(read(written, "gitlab")):
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert set(issue["location"]) == {"path", "lines"}
        assert not issue["location"]["path"].startswith(("./", "/"))
    shield = json.loads(read(written, "badge-json"))
    assert set(shield) == {"schemaVersion", "label", "message", "color"}
    assert shield["schemaVersion"] == 1


def test_markdown_is_what_github_renders(written: Path) -> None:
    """Parsed as GFM, every table is whole, and nothing hostile became markup."""
    text = read(written, "markdown")
    assert len(text) < 65536  # the most that a comment takes
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    tables = [n for n, token in enumerate(tokens) if token.type == "table_open"]
    assert len(tables) >= 2
    for start in tables:
        end = next(n for n in range(start, len(tokens)) if tokens[n].type == "table_close")
        cells: list[int] = []
        for token in tokens[start:end]:
            if token.type == "tr_open":
                cells.append(0)
            elif token.type in {"th_open", "td_open"}:
                cells[-1] += 1
        assert len(set(cells)) == 1, "a row with more or fewer cells than its head"
    tag = re.compile(
        r"</?(?:details|summary|sub|code)>|<br>|</a>"
        r'|<a href="https://github\.com/acme/rides/blob/[0-9a-f]{40}/[^"\s<>]+">'
    )
    for token in tokens:
        parts = [token, *(token.children or ())]
        for part in parts:
            if part.type in {"html_block", "html_inline"}:
                assert all(tag.fullmatch(t) for t in re.findall(r"<[^>]*>", part.content)), part
    assert text.count("<details>") == text.count("</details>") > 0


def test_the_badge_is_a_picture(written: Path) -> None:
    """Well-formed SVG with a title for who cannot see it."""
    root = ET.fromstring(read(written, "badge"))  # noqa: S314 -- written here
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.findtext("{http://www.w3.org/2000/svg}title")


def test_annotations_are_commands_and_nothing_else(written: Path) -> None:
    """Each line is one of GitHub's workflow commands; a stage's name cannot start another."""
    for line in read(written, "github").splitlines():
        assert line.startswith(("::error ", "::warning ", "::notice ")), line
        assert line.count("::error") <= 1


@pytest.mark.parametrize("name", sorted(set(formats()) - {"badge", "badge-json"}))
def test_a_waiver_is_shown_with_all_that_it_says(written: Path, name: str) -> None:
    """Every format that lists findings shows the reason, the owner and the end of a waiver."""
    text = html.unescape(read(written, name))
    for word in ("published", "ana", "2999-01-01"):
        assert re.search(rf"\b{word}\b", text), word
