"""The HTML report in a real Chromium: three widths, light and dark, with axe-core.

`npm ci --prefix tests/browser` brings what the browser is driven with. With `SCREENSHOTS=FOLDER`
the pages are photographed too.
"""

from __future__ import annotations

import json
import os
import runpy
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from mlops_audit.audit import Request, audit
from mlops_audit.maturity import load_model
from mlops_audit.model import Report
from mlops_audit.reports import render
from mlops_audit.tree.memory import MemoryTree

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium is; the test is skipped where it, node or its modules are missing."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        pytest.skip("there is no Chromium on this machine")
    if not shutil.which("node"):
        pytest.skip("there is no node on this machine")
    if not (HERE / "node_modules" / "playwright-core").is_dir():
        pytest.skip("playwright-core is missing: npm ci --prefix tests/browser")
    return found


def fixed() -> Report:
    """One of everything, hostile names included."""
    path = HERE.parent / "golden" / "fixed_report.py"
    report = runpy.run_path(str(path))["fixed_report"]()
    assert isinstance(report, Report)
    return report


def bare() -> Report:
    """A repository with nothing in it but a file."""
    return audit(MemoryTree({"notes.txt": b"nothing\n"}), request=Request(pictures=True))


def real() -> Report:
    """A small project, judged by every model, with names that are hard to break."""
    long = "a" * 120
    files = {
        "train.py": b"from sklearn.svm import SVC\nSVC().fit([[1]], [1])\n",
        f"src/{long}/{long}.py": b"import random\nrandom.random()\n",
        ".github/workflows/ci.yml": b"on: push\njobs:\n  t:\n    steps:\n    - run: pytest\n",
    }
    models = [load_model(name) for name in ("ladder", "google", "stack-canvas")]
    return audit(MemoryTree(files), models=models, request=Request(pictures=True, target=5))


def plain() -> Report:
    """The fixed report without what is only sometimes there."""
    return replace(fixed(), loop=None, beside=(), comparison=None, gate=None, extra={})


@pytest.mark.parametrize("make", [fixed, bare, real, plain])
def test_page_is_sound_at_every_width(make: Any, chromium: str, tmp_path: Path) -> None:  # noqa: ANN401 -- one of the four above
    """No console message, no second request, no sideways scrolling, nothing for axe to name."""
    page = tmp_path / f"{make.__name__}.html"
    page.write_text(render(make(), "html"), encoding="utf-8")
    command = ["node", str(HERE / "look.mjs"), chromium, str(page)]
    command += [os.environ["SCREENSHOTS"]] if os.environ.get("SCREENSHOTS") else []
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert len(seen) == 6
    for view in seen:
        where = f"{view['width']} {view['colorScheme']}"
        assert view["messages"] == [], where
        assert view["requests"] == 1, where
        assert view["overflow"] <= 0, where
        assert view["violations"] == [], where


@pytest.mark.parametrize("make", [fixed, bare, real, plain])
def test_page_is_valid_html(make: Any, tmp_path: Path) -> None:  # noqa: ANN401 -- as above
    """html-validate names nothing by its standard and its accessibility rules."""
    program = HERE / "node_modules" / ".bin" / "html-validate"
    if not (program.exists() and shutil.which("node")):
        pytest.skip("html-validate is missing: npm ci --prefix tests/browser")
    page = tmp_path / f"{make.__name__}.html"
    page.write_text(render(make(), "html"), encoding="utf-8")
    command = [str(program), "--config", str(HERE / ".htmlvalidate.json"), str(page)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout
