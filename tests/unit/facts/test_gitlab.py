"""GitLab CI."""

from __future__ import annotations

from textwrap import dedent

from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.ci import systems
from mlops_audit.facts.gitlab import read_gitlab
from mlops_audit.facts.types import Job, Workflow


def read(text: str, path: str = ".gitlab-ci.yml", **files: str) -> Workflow:
    """The pipeline; other files by name without their `.yml`."""
    tree = {f"ci/{name}.yml": dedent(body).encode() for name, body in files.items()}
    (workflow,) = read_gitlab(path, dedent(text).encode(), tree.get)
    return workflow


def jobs_of(text: str, **files: str) -> dict[str, Job]:
    """The pipeline's jobs by name."""
    return {job.name: job for job in read(text, **files).jobs}


def kinds(job: Job) -> list[str]:
    """The kinds of triggers that reach a job."""
    return [trigger.kind.value for trigger in job.triggers]


def test_which_files() -> None:
    """The root's file runs, one in a folder is disabled."""
    assert systems()["gitlab"].named(".gitlab-ci.yml")
    assert not systems()["gitlab"].named("ci/test.gitlab-ci.yml")
    assert read("a: {script: x}", "sub/.gitlab-ci.yml").disabled


def test_scripts_run_after_before_script_in_its_folder() -> None:
    """Commands know their lines, the folder that before_script went to, and pipefail's softness."""
    (job,) = read(
        """
        default:
          before_script:
            - cd app
        variables: {T: tests}
        test:
          script:
            - |
              pip install .
              pytest $T
            - make lint
          after_script: [rm -rf x]
        """
    ).jobs
    before, script, after = job.steps
    assert [(c.argv, c.span.line, c.cwd) for c in script.commands] == [
        (("pip", "install", "."), 9, "app"),
        (("pytest", "tests"), 10, "app"),
        (("make", "lint"), 11, "app"),
    ]
    assert before.commands[0].argv == ("cd", "app")
    assert after.soft


def test_includes_extends_and_references() -> None:
    """Local includes are merged, `extends` fills in, `!reference` brings another job's lines."""
    jobs = jobs_of(
        """
        include: [/ci/base.yml, {local: ci/gone.yml}, {project: a/b, file: c.yml}]
        test:
          extends: .base
          script: [!reference [.steps, script], "pytest"]
        """,
        base="""
        .base: {image: python, variables: {A: b}, script: [echo base]}
        .steps:
          script:
            - pip install .
        """,
    )
    assert list(jobs) == ["test"]
    assert jobs["test"].image == "python"
    commands = jobs["test"].steps[0].commands
    assert [(c.argv[0], c.span.path, c.span.line) for c in commands] == [
        ("pip", "ci/base.yml", 5),
        ("pytest", ".gitlab-ci.yml", 5),
    ]


def test_what_cannot_be_included_is_said() -> None:
    """An include of another project or of no file is an Unreadable beside the jobs."""
    workflow = read("include: [ci/gone.yml, {project: a/b, file: c.yml}]\na: {script: [x]}")
    assert len(workflow.unreadable) == 2
    assert len(workflow.jobs) == 1


def test_rules_narrow_the_triggers() -> None:
    """Rules by source, branch, tag and regular expression leave what they let start."""
    jobs = jobs_of(
        """
        a: {script: [x], rules: [{if: '$CI_PIPELINE_SOURCE == "schedule"'}]}
        b: {script: [x], rules: [{if: '$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH'}]}
        c: {script: [x], rules: [{if: '$CI_COMMIT_TAG'}]}
        d: {script: [x], rules: [{if: '$CI_COMMIT_BRANCH =~ /^rel/', when: manual}]}
        e: {script: [x], rules: [{if: '$CI_COMMIT_BRANCH', when: never}, {when: on_success}]}
        f: {script: [x], rules: [{when: never}]}
        """
    )
    assert kinds(jobs["a"]) == ["schedule"]
    first = jobs["b"].triggers[0]
    assert (first.kind.value, first.branches) == ("push", ("$default",))
    assert kinds(jobs["c"]) == ["tag"]
    assert jobs["d"].triggers[0].branches == ("/^rel/",)
    assert jobs["d"].manual
    assert kinds(jobs["e"]) == ["tag"]
    assert jobs["f"].disabled


