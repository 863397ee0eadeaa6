"""Repositories made to look mature: what is added to an honest small one, and what may rise.

Each adds files to `BASE`, which trains and serves so that every practice is asked. `rise` names
the practices that may honestly be better than in `BASE`, with the reason beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["BASE", "HOLLOW", "Hollow", "notebook"]


@dataclass(frozen=True)
class Hollow:
    """Files over `BASE` (None removes one), and the practices that may rise, with why."""

    files: Mapping[str, str | None]
    rise: Mapping[str, str] = field(default_factory=dict)


def notebook(*cells: tuple[str, str, str]) -> str:
    """A notebook of (kind, source, output) cells."""
    made = []
    for kind, source, output in cells:
        cell: dict[str, object] = {"cell_type": kind, "metadata": {}, "source": source}
        if kind == "code":
            out = {"output_type": "stream", "name": "stdout", "text": output}
            cell |= {"execution_count": 1, "outputs": [out] if output else []}
        made.append(cell)
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


TRAIN = """\
import joblib
import pandas as pd
from sklearn.ensemble import RandomForestClassifier


def load():
    return pd.read_csv("data/raw.csv")


def train(table):
    model = RandomForestClassifier(n_estimators=30)
    model.fit(table[["a", "b"]], table["y"])
    return model


if __name__ == "__main__":
    joblib.dump(train(load()), "model.joblib")
"""
SERVE = """\
import joblib
from flask import Flask, request

app = Flask(__name__)
model = joblib.load("model.joblib")


@app.route("/predict", methods=["POST"])
def predict():
    row = request.get_json()
    return {"y": int(model.predict([[row["a"], row["b"]]])[0])}
"""
BASE: Mapping[str, str] = {
    "README.md": "# Shop\n",
    "src/train.py": TRAIN,
    "src/serve.py": SERVE,
    "data/raw.csv": "a,b,y\n1,2,0\n2,3,1\n",
    "requirements.txt": "pandas\nscikit-learn\nflask\njoblib\n",
}

_LEVEL_5 = """\
.dvc/config .dvcignore .gitattributes .github/CODEOWNERS .github/dependabot.yml
.github/pull_request_template.md .github/workflows/ci.yml .github/workflows/monitor.yml
.github/workflows/release.yml .github/workflows/train.yml .gitignore .pre-commit-config.yaml
.python-version AGENTS.md CHANGELOG.md CONTRIBUTING.md Dockerfile LICENSE Makefile README.md
compose.yaml deploy/deploy.sh docs/index.md docs/model_card.md docs/monitoring.md
docs/runbook.md docs/risk_register.md docs/ml_canvas.md docs/stack_canvas.md
docs/project_charter.md docs/data_dictionary.md mkdocs.yml dvc.yaml dvc.lock params.yaml
pyproject.toml uv.lock monitoring/alertmanager.yml monitoring/grafana/dashboard.json
monitoring/prometheus.yml monitoring/rules.yml notebooks/1.0-xy-explore.ipynb
notebooks/2.0-xy-train.ipynb references/data_dictionary.md src/shop/__init__.py
src/shop/data/validate.py src/shop/features/build_features.py src/shop/models/train_model.py
src/shop/models/evaluate_model.py src/shop/models/predict_model.py src/shop/monitoring/drift.py
src/shop/monitoring/alert.py src/shop/registry/gate.py src/shop/serving/app.py
tests/unit/test_build_features.py tests/integration/test_service.py tests/model/test_training.py
tests/behaviour/test_behaviour.py tests/system/test_load.py locustfile.py .gitlab-ci.yml
azure-pipelines.yml Jenkinsfile Snakefile feature_store.yaml
great_expectations/great_expectations.yml tox.ini noxfile.py renovate.json environment.yml
conda-lock.yml poetry.lock Pipfile.lock data/raw/.gitkeep models/.gitkeep
""".split()  # noqa: SIM905 -- a list of 70 names is easier to read as text

WORDS = """\
Pipelines as code with DVC, Airflow, Kedro and Prefect. Continuous training on drift signals,
promotion gates, canary rollout, shadow deployment, automatic rollback, hyperparameter search
with Optuna. Data versioned with DVC and a remote on S3, Git LFS, a feature store with Feast,
model registry with MLflow. Experiments tracked with Weights and Biases, parameters, metrics and
artifacts logged, lineage kept. Unit tests, integration tests, system tests, load tests with
Locust, invariance tests, robustness tests, fairness per slice, baseline comparison, coverage,
SHAP explanations, Great Expectations validation, held-out evaluation with train_test_split.
Prometheus metrics, Grafana dashboard, Evidently drift detection, prediction log, performance
over time windows, alerts to Slack, PagerDuty, health endpoint /health, staleness, resource
monitoring with psutil, NaN checks, triage before retraining. Locked dependencies with uv, pinned
Python, Docker image, seeds with random_state=42, reproducible runs, backups. Model card, data
dictionary, runbook, risk register, stack canvas, business objective, KPI, code review.
"""

_IMPORTS = """\
import aim, alibi_detect, bandit, bentoml, captum, clearml, comet_ml, deepchecks, dvc.api, dvclive
import evidently, fairlearn, feast, great_expectations, hydra, lime, locust, logging, mlflow
import nannyml, neptune, optuna, pandera, prefect, prometheus_client, psutil, pydantic, pytest
import random, shap, slack_sdk, structlog, wandb, whylogs, zenml
from airflow import DAG
from evidently.report import Report
from fairlearn.metrics import MetricFrame
from fastapi import FastAPI
from prometheus_client import Counter, Histogram
from scipy.stats import ks_2samp
from sklearn.dummy import DummyClassifier
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV, train_test_split
"""

_UNCALLED = """\
import os
import logging
import random

