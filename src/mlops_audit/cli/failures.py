"""What ends a command early: a wrong call is one line and 2, a bug here says so and is 3."""

from __future__ import annotations

import errno
import os

import click

from mlops_audit.config import ConfigError
from mlops_audit.reports.safe import one_line
from mlops_audit.schema import nearest
from mlops_audit.tree import TreeError

__all__ = ["failed"]

# A disk that is full or broken; other errors of the system are foreseen where they can happen.
_UNWRITABLE = {errno.ENOSPC, errno.EIO, errno.EFBIG}
_ISSUES = "https://github.com/mlops-audit/mlops-audit/issues"


def _meant(arguments: list[str]) -> str:
    """A folder that does not exist may be a command that was mistyped."""
    from mlops_audit.cli import COMMANDS  # noqa: PLC0415 -- which imports this module on failure

    word = arguments[0] if arguments else ""
    return nearest(word, COMMANDS) if word and word not in COMMANDS else ""


def failed(error: Exception, arguments: list[str]) -> int:
    """Say what went wrong on standard error and give the exit code.

    Args:
        error: what was raised.
        arguments: the command line; `-v` in it shows a bug's traceback.
    """
    if isinstance(error, ConfigError | TreeError):
        hint = _meant(arguments) if isinstance(error, TreeError) else ""
        click.echo(f"Error: {one_line(str(error))}{hint}", err=True)
        return 2
    if isinstance(error, OSError) and error.errno in _UNWRITABLE:
        click.echo(f"Error: the report cannot be written: {error.strerror}", err=True)
        # What is still to be written would fail once more when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 2
    said = one_line(f"{type(error).__name__}: {error}")
    click.echo(f"This is a bug in mlops-audit ({said}).", err=True)
    click.echo(f"Please report it at {_ISSUES}", err=True)
    if any(a == "--verbose" or (a.startswith("-v") and set(a[1:]) == {"v"}) for a in arguments):
        import traceback  # noqa: PLC0415 -- a fault is rare, and every start would pay for it

        click.echo("".join(traceback.format_exception(error)), err=True)
    else:
        click.echo("Run again with -v for the traceback.", err=True)
    return 3
