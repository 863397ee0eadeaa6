"""Tables that `dvc plots` draws and that notebooks start from."""

import pandas as pd


def mean_by_hour(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean of what was and what was predicted, for each hour of the day."""
    rows = rows.rename(columns={"target": "actual"}).astype({"hour": "int64"})
    return rows.groupby("hour", as_index=False)[["actual", "predicted"]].mean().round(2)
