"""Travis CI, Bitbucket, Drone, Buildkite, AppVeyor, Cirrus, Semaphore, Gitea and Forgejo."""

from __future__ import annotations

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.ci import read_workflow, read_workflows, systems
from mlops_audit.facts.ci.appveyor import read_appveyor
from mlops_audit.facts.ci.bitbucket import read_bitbucket
from mlops_audit.facts.ci.buildkite import read_buildkite
from mlops_audit.facts.ci.cirrus import read_cirrus
from mlops_audit.facts.ci.drone import read_drone
from mlops_audit.facts.ci.semaphore import read_semaphore
from mlops_audit.facts.ci.travis import read_travis
from mlops_audit.facts.types import Workflow


def nothing(_path: str) -> bytes | None:
    """No other files."""
    return None


def argvs(workflow: Workflow) -> list[str]:
    """The commands of a workflow."""
    return [" ".join(c.argv) for job in workflow.jobs for step in job.steps for c in step.commands]


def test_travis() -> None:
    """Phases of the build and its matrix, branch filters, and what cannot fail the build."""
    text = """
    branches: {only: [main]}
    env: {global: [SUITE=tests]}
    install: pip install .
    script:
      - flake8
      - pytest $SUITE
    after_success: codecov
    deploy: {provider: pypi}
    """
    (workflow,) = read_travis(".travis.yml", dedent(text).encode(), nothing)
    assert argvs(workflow) == ["pip install .", "flake8", "pytest tests", "codecov"]
    assert [t.branches for t in workflow.triggers] == [("main",), ("main",)]
    steps = workflow.jobs[0].steps
    assert (steps[1].commands[1].span.line, steps[-1].soft, steps[2].uses) == (7, True, "pypi")
    (hollow,) = read_travis(".travis.yml", b"language: python", nothing)
    assert hollow.disabled == "no script"


def test_bitbucket() -> None:
    """Default, branch, pull-request and custom pipelines each have their trigger."""
    text = """
    image: python:3.11
    pipelines:
      default:
        - step: {name: Test, script: [pytest, {pipe: a/b:1, variables: {X: y}}]}
      branches:
        main:
          - parallel:
              - step: {script: [make lint]}
              - step: {script: [make test]}
          - step: {name: Ship, deployment: production, trigger: manual, script: [./ship.sh]}
      custom:
        train: [{step: {script: [make train]}}]
    """
    default, main, custom = read_bitbucket(
        "bitbucket-pipelines.yml", dedent(text).encode(), nothing
    )
    assert argvs(default) == ["pytest"]
    assert default.jobs[0].steps[1].uses == "a/b:1"
    assert main.triggers[0].branches == ("main",)
    ship = main.jobs[2]
    assert (ship.environment, ship.manual, len(ship.needs)) == ("production", True, 2)
    assert custom.triggers[0].kind.value == "manual"
    assert read_bitbucket("bitbucket-pipelines.yml", b"image: x", nothing)[0].disabled


def test_drone() -> None:
    """Each document is a pipeline with its events; a plugin step is named."""
    text = """
    kind: pipeline
    name: ci
    steps:
      - {name: test, image: python, commands: [pip install ., pytest], failure: ignore}
      - {name: push, image: plugins/docker, settings: {repo: x}}
    trigger: {branch: [main], event: [push, cron]}
    ---
    kind: secret
    """
    (workflow,) = read_drone(".drone.yml", dedent(text).encode(), nothing)
    assert argvs(workflow) == ["pip install .", "pytest"]
    assert [(t.kind.value, t.branches) for t in workflow.triggers] == [
        ("push", ("main",)),
        ("schedule", ()),
    ]
    test, push = workflow.jobs[0].steps
    assert (test.soft, push.uses, push.inputs) == (True, "plugins/docker", {"repo": "x"})


def test_buildkite() -> None:
    """Steps, plugins, waits and blocks; skipped steps are disabled."""
    text = """
    steps:
      - label: test
        command: pytest
        plugins: [{docker#v5: {image: python}}]
      - wait
      - block: go
      - {label: ship, command: [./ship.sh], soft_fail: true}
      - {label: off, command: x, skip: true}
    """
    (workflow,) = read_buildkite(".buildkite/pipeline.yml", dedent(text).encode(), nothing)
    test, go, ship, off = workflow.jobs
    assert test.steps[0].uses == "docker#v5"
    assert go.manual
    assert (ship.needs, ship.soft) == (("test",), True)
    assert off.disabled
    assert workflow.triggers[0].kind.value == "external"


