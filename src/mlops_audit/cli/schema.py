"""`schema`: JSON Schemas of what others write and read."""

from __future__ import annotations

import click

__all__ = ["command"]


@click.command("schema", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("which", type=click.Choice(["report", "config"]))
def command(which: str) -> None:
    """Write the JSON Schema of the report (-f json) or of the configuration."""
    import json  # noqa: PLC0415 -- `--help` needs none of it

    from mlops_audit.reports.report_schema import report_schema  # noqa: PLC0415 -- the same
    from mlops_audit.schema import config_schema  # noqa: PLC0415 -- the same

    schema = report_schema() if which == "report" else config_schema()
    click.echo(json.dumps(schema, indent=2))
