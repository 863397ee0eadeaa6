"""Where work is divided: a Dask cluster on this machine, or the one at DASK_SCHEDULER_ADDRESS.

The workers of another cluster need this project's environment, for instance by the image of its pipeline.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pandas as pd
from dask.distributed import Client, LocalCluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_LOCAL_WORKERS = 4


@contextmanager
def cluster() -> Iterator[Client]:
    """A client of the cluster; what was started for it ends with the block."""
    if address := os.environ.get("DASK_SCHEDULER_ADDRESS"):
        with Client(address) as client:
            yield client
        return
    # One thread each: results then do not depend on the number of processors.
    workers = min(MAX_LOCAL_WORKERS, os.cpu_count() or 1)
    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address="127.0.0.1:0") as local,
        Client(local) as client,
    ):
        yield client


def in_parts(
    client: Client, function: Callable[[pd.DataFrame], pd.DataFrame], rows: pd.DataFrame, size: int = 5000
) -> pd.DataFrame:
    """The function of each part of the rows, computed by the workers, in the order of the rows.

    Args:
        client: The cluster's.
        function: Looks at each row for itself, so that parts give what the whole would.
        rows: What is divided.
        size: Rows of a part.
    """
    parts = [rows.iloc[begin : begin + size] for begin in range(0, len(rows), size)]
    return pd.concat(client.gather(client.map(function, parts)))
