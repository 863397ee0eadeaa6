"""The ratchet end to end: pull requests against a branch of a real git repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FILES = {
    "README.md": "# Rides\n\nForecasts rides. Run `python train.py`.\n",
    "train.py": (
        "import random\n\nfrom sklearn.svm import SVC\n\n"
        "random.seed(1)\nmodel = SVC(random_state=1)\nmodel.fit([[1], [2]], [1, 2])\n"
    ),
    "rides.py": "def doubled(count):\n    return 2 * count\n",
    "test_rides.py": "from rides import doubled\n\n\ndef test_it():\n    assert doubled(1) == 2\n",
    ".github/workflows/ci.yml": (
        "on:\n  push:\n  pull_request:\njobs:\n  test:\n    runs-on: ubuntu-24.04\n"
        "    steps:\n      - uses: actions/checkout@v4\n      - run: pip install pytest\n"
        "      - run: pytest\n"
    ),
}


def git(folder: Path, *args: str) -> None:
    """Git with an author, far from this repository's own variables."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    subprocess.run(["git", *who, *args], cwd=folder, env=env, check=True, capture_output=True)


def put(folder: Path, files: dict[str, str]) -> None:
    """Write files and commit them."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "change")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository on a branch `change` that was cut from `main`; much is missing in both."""
    made = tmp_path / "rides"
    made.mkdir()
    git(made, "init", "-q", "-b", "main")
    put(made, FILES)
    git(made, "switch", "-qc", "change")
    return made


def check(folder: Path, *args: str | Path) -> tuple[int, str, str]:
    """The exit code, standard output and standard error of `mlops-audit check`."""
    command = [sys.executable, "-m", "mlops_audit", "check", str(folder), *map(str, args)]
    env = os.environ | {"MLOPS_AUDIT_CACHE": "off"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def sarif(folder: Path, *args: str | Path) -> dict[str, dict[str, Any]]:
    """The results of a SARIF run by practice."""
    log = json.loads(check(folder, "-f", "sarif", *args)[1])
    return {result["ruleId"]: result for result in log["runs"][0]["results"]}


def test_one_practice_that_gets_worse_fails(folder: Path) -> None:
    """The gate names the practice that the branch has broken, and nothing of the old debt."""
    broken = FILES[".github/workflows/ci.yml"].replace("- run: pytest\n", "- run: echo pytest\n")
    put(folder, {".github/workflows/ci.yml": broken})
    code, out, _ = check(folder, "--against", "main")
    assert code == 1
    gate = [line for line in out.splitlines() if line.startswith("Gate not met")]
    assert gate == ["Gate not met: AUT06 got worse: pass → fail"]
    results = sarif(folder, "--against", "main")
    assert results["AUT06"]["baselineState"] in {"new", "updated"}
    assert results["COL02"]["baselineState"] == "unchanged"
    assert check(folder, "--against", "main", "--ignore", "AUT06")[0] == 0


def test_old_debt_that_moves_is_left_alone(folder: Path) -> None:
    """Lines above a finding and a new name for its file change neither gate nor identity."""
    before = sarif(folder)
    text = FILES["train.py"].replace("import random\n", "# one more\n# line\nimport random\n", 1)
    git(folder, "mv", "train.py", "fit.py")
    readme = FILES["README.md"].replace("train.py", "fit.py")
    put(folder, {"fit.py": text, "README.md": readme})
    assert check(folder, "--against", "main")[0] == 0
    after = sarif(folder, "--against", "main")
    assert len(after) > 20
    assert {r["baselineState"] for r in after.values()} == {"unchanged"}
    key = "partialFingerprints"
    assert {p: r[key] for p, r in after.items()} == {p: r[key] for p, r in before.items()}


def test_a_stale_baseline_is_reported(folder: Path, tmp_path: Path) -> None:
    """A stored report that is behind, or names what is gone, is said to be stale; it gates."""
    stored = tmp_path / "baseline.json"
    check(folder, "-f", "json", "-o", stored)
    assert "stale" not in check(folder, "--against", stored)[2]
    put(folder, {"LICENSE": "MIT License\n\nPermission is hereby granted, free of charge, to any"})
    code, out, err = check(folder, "--against", stored)
    assert (code, "baseline.json: the baseline is stale" in err) == (0, True)
    assert "COL02 better" in out
    report = json.loads(stored.read_text())
    report["practices"].append({"id": "OLD01", "outcome": "pass"})
    stored.write_text(json.dumps(report))
    assert "it also names: OLD01" in check(folder, "--against", stored)[1]


def test_earlier_reports_draw_the_way(folder: Path, tmp_path: Path) -> None:
    """`--history` puts earlier reports, oldest first, and this one into the page."""
    first, page = tmp_path / "first.json", tmp_path / "page.html"
    check(folder, "-f", "json", "-o", first)
    assert "History" not in check(folder, "-f", "html")[1]
    assert check(folder, "--history", first, "--history", first, "-f", "html", "-o", page)[0] == 0
    assert page.read_text("utf-8").count('<circle class="dot"') == 8 + 3  # principles, reports
    assert "this report" in page.read_text("utf-8")
    first.write_text("[]")
    assert check(folder, "--history", first)[0] == 2
