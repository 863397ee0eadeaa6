"""CircleCI."""

from __future__ import annotations

from textwrap import dedent

from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.ci import systems
from mlops_audit.facts.ci.circleci import read_circleci
from mlops_audit.facts.types import Workflow

CI = ".circleci/config.yml"


def read(text: str, path: str = CI) -> tuple[Workflow, ...]:
    """The workflows of a file."""
    return read_circleci(path, dedent(text).encode(), lambda _path: None)


def test_jobs_commands_and_parameters() -> None:
    """A command of the file brings its steps with the caller's parameters, orbs are named."""
    (workflow,) = read(
        """
        version: 2.1
        orbs: {python: circleci/python@2}
        commands:
          check:
            parameters: {what: {type: string, default: all}}
            steps:
              - run: make << parameters.what >>
        jobs:
          test:
            docker: [{image: cimg/python:3.11}]
            working_directory: ~/repo
            steps:
              - checkout
              - python/install-packages: {pkg-manager: pip}
              - check: {what: lint}
              - run:
                  name: Tests
                  working_directory: app
                  command: |
                    pytest | tee log
              - when: {condition: false, steps: [run: never]}
        workflows:
          main:
            jobs: [test]
        """
    )
    (job,) = workflow.jobs
    assert job.image == "cimg/python:3.11"
    assert [step.uses for step in job.steps] == [
        "checkout",
        "python/install-packages",
        "check",
        "",
        "",
    ]
    assert job.steps[2].steps[0].commands[0].argv == ("make", "lint")
    tests = job.steps[3].commands[0]
    assert (tests.argv, tests.span.line, tests.cwd, tests.soft) == (("pytest",), 21, "app", False)
    assert job.steps[4].disabled


def test_filters_schedules_and_approvals() -> None:
    """Filters narrow the push, a schedule replaces it, an approval is a person's."""
    ci, nightly, off = read(
        """
        jobs: {a: {steps: [{run: x}]}}
        workflows:
          version: 2
          ci:
            jobs:
              - hold: {type: approval}
              - a:
                  requires: [hold]
                  filters: {branches: {only: [main, /rel.*/]}}
              - a: {name: b, filters: {branches: {ignore: /.*/}, tags: {only: /v.*/}}}
          nightly:
            triggers: [{schedule: {cron: "0 0 * * *", filters: {branches: {only: main}}}}]
            jobs: [a]
          off: {when: false, jobs: [a]}
        """
    )
    hold, a, b = ci.jobs
    assert hold.manual
    assert (a.needs, a.triggers[0].branches) == (("hold",), ("main", "/rel.*/"))
    assert [t.kind.value for t in b.triggers] == ["tag"]
    (schedule,) = nightly.triggers
    assert (schedule.kind.value, schedule.cron, schedule.branches) == (
        "schedule",
        "0 0 * * *",
        ("main",),
    )
    assert off.disabled


def test_a_tag_starts_only_the_jobs_that_name_tags() -> None:
    """A job with a tag filter gives its workflow a second trigger, which the others do not have."""
    (workflow,) = read(
        """
        version: 2.1
        jobs:
          test: {docker: [{image: a}], steps: [{run: pytest}]}
          upload: {docker: [{image: a}], steps: [{run: make upload}]}
        workflows:
          main:
            jobs:
              - test
              - upload: {filters: {branches: {ignore: /.*/}, tags: {only: /^v.*/}}}
        """
    )
    assert [t.kind for t in workflow.triggers] == ["push", "tag"]
    assert {job.name: [t.kind for t in job.triggers] for job in workflow.jobs} == {
        "test": ["push"],
        "upload": ["tag"],
    }


def test_a_folder_below_the_checkout_is_the_jobs_own() -> None:
    """The working folder counts from where the checkout step puts the repository."""
    (workflow,) = read(
        """
        version: 2.1
        jobs:
          test:
            docker: [{image: a}]
            working_directory: ~/project/services/api
            steps: [{checkout: {path: ~/project}}, {run: tox}]
        workflows:
          main: {jobs: [test]}
        """
    )
    (job,) = workflow.jobs
    assert [c.cwd for step in job.steps for c in step.commands] == ["services/api"]


def test_without_workflows_the_job_build_runs() -> None:
    """Version 2 files run `build` on push; a file with neither is hollow."""
    (workflow,) = read("jobs: {build: {steps: [{run: pytest}]}}")
    assert workflow.jobs[0].steps[0].commands[0].argv == ("pytest",)
    assert read("jobs: {test: {steps: []}}")[0].disabled
    assert read("jobs: {build: {steps: []}}", "sub/.circleci/config.yml")[0].disabled
    assert systems()["circleci"].named(CI)


def test_recursive_commands_end() -> None:
    """A command that calls itself is cut off."""
    (workflow,) = read("commands: {a: {steps: [a, a]}}\njobs: {build: {steps: [a]}}")
    assert workflow.jobs[0].steps


@given(st.one_of(st.binary(max_size=200), st.text("jobs:stepworkfl<>- []{}\n!'$", max_size=200)))
def test_arbitrary_input_never_raises(data: bytes | str) -> None:
    """Whatever the bytes, there is a workflow."""
    raw = data.encode() if isinstance(data, str) else data
    assert read_circleci(CI, raw, lambda _path: None)
