"""`models`: the maturity models."""

from __future__ import annotations

import click

from mlops_audit.cli.options import list_format

__all__ = ["command"]


@click.command("models", context_settings={"help_option_names": ["-h", "--help"]})
@list_format
def command(form: str) -> None:
    """List the maturity models with their levels and sources."""
    from mlops_audit.cli.catalogues import models, table  # noqa: PLC0415 -- as in `explain`

    click.echo(table(models(), form), nl=False)
