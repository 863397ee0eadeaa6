"""Google Cloud Build."""

from __future__ import annotations

from textwrap import dedent

from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.ci import systems
from mlops_audit.facts.ci.cloudbuild import read_cloudbuild
from mlops_audit.facts.types import Step, TriggerKind

CI = "build/pipeline-cloudbuild.yaml"


def steps_of(text: str) -> tuple[Step, ...]:
    """The steps of a build."""
    (workflow,) = read_cloudbuild(CI, dedent(text).encode(), lambda _path: None)
    assert workflow.triggers[0].kind is TriggerKind.EXTERNAL
    return workflow.jobs[0].steps


def test_steps_are_commands() -> None:
    """Images, entry points, argument lists, scripts and folders give the commands that run."""
    steps = steps_of(
        """
        steps:
        - name: gcr.io/cloud-builders/docker
          args: [build, --tag, "$_IMAGE", .]
        - name: python:3.11
          entrypoint: pytest
          args: ['src/tests', '-s']
          dir: app
          id: unit tests
        - name: $_IMG
          entrypoint: bash
          args:
          - -c
          - |
            pip install . && python run.py
            make x
        - {name: ubuntu, script: "echo a", allowFailure: true}
        substitutions: {_IMAGE: gcr.io/x}
        """
    )
    assert [c.argv for step in steps for c in step.commands] == [
        ("docker", "build", "--tag", "gcr.io/x", "."),
        ("pytest", "src/tests", "-s"),
        ("pip", "install", "."),
        ("python", "run.py"),
        ("make", "x"),
        ("echo", "a"),
    ]
    assert steps[1].commands[0].cwd == "app"
    assert [c.span.line for c in steps[2].commands] == [15, 15, 16]
    assert steps[3].soft


def test_the_clone_is_the_root() -> None:
    """After a `git clone` in the build, the clone's folder is the repository's root."""
    text = """
    steps:
    - name: gcr.io/cloud-builders/git
      args: [clone, --branch, $_BRANCH, {}]
    - {{name: x, entrypoint: pytest, args: [tests], dir: repo/app}}
    """
    for address in ("$_URL", "https://github.com/me/repo.git"):
        assert steps_of(text.format(address))[1].commands[0].cwd == "app"
    other = steps_of(text.format("https://github.com/me/other.git"))
    assert other[1].commands[0].cwd == "repo/app"


def test_json_and_names() -> None:
    """A build in JSON is read; other YAML with steps is not taken for one."""
    data = b'{"steps": [{"name": "gcr.io/cloud-builders/gcloud", "args": ["run", "deploy"]}]}'
    (workflow,) = read_cloudbuild("cloudbuild.json", data, lambda _path: None)
    assert workflow.jobs[0].steps[0].commands[0].argv == ("gcloud", "run", "deploy")
    assert systems()["cloudbuild"].looks(b"steps:\n- name: 'gcr.io/cloud-builders/docker'\n")
    assert not systems()["cloudbuild"].looks(b"steps:\n- name: test\n  run: x\n")
    plain = b"steps:\n- name: python:3.9\n  waitFor: ['-']\n"
    assert systems()["cloudbuild"].looks(plain)
    assert systems()["cloudbuild"].named("ops/cloudbuild/pr-checks.yaml")
    assert not systems()["cloudbuild"].named("ops/builds/pr-checks.yaml")
    assert systems()["cloudbuild"].named("cloudbuild.yaml")
    assert read_cloudbuild("cloudbuild.yaml", b"steps: []", lambda _path: None) == ()


@given(st.one_of(st.binary(max_size=200), st.text("steps:namearg- []{}\n!'$", max_size=200)))
def test_arbitrary_input_never_raises(data: bytes | str) -> None:
    """Whatever the bytes, there is an answer."""
    raw = data.encode() if isinstance(data, str) else data
    read_cloudbuild(CI, raw, lambda _path: None)
