"""Tables that `dvc plots` draws and that notebooks start from."""

import pandas as pd


def mean_by_hour(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean of what was and what was predicted, for each hour of the day."""
    renamed = rows.rename(columns={"target": "actual"})
    return renamed.groupby("hour", as_index=False)[["actual", "predicted"]].mean().round(2).astype({"hour": "int64"})
