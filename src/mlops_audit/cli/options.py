"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = [
    "LEVEL",
    "audit_options",
    "color_option",
    "complete_practices",
    "format_options",
    "list_format",
]

F = TypeVar("F", bound=Callable[..., Any])


class _Level(click.ParamType[str]):
    """A level's number or name; which exist depends on the model, so it is checked later."""

    name = "LEVEL"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The levels of the ladder."""
        del ctx, param
        from mlops_audit.maturity import load_model  # noqa: PLC0415 -- only a shell asks

        names = load_model("ladder").level_names()
        words = [*map(str, names), *names.values()]
        return _items(dict.fromkeys(words, ""), incomplete)


def _items(words: Mapping[str, str], incomplete: str) -> list[CompletionItem]:
    """What begins so, in any case, with its help."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415 -- only a shell asks

    start = incomplete.lower()
    return [CompletionItem(w, help=h) for w, h in words.items() if w.lower().startswith(start)]


def complete_practices(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Ids and slugs of practices; after a comma, one more."""
    del ctx, param
    from mlops_audit.practices import catalogue  # noqa: PLC0415 -- only a shell asks

    before, comma, last = incomplete.rpartition(",")
    named = catalogue()
    words = {p.id: p.title for p in named} | ({p.slug: p.title for p in named} if last else {})
    return _items({f"{before}{comma}{word}": title for word, title in words.items()}, incomplete)


def _models(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The built-in models; a file's name is the shell's own business."""
    del ctx, param
    from mlops_audit.maturity import load_model, model_names  # noqa: PLC0415 -- only a shell asks

    return _items({name: load_model(name).title for name in model_names()}, incomplete)


LEVEL = _Level()

_AUDIT = [
    click.argument("path", default=".", type=click.Path()),
    click.option("--rev", metavar="REV", help="Audit a commit, tag or branch, without checkout."),
    click.option("--project", metavar="PATH", help="One project of several in the repository."),
    click.option(
        "--model",
        "models",
        multiple=True,
        metavar="NAME|FILE",
        shell_complete=_models,
        help="Maturity model (default ladder); repeatable, the first decides the exit code.",
    ),
    click.option(
        "--evidence",
        type=click.Choice(["attested", "found", "verified"]),
        help="Weakest strength of evidence that counts.",
    ),
    click.option("--config", metavar="FILE", help="Configuration in place of the repository's."),
    click.option("--no-cache", is_flag=True, help="Read every file anew."),
    click.option(
        "--jobs", type=click.IntRange(min=1), metavar="N", help="Processes to use at most."
    ),
    click.option("--color/--no-color", default=None, help="Colour, also in a pipe."),
    click.option("-q", "--quiet", is_flag=True, help="Say only the level."),
    click.option("-v", "--verbose", count=True, help="Show all practices with their evidence."),
]


def color_option(function: F) -> F:
    """Add --color/--no-color."""
    return click.option("--color/--no-color", default=None, help="Colour, also in a pipe.")(
        function
    )


def list_format(function: F) -> F:
    """Add -f for the listings."""
    return click.option(
        "-f",
        "--format",
        "form",
        type=click.Choice(["text", "json", "markdown"]),
        default="text",
        help="Format of the list.",
    )(function)


def audit_options(function: F) -> F:
    """Add what every command that audits takes."""
    for option in reversed(_AUDIT):
        function = option(function)
    return function


def format_options(names: Sequence[str]) -> Callable[[F], F]:
    """Add -f and -o, repeatable, for the formats of that name."""

    def add(function: F) -> F:
        function = click.option(
            "-o",
            "--output",
            "outputs",
            multiple=True,
            metavar="FILE",
            help="Where the format goes; the n-th -o belongs to the n-th -f.",
        )(function)
        return click.option(
            "-f",
            "--format",
            "formats",
            multiple=True,
            type=click.Choice(list(names)),
            help="Format of the report (default text); repeatable.",
        )(function)

    return add
