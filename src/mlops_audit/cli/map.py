"""`map`: what runs when what."""

from __future__ import annotations

import click

__all__ = ["command"]


@click.command("map", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("path", default=".", type=click.Path())
@click.option("--rev", metavar="REV", help="A commit, tag or branch, without checkout.")
@click.option("--config", metavar="FILE", help="Configuration in place of the repository's.")
@click.option(
    "-f", "--format", "form", type=click.Choice(["text", "mermaid", "json"]), default="text"
)
def command(path: str, rev: str | None, config: str | None, form: str) -> None:
    """Show PATH's execution graph: triggers, jobs, commands, and the code that they run."""
    from mlops_audit.cli.run import Call, project_of  # noqa: PLC0415 -- `--help` needs none of it
    from mlops_audit.reports.mapping import draw  # noqa: PLC0415 -- the same

    click.echo(draw(project_of(Call(path=path, rev=rev, config=config)), form), nl=False)
