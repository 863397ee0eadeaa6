"""The hooks as users meet them: real pre-commit, installed from a clone of this repository."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
HOOKS = (
    "mlops-audit", "mlops-audit-notebooks", "mlops-audit-large-files", "mlops-audit-secrets",
    "mlops-audit-dvc-lock", "mlops-audit-paths", "mlops-audit-seeds", "mlops-audit-raw-data",
)  # fmt: skip
CODE = "import json\n\nprint(json.dumps({}))\n"
KEY = "AKIA" + "QY7RZ2M4KD6PLX3V"


def run(folder: Path, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A command in a repository, far from this repository's own git variables."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "PRE_COMMIT"))}
    env = kept | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"} | more
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return done


def git(folder: Path, *args: str) -> str:
    """Git with an author."""
    done = run(folder, "git", "-c", "user.name=a", "-c", "user.email=a@b.c", *args)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def notebook(*outputs: Mapping[str, str]) -> str:
    """A notebook of one cell."""
    cell = {"cell_type": "code", "metadata": {}, "source": "1", "outputs": [*outputs]}
    return json.dumps({"cells": [cell | {"execution_count": None}], "nbformat": 4, "metadata": {}})


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of this repository, as pre-commit fetches it; `home` beside it is pre-commit's."""
    folder = tmp_path_factory.mktemp("pre-commit") / "hooks"
    git(ROOT, "clone", "-q", "--no-hardlinks", str(ROOT), str(folder))
    return folder


def configured(clone: Path, hooks: tuple[str, ...]) -> str:
    """What a configuration says to have these hooks of the clone."""
    rev = git(clone, "rev-parse", "HEAD")
    listed = "".join(f"      - id: {name}\n" for name in hooks)
    return f"  - repo: {clone}\n    rev: {rev}\n    hooks:\n{listed}"


@pytest.fixture(scope="module")
def project(clone: Path) -> Path:
    """A plain repository with data, a pipeline and notebooks, and all hooks installed."""
    folder = clone.parent / "project"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    md5 = hashlib.md5(CODE.encode(), usedforsecurity=False).hexdigest()
    files = {
        ".pre-commit-config.yaml": f"repos:\n{configured(clone, HOOKS)}"
        "      - id: mlops-audit-strip-notebooks\n        stages: [manual]\n",
        "train.py": CODE,
        "dvc.yaml": "stages:\n  train:\n    cmd: python train.py\n    deps: [train.py]\n"
        "    params: [alpha]\n",
        "dvc.lock": "schema: '2.0'\nstages:\n  train:\n    cmd: python train.py\n    deps:\n"
        f"    - path: train.py\n      hash: md5\n      md5: {md5}\n      size: {len(CODE)}\n"
        "    params:\n      params.yaml:\n        alpha: 1\n",
        "params.yaml": "alpha: 1\n",
        "data/raw/days.csv": "day,rides\n1,20\n",
        "notebooks/1.0-look.ipynb": notebook(),
    }  # fmt: skip
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "start")
    done = run(
        folder, sys.executable, "-m", "pre_commit", "install", "--install-hooks",
        PRE_COMMIT_HOME=str(clone.parent / "home"),
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"the hooks cannot be installed here: {done.stdout[-300:]}")
    return folder