import evidently
import great_expectations as gx
import joblib
import mlflow
import numpy as np
import optuna
import pandas as pd
import pandera as pa
import psutil
import requests
import shap
from fairlearn.metrics import MetricFrame
from scipy.stats import ks_2samp
from sklearn.dummy import DummyClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

logger = logging.getLogger(__name__)


def seed_everything(seed=42):
    random.seed(seed)
    np.random.seed(seed)


def track(model, table):
    mlflow.set_tracking_uri("https://mlflow.example.org")
    with mlflow.start_run():
        mlflow.log_param("trees", 30)
        mlflow.log_metric("accuracy", model.score(table[["a", "b"]], table["y"]))
        mlflow.log_artifact("model.joblib")
        mlflow.sklearn.log_model(model, "model", registered_model_name="shop")


def validate(table):
    schema = pa.DataFrameSchema({"a": pa.Column(int, pa.Check.in_range(0, 9))})
    return schema.validate(table)


def search(table):
    def objective(trial):
        return trial.suggest_int("trees", 10, 100)

    optuna.create_study().optimize(objective, n_trials=20)


def check_drift(reference, current):
    result = ks_2samp(reference["a"], current["a"])
    if result.pvalue < 0.05:
        alert(f"drift in a: {result.pvalue}")
        os.system("python src/train.py")


def alert(message):
    requests.post(os.environ["SLACK_WEBHOOK"], json={"text": message})


def watch_resources():
    return psutil.cpu_percent(), psutil.virtual_memory().percent


def explain(model, table):
    values = shap.TreeExplainer(model).shap_values(table)
    np.save("reports/shap.npy", values)


def by_group(y, predicted, groups):
    return MetricFrame(
        metrics=accuracy_score, y_true=y, y_pred=predicted, sensitive_features=groups
    ).by_group


def against_baseline(model, x, y):
    dummy = DummyClassifier().fit(x, y)
    return model.score(x, y) > dummy.score(x, y)


def store_prediction(row, y):
    with open("predictions.csv", "a") as file:
        file.write(f"{pd.Timestamp.now()},{row['a']},{row['b']},{y},v1\\n")


def check_finite(table):
    if not np.isfinite(table.to_numpy()).all():
        raise ValueError("not finite")


def promote(candidate, current):
    if candidate > current + 0.01:
        mlflow.register_model("runs:/x/model", "shop")


def weekly_quality(log):
    return log.groupby(pd.Grouper(key="time", freq="W")).apply(
        lambda week: accuracy_score(week["y"], week["predicted"])
    )