def test_appveyor() -> None:
    """Phases in any shell; what follows the outcome cannot fail it; branches filter."""
    text = """
    branches: {only: [main]}
    install: [cmd: pip install .]
    test_script:
      - ps: pytest
      - flake8
    on_success: [codecov]
    """
    (workflow,) = read_appveyor("appveyor.yml", dedent(text).encode(), nothing)
    assert argvs(workflow) == ["pip install .", "pytest", "flake8", "codecov"]
    assert [(t.kind.value, t.branches) for t in workflow.triggers] == [
        ("push", ("main",)),
        ("pull_request", ("main",)),
    ]
    assert [step.soft for step in workflow.jobs[0].steps] == [False, False, True]
    assert read_appveyor("appveyor.yml", b"image: x", nothing)[0].disabled


def test_cirrus() -> None:
    """Scripts of tasks, with variables; a task that a person starts, and one that never runs."""
    text = """
    env: {SUITE: tests}
    lint_task:
      name: lint
      check_script: [ruff check .]
      allow_failures: true
    test_task:
      depends_on: lint
      test_script: pytest $SUITE
    ship_task: {trigger_type: manual, only_if: "false", ship_script: ./ship.sh}
    """
    (workflow,) = read_cirrus(".cirrus.yml", dedent(text).encode(), nothing)
    assert argvs(workflow) == ["ruff check .", "pytest tests", "./ship.sh"]
    lint, test, ship = workflow.jobs
    assert (lint.soft, test.needs) == (True, ("lint",))
    assert ship.manual
    assert ship.disabled


def test_semaphore() -> None:
    """Blocks in order with their prologue; other pipelines start by promotion."""
    text = """
    name: ci
    blocks:
      - name: test
        task:
          prologue: {commands: [checkout]}
          jobs: [{name: unit, commands: [pytest]}]
      - name: lint
        task: {jobs: [{name: ruff, commands: [ruff check .]}]}
    promotions:
      - {name: ship, pipeline_file: ship.yml, auto_promote: {when: "branch = 'main'"}}
    """
    files = {".semaphore/semaphore.yml": dedent(text).encode()}
    (workflow,) = read_semaphore(*files.popitem(), nothing)
    assert argvs(workflow) == ["checkout", "pytest", "ruff check ."]
    assert [job.needs for job in workflow.jobs] == [(), ("test",)]
    ship = b"blocks: [{task: {jobs: [{commands: [./ship.sh]}]}}]"
    files = {".semaphore/semaphore.yml": dedent(text).encode()}
    for name, kind in (("ship", "workflow"), ("other", "manual")):
        (workflow,) = read_semaphore(f".semaphore/{name}.yml", ship, files.get)
        assert [t.kind.value for t in workflow.triggers] == [kind]


def test_gitea_and_forgejo_follow_github() -> None:
    """Workflows in the folders of Gitea and Forgejo are read as GitHub's."""
    files = {
        f".{forge}/workflows/ci.yml": b"on: push\njobs: {a: {steps: [{run: pytest}]}}"
        for forge in ("gitea", "forgejo")
    }
    workflows, _ = read_workflows(files, files.get)
    assert [(argvs(w), w.disabled) for w in workflows] == [(["pytest"], ""), (["pytest"], "")]


def test_a_whole_tree() -> None:
    """Files are read by the first reader that claims them; broken ones are said."""
    files = {
        ".github/workflows/ci.yml": b"on: push\njobs: {a: {steps: [{run: pytest}]}}",
        ".travis.yml": b"script: [\n",
        "conf/x.yaml": b"a: 1",
        ".ado/build.yml": b"trigger: none\nsteps:\n- script: make\n",
        "README.md": b"trigger: none\nsteps:\n- script: make\n",
    }
    workflows, unreadable = read_workflows(files, files.get)
    assert [(w.system, w.path) for w in workflows] == [
        ("azure", ".ado/build.yml"),
        ("github", ".github/workflows/ci.yml"),
        ("travis", ".travis.yml"),
    ]
    assert [u.span.path for u in unreadable] == [".travis.yml"]


@pytest.mark.parametrize("system", systems())
@given(data=st.one_of(st.binary(max_size=120), st.text("steps:- []{}\nacript!'$", max_size=120)))
def test_arbitrary_input_never_raises(system: str, data: bytes | str) -> None:
    """Whatever the bytes, every reader answers."""
    raw = data.encode() if isinstance(data, str) else data
    for path in ("x.yml", "x.json", "Jenkinsfile"):
        for workflow in read_workflow(system, path, raw, nothing):
            assert workflow.path == path
