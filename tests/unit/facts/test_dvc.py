"""What the readers of DVC's files give, and when a record is out of step."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.dvc import dvc_targets, read_dvc_yaml, read_gto_artifacts
from mlops_audit.facts.dvclock import read_dvc_config, read_dvc_lock, read_dvc_pointer
from mlops_audit.facts.dvcstate import pipeline_lock_state, same_value
from mlops_audit.facts.dvctypes import DvcLock, DvcPipeline
from mlops_audit.facts.types import Unreadable

CODE = b"print(1)\r\n"
MD5 = hashlib.md5(b"print(1)\n", usedforsecurity=False).hexdigest()
FILES = {"p/params.yaml": b"lr: 1e-5\nmodels: [a, b]\nopt: {x: 1}\n", "p/src/t.py": CODE}
YAML = b"""\
vars:
  - out: models
stages:
  prep:
    cmd: python src/p.py
    deps: [src/p.py]
    outs:
      - data/x:
          cache: false
  train:
    wdir: .
    cmd:
      - python src/t.py ${opt}
      - echo ${out}
    deps: [src/t.py, data/x/a.csv]
    params: [lr]
    outs: ["${out}/m.pkl"]
    metrics:
      - m.json: {cache: false}
  each:
    foreach: ${models}
    do:
      cmd: run ${item}
  grid:
    matrix: {a: [1, 2], b: [x]}
    cmd: go ${item.a} ${item.b}
"""


def pipeline() -> DvcPipeline:
    """Read the example."""
    found = read_dvc_yaml(YAML, "p/dvc.yaml", FILES.get)
    assert not isinstance(found, Unreadable)
    return found


def test_stages() -> None:
    """Stages are expanded, their paths start at the repository's root, values are filled in."""
    found = pipeline()
    stages = {s.name: s for s in found.stages}
    assert list(stages) == ["prep", "train", "each@a", "each@b", "grid@1-x", "grid@2-x"]
    train = stages["train"]
    assert train.cmd == ("python src/t.py --x 1", "echo models")
    assert [d.path for d in train.deps] == ["p/src/t.py", "p/data/x/a.csv"]
    assert [(o.path, o.cached) for o in train.outs] == [
        ("p/models/m.pkl", True),
        ("p/m.json", False),
    ]
    assert train.params == (("p/params.yaml", "lr"),)
    assert stages["each@b"].cmd == ("run b",)
    assert stages["grid@2-x"].cmd == ("go 2 x",)
    targets = {t.name: t for t in dvc_targets(found)}
    assert targets["train"].needs == ("prep",)
    assert (targets["train"].folder, targets["train"].span.line) == ("p", 10)


def lock(lr: str = "1e-05", md5: str = MD5, cmd: str = "python src/t.py --x 1") -> DvcLock:
    """Record of the stage train."""
    text = f"""\
schema: '2.0'
stages:
  train:
    cmd:
    - {cmd}
    - echo models
    deps:
    - path: src/t.py
      md5: {md5}
    - path: data/x/a.csv
      md5: abc
    params:
      params.yaml:
        lr: {lr}
    outs:
    - path: models/m.pkl
      md5: def
      size: 3
    - path: m.json
"""
    found = read_dvc_lock(text.encode(), "p/dvc.lock")
    assert not isinstance(found, Unreadable)
    return found


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (lock(), ""),
        (lock(lr="'0.00001'"), ""),
        (lock(lr="0.1"), "parameter lr"),
        (lock(md5="0" * 32), "p/src/t.py has another hash"),
        (lock(cmd="python other.py"), "the command differs"),
    ],
)
def test_lock_state(record: DvcLock, reason: str) -> None:
    """Commands, parameters by value and hashes (also with converted line ends) decide."""
    states = {s.name: s for s in pipeline_lock_state(pipeline(), record, FILES.get)}
    assert (states["train"].in_step, states["train"].reason[: len(reason)]) == (not reason, reason)
    assert not states["prep"].in_step


