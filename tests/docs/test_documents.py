"""What the documents tell people to type works, and the site can be built from them.

Every `mlops-audit` command of a `bash` block is run on a small repository, page by page and in
order, so that a page may use what it has just written. `<!-- run -->` before a block runs all its
lines; `<!-- not run: why -->` leaves it at parsing the commands. Every other line has to be of a
kind that a test here knows: an installation, a target of make, the template, a script.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from pathlib import Path

import click
import pytest
from jsonschema import FormatChecker
from jsonschema.validators import validator_for

from mlops_audit.audit import audit, read_config
from mlops_audit.cli import COMMANDS, main
from mlops_audit.hooks.main import HOOKS
from mlops_audit.hooks.main import run as hook
from mlops_audit.schema import config_schema
from mlops_audit.tree.memory import MemoryTree

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PAGES = [
    ROOT / "README.md",
    ROOT / "src" / "mlops_audit" / "knowledge" / "README.md",
    *sorted(p for p in (ROOT / "docs").rglob("*.md") if "decisions" not in p.parts),
]
BLOCK = re.compile(
    r"(?:^ *<!-- (?P<mark>run|not run: [^>]+) -->\n+)?^(?P<indent> *)```(?:bash|sh|console)\n"
    r"(?P<text>.*?)^ *```",
    re.DOTALL | re.MULTILINE,
)
TOML = re.compile(
    r'^( *)```toml title="(?P<title>[^"]+)"\n(?P<text>.*?)^ *```', re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True)
class Block:
    """A block of commands; `mark` says how it is treated."""

    page: str
    mark: str
    text: str

    @property
    def calls(self) -> list[list[str]]:
        """Its calls of our commands, as words."""
        joined = self.text.replace("\\\n", " ")
        lines = [line.strip().removeprefix("$ ") for line in joined.splitlines()]
        words = [shlex.split(line.partition(" | ")[0], comments=True) for line in lines]
        return [w for w in words if w and w[0] in {"mlops-audit", "mlops-audit-hook"}]


def blocks(page: Path) -> list[Block]:
    """The blocks of commands of a page."""
    found = BLOCK.finditer(page.read_text("utf-8"))
    return [Block(page.name, m["mark"] or "", m["text"]) for m in found]


WITH_COMMANDS = [
    pytest.param(page, id=str(page.relative_to(ROOT)))
    for page in PAGES
    if any(block.calls for block in blocks(page))
]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A small repository that trains, with a branch `main` and what the pages name."""
    folder = tmp_path / "PATH"
    (folder / "src").mkdir(parents=True)
    files = {
        "src/train.py": "from sklearn.linear_model import Ridge\n\nRidge().fit([[1]], [1])\n",
        "README.md": "# Rides\n\nForecasts rides. Run `python src/train.py`.\n",
    }
    for page in PAGES:  # a page may show a file that its commands read
        for shown in TOML.finditer(page.read_text("utf-8")):
            if shown["title"].startswith("models/"):
                files[shown["title"]] = shown["text"]
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "start"]):
        subprocess.run([*git, *command], cwd=folder, check=True)
    (folder / "PATH").symlink_to(".")  # documents say PATH where they mean any folder
    return folder


def test_every_page_is_looked_at() -> None:
    """The pages hold commands, and nothing hides in a mark that is misspelt."""
    assert sum(len(block.calls) for page in PAGES for block in blocks(page)) > 30
    for page in PAGES:
        marks = re.findall(r"<!--\s*(?:not )?run.*?-->", page.read_text("utf-8"))
        assert len(marks) == sum(bool(block.mark) for block in blocks(page)), page


@pytest.mark.parametrize("page", WITH_COMMANDS)
def test_commands_parse(page: Path) -> None:
    """Each command and each option that a document names exists."""
    for block in blocks(page):
        for program, *words in block.calls:
            if program == "mlops-audit-hook":
                assert words[0] in {*HOOKS, "--help"}
                continue
            if words[0] in {"--version", "--help"}:
                continue
            name = words[0] if words[0] in COMMANDS else "check"
            args = words[1:] if words[0] in COMMANDS else words
            command: click.Command = import_module(f"mlops_audit.cli.{name}").command
            command.make_context(f"mlops-audit {name}", args)


