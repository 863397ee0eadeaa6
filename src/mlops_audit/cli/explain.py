"""`explain`: what a practice means, what counts and what never does, how to mend it."""

from __future__ import annotations

import click

from mlops_audit.cli.options import color_option, complete_practices

__all__ = ["command"]


@click.command("explain", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("practice", shell_complete=complete_practices)
@color_option
def command(practice: str, color: bool | None) -> None:  # noqa: FBT001 -- click passes it by name
    """Explain PRACTICE, named by its id or slug: meaning, what counts, first step, examples."""
    from mlops_audit.cli.explaining import explain  # noqa: PLC0415 -- `--help` needs none of it
    from mlops_audit.cli.terminal import put  # noqa: PLC0415 -- the same

    put(explain(practice, color=color))
