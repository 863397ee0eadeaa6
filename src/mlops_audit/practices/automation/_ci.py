"""What the practices about CI share: jobs that do something, and how a person starts a build."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from mlops_audit.facts.types import Command, Job, Trigger, TriggerKind, Workflow
from mlops_audit.graph import Project
from mlops_audit.graph.execution import Reach
from mlops_audit.model import Evidence
from mlops_audit.regex import regex

__all__ = ["dead_triggers", "described", "does_something", "started_by_hand", "unattended"]

# Commands that only speak, look around or set the stage: a job of these alone checks nothing.
_IDLE = frozenset(
    {"echo", "printf", "ls", "pwd", "cat", "true", ":", "date", "whoami",
     "env", "sleep", "export", "set", "cd", "exit", "printenv", "uname", "df"}
)  # fmt: skip
_IDLE_ACTIONS = regex(
    # Bots that look after issues and pull requests, or tell of them, check no code either.
    r"^(actions/(checkout|setup-|cache|labeler|stale|first-interaction)|.*setup-(python|node|uv)|"
    r".*(pr-labeler|release-drafter|cla-assistant|contributor-assistant|auto-assign|lock-threads|"
    r"all-contributors|latest-changes|issue-manager|gajira|jira|trello|asana|add-to-project|"
    r"action-slack|slack-(github-)?action|slack-notify|notify-slack|action-discord|telegram|greetings))",
    re.IGNORECASE,
)
# Submitting a build from a laptop: what the repository itself shows a person do.
_SUBMIT = regex(
    r"^gcloud (beta |alpha )?builds submit|^aws codebuild start-build|^tkn pipeline start"
)


def does_something(workflow: Workflow, job: Job) -> bool:
    """Whether a job runs more than echoes, listings and set-up actions."""
    if job.disabled or job.condition.strip().strip("${} ").lower() == "false":
        return False
    if job.calls:
        return True
    for step in job.steps:
        if step.disabled:
            continue
        if any(c.program not in _IDLE for c in step.commands if c.argv):
            return True
        if (step.uses and not _IDLE_ACTIONS.match(step.uses)) or step.local:
            return True
    return workflow.system == "codepipeline" and bool(job.steps)


def starts(project: Project, job: Job, trigger: Trigger) -> bool:
    """Whether a trigger of its workflow starts a job, by the job's own conditions."""
    live = (t for t in job.triggers if project.trigger_is_live(t)[0])
    return not job.triggers or any(t.kind == trigger.kind for t in live)


def dead_triggers(project: Project) -> Iterator[tuple[Workflow, Trigger, str]]:
    """Triggers on a change that can never fire, with the reason."""
    for workflow in project.workflows:
        for trigger in workflow.triggers:
            live, why = project.trigger_is_live(trigger)
            if not live:
                yield workflow, trigger, why


def started_by_hand(project: Project, path: str) -> Evidence | None:
    """A command of a notebook, script or task by which a person submits a build file.

    A command that names its build file (by an option, or as the default in its source folder)
    says so of that file alone; where a variable names it, of every file.
    """
    for command, where in project.all_commands:
        if where not in {"notebook", "script", "make"} or not _SUBMIT.match(" ".join(command.argv)):
            continue
        named = _submitted(project, command)
        if named is None or named == path:
            return Evidence(command.span, command.text)
    return None


def _submitted(project: Project, command: Command) -> str | None:
    """The build file that `gcloud builds submit` sends, None where it cannot be told."""
    if command.program != "gcloud":
        return None
    words = command.argv[command.argv.index("submit") + 1 :]
    config, sources = "", []
    for at, word in enumerate(words):
        if word.startswith("--config"):
            config = word.partition("=")[2] or "".join(words[at + 1 : at + 2])
        elif not word.startswith("-") and (at == 0 or not words[at - 1].startswith("--")):
            sources.append(word)
    if not config and any(w.split("=")[0] in {"--tag", "-t", "--pack"} for w in words):
        return ""  # an image is built from its Dockerfile: no build file takes part
    given = config or posixpath.join(sources[0] if sources else "", "cloudbuild.yaml")
    path = posixpath.normpath(posixpath.join(command.cwd, given))
    return path if project.has(path) else None


def unattended(project: Project) -> Reach:
    """What automation runs without a person who starts it each time."""
    return project.ci(*(k for k in TriggerKind if k is not TriggerKind.MANUAL))


def described(workflow: Workflow) -> str:
    """A workflow as a reason names it."""
    return workflow.name or workflow.path
