"""Paths of one person's machine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.practices.reproducibility._personal import personal_path


@pytest.mark.parametrize(
    "text",
    [
        "/home/maria/data/a.csv",
        "/Users/maria/data",
        r"C:\Users\maria\data",
        r"D:\\projects\\churn",
        "E:/datasets/churn/a.csv",
        "/content/drive/MyDrive/churn",
        "file:///home/maria/mlruns",
        "/mnt/c/Users/maria/a.csv",
    ],
)
def test_personal(text: str) -> None:
    """Home folders, drive letters and mounted drives of a person are found."""
    assert personal_path(text)


@pytest.mark.parametrize(
    "text",
    [
        "/home/jovyan/work",
        "/home/airflow/gcs/dags",
        "/home/<user>/data",
        "~/data",
        "/opt/ml/model",
        "https://host/home/maria/x",
        "s3://bucket/home/maria/x",
        "/Users/someone@example.org/experiment",
        "/home/your_name/data",
        r"C:\Program Files\x",
        "http://a.org/b:c/d",
        "data/home/maria",
        "12:/30",
    ],
)
def test_not_personal(text: str) -> None:
    """Containers, clusters, addresses and placeholders are not meant."""
    assert not personal_path(text)


@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    """Any text is answered."""
    assert isinstance(personal_path(text), str)
