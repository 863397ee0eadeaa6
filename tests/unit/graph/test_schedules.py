"""What starts training: the kinds of starts, paused ones, and whether the model is kept."""

from __future__ import annotations

import pytest

from mlops_audit.config import Config
from mlops_audit.graph import Project
from mlops_audit.tree import MemoryTree

TRAIN = "from sklearn.linear_model import Ridge\n\ndef train():\n    Ridge().fit([[1]], [1])\n"
PROGRAM = f"{TRAIN}\nif __name__ == '__main__':\n    train()\n"


def starts(files: dict[str, str]) -> list[tuple[str, bool, bool]]:
    """Kind, whether the model is kept, and whether it is disabled, of each start."""
    tree = MemoryTree({p: t.encode() for p, t in files.items()})
    found = Project.load(tree, Config()).starts
    return [(s.kind, s.kept, bool(s.disabled)) for s in found]


def workflow(on: str, last: str = "dvc push") -> str:
    """A workflow that trains, then runs one more command."""
    return (
        f"on:\n{on}\njobs:\n  train:\n    runs-on: x\n    steps:\n"
        f"      - run: python train.py\n      - run: {last}\n"
    )


@pytest.mark.parametrize(
    ("on", "kind"),
    [
        ("  schedule:\n    - cron: '0 3 * * *'", "schedule"),
        ("  repository_dispatch:\n    types: [retrain]", "event"),
        ("  push:\n    paths: ['data/**']", "data"),
        ("  push:", "push"),
        ("  workflow_dispatch:", "manual"),
        ("  pull_request:", "pull_request"),
    ],
)
def test_a_workflow_starts_training_by_its_trigger(on: str, kind: str) -> None:
    """The trigger of a workflow that trains is the kind of the start."""
    files = {".github/workflows/train.yml": workflow(on), "train.py": PROGRAM}
    assert starts(files) == [(kind, True, False)]


def test_a_model_that_nothing_stores_is_dropped() -> None:
    """A training in CI without a store afterwards keeps nothing."""
    on = "  schedule:\n    - cron: '0 3 * * *'"
    files = {".github/workflows/train.yml": workflow(on, "echo done"), "train.py": PROGRAM}
    assert starts(files) == [("schedule", False, False)]


def test_a_prefect_schedule_starts_the_flow_it_is_given() -> None:
    """A schedule in another file starts the flow that it deploys."""
    deploy = (
        "from prefect.deployments import Deployment\n"
        "from prefect.orion.schemas.schedules import CronSchedule\n"
        "from flow import main\n\n"
        "Deployment.build_from_flow(flow=main, schedule=CronSchedule(cron='0 3 * * *'))\n"
    )
    flow = f"from prefect import flow\nimport mlflow\n{TRAIN}\n@flow\ndef main():\n    train()\n    mlflow.log_artifact('m')\n"  # noqa: E501 -- one text
    assert starts({"deploy.py": deploy, "flow.py": flow}) == [("schedule", True, False)]


def test_a_disabled_rule_is_told_as_disabled() -> None:
    """A schedule with `State: DISABLED` starts nothing."""
    template = (
        "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  Retrain:\n"
        "    Type: AWS::Events::Rule\n    Properties:\n      Name: retrain-model\n"
        "      ScheduleExpression: rate(7 days)\n      State: DISABLED\n"
    )
    files = {"template.yml": template, "train.py": PROGRAM}
    assert [s[2] for s in starts(files)] == [True]


def test_a_schedule_that_does_not_train_is_none() -> None:
    """A cron workflow that only lints starts no training."""
    text = workflow("  schedule:\n    - cron: '0 3 * * *'").replace("python train.py", "ruff check")
    assert starts({".github/workflows/lint.yml": text, "train.py": PROGRAM}) == []


def test_a_route_is_a_request() -> None:
    """A service's route that trains is started by whoever sends the request."""
    service = (
        "from fastapi import FastAPI\nfrom train import train\nimport joblib\n\napp = FastAPI()\n\n"
        "@app.post('/train')\ndef start():\n    train()\n    joblib.dump(1, 'm.pkl')\n"
    )
    assert ("route", True, False) in starts({"app.py": service, "train.py": TRAIN})


# Each stage of a DVC pipeline as one step of an orchestrator, whose names only a run knows.
STAGES = """import subprocess

def run(name):
    subprocess.run(["dvc", "repro", "--single-item", name], check=True)
"""
AIRFLOW = """from airflow.sdk import DAG, task
from stages import run

with DAG(dag_id="pipeline", schedule="17 5 3 * *"):
    for name in ("prepare", "train"):
        task(task_id=name)(run)(name)
"""
ZENML = """from zenml import pipeline, step
from zenml.config.schedule import Schedule
from stages import run

@step
def bring_up_to_date(stage):
    run(stage)

@pipeline
def graph():
    for name in ("prepare", "train"):
        bring_up_to_date(stage=name, id=name)

SCHEDULED = graph.with_options(schedule=Schedule(cron_expression="17 5 3 * *"))
"""


@pytest.mark.parametrize("scheduled", [AIRFLOW, ZENML], ids=["airflow", "zenml"])
@pytest.mark.parametrize("command", ["dvc repro", "dvc status"])
def test_a_schedule_starts_the_stages_that_its_steps_run(scheduled: str, command: str) -> None:
    """A step that runs a stage as a process trains by it; one that only looks at it does not."""
    tool, word = command.split()
    files = {
        "dvc.yaml": "stages:\n  prepare:\n    cmd: python prepare.py\n    outs: [data.csv]\n"
        "  train:\n    cmd: python train.py\n    deps: [data.csv]\n    outs: [model.pkl]\n",
        "prepare.py": "open('data.csv', 'w')\n",
        "train.py": PROGRAM + "    import joblib\n    joblib.dump(1, 'model.pkl')\n",
        "stages.py": STAGES.replace('"dvc", "repro"', f'"{tool}", "{word}"'),
        "flow.py": scheduled,
    }
    found = [kind for kind, _, _ in starts(files)]
    assert found == (["schedule"] if word == "repro" else [])
