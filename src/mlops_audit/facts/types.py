"""Typed facts that several readers produce: commands, task targets, workflows, unreadable files.

A reader is a pure function `bytes -> facts`; every fact carries the `Span` it was read at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

from msgspec import Struct, field

from mlops_audit.model import Span

__all__ = [
    "Command",
    "Getter",
    "Job",
    "Step",
    "Target",
    "Trigger",
    "TriggerKind",
    "Unreadable",
    "Workflow",
]

# What a reader that follows includes asks for another file, by its path; None where there is none.
Getter = Callable[[str], bytes | None]


class Unreadable(Struct, frozen=True):
    """A file, or a part of it, that a reader could not understand, and why."""

    span: Span
    reason: str


class Command(Struct, frozen=True):
    """One simple command of a shell text, after real tokenising.

    `argv` holds the words without redirections and assignments; variables that the text itself
    sets to a literal are substituted, others stay as `$NAME`. `cwd` is the folder (POSIX, relative
    to where the text starts) after the `cd`s before it. `soft` says that its failure cannot fail
    the text (`|| true`, a pipe without pipefail, a later command deciding the exit status of a
    text run without `-e`, an `if`'s condition); `why_soft` says which.
    """

    argv: tuple[str, ...]
    span: Span
    text: str
    cwd: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    soft: bool = False
    why_soft: str = ""
    condition: str = ""
    stdin: str = ""  # the text it reads from a heredoc, a here-string or an `echo` before the pipe
    stdout: str = ""  # the file that takes its standard output
    errexit: bool = False  # whether the shell that runs it stops at the first failure

    @property
    def program(self) -> str:
        """The first word's base name, or an empty string."""
        return self.argv[0].rsplit("/", 1)[-1] if self.argv else ""


class Target(Struct, frozen=True):
    """A named job of a task runner (make target, tox environment, npm script, DVC stage, ...).

    `runner` is `make`, `just`, `tox`, `nox`, `mise`, `poe`, `hatch`, `pdm`, `npm`, `invoke`,
    `task`, `pixi`, `doit`, `rake`, `script`, `dvc`, `mlproject`, ... `needs` names targets of the
    same file that run first. `outputs` and `inputs` are files where the runner declares them
    (`make`: a file target's prerequisites; `dvc`: outs and deps). `folder` is where the commands
    run, relative to the repository's root.
    """

    runner: str
    name: str
    span: Span
    commands: tuple[Command, ...] = ()
    needs: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    folder: str = ""
    phony: bool = True
    soft: bool = False
    doc: str = ""
    calls: tuple[str, ...] = ()  # dotted Python functions it runs (invoke, nox, poe `script`)
    default: bool = True  # whether the runner starts it when no name is given
    installs: tuple[str, ...] = ()  # requirements that its environment installs (tox, nox, hooks)


class TriggerKind(StrEnum):
    """What starts a workflow."""

    PUSH = "push"
    PULL_REQUEST = "pull_request"
    TAG = "tag"
    RELEASE = "release"
    SCHEDULE = "schedule"
    MANUAL = "manual"
    CALL = "call"  # only from another workflow
    WORKFLOW = "workflow"  # after another workflow has run; `after` names it
    EVENT = "event"  # repository_dispatch, webhook, API, storage or queue event
    EXTERNAL = "external"  # the trigger lives outside the file (Cloud Build, CodeBuild, Tekton)


class Trigger(Struct, frozen=True):
    """One way in which a workflow starts, with its filters as written."""

    kind: TriggerKind
    span: Span
    branches: tuple[str, ...] = ()
    branches_ignore: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    paths_ignore: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    cron: str = ""
    after: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    disabled: str = ""  # why it can never fire, as the file itself says (if: false, DISABLED, ...)


class Step(Struct, frozen=True):
    """One step of a job: a shell text, an action, or a template's parameters.

    `run` is the raw script; `commands` its tokenised commands with the file's own line numbers.
    `uses` is the action, orb, pipe, task or plugin named (`actions/checkout@v4`), `inputs` its
    parameters. `local` is the path of a composite action or step template of this repository, and
    `steps` what it brings here with these inputs applied. `disabled` says why the step can never
    run; `void_condition` why a condition that looks like a gate is none (it always holds).
    `triggers` are the workflow's triggers for which its condition can hold, empty for all.
    """

    span: Span
    name: str = ""
    run: str = ""
    commands: tuple[Command, ...] = ()
    uses: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    condition: str = ""
    soft: bool = False
    why_soft: str = ""
    local: str = ""
    cwd: str = ""
    image: str = ""
    steps: tuple[Step, ...] = ()
    disabled: str = ""
    void_condition: str = ""
    triggers: tuple[Trigger, ...] = ()


class Job(Struct, frozen=True):
    """One job.

    `calls` is the reusable workflow or child pipeline it hands over to, and `jobs` that file's
    jobs with these inputs applied where it is in this repository. `triggers` are the workflow's
    triggers that reach this job where its own rules narrow them, empty for all. `disabled` and
    `void_condition` as in `Step`.
    """

    name: str
    span: Span
    steps: tuple[Step, ...] = ()
    needs: tuple[str, ...] = ()
    condition: str = ""
    soft: bool = False
    why_soft: str = ""
    environment: str = ""
    image: str = ""
    calls: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    manual: bool = False  # a person starts this job within the run (GitLab `when: manual`)
    triggers: tuple[Trigger, ...] = ()
    jobs: tuple[Job, ...] = ()
    disabled: str = ""
    void_condition: str = ""
    runner: str = ""  # the machine that is asked for (`ubuntu-latest`, labels of an own one)


class Workflow(Struct, frozen=True):
    """One workflow of a CI/CD system.

    `system` is `github`, `gitlab`, `azure`, `circleci`, `jenkins`, `travis`, `bitbucket`, `drone`,
    `buildkite`, `cloudbuild`, `codebuild`, `codepipeline`, `tekton`, `argo`, ... `disabled` says
    why the file as a whole cannot run. `reusable` marks step templates, composite actions and
    reusable workflows that only others start.
    """

    system: str
    path: str
    name: str
    span: Span
    triggers: tuple[Trigger, ...] = ()
    jobs: tuple[Job, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    permissions: str = ""
    reusable: bool = False
    disabled: str = ""
    unreadable: tuple[Unreadable, ...] = ()