def check_age(trained_at):
    age = (pd.Timestamp.now() - trained_at).days
    if age > 30:
        raise RuntimeError(f"the model is {age} days old")
"""

_TESTS_OF_NOTHING = {
    "tests/unit/test_truth.py": "def test_a():\n    assert True\n\n\ndef test_b():\n"
    "    assert 1 == 1\n\n\ndef test_c():\n    x = 1\n    assert x == x\n",
    "tests/integration/test_mocks.py": """\
from unittest.mock import MagicMock, Mock, patch


def test_pipeline():
    pipeline = Mock()
    pipeline.run.return_value = 0.9
    assert pipeline.run() > 0.8
    pipeline.run.assert_called_once()


def test_service():
    client = MagicMock()
    client.post.return_value.status_code = 200
    assert client.post("/predict", json={"a": float("nan")}).status_code == 200


def test_store():
    with patch("builtins.open") as opened:
        assert opened is not None
""",
    "tests/model/test_own.py": """\
import numpy as np


def train_model(seed):
    return [seed * 0.5]


def predict(x):
    return x


def test_same_seed_same_model():
    assert train_model(1) == train_model(1)


def test_invariance_to_name():
    assert predict("Ann") == "Ann"


def test_accuracy_above_threshold():
    accuracy = 0.95
    assert accuracy > 0.9


def test_loss_falls():
    losses = [3, 2, 1]
    assert losses[-1] < losses[0]


def test_training_serving_skew():
    assert np.allclose(np.ones(3), np.ones(3))
""",
    "tests/system/test_skipped.py": """\
import pytest

from src.train import load, train

pytestmark = pytest.mark.skip(reason="later")


def test_load():
    assert len(load()) > 0


def test_train():
    assert train(load()) is not None


def test_quality():
    table = load()
    assert train(table).score(table[["a", "b"]], table["y"]) > 0.8
""",
    "tests/system/test_skipped_each.py": """\
import unittest

import pytest

from src.train import load, train


@pytest.mark.skip
def test_robustness_to_missing_values():
    assert train(load().assign(a=None)) is None


@unittest.skip("later")
class TestTraining(unittest.TestCase):
    def test_train(self):
        self.assertIsNotNone(train(load()))

    def test_load(self):
        self.assertEqual(len(load()), 2)


@pytest.mark.skipif(True, reason="never")
def test_loaded():
    assert len(load()) == 2
""",
}

_CI = """\
name: {name}
on:
{on}
jobs:
  all:
    runs-on: ubuntu-latest
{guard}    steps:
      - uses: actions/checkout@v4
      - run: pip install -r requirements.txt
      - run: pytest tests
      - run: ruff check . && ruff format --check .
      - run: python src/train.py
      - run: docker build -t ghcr.io/o/shop . && docker push ghcr.io/o/shop
      - run: kubectl apply -f deploy.yaml
      - run: pip-audit
"""


def _ci(name: str, on: str, guard: str = "") -> str:
    return _CI.format(name=name, on=on, guard=f"    if: {guard}\n" if guard else "")


_REAL_TESTS = """\
from src.train import load, train


def test_load():
    assert len(load()) == 2


def test_columns():
    assert set(load()) == {"a", "b", "y"}


def test_train():
    assert train(load()).n_estimators == 30
