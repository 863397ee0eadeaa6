"""What `new`, `fix` and `upgrade` share: answers from options, errors as one line, results told."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from mlops_audit.practices import find
from mlops_audit.reports.safe import one_line
from mlops_audit.scaffold import ScaffoldError

if TYPE_CHECKING:
    from mlops_audit.scaffold.upgrade import Upgrade

__all__ = ["answers_of", "named", "told", "usage"]


@contextlib.contextmanager
def usage() -> Iterator[None]:
    """A call that cannot be carried out ends with one line and exit code 2."""
    try:
        yield
    except ScaffoldError as error:
        raise click.ClickException(one_line(str(error))) from error


def answers_of(data: tuple[str, ...], level: int | None) -> dict[str, str]:
    """Copier's answers from `KEY=VALUE` options.

    Raises:
        ScaffoldError: an option has another form.
    """
    answers: dict[str, str] = {}
    for item in data:
        key, sign, value = item.partition("=")
        if not sign or not key:
            raise ScaffoldError(f"--data {item}: expected KEY=VALUE")
        answers[key] = value
    if level is not None:
        answers["maturity_level"] = str(level)
    return answers


def named(ids: tuple[str, ...]) -> tuple[str, ...]:
    """The ids of practices named by id or slug.

    Raises:
        ScaffoldError: a name means no practice.
    """
    try:
        return tuple(find(word).id for item in ids for word in item.split(",") if word)
    except LookupError as error:
        raise ScaffoldError(str(error.args[0])) from error


def told(done: Upgrade, *, dry_run: bool) -> str:
    """What an upgrade did, as lines for a person."""
    from mlops_audit.scaffold.upgrade import AFTER_RUN  # noqa: PLC0415 -- loaded by who upgrades

    if not done.changed:
        return "Nothing to do: the project is up to date with its template.\n"
    before, after = done.before.assessment.level, done.after.assessment.level
    lines = [
        f"template {done.versions[0]} → {done.versions[1]}, {len(done.changed)} files change",
        f"level {before.reached} {before.name} → {after.reached} {after.name}",
    ]
    lines += [f"conflict: {one_line(path)}" for path in done.conflicts]
    lines += [f"worse: {name} {was} → {now}" for name, was, now in done.worse]
    lines += [f"{name} waits for the next `{AFTER_RUN[name]}`" for name in done.pending]
    if done.applied:
        lines.append("Applied to the work tree; look at `git diff`, run `make setup` and commit.")
    elif not done.clean:
        lines.append(
            "The project is untouched. `copier update` leaves the conflicts to solve in place."
        )
    elif dry_run:
        lines.append("Nothing stands against it (dry run, the project is untouched).")
    return "\n".join(lines) + "\n"