def others() -> Iterator[tuple[str, list[str]]]:
    """Every other command that a page shows: the page, and the command's words."""
    for page in PAGES:
        for block in blocks(page):
            if block.mark == "run":
                continue
            for line in block.text.replace("\\\n", " ").splitlines():
                for part in line.partition("#")[0].split("&&"):
                    words = shlex.split(part)
                    if words and not words[0].startswith("mlops-audit"):
                        yield page.name, words


def test_every_other_command_is_of_a_kind_that_is_tested() -> None:
    """Targets and scripts exist; installations and the template are run by the slow tests below."""
    targets = "".join(
        (ROOT / p).read_text("utf-8") for p in ("Makefile", "template/Makefile.jinja")
    )
    known = set(re.findall(r"^([a-z-]+):", targets, re.MULTILINE))
    for page, words in others():
        match words:
            case ["make", *asked]:
                assert {w for w in asked if "=" not in w} <= known, (page, words)
            case [".venv/bin/python", "-m", "pytest", folder, *_]:
                assert (ROOT / folder).exists(), (page, words)
            case [".venv/bin/python", script, *_]:
                assert (ROOT / script).exists(), (page, words)
            case ["pip", "install", *_] | ["copier", "copy", *_] | ["cd", _]:
                pass
            case _:
                pytest.fail(f"{page}: no test knows {words}")


FORGE = "https://github.com/mlops-audit/mlops-audit"
INSTALL = re.compile(rf"pip install (?:--quiet )?(?:'([^']+)'|(copier|git\+{FORGE}\S*))")


@pytest.fixture
def forge(tmp_path: Path) -> dict[str, str]:
    """An environment in which git takes a clone of this repository for the one on the forge."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--bare", str(ROOT), str(clone)], check=True)
    clone.with_suffix(".git").symlink_to(clone)  # as the forge answers to both
    return os.environ | {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{clone.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": FORGE,
    }


@pytest.mark.slow
def test_what_pages_install_can_be_installed(tmp_path: Path, forge: dict[str, str]) -> None:
    """Each address works as it stands, at the commit that it names."""
    texts = [page.read_text("utf-8") for page in PAGES]
    asked = {a or b for text in texts for a, b in INSTALL.findall(text)}
    assert {spec.partition("@")[0].strip() for spec in asked} >= {"copier", "mlops-audit[template]"}
    assert sum(text.count("pip install ") for text in texts) == sum(
        len(INSTALL.findall(text)) for text in texts
    ) + sum(text.count("`pip install mlops-audit`") for text in texts)
    for number, spec in enumerate(sorted(asked)):
        venv = tmp_path / str(number)
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        install = [venv / "bin" / "pip", "install", "--quiet", spec]
        done = subprocess.run(install, env=forge, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{spec}\n{done.stderr}"
        program = "copier" if spec == "copier" else "mlops-audit"
        subprocess.run([venv / "bin" / program, "--version"], check=True, capture_output=True)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Dirty template")
def test_the_template_comes_as_the_pages_say(tmp_path: Path, forge: dict[str, str]) -> None:
    """`copier copy` of the forge's address gives a project."""
    shown = [words for _, words in others() if words[:2] == ["copier", "copy"]]
    assert shown
    for words in shown:
        command = [str(BIN / words[0]), words[1], "--defaults", "--quiet", *words[2:]]
        subprocess.run(command, cwd=tmp_path, env=forge, check=True)
        assert (tmp_path / words[-1] / "Makefile").is_file()


def called(words: list[str]) -> int:
    """The exit code of a call of ours, made in this process: a start costs more than the work."""
    if words[0] == "mlops-audit-hook":
        return hook(words[1:])
    with pytest.raises(SystemExit) as ended:
        main(words[1:])
    return int(ended.value.code or 0)