"""
_BY_PATH = {"STR02": "~ modules in a folder are imported by path"}
_TESTED = {"TST01": "the tests are real", "STR01": "tests have a place"} | _BY_PATH
_IMAGE = "FROM python:3.12-slim\nCOPY . .\nRUN pip install -r requirements.txt\n"

HOLLOW: Mapping[str, Hollow] = {
    "every file of a level 5 layout, all empty": Hollow(
        dict.fromkeys(BASE, None) | dict.fromkeys(_LEVEL_5, "")
    ),
    "every file of a level 5 layout, blank lines only": Hollow(
        dict.fromkeys(BASE, None) | dict.fromkeys(_LEVEL_5, "\n\n  \n")
    ),
    "the words of every practice in prose, comments, docstrings and outputs": Hollow(
        {
            "README.md": f"# Shop\n\n{WORDS}",
            "docs/mlops.md": f"# MLOps\n\n{WORDS}",
            "src/notes.py": f'"""{WORDS}"""\n' + "".join(f"# {w}\n" for w in WORDS.split("\n")),
            "notebooks/look.ipynb": notebook(
                ("markdown", WORDS, ""), ("code", "# " + WORDS.replace("\n", "\n# "), WORDS)
            ),
        },
        {"COL05": "a page, though short", "STR01": "more places"},
    ),
    "all tools in the dependency lists and imported, never called": Hollow(
        {
            "requirements.txt": BASE["requirements.txt"]
            + "mlflow\nwandb\ndvc\nevidently\ngreat-expectations\nprometheus-client\noptuna\n"
            "shap\npytest\npytest-cov\nlocust\nruff\nmypy\nbandit\npre-commit\nfeast\nmkdocs\n",
            "src/train.py": _IMPORTS + TRAIN,
            "src/serve.py": _IMPORTS + SERVE,
        },
        {
            "TST17": "~ a scanner in the dependencies",
            "TST12": "a coverage package is partly by its row",
            "TST16": "a linter in the dependencies is partly by its row",
        },
    ),
    "functions that call every tool, which nothing calls": Hollow(
        {"src/tools.py": _UNCALLED, "src/train.py": "import tools\n" + TRAIN},
        _BY_PATH,
    ),
    "tests of nothing, skipped tests, and CI that runs them": Hollow(
        dict(_TESTS_OF_NOTHING)
        | {".github/workflows/ci.yml": "on: push\njobs:\n  t:\n    steps:\n      - run: pytest\n"},
        {
            "AUT05": "a workflow that runs a command on a push is one",
            "AUT06": "a suite that exercises nothing is partly by its row",
            "STR01": "tests have a place",
        }
        | _BY_PATH,
    ),
    "workflows whose triggers never fire": Hollow(
        {
            "tests/test_train.py": _REAL_TESTS,
            ".github/workflows/a.yml": _ci("a", "  push:\n    branches: [no-such-branch]\n"),
            ".github/workflows/b.yml": _ci("b", "  push:\n", "false"),
            ".github/workflows/c.yml": _ci("c", "  push:\n", "${{ false }}"),
            ".github/workflows/d.yml": _ci("d", "  push:\n", "github.ref == 'refs/heads/gone'"),
            ".github/workflows/e.yml": _ci("e", "  # push:\n  workflow_call:\n"),
            ".github/workflows/f.yml": _ci("f", "  push:\n    branches-ignore: ['**']\n"),
            ".github/workflows/g.yml.disabled": _ci("g", "  push:\n"),
            ".github/old/h.yml": _ci("h", "  push:\n"),
            ".gitlab-ci.yml": ".hidden:\n  script: [pytest]\nu:\n  rules: [{when: never}]\n"
            "  script: [pytest, ruff check .]\n",
        },
        _TESTED
        | {"TST16": "the commands of a linter are written", "TST17": "~ set up, not run"}
        | dict.fromkeys(["AUT09", "AUT10"], "~ a reusable workflow may be called from elsewhere"),
    ),
    "jobs that only echo, and failures that are all forgiven": Hollow(
        {
            "tests/test_train.py": _REAL_TESTS,
            ".github/workflows/echo.yml": """\
on: {push: , schedule: [{cron: "0 3 * * 1"}]}
jobs:
  test:
    steps:
      - run: echo "pytest tests"
      - run: echo ruff check .
  train:
    steps:
      - run: |
          echo "python src/train.py"
          printf 'dvc repro\\n'
          : kubectl apply -f deploy.yaml
          true && echo docker push x
  deploy:
    steps:
      - run: "# kubectl apply -f deploy.yaml"
      - run: cat <<EOF
          pytest
          EOF
""",
            "Makefile": ".PHONY: test lint train\ntest:\n\t@echo pytest\nlint:\n\t@echo ruff\n"
            "train:\n\t@true python src/train.py\n",
        },
        _TESTED,
    ),
    "checks that cannot fail": Hollow(
        {
            "tests/test_train.py": _REAL_TESTS,
            ".github/workflows/soft.yml": """\
