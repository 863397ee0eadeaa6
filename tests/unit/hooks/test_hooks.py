"""Each hook over changes in memory: what is stopped, in which words, and what passes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_audit.hooks import (
    dvc_lock,
    large_files,
    notebooks,
    paths,
    raw_data,
    secrets,
    seeds,
    strip_notebooks,
)
from mlops_audit.hooks.base import Hook

Run = Callable[..., list[str]]
KEY = "AKIA" + "QY7RZ2M4KD6PLX3V"


def notebook(*cells: dict[str, Any], **extra: object) -> str:
    """A notebook of format 4 as Jupyter writes it."""
    full = [{"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None} | c
            for c in cells]  # fmt: skip
    return json.dumps({"cells": full, "metadata": {}, "nbformat": 4} | extra, indent=1) + "\n"


OUTPUT = {"output_type": "stream", "text": "x"}


def test_outputs_are_named_by_their_first_cell(run: Run) -> None:
    """A notebook with outputs gives one line with the first such cell and the way to strip it."""
    text = notebook({"source": "1"}, {"source": "2", "outputs": [OUTPUT]})
    (line,) = run(notebooks.check, {"1.0-look.ipynb": text})
    assert line == (
        "1.0-look.ipynb: cell 2: one cell stores its output;"
        " run `mlops-audit-hook strip-notebooks 1.0-look.ipynb` and stage it again"
    )


def test_cells_run_out_of_order_are_found(run: Run) -> None:
    """The first cell that ran before one above it is named."""
    text = notebook({"source": "a", "execution_count": 7}, {"source": "b", "execution_count": 3})
    (line,) = run(notebooks.check, {"1.0-look.ipynb": text})
    assert "cell 2: ran as number 3, after a cell above it ran as 7" in line


def test_only_a_new_notebook_among_others_needs_an_ordered_name(run: Run) -> None:
    """A name is judged when it is given, and only where there is an order to keep."""
    text = notebook({"source": "a"})
    assert run(notebooks.check, {"look.ipynb": text}) == []
    (line,) = run(notebooks.check, {"look.ipynb": text}, {"1.0-a.ipynb": text})
    assert "its name does not say its order" in line
    changed = notebook({"source": "b"})
    before = {"look.ipynb": text, "1.0-a.ipynb": text}
    assert run(notebooks.check, {"look.ipynb": changed}, before) == []


def test_a_kept_output_passes(run: Run) -> None:
    """Cells tagged keep_output may store theirs."""
    cell = {"source": "a", "outputs": [OUTPUT], "metadata": {"tags": ["keep_output"]}}
    assert run(notebooks.check, {"1.0-look.ipynb": notebook(cell)}) == []


def test_a_broken_notebook_is_said_to_be_one(run: Run) -> None:
    """What is no JSON is a problem, not a crash."""
    assert "not valid JSON" in run(notebooks.check, {"1.0-x.ipynb": "{"})[0]


def test_stripping_changes_nothing_else() -> None:
    """Indentation, key order, characters and line ends stay; outputs and counts go."""
    text = notebook({"source": "é", "outputs": [OUTPUT], "execution_count": 3}, nbformat_minor=5)
    want = notebook({"source": "é"}, nbformat_minor=5)
    assert strip_notebooks.stripped(text.encode()) == (want.encode(), 1)
    assert strip_notebooks.stripped(want.encode()) is None
    windows = text.replace("\n", "\r\n").encode()
    assert strip_notebooks.stripped(windows) == (want.replace("\n", "\r\n").encode(), 1)


def test_what_cannot_be_written_safely_is_left_alone() -> None:
    """Other formats, other encodings and broken files are not touched."""
    text = notebook({"source": "a", "outputs": [OUTPUT]}, nbformat=3)
    for data in (text.encode(), b"{", text.encode("utf-16"), b"[]", b"\xff"):
        assert strip_notebooks.stripped(data) is None


def test_a_large_table_is_stopped_and_a_picture_is_not(run: Run) -> None:
    """Data over 1 MiB is named with its size; small data, pictures and pointers pass."""
    big = b"a,b,c\n" * 400_000
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64
    lines = run(
        large_files.check,
        {"d/big.csv": big, "d/small.csv": b"a,b\n", "photo.png": big, "m.pkl": pointer},
    )
    assert len(lines) == 1
    assert lines[0].startswith("d/big.csv: 2.3 MiB of data in plain git; ")


def test_a_key_is_masked_in_the_line_that_names_it(run: Run) -> None:
    """A credential is named by kind and place and never shown whole."""
    (line,) = run(secrets.check, {"src/a.py": f'x = 1\nKEY = "{KEY}"\n'})
    assert line.startswith("src/a.py:2: holds a credential: AWS access key AKIA…")
    assert KEY not in line


def test_a_line_that_somebody_has_looked_at_passes(run: Run) -> None:
    """The marks of detect-secrets and gitleaks let a line pass."""
    for mark in ("pragma: allowlist secret", "gitleaks:allow"):
        assert run(secrets.check, {"a.py": f'KEY = "{KEY}"  # {mark}\n'}) == []


def test_secrets_in_notebooks_name_the_cell(run: Run) -> None:
    """A notebook's cell is named."""
    (line,) = run(secrets.check, {"a.ipynb": notebook({"source": f'k = "{KEY}"'})})
    assert line.startswith("a.ipynb: cell 1: holds a credential")


