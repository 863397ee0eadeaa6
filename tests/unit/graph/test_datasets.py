"""Where a project's data lies."""

from __future__ import annotations

import pytest

from mlops_audit.config import Config
from mlops_audit.graph import Project
from mlops_audit.graph.datasets import committed_data, is_model_path, lfs_data, sources
from mlops_audit.graph.features import feature_code
from mlops_audit.tree import MemoryTree


def _project(files: dict[str, str]) -> Project:
    return Project.load(MemoryTree(files), Config())


@pytest.mark.parametrize(
    "path", ["models/a.pkl", "out/model.bin", "best.pt", "churn_classifier.pkl"]
)
def test_model_paths(path: str) -> None:
    """Folders, names and suffixes tell a model."""
    assert is_model_path(path)


@pytest.mark.parametrize("path", ["data/features.pkl", "data/raw.csv", "data/prepared"])
def test_data_paths(path: str) -> None:
    """Data is no model, whatever serialiser wrote it."""
    assert not is_model_path(path)


def test_committed_data_leaves_results_out() -> None:
    """A table in a data folder is data; metrics, predictions and fixtures are not."""
    files = {
        "data/raw.csv": "a,b\n1,2\n",
        "data/predictions.csv": "a\n1\n",
        "tests/data/x.csv": "a\n1\n",
        "metrics.json": "{}",
    }
    assert [e.span.path for e in committed_data(_project(files))] == ["data/raw.csv"]


def test_lfs_by_attributes() -> None:
    """A file that .gitattributes hands to LFS is in LFS also when its content is checked out."""
    files = {".gitattributes": "*.parquet filter=lfs diff=lfs\n", "data/a.parquet": "PAR1"}
    project = _project(files)
    assert [e.span.path for e in lfs_data(project)] == ["data/a.parquet"]
    assert not committed_data(project)


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("https://zenodo.org/record/123/files/a.csv", "versioned"),
        ("https://example.org/trips_2021-03.parquet", "dated"),
        ("https://example.org/data.csv", "fixed"),
    ],
)
def test_sources(address: str, kind: str) -> None:
    """An address is versioned, dated or merely fixed."""
    assert [k for k, _ in sources(_project({"a.py": f'URL = "{address}"\n'}))] == [kind]


def test_pages_are_no_sources() -> None:
    """An address of a page is no source of data."""
    assert not list(sources(_project({"a.py": 'URL = "https://example.org/about"\n'})))


def test_tools_are_no_data() -> None:
    """An installer that a script downloads is no data; a public table of a warehouse is."""
    files = {
        "setup.sh": "curl -so t.zip https://releases.hashicorp.com/terraform/1.5/terraform_1.5.zip\n",
        "load.py": "SOURCE = 'bigquery-public-data.chicago_taxi_trips.taxi_trips'\n",
    }
    assert [e.span.path for _, e in sources(_project(files))] == ["load.py"]


def test_queries_compute_features() -> None:
    """A query that code names computes features; one that nothing names does not."""
    query = "SELECT EXTRACT(HOUR FROM t) AS h,\nAVG(x) OVER () AS m\nFROM trips\n"
    files = {"q/features.sql": query, "q/idle.sql": query, "train.py": "Q = 'q/features.sql'\n"}
    assert [str(e.span.path) for e in feature_code(_project(files))] == ["q/features.sql"]


def test_feature_code() -> None:
    """Columns computed from others are features; a transformer in a pipeline is none."""
    computed = "import pandas as pd\n\ndf['h'] = df['t'].dt.hour\ndf['d'] = df['t'].dt.dayofweek\n"
    plain = "from sklearn.pipeline import make_pipeline\nmake_pipeline(a, b).fit(x, y)\n"
    assert [e.span.line for e in feature_code(_project({"a.py": computed}))] == [3, 4]
    assert not feature_code(_project({"a.py": plain}))
