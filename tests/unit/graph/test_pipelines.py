"""Pipelines and the parts of the lifecycle that their steps play."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.config import Config
from mlops_audit.graph import Project
from mlops_audit.graph.lifecycle import EVALUATE, PREDICT, PREPARE, TRAIN, named_parts
from mlops_audit.tree import MemoryTree


def project(files: dict[str, str]) -> Project:
    """A project in memory."""
    return Project.load(MemoryTree({p: t.encode() for p, t in files.items()}), Config())


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("TrainModel", TRAIN),
        ("hyperparam_optimization", TRAIN),
        ("train_test_split", PREPARE),
        ("evaluate-model", EVALUATE),
        ("batch_score", PREDICT),
        ("make_dataset", PREPARE),
    ],
)
def test_a_name_claims_a_part(name: str, part: str) -> None:
    """Names are read as words; `train_test_split` is data, no training."""
    assert named_parts(name) == {part}


@pytest.mark.parametrize("name", ["register_model", "deploy", "monitor_training", "send_alert"])
def test_some_names_claim_none(name: str) -> None:
    """Registration, deployment and monitoring are no parts of the training pipeline."""
    assert not named_parts(name)


@given(st.text(max_size=80))
def test_any_name_is_read(name: str) -> None:
    """Whatever the name, at most one part is claimed."""
    assert len(named_parts(name)) <= 1


def test_code_decides_before_names() -> None:
    """A stage called `evaluate` whose program trains is a training."""
    files = {
        "dvc.yaml": "stages:\n  evaluate:\n    cmd: python run.py\n",
        "run.py": "from sklearn.linear_model import Ridge\n\nRidge().fit([[1]], [1])\n",
    }
    (pipeline,) = project(files).pipelines
    assert pipeline.dag
    assert pipeline.parts == {TRAIN}


def test_an_operator_runs_its_callable() -> None:
    """An Airflow operator does what the function that it is given does."""
    files = {
        "dags/a.py": (
            "from airflow import DAG\nfrom airflow.operators.python import PythonOperator\n"
            "from steps import fit\n\nwith DAG('a', schedule='@daily') as dag:\n"
            "    one = PythonOperator(task_id='one', python_callable=fit)\n"
            "    two = PythonOperator(task_id='two', python_callable=print)\n"
        ),
        "dags/steps.py": (
            "from sklearn.linear_model import Ridge\n\ndef fit():\n    Ridge().fit([[1]], [1])\n"
        ),
    }
    (pipeline,) = project(files).pipelines
    assert [s.name for s in pipeline.with_part(TRAIN)] == ["one"]


def test_the_next_step_of_a_flow_is_not_called() -> None:
    """`self.next(self.train)` of Metaflow hands over; it is no call."""
    text = (
        "from metaflow import FlowSpec, step\nfrom sklearn.linear_model import Ridge\n\n"
        "class Flow(FlowSpec):\n    @step\n    def start(self):\n        self.next(self.train)\n\n"
        "    @step\n    def train(self):\n        Ridge().fit([[1]], [1])\n"
    )
    (pipeline,) = project({"flow.py": text}).pipelines
    assert [s.name for s in pipeline.with_part(TRAIN)] == ["train"]


def test_a_training_program_that_also_evaluates_is_no_pipeline() -> None:
    """One program with a training and an evaluation is no sequence of steps."""
    text = (
        "from model import Net\nfrom sklearn.linear_model import Ridge\n"
        "from sklearn.metrics import r2_score\n\ndef main():\n    Ridge().fit([[1]], [1])\n"
        "    r2_score([1], [1])\n\nif __name__ == '__main__':\n    main()\n"
    )
    assert project({"train.py": text, "model.py": "class Net: ...\n"}).pipelines == ()
