"""Report formats, one file each: `as_<format>.py` with `render(report, options) -> str`.

A format is found by its file's name; nothing lists formats by hand, and none is imported before
it is asked for.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import cast

from msgspec import Struct

from mlops_audit.model import Practice, Report
from mlops_audit.modules import module_names

__all__ = ["Options", "formats", "render"]

_PREFIX = "as_"


def _no_help(_: Practice) -> str:
    return ""


class Options(Struct, frozen=True):
    """How a report is written, for the formats that have a choice.

    `width` is in columns; `color`, `links` (OSC 8) and `ascii_only` say what the terminal can
    show; `verbosity` is -1 (quiet), 0 or more; `help_of` gives a practice's documentation as
    Markdown.
    """

    width: int = 80
    color: bool = False
    links: bool = False
    ascii_only: bool = False
    verbosity: int = 0
    help_of: Callable[[Practice], str] = _no_help


@functools.cache
def formats() -> tuple[str, ...]:
    """The names of all formats, `text` first."""
    found = [
        name.removeprefix(_PREFIX).replace("_", "-")
        for name in module_names(__path__)
        if name.startswith(_PREFIX)
    ]
    return tuple(sorted(found, key=lambda name: (name != "text", name)))


def render(report: Report, name: str, options: Options | None = None) -> str:
    """Write a report in a format.

    Args:
        report: what to write.
        name: one of `formats()`.
        options: width, colour and the like.

    Returns:
        The text, with a newline at its end.

    Raises:
        KeyError: there is no such format.
    """
    if name not in formats():
        raise KeyError(name)
    module = importlib.import_module(f"{__name__}.{_PREFIX}{name.replace('-', '_')}")
    write = cast("Callable[[Report, Options], str]", module.render)
    text = write(report, options or Options())
    return text if text.endswith("\n") else f"{text}\n"
