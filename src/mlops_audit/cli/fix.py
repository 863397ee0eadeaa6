"""`fix`: the template's files for failing practices."""

from __future__ import annotations

import click

from mlops_audit.cli.options import complete_practices

__all__ = ["command"]


@click.command("fix", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("ids", nargs=-1, metavar="[ID]...", shell_complete=complete_practices)
@click.option("--path", default=".", metavar="PATH", help="The repository (default: here).")
@click.option("--write", is_flag=True, help="Write the files that do not exist yet.")
@click.option("--source", metavar="PATH|URL", help="Another place of the template.")
@click.option("--ref", metavar="REF", help="A version of the template.")
def command(
    ids: tuple[str, ...],
    path: str,
    write: bool,  # noqa: FBT001 -- click passes it by name
    source: str | None,
    ref: str | None,
) -> None:
    """Show the template's files that would mend failing practices, as a diff.

    Without IDs: the practices that block the next level. `--write` writes them, never over a file
    that exists.
    """
    from mlops_audit import check  # noqa: PLC0415 -- `--help` needs none of it
    from mlops_audit.cli.scaffolding import named, usage  # noqa: PLC0415 -- the same
    from mlops_audit.scaffold import fix  # noqa: PLC0415 -- the same
    from mlops_audit.scaffold.source import find_source  # noqa: PLC0415 -- the same

    with usage():
        wanted = named(ids)
        offered = fix.offers(check(path), path, find_source(source, ref), wanted)
    if not offered:
        click.echo("The template has no file for what fails here; `explain` says how to mend it.")
        return
    for offer in offered:
        practices = ", ".join(offer.practices)
        if offer.exists:
            click.echo(f"# {offer.path} ({practices}) exists and is left as it is")
        else:
            click.echo(f"# {offer.path} ({practices})")
            click.echo(offer.diff(), nl=False)
    if write:
        written = fix.write(path, offered)
        click.echo(f"# written: {', '.join(written) or 'nothing'}", err=True)
