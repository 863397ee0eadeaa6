"""Start-up and audit time as whole processes, interleaved in one run and told as ratios.

    .venv/bin/python tests/benchmarks/bench.py [--runs N] [--repository PATH]

The ratios are of CPU seconds (user and system, of all processes), since wall time says more about
what else the machine does; the wall's median stands beside them, for what works on several cores.
Prints a table; judges nothing: the limits stand in docs/decisions/0004.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mlops_audit.hooks.main import HOOKS

HOOK = "import os, sys; os.chdir(sys.argv.pop(1)); from mlops_audit.hooks.main import main; main()"
MODULES = 40
TEXTS = 60


def child_seconds(argv: list[str], env: dict[str, str]) -> tuple[float, float]:
    """CPU seconds and wall seconds that one run of a command takes."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(argv, env=env, check=False, capture_output=True)
    after, end = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    used = (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)
    return used, end - start


def repository(folder: Path) -> Path:
    """A repository of about a hundred files with the usual parts of an ML project."""
    source = folder / "src" / "demo"
    source.mkdir(parents=True)
    body = (
        "import numpy as np\nfrom sklearn.linear_model import Ridge\n\n\n"
        "def train(x, y, alpha=1.0):\n    np.random.seed(1)\n    model = Ridge(alpha=alpha)\n"
        "    model.fit(x, y)\n    return model\n\n\n"
    )
    for number in range(MODULES):
        (source / f"part_{number}.py").write_text(body * 8)
    for number in range(TEXTS):
        (folder / f"note_{number}.md").write_text("# Note\n\nSome words.\n" * 20)
    workflows = folder / ".github" / "workflows"
    workflows.mkdir(parents=True)
    (workflows / "ci.yml").write_text(
        "on: push\njobs:\n  t:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make test\n"
    )
    (folder / "Makefile").write_text("test:\n\tpytest\n")
    (folder / "dvc.yaml").write_text("stages:\n  t:\n    cmd: make t\n    deps: [Makefile]\n")
    (folder / "dvc.lock").write_text(
        "schema: '2.0'\nstages:\n  t:\n    cmd: make t\n    deps:\n    - path: Makefile\n"
        "      hash: md5\n      md5: 0123456789abcdef0123456789abcdef\n"
    )
    (folder / "1.0-look.ipynb").write_text(
        '{"cells": [{"cell_type": "code", "source": "1", "outputs": []}], "nbformat": 4}'
    )
    return tracked(folder)


def generated(folder: Path) -> Path:
    """A project of the template at level 3: a hundred files again, with three times the code."""
    command = ["new", str(folder), "--defaults", "--level", "3"]
    subprocess.run([sys.executable, "-m", "mlops_audit", *command], check=True, capture_output=True)
    return tracked(folder)


def tracked(folder: Path) -> Path:
    """The folder, as a repository whose files are in the index."""
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", "-C", str(folder), *command], check=True)
    return folder


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=11)
    parser.add_argument("--repository", type=Path)
    options = parser.parse_args()
    python = sys.executable
    with tempfile.TemporaryDirectory() as scratch:
        audited = options.repository or repository(Path(scratch) / "repository")
        env = os.environ | {"MLOPS_AUDIT_CACHE": str(Path(scratch) / "cache")}
        check = [python, "-m", "mlops_audit", "check", str(audited), "-f", "json"]
        commands = {
            "import click": [python, "-c", "import click"],
            "mlops-audit --version": [python, "-m", "mlops_audit", "--version"],
            "mlops-audit --help": [python, "-m", "mlops_audit", "--help"],
            "check, no cache": [*check, "--no-cache"],
            "check, no cache, 1 job": [*check, "--no-cache", "--jobs", "1"],
            "check, warm": check,
        }
        if options.repository is None:
            real = [python, "-m", "mlops_audit", "check", str(generated(Path(scratch) / "made"))]
            commands |= {"generated, no cache": [*real, "--no-cache"], "generated, warm": real}
        commands["python alone"] = [python, "-c", "pass"]
        for name in HOOKS:  # over a whole repository staged: far more than one commit changes
            commands[f"hook {name}"] = [python, "-c", HOOK, str(audited), name]
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(options.runs + 1):  # the first round warms files and caches
            for name, argv in commands.items():
                times[name].append(child_seconds(argv, env))
    base = statistics.median(used for used, _ in times["import click"][1:])
    titles = ("median CPU s", "min", "max", "ratio", "wall s")
    print(f"{'command':24s} {titles[0]:>12s}", *(f"{title:>7s}" for title in titles[1:]))
    for name, measured in times.items():
        runs = [used for used, _ in measured[1:]]
        wall = statistics.median(passed for _, passed in measured[1:])
        middle = statistics.median(runs)
        rest = (min(runs), max(runs), middle / base, wall)
        print(f"{name:24s} {middle:12.3f}", *(f"{value:7.3f}" for value in rest))


if __name__ == "__main__":
    main()