def test_rules_over_tags() -> None:
    """A regular expression over tags lets tags start a job; a job's call may name one."""
    jobs = jobs_of(
        r"""
        a: {script: [x], rules: [{if: '$CI_COMMIT_TAG =~ /^v\d/ && $CI_PIPELINE_SOURCE == "push"'}]}
        b: {script: [x], rules: [{if: '$CI_COMMIT_TAG =~ /^v/ && $CI_PIPELINE_SOURCE == "web"'}]}
        c: {script: [x], rules: [{if: '$CI_PIPELINE_SOURCE == "pipeline" && $CI_COMMIT_TAG'}]}
        d: {script: [x], rules: [{if: '$CI_COMMIT_TAG =~ /^v/', when: never}]}
        """
    )
    assert kinds(jobs["a"]) == ["tag"]
    assert jobs["b"].disabled
    assert kinds(jobs["c"]) == ["event"]
    assert jobs["d"].disabled


def test_includes_below_a_hidden_folder() -> None:
    """A leading dot belongs to the folder's name, `./` and `/` do not."""
    tree = {".gitlab/ci/t.yml": b"t: {script: [pytest]}", "ci/u.yml": b"u: {script: [mypy]}"}
    root = b"include: [{local: .gitlab/ci/t.yml}, ./ci/u.yml]"
    (workflow,) = read_gitlab(".gitlab-ci.yml", root, tree.get)
    assert [job.name for job in workflow.jobs] == ["t", "u"]
    assert not workflow.unreadable


def test_only_and_except() -> None:
    """The older words do the same."""
    jobs = jobs_of(
        """
        a: {script: [x], only: [main]}
        b: {script: [x], only: [schedules]}
        c: {script: [x], only: {refs: [merge_requests]}}
        d: {script: [x], except: [main, tags]}
        e: {script: [x], only: [tags], except: [tags]}
        """
    )
    assert jobs["a"].triggers[0].branches == ("main",)
    assert kinds(jobs["b"]) == ["schedule"]
    assert kinds(jobs["c"]) == ["pull_request"]
    assert jobs["d"].triggers[0].branches_ignore == ("main",)
    assert "tag" not in kinds(jobs["d"])
    assert jobs["e"].disabled


def test_workflow_rules_decide_for_all() -> None:
    """`workflow: rules` that hold for merge requests only leave a push out."""
    workflow = read(
        """
        workflow: {rules: [{if: '$CI_PIPELINE_SOURCE == "merge_request_event"'}]}
        a: {script: [pytest]}
        """
    )
    assert [trigger.kind.value for trigger in workflow.triggers] == ["pull_request"]
    assert read("workflow: {rules: [{when: never}]}\na: {script: [x]}").disabled


def test_manual_soft_and_stage_order() -> None:
    """`when: manual`, `allow_failure` and the order of stages are read; hidden jobs are none."""
    jobs = jobs_of(
        """
        stages: [check, ship]
        .hidden: {script: [x]}
        lint: {stage: check, script: [x], allow_failure: true}
        ship: {stage: ship, script: [x], when: manual, environment: {name: prod}}
        free: {stage: ship, needs: [], script: [x]}
        """
    )
    assert list(jobs) == ["lint", "ship", "free"]
    assert jobs["lint"].soft
    assert (jobs["ship"].manual, jobs["ship"].environment) == (True, "prod")
    assert jobs["ship"].needs == ("lint",)
    assert jobs["free"].needs == ()


def test_child_pipelines_bring_their_jobs() -> None:
    """A child pipeline's jobs stand below the job that triggers it, cycles end."""
    text = "up: {trigger: {include: ci/child.yml}}"
    jobs = jobs_of(text, child="t: {script: [pytest]}\nagain: {trigger: {include: ci/child.yml}}")
    assert jobs["up"].calls == "ci/child.yml"
    assert jobs["up"].jobs[0].steps[0].commands[0].argv == ("pytest",)


def test_cycles_end() -> None:
    """Jobs that extend or reference each other, files that include each other, end."""
    workflow = read(
        """
        include: ci/a.yml
        x: {extends: y, script: [!reference [x, script], pytest]}
        y: {extends: x}
        """,
        a="include: ci/a.yml\nz: {script: [ls]}",
    )
    assert len(workflow.jobs) == 3


@given(st.one_of(st.binary(max_size=200), st.text("script:rulesonly []{}-\n!'$", max_size=200)))
def test_arbitrary_input_never_raises(data: bytes | str) -> None:
    """Whatever the bytes, there is a workflow."""
    raw = data.encode() if isinstance(data, str) else data
    assert len(read_gitlab(".gitlab-ci.yml", raw, lambda _path: None)) == 1