def test_pointer_hash_and_left_over() -> None:
    """A `.dvc` file's hash counts too, and a record without stage is named."""
    states = pipeline_lock_state(pipeline(), lock(), FILES.get, {"p/data/x/a.csv": "new"})
    assert "a.csv" in next(s for s in states if s.name == "train").reason
    empty = read_dvc_yaml(b"stages: {}", "p/dvc.yaml")
    assert not isinstance(empty, Unreadable)
    assert "no longer has" in pipeline_lock_state(empty, lock(), FILES.get)[0].reason


def test_pointer_and_config() -> None:
    """Pointers give hashes and imports; remotes are shared unless they are local paths."""
    text = b"outs:\n- md5: a.dir\n  size: 1\n  nfiles: 2\n  path: x\ndeps:\n- path: y\n  repo:\n"
    pointer = read_dvc_pointer(text + b"    url: u\n    rev_lock: r\n", "data/x.dvc")
    assert not isinstance(pointer, Unreadable)
    assert [(o.path, o.md5, o.size) for o in pointer.outs] == [("data/x", "a.dir", 1)]
    assert [(d.repo, d.rev) for d in pointer.deps] == [("u", "r")]
    text = b"[core]\n    remote = s\n['remote \"s\"']\n    url = s3://b\n"
    text += b"['remote \"l\"']\n    url = ../d\n"
    config = read_dvc_config(text, ".dvc/config")
    assert not isinstance(config, Unreadable)
    assert config.default == "s"
    assert [(r.name, r.shared, r.span.line) for r in config.remotes] == [
        ("s", True, 4),
        ("l", False, 6),
    ]


def test_same_value() -> None:
    """Numbers are compared by value, also when one is a text."""
    assert same_value("1e-05", 0.00001)
    assert same_value({"a": [1, True]}, {"a": [1.0, True]})
    one, true = 1, True
    assert not same_value(one, true)
    assert not same_value("a", "b")


@given(st.binary(max_size=150) | st.text("a:-{}$[]\n '", max_size=100).map(str.encode))
def test_any_bytes(data: bytes) -> None:
    """No bytes raise."""
    read_dvc_yaml(data, "dvc.yaml")
    read_dvc_lock(data, "dvc.lock")
    read_dvc_pointer(data, "x.dvc")
    read_dvc_config(data, ".dvc/config")
    read_dvc_yaml(b"stages:\n  a:\n    foreach: " + data.replace(b"\n", b" "), "dvc.yaml")


def test_folder_left_to_git() -> None:
    """The hash of a folder that git keeps is compared with the files in it."""
    stage = read_dvc_yaml(
        b"stages:\n  s:\n    cmd: x\n    plots:\n    - p: {cache: false}\n", "dvc.yaml"
    )
    files = {"p/a.tsv": b"1\n", "p/sub/b.tsv": b"2\n"}
    listed = [{"md5": _md5(files[f"p/{n}"]), "relpath": n} for n in ("a.tsv", "sub/b.tsv")]
    whole = _md5(json.dumps(listed, sort_keys=True).encode())
    outs = f"    outs:\n    - path: p\n      md5: {whole}.dir\n"
    text = f"schema: '2.0'\nstages:\n  s:\n    cmd: x\n{outs}"
    record = read_dvc_lock(text.encode(), "dvc.lock")
    assert not isinstance(stage, Unreadable)
    assert not isinstance(record, Unreadable)

    def reason() -> str:
        below = sorted(files)
        return pipeline_lock_state(stage, record, files.get, None, lambda _: below)[0].reason

    assert not reason()
    files["p/c.tsv"] = b"3\n"
    assert "p has another hash" in reason()


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def test_gto_artifacts() -> None:
    """GTO's own file of artifacts gives the same annotations as dvc.yaml."""
    found = read_gto_artifacts(
        b"m:\n  type: model\n  path: m.pkl\n  labels: [a]\n", "artifacts.yaml"
    )
    assert not isinstance(found, Unreadable)
    assert [(a.path, a.description, a.labels) for a in found.artifacts] == [
        ("m.pkl", "model", ("m", "a"))
    ]
    other = read_gto_artifacts(b"files: [a]\n", "artifacts.yaml")
    assert not isinstance(other, Unreadable)
    assert other.artifacts == ()
