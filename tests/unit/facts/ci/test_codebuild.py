"""AWS CodeBuild."""

from __future__ import annotations

from textwrap import dedent

from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.ci import systems
from mlops_audit.facts.ci.codebuild import read_codebuild


def test_phases_are_steps() -> None:
    """Phases run in CodeBuild's order; a phase may go on after a failure."""
    text = """
    version: 0.2
    env: {variables: {SUITE: tests}}
    phases:
      build:
        on-failure: CONTINUE
        commands:
          - cd app
          - pytest $SUITE
      install:
        commands: [pip install .]
    """
    (workflow,) = read_codebuild("buildspec.yml", dedent(text).encode(), lambda _path: None)
    install, build = workflow.jobs[0].steps
    assert install.commands[0].argv == ("pip", "install", ".")
    assert [(c.argv, c.span.line, c.cwd) for c in build.commands][1] == (
        ("pytest", "tests"),
        9,
        "app",
    )
    assert build.soft


def test_which_files() -> None:
    """Files named buildspec, and others with its version and phases."""
    assert systems()["codebuild"].named("ci/model-buildspec.yaml")
    assert systems()["codebuild"].looks(b"version: 0.2\nphases:\n  build:\n")
    assert read_codebuild("buildspec.yml", b"a: 1", lambda _path: None) == ()


@given(st.one_of(st.binary(max_size=200), st.text("phases:build comnd- []{}\n", max_size=200)))
def test_arbitrary_input_never_raises(data: bytes | str) -> None:
    """Whatever the bytes, there is an answer."""
    raw = data.encode() if isinstance(data, str) else data
    read_codebuild("buildspec.yml", raw, lambda _path: None)
