"""What the readers of pipeline definitions give."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.pipelines import PipelineFile, read_pipeline_file, read_pipelines

SNAKE = """\
rule all:
    input: "m.json"

rule train:
    input:
        data="x.csv",
        code="t.py"
    output: "m.pkl", "m.json"
    shell:
        "python t.py "
        "{input.data}"
rule plot:
    script: "plot.py"
"""
AZURE = """\
$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json
display_name: churn
jobs:
  train:
    command: python train.py
    inputs: {d: {path: a}}
    outputs: {m: {}}
"""
BRICKS = """\
resources:
  jobs:
    j:
      name: churn
      schedule: {quartz_cron_expression: "0 0 * * * ?", pause_status: PAUSED}
      tasks:
        - task_key: train
          spark_python_task: {python_file: t.py}
        - task_key: eval
          depends_on: [{task_key: train}]
"""
STATES = json.dumps(
    {
        "StartAt": "A",
        "States": {"A": {"Type": "Task", "Resource": "r", "Next": "B"}, "B": {"Type": "Fail"}},
    }
)
PLOOMBER = "tasks:\n  - source: t.py\n    product: {nb: o.ipynb}\n"
CLOUD = "main:\n  steps:\n  - train:\n      call: googleapis.x\n      args: {a: b}\n"
NEXT = 'process train {\n  input:\n  path "x"\n  output:\n  path "m"\n  script:\n'
NEXT += '  """\n  python t.py\n  """\n}\n'


def one(text: str, path: str) -> PipelineFile:
    """Read a file of one pipeline."""
    found = read_pipeline_file(text.encode(), path)
    assert isinstance(found, tuple)
    return found[0]


@pytest.mark.parametrize(
    ("path", "text", "tool", "steps"),
    [
        ("Snakefile", SNAKE, "snakemake", [("all", ""), ("train", "python"), ("plot", "python")]),
        ("job.yml", AZURE, "azureml", [("train", "python")]),
        ("databricks.yml", BRICKS, "databricks", [("train", "python"), ("eval", "")]),
        ("s.asl.json", STATES, "step-functions", [("A", "Task"), ("B", "")]),
        ("pipeline.yaml", PLOOMBER, "ploomber", [("t", "python")]),
        ("w.yaml", CLOUD, "cloud-workflows", [("train", "googleapis.x")]),
        ("main.nf", NEXT, "nextflow", [("train", "python")]),
    ],
)
def test_steps(path: str, text: str, tool: str, steps: list[tuple[str, str]]) -> None:
    """Each tool's file gives its steps with what they run."""
    found = one(text, path)
    assert found.tool == tool
    assert [(s.name, s.command.program if s.command else "") for s in found.steps] == steps


def test_details() -> None:
    """Inputs and outputs, schedules and pauses are kept."""
    train = one(SNAKE, "Snakefile").steps[1]
    assert (train.inputs, train.outputs) == (("x.csv", "t.py"), ("m.pkl", "m.json"))
    assert train.command is not None
    assert train.command.argv == ("python", "t.py", "{input.data}")
    job = one(BRICKS, "databricks.yml")
    assert (job.schedule, job.paused, job.steps[1].needs) == ("0 0 * * * ?", True, ("train",))


def test_tree() -> None:
    """Other YAML and JSON files give nothing."""
    files = {"a.yml": b"x: 1", "package.json": b"{}", "Snakefile": SNAKE.encode()}
    found, unreadable = read_pipelines(files, files.get)
    assert ([f.tool for f in found], unreadable) == (["snakemake"], ())


@given(st.binary(max_size=150), st.sampled_from(["Snakefile", "a.yml", "a.json", "a.nf"]))
def test_any_bytes(data: bytes, path: str) -> None:
    """No bytes raise."""
    read_pipeline_file(data, path)
    read_pipeline_file(b"rule a:\n    input: " + data, path)
