"""How a practice is written: one decorated pure function; prose and scenarios in its twin `.md`.

A twin pair lies in `practices/<principle>/<slug_with_underscores>.py` and `.md`. The registry
finds it by scanning; nothing lists practices by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mlops_audit.model import Fix, Practice, Verdict, parse_asks

if TYPE_CHECKING:
    from mlops_audit.graph import Project

__all__ = ["practice"]

Judge = Callable[["Project"], Verdict]


def practice(  # noqa: PLR0913 -- the metadata of a practice, all by keyword
    *,
    id: str,  # noqa: A002 -- the catalogue's own word
    title: str,
    assets: str,
    level: str,
    sources: str,
    fix: str,
    template: tuple[str, ...] = (),
    needs: tuple[str, ...] = (),
    attestable: bool = False,
) -> Callable[[Judge], Practice]:
    """Turn a judging function into a `Practice`; the slug is the function's name with dashes.

    Args:
        id: three letters of the principle and two digits, e.g. `AUT06`.
        title: a statement that should be true, e.g. "CI runs the tests".
        assets: what it protects, comma-separated: data, model, code, system.
        level: the catalogue's notation, e.g. `"2s, 5M"`.
        sources: keys of the catalogue's sources, space-separated, e.g. `"S0 S1"`.
        fix: the first step that would mend it, an imperative sentence.
        template: files of a generated project that provide it.
        needs: roles without which a fail is `n/a` (practices.md, rule 5): `training`,
            `prediction`, `application` (n/a for a pure library).
        attestable: whether a person may attest it (only what a repository cannot show).

    Raises:
        ValueError: `level` has another form.
    """

    def wrap(judge: Judge) -> Practice:
        return Practice(
            id=id,
            slug=judge.__name__.replace("_", "-"),
            title=title,
            assets=tuple(a.strip() for a in assets.split(",")),
            asked=parse_asks(level),
            fix=Fix(fix, template),
            judge=judge,
            needs=needs,
            attestable=attestable,
            sources=tuple(sources.split()),
        )

    return wrap
