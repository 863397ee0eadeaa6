"""`new`: a project from the template."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from mlops_audit.scaffold.errors import ScaffoldError, copier_errors
from mlops_audit.scaffold.source import Source

__all__ = ["Made", "make"]


class Made(Struct, frozen=True):
    """What was generated: `kept` counts files that were there already and stay untouched."""

    folder: str
    kept: int
    note: str


def make(
    folder: str,
    source: Source,
    answers: Mapping[str, str],
    *,
    ask: bool = False,
    quiet: bool = True,
) -> Made:
    """Generate a project into a folder; files that exist there are never overwritten.

    Args:
        folder: the destination, made if it does not exist.
        source: where the template comes from.
        answers: copier's answers by question; the others take their defaults.
        ask: put the other questions on the terminal.
        quiet: whether copier keeps its list of files to itself.

    Raises:
        ScaffoldError: copier is missing, an answer is refused, the folder cannot be used.
    """
    target = Path(folder)
    if target.exists() and not target.is_dir():
        raise ScaffoldError(f"{folder} is not a folder")
    before = {p for p in target.rglob("*") if p.is_file()} if target.exists() else set()
    with copier_errors():
        from copier import run_copy  # noqa: PLC0415 -- an extra, and a second to import

        run_copy(
            source.path,
            target,
            data=dict(answers),
            defaults=not ask,
            overwrite=False,
            skip_if_exists=["**"] if before else [],
            quiet=quiet,
            vcs_ref=source.ref,
        )
    return Made(folder, len({p for p in before if ".git" not in p.parts}), source.note)
