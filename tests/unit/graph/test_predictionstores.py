"""Stores of predictions: lasting or overwritten, with inputs, with time."""

from __future__ import annotations

import pytest

from mlops_audit.config import Config
from mlops_audit.graph import Project
from mlops_audit.graph.predictionstores import prediction_stores
from mlops_audit.tree import MemoryTree

APP = """import joblib
from fastapi import FastAPI
app = FastAPI()
model = joblib.load("model.pkl")

@app.post("/predict")
def predict(features: dict):
    prediction = model.predict([list(features.values())])[0]
    {store}
    return prediction
"""


@pytest.mark.parametrize(
    ("store", "kept"),
    [
        ('db.insert_one({"text": features, "prediction": prediction})', "lasting inputs"),
        (
            'db.insert_one({"text": features, "prediction": prediction, "time": now()})',
            "lasting inputs dated",
        ),
        ('pd.DataFrame([prediction]).to_csv("predictions.csv")', ""),
        ('pd.DataFrame([prediction]).to_csv("predictions.csv", mode="a")', "lasting"),
    ],
)
def test_a_store_is_told_by_what_it_keeps(store: str, kept: str) -> None:
    """Appending lasts, a constant path is overwritten; keys tell inputs and time."""
    tree = MemoryTree({"app.py": APP.replace("{store}", store).encode()})
    found = prediction_stores(Project.load(tree, Config()))
    told = [(s.lasting, s.inputs, s.dated) for s in found]
    assert told == [("lasting" in kept, "inputs" in kept, "dated" in kept)]


def test_predictions_of_a_test_set_are_no_store() -> None:
    """Training that writes its own predictions predicts for nobody."""
    code = "import pandas as pd\nfrom sklearn.svm import SVC\nm = SVC().fit(x, y)\n"
    code += 'pd.DataFrame(m.predict(x_test)).to_csv("predictions.csv")\n'
    assert prediction_stores(Project.load(MemoryTree({"t.py": code.encode()}), Config())) == ()
