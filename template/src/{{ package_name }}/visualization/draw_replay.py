"""The picture of a replay: error, alerts, retrainings and versions over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

# Text stays text and names are counted, not drawn by lot, so that the same replay is the same file.
SETTINGS = {"svg.fonttype": "none", "svg.hashsalt": "replay", "font.family": "sans-serif"}


def mark(axes: Axes, places: Sequence[tuple[int, float]], marker: str, colour: str, label: str) -> None:
    """Marks windows with a symbol."""
    if places:
        across, up = zip(*places, strict=True)
        axes.scatter(across, up, marker=marker, color=colour, s=70, zorder=3, label=label)


def draw(records: Sequence[dict[str, object]], limit: float, path: Path) -> None:
    """Writes the picture as SVG."""
    errors = [float(str(record["error"])) for record in records]
    first = [float(str(record["error_of_first_model"])) for record in records]
    with mpl.rc_context(SETTINGS):  # type: ignore[arg-type]  # a plain dict is one of these names
        figure = Figure(figsize=(10, 4.8), layout="constrained")
        axes = figure.subplots()
        across = range(len(records))
        axes.plot(across, first, color="0.6", linestyle="--", label="first model, never replaced")
        axes.plot(across, errors, color="tab:blue", marker="o", label="model in production")
        axes.axhline(limit, color="tab:red", linewidth=1, linestyle=":", label="threshold")
        top = max(*errors, *first, limit)
        mark(
            axes, [(n, errors[n]) for n, r in enumerate(records) if r["alerts"]], "^", "tab:red", "alert sent"
        )
        mark(
            axes,
            [(n, 0.06 * top) for n, r in enumerate(records) if r["retrained"]],
            "s",
            "tab:orange",
            "retrained",
        )
        mark(
            axes,
            [(n, 0.06 * top) for n, r in enumerate(records) if r["promoted"]],
            "*",
            "tab:green",
            "promoted",
        )
        mark(
            axes,
            [(n, 0.06 * top) for n, r in enumerate(records) if r["held_back"]],
            "x",
            "black",
            "held back by triage",
        )
        for number, record in enumerate(records):
            axes.annotate(str(record["version"]), (number, 1.06 * top), ha="center", fontsize=8)
        axes.set_xticks(list(across), [str(record["window"]) for record in records], rotation=30)
        axes.set_ylim(0, 1.15 * top)
        axes.set_ylabel("mean error / mean of the target")
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=4, frameon=False)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Neither time nor program version, which would differ from run to run.
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line.rstrip() for line in lines) + "\n", encoding="utf-8")
