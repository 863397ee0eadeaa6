"""What holds the house together: layers, the public surface, a light start, true documents."""

from __future__ import annotations

import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import mlops_audit

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "mlops_audit"


def test_imports_go_down_only() -> None:
    """The contracts of `.importlinter` hold."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_public_names_are_few() -> None:
    """Adding or removing a public name is a decision, taken here."""
    assert mlops_audit.__all__ == ["Report", "__version__", "check", "open_tree"]
    assert all(getattr(mlops_audit, name) for name in mlops_audit.__all__)


def test_the_command_starts_light() -> None:
    """Importing the command line brings click, itself, and no slow part of the standard library."""
    code = (
        "import sys, click; before = set(sys.modules); import mlops_audit.cli;"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    brought = set(done.stdout.split())
    slow = {"asyncio", "json", "logging", "multiprocessing", "subprocess", "tomllib"}
    assert brought - sys.stdlib_module_names <= {"mlops_audit", "mlops_audit.cli"}
    assert brought.isdisjoint(slow)


def test_practices_are_listed_lightly() -> None:
    """Importing all practices brings none of the libraries that draw, render or ask."""
    code = (
        "import sys; from mlops_audit.practices import catalogue; catalogue(); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"click", "rich", "copier", "jinja2", "asyncio"}.isdisjoint(done.stdout.split())


def test_machine_formats_bring_nothing_that_draws(tmp_path: Path) -> None:
    """A whole audit written as JSON, SARIF or HTML imports neither rich nor a template engine."""
    (tmp_path / "train.py").write_text("from sklearn.svm import SVC\nSVC().fit([[1]], [1])\n")
    (tmp_path / "dvc.yaml").write_text("stages:\n  t:\n    cmd: python train.py\n")
    code = (
        "import atexit, sys; from mlops_audit.cli import main;"
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr));"
        "main(['check', sys.argv[1], '--no-cache', '-f', 'sarif', '-o', 'a', '-f', 'html', '-o',"
        " 'b', '-f', 'json'])"
    )
    argv = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=tmp_path)
    brought = {name.partition(".")[0] for name in done.stderr.split()}
    assert "mlops_audit" in brought
    heavy = {"rich", "jinja2", "copier", "cookiecutter", "markdown_it", "pygments", "asyncio"}
    assert heavy.isdisjoint(brought)


@pytest.mark.filterwarnings("always::UserWarning")
def test_modules_stay_small() -> None:
    """A module past 250 lines is named in a warning: split it into rooms when you are there."""
    sizes = {path: len(path.read_text("utf-8").splitlines()) for path in SOURCE.rglob("*.py")}
    large = sorted((size, path.name) for path, size in sizes.items() if size > 250)
    if large:
        listed = ", ".join(f"{name} {size}" for size, name in reversed(large))
        warnings.warn(f"modules over 250 lines: {listed}", UserWarning, stacklevel=1)


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "AGENTS.md", "docs/writing-a-practice.md"])
def test_documents_name_paths_that_exist(name: str) -> None:
    """Every path in backticks in a document for contributors is there (`*` as in a shell)."""
    document = ROOT / name
    if not document.exists():
        pytest.skip(f"{name} is not written yet")
    prose = re.sub(
        r"^(`{3,}).*?^\1", "", document.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    tops = {path.name for path in ROOT.iterdir()}
    named = [t for t in re.findall(r"`([\w.*/-]+)`", prose) if t.split("/")[0] in tops]
    assert named, f"{name} names no path at all"
    assert [path for path in named if not any(ROOT.glob(path.rstrip("/")))] == []
