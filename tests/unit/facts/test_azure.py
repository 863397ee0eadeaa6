"""Azure Pipelines."""

from __future__ import annotations

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.azure import read_azure
from mlops_audit.facts.ci import systems
from mlops_audit.facts.types import Workflow

CI = "azure-pipelines.yml"


def read(text: str, *, path: str = CI, **files: str) -> Workflow:
    """The pipeline; other files by name without their `.yml`, beside it."""
    tree = {f"{name}.yml": dedent(body).encode() for name, body in files.items()}
    (workflow,) = read_azure(path, dedent(text).encode(), tree.get)
    return workflow


def kinds(text: str) -> list[str]:
    """The kinds of a pipeline's triggers."""
    return [t.kind.value for t in read(text + "\nsteps: [{script: x}]").triggers]


def test_other_yaml_is_no_pipeline() -> None:
    """Azure ML jobs, GitHub workflows, dvc files and compose files are not taken for pipelines."""
    for text in (
        "$schema: x\njobs:\n  train: {type: command}\n",
        "on: push\njobs: {a: {steps: [{run: x}]}}",
        "stages: {a: {cmd: x}}",
        "steps: [{name: x, image: y}]",
        "stages: [test]\na: {script: x}",
    ):
        assert read_azure(".ci/x.yml", text.encode(), lambda _path: None) == ()
    assert systems()["azure"].named("sub/azure-pipelines-cd.yaml")
    assert systems()["azure"].looks(b"trigger: none\nsteps:\n- script: x\n")
    assert not systems()["azure"].looks(b"steps:\n- name: x\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["push", "pull_request", "manual"]),
        ("trigger: none\npr: none", ["manual"]),
        ("trigger: [none]\npr: none", ["manual"]),
        ("trigger: [main]\npr: none", ["push", "manual"]),
        ("trigger: {tags: {include: [v*]}}\npr: none", ["tag", "manual"]),
        ("trigger: none\npr: none\nschedules: [{cron: 0 0 * * 0}]", ["schedule", "manual"]),
        (
            "trigger: none\npr: none\nresources: {pipelines: [{source: CI, trigger: true}]}",
            ["workflow", "manual"],
        ),
    ],
)
def test_triggers_with_their_defaults(text: str, expected: list[str]) -> None:
    """No `trigger:` key means every push; `none` means none; a person can start any."""
    assert kinds(text) == expected


def test_trigger_filters() -> None:
    """Branches to include and exclude are read in both forms."""
    text = "trigger: {branches: {include: [main], exclude: [x/*]}, paths: {include: [src]}}\n"
    push = read(text + "steps: [{script: x}]").triggers[0]
    assert (push.branches, push.branches_ignore, push.paths) == (("main",), ("x/*",), ("src",))


def test_scripts_and_tasks_are_commands() -> None:
    """Inline scripts and files of script tasks are commands at their lines."""
    workflow = read(
        """
        variables: {SUITE: tests/unit}
        steps:
        - script: |
            pytest $(SUITE)
          workingDirectory: $(Build.SourcesDirectory)/app
        - task: AzureCLI@2
          inputs:
            scriptLocation: inlineScript
            inlineScript: python -m train
        - task: Bash@3
          inputs: {filePath: $(System.DefaultWorkingDirectory)/go.sh, arguments: -a b}
        - task: PythonScript@0
          inputs: {scriptSource: filePath, scriptPath: run.py}
        - bash: make
          enabled: false
        """
    )
    steps = workflow.jobs[0].steps
    assert [c.argv for step in steps for c in step.commands] == [
        ("pytest", "tests/unit"),
        ("python", "-m", "train"),
        ("bash", "./go.sh", "-a", "b"),
        ("python", "run.py"),
        ("make",),
    ]
    assert (steps[0].commands[0].span.line, steps[0].commands[0].cwd) == (5, "app")
    assert steps[1].commands[0].span.line == 10
    assert steps[4].disabled


