"""The command line: exit codes, outputs, and what standard output carries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlops_audit import __version__, practices
from mlops_audit.cli import COMMANDS, main
from mlops_audit.cli.terminal import options_for
from mlops_audit.model import (
    Evidence,
    Fix,
    Practice,
    Span,
    Verdict,
    failed,
    parse_asks,
    passed,
)
from mlops_audit.reports import formats

TRAIN = "from sklearn.svm import SVC\nmodel = SVC()\nmodel.fit([[1]], [1])\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A folder that trains a model, outside git."""
    folder = tmp_path / "churn"
    folder.mkdir()
    (folder / "train.py").write_text(TRAIN)
    return folder


@pytest.fixture
def history(repository: Path) -> Path:
    """The same in git: tag `v1` with a licence, HEAD without it."""
    (repository / "LICENSE").write_text("MIT License\n\nPermission is hereby granted" + " x" * 99)
    for command in (
        ["init", "-q", "-b", "main"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "one"],
        ["tag", "v1"],
        ["rm", "-q", "LICENSE"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "two"],
    ):
        subprocess.run(["git", *command], cwd=repository, check=True)
    return repository


@pytest.fixture
def _two_practices(monkeypatch: pytest.MonkeyPatch) -> None:
    """A catalogue of two: COL02 holds where there is a LICENSE, REP11 always."""

    def license_(project: Any) -> Verdict:  # noqa: ANN401 -- a `graph.Project`
        if "LICENSE" in project.tree.entries:
            return passed("A licence.", Evidence(Span("LICENSE", 1), "MIT License"))
        return failed("No licence.", looked_for="LICENSE")

    def secrets(_: object) -> Verdict:
        return passed("No credential.", Evidence(Span("."), "1 file"))

    made = [
        Practice("COL02", "license", "t", ("code",), parse_asks("1s"), Fix("Add one."), license_),
        Practice("REP11", "no-secrets", "t", ("code",), parse_asks("1M"), Fix("Go."), secrets),
    ]
    found = practices.Registry(tuple(made))
    monkeypatch.setattr(practices, "registry", lambda: found)
    monkeypatch.setenv("MLOPS_AUDIT_CACHE", "off")  # what two practices say is not for others


small = pytest.mark.usefixtures("_two_practices")


def run(capsys: pytest.CaptureFixture[str], *args: str | Path) -> tuple[int, str, str]:
    """Run the command line: exit code, standard output and standard error."""
    with pytest.raises(SystemExit) as caught:
        main([str(a) for a in args])
    out, err = capsys.readouterr()
    return int(caught.value.code or 0), out, err


def test_path_alone_means_check(capsys: pytest.CaptureFixture[str], repository: Path) -> None:
    """`mlops-audit PATH` is `mlops-audit check PATH`, and exits 0 without a gate."""
    code, out, err = run(capsys, repository)
    assert (code, err) == (0, "")
    assert "Level 0" in out
    assert run(capsys, "check", repository)[1] == out


