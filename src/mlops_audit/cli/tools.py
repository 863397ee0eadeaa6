"""`tools`: the tools that the audit knows."""

from __future__ import annotations

import click

from mlops_audit.cli.options import list_format

__all__ = ["command"]


@click.command("tools", context_settings={"help_option_names": ["-h", "--help"]})
@list_format
def command(form: str) -> None:
    """List the tools that the audit knows, with what each is evidence of."""
    from mlops_audit.cli.catalogues import table, tools  # noqa: PLC0415 -- as in `explain`

    click.echo(table(tools(), form), nl=False)
