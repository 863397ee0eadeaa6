"""Which files code writes, as its calls say."""

from __future__ import annotations

import pytest

from mlops_audit.config import Config
from mlops_audit.graph import Project
from mlops_audit.graph.outputs import written_files
from mlops_audit.tree import MemoryTree


@pytest.mark.parametrize(
    ("code", "path", "exact", "model"),
    [
        ('joblib.dump(m, "models/m.joblib")', "models/m.joblib", True, True),
        ('torch.save(m, os.path.join("out", "m.pt"))', "out/m.pt", True, True),
        ('torch.save(m, f"runs/{name}.pt")', "runs/", False, True),
        ('frame.to_csv("data/out.csv")', "data/out.csv", True, False),
        ('open("log.txt", "w")', "log.txt", True, False),
        ("OUT = 'a.csv'\nframe.to_csv(OUT)", "a.csv", True, False),
        ('frame.to_csv(Path(ROOT_DIR, "data", "a.csv"))', "data/a.csv", True, False),
        (
            'D = Path(__file__).parent / "data"\nframe.to_csv(D / "a.csv")',
            "./data/a.csv",
            True,
            False,
        ),
        ('def f():\n    p = "b.csv"\n    frame.to_csv(p)', "b.csv", True, False),
        ('def f(d="out"):\n    torch.save(m, os.path.join(d, "m.pt"))', "out/m.pt", True, True),
        (
            'joblib.dump(m, C.DIR + "m.joblib")\nclass C:\n    DIR = "kept/"',
            "kept/m.joblib",
            True,
            True,
        ),
        ('def f(p="m.joblib"):\n    joblib.dump(m, p)', "m.joblib", False, True),
        ('C.x.dir = "./o"\ntorch.save(m, os.path.join(c.x.dir, "m.pt"))', "./o/m.pt", True, True),
    ],
)
def test_written_paths(code: str, path: str, exact: bool, model: bool) -> None:  # noqa: FBT001 -- parameters
    """The path is taken from literals, joins, f-strings and the module's constants."""
    source = f"import os\nimport joblib\nimport torch\n{code}\n"
    found = list(written_files(Project.load(MemoryTree({"a.py": source}), Config())))
    assert [(o.path, o.exact, o.model) for o in found] == [(path, exact, model)]


@pytest.mark.parametrize(
    "code",
    [
        'open("a.txt")',
        "frame.to_csv(path)",
        'joblib.load("m.joblib")',
        'frame.to_csv(Path(__file__).parents[3] / "a.csv")',  # outside of what is audited
    ],
)
def test_reading_writes_nothing(code: str) -> None:
    """Reading, and a path that the code does not spell out, give no output."""
    tree = MemoryTree({"a.py": f"import joblib\n{code}\n"})
    assert not list(written_files(Project.load(tree, Config())))


def test_constants_of_other_modules_and_names_in_a_circle() -> None:
    """A folder of another module is followed; names that are set by each other give no path."""
    tree = {
        "places.py": "from pathlib import Path\nMODELS = Path('models')\n"
        "A = B / 'x'\nB = A / 'y'\n",
        "a.py": "import torch\nimport places\nfrom places import MODELS\n"
        "torch.save(m, str(MODELS / name))\ntorch.save(m, places.MODELS / 'b.pt')\n"
        "torch.save(m, places.A)\n",
    }
    found = written_files(Project.load(MemoryTree(tree), Config()))
    assert [(o.path, o.exact) for o in found] == [("models", False), ("models/b.pt", True)]
