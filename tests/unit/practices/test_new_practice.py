"""The command that starts a practice writes a pair that the registry and the parser accept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mlops_audit.practices import scan
from mlops_audit.practices.document import document

TOOL = Path(__file__).parents[3] / "tools" / "new_practice.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Call the tool as a person does."""
    command = [sys.executable, str(TOOL), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """An empty package with the folder of one principle."""
    folder = tmp_path / "fresh_practices"
    (folder / "automation").mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "automation" / "__init__.py").touch()
    return folder


def test_pair_is_found_and_complete(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pair has the catalogue's metadata and a twin in which nothing is malformed."""
    done = run("AUT06", "CI runs the tests", "--into", str(package))
    assert done.returncode == 0, done.stderr
    monkeypatch.syspath_prepend(str(package.parent))
    found = scan("fresh_practices")
    assert found.broken == ()
    (practice,) = found.practices
    assert (practice.id, practice.slug, practice.assets) == ("AUT06", "ci-runs-tests", ("code",))
    twin = document(practice)
    assert twin.problems == ()
    assert twin.title == practice.title
    assert {scenario.kind for scenario in twin.scenarios} == {"pass", "fail", "hollow"}


def test_nothing_is_written_over(package: Path) -> None:
    """A second call says that the file exists and changes nothing."""
    run("AUT06", "CI runs the tests", "--into", str(package))
    again = run("AUT06", "Another title", "--into", str(package))
    assert again.returncode == 2
    assert "exists" in again.stderr
    assert "Another" not in (package / "automation" / "ci_runs_tests.py").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("XYZ01", "T", "--slug", "a", "--assets", "code", "--level", "2s", "--sources", "F"),
            "no id",
        ),
        (("AUT99", "T"), "give --slug"),
        (("AUT06", "T", "--level", "9X"), "level"),
        (("AUT06", 'a "quoted" title'), "quotes"),
    ],
)
def test_a_wrong_call_is_one_clear_line(
    package: Path, arguments: tuple[str, ...], said: str
) -> None:
    """What is wrong is said, the exit code is 2, and nothing is written."""
    done = run(*arguments, "--into", str(package))
    assert done.returncode == 2
    assert said in done.stderr.splitlines()[-1]
    assert [p.name for p in (package / "automation").iterdir()] == ["__init__.py"]