def commit(folder: Path, files: Mapping[str, str], *, every: bool = False) -> tuple[int, str]:
    """Try to commit files; the exit code and what was said. The repository is left as it was."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    if not every:
        git(folder, "add", *files)
    start = git(folder, "rev-parse", "HEAD")
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    home = str(folder.parent / "home")
    options = ("-aqm" if every else "-qm", "x")
    done = run(folder, "git", *who, "commit", *options, PRE_COMMIT_HOME=home)
    git(folder, "reset", "-q", "--hard", start)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("files", "line"),
    [
        pytest.param(
            {"notebooks/1.0-look.ipynb": notebook({"output_type": "stream", "text": "x"})},
            "notebooks/1.0-look.ipynb: cell 1: one cell stores its output; run",
            id="outputs",
        ),
        pytest.param(
            {"days.csv": "day,rides,kind\n" * 140_000},
            "days.csv: 2.0 MiB of data in plain git; unstage it and run `dvc add days.csv`",
            id="large",
        ),
        pytest.param(
            {"keys.py": f'KEY = "{KEY}"\n'},
            "keys.py:1: holds a credential: AWS access key AKIA",
            id="key",
        ),
        pytest.param(
            {"params.yaml": "alpha: 2\n"},
            "dvc.lock:3: stage train: parameter alpha is 2, recorded is 1; run `dvc repro`",
            id="lock",
        ),
        pytest.param(
            {"data/raw/days.csv": "day,rides\n1,21\n"},
            "data/raw/days.csv: raw data is changed; restore it",
            id="raw",
        ),
        pytest.param(
            {"load.py": 'PATH = "/home/carla/days.csv"\n'},
            "load.py:1: /home/carla/days.csv is a path of one machine; make it relative",
            id="path",
        ),
        pytest.param(
            {"split.py": "from sklearn.model_selection import train_test_split as tts\ntts([1])\n"},
            "split.py:2: unseeded random draw: tts([1]); pass random_state",
            id="seed",
        ),
    ],
)
def test_each_bad_commit_is_stopped_with_one_line(
    project: Path, files: Mapping[str, str], line: str
) -> None:
    """The commit fails, and the line that says why comes from the hook."""
    code, said = commit(project, files)
    assert (code, said.count(line)) == (1, 1), said
    assert said.count("Failed") == 1, said


def test_a_clean_commit_passes(project: Path) -> None:
    """Good code, a small table, a new raw file and an empty notebook get through."""
    files = {
        "clean.py": "import random\n\nrandom.seed(3)\nprint(random.random())\n",
        "small.csv": "a,b\n1,2\n",
        "data/raw/more.csv": "day,rides\n2,3\n",
        "notebooks/2.0-more.ipynb": notebook(),
    }
    code, said = commit(project, files)
    assert code == 0, said


def test_commit_all_is_looked_at_too(project: Path) -> None:
    """`git commit -a` gives hooks an index of its own; what is in it is judged."""
    code, said = commit(project, {"data/raw/days.csv": "day,rides\n1,22\n"}, every=True)
    assert code == 1
    assert "raw data is changed" in said


def test_the_fixer_strips_and_is_content(project: Path) -> None:
    """The first run strips and fails, so that a person looks; the second has nothing to do."""
    path = project / "notebooks" / "1.0-look.ipynb"
    path.write_text(notebook({"output_type": "stream", "text": "x"}))
    run_hook = [sys.executable, "-m", "pre_commit", "run", "mlops-audit-strip-notebooks"]
    env = {"PRE_COMMIT_HOME": str(project.parent / "home")}
    codes = []
    for _ in range(2):
        git(project, "add", "-A")
        codes.append(run(project, *run_hook, "--hook-stage", "manual", **env).returncode)
    assert codes == [1, 0]
    assert path.read_text() == notebook()
    git(project, "reset", "-q", "--hard", "HEAD")


def test_a_range_of_commits_is_looked_at_in_ci(project: Path) -> None:
    """With `--from-ref`, raw data that a commit has changed since is found."""
    start = git(project, "rev-parse", "HEAD")
    (project / "data" / "raw" / "days.csv").write_text("day,rides\n1,23\n")
    git(project, "commit", "-aqm", "x", "--no-verify")
    done = run(
        project, sys.executable, "-m", "pre_commit", "run", "mlops-audit-raw-data",
        "--from-ref", start, "--to-ref", "HEAD",
        PRE_COMMIT_HOME=str(project.parent / "home"),
    )  # fmt: skip
    git(project, "reset", "-q", "--hard", start)
    assert done.returncode == 1, done.stdout
    assert "raw data is changed" in done.stdout


@pytest.fixture(scope="module")
def generated(clone: Path) -> Path:
    """A level-2 project after its README's first commands, with our hooks beside its own."""
    from copier import run_copy  # noqa: PLC0415 -- slow to import, and here alone

    folder = clone.parent / "generated"
    data = {"maturity_level": 2, "project_name": "Demand Forecast"}
    run_copy(str(clone), folder, data=data, defaults=True, quiet=True, vcs_ref="HEAD")
    home = {"PRE_COMMIT_HOME": str(clone.parent / "home"), "VIRTUAL_ENV": ""}
    done = run(folder, "make", "setup", **home)
    assert done.returncode == 0, done.stderr
    ours = tuple(name for name in HOOKS if name != "mlops-audit")
    with (folder / ".pre-commit-config.yaml").open("a") as file:
        file.write(configured(clone, ours))
    git(folder, "add", "-A")
    # Before the first `dvc repro` there is no lock, and nothing that could be stale.
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    first = run(folder, "git", *who, "commit", "-qm", "Start", **home)
    assert first.returncode == 0, first.stdout + first.stderr
    done = run(folder, "make", "pipeline", **home)
    assert done.returncode == 0, done.stderr
    git(folder, "add", "-A")
    second = run(folder, "git", *who, "commit", "-qm", "First model", **home)
    assert second.returncode == 0, second.stdout + second.stderr
    return folder


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        pytest.param(
            "notebooks/2.0-more.ipynb", notebook({"output_type": "stream", "text": "x"}),
            "notebooks/2.0-more.ipynb: cell 1: one cell stores its output; run", id="outputs",
        ),
        pytest.param(
            "days.csv", "day,rides,kind\n" * 140_000,
            "days.csv: 2.0 MiB of data in plain git; unstage it and run `dvc add days.csv`",
            id="large",
        ),
        pytest.param(
            "deploy.cfg", f"key = {KEY}\n", "deploy.cfg:1: holds a credential: AWS access key AKIA",
            id="key",
        ),
        pytest.param(
            "params.yaml", None, ": parameter seed is 8, recorded is 7; run `dvc repro`", id="lock"
        ),
        pytest.param(
            "data/external/to_predict.csv", "time\n2012-01-01\n",
            "data/external/to_predict.csv: raw data is changed; restore it", id="raw",
        ),
    ],
)  # fmt: skip
def test_a_generated_project_is_guarded(
    generated: Path, path: str, text: str | None, line: str
) -> None:
    """Beside the project's own hooks, ours stop each bad commit with one line."""
    old = (generated / path).read_text() if text is None else ""
    code, said = commit(generated, {path: text or old.replace("seed: 7", "seed: 8")})
    assert (code, said.count(line)) == (1, 1), said


def test_a_clean_commit_of_a_generated_project_passes(generated: Path) -> None:
    """A word in the README passes every hook."""
    text = (generated / "README.md").read_text()
    code, said = commit(generated, {"README.md": f"{text}\nOne more sentence.\n"})
    assert code == 0, said
