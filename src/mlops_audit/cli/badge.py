"""`badge`: the badge alone."""

from __future__ import annotations

import click

from mlops_audit.cli.options import audit_options

__all__ = ["command"]


@click.command("badge", context_settings={"help_option_names": ["-h", "--help"]})
@audit_options
@click.option("-o", "--output", metavar="FILE", help="Where it goes (default: standard output).")
@click.option("-f", "--format", "form", type=click.Choice(["svg", "json"]), default="svg")
@click.pass_context
def command(ctx: click.Context, /, output: str | None, form: str, **given: object) -> None:
    """Audit PATH and write its badge: an SVG, or JSON for a shields.io endpoint."""
    from mlops_audit.cli.run import Call, run  # noqa: PLC0415 -- `--help` needs none of it

    name = "badge-json" if form == "json" else "badge"
    call = Call.of({**given, "formats": (name,), "outputs": (output,) if output else ()})
    ctx.exit(run(call, gate=False))