def test_a_home_folder_in_code_is_stopped_and_a_comment_is_not(run: Run) -> None:
    """Paths of one machine count in code and settings, not in comments or containers' files."""
    after = {
        "a.py": '# was /home/carla/data\np = "/home/carla/data.csv"\n',
        "compose.yaml": "volumes: [/home/carla/x]\n",
        "Dockerfile": "COPY x /home/carla/x\n",
        "README.md": "/home/carla/x\n",
    }
    (line,) = run(paths.check, after)
    assert line.startswith("a.py:2: /home/carla/data.csv is a path of one machine; ")


def test_a_draw_that_takes_a_seed_must_get_one(run: Run) -> None:
    """A split without random_state is named; one with it passes, and so does a seeded file."""
    code = "from sklearn.model_selection import train_test_split\na, b = train_test_split(x{})\n"
    (line,) = run(seeds.check, {"src/train.py": code.format("")})
    assert line.startswith(
        "src/train.py:2: unseeded random draw: train_test_split(x); pass random_"
    )
    assert run(seeds.check, {"src/train.py": code.format(", random_state=SEED)")[:-1]}) == []
    seeded = "import numpy as np\nnp.random.seed(1)\n" + code.format("")
    assert run(seeds.check, {"src/train.py": seeded}) == []
    assert run(seeds.check, {"tests/test_train.py": code.format("")}) == []


def test_a_global_draw_passes_where_another_file_seeds(run: Run) -> None:
    """Draws of a global generator are left to the audit where the project seeds somewhere."""
    code = {"src/noise.py": "import numpy as np\nx = np.random.rand(3)\n"}
    assert len(run(seeds.check, code)) == 1
    assert run(seeds.check, code, {"src/main.py": "import numpy\nnumpy.random.seed(3)\n"}) == []


@pytest.mark.parametrize(
    ("path", "stopped"),
    [
        ("data/raw/a.csv", True),
        ("data/01_raw/a.parquet", True),
        ("data/raw/README.md", False),
        ("data/raw/a.csv.dvc", False),
        ("data/processed/a.csv", False),
        ("tests/data/raw/a.csv", False),
    ],
)
def test_raw_data_is_added_and_never_changed(run: Run, path: str, *, stopped: bool) -> None:
    """A changed or deleted data file in a raw folder is stopped, a new one is not."""
    assert run(raw_data.check, {path: "a,b\n1,2\n"}) == []
    assert bool(run(raw_data.check, {path: "a,b\n1,3\n"}, {path: "a,b\n1,2\n"})) is stopped
    assert bool(run(raw_data.check, {path: None}, {path: "a,b\n1,2\n"})) is stopped


DVC = "stages:\n  train:\n    cmd: python t.py\n    deps: [t.py]\n    params: [alpha]\n"


def lock(code: str, alpha: int) -> str:
    """What DVC would have recorded."""
    md5 = hashlib.md5(code.encode(), usedforsecurity=False).hexdigest()
    return (
        "schema: '2.0'\nstages:\n  train:\n    cmd: python t.py\n    deps:\n    - path: t.py\n"
        f"      hash: md5\n      md5: {md5}\n      size: 1\n"
        f"    params:\n      params.yaml:\n        alpha: {alpha}\n"
    )


def test_a_parameter_that_the_lock_does_not_know_is_stopped(run: Run) -> None:
    """A changed parameter, changed code and a deleted lock are named; other changes are not."""
    base = {"dvc.yaml": DVC, "dvc.lock": lock("1", 1), "t.py": "1", "params.yaml": "alpha: 1\n"}
    assert run(dvc_lock.check, base) == []
    (line,) = run(dvc_lock.check, {"params.yaml": "alpha: 2\n"}, base)
    assert line == (
        "dvc.lock:3: stage train: parameter alpha is 2, recorded is 1;"
        " run `dvc repro` and stage dvc.lock with the rest"
    )
    assert "another hash" in run(dvc_lock.check, {"t.py": "2"}, base)[0]
    both = {"t.py": "2", "dvc.lock": lock("2", 1)}
    assert run(dvc_lock.check, both, base) == []
    stale = base | {"t.py": "2"}
    assert run(dvc_lock.check, {"README.md": "x"}, stale) == []
    without = {k: v for k, v in base.items() if k != "dvc.lock"}
    assert run(dvc_lock.check, without) == []  # never run: nothing is stale
    assert run(dvc_lock.check, {"dvc.lock": None}, base) == [
        "dvc.lock: the record of the pipeline is deleted; restore it"
    ]
    both_stages = {
        "dvc.yaml": DVC + DVC.removeprefix("stages:\n").replace("train", "test"),
        "dvc.lock": lock("1", 1) + lock("1", 1).partition("stages:\n")[2].replace("train", "test"),
        "params.yaml": "alpha: 2\n",
    }
    (line,) = run(dvc_lock.check, both_stages, base)  # one change, one line
    assert line.startswith("dvc.lock:3: stages train, test: parameter alpha is 2")
    more = {"dvc.yaml": f"{DVC}  test:\n    cmd: pytest\n"}
    assert "stage test: never recorded in dvc.lock" in run(dvc_lock.check, more, base)[0]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=300), hook=st.sampled_from([
    dvc_lock.check, large_files.check, notebooks.check, paths.check, raw_data.check,
    secrets.check, seeds.check,
]))  # fmt: skip
def test_no_bytes_break_a_hook(run: Run, data: bytes, hook: Hook) -> None:
    """Whatever a file holds, a hook ends with lines."""
    names = ("a.ipynb", "a.py", "dvc.yaml", "dvc.lock", "data/raw/a.csv", "a.bin", "x.dvc")
    run(hook, dict.fromkeys(names, b"random " + data))
    strip_notebooks.stripped(data)
