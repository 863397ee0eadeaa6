"""Records a run with DVCLive: plain files that are versioned with the code and compared by `dvc exp show`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dvclive import Live

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FOLDER = "reports/dvclive"


def record_run(params: Mapping[str, object], metrics: Mapping[str, float], curve: Sequence[float]) -> None:
    """Logs the settings, the metrics, and the held-out error after each round of training."""
    # The pipeline already declares params and metrics and commits the experiment, so DVCLive need not.
    with Live(dir=FOLDER, dvcyaml=None, report=None, save_dvc_exp=False) as live:
        live.log_params(dict(params))
        for error in curve:
            live.log_metric("holdout/error_by_round", error)
            live.next_step()
        for name, value in metrics.items():
            live.log_metric(name, value, plot=False)