def test_option_alone_means_check(
    capsys: pytest.CaptureFixture[str], repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`mlops-audit -f json` audits the folder it stands in."""
    monkeypatch.chdir(repository)
    code, out, _ = run(capsys, "-f", "json")
    assert code == 0
    assert json.loads(out)["repository"]["path"] == "churn"


def test_gate_decides_the_exit_code(capsys: pytest.CaptureFixture[str], repository: Path) -> None:
    """A level or score below what is asked exits with 1, the report is written all the same."""
    code, out, err = run(capsys, "check", repository, "--fail-under", "Manual", "-f", "json")
    assert code == 1
    assert json.loads(out)["gate"]["met"] is False
    assert "below 1 Manual" in err
    assert run(capsys, "check", repository, "--fail-under", "0")[0] == 0
    assert run(capsys, "check", repository, "--fail-under-score", "100")[0] == 1
    assert run(capsys, "check", repository, "--fail-under-score", "0")[0] == 0


def test_configured_gate_holds_too(capsys: pytest.CaptureFixture[str], repository: Path) -> None:
    """`fail-under` of the configuration gates, and the call wins over it."""
    (repository / "mlops-audit.toml").write_text("fail-under = 1\n")
    assert run(capsys, repository)[0] == 1
    assert run(capsys, repository, "--fail-under", "0")[0] == 0


def test_target_never_gates(capsys: pytest.CaptureFixture[str], repository: Path) -> None:
    """A target is a distance and no gate."""
    code, out, _ = run(capsys, "check", repository, "--target", "5", "-f", "json")
    assert code == 0
    assert json.loads(out)["level"]["target_met"] is False


@pytest.mark.parametrize(
    "args",
    [
        ["--fail-under", "Nanual"],
        ["--target", "7"],
        ["--model", "gogle"],
        ["--model", "no/such.toml"],
        ["--select", "XYZ"],
        ["--config", "no-such.toml"],
        ["--project", "nowhere"],
        ["--rev", "nothing"],
        ["--against", "nothing"],
        ["-f", "pdf"],
        ["-f", "json", "-f", "text"],
        ["-o", "a", "-o", "b"],
        ["--jobs", "0"],
        ["--nonsense"],
    ],
)
def test_wrong_call_is_two(
    capsys: pytest.CaptureFixture[str], repository: Path, args: list[str]
) -> None:
    """A wrong call exits with 2, says what on standard error and writes no report."""
    code, out, err = run(capsys, "check", repository, *args)
    assert (code, out) == (2, "")
    assert "Error: " in err
    assert "Traceback" not in err


def test_wrong_configuration_is_two(capsys: pytest.CaptureFixture[str], repository: Path) -> None:
    """An unknown key is one line that names file, key and the nearest name."""
    (repository / "mlops-audit.toml").write_text("targt = 1\n")
    code, out, err = run(capsys, repository)
    assert (code, out) == (2, "")
    assert err == "Error: mlops-audit.toml: targt: unknown key; did you mean 'target'?\n"


def test_broken_configuration_of_the_repository_is_a_diagnostic(
    capsys: pytest.CaptureFixture[str], repository: Path
) -> None:
    """Unreadable TOML in the audited repository stops nothing and is said."""
    (repository / "pyproject.toml").write_text("[tool\n")
    code, out, err = run(capsys, repository, "-f", "json")
    assert code == 0
    assert any("defaults are used" in d["message"] for d in json.loads(out)["diagnostics"])
    assert "defaults are used" in err


def test_bug_is_three(
    capsys: pytest.CaptureFixture[str], repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug says that it is one; the traceback comes with -v."""
    import mlops_audit.cli.run as module  # noqa: PLC0415 -- to break it

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("oh")

    monkeypatch.setattr(module, "audit", broken)
    code, out, err = run(capsys, repository)
    assert (code, out) == (3, "")
    assert "bug in mlops-audit" in err
    assert "Traceback" not in err
    assert "Traceback" in run(capsys, repository, "-v")[2]


def test_mistyped_command_names_the_right_one(capsys: pytest.CaptureFixture[str]) -> None:
    """What is neither a command nor a folder names the nearest command."""
    code, _, err = run(capsys, "exlpain")
    assert code == 2
    assert "did you mean 'explain'" in err


def test_all_formats_come_from_one_run(
    capsys: pytest.CaptureFixture[str], repository: Path, tmp_path: Path
) -> None:
    """The n-th -o belongs to the n-th -f, and the last -f may go to standard output."""
    args: list[str | Path] = []
    files = {}
    for name in formats():
        files[name] = tmp_path / f"out.{name}"
        args += ["-f", name, "-o", files[name]]
    code, out, _ = run(capsys, "check", repository, *args, "-f", "badge-json")
    assert code == 0
    assert json.loads(out)["schemaVersion"] == 1
    assert all(file.stat().st_size for file in files.values())


@small
def test_selection_filters_what_is_listed_and_never_the_level(
    capsys: pytest.CaptureFixture[str], repository: Path
) -> None:
    """`--select` and `--ignore` take ids, prefixes and slugs; the level stays over all."""
    every = json.loads(run(capsys, repository, "-f", "json")[1])
    code, out, _ = run(capsys, repository, "-f", "json", "--select", "COL,REP", "--ignore", "COL01")
    some = json.loads(out)
    assert code == 0
    assert {p["principle"] for p in some["practices"]} <= {"COL", "REP"}
    assert "COL01" not in {p["id"] for p in some["practices"]}
    assert (some["level"], some["scores"]) == (every["level"], every["scores"])


@small
def test_selection_and_waivers_filter_the_gate(
    capsys: pytest.CaptureFixture[str], repository: Path
) -> None:
    """A gate looks at what is selected and not waived."""
    gate = ["--fail-under", "1"]
    assert run(capsys, repository, *gate)[0] == 1
    assert run(capsys, repository, *gate, "--select", "no-secrets")[0] == 0
    both = [*gate, "--select", "COL02,REP11"]
    assert run(capsys, repository, *both)[0] == 1
    (repository / "mlops-audit.toml").write_text(
        "[[waivers]]\npractice = 'license'\nreason = 'r'\nowner = 'o'\nexpires = 2999-01-01\n"
    )
    code, out, _ = run(capsys, repository, *both, "-f", "json")
    report = json.loads(out)
    assert code == 0
    assert report["level"]["reached"] == 0
    assert report["practices"][0]["outcome"] == "fail"


@small
def test_ratchet_fails_only_on_what_got_worse(
    capsys: pytest.CaptureFixture[str], history: Path
) -> None:
    """`--against` fails where a practice lost something, and leaves old debt alone."""
    same = run(capsys, "check", history, "--against", "HEAD", "-f", "json")
    assert same[0] == 0
    worse = run(capsys, "check", history, "--against", "v1", "-f", "json")
    changes = json.loads(worse[1])["against"]["changes"]
    assert [c["practice"] for c in changes if c["worse"]] == ["COL02"]
    assert worse[0] == 1
    assert run(capsys, "check", history, "--rev", "v1", "--against", "HEAD")[0] == 0
    assert run(capsys, "check", history, "--against", "v1", "--ignore", "COL02")[0] == 0


@small
def test_ratchet_takes_a_report(
    capsys: pytest.CaptureFixture[str], history: Path, tmp_path: Path
) -> None:
    """`--against FILE` compares with a report; what is none is a wrong call."""
    file = tmp_path / "base.json"
    assert run(capsys, "check", history, "--rev", "v1", "-f", "json", "-o", file)[0] == 0
    assert run(capsys, "check", history, "--against", file)[0] == 1
    file.write_text("{}")
    assert run(capsys, "check", history, "--against", file)[0] == 2


def test_same_input_gives_the_same_bytes(capsys: pytest.CaptureFixture[str], history: Path) -> None:
    """Two runs and any number of jobs write the same report."""
    first = run(capsys, "check", history, "-f", "json")[1]
    assert run(capsys, "check", history, "-f", "json", "--jobs", "2", "--no-cache")[1] == first
    assert str(history.parent) not in first


@small
def test_own_model_by_path(
    capsys: pytest.CaptureFixture[str], repository: Path, tmp_path: Path
) -> None:
    """A team's model file gives the level in place of the ladder."""
    file = tmp_path / "ours.toml"
    file.write_text(
        "name='ours'\ntitle='t'\nkind='ladder'\nsources=['https://x']\n"
        "[[levels]]\nnumber=0\nname='No'\n[[levels]]\nnumber=1\nname='Yes'\nmust=['REP11']\n"
    )
    code, out, _ = run(capsys, repository, "--model", file, "--model", "google", "-f", "json")
    report = json.loads(out)
    assert code == 0
    assert report["model"] == "ours"
    assert list(report["models"]) == ["ours", "google"]
    assert run(capsys, repository, "--model", file, "--fail-under", "Yes")[0] == 0


def test_quiet_says_the_level_alone(capsys: pytest.CaptureFixture[str], repository: Path) -> None:
    """-q writes one line."""
    assert run(capsys, repository, "-q")[1].count("\n") == 1


@pytest.mark.parametrize(
    "args",
    [
        ["practices"],
        ["practices", "-f", "json"],
        ["models"],
        ["models", "-f", "markdown"],
        ["tools", "-f", "json"],
        ["schema", "report"],
        ["schema", "config"],
        ["explain", "AUT05"],
        ["explain", "ci-on-change"],
    ],
)
def test_listings_write_something(capsys: pytest.CaptureFixture[str], args: list[str]) -> None:
    """Each listing exits 0 with text, and JSON where it says so."""
    code, out, err = run(capsys, *args)
    assert (code, err) == (0, "")
    assert out.strip()
    if args[-1] in {"json", "report", "config"}:
        json.loads(out)


def test_explain_shows_what_the_tests_hold(capsys: pytest.CaptureFixture[str]) -> None:
    """The page has the good, the bad and the hollow example, the levels and the sources."""
    _, out, _ = run(capsys, "explain", "test-suite")
    for part in ("## Good: ", "## Bad: ", "## Hollow: ", "level 2 Reproducible (must)", "source:"):
        assert part in out
    assert "<- evidence" not in out
    _, drawn, _ = run(capsys, "explain", "test-suite", "--color")
    assert "\x1b[" in drawn


def test_explain_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown practice is a wrong call that names the nearest."""
    code, _, err = run(capsys, "explain", "ci-on-chnge")
    assert code == 2
    assert "ci-on-change" in err


@pytest.mark.parametrize("form", ["text", "mermaid", "svg", "json"])
def test_map_draws_the_loop(
    capsys: pytest.CaptureFixture[str], repository: Path, form: str
) -> None:
    """The map names what a person has to start, and which links are missing."""
    (repository / "Makefile").write_text("train:\n\tpython train.py\n")
    code, out, _ = run(capsys, "map", repository, "-f", form)
    assert code == 0
    assert "a person runs make train" in out
    assert "missing" in out


def test_map_goes_to_a_file_and_to_any_terminal(repository: Path, tmp_path: Path) -> None:
    """`-o` takes the picture; a terminal that knows ASCII alone gets ASCII alone."""
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "mlops_audit", "map", str(repository)]
    done = subprocess.run(command, env=env, capture_output=True, check=True)
    assert b"-> train.py" in done.stdout
    assert b"\\u" not in done.stdout
    file = tmp_path / "loop.svg"
    done = subprocess.run([*command, "-f", "svg", "-o", str(file)], capture_output=True, check=True)
    assert (done.stdout, file.read_text("utf-8")[:4]) == (b"", "<svg")


@small
def test_compare_shows_what_differs(capsys: pytest.CaptureFixture[str], history: Path) -> None:
    """Two revisions side by side, as text, JSON and Markdown."""
    for form in ("text", "json", "markdown"):
        code, out, _ = run(capsys, "compare", "v1", "HEAD", "-C", history, "-f", form)
        assert code == 0
        assert "COL02" in out
        assert "worse" in out
    _, out, _ = run(capsys, "compare", "v1", "HEAD", "-C", history, "--color")
    assert "\x1b[31mCOL02" in out


def test_badge_never_gates(capsys: pytest.CaptureFixture[str], repository: Path) -> None:
    """The badge is written whatever the gate."""
    (repository / "mlops-audit.toml").write_text("fail-under = 5\n")
    code, out, _ = run(capsys, "badge", repository)
    assert code == 0
    assert out.startswith("<svg")


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` lists the commands, and each of them has help of its own."""
    code, out, _ = run(capsys, "--help")
    assert code == 0
    assert all(name in out for name in COMMANDS)
    for name in COMMANDS:
        code, out, _ = run(capsys, name, "--help")
        assert code == 0
        assert "Usage: mlops-audit" in out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` names the installed version, which is the package's."""
    from importlib.metadata import version  # noqa: PLC0415 -- the check needs it alone

    assert run(capsys, "--version")[1] == f"mlops-audit {__version__}\n"
    assert version("mlops-audit") == __version__


def _loaded(*args: str) -> set[str]:
    """The top-level modules that a command line loads."""
    code = (
        "import sys\nfrom mlops_audit.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print('|'.join(sorted(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *args], capture_output=True, text=True, check=True
    )
    return set(done.stderr.splitlines()[-1].split("|"))


def test_help_and_version_load_click_alone() -> None:
    """What everybody types first loads no other module of ours and no other dependency."""
    for option in ("--help", "--version"):
        loaded = _loaded(option)
        assert {m for m in loaded if m.startswith("mlops_audit")} == {
            "mlops_audit",
            "mlops_audit.cli",
        }
        assert not loaded & {"rich", "yaml", "pathspec", "tomli", "pathlib", "importlib.metadata"}


def test_who_profiles_the_command_gets_a_profile() -> None:
    """The process ends at once where nobody measures it; a profiler writes at the ordinary end."""
    tool = ["-m", "mlops_audit", "--version"]
    plain, profiled = (
        subprocess.run(
            [sys.executable, *before, *tool], capture_output=True, text=True, check=True
        ).stdout
        for before in ([], ["-m", "cProfile"])
    )
    assert plain == f"mlops-audit {__version__}\n"
    assert profiled.startswith(plain)
    assert "function calls" in profiled


def test_machine_formats_load_no_terminal_and_no_template_engine(repository: Path) -> None:
    """A JSON or SARIF run imports neither rich nor a template engine."""
    loaded = _loaded("check", str(repository), "-f", "json", "-o", "/dev/null", "-f", "sarif")
    assert not loaded & {"rich", "jinja2", "copier"}


class _Stream:
    """A stream that is or is no terminal."""

    def __init__(self, *, terminal: bool, encoding: str = "utf-8") -> None:
        self.encoding = encoding
        self._terminal = terminal

    def isatty(self) -> bool:
        """Whether it is one."""
        return self._terminal


@pytest.mark.parametrize(
    ("terminal", "environment", "asked", "color"),
    [
        (True, {}, None, True),
        (True, {"NO_COLOR": "1"}, None, False),
        (True, {"TERM": "dumb"}, None, False),
        (False, {}, None, False),
        (False, {"FORCE_COLOR": "1"}, None, True),
        (False, {"NO_COLOR": "1"}, True, True),
        (True, {}, False, False),
    ],
)
def test_colour_follows_the_terminal_and_the_call(
    terminal: bool,  # noqa: FBT001 -- a parameter of the test
    environment: dict[str, str],
    asked: bool | None,  # noqa: FBT001 -- the same
    color: bool,  # noqa: FBT001 -- the same
) -> None:
    """Colour on terminals, never against NO_COLOR, and always as the call says."""
    stream = _Stream(terminal=terminal)
    found = options_for(stream, environment, color=asked)  # type: ignore[arg-type]
    assert found.color is color
    assert found.ascii_only is False
    ascii_stream = _Stream(terminal=terminal, encoding="ascii")
    assert options_for(ascii_stream, environment, color=asked).ascii_only  # type: ignore[arg-type]
