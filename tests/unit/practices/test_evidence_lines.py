"""The first evidence of a verdict: of several places, the one that shows it by itself."""

from __future__ import annotations

import pytest

from mlops_audit.config import Config
from mlops_audit.graph import Project
from mlops_audit.practices import catalogue
from mlops_audit.tree import MemoryTree

_RULES = {p.id: p.judge for p in catalogue()}
_TRAINS = (
    "from sklearn.linear_model import Ridge\nimport mlflow\n"
    "def main(x, y):\n    model = Ridge().fit(x, y)\n"
)
_SECTIONS = (
    "# Rides\nThis service predicts how many bicycles are rented in each hour of a day.\n"
    "## Setup\n```sh\npip install -r requirements.txt\n```\n"
    "## Running in the browser: pages and steps\nA page of it\n![x](a.png) `make page one`\n"
    "## Run the training\n```sh\npython train.py\n```\n"
)


@pytest.mark.parametrize(
    ("practice", "files", "shown"),
    [
        pytest.param(
            "REP03",
            {
                "Dockerfile": "FROM python:3.12.4-slim\n"
                "RUN poetry config virtualenvs.create false\n"
                "COPY . .\nRUN poetry install\nCMD python train.py\n",
                "train.py": _TRAINS,
            },
            ["FROM python:3.12.4-slim", "poetry install"],
            id="what installs, not what sets the installer up",
        ),
        pytest.param(
            "TRK03",
            {
                "train.py": f'{_TRAINS}    mlflow.log_metric("message", "done")\n'
                '    mlflow.log_metric("rmse", model.score(x, y))\nmain([1], [2])\n'
            },
            ['mlflow.log_metric("rmse", model.score(x, y))'],
            id="numbers, not notes",
        ),
        pytest.param(
            "REP10",
            {
                "train.py": f"{_TRAINS}main([1], [2])\n",
                "README.md": "# A\nhttps://github.com/a/b/releases/download/v1/b_linux.tar.gz\n"
                "https://www.kaggle.com/datasets/a/b\n",
            },
            ["https://www.kaggle.com/datasets/a/b"],
            id="data, not programs",
        ),
        pytest.param(
            "COL01",
            {"README.md": _SECTIONS, "train.py": _TRAINS, "requirements.txt": "mlflow\n"},
            [
                "This service predicts how many bicycles are rented in each hour of a day.",
                "pip install -r requirements.txt",
                "python train.py",
            ],
            id="commands, not captions",
        ),
        pytest.param(
            "REP04",
            {
                "train.py": "from transformers import Trainer, TrainingArguments\n"
                'args = TrainingArguments(\n    save_strategy="epoch",\n)\n'
                "Trainer(model, args).train()\n"
            },
            ['its default seed is 42: TrainingArguments(save_strategy="epoch")'],
            id="a call that seeds by itself says with what",
        ),
        pytest.param(
            "TRK06",
            {
                "train.py": "import wandb\nimport torch\nrun = wandb.init(project='a')\n"
                "image = wandb.Image(x)\nwandb.log({'loss': 1})\ntorch.optim.SGD(p).step()\n"
            },
            ["wandb.log({'loss': 1})", "wandb.init(project='a')"],
            id="what sends, not what it sends",
        ),
        pytest.param(
            "VER02",
            {
                "train.py": f"{_TRAINS}main([1], [2])\n",
                "get.py": "import hashlib\nimport urllib.request\n"
                "def get():\n    urllib.request.urlretrieve('https://a.org/rides', 'rides')\n"
                "    assert hashlib.sha256(read('rides')).hexdigest() == '1'\n",
            },
            ["the checksum of a download: hashlib.sha256(read('rides'))"],
            id="the digest, not the download",
        ),
        pytest.param(
            "STR02",
            {
                "app/__init__.py": "from .models import fit\n",
                "app/models.py": "def fit():\n    return 1\n",
                "run.py": "from app.models import fit\nfit()\n",
            },
            ["imports app/models.py by path", "imports app/models.py by its place"],
            id="imports from elsewhere before those from beside it",
        ),
    ],
)
def test_the_place_shown_first(practice: str, files: dict[str, str], shown: list[str]) -> None:
    """What a person would look for comes before what merely belongs to it."""
    project = Project.load(MemoryTree(dict(files)), Config())
    assert [e.detail for e in _RULES[practice](project).evidence] == shown