def test_templates_with_parameters() -> None:
    """Step, job, stage and variable templates are filled in with the caller's parameters."""
    workflow = read(
        """
        trigger: [main]
        variables: [{template: vars.yml}]
        stages:
        - template: stage.yml
          parameters: {what: lint}
        - stage: ship
          jobs: [{deployment: d, environment: prod, strategy: {canary: {increments: [10, 50],
                  deploy: {steps: [{script: ship}]}}}}]
        """,
        path=".pipelines/ci.yml",
        **{
            ".pipelines/vars": "variables: {TOOL: ruff}",
            ".pipelines/stage": """
            parameters: [{name: what, default: nothing}]
            stages:
            - stage: check
              jobs:
              - job: a
                steps:
                - template: steps.yml
                  parameters: {cmd: "$(TOOL) ${{ parameters.what }}"}
            """,
            ".pipelines/steps": """
            parameters: {cmd: x}
            steps:
            - script: ${{ parameters.cmd }}
            """,
        },
    )
    check, ship = workflow.jobs
    step = check.steps[0]
    assert step.local == ".pipelines/steps.yml"
    assert step.steps[0].commands[0].argv == ("ruff", "lint")
    assert step.steps[0].span.path == ".pipelines/steps.yml"
    assert (ship.name, ship.needs, ship.environment) == ("ship.d", ("check.a",), "prod")
    assert ship.inputs == {"strategy": "canary", "increments": "10,50"}
    assert ship.steps[0].commands[0].argv == ("ship",)
    assert not workflow.reusable


def test_a_template_alone_is_reusable() -> None:
    """A file of steps without triggers of its own is only started by others."""
    assert read("parameters: {a: b}\nsteps: [{script: x}]", path=".ci/t.yml").reusable


def test_conditions() -> None:
    """A constant false disables, the build's reason and branch narrow the triggers."""
    workflow = read(
        """
        pr: none
        jobs:
        - {job: a, condition: false, steps: [{script: x}]}
        - {job: b, condition: "eq(variables['Build.SourceBranch'], 'refs/heads/prod')",
           steps: [{script: x, continueOnError: true}]}
        - {job: c, condition: "and(succeeded(), eq(variables['Build.Reason'], 'Schedule'))",
           steps: [{script: x}]}
        """
    )
    a, b, c = workflow.jobs
    assert a.disabled
    assert [(t.kind.value, t.branches) for t in b.triggers] == [
        ("push", ("prod",)),
        ("manual", ()),
    ]
    assert b.steps[0].soft
    assert c.disabled


def test_conditional_insertion_and_list_parameters() -> None:
    """`${{ if }}` that never holds leaves its steps out; a list parameter brings its steps."""
    workflow = read(
        """
        steps:
        - template: t.yml
          parameters: {extra: [{script: more}], on: no}
        """,
        t="""
        parameters: {extra: [], on: yes}
        steps:
        - ${{ parameters.extra }}
        - ${{ if eq(parameters.on, 'yes') }}:
          - script: never
        - ${{ if eq(parameters.on, 'no') }}:
          - script: maybe
        """,
    )
    steps = workflow.jobs[0].steps[0].steps
    assert [step.run for step in steps] == ["more", "maybe"]


def test_what_cannot_be_read_is_said() -> None:
    """A template elsewhere, one that is missing and a cycle are Unreadable."""
    workflow = read(
        "steps: [{template: a.yml@other}, {template: gone.yml}, {template: c.yml}]",
        c="steps: [{template: c.yml}]",
    )
    assert len(workflow.unreadable) == 3


@given(st.one_of(st.binary(max_size=200), st.text("steps:script- []{}\n!'$", max_size=200)))
def test_arbitrary_input_never_raises(data: bytes | str) -> None:
    """Whatever the bytes, there is an answer."""
    raw = data.encode() if isinstance(data, str) else data
    assert len(read_azure(CI, raw, lambda _path: None)) < 2


def test_stages_of_another_repository_are_a_job_that_hands_over() -> None:
    """Of a template that lies elsewhere the name and the inputs are known."""
    text = "trigger: [main]\nstages:\n- template: a/b.yml@other\n  parameters:\n    conda: x\n"
    workflow = read(text)
    (job,) = workflow.jobs
    assert (job.calls, job.name, dict(job.inputs)) == ("a/b.yml@other", "a/b.yml", {"conda": "x"})
    assert not workflow.disabled