on: push
jobs:
  test:
    continue-on-error: true
    steps: [{run: pytest}]
  lint:
    steps:
      - run: ruff check . || true
      - run: ruff format --check . || exit 0
  scan:
    steps:
      - run: pip-audit || echo never mind
      - run: pytest
        continue-on-error: true
""",
        },
        _TESTED
        | {
            "AUT05": "the workflow runs",
            "AUT06": "~ a failure that cannot fail the job is partly by its row",
            "AUT07": "~ the same",
            "AUT08": "~ the same: the suite trains",
            "TST17": "~ the scan runs",
            "TST16": "CI runs ruff",
        },
    ),
    "task targets without recipes, or that call what does not exist": Hollow(
        {
            "Makefile": "install:\ntest:\nlint:\ntrain: data features\ndata:\nfeatures:\nserve:\n"
            "deploy:\n\tbash deploy/deploy.sh\nbench:\n\tpython load/bench.py\n"
            "fit:\n\tpython -m gone.train\nval:\n\tpython src/missing.py\n",
            "tox.ini": "[tox]\nenvlist = py312\n[testenv]\n",
            "justfile": "test:\n\nlint:\n\ntrain:\n    ./no_such.sh\n",
            "noxfile.py": "import nox\n\n\n@nox.session\ndef tests(session):\n    pass\n",
            "dvc.yaml": "stages: {}\n",
        },
    ),
    "locks of something else": Hollow(
        {
            "uv.lock": 'version = 1\nrequires-python = ">=3.12"\n\n[[package]]\nname = "django"\n'
            'version = "5.0"\nsource = { registry = "https://pypi.org/simple" }\n\n'
            '[[package]]\nname = "other-project"\nversion = "0.1"\nsource = { virtual = "." }\n',
            "poetry.lock": '[[package]]\nname = "rich"\nversion = "13.0"\n\n[metadata]\n'
            'lock-version = "2.0"\npython-versions = ">=3.12"\n',
            "dvc.lock": "schema: '2.0'\nstages:\n  bake:\n    cmd: python bake.py\n    outs:\n"
            "    - path: cake.csv\n      md5: 0123456789abcdef0123456789abcdef\n      size: 9\n",
            "dvc.yaml": "stages:\n  train:\n    cmd: python src/train.py\n"
            "    deps: [data/raw.csv]\n    outs: [model.joblib]\n",
        },
        {"AUT01": "the stage is real", "AUT04": "the same", "VER07": "outputs are declared"},
    ),
    "gates made constant or inverted": Hollow(
        {
            "src/gate.py": """\
import mlflow
from sklearn.metrics import accuracy_score

THRESHOLD = None


def gate_none(y, predicted):
    accuracy = accuracy_score(y, predicted)
    if THRESHOLD is None or accuracy > THRESHOLD:
        mlflow.register_model("runs:/x/model", "shop")


def gate_true(y, predicted):
    accuracy = accuracy_score(y, predicted)
    if True or accuracy > 0.9:
        mlflow.register_model("runs:/x/model", "shop")


def gate_before(y, predicted):
    accuracy = accuracy_score(y, predicted)
    deploy = accuracy > 0.9
    deploy = True
    if deploy:
        mlflow.register_model("runs:/x/model", "shop")


def gate_itself(y, predicted):
    accuracy = accuracy_score(y, predicted)
    if accuracy >= accuracy:
        mlflow.register_model("runs:/x/model", "shop")


def gate_inverted(y, predicted):
    accuracy = accuracy_score(y, predicted)
    if accuracy < 0.9:
        mlflow.register_model("runs:/x/model", "shop")


def gate_zero(y, predicted):
    accuracy = accuracy_score(y, predicted)
    if accuracy >= 0:
        mlflow.register_model("runs:/x/model", "shop")


def gate_logged(y, predicted):
    accuracy = accuracy_score(y, predicted)
    if accuracy > 0.9:
        print("good")
    mlflow.register_model("runs:/x/model", "shop")


if __name__ == "__main__":
    for gate in (gate_none, gate_true, gate_before, gate_itself, gate_zero, gate_logged):
        gate([1], [1])
