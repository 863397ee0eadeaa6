"""GitHub Actions."""

from __future__ import annotations

from textwrap import dedent

from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.ci import systems
from mlops_audit.facts.github import read_github
from mlops_audit.facts.types import Job, Step, TriggerKind, Workflow

CI = ".github/workflows/ci.yml"


def read(text: str, *, path: str = CI, **files: str) -> Workflow:
    """The one workflow of a file; other files by path with `__` for slashes and `_y` for `.yml`."""
    tree = {name.replace("__", "/").replace("_y", ".yml"): body for name, body in files.items()}

    def getter(name: str) -> bytes | None:
        return dedent(tree[name]).encode() if name in tree else None

    (workflow,) = read_github(path, dedent(text).encode(), getter)
    return workflow


def job_of(text: str, **files: str) -> Job:
    """The one job of a workflow that runs on push with this job's body."""
    body = dedent(text).replace("\n", "\n    ")
    return read(f"on: push\njobs:\n  a:\n    {body}\n", **files).jobs[0]


def step_of(text: str) -> Step:
    """The one step of a job with this step's body."""
    return job_of("steps:\n- " + dedent(text).strip().replace("\n", "\n  ")).steps[0]


def test_which_files() -> None:
    """Workflows and files that may be actions are claimed, others are not."""
    assert systems()["github"].named(CI)
    assert systems()["github"].named(".github/actions/x/action.yaml")
    assert not systems()["github"].named(".github/workflows/sub/x.yml")
    assert not systems()["github"].named(".github/dependabot.yml")


def test_on_in_all_forms() -> None:
    """`on:` may be a name, a list or a map; push filters for tags alone leave branches out."""
    assert [t.kind for t in read("on: push\njobs: {}").triggers] == [TriggerKind.PUSH]
    many = read("on: [push, workflow_dispatch, issues]\njobs: {}").triggers
    assert [t.kind for t in many] == [TriggerKind.PUSH, TriggerKind.MANUAL, TriggerKind.EVENT]
    full = read(
        """
        on:
          push:
            branches: [main, 'release/**']
            tags: v*
            paths: ['src/**']
          schedule:
            - cron: '0 3 * * *'
          workflow_run: {workflows: [CI], types: [completed]}
          workflow_call:
        jobs: {}
        """
    ).triggers
    assert [t.kind.value for t in full] == ["push", "tag", "schedule", "workflow", "call"]
    assert full[0].branches == ("main", "release/**")
    assert full[0].span.line == 3
    assert full[2].cron == "0 3 * * *"
    assert full[2].span.line == 8
    assert full[3].after == ("CI",)
    only_tags = read("on: {push: {tags: [v*]}}\njobs: {}").triggers
    assert [t.kind for t in only_tags] == [TriggerKind.TAG]


def test_commands_know_line_folder_and_options() -> None:
    """A script's commands stand at the file's lines and in the working directory."""
    job = job_of(
        """
        defaults: {run: {working-directory: ./app/}}
        steps:
          - run: |
              pip install -e .
              pytest
          - {run: make test, working-directory: lib}
        """
    )
    first, second = job.steps
    assert [(c.argv, c.span.line, c.cwd) for c in first.commands] == [
        (("pip", "install", "-e", "."), 8, "app"),
        (("pytest",), 9, "app"),
    ]
    assert second.commands[0].cwd == "lib"


def test_constant_conditions_disable() -> None:
    """`if: false` in its spellings disables a job and what needs it."""
    workflow = read(
        """
        on: push
        jobs:
          a: {if: false, steps: [{run: x}]}
          b: {needs: a, steps: [{run: x}]}
          c: {needs: a, if: always(), steps: [{run: x}]}
          d: {steps: [{if: "${{ false && github.actor }}", run: x}]}
          e: {if: "github.event_name == 'schedule'", steps: [{run: x}]}
        """
    )
    off = {job.name: bool(job.disabled) for job in workflow.jobs}
    assert off == {"a": True, "b": True, "c": False, "d": False, "e": True}
    assert workflow.jobs[3].steps[0].disabled


def test_text_beside_an_expression_always_holds() -> None:
    """`if: ${{ x }} == 'y'` looks like a gate and is none."""
    step = step_of("if: ${{ steps.x.outcome }} == 'success'\nrun: deploy")
    assert "always holds" in step.void_condition
    assert not step_of("if: ${{ steps.x.outcome == 'success' }}\nrun: deploy").void_condition


def test_conditions_narrow_the_triggers() -> None:
    """A job's condition on event or branch leaves only the triggers for which it can hold."""
    workflow = read(
        """
        on: {push: , pull_request: , schedule: [{cron: '0 0 * * 0'}]}
        jobs:
          a: {if: "github.event_name != 'pull_request'", steps: [{run: x}]}
          b: {if: "github.ref == 'refs/heads/prod' && github.event_name == 'push'", steps: []}
          c: {if: "startsWith(github.ref, 'refs/tags/')", steps: []}
          d: {if: "success()", steps: []}
        """
    )
    a, b, c, d = workflow.jobs
    assert [t.kind.value for t in a.triggers] == ["push", "schedule"]
    assert [(t.kind.value, t.branches) for t in b.triggers] == [("push", ("prod",))]
    assert [t.kind.value for t in c.triggers] == ["tag", "schedule"]
    assert d.triggers == ()


