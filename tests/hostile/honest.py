"""Honest repositories that reach what they do through four hops and more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["HONEST", "Honest"]


@dataclass(frozen=True)
class Honest:
    """Files over the small base, and the practices that they meet."""

    files: Mapping[str, str]
    passes: tuple[str, ...]


_TESTS = """\
from src.train import load, train


def test_load():
    assert len(load()) == 2


def test_columns():
    assert set(load()) == {"a", "b", "y"}


def test_train():
    assert train(load()).n_estimators == 30
"""
_TESTED = {"tests/test_train.py": _TESTS, "src/__init__.py": ""}
_TRACKER = """\
import mlflow


class Recorder:
    def record(self, values):
        mlflow.log_params(values)

    def measure(self, name, value):
        mlflow.log_metric(name, value)
"""
_TRACKED = """\
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score

from shop.tracking import Recorder


def fit(recorder):
    table = pd.read_csv("data/raw.csv")
    model = LogisticRegression(C=0.5).fit(table[["a", "b"]], table["y"])
    recorder.record({"C": 0.5})
    recorder.measure("accuracy", accuracy_score(table["y"], model.predict(table[["a", "b"]])))


def start():
    fit(Recorder())
"""
_DRIFT = """\
import pandas as pd
from scipy.stats import ks_2samp

from shop.tell import warn


def compare(reference, current):
    return ks_2samp(reference["a"], current["a"]).pvalue


def look():
    p_value = compare(pd.read_csv("data/raw.csv"), pd.read_csv("data/live.csv"))
    if p_value < 0.05:
        warn(f"drift in a: p = {p_value:.3f}")
"""
_TELL = """\
import os

import requests


def _post(text):
    requests.post(os.environ["SLACK_WEBHOOK_URL"], json={"text": text}, timeout=9)


def warn(text):
    _post(f"warning: {text}")
"""
_CI = "jobs:\n  go:\n    runs-on: ubuntu-latest\n    steps:\n"

HONEST: Mapping[str, Honest] = {
    "CI, reusable workflow, make, tox, pytest": Honest(
        {
            **_TESTED,
            ".github/workflows/ci.yml": "on: push\njobs:\n  t:\n"
            "    uses: ./.github/workflows/checks.yml\n",
            ".github/workflows/checks.yml": "on: workflow_call\n"
            + _CI
            + "      - run: make check\n",
            "Makefile": ".PHONY: check unit\ncheck: unit\nunit:\n\ttox -e py312\n",
            "tox.ini": "[tox]\nenvlist = py312\n[testenv]\ncommands = pytest tests\n",
        },
        ("AUT05", "AUT06", "TST01"),
    ),
    "CI, composite action, script, python, subprocess": Honest(
        {
            **_TESTED,
            ".github/workflows/ci.yml": "on: pull_request\n"
            + _CI
            + "      - uses: ./.github/actions/check\n",
            ".github/actions/check/action.yml": "runs:\n  using: composite\n  steps:\n"
            "    - run: ./scripts/check.sh\n      shell: bash\n",
            "scripts/check.sh": "#!/bin/sh -e\npython scripts/check.py\n",
            "scripts/check.py": "import subprocess\n\n\ndef main():\n"
            '    subprocess.run(["pytest", "tests"], check=True)\n\n\n'
            'if __name__ == "__main__":\n    main()\n',
        },
        ("AUT05", "AUT06"),
    ),
    "CI, script, module, function, tracker's wrapper": Honest(
        {
            ".github/workflows/train.yml": "on: {schedule: [{cron: '0 3 * * 1'}]}\n"
            + _CI
            + "      - run: bash scripts/train.sh\n",
            "scripts/train.sh": "set -e\npython -m shop.run\n",
            "shop/__init__.py": "",
            "shop/run.py": "from shop.fit import start\n\nstart()\n",
            "shop/fit.py": _TRACKED,
            "shop/tracking.py": _TRACKER,
        },
        ("TRK01", "TRK02", "TRK03"),
    ),
    "GitLab: include, extends, just, nox, pytest": Honest(
        {
            **_TESTED,
            ".gitlab-ci.yml": "include:\n  - local: ci/base.yml\ntest:\n  extends: .checked\n",
            "ci/base.yml": ".checked:\n  image: python:3.12\n  script:\n    - just check\n",
            "justfile": "check:\n    nox -s tests\n",
            "noxfile.py": "import nox\n\n\n@nox.session\ndef tests(session):\n"
            '    session.run("pytest", "tests")\n',
        },
        ("AUT05", "AUT06"),
    ),
    "Azure: template, template, script, pytest": Honest(
        {
            **_TESTED,
            "azure-pipelines.yml": "trigger: [main]\nstages:\n- template: ci/stages.yml\n",
            "ci/stages.yml": "stages:\n- stage: check\n  jobs:\n  - job: check\n    steps:\n"
            "    - template: steps.yml\n",
            "ci/steps.yml": "steps:\n- script: bash scripts/check.sh\n",
            "scripts/check.sh": "set -e\npytest tests\nruff check .\n",
        },
        ("AUT05", "AUT06", "AUT07"),
    ),
    "DVC stage, shell script, module, function that validates": Honest(
        {
            "dvc.yaml": "stages:\n  check:\n    cmd: bash scripts/check.sh\n"
            "    deps: [data/raw.csv]\n    outs: [data/ok.csv]\n"
            "  train:\n    cmd: python src/train.py\n    deps: [data/ok.csv]\n"
            "    outs: [model.joblib]\n",
            "scripts/check.sh": "set -e\npython -m shop.check\n",
            "shop/__init__.py": "",
            "shop/check.py": "from shop.rules import hold\n\nhold()\n",
            "shop/rules.py": "import pandas as pd\n\n\ndef _ranges(table):\n"
            '    if table["a"].isna().any() or not table["a"].between(0, 9).all():\n'
            '        raise ValueError("column a")\n\n\ndef hold():\n'
            '    table = pd.read_csv("data/raw.csv")\n    _ranges(table)\n'
            '    table.to_csv("data/ok.csv")\n',
        },
        ("AUT01", "TST04"),
    ),
    "cron, module, drift, wrapper, alert": Honest(
        {
            ".github/workflows/watch.yml": "on: {schedule: [{cron: '0 5 * * *'}]}\n"
            + _CI
            + "      - run: make watch\n",
            "Makefile": "watch:\n\tpython -m shop.watch\n",
            "shop/__init__.py": "",
            "shop/watch.py": "from shop.drift import look\n\nlook()\n",
            "shop/drift.py": _DRIFT,
            "shop/tell.py": _TELL,
        },
        ("MON04", "MON06"),
    ),
    "CI, npm script, make, poe, pre-commit, ruff": Honest(
        {
            ".github/workflows/ci.yml": "on: [push]\n" + _CI + "      - run: npm run check\n",
            "package.json": '{"name": "shop", "scripts": {"check": "make lint"}}\n',
            "Makefile": "lint:\n\tpoe lint\n",
            "pyproject.toml": '[tool.poe.tasks]\nlint = "pre-commit run --all-files"\n',
            ".pre-commit-config.yaml": "repos:\n"
            "- repo: https://github.com/astral-sh/ruff-pre-commit\n  rev: v0.9.0\n"
            "  hooks: [{id: ruff}, {id: ruff-format}]\n",
        },
        ("AUT07", "AUT16", "TST16"),
    ),
}
