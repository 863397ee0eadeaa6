"""Which files compute features, train and predict, and whether they are apart."""

from __future__ import annotations

from mlops_audit.config import Config
from mlops_audit.graph import Project
from mlops_audit.graph.stages import Stages, find_stages
from mlops_audit.tree import MemoryTree

TRAIN = "from sklearn.linear_model import Ridge\n\nmodel = Ridge()\nmodel.fit([[1]], [1])\n"
SERVE = """
import joblib
from fastapi import FastAPI

app = FastAPI()
model = joblib.load("model.joblib")

@app.post("/predict")
def answer(row: dict):
    return model.predict([row])
"""
FEATURES = """
import pandas as pd

def build_features(df):
    df["ratio"] = df["a"] / df["b"].abs()
    df["total"] = df["a"] + df["b"].abs()
    return df
"""


def stages(files: dict[str, str]) -> Stages:
    """The stages of a project in memory."""
    return find_stages(Project.load(MemoryTree(files), Config()))


def test_three_modules_are_apart() -> None:
    """Each stage has a file of its own."""
    found = stages({"features.py": FEATURES, "train.py": TRAIN, "serve.py": SERVE})
    parts = (found.features, found.training, found.inference)
    assert [sorted(part.files) for part in parts] == [["features.py"], ["train.py"], ["serve.py"]]
    assert found.features_apart
    assert found.training_apart
    assert found.inference_apart


def test_one_script_is_not_apart() -> None:
    """A script that computes features and trains has neither apart."""
    found = stages({"main.py": FEATURES + TRAIN})
    assert not found.features_apart
    assert not found.inference


def test_tests_do_no_work() -> None:
    """Training in a test is no stage."""
    assert not stages({"tests/test_train.py": TRAIN}).training


def test_examples_count_where_there_is_nothing_else() -> None:
    """Examples are left out beside the project's own code."""
    assert stages({"examples/train.py": TRAIN}).training
    assert stages({"examples/train.py": TRAIN, "fit.py": TRAIN}).training.files == {"fit.py"}
