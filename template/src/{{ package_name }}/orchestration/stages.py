"""The stages of dvc.yaml, for whoever runs them one by one; DVC still decides whether one is out of date."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

# When the pipeline runs by itself: on the third of each month, early.
SCHEDULE = "17 5 3 * *"


@dataclass(frozen=True)
class Stage:
    """One stage, with the names of the stages whose outputs it reads."""

    name: str
    description: str
    after: tuple[str, ...]


def paths(entries: list[Any]) -> set[str]:
    """The files in a list of DVC, in which an entry may hold settings."""
    return {next(iter(entry)) if isinstance(entry, dict) else str(entry) for entry in entries}


def stages(path: Path = Path("dvc.yaml")) -> list[Stage]:
    """All stages, each after those that it needs.

    Raises:
        ValueError: The stages need each other in a circle.
    """
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["stages"]
    written = {
        output: name
        for name, stage in found.items()
        for part in ("outs", "metrics", "plots")
        for output in paths(stage.get(part, []))
    }
    waiting = {
        name: {written[read] for read in paths(stage.get("deps", [])) if read in written}
        for name, stage in found.items()
    }
    ordered: list[Stage] = []
    while waiting:
        done = {stage.name for stage in ordered}
        ready = [name for name, needed in waiting.items() if needed <= done]
        if not ready:
            raise ValueError(f"these stages need each other: {', '.join(waiting)}")
        ordered += [
            Stage(name, found[name].get("desc", name), tuple(sorted(waiting.pop(name)))) for name in ready
        ]
    return ordered


def run(name: str) -> None:
    """Brings one stage up to date; its failure is an error, which stops what comes after it."""
    subprocess.run(["dvc", "repro", "--single-item", name], check=True)  # noqa: S603, S607 - a stage's name, and DVC of this environment
