"""Makes the picture and the figures of docs/guides/loop.md from a generated project's own replay.

    python tools/replay_page.py [--check] [FOLDER]

FOLDER is a level-5 project whose pipeline has run; without one, a project is generated, set up
and run in build/replay (some minutes). The same commit of the template gives the same files.
With `--check` nothing is written: exit code 1 says that the page tells other figures.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/guides/loop.md"
PICTURE = ROOT / "docs/images/replay.svg"
TABLE = re.compile(r"(<!-- replay -->\n).*?(<!-- end -->)", re.DOTALL)


def told(project: Path) -> str:
    """The figures of a project's replay and calibration, as Markdown."""
    replay = json.loads((project / "reports/replay.json").read_text(encoding="utf-8"))
    thresholds = json.loads((project / "reports/thresholds.json").read_text(encoding="utf-8"))
    alarms, summary, windows = thresholds["false_alarms"], replay["summary"], replay["windows"]
    quality, drift = alarms["quality"], alarms["drift"]
    before, after = (
        float(summary[f"mean_error{name}_in_later_windows"]) for name in ("_of_first_model", "")
    )
    rows = [
        (
            "false alarms about quality on 2011",
            f"{quality['calls']} of {quality['windows']} months",
        ),
        ("false alarms about drift on 2011", f"{drift['calls']} of {drift['windows']} months"),
        ("months of 2012 with alerts", f"{summary['windows_with_alerts']} of {summary['windows']}"),
        ("months whose retraining triage held back", f"{summary['held_back']}"),
        ("retrainings", f"{summary['retrainings']}"),
        ("of them promoted by the gate", f"{summary['promotions']}"),
        (
            f"error in the {summary['later_windows']} months after a promotion (share of the mean)",
            f"{after:.1%}, and {before:.1%} for the first model",
        ),
        ("gain, on months that decided nothing", f"{1 - after / before:.1%}"),
    ]
    return "\n".join([*_table(("2011 and 2012", "measured"), rows), "", *_months(windows)])


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    lines = [head, tuple("---" for _ in head), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def _months(windows: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = [
        (
            window["window"],
            window["version"],
            f"{window['error']:.1%}",
            f"{window['error_of_first_model']:.1%}",
            ", ".join(window["alerts"]) or "none",
            window["held_back"]
            or (f"promoted as {window['promoted']}" if window["promoted"] else "")
            or ("the gate kept the old one" if window["retrained"] else "nothing to do"),
        )
        for window in windows
    ]
    head = ("month", "version", "error", "first model's", "alerts", "then")
    return _table(head, rows)


def generated(folder: Path) -> Path:
    """A level-5 project of the work tree's template that has run its pipeline and its replay."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    copier = [sys.executable, "-m", "copier", "copy", "--defaults", "--quiet", "--vcs-ref", "HEAD"]
    _run([*copier, "--data", "maturity_level=5", str(ROOT), str(folder)], ROOT)
    _run(["make", "setup", "pipeline", "replay"], folder)
    return folder


def _run(command: Sequence[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True)


def main(arguments: Sequence[str]) -> int:
    """Writes the picture, and the figures into the page; or compares the figures."""
    folders = [argument for argument in arguments if argument != "--check"]
    project = Path(folders[0]) if folders else generated(ROOT / "build/replay")
    text, figures = PAGE.read_text(encoding="utf-8"), told(project)
    if "--check" in arguments:
        return 0 if figures in text else 1
    shutil.copyfile(project / "reports/figures/replay.svg", PICTURE)
    new = TABLE.sub(lambda m: f"{m[1]}\n{figures}\n\n{m[2]}", text)
    PAGE.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
