"""Trackers: on, local, behind a switch, or off."""

from __future__ import annotations

import pytest

from mlops_audit.config import Config
from mlops_audit.graph import Project
from mlops_audit.graph.trackers import tracked
from mlops_audit.tree import MemoryTree


def standings(files: dict[str, str]) -> dict[str, str]:
    """Each tool's best standing."""
    loaded = Project.load(MemoryTree({p: t.encode() for p, t in files.items()}), Config())
    found: dict[str, str] = {}
    for item in tracked(loaded):
        found.setdefault(item.tool, item.standing)
    return found


@pytest.mark.parametrize(
    ("code", "standing"),
    [
        ("import wandb\nwandb.init(project='p')\n", "on"),
        ("import wandb\nwandb.init(mode='disabled')\nwandb.log({})\n", "off"),
        ("import wandb\nON = False\nif ON:\n    wandb.init()\n", "switch"),
        ("import wandb\nuse_wandb = True\nif use_wandb:\n    wandb.init()\n", "on"),
    ],
)
def test_a_tracker_stands_as_its_start_does(code: str, standing: str) -> None:
    """Where every start of a tool is off, so is all that it would record."""
    assert standings({"train.py": code})["Weights & Biases"] == standing


def test_a_configuration_group_counts_when_it_is_chosen() -> None:
    """A logger's file alone is a switch; a choice in the settings turns it on."""
    logger = {"conf/logger/wandb.yaml": "w:\n  _target_: lightning.pytorch.loggers.WandbLogger\n"}
    assert standings(logger)["Weights & Biases"] == "switch"
    chosen = {**logger, "conf/train.yaml": "logger: wandb\n"}
    assert standings(chosen)["Weights & Biases"] == "on"


def test_tensorboard_is_local() -> None:
    """It writes files on this machine."""
    code = "from torch.utils.tensorboard import SummaryWriter\nw = SummaryWriter()\n"
    assert standings({"train.py": code})["TensorBoard"] == "local"


def test_trackers_in_tests_are_left_out() -> None:
    """A test's run records nothing of training."""
    assert standings({"tests/test_a.py": "import mlflow\nmlflow.start_run()\n"}) == {}
