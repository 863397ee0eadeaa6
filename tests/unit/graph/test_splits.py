"""Which set a name means, and what evaluations and choices were made on."""

from __future__ import annotations

import pytest

from mlops_audit.config import Config
from mlops_audit.graph import Project
from mlops_audit.graph.datanames import set_of
from mlops_audit.graph.splits import Splits
from mlops_audit.tree import MemoryTree


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("X_test", "test"), ("y_te", "test"), ("holdout_df", "test"), ("test_loader", "test"),
        ("testloader", "test"), ('data["test"]', "test"), ("xtest", "test"), ("val_loader", "val"),
        ("X_valid", "val"), ("dev_set", "val"), ("eval_dataset", "val"), ("X_train", "train"),
        ("value", ""), ("device", ""), ("latest", ""), ("model", ""), ("test_size", ""),
    ],
)  # fmt: skip
def test_names_tell_their_set(name: str, expected: str) -> None:
    """Words of a set count in many spellings; words that merely contain them do not."""
    assert set_of(name) == expected


def splits(code: str) -> Splits:
    """The splits of one training script."""
    return Project.load(MemoryTree({"train.py": code}), Config()).splits


def test_parts_of_a_split_count_whatever_they_are_called() -> None:
    """The second and fourth target of `train_test_split` are held out."""
    found = splits(
        "from sklearn.model_selection import train_test_split\n"
        "from sklearn.metrics import r2_score\n"
        "a, b, c, d = train_test_split(X, y)\nprint(r2_score(d, predict(b)))\n"
    )
    assert {h.on for h in found.evaluations} == {"test"}


def test_a_checkpoint_is_chosen_on_the_set_that_its_condition_names() -> None:
    """`if val_loss < best` with a save below it is a choice on validation data."""
    found = splits(
        "import torch\nif val_loss < best_loss:\n    torch.save(model.state_dict(), 'm')\n"
    )
    assert [(c.on, c.what) for c in found.choices] == [("val", "checkpoint")]


def test_what_nothing_calls_measures_nothing() -> None:
    """A metric's logged name tells its set only where the logging function is called."""
    code = "import mlflow\n\n\ndef record(error):\n    mlflow.log_metric('holdout/mae', error)\n"
    assert not splits(code).evaluations
    assert {h.on for h in splits(f"{code}\n\nrecord(1.0)\n").evaluations} == {"test"}
