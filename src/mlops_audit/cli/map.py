"""`map`: the way from a trigger to a monitored model and back."""

from __future__ import annotations

import click

__all__ = ["command"]


@click.command("map", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("path", default=".", type=click.Path())
@click.option("--rev", metavar="REV", help="A commit, tag or branch, without checkout.")
@click.option("--project", metavar="PATH", help="One project of several in the repository.")
@click.option("--config", metavar="FILE", help="Configuration in place of the repository's.")
@click.option("-o", "--output", metavar="FILE", help="Where it goes (default: standard output).")
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(["text", "mermaid", "svg", "json"]),
    default="text",
    help="Format of the picture.",
)
def command(form: str, output: str | None, **given: str | None) -> None:
    """Draw PATH's loop: triggers, jobs, stages, code, artifacts, registry, service, monitors.

    Missing links are drawn as missing, with what was looked for.
    """
    from mlops_audit.cli.run import Call, drawn  # noqa: PLC0415 -- `--help` needs none of it

    drawn(Call.of(given), form, output)
