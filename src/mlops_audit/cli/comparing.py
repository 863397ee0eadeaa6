"""Two audits side by side, wherever each comes from."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click

from mlops_audit.cli.run import Call, audited
from mlops_audit.cli.terminal import options_for
from mlops_audit.config import ConfigError
from mlops_audit.maturity import load_model
from mlops_audit.maturity.gates import Baseline, baseline_of, changed, read_baseline
from mlops_audit.model import Change
from mlops_audit.practices import find
from mlops_audit.reports.as_markdown import escaped
from mlops_audit.reports.safe import one_line

__all__ = ["compared"]


def compared(a: str, b: str, repository: str, form: str, *, color: bool | None = None) -> str:
    """Write what differs between A and B.

    Args:
        a: a report's file, a folder, or a revision of `repository`.
        b: the same.
        repository: the folder whose revisions are meant.
        form: text, json or markdown.
        color: whether to colour the text; None for a terminal only.

    Raises:
        ConfigError: one of them cannot be read.
        TreeError: one is neither a file, a folder nor a revision.
    """
    left, right = _load(a, repository), _load(b, repository)
    rows = changed(left.outcomes, right.outcomes)
    if form == "json":
        data = {
            "a": {"name": left.label, "level": left.level},
            "b": {"name": right.label, "level": right.level},
            "changes": [
                {"practice": c.practice, "before": c.before, "after": c.after, "worse": c.worse}
                for c in rows
            ],
        }
        return json.dumps(data, indent=2, ensure_ascii=True) + "\n"
    names = load_model("ladder").level_names()
    heads = [
        f"{one_line(side.label)}: level {side.level} {names.get(side.level or 0, '')}"
        for side in (left, right)
    ]
    ordered = sorted(rows, key=lambda c: _WORDS.index(_word(c)))
    write = _markdown if form == "markdown" else _text
    tinted = options_for(sys.stdout, os.environ, color=color).color
    return "\n".join(write(heads, ordered, tinted=tinted)) + "\n"


_TITLE = 44  # columns that are left of 80
_WORDS = ("worse", "better", "changed")
_TINTS = {"worse": "red", "better": "green", "changed": "yellow"}


def _word(change: Change) -> str:
    """What a change is: a practice that stops applying is neither worse nor better."""
    if change.worse:
        return "worse"
    return "changed" if "n/a" in (change.before, change.after) else "better"


def _title(practice: str) -> str:
    try:
        return find(practice).title
    except LookupError:  # a report of another version may name others
        return ""


def _counted(rows: list[Change]) -> str:
    counts = Counter(_word(c) for c in rows)
    said = ", ".join(f"{counts[word]} {word}" for word in _WORDS if counts[word])
    return said or "No outcome differs"


def _text(heads: list[str], rows: list[Change], *, tinted: bool) -> Iterator[str]:
    yield from (f"A  {heads[0]}", f"B  {heads[1]}", "", f"{_counted(rows)}.")
    for c in rows:
        head = f"{c.practice}  {_word(c):<7}  {c.before:>7} → {c.after:<7}  "
        for line in textwrap.wrap(_title(c.practice) or "-", _TITLE):
            yield click.style(head + line, fg=_TINTS[_word(c)]) if tinted else head + line
            head = " " * len(head)


def _markdown(heads: list[str], rows: list[Change], *, tinted: bool) -> Iterator[str]:
    del tinted  # Markdown has no colours
    yield from (f"- A: {escaped(heads[0])}", f"- B: {escaped(heads[1])}", "", f"{_counted(rows)}.")
    if rows:
        yield from ("", "| Practice | | A | B | |", "| --- | --- | --- | --- | --- |")
    for c in rows:
        title = escaped(_title(c.practice))
        yield f"| {c.practice} | {title} | {c.before} | {c.after} | {_word(c)} |"


def _load(name: str, repository: str) -> Baseline:
    path = Path(name)
    if path.is_file():
        try:
            return read_baseline(path.read_bytes(), path.name)
        except OSError as error:
            raise ConfigError(f"{name}: cannot be read: {error.strerror}") from error
    call = Call(path=name) if path.is_dir() else Call(path=repository, rev=name)
    return baseline_of(audited(call).report, name)
