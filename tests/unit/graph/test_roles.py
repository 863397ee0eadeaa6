"""What a repository is for: the decision, its evidence, and its agreement with AUT17."""

from __future__ import annotations

import json

import pytest

from mlops_audit.config import Config, RolesConfig
from mlops_audit.graph import Project
from mlops_audit.graph.roles import Roles
from mlops_audit.practices.automation.prediction_entry_point import prediction_entry_point
from mlops_audit.tree import MemoryTree

TRAIN = """
from sklearn.linear_model import Ridge
import joblib

def main(x, y):
    model = Ridge()
    model.fit(x, y)
    joblib.dump(model, "model.joblib")

if __name__ == "__main__":
    main(1, 2)
"""
SERVE = """
import joblib
from fastapi import FastAPI

app = FastAPI()
model = joblib.load("model.joblib")

@app.post("/predict")
def answer(row: dict):
    return model.predict([row])
"""
BATCH = """
import sys
import joblib
import pandas as pd

def main():
    model = joblib.load("model.joblib")
    frame = pd.read_csv(sys.argv[1])
    frame["prediction"] = model.predict(frame)
    frame.to_csv(sys.argv[2])

if __name__ == "__main__":
    main()
"""


def project(files: dict[str, str], config: Config | None = None) -> Project:
    """A project in memory."""
    tree = MemoryTree({p: t.encode() for p, t in files.items()})
    return Project.load(tree, config or Config())


def roles(files: dict[str, str]) -> Roles:
    """The roles of a project in memory."""
    return project(files).roles


