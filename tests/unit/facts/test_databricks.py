"""Databricks' jobs in bundles, in dbx's deployment files, and in the form of the Jobs API."""

from __future__ import annotations

import textwrap

from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.pipelines import PipelineFile, read_pipeline_file
from mlops_audit.facts.types import Unreadable


def read(text: str, path: str = "conf/deployment.yml") -> tuple[PipelineFile, ...]:
    """The jobs of a file."""
    found = read_pipeline_file(textwrap.dedent(text).encode(), path)
    assert not isinstance(found, Unreadable)
    return found


def test_a_bundle_names_its_jobs_by_keys() -> None:
    """Tasks with what they need, the schedule, and the key that commands use."""
    (job,) = read("""
        resources:
          jobs:
            train_job:
              name: ${bundle.target}-train
              schedule: {quartz_cron_expression: "0 0 9 * * ?"}
              tasks:
                - task_key: Train
                  notebook_task: {notebook_path: ../notebooks/Train}
                - task_key: Validate
                  depends_on: [{task_key: Train}]
                  spark_python_task: {python_file: validate.py, parameters: [--env, prod]}
    """)
    assert (job.key, job.name, job.schedule) == (
        "train_job", "${bundle.target}-train", "0 0 9 * * ?",
    )  # fmt: skip
    assert [(s.name, s.needs) for s in job.steps] == [("Train", ()), ("Validate", ("Train",))]
    commands = [s.command.argv for s in job.steps if s.command]
    assert commands == [
        ("notebook", "../notebooks/Train"),
        ("python", "validate.py", "--env", "prod"),
    ]


def test_dbx_lists_jobs_for_each_environment() -> None:
    """A job of one task, settings merged from above, and paths with a scheme."""
    found = read("""
        custom:
          cluster: &cluster
            new_cluster: {spark_version: 11.0.x-cpu-ml-scala2.12}
        environments:
          dev:
            jobs:
              - name: DEV-train
                <<: *cluster
                spark_python_task:
                  python_file: 'file://churn/train_job.py'
          prod:
            workflows:
              - name: PROD-all
                tasks:
                  - task_key: features
                    python_wheel_task: {package_name: churn, entry_point: features}
                  - task_key: train
                    depends_on: [{task_key: features}]
                    python_wheel_task: {package_name: churn, entry_point: train}
    """)
    assert [(f.name, len(f.steps)) for f in found] == [("DEV-train", 1), ("PROD-all", 2)]
    command = found[0].steps[0].command
    assert command is not None
    assert command.argv == ("python", "churn/train_job.py")


def test_a_file_of_the_jobs_api_is_one_job() -> None:
    """What a person or a script posts to the API."""
    (job,) = read(
        '{"name": "train", "new_cluster": {}, "spark_python_task": {"python_file": "dbfs:/t.py"}}',
        "ops/job.json",
    )
    assert (job.name, job.steps[0].name) == ("train", "train")


def test_words_of_tasks_elsewhere_are_no_jobs() -> None:
    """A file that only mentions a task defines none."""
    assert read("notes:\n  - the notebook_task is described in the guide\n") == ()


@given(st.binary(max_size=300))
def test_arbitrary_bytes_never_raise(data: bytes) -> None:
    """Whatever follows the words of a task, the reader gives facts or a reason."""
    read_pipeline_file(b"jobs:\n- spark_python_task: {python_file: a.py}\n" + data, "a.yml")