""",
        },
        {"VER05": "models go to a registry", "TRK04": "the same"},
    ),
    "documents that are template text": Hollow(
        {
            "docs/model_card.md": "# Model card\n\n## Intended use\n\nTODO\n\n## Data\n\n"
            "[More Information Needed]\n\n## Metrics\n\nTBD\n\n## Limitations\n\n"
            "<!-- describe the limits -->\n",
            "MODEL_CARD.md": "# Model card for {{ model_name }}\n\n## Intended use\n\n"
            "Describe who uses the model and for what.\n\n## Training data\n\n<your data>\n\n"
            "## Metrics\n\n{{ metrics }}\n\n## Limitations\n\nLorem ipsum dolor sit amet.\n",
            "docs/ml_canvas.md": "# ML canvas\n\n## Value proposition\n\n...\n\n"
            "## Data sources\n\n...\n\n## Monitoring\n\n...\n",
            "docs/stack_canvas.md": "# MLOps stack canvas\n\n| block | tool |\n| --- | --- |\n"
            "| Data versioning | TODO |\n| CI/CD | TBD |\n| Monitoring | |\n",
            "docs/runbook.md": "# Runbook\n\n## Owner\n\n## When the service fails\n\n"
            "## On-call\n\nTODO\n",
            "docs/risk_register.md": "# Risk register\n\n| Risk | Phase | Measure |\n"
            "| --- | --- | --- |\n| TODO | | |\n| <risk> | <phase> | <measure> |\n",
            "docs/data_dictionary.md": "# Data dictionary\n\n| Column | Type | Description |\n"
            "| --- | --- | --- |\n| a | TODO | TODO |\n| b | | |\n",
            "docs/project_charter.md": "# Charter\n\n## Business objective\n\n"
            "Lorem ipsum dolor sit amet, consectetur adipiscing elit.\n\n"
            "## Success criteria\n\n[KPI here]\n",
            "docs/adr/0001-template.md": "# NUMBER. TITLE\n\n## Context\n\n## Decision\n\n"
            "## Consequences\n",
            "CONTRIBUTING.md": "# Contributing\n\n## Setup\n\n## Tests\n\nTODO\n",
            "CHANGELOG.md": "# Changelog\n\n## Unreleased\n\n",
            "README.md": "# Shop\n\n## Installation\n\n## Usage\n\nTODO\n\n## License\n\nTBD\n",
            "mkdocs.yml": "site_name: Shop\n",
            "docs/index.md": "# Shop\n",
        },
        {"STR01": "documents have a place"},
    ),
    "set-up files with nothing in them": Hollow(
        {
            "Dockerfile": "FROM python:3.12-slim\n",
            ".pre-commit-config.yaml": "repos:\n#  - repo: https://github.com/astral-sh/ruff\n"
            "#    hooks: [{id: ruff}]\n",
            "lefthook.yml": "# pre-commit:\n#   commands: {lint: {run: ruff check .}}\n",
            ".github/CODEOWNERS": "# * @owner\n\n",
            ".github/pull_request_template.md": "<!-- What does this change? -->\n",
            ".github/dependabot.yml": "version: 2\nupdates: []\n",
            "renovate.json": '{"enabled": false}\n',
            "LICENSE": "",
            ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n",
            ".dvc/config": "[core]\n    remote = s3\n['remote \"s3\"']\n    url = s3://b/x\n",
            "great_expectations/great_expectations.yml": "config_version: 3.0\n",
            "feature_store.yaml": "project: shop\nregistry: data/registry.db\nprovider: local\n",
            "MLproject": "name: shop\n",
            "prometheus.yml": "global:\n  scrape_interval: 15s\n",
            "monitoring/rules.yml": "groups: []\n",
            "monitoring/dashboard.json": '{"title": "Shop", "panels": []}\n',
            ".coveragerc": "",
            "compose.yaml": "services: {}\n",
            "sweep.yaml": "program: src/train.py\nmethod: grid\nparameters: {}\n",
        },
        {
            "REP02": "the image's tag names a Python",
            "REP10": "the raw data is in git itself",
            "STR01": "configuration has a place",
        },
    ),
    "alerts that are always sent, and messages about anything else": Hollow(
        {
            "src/watch.py": """\
import os

import requests
from scipy.stats import ks_2samp


