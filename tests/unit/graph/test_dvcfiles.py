"""All DVC files of a tree, read once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.graph.dvcfiles import read_dvc_files

_YAML = b"stages:\n  train:\n    cmd: python train.py\n    outs: [model.pkl]\n"
_LOCK = (
    b"schema: '2.0'\nstages:\n  train:\n    cmd: python train.py\n    outs:\n"
    b"    - {path: model.pkl, md5: 22a1a2931c8370d3aeedd7183606fd7f}\n"
)


def test_recorded_outputs_are_tracked() -> None:
    """An output counts as tracked once a run of its stage was recorded."""
    files = {"dvc.yaml": _YAML, "dvc.lock": _LOCK}
    assert [e.path for e, _ in read_dvc_files(files, files.get).tracked()] == ["model.pkl"]


def test_outputs_without_record_are_not_tracked() -> None:
    """A stage that never ran tracks nothing, though it declares an output."""
    files = {"dvc.yaml": _YAML}
    read = read_dvc_files(files, files.get)
    assert read.used
    assert not list(read.tracked())


def test_items_of_a_loop_that_ran_are_tracked() -> None:
    """What a loop's stage made of an item stays with DVC when the list drops the item."""
    loop = b"""stages:
  train:
    foreach: [a]
    do:
      cmd: python train.py ${item}
      outs: ["${item}.pkl"]
      metrics: [{"${item}.json": {cache: false}}]
"""
    lock = b"""schema: '2.0'
stages:
  train@b:
    cmd: python train.py b
    outs:
    - {path: b.pkl, md5: 22a1a2931c8370d3aeedd7183606fd7f}
    - {path: b.json, md5: 3c1c0f5a0bf0ab9e5d80bb2bbd4ee4b5}
  other@b:
    cmd: python other.py b
    outs:
    - {path: c.pkl, md5: 3c1c0f5a0bf0ab9e5d80bb2bbd4ee4b5}
"""
    files = {"dvc.yaml": loop, "dvc.lock": lock}
    assert [e.path for e, _ in read_dvc_files(files, files.get).tracked()] == ["b.pkl"]


def test_a_remote_alone_tracks_nothing() -> None:
    """A configured remote is known, and tracks nothing by itself."""
    files = {".dvc/config": b"['remote \"store\"']\n    url = s3://bucket/path\n"}
    read = read_dvc_files(files, files.get)
    assert [(r.name, r.shared) for r in read.remotes] == [("store", True)]
    assert not list(read.tracked())


@given(data=st.binary(max_size=200))
def test_any_bytes_are_read(data: bytes) -> None:
    """Whatever the files hold, nothing is raised."""
    files = {"dvc.yaml": data, "dvc.lock": data, ".dvc/config": data, "a.dvc": data}
    list(read_dvc_files(files, files.get).tracked())
