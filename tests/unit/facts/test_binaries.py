"""Which large files are data or models."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.binaries import data_or_model


@pytest.mark.parametrize(
    ("path", "head", "expected"),
    [
        ("a/x.csv", b"", "data"),
        ("m/model.pkl", b"", "model"),
        ("m/weights.safetensors", b"", "model"),
        ("x", b"PAR1", "data"),
        ("x", b"\x80\x04\x95", "model"),
        ("x.unknown", b"a,b,c\n1,2,3\n4,5,6\n7,8,9\n", "data"),
        ("corpus.txt", b"Once upon a time", "data"),
        ("x.csv", b"version https://git-lfs.github.com/spec/v1", None),
        ("x.csv.dvc", b"outs:", None),
        ("n.ipynb", b"{", None),
        ("p.png", b"\x89PNG", None),
        ("doc.pdf", b"%PDF", None),
        ("film.mp4", b"", None),
        ("package-lock.json", b"{", None),
        ("poetry.lock", b"", None),
        ("LICENSE", b"Some words", None),
        ("bundle.js", b"var", None),
    ],
)
def test_kinds(path: str, head: bytes, expected: str | None) -> None:
    """The name decides, else the first bytes; pointers, notebooks and pictures are not meant."""
    assert data_or_model(path, head) == expected


@given(st.text(max_size=20), st.binary(max_size=300))
def test_any_bytes(path: str, head: bytes) -> None:
    """No name and no bytes raise."""
    assert data_or_model(path, head) in {"data", "model", None}
