"""The settings of params.yaml, with types."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

PARAMS = Path("params.yaml")


@dataclass(frozen=True)
class Prepare:
    """How many bad rows are too many."""

    max_set_aside: float


@dataclass(frozen=True)
class Split:
    """Which days train the model and which are held out."""

    as_of: str
    holdout_days: int
    train_days: int


@dataclass(frozen=True)
class Model:
    """What the learner is given."""

    loss: str
    max_iter: int
    learning_rate: float
    max_leaf_nodes: int
    min_samples_leaf: int


@dataclass(frozen=True)
class Params:
    """All of params.yaml."""

    seed: int
    prepare: Prepare
    split: Split
    model: Model


def load_params(path: Path = PARAMS) -> Params:
    """Reads the settings; one that is missing or misspelt is an error."""
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Params(
        seed=raw["seed"],
        prepare=Prepare(**raw["prepare"]),
        split=Split(**raw["split"]),
        model=Model(**raw["model"]),
    )
