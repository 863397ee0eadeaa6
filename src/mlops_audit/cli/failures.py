"""What ends a command early: a wrong call is one line and 2, a bug here says so and is 3."""

from __future__ import annotations

import traceback

import click

from mlops_audit.config import ConfigError
from mlops_audit.reports.safe import one_line

__all__ = ["failed"]

_ISSUES = "https://github.com/mlops-audit/mlops-audit/issues"


def failed(error: Exception, arguments: list[str]) -> int:
    """Say what went wrong on standard error and give the exit code.

    Args:
        error: what was raised.
        arguments: the command line; `-v` in it shows a bug's traceback.
    """
    if isinstance(error, ConfigError) or type(error).__name__ == "TreeError":
        click.echo(f"Error: {one_line(str(error))}", err=True)
        return 2
    said = one_line(f"{type(error).__name__}: {error}")
    click.echo(f"This is a bug in mlops-audit ({said}).", err=True)
    click.echo(f"Please report it at {_ISSUES}", err=True)
    if any(a == "--verbose" or (a.startswith("-v") and set(a[1:]) == {"v"}) for a in arguments):
        click.echo("".join(traceback.format_exception(error)), err=True)
    else:
        click.echo("Run again with -v for the traceback.", err=True)
    return 3
