"""What the documents tell people to type works, and the site can be built from them.

Every `mlops-audit` command of a `bash` block is run on a small repository, page by page and in
order, so that a page may use what it has just written. `<!-- run -->` before a block runs all its
lines; `<!-- not run: why -->` leaves it at parsing the commands.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import click
import pytest

from mlops_audit.cli import COMMANDS, main
from mlops_audit.hooks.main import HOOKS
from mlops_audit.hooks.main import run as hook

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PAGES = [
    ROOT / "README.md",
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
        words = [shlex.split(line, comments=True) for line in lines]
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
        assert called(["mlops-audit", "check", str(folder), "-q"]) in {0, 1}, shown[0]


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
