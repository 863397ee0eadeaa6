"""Standard streams that are closed, full, or no longer read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="redirections of a Unix shell")
PROGRAM = "import sys; from mlops_audit.cli import main; main(sys.argv[1:])"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough code that a second process reads it where there are two cores."""
    folder = tmp_path_factory.mktemp("repository")
    line = "print('a line that says nothing of training or serving')\n"
    (folder / "train.py").write_text(line * 500, encoding="utf-8")
    return folder


def shell(redirected: str, *args: str | Path) -> tuple[int, str, str]:
    """The exit code and what is said, of the program with redirections of a shell."""
    done = subprocess.run(
        ["sh", "-c", f'"$0" "$@" {redirected}', sys.executable, "-c", PROGRAM, *map(str, args)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("redirected", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_change_nothing(repository: Path, tmp_path: Path, redirected: str) -> None:
    """Nothing is said where nobody can hear it; files and the exit code are as ever."""
    call = ("check", repository, "--no-cache", "-f", "json", "-o")
    wanted, *_ = shell("", *call, tmp_path / "wanted.json")
    assert shell(redirected, *call, tmp_path / "found.json") == (wanted, "", "")
    assert (tmp_path / "found.json").read_bytes() == (tmp_path / "wanted.json").read_bytes()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
@pytest.mark.parametrize("call", [("check",), ("badge",), ("tools",), ("schema", "report")])
def test_full_disk_is_said_in_one_line(repository: Path, call: tuple[str, ...]) -> None:
    """A report that cannot be written is no bug of ours, and is not met in silence."""
    more = (repository,) if call[0] in {"check", "badge"} else ()
    said = "Error: the report cannot be written: No space left on device\n"
    assert shell("> /dev/full", *call, *more) == (2, "", said)


def test_reader_that_goes_away_is_no_fault(repository: Path) -> None:
    """`| head -1` gets its line, and nothing is said about it."""
    code, out, said = shell("| head -1", "check", repository, "--no-cache", "-f", "json")
    assert (code, out, said) == (0, "{\n", "")
