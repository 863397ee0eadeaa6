"""`new`: a project from the template."""

from __future__ import annotations

import sys

import click

__all__ = ["command"]


@click.command("new", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("dest", metavar="DEST")
@click.option("-d", "--data", multiple=True, metavar="KEY=VALUE", help="An answer (repeatable).")
@click.option("--level", type=int, help="The maturity level to begin with.")
@click.option("--defaults", is_flag=True, help="Ask nothing, take the defaults.")
@click.option("--source", metavar="PATH|URL", help="Another place of the template.")
@click.option("--ref", metavar="REF", help="A version of the template.")
def command(
    dest: str,
    data: tuple[str, ...],
    level: int | None,
    defaults: bool,  # noqa: FBT001 -- click passes it by name
    source: str | None,
    ref: str | None,
) -> None:
    """Generate a working ML project into DEST. Files that exist there are left as they are."""
    from mlops_audit.cli.scaffolding import answers_of, usage  # noqa: PLC0415 -- `--help` needs none
    from mlops_audit.scaffold.new import make  # noqa: PLC0415 -- the same
    from mlops_audit.scaffold.source import find_source  # noqa: PLC0415 -- the same

    ask = not defaults and not data and sys.stdin.isatty() and sys.stdout.isatty()
    with usage():
        made = make(dest, find_source(source, ref), answers_of(data, level), ask=ask)
    kept = f" ({made.kept} files that were there are untouched)" if made.kept else ""
    click.echo(f"{dest}: a project from the template{kept}. Its README says what to do first.")
    if made.note:
        click.echo(made.note, err=True)
