"""`compare`: two reports, folders or revisions side by side."""

from __future__ import annotations

import click

from mlops_audit.cli.options import color_option

__all__ = ["command"]


@click.command("compare", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option(
    "-C", "--repository", default=".", metavar="PATH", help="Whose revisions A and B are."
)
@click.option(
    "-f", "--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text"
)
@color_option
def command(a: str, b: str, repository: str, form: str, color: bool | None) -> None:  # noqa: FBT001 -- click passes it by name
    """Compare A with B: each a report of `-f json`, a folder, or a revision of the repository."""
    from mlops_audit.cli.comparing import compared  # noqa: PLC0415 -- `--help` needs none of it
    from mlops_audit.cli.terminal import put  # noqa: PLC0415 -- the same

    put(compared(a, b, repository, form, color=color))
