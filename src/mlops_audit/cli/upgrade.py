"""`upgrade`: a project lifted to a later template or a higher level."""

from __future__ import annotations

import sys

import click

__all__ = ["command"]


@click.command("upgrade", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("path", default=".", metavar="[PATH]")
@click.option("--level", type=int, help="Climb to this maturity level.")
@click.option(
    "-d", "--data", multiple=True, metavar="KEY=VALUE", help="Another answer (repeatable)."
)
@click.option("--ref", metavar="REF", help="The template's version (default: its latest release).")
@click.option("--source", metavar="PATH|URL", help="Another place of the template, e.g. a mirror.")
@click.option("--dry-run", is_flag=True, help="Only try it and say what would change.")
def command(
    path: str,
    level: int | None,
    data: tuple[str, ...],
    ref: str | None,
    source: str | None,
    dry_run: bool,  # noqa: FBT001 -- click passes it by name
) -> None:
    """Update a project from its template: tried in a scratch clone, audited before and after.

    Exit code 0: updated, or nothing to do. 1: conflicts, or a practice got worse; the project is
    then untouched. 2: the call is wrong.
    """
    from mlops_audit import check  # noqa: PLC0415 -- `--help` needs none of it
    from mlops_audit.cli.scaffolding import answers_of, told, usage  # noqa: PLC0415 -- the same
    from mlops_audit.scaffold.upgrade import upgrade  # noqa: PLC0415 -- the same

    with usage():
        done = upgrade(
            path, check, answers_of(data, level), ref=ref, source=source, write=not dry_run
        )
    click.echo(told(done, dry_run=dry_run), nl=False)
    if not done.clean:
        sys.exit(1)
