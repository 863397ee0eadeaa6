"""Jenkinsfiles."""

from __future__ import annotations

from textwrap import dedent

from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.ci import systems
from mlops_audit.facts.jenkins import read_jenkins
from mlops_audit.facts.types import Workflow


def read(text: str) -> Workflow:
    """The pipeline of a Jenkinsfile."""
    (workflow,) = read_jenkins("Jenkinsfile", dedent(text).encode(), lambda _path: None)
    return workflow


def test_declarative() -> None:
    """Stages are jobs in order; scripts know their lines; comments are none."""
    workflow = read(
        """\
        // sh 'commented'
        pipeline {
          agent { docker { image 'python:3.11' } }
          environment { SUITE = 'tests' /* x */ }
          triggers { cron('H 4 * * *'); pollSCM 'H/5 * * * *' }
          stages {
            stage('Test') {
              steps {
                dir('app') {
                  sh '''
                    pip install .
                    pytest $SUITE
                  '''
                }
                // sh 'never'
              }
            }
            stage('Ship') {
              when { branch 'main' }
              input { message 'go?' }
              steps { sh "docker push ${IMAGE}" }
            }
            stage('Off') {
              when { expression { return false } }
              steps { sh 'x' }
            }
          }
          post { always { sh 'rm -rf x' } }
        }
        """
    )
    test, ship, off, post = workflow.jobs
    assert [(c.argv, c.span.line, c.cwd) for c in test.steps[0].commands] == [
        (("pip", "install", "."), 11, "app"),
        (("pytest", "tests"), 12, "app"),
    ]
    assert test.image == "python:3.11"
    assert (ship.needs, ship.manual, ship.triggers[0].branches) == (("Test",), True, ("main",))
    assert off.disabled
    assert post.steps[0].condition == "post always"
    assert [(t.kind.value, t.cron) for t in workflow.triggers] == [
        ("schedule", "H 4 * * *"),
        ("push", ""),
        ("external", ""),
    ]


def test_scripted() -> None:
    """Scripted pipelines have stages too; a status that is only returned cannot fail."""
    workflow = read(
        """\
        node('x') {
          checkout scm
          stage('Test') {
            def rc = sh(script: "pytest", returnStatus: true)
            catchError(buildResult: 'SUCCESS', stageResult: 'FAILURE') { sh 'flake8' }
            catchError(buildResult: 'FAILURE', stageResult: 'UNSTABLE') { sh 'black' }
            try { sh 'mypy' } catch (e) { echo 'x' }
            try { sh 'ruff' } catch (e) { throw e }
          }
          parallel a: { stage('A') { sh 'a' } }, b: { stage('B') { sh 'b' } }
        }
        """
    )
    test = workflow.jobs[0]
    assert [(step.run, step.soft) for step in test.steps] == [
        ("pytest", True),
        ("flake8", True),
        ("black", False),
        ("mypy", True),
        ("ruff", False),
    ]
    assert [job.name for job in workflow.jobs] == ["Test", "A", "B"]


def test_outer_conditions() -> None:
    """What switches an outer stage off switches off the stages in it."""
    (job,) = read(
        "stage('A') { when { expression { false } }\n stages { stage('B') { steps { sh 'x' } } } }"
    ).jobs
    assert (job.name, bool(job.disabled)) == ("B", True)


def test_braces_below() -> None:
    """A block's brace may stand on the next line."""
    (job,) = read("node\n{\n  stage('Unit')\n  {\n    sh 'pytest'\n  }\n}\n").jobs
    assert (job.name, job.steps[0].commands[0].argv) == ("Unit", ("pytest",))


def test_hollow() -> None:
    """A pipeline whose steps are all commented out has none."""
    text = "pipeline { stages { stage('Test') { steps {\n // sh 'pytest'\n } } } }"
    assert read(text).disabled == "no steps"
    assert systems()["jenkins"].named("ci/Jenkinsfile.deploy")
    assert systems()["jenkins"].named("JenkinsfileTraining")
    assert systems()["jenkins"].named("pipelines/Jenkins")
    assert not systems()["jenkins"].named("jenkins.md")


@given(st.one_of(st.binary(max_size=200), st.text("stage('x'){}sh \"/*\n\\$;[", max_size=200)))
def test_arbitrary_input_never_raises(data: bytes | str) -> None:
    """Whatever the bytes, there is a workflow."""
    raw = data.encode() if isinstance(data, str) else data
    assert len(read_jenkins("Jenkinsfile", raw, lambda _path: None)) == 1
