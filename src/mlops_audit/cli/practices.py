"""`practices`: the catalogue of practices."""

from __future__ import annotations

import click

from mlops_audit.cli.options import list_format

__all__ = ["command"]


@click.command("practices", context_settings={"help_option_names": ["-h", "--help"]})
@list_format
def command(form: str) -> None:
    """List the practices with what the levels of the ladder ask."""
    from mlops_audit.cli.catalogues import practices, table  # noqa: PLC0415 -- as in `explain`

    click.echo(table(practices(), form), nl=False)
