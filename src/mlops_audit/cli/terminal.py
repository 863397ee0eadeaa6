"""What the terminal can show: width, colour, links, characters beyond ASCII."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TextIO

import click

from mlops_audit.reports import Options

__all__ = ["options_for", "put"]

_NARROW, _WIDE = 60, 100
_LINKS = {"iTerm.app", "WezTerm", "vscode", "Hyper", "ghostty", "WarpTerminal"}


def options_for(
    stream: TextIO, environment: Mapping[str, str], *, color: bool | None, to_file: bool = False
) -> Options:
    """How to write to `stream`; 80 columns and no colour where it is no terminal.

    Args:
        stream: standard output.
        environment: the process's environment (`NO_COLOR`, `FORCE_COLOR`, `TERM` …).
        color: what the call asked for, None where it asked nothing.
        to_file: the text goes to a file instead.
    """
    terminal = not to_file and stream.isatty() and environment.get("TERM") != "dumb"
    if color is None:
        forced = environment.get("FORCE_COLOR") not in (None, "", "0")
        color = (terminal or (forced and not to_file)) and not environment.get("NO_COLOR")
    width = _columns() if terminal else 80
    encoding = "utf-8" if to_file else (stream.encoding or "ascii")
    return Options(
        width=max(_NARROW, min(width, _WIDE)),
        color=bool(color),
        links=bool(terminal and color and _has_links(environment)),
        ascii_only="utf" not in encoding.lower(),
    )


def _columns() -> int:
    import shutil  # noqa: PLC0415 -- costs 4 ms, and a pipe has no width

    return shutil.get_terminal_size((80, 24)).columns


def _has_links(environment: Mapping[str, str]) -> bool:
    """Whether the terminal is known to understand OSC 8."""
    if environment.get("TERM_PROGRAM") in _LINKS or environment.get("WT_SESSION"):
        return True
    if "kitty" in environment.get("TERM", "") or environment.get("KONSOLE_VERSION"):
        return True
    vte = environment.get("VTE_VERSION", "")
    return vte.isdecimal() and int(vte) >= 5000  # noqa: PLR2004 -- the first VTE with OSC 8


def put(text: str) -> None:
    """Write on standard output as it is: colours were decided before, also for a pipe."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        click.echo(text.encode(encoding, "backslashreplace"), nl=False)
    except BrokenPipeError:  # the reader went away (`| head`): that says nothing about the gate
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
