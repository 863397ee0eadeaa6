"""Two audits side by side, wherever each comes from."""

from __future__ import annotations

import json
from pathlib import Path

import click

from mlops_audit.cli.run import Call, audited
from mlops_audit.config import ConfigError
from mlops_audit.maturity import load_model
from mlops_audit.maturity.gates import Baseline, baseline_of, changed, read_baseline
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
    if form == "markdown":
        lines = [f"- {head}" for head in heads]
        lines += ["", "| Practice | A | B |", "| --- | --- | --- |"]
        lines += [f"| {c.practice} | {c.before} | {c.after} |" for c in rows]
        return "\n".join(lines) + "\n"
    lines = [f"A  {heads[0]}", f"B  {heads[1]}", ""]
    for c in rows:
        word = "worse" if c.worse else "better" if c.after != "n/a" else "changed"
        line = f"{c.practice}  {c.before:>7} → {c.after:<7}  {word}"
        tint = "red" if c.worse else "green"
        lines.append(click.style(line, fg=tint) if color else line)
    lines += [] if rows else ["No outcome differs."]
    return "\n".join(lines) + "\n"


def _load(name: str, repository: str) -> Baseline:
    path = Path(name)
    if path.is_file():
        try:
            return read_baseline(path.read_bytes(), path.name)
        except OSError as error:
            raise ConfigError(f"{name}: cannot be read: {error.strerror}") from error
    call = Call(path=name) if path.is_dir() else Call(path=repository, rev=name)
    return baseline_of(audited(call).report, name)
