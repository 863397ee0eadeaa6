"""Argo Workflows: steps named by their tasks, objects handed to the cluster, bare arguments."""

from __future__ import annotations

from mlops_audit.facts.ci import read_workflow
from mlops_audit.facts.types import Workflow

HEAD = b"apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {generateName: w-}\n"
STEPS = b"""spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: image, template: build}
    - - {name: train, template: job}
    - - {name: serve, template: endpoint}
  - name: build
    container:
      image: gcr.io/kaniko-project/executor:v1.9@sha256:0
      args: ["--dockerfile", "Dockerfile", "--destination", "me/train:1"]
  - name: job
    resource:
      action: create
      manifest: |
        apiVersion: batch/v1
        kind: Job
        spec:
          template:
            spec:
              containers:
              - name: {{workflow.name}}
                image: me/train:1
                command: [python, train.py]
  - name: endpoint
    resource:
      action: apply
      manifest: |
        apiVersion: serving.kserve.io/v1beta1
        kind: InferenceService
"""


def _read(data: bytes) -> Workflow:
    (found,) = read_workflow("argo", "w.yaml", data, lambda _: None)
    return found


def test_steps_have_the_names_of_their_tasks() -> None:
    """A template that is called for a task brings steps of the task's name."""
    jobs = _read(HEAD + STEPS).jobs
    assert [s.name for j in jobs for s in j.steps] == ["image", "train", "train", "serve"]
    assert [j.needs for j in jobs] == [(), ("build",), ("job",)]


def test_arguments_alone_go_to_the_entry_point_of_the_image() -> None:
    """`args` without `command` are those of the program that the image is called after."""
    (command,) = _read(HEAD + STEPS).jobs[0].steps[0].commands
    assert command.argv[:2] == ("executor", "--dockerfile")


def test_a_job_runs_what_its_containers_run() -> None:
    """A Job in a resource template brings its containers, at their lines, and deploys nothing."""
    held, inner = _read(HEAD + STEPS).jobs[1].steps
    assert held.commands == ()
    assert inner.image == "me/train:1"
    assert inner.commands[0].argv == ("python", "train.py")
    assert inner.span.line == 26


def test_an_endpoint_in_a_resource_template_is_applied() -> None:
    """Any other object is handed to the cluster as `kubectl` would do it."""
    (step,) = _read(HEAD + STEPS).jobs[2].steps
    assert step.commands[0].argv == ("kubectl", "apply", "-f", "-")
    assert "InferenceService" in step.commands[0].stdin


def test_a_manifest_that_is_no_yaml_brings_nothing() -> None:
    """A resource template whose manifest cannot be read is a template without steps."""
    broken = b"""spec:
  templates:
  - name: main
    resource: {action: create, manifest: "a: [b"}
"""
    assert _read(HEAD + broken).jobs == ()
