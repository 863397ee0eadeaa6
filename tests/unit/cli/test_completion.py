"""Completion as a shell asks for it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


def asked(*words: str) -> list[str]:
    """What bash is offered for the last word."""
    env = os.environ | {
        "COMP_WORDS": " ".join(("mlops-audit", *words)),
        "COMP_CWORD": str(len(words)),
        "_MLOPS_AUDIT_COMPLETE": "bash_complete",
    }
    code = "from mlops_audit.cli import main; main()"
    argv = [sys.executable, "-c", code]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("ex",), ["explain"]),
        (("check", "--fail-under-s"), ["--fail-under-score"]),
        (("check", "-f", "sa"), ["sarif"]),
        (("check", "--model", "goo"), ["google"]),
        (("check", "--fail-under", "rep"), ["Reproducible"]),
        (("check", "--select", "AUT01,STR06"), ["AUT01,STR06"]),
        (("explain", "pipeline-as"), ["pipeline-as-code"]),
        (("fix", "aut01"), ["AUT01"]),
    ],
)
def test_a_shell_is_offered_what_exists(words: tuple[str, ...], offered: list[str]) -> None:
    """Commands, options, formats, models, levels and practices are completed."""
    assert asked(*words) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell_is_written(shell: str) -> None:
    """The variable that the documents name gives a script for each shell."""
    env = os.environ | {"_MLOPS_AUDIT_COMPLETE": f"{shell}_source"}
    argv = [sys.executable, "-c", "from mlops_audit.cli import main; main()"]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    assert "_MLOPS_AUDIT_COMPLETE" in done.stdout, done.stderr
