"""Which paths belong to one person's machine."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.paths import find_personal_paths


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("df = read('/home/mwiese/data/x.csv')", "unix"),
        ("path: /Users/karl.lange/churn", "unix"),
        ("x = r'C:\\Users\\Karl\\churn\\x.csv'", "windows"),
        ("x = 'C:\\\\Users\\\\Karl\\\\churn'", "windows"),
        ("x = 'D:\\churn\\data.csv'", "windows"),
        ("x = 'C:/Users/Karl/churn'", "windows"),
        ("%cd /content/drive/MyDrive/churn", "colab"),
        ("file:///home/mwiese/mlruns", "unix"),
    ],
)
def test_personal(line: str, kind: str) -> None:
    """Home folders of people, drives and mounted Google Drives are found with their line."""
    found = find_personal_paths(f"ok\n{line}", "a.py")
    assert [(p.kind, p.span.line) for p in found] == [(kind, 2)]


@pytest.mark.parametrize(
    "line",
    [
        "WORKDIR /home/jovyan/work",
        "cp x /home/runner/work/repo",
        "/home/<user>/data",
        "/home/$USER/data",
        "/Users/your_name/x",
        "~/data",
        "https://github.com/Users/karl/x",
        "https://host.io/home/karl/x",
        "s3://bucket/home/karl",
        "/opt/airflow/dags",
        "C:\\Program Files\\Git",
        "src/home/karl/x",
        "{{ home }}/Users/karl",
    ],
)
def test_not_personal(line: str) -> None:
    """Container users, placeholders, addresses and relative paths are none."""
    assert find_personal_paths(line, "a.py") == ()


def test_linear() -> None:
    """Long lines take linear time."""
    started = time.thread_time()
    for piece in ("/home/", "C:\\", "https://", "/content/drive/", "a/Users/b:"):
        find_personal_paths(piece * 50_000, "a.py")
    assert time.thread_time() - started < 10


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    """No text raises."""
    find_personal_paths(text, "a.py")