def test_soft_jobs_and_steps() -> None:
    """`continue-on-error: true` makes soft, an expression that may be false does not."""
    assert step_of("continue-on-error: true\nrun: pytest").soft
    assert not step_of("continue-on-error: ${{ matrix.x }}\nrun: pytest").soft
    assert job_of("continue-on-error: true\nsteps: []").why_soft == "continue-on-error"


def test_matrix_inputs_and_env_are_put_in() -> None:
    """A literal matrix value or variable is the command that runs."""
    job = job_of(
        """
        strategy: {matrix: {cmd: [pytest, ruff check]}}
        env: {RUN: make test}
        steps:
          - run: ${{ matrix.cmd }} src
          - run: $RUN
          - run: echo ${{ secrets.KEY }}
        """
    )
    assert [c.argv for c in job.steps[0].commands] == [("pytest", "src"), ("ruff", "check", "src")]
    assert job.steps[1].commands[0].argv == ("make", "test")
    assert len(job.steps[2].commands[0].argv) == 2


def test_local_action_brings_its_steps_with_inputs() -> None:
    """A composite action's steps stand below the step that uses it, at their own file's lines."""
    job = job_of(
        "steps: [{uses: ./.github/act, with: {what: pytest}}]",
        **{
            ".github__act__action_y": """
            inputs: {what: {default: true}}
            runs:
              using: composite
              steps:
                - run: ${{ inputs.what }} -q
                  shell: bash
            """
        },
    )
    (step,) = job.steps
    assert step.local == ".github/act/action.yml"
    assert step.steps[0].commands[0].argv == ("pytest", "-q")
    assert step.steps[0].span.path == ".github/act/action.yml"
    assert step.steps[0].span.line == 6


def test_reusable_workflow_brings_its_jobs() -> None:
    """A local reusable workflow's jobs stand below the job; a foreign one is only named."""
    files = {
        ".github__workflows__r_y": """
        on: {workflow_call: {inputs: {t: {default: all}}}}
        jobs:
          x: {uses: ./.github/workflows/r.yml}
          y: {steps: [{run: "make ${{ inputs.t }}"}]}
        """
    }
    job = job_of("uses: ./.github/workflows/r.yml\nwith: {t: test}", **files)
    assert job.calls == ".github/workflows/r.yml"
    assert [inner.name for inner in job.jobs] == ["x", "y"]
    assert job.jobs[1].steps[0].commands[0].argv == ("make", "test")
    assert job.jobs[0].jobs == ()
    assert job_of("uses: a/b/.github/workflows/c.yml@v1").calls.startswith("a/b/")


def test_workflow_below_the_root_is_disabled() -> None:
    """GitHub runs no workflows of subfolders, and none without jobs or triggers."""
    text = "on: push\njobs: {a: {steps: [{run: pytest}]}}"
    assert "root" in read(text, path="sub/.github/workflows/ci.yml").disabled
    assert read("on: push\njobs:").disabled == "no jobs"
    assert "trigger" in read("jobs: {a: {steps: []}}").disabled


def test_checkout_into_a_folder_is_the_root() -> None:
    """Where the repository is checked out into a folder, that folder is its root."""
    job = job_of(
        """
        steps:
          - {uses: actions/checkout@v4, with: {path: me}}
          - {run: pytest, working-directory: me/app}
        """
    )
    assert job.steps[1].commands[0].cwd == "app"
    assert job.steps[1].cwd == "app"


def test_broken_file_is_a_workflow_that_says_why() -> None:
    """What is no YAML gives a workflow without jobs and an Unreadable."""
    workflow = read("on: [push\njobs:")
    assert not workflow.jobs
    assert "no YAML" in workflow.unreadable[0].reason


@given(st.one_of(st.binary(max_size=200), st.text("on: pushjbstei&*-[]{}|\n'\"$%", max_size=200)))
def test_arbitrary_input_never_raises(data: bytes | str) -> None:
    """Whatever the bytes, there is a workflow."""
    raw = data.encode() if isinstance(data, str) else data
    assert len(read_github(CI, raw, lambda _path: None)) == 1


def test_workflow_of_another_repository() -> None:
    """A job that calls one is a step that uses it, with the commands that its inputs name."""
    job = job_of(
        """
        uses: acme/ci/.github/workflows/python.yml@main
        with:
          tests_folder: tests/unit
          lint-command: ruff check .
          coverage: true
          build_script: ${{ vars.script }}
        """
    )
    (step,) = job.steps
    assert (job.calls, step.uses) == (job.calls, "acme/ci/.github/workflows/python.yml@main")
    assert [c.argv for c in step.commands] == [("pytest", "tests/unit"), ("ruff", "check", ".")]
    assert step.inputs["coverage"] == "true"


def test_tox_of_another_repository() -> None:
    """Environments that a workflow of tox gets are a run of tox."""
    job = job_of(
        """
        uses: acme/ci/.github/workflows/tox.yml@v1
        with:
          envs: |
            - linux: py312
        """
    )
    assert [c.argv for c in job.steps[0].commands] == [("tox",)]
