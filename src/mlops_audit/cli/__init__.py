"""The command line. This module imports click alone: a command is loaded when it is called."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from typing import Any

# Facts are many, small and live to the end, as what is imported does: collecting them again and
# again finds nothing and costs a tenth of an audit.
gc.set_threshold(200_000, 20, 20)

import click  # noqa: E402 -- see above

from mlops_audit import __version__  # noqa: E402 -- the same

__all__ = ["COMMANDS", "main"]

# Name → what `--help` says; each command lives in the module of its name.
COMMANDS = {
    "check": "Audit a repository: its maturity level, with evidence (the default).",
    "explain": "What a practice means, what counts, and how to mend it.",
    "practices": "List the practices.",
    "models": "List the maturity models.",
    "tools": "List the tools that the audit knows.",
    "map": "Show what runs when what: the execution graph.",
    "compare": "Two reports, folders or revisions side by side.",
    "badge": "Write the badge alone.",
    "new": "Generate a project from the template.",
    "fix": "The template's files that mend failing practices.",
    "upgrade": "Lift a project to a later template or a higher level.",
    "schema": "JSON Schemas of the report and the configuration.",
}
_ORDER = list(COMMANDS)


class _Lazy(click.Group):
    """A group that knows its commands' names and help, and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        return _ORDER

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        from importlib import import_module  # noqa: PLC0415 -- the point of this class

        return import_module(f"{__name__}.{cmd_name}").command  # type: ignore[no-any-return]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """`mlops-audit PATH` and `mlops-audit -f json` mean `mlops-audit check ...`."""
        own = {"--help", "-h", "--version"}
        if ctx.resilient_parsing:  # shell completion: what is typed so far may become a command
            return super().parse_args(ctx, args)
        if not args or (args[0] not in COMMANDS and args[0] not in own):
            args = ["check", *args]
        return super().parse_args(ctx, args)


@click.group(
    cls=_Lazy,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="mlops-audit", message="%(prog)s %(version)s")
def _group() -> None:
    """Which MLOps practices a repository really has, with file and line, and its maturity level.

    `mlops-audit PATH` means `mlops-audit check PATH`.
    """


def _open_streams() -> None:
    """Put the null device where a standard stream is closed (`2>&-`), as in many a daemon.

    Else the next pipe would get its number, and what is said would go into that pipe.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 -- open to the end


def main(args: list[str] | None = None) -> None:
    """Run the command line and exit: 0 met, 1 not met, 2 wrong call, 3 a bug here."""
    arguments = sys.argv[1:] if args is None else args
    _open_streams()
    try:
        code: Any = _group.main(arguments, prog_name="mlops-audit", standalone_mode=False)
    except click.exceptions.Exit as done:
        code = done.exit_code
    except click.Abort:
        code = 130
    except click.ClickException as error:
        error.show()
        code = 2
    except Exception as error:  # noqa: BLE001 -- the one place where a bug becomes exit code 3
        from mlops_audit.cli.failures import failed  # noqa: PLC0415 -- only when it is needed

        code = failed(error, arguments)
    status = code if isinstance(code, int) else 0
    if args is None:
        _end(status)
    sys.exit(status)


def _end(status: int) -> None:
    """End this process at once: to free all facts one by one costs a twentieth of an audit."""
    if sys.gettrace() is not None or sys.getprofile() is not None:
        return  # who measures writes at the ordinary end
    with suppress(OSError, ValueError):  # a stream that is gone: the ordinary end says so
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