@pytest.mark.filterwarnings("ignore:Dirty template")  # the template here may be at work
@pytest.mark.parametrize("page", WITH_COMMANDS)
def test_commands_run(
    page: Path,
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Each command does its work: a gate may be missed, but no call is wrong."""
    monkeypatch.chdir(repository)
    monkeypatch.setenv("PATH", f"{BIN}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("MLOPS_AUDIT_CACHE", "off")
    for name in [name for name in os.environ if name.startswith(("GIT_", "PRE_COMMIT"))]:
        monkeypatch.delenv(name)
    for block in blocks(page):
        if block.mark == "run":
            assert subprocess.run(["bash", "-euc", block.text], check=False).returncode == 0
        for words in [] if block.mark else block.calls:
            assert called(words) in {0, 1}, f"{shlex.join(words)}\n{capfd.readouterr().err}"
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_configuration_examples_are_valid(page: Path, tmp_path: Path) -> None:
    """Each shown configuration is accepted as it stands, with `--config`."""
    for number, shown in enumerate(TOML.finditer(page.read_text("utf-8"))):
        if shown["title"] not in {"pyproject.toml", "mlops-audit.toml"}:
            continue
        folder = tmp_path / str(number)
        folder.mkdir()
        lines = [line.removeprefix(shown[1]) for line in shown["text"].splitlines()]
        (folder / shown["title"]).write_text("\n".join(lines))
        table = tomllib.loads("\n".join(lines))
        if shown["title"] == "pyproject.toml":
            table = table["tool"]["mlops-audit"]
        schema = config_schema()  # as an editor does, which takes a TOML date for its text
        as_json = json.loads(json.dumps(table, default=str))
        validator = validator_for(schema)(schema, format_checker=FormatChecker())
        assert [e.message for e in validator.iter_errors(as_json)] == []
        assert called(["mlops-audit", "check", str(folder), "-q"]) in {0, 1}, shown[0]


def test_the_shown_tool_is_evidence() -> None:
    """With the table of the page about tools, a call of a team's own tracker counts."""
    (shown,) = TOML.finditer((ROOT / "src/mlops_audit/knowledge/README.md").read_text("utf-8"))
    code = (
        "import ledger\nfrom sklearn.svm import SVC\nledger.start(seed=1)\nSVC().fit([[1]], [1])\n"
    )
    files = {"train.py": code.encode(), "requirements.txt": b"ledger-client\nscikit-learn\n"}
    outcomes = []
    for settings in ({}, {"mlops-audit.toml": shown["text"].encode()}):
        tree = MemoryTree({**files, **settings})
        report = audit(tree, read_config(tree, date(2026, 1, 1))[0])
        outcomes += [str(f.outcome) for f in report.findings if f.practice.id == "TRK01"]
    assert outcomes == ["fail", "pass"]


def test_calls_in_pipelines_parse() -> None:
    """What CI files in the documents call has the options that it is given."""
    text = (ROOT / "docs" / "ci.md").read_text("utf-8").replace("\\\n", " ")
    calls = re.findall(r"^\s+(?:[\w.]+/bin/)?mlops-audit (check .*)$", text, re.MULTILINE)
    assert len(calls) == 2
    for call in calls:
        name, *args = shlex.split(call)
        import_module(f"mlops_audit.cli.{name}").command.make_context(name, args)


def test_links_between_documents_lead_somewhere() -> None:
    """A relative link of a page in the repository names a file, or a page made at build."""
    made = {"commands.md", "configuration.md", "models.md", "tools.md"}
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text("utf-8")):
            if Path(target).name not in made:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.slow
def test_the_site_builds_strictly(tmp_path: Path) -> None:
    """Every page is made and every link between pages holds; nothing is loaded from elsewhere."""
    zensical = BIN / "zensical"
    if not zensical.exists():
        pytest.skip("zensical is not installed; `make docs` brings it")
    script = str(ROOT / "tools" / "docs_site.py")
    subprocess.run([sys.executable, script, str(tmp_path / "docs")], check=True)
    done = subprocess.run(
        [zensical, "build", "--strict", "--clean"],
        cwd=tmp_path / "docs", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    site = tmp_path / "docs" / "site"
    pages = list(site.rglob("index.html"))
    assert len([p for p in pages if p.parent.parent.name == "practices"]) == 94
    loaded = re.compile(r'<(?:script|img|iframe|link rel="(?:stylesheet|preload)")[^>]*"https?://')
    assert [p for p in pages if loaded.search(p.read_text("utf-8"))] == []
    shutil.rmtree(tmp_path / "docs")