def notebook(source: str) -> str:
    """A notebook of one code cell."""
    cell: dict[str, object] = {
        "cell_type": "code",
        "source": source,
        "metadata": {},
        "outputs": [],
        "execution_count": None,
    }
    document = {
        "cells": [cell],
        "metadata": {"kernelspec": {"language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document)


def test_a_training_script_trains_and_serves_nothing() -> None:
    """A program that fits a model trains; without anything that predicts it serves nothing."""
    found = roles({"train.py": TRAIN})
    assert (found.kind, found.trains, found.serves) == ("trains", True, "none")
    assert found.training == {"train.py"}
    assert found.evidence[0].span.path == "train.py"


def test_a_service_beside_training_is_both() -> None:
    """A repository that trains and serves is of the kind that trains, and serves a service."""
    found = roles({"train.py": TRAIN, "app.py": SERVE})
    assert (found.kind, found.serves) == ("trains", "service")
    assert found.serving == {"app.py"}


def test_a_service_alone_serves() -> None:
    """Without training code a service makes the repository one that serves."""
    found = roles({"app.py": SERVE})
    assert (found.kind, found.trains, found.serves) == ("serves", False, "service")


def test_a_batch_job_stores_predictions_for_a_data_set() -> None:
    """A program that reads a data set, predicts and stores is a batch job."""
    assert roles({"train.py": TRAIN, "score.py": BATCH}).serves == "batch"


def test_a_scaler_does_not_train() -> None:
    """Fitting a scaler or an encoder is no training."""
    text = "from sklearn.preprocessing import StandardScaler\nStandardScaler().fit(x)\n"
    assert roles({"prepare.py": text}).kind == "none"


def test_a_fit_on_a_named_transformer_of_unknown_type_does_not_train() -> None:
    """`tfidf.fit(words)` in a function trains no model, `clf.fit(x, y)` does."""
    head = "import sklearn\n\ndef run(tfidf, clf, x, y):\n    "
    assert roles({"a.py": f"{head}tfidf.fit(x)\n"}).kind == "none"
    assert roles({"a.py": f"{head}clf.fit(x, y)\n"}).kind == "trains"


@pytest.mark.parametrize(
    ("call", "trains"),
    [
        ("model = newlib.tf.TwoTower()\nmodel.fit(rows, epochs=3)", True),
        ("flow = newlib.Workflow()\nflow.fit(rows)", False),
        ("scaler = newlib.Scaler()\nscaler.fit(rows)", False),
    ],
)
def test_a_class_of_an_unknown_library_trains_by_its_arguments(call: str, *, trains: bool) -> None:
    """Names and arguments of a `fit` speak for a library that no row knows."""
    assert roles({"train.py": f"import newlib\n\nrows = []\n{call}\n"}).trains is trains


def test_a_training_loop_with_an_own_loss_trains() -> None:
    """`loss.backward()` in a file that imports torch is training, whatever built the loss."""
    text = "import torch\n\ndef step(losses):\n    total = sum(losses)\n    total.backward()\n"
    assert roles({"loop.py": text}).trains


def test_a_test_that_trains_is_no_training_code() -> None:
    """Training inside the tests does not make the repository train."""
    assert not roles({"tests/test_fit.py": TRAIN}).trains


def test_many_notebooks_and_little_code_teach() -> None:
    """Notebooks that are most of the code make it a repository of notebooks that teach."""
    cell = "from sklearn.linear_model import Ridge\nRidge().fit(x, y)"
    found = roles({f"{n:02}.ipynb": notebook(cell) for n in range(6)})
    assert (found.kind, found.trains, found.serves) == ("notebooks", True, "none")


def test_one_notebook_beside_scripts_is_no_course() -> None:
    """One experiment in a notebook is training, no teaching."""
    cell = "from sklearn.linear_model import Ridge\nRidge().fit(x, y)"
    assert roles({"explore.ipynb": notebook(cell)}).kind == "trains"


def test_an_installable_package_is_a_library() -> None:
    """A package that others install by its own name is a library: its training is no role."""
    files = {
        "pyproject.toml": '[project]\nname = "fancy-models"\n[build-system]\nrequires = []\n',
        "README.md": "# Fancy\n\n    pip install fancy-models\n",
        "fancy_models/__init__.py": "",
        "fancy_models/ridge.py": TRAIN,
    }
    found = roles(files)
    assert (found.kind, found.trains) == ("library", False)
    assert not found.has("application")
    assert found.evidence[0].span.path == "README.md"


def test_a_package_that_trains_its_own_model_is_no_library() -> None:
    """Installing requirements or another package by pip publishes nothing."""
    files = {
        "pyproject.toml": '[project]\nname = "churn"\n',
        "README.md": "pip install -r requirements.txt\npip install dvc\n",
        "churn/__init__.py": "",
        "churn/train.py": TRAIN,
    }
    assert roles(files).kind == "trains"


def test_without_models_there_is_no_role() -> None:
    """A repository without models has no role and needs none."""
    found = roles({"main.py": "print('hello')\n"})
    assert (found.kind, found.trains, found.serves) == ("none", False, "none")
    assert not found.has("training")
    assert not found.has("prediction")


def test_the_configuration_decides() -> None:
    """`roles.kind` in the configuration wins over what is found."""
    config = Config(roles=RolesConfig(kind="serves"))
    assert project({"train.py": TRAIN}, config).roles.kind == "serves"


@pytest.mark.parametrize(
    ("files", "in_use"),
    [
        ({"app.py": SERVE}, True),
        ({"score.py": BATCH}, True),
        ({"train.py": TRAIN}, False),
        (
            {"app.py": "import streamlit as st\nimport requests\nst.title('x')\n"
             "requests.post('http://localhost/predict')\n"},
            False,
        ),
    ],
)  # fmt: skip
def test_roles_and_aut17_agree(files: dict[str, str], in_use: bool) -> None:  # noqa: FBT001 -- a table's column
    """Something predicts for use exactly where AUT17 is more than a fail."""
    found = project(files)
    verdict = prediction_entry_point.judge(found)
    assert found.roles.predicts is in_use
    assert (verdict.outcome != "fail") is in_use


def test_predictions_for_test_data_alone_are_no_use() -> None:
    """Predictions that are stored for the test set only meet AUT17 in part and give no role."""
    text = BATCH.replace("model.predict(frame)", "model.predict(x_test)")
    found = project({"train.py": TRAIN, "score.py": text})
    assert prediction_entry_point.judge(found).outcome == "partial"
    assert not found.roles.predicts


def test_a_folder_named_like_the_distribution_is_a_package() -> None:
    """A published library whose folder has no `__init__.py` is one, its notebooks are examples."""
    code = (
        "import torch\nclass Net(torch.nn.Module):\n    def fit(self, data):\n"
        "        self(data).sum().backward()\n    def predict(self, data):\n        return data\n"
    )
    found = project(
        {
            "pyproject.toml": '[tool.poetry]\nname = "tab_nets"\n',
            "README.md": "# Nets\n\n    pip install tab-nets\n",
            "tab_nets/model.py": code,
        }
    )
    assert found.roles.kind == "library"


def test_a_program_in_the_root_makes_a_published_package_an_application() -> None:
    """What the root's own program trains is no mere product for others."""
    found = project(
        {
            "pyproject.toml": '[project]\nname = "nets"\n',
            "README.md": "# Nets\n\n    pip install nets\n",
            "nets/__init__.py": "",
            "nets/training.py": TRAIN.replace('if __name__ == "__main__":\n    main(1, 2)', ""),
            "run.py": (
                "from nets.training import main\n\nif __name__ == '__main__':\n    main(1, 2)\n"
            ),
        }
    )
    assert found.roles.kind == "trains"