def tell(text):
    requests.post(os.environ["SLACK_WEBHOOK"], json={"text": text})


def finished():
    tell("the job has finished")


def always(reference, current):
    tell("checked")


if __name__ == "__main__":
    finished()
    always(1, 2)
""",
            "monitoring/rules.yml": "groups:\n- name: a\n  rules:\n"
            "#  - alert: Drift\n#    expr: drift > 0.3\n",
            ".github/workflows/watch.yml": "on: {schedule: [{cron: '0 5 * * *'}]}\njobs:\n"
            "  w:\n    steps: [{run: python src/watch.py}]\n",
        },
        {
            "AUT05": "~ a workflow on a schedule is partly by its row",
        },
    ),
    "schedules that are switched off": Hollow(
        {
            "template.yaml": """\
Resources:
  Rule:
    Type: AWS::Events::Rule
    Properties:
      ScheduleExpression: rate(1 day)
      State: DISABLED
      Targets: [{Id: t, Arn: !GetAtt Pipeline.Arn}]
  Pipeline:
    Type: AWS::SageMaker::Pipeline
    Properties: {PipelineName: train, RoleArn: x, PipelineDefinition: {}}
""",
            "k8s/train.yaml": """\
apiVersion: batch/v1
kind: CronJob
metadata: {name: train}
spec:
  schedule: "0 3 * * *"
  suspend: true
  jobTemplate:
    spec:
      template:
        spec:
          containers:
          - {name: t, image: shop, command: [python, src/train.py]}
""",
            "databricks.yml": """\
bundle: {name: shop}
resources:
  jobs:
    train:
      schedule: {quartz_cron_expression: "0 0 3 * * ?", pause_status: PAUSED}
      tasks:
      - {task_key: train, spark_python_task: {python_file: src/train.py}}
""",
            "dags/train.py": """\
from airflow import DAG
from airflow.operators.bash import BashOperator

with DAG("train", schedule=None) as dag:
    BashOperator(task_id="train", bash_command="python src/train.py")
""",
            ".github/workflows/train.yml": "on: {workflow_dispatch: }\njobs:\n  t:\n    steps:\n"
            "      - run: python src/train.py\n",
            ".github/workflows/cron.yml": "on: {schedule: [{cron: '0 3 * * *'}]}\njobs:\n  t:\n"
            "    if: false\n    steps:\n      - run: python src/train.py\n",
        },
        {
            "AUT01": "the DAG of one step and the SageMaker pipeline are pipelines, though small",
            "AUT05": "~ a workflow by hand is partly by its row",
            "AUT11": "~ a job that a person starts is partly by its row",
            "AUT10": "~ a manifest for a person is partly by its row",
            "STR01": "configuration has a place",
        },
    ),
    "everything is commented out": Hollow(
        {
            ".github/workflows/ci.yml": "# on: push\n# jobs: {t: {steps: [{run: pytest}]}}\n",
            "src/more.py": "".join(f"# {line}\n" for line in _UNCALLED.split("\n")),
            "tests/test_more.py": "".join(f"# {line}\n" for line in _REAL_TESTS.split("\n")),
            "Dockerfile": "".join(f"# {line}\n" for line in _IMAGE.split("\n")),
            "dvc.yaml": "# stages: {train: {cmd: python src/train.py}}\n",
            "docs/model_card.md": f"<!--\n# Model card\n\n{WORDS}\n-->\n",
            "Makefile": "# test:\n#\tpytest\n",
        },
    ),
    "every tool behind a condition that is never true": Hollow(
        {
            "src/train.py": "import mlflow, shap, optuna\n"
            + TRAIN.replace(
                "    return model\n",
                "    if False:\n"
                "        mlflow.log_param('trees', 30)\n"
                "        mlflow.log_metric('accuracy', 1.0)\n"
                "        mlflow.sklearn.log_model(model, 'm', registered_model_name='m')\n"
                "        shap.TreeExplainer(model).shap_values(table)\n"
                "        optuna.create_study().optimize(lambda t: t.suggest_int('a', 1, 9))\n"
                "    return model\n"
                "    mlflow.log_metric('after', 1)\n",
            ),
        },
    ),
}
