"""`check`: audit a repository and write the report in any number of formats."""

from __future__ import annotations

import click

from mlops_audit.cli.options import LEVEL, audit_options, complete_practices, format_options
from mlops_audit.reports import formats

__all__ = ["command"]


@click.command("check", context_settings={"help_option_names": ["-h", "--help"]})
@audit_options
@format_options(formats())
@click.option("--target", type=LEVEL, help="Level to measure the distance to; never gates.")
@click.option("--fail-under", type=LEVEL, help="Exit with 1 below this level.")
@click.option("--fail-under-score", type=float, metavar="N", help="Exit with 1 below this score.")
@click.option(
    "--select",
    multiple=True,
    metavar="IDS",
    shell_complete=complete_practices,
    help="List and gate only these practices.",
)
@click.option(
    "--ignore",
    multiple=True,
    metavar="IDS",
    shell_complete=complete_practices,
    help="Neither list nor gate these.",
)
@click.option(
    "--against",
    metavar="REV|FILE",
    help="Ratchet: exit with 1 only if a practice is worse than in that revision or report.",
)
@click.option(
    "--history",
    multiple=True,
    metavar="FILE",
    help="An earlier report of `-f json`, oldest first; repeatable. The page shows the way since.",
)
@click.pass_context
def command(ctx: click.Context, /, **given: object) -> None:
    """Audit PATH (default: here) and say its maturity level, with evidence.

    A PRACTICE is named by its id, a prefix of ids or its slug; a LEVEL by number or name. The
    n-th -o belongs to the n-th -f; one -f without -o, the last, goes to standard output.
    """
    from mlops_audit.cli.run import Call, run  # noqa: PLC0415 -- `--help` needs none of it

    ctx.exit(run(Call.of(given)))
